//! How a request comes to be newly allowed, as data: what widened, against which line, and the request that shows it best.

use super::witness::Request;
use crate::{
    decide::Media,
    ir::{LineId, Program},
    method::{Method, MethodSet},
};

/// Explanation of a request that one policy allows and the other denies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Explanation {
    /// The ways in which more is allowed, in the order of a line's parts. Each is proved by itself.
    pub widened: Vec<Widened>,
    /// The permit line of the other policy that is most like the one that allows the request.
    pub nearest: Option<Nearest>,
    /// A request that shows better what is newly allowed; `None` if none was found. Both policies were asked, as for the
    /// shortest request.
    pub telling: Option<Request>,
    /// Whether the budget ended before all ways were tried: then there may be more of them.
    pub is_open: bool,
}

/// A way in which more is allowed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Widened {
    /// The token has `unrestricted = true`, which it did not have.
    Unrestricted,
    /// A forbid line was removed, or was replaced by a line that forbids less.
    Lifted {
        /// The line of the other policy.
        line: QuotedLine,
        /// The forbid line that seems to have replaced it.
        now: Option<QuotedLine>,
    },
    /// No permit line of the other policy is like the line that allows the request.
    NewLine,
    /// The line is the same, and is read differently: for another user, or under another configuration.
    SameLine,
    /// The proxy refused such bodies because a line read them, and a name in them is ambiguous. No line reads them now.
    Unrefused,
    /// The proxy refused names that its upstream could take for one of this line, which the policy no longer has.
    Names(QuotedLine),
    /// The line permits these methods in addition.
    Methods(Vec<Method>),
    /// The line permits further paths.
    Path {
        /// The part of the other line's regexp that differs.
        old: String,
        /// The part of this line's regexp that differs.
        new: String,
    },
    /// A constraint permits further values, or absence.
    Values {
        /// The constraint's subject.
        subject: Constrained,
        /// The other line's test, as written: `project = KANBAN`, `:boolean==false`.
        old: String,
        /// This line's test.
        new: String,
    },
    /// A constraint was removed.
    Removed {
        /// The constraint's subject.
        subject: Constrained,
        /// The other line's test.
        old: String,
    },
    /// A constraint on a JSON node was replaced by one on a node around it or within it.
    Replaced {
        /// The other line's path and test: `labels[*]==a|b`.
        old: String,
        /// This line's path and test.
        new: String,
    },
    /// A parameter or member that a constraint required may now be missing, and may have no value at all.
    Dropped {
        /// The constraint's subject.
        subject: Constrained,
        /// The other line's test.
        old: String,
    },
    /// `only` was removed, or the line names more.
    Others {
        /// The JSON object whose members `only` limited; `None`: the query.
        object: Option<String>,
        /// The names that are named in addition; empty if `only` was removed.
        named: Vec<String>,
    },
}

/// The part of a request that a constraint tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Constrained {
    /// The parameter of this name.
    Parameter(String),
    /// The JSON node at this path.
    Node(String),
}

/// A permit line of the other policy, and why the request does not match it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nearest {
    /// The line.
    pub line: QuotedLine,
    /// The first of its conditions that the request does not satisfy; `None` if the request matches the line, so that the other
    /// policy denies it by a forbid line.
    pub miss: Option<Miss>,
}

/// The condition of a line that a request does not satisfy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Miss {
    /// The path does not match.
    Path {
        /// The rest of the path, from the first character on which no match can continue. Empty: the path ends too early.
        rest: String,
    },
    /// The line permits only these methods.
    Methods(MethodSet),
    /// The line does not match requests with such a body.
    Body(Media),
    /// A constraint, by its text up to the regexp: `QueryParam::jql==`.
    Constraint(String),
}

/// A line of a policy file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuotedLine {
    /// Path of the file below the policy directory.
    pub file: String,
    /// The line in that file, from 1.
    pub number: u32,
    /// The line's text.
    pub text: String,
}

impl QuotedLine {
    pub(super) fn of(program: &Program, id: LineId) -> Self {
        let line = program.line(id);
        Self {
            file: line.file.to_owned(),
            number: line.number,
            text: line.text.to_owned(),
        }
    }
}

impl std::fmt::Display for QuotedLine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}:{}: {}", self.file, self.number, self.text)
    }
}
