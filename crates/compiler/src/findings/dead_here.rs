//! Forbid lines that a configuration leaves without effect, as a whole or in an alternative: for a proxy that loads a policy,
//! and for lines that no token has.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::{
    analysis::{Prover, Ruled, Served, Universe},
    ast::Effect,
    blame::{self, Part, Settings},
    check::encoded_slash,
    diagnostic::{Code, Diagnostic},
    ir::{LineId, Matcher, Program, Rule, RuleId, UrlMatcher},
    source::Span,
    source_map::SourceMap,
};

/// The states that the questions about one line may visit.
const BUDGET: u64 = 50_000;

/// A forbid line that no request can match under a configuration, or that has such an alternative.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeadLine {
    /// The line.
    pub line: LineId,
    /// The file and the number of the line.
    pub place: String,
    /// Why no request can match it, in one sentence.
    pub reason: String,
    /// The tokens that own or include it.
    pub tokens: Vec<String>,
}

/// The forbid lines of a bound program that no request can match, or an alternative of which none can, in their order. Each line is judged by itself, within a
/// bounded number of steps; past them nothing is claimed.
#[must_use]
pub fn dead_here(program: &Program, universe: Universe, served: &Served) -> Vec<DeadLine> {
    let mut rules: BTreeMap<LineId, RuleId> = BTreeMap::new();
    for (_, token) in program.tokens() {
        for id in token.forbids.iter() {
            if let Some(rule) = program.rule(id).filter(|rule| rule.effect == Effect::Forbid) {
                rules.entry(rule.line).or_insert(id);
            }
        }
    }
    let judge = Judge::new(program, universe, served);
    let mut found: Vec<(LineId, DeadLine)> = rules
        .into_iter()
        .filter_map(|(line, id)| {
            let shown = program.line(line);
            let whole = Span {
                end: shown.text.len(),
                ..Span::nowhere()
            };
            let found = judge.dead_line(program, program.rule(id)?, whole)?;
            let dead = DeadLine {
                line,
                place: format!("{}:{}", shown.file, shown.number),
                reason: found.headline,
                tokens: Vec::new(),
            };
            Some((line, dead))
        })
        .collect();
    name_owners(program, &mut found);
    found.into_iter().map(|(_, dead)| dead).collect()
}

/// Names the tokens of dead lines. The tokens are walked once for all lines: their lines together may be millions.
fn name_owners(program: &Program, found: &mut [(LineId, DeadLine)]) {
    let places: HashMap<LineId, usize> = (0..)
        .zip(found.iter())
        .map(|(at, (line, _))| (*line, at))
        .collect();
    if places.is_empty() {
        return;
    }
    for (_, token) in program.tokens() {
        let forbids = token.forbids.iter().filter_map(|id| program.rule(id));
        for at in forbids.filter_map(|rule| places.get(&rule.line)) {
            let Some((_, dead)) = found.get_mut(*at) else {
                continue;
            };
            // A token may have a line several times.
            if dead.tokens.last() != Some(&token.name) {
                dead.tokens.push(token.name.clone());
            }
        }
    }
}

/// The findings about the forbid lines of a bound program that a configuration leaves without effect, or an alternative of
/// them, whether or not a token has the line. `known`: texts of lines that are known to have an effect.
#[must_use]
pub fn dead_of_all(
    program: &Program,
    source_map: &SourceMap,
    (universe, served): (Universe, &Served),
    known: &HashSet<&str>,
) -> Vec<Diagnostic> {
    let judge = Judge::new(program, universe, served);
    let forbids = program.rules.iter().filter(|rule| rule.effect == Effect::Forbid);
    forbids
        .filter(|rule| known.is_empty() || !known.contains(program.line(rule.line).text))
        .filter_map(|rule| judge.dead_line(program, rule, source_map.line(rule.line)?))
        .collect()
}

/// What lines are judged by.
struct Judge<'a> {
    settings: Settings<'a>,
    /// The paths that are served, as one matcher for all lines: `Some(None)` if all are, `None` if there is no such matcher.
    endpoints: Option<Option<Matcher>>,
}

impl<'a> Judge<'a> {
    fn new(program: &'a Program, universe: Universe, served: &'a Served) -> Self {
        Self {
            settings: Settings {
                universe,
                served,
                base: program.base(),
            },
            endpoints: served.matcher().ok(),
        }
    }

    /// The finding about a forbid line at a place, if the configuration leaves it, or an alternative of it, without effect.
    fn dead_line(&self, program: &Program, rule: &Rule, place: Span) -> Option<Diagnostic> {
        let (settings, text) = (self.settings, program.line(rule.line).text);
        if !settings.served.has_encoded_slash()
            && let Some(found) = encoded_slash(text, place)
        {
            return Some(found);
        }
        if let Some(part) = self.dead_part(program, rule) {
            return Some(blame::diagnostic(Code::DeadHere, (text, place), part, settings));
        }
        let mut prover = Prover::new(settings.universe, BUDGET.into()).ok()?;
        blame::dead_here(text, place, settings, &mut prover)
    }

    fn dead_part(&self, program: &Program, rule: &Rule) -> Option<Part> {
        let settings = self.settings;
        let (UrlMatcher::Below(url) | UrlMatcher::Bound(_, url)) = program.url(rule.url) else {
            return None;
        };
        let mut prover = Prover::new(settings.universe, BUDGET.into()).ok()?;
        let served = self.endpoints.as_ref()?;
        if let Some(served) = served
            && matches!(prover.has_path(&[url, served]), Ok(false))
        {
            let alive = !matches!(prover.has_path(&[url]), Ok(false));
            return Some(if alive { Part::Endpoints } else { Part::Url });
        }
        if matches!(prover.has_path(&[url]), Ok(false)) {
            return Some(Part::Url);
        }
        rule.constraints.as_ref()?;
        match prover.request(&[Ruled { program, rule }], &[]) {
            Ok(None) => Some(blame::part(program, rule, settings.universe)),
            _ => None,
        }
    }
}
