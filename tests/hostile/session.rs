//! One reviewer with one attack in the list, in a real pseudo-terminal: a fixed round of looks at everything that the
//! console can show of it. What is looked at is told to whoever wants to know, with the name of the step.

use super::bytes::{Order, Reader};
use super::corpus::{Case, harmless};
use super::pty::{PATIENCE, Pty};
use super::terminal::{Terminal, Widths, is_own};
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

/// The harmless actions above and below the attack.
pub(crate) const NEIGHBOURS: [&str; 2] = ["aa_before", "zz_after"];
/// A payload with more lines than this is looked at from both ends only.
const MOST_LINES: usize = 500;
/// Then so many lines from its end upwards.
const AROUND_THE_TAIL: usize = 80;
/// A key counts when what it answers has been on the screen for this long (screen.md, *Deciding* 2); and a little more.
const ARMED: Duration = Duration::from_millis(330);
const ARMED_HIGH: Duration = Duration::from_millis(1_050);

/// What is looked at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Step {
    /// The list, the cursor on the attack.
    List,
    /// The detail, as it opens.
    Detail,
    /// A page of the detail with everything unfolded.
    Page,
    /// The help over the detail.
    Help,
    /// The bar for an approval.
    Approve,
    /// The bar for a rejection.
    Reject,
    /// What becomes of the rejection, beside the list.
    Decided,
    /// The pane of the outcomes.
    Outcomes,
    /// What becomes of an action that nobody decided in time.
    Expired,
}

/// The terminals at one step, the one that measures as the console does first.
pub(crate) type Look<'l> = &'l mut dyn FnMut(Step, &[Terminal]) -> Result<(), String>;

/// A frame on the screen.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Frame {
    pub(crate) left: usize,
    pub(crate) right: usize,
    pub(crate) top: usize,
    pub(crate) bottom: usize,
}

impl Frame {
    /// The frames whose corners stand where a pane can have them: found along the left edges, so that no text inside a
    /// frame is taken for one.
    pub(crate) fn all(terminal: &Terminal) -> Vec<Self> {
        let (columns, rows) = terminal.size();
        let mut frames = Vec::new();
        for y in 0..rows {
            let mut x = 0;
            while x < columns && terminal.is(x, y, '┌') {
                let Some(right) = (x + 1..columns).find(|right| {
                    terminal.is(*right, y, '┐') && (*right + 1 == columns || terminal.is(right + 1, y, '┌'))
                }) else {
                    break;
                };
                let Some(bottom) = (y + 1..rows).find(|bottom| terminal.is(x, *bottom, '└')) else {
                    break;
                };
                frames.push(Self { left: x, right, top: y, bottom });
                x = right + 1;
            }
        }
        frames
    }

    /// A line of its inside, counted from 0.
    pub(crate) fn line(&self, terminal: &Terminal, line: usize) -> String {
        terminal.text(self.top + 1 + line, self.left + 1..self.right)
    }

    /// How many there are.
    pub(crate) fn lines(&self) -> usize {
        self.bottom - self.top - 1
    }

    pub(crate) fn title(&self, terminal: &Terminal) -> String {
        terminal.text(self.top, self.left + 1..self.right)
    }

    pub(crate) fn foot(&self, terminal: &Terminal) -> String {
        terminal.text(self.bottom, self.left + 1..self.right)
    }
}

/// A line of the detail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Line {
    /// Behind the gutter.
    pub(crate) foreign: bool,
    pub(crate) text: String,
}

/// What was read in the detail.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Read {
    /// As it opened.
    pub(crate) title: String,
    /// Every line of it, everything unfolded; the first and the last ones only where there are too many.
    pub(crate) lines: Vec<Line>,
    pub(crate) whole: bool,
    /// Everything that was on the screen as it opened, folds closed.
    pub(crate) folded: String,
}

/// A console with one attack in its list.
pub(crate) struct Session {
    pty: Pty,
    reader: Reader,
    read: usize,
    terminals: Vec<Terminal>,
    repaints: usize,
    in_frame: bool,
    wide: bool,
}

