//! Parts that several pages show.

/// Decision on a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// A line permits the call, or the token is unrestricted.
    Allow,
    /// The policy denies the call.
    Deny,
    /// The call was refused before the policy was evaluated.
    Refuse,
}

impl Verdict {
    /// Word of the audit, which is also the name of shape and class.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allow => "allow",
            Self::Deny => "deny",
            Self::Refuse => "refuse",
        }
    }

    /// Word of the stamp.
    #[must_use]
    pub fn stamp(self) -> &'static str {
        match self {
            Self::Allow => "Allowed",
            Self::Deny => "Denied",
            Self::Refuse => "Refused",
        }
    }

    /// The verdict with this word.
    #[must_use]
    pub fn from_word(word: &str) -> Option<Self> {
        [Self::Allow, Self::Deny, Self::Refuse]
            .into_iter()
            .find(|verdict| verdict.as_str() == word)
    }
}

/// Whether something is as it should be.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tone {
    /// As it should be: quiet.
    #[default]
    Good,
    /// Somebody should act.
    Warn,
    /// Broken, or at an end.
    Bad,
    /// Neither.
    Plain,
}

impl Tone {
    /// Class of a mark.
    #[must_use]
    pub fn class(self) -> &'static str {
        match self {
            Self::Good => "allow",
            Self::Warn => "warn",
            Self::Bad => "deny",
            Self::Plain => "plain",
        }
    }

    /// Shape of a mark.
    #[must_use]
    pub fn shape(self) -> &'static str {
        match self {
            Self::Good => "allow",
            Self::Warn => "warn",
            Self::Bad => "deny",
            Self::Plain => "unasked",
        }
    }
}

/// A state in a word or two, and details.
#[derive(Clone, Debug, Default)]
pub struct State {
    /// Whether it is as it should be.
    pub tone: Tone,
    /// The state: `active`, `records`, `never`.
    pub text: String,
    /// Details below it; may be empty.
    pub detail: String,
}

/// Rows of a longer list.
#[derive(Clone, Debug)]
pub struct Listed<T> {
    /// The first rows.
    pub rows: Vec<T>,
    /// How many there are in all.
    pub total: u64,
}

impl<T> Default for Listed<T> {
    fn default() -> Self {
        Self {
            rows: Vec::new(),
            total: 0,
        }
    }
}

impl<T> Listed<T> {
    /// All rows.
    #[must_use]
    pub fn all(rows: Vec<T>) -> Self {
        let total = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        Self { rows, total }
    }

    /// How many rows are not listed.
    #[must_use]
    pub fn more(&self) -> u64 {
        let listed = u64::try_from(self.rows.len()).unwrap_or(u64::MAX);
        self.total.saturating_sub(listed)
    }
}

/// Numbers of calls.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Calls that were allowed.
    pub allowed: u64,
    /// Calls that the policy denied.
    pub denied: u64,
    /// Calls that were refused before the policy was evaluated.
    pub refused: u64,
}

impl Tally {
    /// All calls.
    #[must_use]
    pub fn all(&self) -> u64 {
        self.allowed
            .saturating_add(self.denied)
            .saturating_add(self.refused)
    }

    /// Calls that did not pass.
    #[must_use]
    pub fn stopped(&self) -> u64 {
        self.denied.saturating_add(self.refused)
    }
}

/// Where a line or a token is defined.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// Policy file, relative to the policy directory; empty for lines of a form.
    pub file: String,
    /// Number of the line in the file, from 1; 0 if it is not known.
    pub number: u32,
}

impl Place {
    /// The place as `ci.toml:15`, or `line 2`.
    #[must_use]
    pub fn text(&self) -> String {
        match self.number {
            0 => self.file.clone(),
            number if self.file.is_empty() => format!("line {number}"),
            number => format!("{}:{number}", self.file),
        }
    }
}

