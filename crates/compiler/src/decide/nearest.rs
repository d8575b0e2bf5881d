//! Explains a denial for which no line decided: the permit line that came nearest, and the first of its conditions that failed.

use std::ops::ControlFlow;

use super::{
    Body, Found, Media, Request, each_match,
    explain::{Constraint, Held, Tried},
};
use crate::{
    ast::Effect,
    ir::{LineId, Program, Rule},
    method::{Method, MethodSet},
};

/// Maximum number of lines whose URLs are compared with the path if none matches.
const LINES: usize = 64;

/// The permit line that came nearest to a denied request.
#[derive(Clone, Debug, PartialEq)]
pub struct Nearest {
    /// The line.
    pub line: LineId,
    /// The first of its conditions that failed, in the order in which a decision asks them: URL, methods, the kind of the body,
    /// parameters, the body.
    pub failed: Failed,
}

/// A condition of a line that failed.
#[derive(Clone, Debug, PartialEq)]
pub enum Failed {
    /// The URL does not match the path.
    Url,
    /// The line does not permit the method, but these.
    Method(MethodSet),
    /// The line has constraints, and the upstream takes parameters from bodies of this kind.
    Body(Media),
    /// A constraint, by its text up to its regexp, and the kind of what it looked at.
    Constraint(String, Found),
}

/// Finds the permit line that came nearest. `tried` is what [`explain`](super::explain::explain) gives for the request. `None` if
/// the token has no permit line.
///
/// A line whose URL and methods match comes before one whose URL matches, and this before all others. Of lines with constraints
/// it is the one with the fewest that failed, of others the one whose URL begins as the path does for longest.
///
/// Costs at most as much as a decision for each method, and comparisons with the beginnings of 64 lines.
#[must_use]
pub fn nearest(program: &Program, request: &Request<'_>, tried: &[Tried<'_>]) -> Option<Nearest> {
    let permits = tried.iter().filter(|tried| tried.effect == Effect::Permit);
    let failed = |tried: &Tried<'_>| {
        let constraints = tried.constraints.iter();
        constraints
            .filter(|constraint| constraint.held != Held::Yes)
            .count()
    };
    if let Some(best) = permits.min_by_key(|tried| failed(tried)) {
        return Some(Nearest {
            line: best.line,
            failed: first_failed(best, request.body),
        });
    }
    let Some(within) = program.within(request.token) else {
        return by_method(program, request).or_else(|| by_url(program, request));
    };
    let (program, token) = (within.program, within.token);
    let request = Request { token, ..*request };
    let found = by_method(program, &request).or_else(|| by_url(program, &request))?;
    Some(Nearest {
        line: within.line(found.line),
        ..found
    })
}

fn first_failed(tried: &Tried<'_>, body: Body<'_>) -> Failed {
    if let Body::Unread(media @ (Media::Form | Media::Multipart)) = body {
        return Failed::Body(media);
    }
    let by = |held: Held| {
        tried
            .constraints
            .iter()
            .find(|constraint| constraint.held == held)
    };
    let told = |constraint: &Constraint<'_>| Failed::Constraint(constraint.text.clone(), constraint.found);
    let failed = by(Held::No).or_else(|| by(Held::Unknown)).map(told);
    // All of them hold by themselves: the upstream would mix query and body.
    failed.unwrap_or(Failed::Body(match body {
        Body::Unread(media) => media,
        Body::Absent | Body::Read(_) | Body::Unreadable => Media::Json,
    }))
}

/// The first line whose URL matches, for another method.
fn by_method(program: &Program, request: &Request<'_>) -> Option<Nearest> {
    let others = Method::NAMED
        .into_iter()
        .filter(|method| *method != request.method);
    others.into_iter().find_map(|method| {
        let asked = Request { method, ..*request };
        let found = each_match(program, &asked, Effect::Permit, |found| {
            ControlFlow::Break(found.line)
        });
        let line = found.break_value()?;
        let rules = permits(program, request);
        let methods = rules
            .filter(|rule| rule.line == line)
            .map(|rule| rule.methods)
            .reduce(MethodSet::union);
        Some(Nearest {
            line,
            failed: Failed::Method(methods.unwrap_or(MethodSet::EMPTY.with(method))),
        })
    })
}

/// The line whose URL begins as the path does for longest.
fn by_url(program: &Program, request: &Request<'_>) -> Option<Nearest> {
    let mut best: Option<(usize, LineId)> = None;
    for rule in permits(program, request).take(LINES) {
        let start = literal_start(program.line(rule.line).text);
        let pairs = start.bytes().zip(request.path.bytes());
        let alike = pairs.take_while(|(one, other)| one == other).count();
        if best.is_none_or(|(most, _)| alike > most) {
            best = Some((alike, rule.line));
        }
    }
    best.map(|(_, line)| Nearest {
        line,
        failed: Failed::Url,
    })
}

fn permits<'p>(program: &'p Program, request: &Request<'_>) -> impl Iterator<Item = &'p Rule> {
    let rules = program.token(request.token).rules(Effect::Permit);
    rules.iter().filter_map(|id| program.rule(id))
}

/// The text with which every URL of a line begins, as far as a look at the line tells; for [`by_url`], which only chooses what is
/// shown.
fn literal_start(line: &str) -> String {
    let is_method = |c: char| c.is_ascii_alphabetic() || matches!(c, ',' | '|' | ' ');
    let url = match line.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
        Some((methods, url)) if methods.chars().all(is_method) => url.trim_start(),
        _ => line,
    };
    let url = url.trim_start_matches(['^', '.', '*']);
    let mut start = String::new();
    let mut rest = url.chars().peekable();
    while let Some(character) = rest.next() {
        match character {
            '\\' => match rest.next().filter(char::is_ascii_punctuation) {
                Some(escaped) => start.push(escaped),
                None => break,
            },
            '*' | '+' | '?' | '{' | '|' => {
                start.pop();
                break;
            }
            '[' | '(' | '$' => break,
            '.' if matches!(rest.peek(), Some('*' | '+' | '?' | '{')) => break,
            literal => start.push(literal),
        }
    }
    start
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_beginning_of_a_line_is_told_without_its_methods() {
        for (line, expected) in [
            (
                "[get,put]/rest/api/2/issue/KANBAN-\\d+",
                "/rest/api/2/issue/KANBAN-",
            ),
            (".*/rest/api/2/.*", "/rest/api/2/"),
            ("[a-z]+://x", ""),
            ("/rest/a\\.b/c?", "/rest/a.b/"),
            ("^/rest/(a|b)", "/rest/"),
            ("/rest[QueryParam::a==1]", "/rest"),
        ] {
            assert_eq!(literal_start(line), expected, "{line}");
        }
    }
}
