//! TW0121: lines that earlier releases read otherwise, so that an upgrade changes what they allow.
//!
//! The form of a line suggests it, and a comparison decides: each token that has such a line is compiled once more as language 1
//! read it, and both readings are compared over all requests.

mod form;
mod report;

use std::collections::{HashMap, HashSet};

pub(crate) use self::form::has_blanks;
use self::form::{Why, why};
pub use self::report::{Direction, Rereading, diagnostics};
use crate::{
    BaseUrl,
    analysis::{Analysis, Budget, Cause, Difference, Fault, Proxied, Universe},
    ast::Effect,
    compile,
    diagnostic::Severity,
    ir::{Program, Token, TokenId},
    language::Language,
    lower::lower,
    policy,
    resolve::resolve_as,
    source::{SourceKind, SourceSet, Span},
    source_map::SourceMap,
    tokens,
};

/// What a bound program allows, or denies, only because this release reads its lines otherwise than earlier ones: at most once for
/// each line of a token. `proxied`: the proxy that should forward the requests that are shown.
///
/// # Errors
/// A [`Fault`].
pub fn rereadings(
    sources: &SourceSet,
    (program, source_map): (&Program, &SourceMap),
    (universe, proxied, budget): (Universe, Option<&Proxied>, impl Into<Budget>),
) -> Result<Vec<Rereading>, Fault> {
    let suspects = suspects(sources, program, source_map);
    let tokens = if includes_after_mark(sources) {
        named(program.tokens())
    } else {
        having(program, source_map, &suspects)
    };
    if tokens.is_empty() {
        return Ok(Vec::new());
    }
    let Some(before) = Before::read(sources, program, &tokens) else {
        let all = tokens
            .values()
            .flat_map(|id| open(program, source_map, *id, &suspects));
        return Ok(all.collect());
    };
    let mut found = Vec::new();
    let mut analysis = Analysis::new(&before.program, program, universe, budget)?;
    if let Some(proxied) = proxied {
        analysis = analysis.behind(proxied, proxied);
    }
    for (then, token) in before.program.tokens() {
        let Some(id) = tokens.get(token.name.as_str()).copied() else {
            continue;
        };
        let compared = analysis.compare(Some(then), Some(id))?;
        let both = [
            (compared.newly_allowed, Direction::More),
            (compared.newly_denied, Direction::Less),
        ];
        let mut is_open = false;
        for (difference, direction) in both {
            is_open |= difference.inconclusive.is_some();
            let maps = (source_map, &before.source_map);
            found.extend(all(difference, direction, (id, maps), (sources, &suspects)));
        }
        if is_open {
            found.extend(open(program, source_map, id, &suspects));
        }
    }
    Ok(found)
}

/// Whether the first token of a policy, read as language 1 read it, and the first token of another allow the same requests;
/// `None`: that is open, or one of them does not compile.
///
/// # Errors
/// A [`Fault`].
pub fn is_same(
    before: &SourceSet,
    now: &SourceSet,
    (base, universe): (&BaseUrl, Universe),
) -> Result<Option<bool>, Fault> {
    let definitions = tokens::read_all(before, &mut Vec::new());
    let mut resolver = resolve_as(definitions, before, Language::One);
    let lowered = lower(resolver.by_ref(), before);
    let unread = resolver.finish().diagnostics;
    let mut errors = unread.iter().chain(&lowered.diagnostics);
    if errors.any(|found| found.severity == Severity::Error) {
        return Ok(None);
    }
    let (Ok(before), Some(Ok(now))) = (
        lowered.program.bind(base),
        compile(now).program.map(|program| program.bind(base)),
    ) else {
        return Ok(None);
    };
    let first = |program: &Program| program.tokens().next().map(|(id, _)| id);
    let mut analysis = Analysis::new(&before, &now, universe, Analysis::BUDGET)?;
    let compared = analysis.compare(first(&before), first(&now))?;
    let both = [compared.newly_allowed, compared.newly_denied];
    if both.iter().any(|difference| !difference.findings.is_empty()) {
        return Ok(Some(false));
    }
    Ok(both.iter().all(Difference::is_none).then_some(true))
}

/// The lines whose form suggests another reading.
fn suspects(sources: &SourceSet, program: &Program, source_map: &SourceMap) -> HashMap<Span, Why> {
    let mut suspects: HashMap<Span, Why> = HashMap::new();
    let mut seen = HashSet::new();
    for rule in program.rules.iter() {
        // Users in the place of `{USER}` make several rules of a line.
        if !seen.insert(rule.line) {
            continue;
        }
        let Some(span) = source_map.line(rule.line) else {
            continue;
        };
        let first = first_after_mark(sources, span).then_some(Why::ByteOrderMark);
        if let Some(why) = first.or_else(|| why(sources.text(span), span)) {
            suspects.insert(span, why);
        }
    }
    suspects
}

/// Whether a line is the first of a set whose file begins with a byte-order mark.
fn first_after_mark(sources: &SourceSet, line: Span) -> bool {
    sources.get(line.source).is_some_and(|source| {
        let mark = source.text.len() - source.body().len();
        let before = source.text.get(mark..line.start);
        source.kind == SourceKind::Limits && mark > 0 && before.is_some_and(|before| !before.contains('\n'))
    })
}

