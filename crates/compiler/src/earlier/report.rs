//! What an upgrade changes for a line, and the finding about it.

use std::collections::HashSet;

use super::form::Why;
use crate::{
    analysis::Request,
    ast::Effect,
    diagnostic::{Code, Diagnostic, Witness},
    ir::{Program, TokenId},
    parse::parse_line,
    source::Span,
};

/// Whether an upgrade gives or takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Requests are allowed that were denied.
    More,
    /// Requests are denied that were allowed.
    Less,
    /// The comparison was not settled within its budget.
    Open,
}

/// A line that a token has, and that earlier releases read otherwise.
#[derive(Clone, Debug)]
pub struct Rereading {
    /// The token.
    pub token: TokenId,
    /// The line.
    pub line: Span,
    /// The line's text.
    pub text: String,
    /// Whether the line permits.
    pub is_permit: bool,
    /// Whether this release allows more or less by the line.
    pub direction: Direction,
    /// A request that proves it; `None` if that is open.
    pub witness: Option<Request>,
    pub(crate) why: Why,
}

impl Rereading {
    /// The finding about the line. `program`: the token's.
    #[must_use]
    pub fn diagnostic(&self, program: &Program) -> Diagnostic {
        let what = match (self.direction, self.is_permit) {
            (Direction::More, true) => "allows more than in earlier releases",
            (Direction::More, false) => "forbids less than in earlier releases",
            (Direction::Less, true) => "allows less than in earlier releases",
            (Direction::Less, false) => "forbids more than in earlier releases",
            (Direction::Open, _) => {
                "may have another meaning than in earlier releases, and the comparison was not settled"
            }
        };
        let headline = format!("this line {what}: {}", self.why.explained());
        let mut found = Diagnostic::new(Code::MeansMore, self.line, headline).help(self.advice());
        if let (Why::Caret | Why::Blanks, Some(plain)) = (self.why, plain(&self.text, self.line)) {
            found = found.fix(self.line, plain);
        }
        match &self.witness {
            Some(request) => found.witness(witness(program, self.token, request)),
            None => found,
        }
    }

    /// What to write, or to look at.
    fn advice(&self) -> String {
        let as_now = "if it is right, allow the finding with `lint_allow = [\"TW0121: why\"]`";
        match self.why {
            Why::Caret | Why::Blanks => match plain(&self.text, self.line) {
                Some(plain) => format!("review it as new access, and write `{plain}`"),
                None => format!("review it as new access; {as_now}"),
            },
            Why::Root => format!("review the change; {as_now}; for the member, write `\"$\"`"),
            Why::ByteOrderMark | Why::Include => {
                "review the change, and save the file without a byte-order mark".to_owned()
            }
            Why::BaseUrl | Why::NegatedClass => format!("review the change; {as_now}"),
        }
    }
}

/// The findings about lines, one for each line and direction: a set's line belongs to many tokens.
#[must_use]
pub fn diagnostics(found: &[Rereading], program: &Program) -> Vec<Diagnostic> {
    let mut known = HashSet::new();
    let mut first = |one: &&Rereading| {
        let is_expected = matches!(
            one.why,
            Why::Caret | Why::Blanks | Why::ByteOrderMark | Why::Include
        ) && one.direction == Direction::Less;
        // A line that matched nothing now does what it says. Only what it gives needs a review.
        !is_expected && known.insert((one.line, one.direction))
    };
    let found = found.iter().filter(|one| first(one));
    found.map(|one| one.diagnostic(program)).collect()
}

fn witness(program: &Program, token: TokenId, request: &Request) -> Witness {
    request.witness(program, &program.token(token).users)
}

/// The line as both versions of the language read it: without blanks around the URL, and without anchors at its ends.
fn plain(text: &str, line: Span) -> Option<String> {
    let syntax = parse_line(text, line).ok()?;
    let slice = |from: usize, to: usize| text.get(from - line.start..to - line.start);
    let url = slice(syntax.url.span.start, syntax.url.span.end)?;
    let before = slice(line.start, syntax.url_with_blanks.start)?.trim_end();
    let before = if syntax.effect == Effect::Forbid && syntax.methods.is_none() {
        "!"
    } else {
        before
    };
    let constraints: Option<String> = syntax
        .constraints
        .iter()
        .map(|constraint| slice(constraint.span.start, constraint.span.end))
        .collect();
    Some(format!("{before}{}{}", without_anchors(url), constraints?))
}

/// The URL regexp without `^` before the `/`, inline flags kept, and without the `$` at its end.
fn without_anchors(url: &str) -> String {
    let (mut kept, mut rest) = (String::new(), url);
    loop {
        if let Some(behind) = rest.strip_prefix('^').or_else(|| rest.strip_prefix("\\A")) {
            rest = behind;
            continue;
        }
        let flags = rest.strip_prefix("(?").and_then(|flags| flags.split_once(')'));
        match flags {
            Some((flags, behind))
                if flags
                    .bytes()
                    .all(|byte| byte.is_ascii_alphabetic() || byte == b'-') =>
            {
                kept.push_str(&format!("(?{flags})"));
                rest = behind;
            }
            _ => break,
        }
    }
    let is_anchor = |cut: &str| (cut.len() - cut.trim_end_matches('\\').len()).is_multiple_of(2);
    let rest = rest
        .strip_suffix('$')
        .filter(|cut| is_anchor(cut))
        .unwrap_or(rest);
    kept + rest
}

#[cfg(test)]
mod tests {
    use super::without_anchors;

    #[test]
    fn anchors_are_taken_out_and_escapes_are_kept() {
        for (url, expected) in [
            ("^/rest/x$", "/rest/x"),
            ("(?i)^/rest/x$", "(?i)/rest/x"),
            ("^(?i)/rest/x", "(?i)/rest/x"),
            (r"\A/rest/x", "/rest/x"),
            (r"^/rest/x\$", r"/rest/x\$"),
            (r"^/rest/x\\$", r"/rest/x\\"),
            ("^(?:/rest)$", "(?:/rest)"),
        ] {
            assert_eq!(without_anchors(url), expected, "{url}");
        }
    }
}
