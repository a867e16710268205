//! A person at the console in a real terminal: looks at what is on the screen, then presses the key that it asks for.
//!
//! On a busy machine a key can come before the frame that it answers, and then it does not count: so each is pressed
//! until the screen shows what it did.

use super::pty::{PATIENCE, Pty};
use std::time::{Duration, Instant};

/// As long as a person looks at a screen before the next key.
const LOOK: Duration = Duration::from_millis(150);

/// Presses `key` (`a` or `r`) until the bar with this title is open: moves to a row where the cursor is on none, and
/// reads the payload to its end where the screen asks for it.
pub fn open_bar(pty: &mut Pty, key: &str, title: &str) {
    let until = Instant::now() + PATIENCE;
    while Instant::now() < until {
        pty.send_keys(key);
        std::thread::sleep(LOOK);
        let screen = pty.screen();
        if screen.contains(title) {
            return;
        } else if screen.contains("Enter opens it") {
            pty.send_keys("\r");
        } else if screen.contains("scroll to the end first") {
            // In the list of a wide screen a blank would mark the row: Enter goes to the detail.
            pty.send_keys("\r ");
        } else if screen.contains("the cursor is on nothing") {
            pty.send_keys("j");
        }
        std::thread::sleep(LOOK);
    }
    pty.wait_for(title, Duration::ZERO);
}

/// Types what the open bar asks for, then Enter until it has closed.
pub fn confirm(pty: &mut Pty) {
    let until = Instant::now() + PATIENCE;
    if let Some(letters) = letters(&pty.screen()) {
        pty.send_keys(&letters);
        pty.wait_for(&format!("type {letters}: {letters}"), PATIENCE);
    }
    let asks = |pty: &Pty| ["┌ Approve? ", "┌ Reject? "].iter().any(|title| pty.screen().contains(title));
    while asks(pty) && Instant::now() < until {
        pty.send_keys("\r");
        std::thread::sleep(LOOK);
    }
}

/// The letters that a bar wants typed.
fn letters(screen: &str) -> Option<String> {
    let (_, after) = screen.split_once(" type ")?;
    let (letters, _) = after.split_once(": ")?;
    (letters.len() == 4).then(|| letters.to_owned())
}