/// Whether a set begins with a byte-order mark and an `@include`, which was a line that matched nothing: any token may have more
/// lines than it had.
fn includes_after_mark(sources: &SourceSet) -> bool {
    sources.iter().any(|(_, source)| {
        source.kind == SourceKind::Limits
            && source.body().len() < source.text.len()
            && source
                .body()
                .trim_start_matches([' ', '\t'])
                .starts_with("@include")
    })
}

fn named<'p>(tokens: impl Iterator<Item = (TokenId, &'p Token)>) -> HashMap<&'p str, TokenId> {
    tokens.map(|(id, token)| (token.name.as_str(), id)).collect()
}

/// The tokens that have one of these lines, by their names.
fn having<'p>(
    program: &'p Program,
    source_map: &SourceMap,
    lines: &HashMap<Span, Why>,
) -> HashMap<&'p str, TokenId> {
    let has = |id: TokenId| {
        let mut of_token = program.lines_of(id);
        of_token.any(|(line, _)| {
            source_map
                .line(line)
                .is_some_and(|span| lines.contains_key(&span))
        })
    };
    named(program.tokens().filter(|(id, _)| has(*id)))
}

/// Some tokens as language 1 read them.
struct Before {
    program: Program,
    source_map: SourceMap,
}

impl Before {
    /// `None`: a pattern is too large, so there is nothing to compare with.
    fn read(sources: &SourceSet, program: &Program, tokens: &HashMap<&str, TokenId>) -> Option<Self> {
        let sources = without_marks(sources);
        let definitions = tokens::read_all(&sources, &mut Vec::new());
        let resolved = resolve_as(definitions, &sources, Language::One);
        let is_meant = |token: &policy::Token| tokens.contains_key(token.attributes.name.as_str());
        let lowered = lower(resolved.filter(is_meant), &sources);
        let is_error = |severity: Severity| severity == Severity::Error;
        if lowered.diagnostics.iter().any(|found| is_error(found.severity)) {
            return None;
        }
        let bound = lowered.program.bind(program.base()?).ok()?;
        Some(Self {
            program: bound.merging_body(program.merges_body),
            source_map: lowered.source_map,
        })
    }
}

/// The same files, at the same places, in which the first line behind a byte-order mark is a comment: with the mark it was a line
/// that matched nothing.
fn without_marks(sources: &SourceSet) -> SourceSet {
    let files = sources.iter().map(|(_, source)| {
        let mark = source.text.len() - source.body().len();
        if source.kind != SourceKind::Limits || mark == 0 {
            return (source.path.clone(), source.text.to_string());
        }
        let line = source.body().find('\n').unwrap_or(source.body().len());
        let (kept, rest) = source
            .text
            .split_at_checked(mark + line)
            .unwrap_or((&source.text, ""));
        let comment = "#".repeat(kept.len() - mark);
        let mark = kept.get(..mark).unwrap_or_default();
        (source.path.clone(), format!("{mark}{comment}{rest}"))
    });
    SourceSet::from_files(files)
}

fn all<'a>(
    difference: Difference,
    direction: Direction,
    (token, (now, then)): (TokenId, (&'a SourceMap, &'a SourceMap)),
    (sources, suspects): (&'a SourceSet, &'a HashMap<Span, Why>),
) -> impl Iterator<Item = Rereading> + 'a {
    difference.findings.into_iter().filter_map(move |finding| {
        // A permit line is of the side that allows more, a lifted forbid line of the other.
        let (line, is_permit, map) = match (finding.cause, direction) {
            (Cause::Permit(line), Direction::More) => (line, true, now),
            (Cause::Lifted(line) | Cause::Refused(line), Direction::More) => (line, false, then),
            (Cause::Permit(line), _) => (line, true, then),
            (Cause::Lifted(line) | Cause::Refused(line), _) => (line, false, now),
            (Cause::Unrestricted, _) => return None,
        };
        let span = map.line(line)?;
        Some(Rereading {
            token,
            line: span,
            text: sources.text(span).to_owned(),
            is_permit,
            direction,
            witness: Some(finding.witness),
            why: suspects.get(&span).copied().unwrap_or(Why::Include),
        })
    })
}

/// The suspected lines of a token whose comparison was not settled.
fn open<'a>(
    program: &'a Program,
    source_map: &'a SourceMap,
    token: TokenId,
    suspects: &'a HashMap<Span, Why>,
) -> impl Iterator<Item = Rereading> + 'a {
    let rules = program
        .token(token)
        .forbids
        .iter()
        .chain(program.token(token).permits.iter());
    rules.filter_map(move |id| {
        let rule = program.rule(id)?;
        let span = source_map.line(rule.line)?;
        Some(Rereading {
            token,
            line: span,
            text: program.line(rule.line).text.to_owned(),
            is_permit: rule.effect == Effect::Permit,
            direction: Direction::Open,
            witness: None,
            why: *suspects.get(&span)?,
        })
    })
}
