//! One change of a request, in words.

use std::fmt::{self, Display, Formatter};

use crate::{analysis::Json, method::Method};

/// One change of a request.
#[derive(Clone, Debug, PartialEq)]
pub enum Change {
    /// Another method.
    Method {
        /// The request's own.
        from: Method,
        /// The one that a line allows.
        to: Method,
    },
    /// Another segment of the path.
    Segment {
        /// The request's own.
        from: String,
        /// The one that a line allows.
        to: String,
    },
    /// Another path.
    Path {
        /// The path that a line allows.
        to: String,
    },
    /// Another value of a parameter.
    Parameter {
        /// The parameter's name.
        name: String,
        /// The request's own value; `None` if the request lacks the parameter.
        from: Option<String>,
        /// The value that a line allows; `None` to leave the parameter out.
        to: Option<String>,
    },
    /// Another member of the body.
    Member {
        /// The member's path, as lines write it.
        path: String,
        /// The request's own value; `None` if the body lacks the member.
        from: Option<Json>,
        /// The value that a line allows; `None` to leave the member out.
        to: Option<Json>,
    },
    /// The body's media type is `application/json`.
    MediaType,
    /// The request has no body.
    NoBody,
}

impl Change {
    /// The changes of a path: its segments, if the number of segments stays.
    pub(super) fn of_path(from: &str, to: &str) -> Vec<Self> {
        if from == to {
            return Vec::new();
        }
        let (old, new): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
        if old.len() != new.len() {
            return vec![Self::Path { to: to.to_owned() }];
        }
        let changed = old.into_iter().zip(new).filter(|(old, new)| old != new);
        changed
            .map(|(old, new)| Self::Segment {
                from: old.to_owned(),
                to: new.to_owned(),
            })
            .collect()
    }

    /// The part of the request: `method`, `path`, `parameter`, `body` or `header`.
    #[must_use]
    pub fn part(&self) -> &'static str {
        match self {
            Self::Method { .. } => "method",
            Self::Segment { .. } | Self::Path { .. } => "path",
            Self::Parameter { .. } => "parameter",
            Self::Member { .. } | Self::NoBody => "body",
            Self::MediaType => "header",
        }
    }
}

impl Display for Change {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Method {
                from: Method::Other,
                to,
            } => write!(f, "use the method {}", to.as_str()),
            Self::Method { from, to } => {
                write!(f, "use the method {} instead of {}", to.as_str(), from.as_str())
            }
            Self::Segment { from, to } => write!(f, "write `{to}` instead of `{from}` in the path"),
            Self::Path { to } => write!(f, "use the path `{to}`"),
            Self::Parameter { name, from, to } => member(f, "parameter", name, (from.as_ref(), to.as_ref())),
            Self::Member { path, from, to } => member(f, "body member", path, (from.as_ref(), to.as_ref())),
            Self::MediaType => f.write_str("send the body with `Content-Type: application/json`"),
            Self::NoBody => f.write_str("send no body"),
        }
    }
}

fn member<T: Display>(
    f: &mut Formatter<'_>,
    what: &str,
    name: &str,
    (from, to): (Option<&T>, Option<&T>),
) -> fmt::Result {
    match (from, to) {
        (Some(from), Some(to)) => write!(f, "set the {what} `{name}` to `{to}` instead of `{from}`"),
        (None, Some(to)) => write!(f, "add the {what} `{name}` with the value `{to}`"),
        (_, None) => write!(f, "leave out the {what} `{name}`"),
    }
}

/// The number of segments in whose place another path has one that is unlike it. Segments that only one of the paths has are not
/// among them.
pub(super) fn unlike_segments(from: &str, to: &str) -> usize {
    let (mut old, mut new): (Vec<&str>, Vec<&str>) = (from.split('/').collect(), to.split('/').collect());
    // The segments at the end that both have are the same ones, wherever one was put before them.
    while old.len().min(new.len()) > 1 && old.last() == new.last() {
        old.pop();
        new.pop();
    }
    let changed = old.into_iter().zip(new).filter(|(old, new)| old != new);
    changed.filter(|(old, new)| are_unlike(old, new)).count()
}

/// Whether less than half of a text is in common with another.
fn are_unlike(from: &str, to: &str) -> bool {
    let same = |(one, other): &(char, char)| one == other;
    let (from_length, to_length) = (from.chars().count(), to.chars().count());
    let begin = from.chars().zip(to.chars()).take_while(same).count();
    let room = from_length.min(to_length) - begin;
    let end = from
        .chars()
        .rev()
        .zip(to.chars().rev())
        .take_while(same)
        .count()
        .min(room);
    2 * (begin + end) < from_length.max(to_length)
}
