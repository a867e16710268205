//! What a piece of the screen is, and whose words it holds.

/// Whose words a role holds. The agent's are never drawn in a style of the console's own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Voice {
    /// The console's own words.
    Own,
    /// Words of an agent or a server.
    Foreign,
    /// Frames and marks: no words.
    Sign,
}

macro_rules! roles {
    ($($(#[$doc:meta])* $role:ident = $name:literal, $voice:ident;)*) => {
        /// What a piece of the screen is.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
        #[repr(u8)]
        pub enum Role { $($(#[$doc])* $role,)* }

        impl Role {
            /// Every role, in the order of their numbers.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$role,)*];

            /// Its name in a theme file.
            pub fn name(self) -> &'static str {
                match self { $(Self::$role => $name,)* }
            }

            /// Whose words it holds.
            pub fn voice(self) -> Voice {
                match self { $(Self::$role => Voice::$voice,)* }
            }
        }
    };
}

roles! {
    /// The console's own words.
    Text = "text", Own;
    /// The console's own words that matter less.
    Quiet = "quiet", Own;
    /// The program's name.
    Brand = "brand", Own;
    /// Frames of panes.
    Border = "border", Sign;
    /// The frame of the pane that keys go to.
    BorderFocused = "border-focused", Sign;
    /// Words in a frame.
    Title = "title", Own;
    /// The mark of the row under the cursor.
    Cursor = "cursor", Sign;
    /// Text of an agent or a server.
    Foreign = "foreign", Foreign;
    /// The same where it names what is decided: in a title, in the bar.
    ForeignName = "foreign-name", Foreign;
    /// The same in the row under the cursor, where whole rows are asked for.
    ForeignCursor = "foreign-cursor", Foreign;
    /// The same in a list that nobody keeps up to date.
    ForeignQuiet = "foreign-quiet", Foreign;
    /// The letters of it that a filter or a search has found.
    Match = "match", Foreign;
    /// A sign that stands for a character that cannot be drawn.
    Marked = "marked", Own;
    /// The mark at the left of foreign lines, which they cannot draw.
    Gutter = "gutter", Sign;
    /// A key of a JSON object.
    JsonKey = "json-key", Foreign;
    /// A number, `true`, `false` or `null`.
    JsonValue = "json-value", Foreign;
    /// Brackets, colons and commas of JSON.
    JsonMark = "json-mark", Foreign;
    /// Low risk.
    Low = "low", Own;
    /// Medium risk.
    Medium = "medium", Own;
    /// High risk.
    High = "high", Own;
    /// Critical risk.
    Critical = "critical", Own;
    /// Known to be done as decided.
    Good = "good", Own;
    /// Under way, or not known.
    Doubt = "doubt", Own;
    /// Had no effect, failed, refused.
    Bad = "bad", Own;
    /// The name of a key in a hint.
    KeyName = "key-name", Own;
    /// What that key does.
    KeyHint = "key-hint", Own;
    /// A passing message.
    Notice = "notice", Own;
}

impl Role {
    /// The role of this name.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|role| role.name() == name)
    }

    /// Every role of this voice.
    pub(super) fn of(voice: Voice) -> impl Iterator<Item = Self> {
        Self::ALL.into_iter().filter(move |role| role.voice() == voice)
    }
}
