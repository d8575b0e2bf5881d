//! The page as data, and its template. Every text of the page is escaped by the template; texts of others come with hidden characters
//! made visible.

use askama::Template;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::authoring::words::Words;

/// The page's only stylesheet. The Content-Security-Policy allows it by its hash, and nothing else.
const CSS: &str = include_str!("../../../templates/report.css");

/// The page.
#[derive(Template)]
#[template(path = "report.html")]
pub(super) struct Page {
    pub(super) host: String,
    pub(super) made: Moment,
    /// Reasons why the report is incomplete.
    pub(super) problems: Vec<String>,
    pub(super) facts: Vec<Fact>,
    pub(super) looks: Vec<Look>,
    /// The sources of the report: a name and a text.
    pub(super) sources: Vec<(&'static str, String)>,
    pub(super) has_operations: bool,
    pub(super) has_audit: bool,
    pub(super) rows: Vec<Row>,
    pub(super) picture: Option<Picture>,
    pub(super) changes: Option<Changes>,
    /// The findings; `None` if none were looked for.
    pub(super) findings: Option<Vec<Finding>>,
    pub(super) least: Least,
    pub(super) tokens: Vec<TokenPart>,
}

/// A time, for people and for programs.
#[derive(Clone)]
pub(super) struct Moment {
    pub(super) shown: String,
    pub(super) exact: String,
}

/// A number at the top of the page.
pub(super) struct Fact {
    pub(super) name: &'static str,
    pub(super) value: String,
    pub(super) note: String,
    pub(super) target: &'static str,
}

/// Something that a person should look at.
pub(super) struct Look {
    pub(super) what: String,
    pub(super) links: Vec<Link>,
    /// Tokens that are not listed.
    pub(super) more: usize,
    pub(super) advice: &'static str,
}

pub(super) struct Link {
    pub(super) name: String,
    pub(super) anchor: String,
}

/// A token in the table of all tokens.
pub(super) struct Row {
    pub(super) link: Link,
    pub(super) purpose: String,
    pub(super) owner: String,
    pub(super) reads: Number,
    pub(super) writes: Number,
    pub(super) deletes: Number,
    pub(super) ends: State,
    pub(super) used: State,
    pub(super) findings: usize,
}

/// A number of operations, or "yes" and "no" without descriptions.
pub(super) struct Number {
    pub(super) text: String,
    pub(super) is_none: bool,
    pub(super) is_loud: bool,
}

/// A short text, which may be a warning.
pub(super) struct State {
    pub(super) text: String,
    pub(super) is_warning: bool,
}

/// Tokens by groups of operations.
pub(super) struct Picture {
    pub(super) blocks: Vec<Block>,
    pub(super) groups_without: Vec<String>,
    pub(super) more_groups_without: usize,
    pub(super) tokens_without: usize,
    pub(super) tokens_left_out: usize,
}

/// Some tokens of the picture, side by side.
pub(super) struct Block {
    pub(super) tokens: Vec<Link>,
    pub(super) rows: Vec<GroupRow>,
}

pub(super) struct GroupRow {
    pub(super) name: String,
    pub(super) operations: usize,
    pub(super) cells: Vec<Shade>,
}

/// How much of a group a token reaches.
pub(super) struct Shade {
    /// From 0, none, to 4, all.
    pub(super) level: u8,
    pub(super) reached: usize,
    pub(super) writes: usize,
    pub(super) deletes: usize,
}

/// The changes since a base.
pub(super) struct Changes {
    pub(super) base: String,
    pub(super) summary: String,
    pub(super) is_more: bool,
    pub(super) beyond: Vec<(String, Vec<KeyChange>)>,
    pub(super) tokens: Vec<TokenChange>,
}

pub(super) struct KeyChange {
    pub(super) key: String,
    pub(super) old: String,
    pub(super) new: String,
    pub(super) wider: &'static str,
}

pub(super) struct TokenChange {
    pub(super) name: String,
    pub(super) anchor: Option<String>,
    pub(super) verdict: &'static str,
    pub(super) is_more: bool,
    pub(super) keys: Vec<KeyChange>,
    pub(super) calls: Vec<CallChange>,
    pub(super) open: Vec<String>,
}

/// A call that is newly allowed or newly denied.
pub(super) struct CallChange {
    pub(super) is_allowed: bool,
    pub(super) operation: String,
    pub(super) call: String,
    pub(super) by: String,
    pub(super) note: String,
}

/// A finding of the compiler or a lint.
pub(super) struct Finding {
    pub(super) code: String,
    pub(super) is_error: bool,
    pub(super) severity: &'static str,
    pub(super) text: String,
    pub(super) place: String,
    pub(super) quoted: String,
    pub(super) help: String,
    pub(super) example: String,
    pub(super) tokens: Vec<Link>,
}

/// Access that was never used.
pub(super) struct Least {
    /// The reason why it is not known, if it is not.
    pub(super) unknown: String,
    pub(super) period: String,
    pub(super) rows: Vec<LeastRow>,
}

pub(super) struct LeastRow {
    pub(super) link: Link,
    pub(super) allowed: usize,
    pub(super) used: usize,
    pub(super) never: usize,
    pub(super) never_writes: usize,
    /// Unused operations that change something, by name.
    pub(super) listed: Vec<String>,
    pub(super) more: usize,
    /// Unused lines, by place.
    pub(super) lines: Vec<String>,
    /// Allowed calls of no described operation.
    pub(super) elsewhere: u64,
}

/// All about one token.
pub(super) struct TokenPart {
    pub(super) anchor: String,
    pub(super) name: String,
    pub(super) state: &'static str,
    pub(super) purpose: String,
    pub(super) facts: Vec<(&'static str, String, String)>,
    pub(super) warnings: Vec<(String, String)>,
    pub(super) summary: String,
    pub(super) operations: Vec<OperationRow>,
    /// Operations that are not listed, by group: "12 of issue".
    pub(super) folded: String,
    pub(super) lines: Vec<LineRow>,
}

pub(super) struct OperationRow {
    pub(super) kind: &'static str,
    pub(super) is_delete: bool,
    pub(super) is_write: bool,
    pub(super) words: String,
    pub(super) call: String,
    pub(super) extent: String,
    pub(super) example: String,
    pub(super) outside: String,
    pub(super) calls: String,
    pub(super) is_unused: bool,
    pub(super) last: String,
}

/// A line of a token.
pub(super) struct LineRow {
    pub(super) is_forbid: bool,
    pub(super) place: String,
    pub(super) text: String,
    /// The line in words, if it has some.
    pub(super) words: Option<Words>,
    pub(super) example: String,
    pub(super) reach: String,
    pub(super) calls: String,
    pub(super) is_unused: bool,
    pub(super) last: String,
}

impl Page {
    /// The policy of the page: its own stylesheet, and nothing from anywhere.
    fn csp(&self) -> String {
        let hash = STANDARD.encode(Sha256::digest(self.css().as_bytes()));
        format!("default-src 'none'; style-src 'sha256-{hash}'; base-uri 'none'; form-action 'none'")
    }

    fn css(&self) -> &'static str {
        CSS
    }
}

impl Number {
    pub(super) fn of(count: usize, is_loud: bool) -> Self {
        Self {
            text: count.to_string(),
            is_none: count == 0,
            is_loud: is_loud && count > 0,
        }
    }

    pub(super) fn yes(is: bool, is_loud: bool) -> Self {
        Self {
            text: if is { "yes" } else { "no" }.to_owned(),
            is_none: !is,
            is_loud: is_loud && is,
        }
    }
}

impl State {
    pub(super) fn calm(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_warning: false,
        }
    }

    pub(super) fn warning(text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            is_warning: true,
        }
    }
}