/// A policy line, as written.
#[derive(Clone, Debug, Default)]
pub struct Line {
    /// Text of the line; empty if the policy no longer has the line.
    pub text: String,
    /// The part that failed.
    pub missed: Option<Missed>,
    /// Text that a change added: a part of `text`.
    pub added: Option<String>,
}

impl Line {
    /// The line, without marks.
    #[must_use]
    pub fn new(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            missed: None,
            added: None,
        }
    }
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missed {
    /// The methods.
    Method,
    /// The path.
    Path,
    /// The condition that begins with this text, such as `QueryParam::jql==`.
    Condition(String),
}

/// Whether a part of a line matched, and why.
#[derive(Clone, Debug)]
pub struct Held {
    /// Whether it matched; `None` if it was not asked.
    pub is: Option<bool>,
    /// The reason in a few words: "is PUT", "whole path", "not asked".
    pub why: String,
}

impl Held {
    /// The part matched.
    #[must_use]
    pub fn yes(why: impl Into<String>) -> Self {
        Self {
            is: Some(true),
            why: why.into(),
        }
    }

    /// The part did not match.
    #[must_use]
    pub fn no(why: impl Into<String>) -> Self {
        Self {
            is: Some(false),
            why: why.into(),
        }
    }

    /// The part was not asked, or nothing was to be asked.
    #[must_use]
    pub fn unasked(why: impl Into<String>) -> Self {
        Self {
            is: None,
            why: why.into(),
        }
    }

    /// Class of the result.
    #[must_use]
    pub fn class(&self) -> &'static str {
        self.is.map_or("unasked", |is| if is { "yes" } else { "no" })
    }
}

/// A line that was compared with a request.
#[derive(Clone, Debug)]
pub struct JudgedLine {
    /// Where the line is.
    pub place: Place,
    /// The line.
    pub line: Line,
    /// Whether the line forbids.
    pub forbids: bool,
    /// Result of the methods.
    pub method: Held,
    /// Result of the path.
    pub path: Held,
    /// Results of the conditions; one "none" or "not asked" if there is nothing to say of each.
    pub conditions: Vec<Held>,
    /// Result of the line: "does not permit", "nearest", "permits it".
    pub result: String,
    /// Whether this is the row in question: the line that decided, or the nearest.
    pub is_nearest: bool,
}

/// A finding about a token or a policy.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Whether somebody must act, or should look.
    pub tone: Tone,
    /// The finding in a few words: "Ends in 29 days."
    pub title: String,
    /// One or two sentences with the place to act.
    pub text: String,
    /// Code of a message of the compiler, such as `TW0110`.
    pub code: Option<String>,
    /// Where it is.
    pub place: Option<Place>,
}

/// An error or a warning of the compiler.
#[derive(Clone, Debug, Default)]
pub struct Diagnostic {
    /// Whether it is an error; otherwise it is a warning.
    pub is_error: bool,
    /// Code, such as `TW0011`.
    pub code: String,
    /// Message.
    pub message: String,
    /// Where it is; an empty file means the text in the form.
    pub place: Place,
    /// Column, from 1; 0 if it is not known.
    pub column: u32,
    /// Lines of the file around the place: number and text.
    pub source: Vec<(u32, String)>,
    /// Part of the line in question: its first and the following character, counted in characters from 0.
    pub marked: Option<(usize, usize)>,
    /// Help of the message; may be empty.
    pub help: String,
}

/// Text to copy.
#[derive(Clone, Debug)]
pub struct Snippet {
    /// Name: `curl`, `Python`, `HTTP`.
    pub name: String,
    /// The text.
    pub text: String,
}

impl Diagnostic {
    /// A line of the source in three: before the marked part, the part, and after it.
    #[must_use]
    pub fn split(&self, line: &str) -> (String, String, String) {
        let (begin, end) = self.marked.unwrap_or((usize::MAX, usize::MAX));
        let characters = || line.chars().take(2_000);
        (
            characters().take(begin).collect(),
            characters().skip(begin).take(end.saturating_sub(begin)).collect(),
            characters().skip(end.max(begin)).collect(),
        )
    }
}
