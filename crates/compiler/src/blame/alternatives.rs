//! The alternatives at the top of a forbid line's regexps: of its URL, and of its values. One that nothing can match forbids
//! nothing, and its author believes that it does.

use std::sync::Arc;

use regex_syntax::hir::Hir;

use super::{
    constraints::{in_order, no_value, singles, what_is_left},
    settings::Settings,
};
use crate::{
    BaseUrl,
    analysis::{Prover, Ruled, Universe},
    ast::{self, Effect, Operator, Subject, Test},
    bind::{bind_url, bind_value},
    diagnostic::{Code, Diagnostic},
    ir::{Constraints, Matcher, MatcherId, Program, Rule, Tables, UrlMatcher, ValueMatcher, Whole},
    json::{Kind, Kinds},
    method::MethodSet,
    parse::parse_line,
    policy::Limit,
    regexp::{self, Anchor, Case},
    source::Span,
};

/// States that the questions about one line may visit.
const BUDGET: u64 = 100_000;
/// Stands for the token's user.
const USER: &str = "user";

/// An alternative, its place and what it is compared with.
type Alternative = (Span, Hir, Anchor);

/// The error for an alternative of a forbid line's URL that matches no URL under any configuration.
pub(crate) fn dead_in_url(text: &str, line: Span, prover: &mut Prover<'_>) -> Option<Diagnostic> {
    let (span, _, anchor) = of_url(text, line).into_iter().find(|(_, hir, anchor)| {
        let alive = match anchor {
            Anchor::Below => match Matcher::new(hir) {
                Ok(matcher) => prover.has_path(&[&matcher]),
                Err(_) => return false,
            },
            Anchor::Whole => prover.has_url(&Whole::new(hir)),
        };
        matches!(alive, Ok(false))
    })?;
    let help = match anchor {
        Anchor::Below => {
            "a regexp that begins with `/` is compared with the path: begin each alternative with `/`"
        }
        Anchor::Whole => {
            "a regexp that does not begin with `/` is compared with the whole URL: begin each alternative with `.*`, or the first with `/`"
        }
    };
    let alternative = slice(text, line, span);
    let found = Diagnostic::new(Code::DeadForbid, span, in_line(alternative)).help(help);
    let lacks_slash =
        anchor == Anchor::Below && alternative.starts_with(|first: char| first.is_ascii_alphanumeric());
    let begin = Span {
        end: span.start,
        ..span
    };
    Some(if lacks_slash { found.fix(begin, "/") } else { found })
}

/// The error for an alternative of a forbid line's URL that matches no URL under this configuration.
pub(crate) fn dead_here(
    text: &str,
    line: Span,
    settings: Settings<'_>,
    prover: &mut Prover<'_>,
) -> Option<Diagnostic> {
    let (endpoints, base) = (settings.served.matcher().ok()?, settings.base?);
    of_url(text, line).into_iter().find_map(|(span, hir, anchor)| {
        let url = match anchor {
            Anchor::Below => UrlMatcher::Below(Matcher::new(&hir).ok()?),
            Anchor::Whole => bind_url(&UrlMatcher::Unbound(Whole::new(&hir)), base).ok()?,
        };
        let (UrlMatcher::Below(url) | UrlMatcher::Bound(_, url)) = &url else {
            return None;
        };
        let both: Vec<&Matcher> = std::iter::once(url).chain(&endpoints).collect();
        if !matches!(prover.has_path(&both), Ok(false)) {
            return None;
        }
        let is_a_path = !matches!(prover.has_path(&[url]), Ok(false));
        let headline = in_line(slice(text, line, span));
        let found = |why: String| Diagnostic::new(Code::DeadHere, span, format!("{headline}: {why}"));
        Some(if is_a_path {
            let served = settings.served.shown();
            let found = found(format!("below the base URL, the proxy serves only {served}"));
            match settings.without_context(slice(text, line, span)) {
                Some(path) => found
                    .help(format!(
                        "paths begin below the public URL `{base}`; write `{path}`"
                    ))
                    .fix(span, path),
                None => found.help("correct the path, or add it to `endpoints` in `[upstream]`"),
            }
        } else {
            found(format!("the public URL is `{base}`"))
                .help("remove the alternative, or use `{BASE_URL}` instead of scheme and host")
        })
    })
}

