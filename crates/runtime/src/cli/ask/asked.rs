//! What was asked, and tokens that something other than their lines stops.

use tokenward_compiler::ask::{Extent, Reach, Way};
use tokenward_compiler::ir::TokenId;

/// What was asked, in the words of the answer.
pub(in super::super) struct Asked {
    /// The name of the question in JSON: `line` or `call`.
    pub(super) kind: &'static str,
    /// The line or the call.
    pub(super) text: String,
    /// What a token may do: "make requests that `…` matches".
    may: String,
}

impl Asked {
    /// Asks about the requests that a line matches.
    pub(in super::super) fn line(line: &str) -> Self {
        Self {
            kind: "line",
            text: line.to_owned(),
            may: format!("make requests that `{line}` matches"),
        }
    }

    /// What a token may do, after "may".
    pub(in super::super) fn may(&self) -> &str {
        &self.may
    }

    /// How many of the requests a token may make. Of one call only the body is left open.
    pub(super) fn extent(&self, reach: &Reach) -> String {
        if reach.is_blocked() {
            return "none of them, as the proxy is configured".to_owned();
        }
        let (some, all) = match self.kind {
            "call" => ("with some bodies", "yes"),
            _ => ("some of them", "all of them"),
        };
        match &reach.extent {
            Extent::Nothing => "none of them".to_owned(),
            Extent::Part(_) => some.to_owned(),
            // The lines do not decide alone about those that the proxy does not forward.
            Extent::Everything if reach.ways.iter().any(Way::is_blocked) => {
                format!("{all}, as far as the proxy forwards them")
            }
            Extent::Everything => all.to_owned(),
            Extent::Open(why) => format!("{some}; whether all is not settled: {why}"),
        }
    }

    /// Asks about one call.
    pub(in super::super) fn call(call: &str) -> Self {
        Self {
            kind: "call",
            text: call.to_owned(),
            may: format!("make the call `{call}`"),
        }
    }
}

/// A token whose lines allow the call, and whose calls the proxy refuses for another reason.
pub(in super::super) struct Blocked {
    pub(in super::super) token: TokenId,
    /// The reason as a clause: "it lacks `mint`".
    pub(in super::super) why: String,
}
