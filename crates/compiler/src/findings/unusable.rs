//! TW0107: permit lines whose requests the proxy refuses to their tokens, for a reason outside the lines.

use std::collections::BTreeMap;

use crate::{
    analysis::{Budget, Fault, Prover, Request, Ruled, Universe, are_apart},
    diagnostic::{Code, Diagnostic},
    ir::{LineId, Program, Rule, Token, TokenId},
    source_map::SourceMap,
};

/// Requests that tokens need more than a line for, and parameters that nobody may send.
#[derive(Clone, Copy)]
pub struct Reserved<'a> {
    /// A bound program in which each token permits the requests of one key, such as `mint`, and is named after it.
    pub program: &'a Program,
    /// Whether a token lacks a key.
    pub lacks: &'a dyn Fn(&Token, &str) -> bool,
    /// Whether the proxy refuses every request with this parameter.
    pub refuses: &'a dyn Fn(&str) -> bool,
}

/// Why no token can use a line.
enum Why<'a> {
    Key(&'a str),
    Parameter(&'a str),
}

/// Warns of each permit line of a bound program that none of its tokens can use, `lint_allow` or not. Past the budget nothing is claimed.
///
/// # Errors
/// A [`Fault`].
pub fn unusable(
    program: &Program,
    source_map: &SourceMap,
    reserved: &Reserved<'_>,
    (universe, budget): (Universe, impl Into<Budget>),
) -> Result<Vec<Diagnostic>, Fault> {
    let mut prover = Prover::new(universe, budget.into())?;
    // `None`: some token can use the line.
    let mut lines: BTreeMap<LineId, Option<Why<'_>>> = BTreeMap::new();
    for (_, token) in program.tokens() {
        for rule in token.permits.iter().filter_map(|id| program.rule(id)) {
            if matches!(lines.get(&rule.line), Some(None)) {
                continue;
            }
            let why = why(program, rule, token, reserved, &mut prover);
            lines.insert(rule.line, why);
        }
    }
    let found = lines.into_iter();
    Ok(found
        .filter_map(|(line, why)| diagnostic(source_map, line, &why?))
        .collect())
}

fn why<'a>(
    program: &'a Program,
    rule: &'a Rule,
    token: &Token,
    reserved: &Reserved<'a>,
    prover: &mut Prover<'a>,
) -> Option<Why<'a>> {
    let mut needed = rule.params.iter().filter(|test| test.operator.needs_value());
    if let Some(test) = needed.find(|test| (reserved.refuses)(&test.name)) {
        return Some(Why::Parameter(&test.name));
    }
    let lacking = |key: &Token| (reserved.lacks)(token, &key.name);
    if !reserved.program.tokens().any(|(_, key)| lacking(key)) {
        return None;
    }
    let ruled = Ruled { program, rule };
    // Hardly any line is reserved, and most show it by how their paths begin. Of the others one request is tried first.
    let may_be_within = |id: TokenId| {
        let mut permits = rules(reserved.program, id);
        permits.any(|reserving| !are_apart(ruled, reserving))
    };
    if !reserved
        .program
        .tokens()
        .any(|(id, key)| lacking(key) && may_be_within(id))
    {
        return None;
    }
    let sample = prover.sample(ruled)?;
    let mut keys = reserved.program.tokens().filter(|(_, key)| lacking(key));
    keys.find(|(id, _)| is_within(ruled, &sample, (reserved.program, *id), prover))
        .map(|(_, key)| Why::Key(&key.name))
}

/// Whether the lines of a reserving token match all requests of a line. `sample`: a request that the line probably matches.
fn is_within<'a>(
    ruled: Ruled<'a>,
    sample: &Request,
    (reserving, id): (&'a Program, TokenId),
    prover: &mut Prover<'a>,
) -> bool {
    let is_reserved = rules(reserving, id).any(|other| {
        other.rule.methods.contains(sample.method) && reserving.url(other.rule.url).matches(&sample.path)
    });
    if !is_reserved {
        return false;
    }
    let others: Vec<Ruled<'a>> = rules(reserving, id).collect();
    let alive = matches!(prover.request(&[ruled], &[]), Ok(Some(_)));
    alive && matches!(prover.request(&[ruled], &others), Ok(None))
}

/// The permit lines of a reserving token.
fn rules(reserving: &Program, id: TokenId) -> impl Iterator<Item = Ruled<'_>> {
    let permits = reserving.token(id).permits.iter();
    permits.filter_map(|id| {
        reserving.rule(id).map(|rule| Ruled {
            program: reserving,
            rule,
        })
    })
}

fn diagnostic(source_map: &SourceMap, line: LineId, why: &Why<'_>) -> Option<Diagnostic> {
    let span = source_map.line(line)?;
    let (headline, help) = match why {
        Why::Key(key) => (
            format!("no call can use this line: a token needs `{key} = true` for the calls that it permits"),
            format!("add `{key} = true` to the token if it should make these calls, or remove the line"),
        ),
        Why::Parameter(name) => (
            format!("no call can use this line: the proxy refuses the parameter `{name}`"),
            "remove the line; the proxy passes on only its own credentials".to_owned(),
        ),
    };
    Some(
        Diagnostic::new(Code::EmptyLine, span, headline)
            .help(help)
            .fix(span, ""),
    )
}