/// The error for an alternative of a forbid line's value that no value of the constraint's type can match.
///
/// `any_path`: the rule's program, in which every URL is matched.
pub(crate) fn dead_in_values(
    (text, line): (&str, Span),
    (any_path, rule): (&Program, &Rule),
    universe: Universe,
) -> Option<Diagnostic> {
    if !text.contains('|') {
        return None;
    }
    let (mut values, mut asked) = (Vec::new(), Vec::new());
    for value in of_values(text, line) {
        let Some(single) = singles(rule).into_iter().nth(value.at) else {
            continue;
        };
        for (span, hir) in value.alternatives {
            // The base URL is text like any other, so an example will do.
            let example = BaseUrl::parse("https://jira.example.com").ok()?;
            let Ok(matcher) = bind_value(&ValueMatcher::Unbound(Box::new(hir)), &example) else {
                continue;
            };
            let id = MatcherId(u32::try_from(values.len()).ok()?);
            values.push(matcher);
            let rule = Rule {
                effect: Effect::Permit,
                methods: MethodSet::ALL,
                constraints: only_value(single.clone(), id).shared(),
                ..rule.clone()
            };
            asked.push((span, value.kinds, rule));
        }
    }
    let program = Program {
        tables: Tables {
            values: Arc::new(values),
            ..any_path.tables.clone()
        },
        layout: None,
        ..any_path.clone()
    };
    let mut prover = Prover::new(universe, BUDGET.into()).ok()?;
    let (span, kinds, _) = asked.iter().find(|(_, _, rule)| {
        let ruled = Ruled {
            program: &program,
            rule,
        };
        matches!(prover.request(&[ruled], &[]), Ok(None))
    })?;
    let shown = slice(text, line, *span);
    Some(
        Diagnostic::new(
            Code::DeadForbid,
            *span,
            format!(
                "{} matches the alternative `{shown}` of this constraint{}",
                no_value(*kinds),
                what_is_left(*kinds)
            ),
        )
        .help(if kinds.is_some() {
            "correct the alternative, or remove the type"
        } else {
            "correct the alternative, or remove it"
        }),
    )
}

fn in_line(alternative: &str) -> String {
    format!("no request can match the alternative `{alternative}` of this forbid line")
}

fn slice(text: &str, line: Span, span: Span) -> &str {
    let start = span.start.saturating_sub(line.start);
    text.get(start..start + (span.end - span.start))
        .unwrap_or_default()
}

/// The constraint as `==` with another value. A `null` that a list of types names would hold without a match.
fn only_value(mut single: Constraints, value: MatcherId) -> Constraints {
    for param in &mut single.params {
        (param.operator, param.value) = (Operator::All, value);
    }
    for node in &mut single.nodes {
        (node.operator, node.value) = (Operator::All, value);
        node.kinds = node.kinds.and_then(without_null);
    }
    single
}

fn without_null(kinds: Kinds) -> Option<Kinds> {
    if !kinds.accepts_null() {
        return Some(kinds);
    }
    let mut others = kinds.iter().filter(|kind| *kind != Kind::Null);
    let first = Kinds::only(others.next()?);
    Some(others.fold(first, |kinds, kind| kinds.with(kind).unwrap_or(kinds)))
}

/// A line's alternatives at the top of its URL regexp; fewer than two: none.
fn of_url(text: &str, line: Span) -> Vec<Alternative> {
    let Some(syntax) = text.contains('|').then(|| parse_line(text, line).ok()).flatten() else {
        return Vec::new();
    };
    let Ok(parsed) = regexp::parse(&syntax.url, slice(text, line, syntax.url.span)) else {
        return Vec::new();
    };
    let branches = regexp::branches(&parsed, Case::Ignored, Some(USER)).unwrap_or_default();
    let anchored = |(span, hir)| match Limit::below_base(&hir) {
        Some(below) => (span, below, Anchor::Below),
        None => (span, hir, parsed.anchor),
    };
    branches.into_iter().map(anchored).collect()
}

/// A constraint that forbids values which match, and the alternatives of its regexp.
struct Value {
    /// Its index among the line's constraints that test values: parameters first, then nodes.
    at: usize,
    kinds: Option<Kinds>,
    alternatives: Vec<(Span, Hir)>,
}

fn of_values(text: &str, line: Span) -> Vec<Value> {
    let Ok(syntax) = parse_line(text, line) else {
        return Vec::new();
    };
    let constraints = in_order(&syntax);
    let value = |(at, constraint): (usize, &ast::Constraint)| {
        let Test::Values {
            operator: Operator::All | Operator::AllOrAbsent,
            kinds,
            pattern,
        } = &constraint.test
        else {
            return None;
        };
        let parsed = regexp::parse(pattern, slice(text, line, pattern.span)).ok()?;
        let alternatives = regexp::branches(&parsed, Case::AsWritten, Some(USER)).ok()?;
        let kinds = match constraint.subject {
            Subject::Json(_) => kinds.and_then(without_null),
            Subject::Query(_) => None,
        };
        Some(Value {
            at,
            kinds,
            alternatives,
        })
    };
    constraints.into_iter().enumerate().filter_map(value).collect()
}