impl Session {
    /// Starts the console on a queue of the attack and its neighbours.
    pub(crate) fn start(case: &Case, folder: &Path, size: (u16, u16)) -> Self {
        let file = folder.join("queue.jsonl");
        let [before, after] = NEIGHBOURS;
        let soon = jiff::Timestamp::now() + jiff::SignedDuration::from_mins(50);
        let before = harmless(before, before, "low", r#"{"to":"a@b.example"}"#)
            .replace("2099-01-01T00:00:00Z", &soon.strftime("%Y-%m-%dT%H:%M:%SZ").to_string());
        let after = harmless(after, after, "low", r#"{"to":"a@b.example"}"#)
            .replace("2099-01-01T00:00:00Z", "9999-12-30T21:00:00Z");
        fs::write(&file, [before.as_bytes(), b"\n", &case.line, b"\n", after.as_bytes(), b"\n"].concat())
            .unwrap();
        Self::open(&["--queue", "queue.jsonl"], folder, size)
    }

    /// Starts `review` with these arguments.
    pub(crate) fn open(arguments: &[&str], folder: &Path, size: (u16, u16)) -> Self {
        let mut command = Pty::aegis_console(&[&["review", "--grace", "0"], arguments].concat());
        command.cwd(folder);
        Self {
            pty: Pty::start(command, size),
            reader: Reader::default(),
            read: 0,
            terminals: vec![Terminal::new(Widths::ALL[0], size)],
            repaints: 0,
            in_frame: false,
            wide: size.0 >= 100,
        }
    }

    /// The terminal that measures as the console does.
    pub(crate) fn first(&self) -> &Terminal {
        &self.terminals[0]
    }

    /// Takes in what has come, for at most this long; whether anything did.
    fn take(&mut self, patience: Duration) -> Result<bool, String> {
        let bytes = self.pty.bytes_after(self.read, patience);
        self.read += bytes.len();
        for order in self.reader.read(&bytes)? {
            match order {
                Order::Clear => self.repaints += 1,
                Order::Mode(2026, on) => self.in_frame = on,
                Order::AskReady => self.pty.send(b"\x1b[0n"),
                Order::AskWhole => self.pty.send(b"\x1b[?2026;2$y"),
                _ => {}
            }
            if let ([first], Order::Draw(c)) = (&self.terminals[..], order)
                && !c.is_ascii()
                && !is_own(c)
            {
                // From here on they may disagree.
                let others = Widths::ALL[1..].iter().map(|widths| first.measured(*widths));
                let others: Vec<_> = others.collect();
                self.terminals.extend(others);
            }
            self.terminals.iter_mut().for_each(|terminal| terminal.obey(order));
        }
        Ok(!bytes.is_empty())
    }

    /// Whether the screen came to be so, in that time.
    fn comes(&mut self, patience: Duration, until: impl Fn(&Self) -> bool) -> Result<bool, String> {
        let deadline = Instant::now() + patience;
        loop {
            if !self.in_frame && until(self) {
                return Ok(true);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() || !self.take(left)? && left > Duration::from_millis(50) && self.ended() {
                return Ok(!self.in_frame && until(self));
            }
        }
    }

    fn ended(&mut self) -> bool {
        self.pty.bytes_after(self.read, Duration::ZERO).is_empty() && self.pty.has_ended()
    }

    /// Waits until the screen is so, or says what it is.
    pub(crate) fn wait(&mut self, what: &str, until: impl Fn(&Self) -> bool) -> Result<(), String> {
        if self.comes(PATIENCE, until)? {
            return Ok(());
        }
        Err(format!("waited for {what}; the screen:\n{}", self.first().screen()))
    }

    /// Sends one key.
    pub(crate) fn press(&mut self, key: &str) {
        self.pty.send(key.as_bytes());
    }

    /// Waits until every key so far has been answered: the screen is painted anew.
    fn answered(&mut self) -> Result<(), String> {
        let repaints = self.repaints;
        self.press("\x0c");
        self.wait("the screen to be painted anew", |session| session.repaints > repaints)
    }

    fn list(&self) -> Option<Frame> {
        Frame::all(self.first()).into_iter().find(|frame| frame.title(self.first()).starts_with(" Pending "))
    }

    fn detail(&self) -> Option<Frame> {
        let frames = Frame::all(self.first());
        frames.get(usize::from(self.wide)).filter(|frame| frame.top == 1).copied()
    }

    /// The row of the list that the cursor is on.
    fn cursor(&self) -> Option<String> {
        let list = self.list()?;
        let rows = (0..list.lines()).map(|line| list.line(self.first(), line));
        rows.into_iter().find(|row| row.starts_with('▌'))
    }

    /// Makes the round. What has expired is in no list: of it only the outcome is looked at.
    pub(crate) fn go_round(mut self, expired: bool, look: Look<'_>) -> Result<Read, String> {
        self.wait("the list", |session| NEIGHBOURS.iter().all(|name| session.first().shows(name)))?;
        // The list is drawn while the file is still read.
        self.wait("the file's end", |session| session.first().row(0).contains("read to its end"))?;
        if expired {
            self.wait("the outcome", |session| {
                let title = session.list().map(|list| list.title(session.first()));
                title.is_some_and(|title| title.starts_with(" Pending 2 "))
                    && session.first().shows("expired")
            })?;
            look(Step::Expired, &self.terminals)?;
            self.quit()?;
            return Ok(Read::default());
        }
        self.find_the_attack()?;
        look(Step::List, &self.terminals)?;
        self.press("\r");
        let wide = self.wide;
        self.wait("the detail", |session| {
            let (first, last) = (session.first(), session.first().size().1 - 1);
            if wide { first.row(last).contains("back") } else { session.list().is_none() }
        })?;
        look(Step::Detail, &self.terminals)?;
        let read = self.read_all(look)?;
        self.press("?");
        self.wait("the help", |session| session.first().row(0).starts_with("┌ Help "))?;
        look(Step::Help, &self.terminals)?;
        self.press("?");
        self.wait("the help to go", |session| !session.first().row(0).starts_with("┌ Help "))?;
        if !self.decide(&read, look)? {
            self.quit()?;
            return Ok(read);
        }
        self.press("\t");
        self.wait("the detail", |session| wide || session.list().is_none())?;
        self.press("\t");
        self.wait("the outcomes", |session| {
            let last = session.first().size().1 - 1;
            session.first().shows("┌ Outcomes ") && session.first().row(last).contains("? help")
        })?;
        self.answered()?;
        look(Step::Outcomes, &self.terminals)?;
        self.quit()?;
        Ok(read)
    }

    /// Leaves it, and sees that the terminal is as it was before.
    pub(crate) fn quit(mut self) -> Result<(), String> {
        self.press("q");
        let code = self.pty.exit_code(PATIENCE);
        self.take(Duration::ZERO)?;
        if code != 0 {
            return Err(format!("it ended with {code}"));
        }
        self.pty.assert_restored();
        Ok(())
    }

    /// Rejects what the cursor is on.
    pub(crate) fn reject(&mut self) -> Result<(), String> {
        std::thread::sleep(ARMED);
        self.press("r");
        self.wait("the bar", |session| session.first().shows("┌ Reject? "))?;
        std::thread::sleep(ARMED);
        self.press("\r");
        self.wait("the bar to go", |session| !session.first().shows("┌ Reject? "))
    }

    /// The terminals, if there is more to see on them than on the one that measures as the console does.
    pub(crate) fn terminals(&self) -> &[Terminal] {
        &self.terminals
    }

    fn find_the_attack(&mut self) -> Result<(), String> {
        for _ in 0..4 {
            self.wait("the cursor", |session| session.cursor().is_some())?;
            // Without the times, which change by themselves.
            let name = |row: String| row.chars().take(20).collect::<String>();
            let row = self.cursor().map(name).unwrap_or_default();
            if !NEIGHBOURS.iter().any(|name| row.contains(name)) {
                return Ok(());
            }
            self.press("j");
            self.wait("the cursor to move", |session| session.cursor().is_some_and(|now| name(now) != row))?;
            // The cursor moves at once: three letters as fast as this would be a paste.
            std::thread::sleep(Duration::from_millis(20));
        }
        Err(format!("the attack has no row of its own; the screen:\n{}", self.first().screen()))
    }

    /// Everything inside the frame of the detail, and its foot.
    fn page(&self) -> (Frame, Vec<String>, String) {
        let frame = self.detail().unwrap();
        let lines = (0..frame.lines()).map(|line| frame.line(self.first(), line)).collect();
        (frame, lines, frame.foot(self.first()))
    }

    /// Reads the detail from its first line to its last, everything unfolded.
    fn read_all(&mut self, look: Look<'_>) -> Result<Read, String> {
        let Some(frame) = self.detail() else { return Err(self.lost("the frame of the detail")) };
        let title = frame.title(self.first());
        // What counts down or up must not be taken for something that was opened.
        let closed = |session: &Self| {
            let (_, lines, foot) = session.page();
            (lines.concat().replace(|c: char| c.is_ascii_digit(), "9"), foot)
        };
        let (before, mut steps) = (closed(self), 0);
        let folded = format!("{title}\n{}", self.page().1.join("\n"));
        while steps < 4 {
            self.press("o");
            self.answered()?;
            if closed(self) == before {
                break;
            }
            steps += 1;
        }
        for _ in 0..steps {
            self.press("o");
            self.answered()?;
        }
        let mut read = Read { title, folded, ..Read::default() };
        let mut lines = Vec::new();
        let (_, _, total) = self.keep_page(&mut lines, look)?;
        read.whole = total <= MOST_LINES;
        if !read.whole {
            self.press("G");
            self.wait("the end of the detail", |session| session.extent().1 == session.extent().2)?;
        }
        loop {
            let (first, last, total) = self.keep_page(&mut lines, look)?;
            if read.whole && last < total {
                self.press("\x04");
                self.wait("the next page", |session| session.extent().1 > last)?;
            } else if !read.whole && total - first < AROUND_THE_TAIL {
                self.press("\x15");
                self.wait("the page above", |session| session.extent().0 < first)?;
            } else {
                break;
            }
        }
        read.lines = lines.into_iter().flatten().collect();
        Ok(read)
    }

    /// Which lines of the detail the screen shows, and of how many.
    fn extent(&self) -> (usize, usize, usize) {
        let (_, lines, foot) = self.page();
        extent(&foot).unwrap_or((1, lines.len(), lines.len()))
    }

    fn keep_page(
        &mut self,
        lines: &mut Vec<Option<Line>>,
        look: Look<'_>,
    ) -> Result<(usize, usize, usize), String> {
        look(Step::Page, &self.terminals)?;
        let (first, last, total) = self.extent();
        lines.resize(total, None);
        for (line, text) in lines[first - 1..last].iter_mut().zip(self.page().1) {
            let foreign = text.starts_with('▏');
            let text = if foreign { text.chars().skip(2).collect() } else { text };
            *line = Some(Line { foreign, text: text.trim_end().to_owned() });
        }
        Ok((first, last, total))
    }

    fn lost(&self, what: &str) -> String {
        format!("{what} is gone; the screen:\n{}", self.first().screen())
    }

    /// Decides what was read; `false` where nothing can be decided about it.
    fn decide(&mut self, read: &Read, look: Look<'_>) -> Result<bool, String> {
        let high = ["HIGH", "CRIT"].iter().any(|badge| read.title.contains(badge));
        let unreadable = !["LOW", "MED", "HIGH", "CRIT"].iter().any(|badge| read.title.contains(badge));
        std::thread::sleep(if high { ARMED_HIGH } else { ARMED });
        self.press("a");
        // What has a low risk is approved without having been read to its end.
        let low = read.title.contains(" LOW ");
        if (read.whole || low) && !unreadable {
            self.wait("the bar", |session| session.first().shows("┌ Approve? "))?;
            look(Step::Approve, &self.terminals)?;
            self.press("\x1b");
            self.wait("the bar to go", |session| !session.first().shows("┌ Approve? "))?;
        } else {
            self.answered()?;
            if self.first().shows("┌ Approve? ") {
                return Err("it can be approved, though not all of it was seen".into());
            }
        }
        std::thread::sleep(ARMED);
        self.press("r");
        let said: String = read.lines.iter().flat_map(|line| line.text.split_whitespace()).collect();
        if unreadable && said.contains("nothingcanbedecided") {
            // It says no id or key that a decision could name.
            self.answered()?;
            let bar = self.first().shows("┌ Reject? ");
            return if bar { Err("it names nothing, and a bar opens for it".into()) } else { Ok(false) };
        }
        self.wait("the bar", |session| session.first().shows("┌ Reject? "))?;
        look(Step::Reject, &self.terminals)?;
        std::thread::sleep(ARMED);
        self.press("\r");
        self.wait("the decision", |session| {
            !session.first().shows("┌ Reject? ") && session.first().shows("not sent")
        })?;
        look(Step::Decided, &self.terminals)?;
        Ok(true)
    }
}

/// ` lines 1–14 of 38 ─ 24 more below `: first, last, all.
pub(crate) fn extent(foot: &str) -> Option<(usize, usize, usize)> {
    let words = foot.split_once(" lines ")?.1;
    let (first, rest) = words.split_once('–')?;
    let (last, rest) = rest.split_once(" of ")?;
    let total: String = rest.chars().take_while(char::is_ascii_digit).collect();
    Some((first.parse().ok()?, last.parse().ok()?, total.parse().ok()?))
}
