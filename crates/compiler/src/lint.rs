//! Lints: lines and tokens that say what their authors hardly mean, each with a request that proves it. One lint a file.
//!
//! A lint suspects a line by its text. A suspicion becomes a finding only by a proof: a request that the token allows, by
//! [`crate::decide`] itself, and that a narrower spelling of the line does not match; or, for a part without effect, that no
//! request matches it. Most requests are spelt from the line's form and tried; the others are searched within a budget. A
//! question that the budget leaves open is no finding, and is counted.

mod allows_all;
mod any_text;
mod any_user;
mod array_without_star;
mod avoidable_forbid;
mod bodiless_method;
mod branches;
mod dead_alternative;
mod escaped_forbid;
mod excepted;
mod exceptions;
mod expired;
mod line;
mod missing_boundary;
mod no_methods;
mod open_value;
mod proof;
mod question;
mod reserved;
mod set;
mod shown;
mod suspect;
mod top_alternation;
mod unanchored;
mod unescaped_dot;
mod variants;

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
};

pub use self::{
    excepted::can_be_excepted,
    exceptions::{DirectoryException, Exceptions, Judged},
    question::{Lints, Policy, Settings},
    set::LintSet,
};
use self::{
    line::Line,
    proof::{Proofs, Proved},
    suspect::Suspect,
    variants::Variants,
};
use crate::{
    analysis::{Budget, Fault, Served, Universe},
    ast::Effect,
    diagnostic::{Code, Diagnostic, sort},
    findings::{Grounded, Grounds},
    ir::{LineId, RuleId, Token, TokenId},
    tokens,
};

/// Runs the lints of a set on a bound program. `known`: earlier findings, to which requests are added and that are not repeated.
///
/// # Errors
/// A [`Fault`].
pub fn find(
    policy: Policy<'_>,
    settings: Settings,
    known: &mut [Diagnostic],
    (universe, served, budget): (Universe, &Served, &Budget),
) -> Result<Lints, Fault> {
    let mut lints = Lints::default();
    if settings.set == LintSet::None {
        return Ok(lints);
    }
    of_keys(policy, settings, &mut lints.diagnostics);
    // First what the texts suggest, with all lines that the proofs will need: they are compiled together.
    let dead = dead_lines(known);
    let (suspected, too_long) = suspects(policy, settings.set, served, &dead);
    lints.open = too_long;
    let mut needed = Variants::default();
    let served_line = suspect::served_line(served, &mut needed);
    for suspect in suspected.iter().flat_map(|(_, _, suspects)| suspects.iter()) {
        suspect.need(&mut needed);
    }
    let avoidable = avoidable_forbid::Candidates::new(policy, settings.set, &mut needed);
    let Some(compiled) = needed.compile(policy.program) else {
        // One of the other spellings is too large, so nothing was looked at.
        lints.open += suspected.len().max(1);
        return Ok(lints);
    };
    // Then the proofs.
    let mut proofs = Proofs::new(policy.program, &compiled, served_line, (universe, served, budget))?;
    let mut done: HashSet<(LineId, Code)> = HashSet::new();
    let mut current = None;
    for (token, rule, suspects) in &suspected {
        if current != Some(*token) {
            proofs.begin_token();
            current = Some(*token);
        }
        for suspect in suspects.iter() {
            let Some(line) = policy.program.rule(*rule).map(|rule| rule.line) else {
                continue;
            };
            if done.contains(&(line, suspect.code)) || is_moot(suspect.code, line, &done) {
                continue;
            }
            match proofs.prove((*token, *rule), &suspect.claim) {
                Proved::Yes(request) => {
                    done.insert((line, suspect.code));
                    let mend = suspect.mend.as_ref();
                    let is_right = mend.is_none_or(|mend| proofs.gives_nothing(mend));
                    let whose = (policy.program, policy.program.token(*token));
                    let found = suspect.diagnostic(whose, request.as_deref(), is_right);
                    if let Some(request) = request {
                        let grounds = Grounds::Allows(*token, request);
                        lints.grounds.push(Grounded::new(&found, grounds));
                    }
                    lints.diagnostics.push(found);
                }
                Proved::No => {}
                Proved::Open => lints.open += 1,
            }
        }
    }
    avoidable.find(policy, &mut proofs, &mut lints);
    if let Some(reserved) = policy.reserved.filter(|_| settings.set >= LintSet::Auditor) {
        reserved::find(policy, reserved, &mut proofs, &mut lints);
    }
    escaped_forbid::find(policy, &proofs, known);
    lints.allowed = policy.source_map.allow(&mut lints.diagnostics);
    sort(&mut lints.diagnostics);
    Ok(lints)
}

/// A line that allows everything has no methods, too; one finding says enough.
fn is_moot(code: Code, line: LineId, done: &HashSet<(LineId, Code)>) -> bool {
    let all = [Code::NoMethods, Code::Unanchored];
    all.contains(&code) && done.contains(&(line, Code::AllowsAll))
}

/// The lints that look at the keys of tokens.
fn of_keys(policy: Policy<'_>, settings: Settings, found: &mut Vec<Diagnostic>) {
    for token in tokens::read_all(policy.sources, &mut Vec::new()) {
        if token.revoked {
            continue;
        }
        expired::check(&token, settings, found);
        if settings.set >= LintSet::Pedantic {
            any_user::check(&token, found);
        }
    }
}

/// The places of lines that no request matches: nothing else is said about them.
fn dead_lines(known: &[Diagnostic]) -> Vec<crate::source::Span> {
    let dead = known.iter().filter(|found| {
        matches!(
            found.code,
            Code::EmptyLine | Code::NeverMatches | Code::DeadHere | Code::TakenBack
        )
    });
    let mut places: Vec<_> = dead.map(|found| found.primary.span).collect();
    places.sort_unstable();
    places
}

/// A rule of a token, and what its text suggests.
type Suspected = (TokenId, RuleId, Rc<Vec<Suspect>>);

/// Longer lines are not looked at, since the time for a line grows with its square. They are counted as open questions: otherwise
/// padding would hide a line from all lints.
const LONGEST: usize = 4_096;

/// A line of a set is tried with so many of the tokens that include it: some may forbid what others allow.
const TRIES: usize = 100;

/// The suspects, and the number of lines that are too long to look at.
fn suspects(
    policy: Policy<'_>,
    set: LintSet,
    served: &Served,
    dead: &[crate::source::Span],
) -> (Vec<Suspected>, usize) {
    let (program, mut all) = (policy.program, Vec::new());
    let mut too_long: HashSet<LineId> = HashSet::new();
    // The suspects of a line of a set are found once, and tried with some of the tokens that include it.
    let mut of_line: HashMap<LineId, (Rc<Vec<Suspect>>, usize)> = HashMap::new();
    for (id, token) in program.tokens().filter(|(_, token)| !token.revoked) {
        let rules = token.rules(Effect::Permit).iter();
        for rule_id in rules.chain(token.rules(Effect::Forbid).iter()) {
            let Some(rule) = program.rule(rule_id) else {
                continue;
            };
            let Some(span) = policy.source_map.line(rule.line) else {
                continue;
            };
            let text = program.line(rule.line).text;
            if !may_be_suspect(text) || is_within(dead, span) {
                continue;
            }
            if text.len() > LONGEST {
                too_long.insert(rule.line);
                continue;
            }
            let (known, tries) = of_line.entry(rule.line).or_default();
            *tries += 1;
            if *tries > TRIES {
                continue;
            }
            if *tries == 1 || text.contains("{USER}") {
                *known = Rc::new(of_text(text, span, token, set, served));
            }
            let suspects = Rc::clone(known);
            if !suspects.is_empty() {
                all.push((id, rule_id, suspects));
            }
        }
    }
    (all, too_long.len())
}

/// Whether some finding is placed within a line; `places` are sorted.
fn is_within(places: &[crate::source::Span], line: crate::source::Span) -> bool {
    let from = places.partition_point(|place| *place < crate::source::Span { end: 0, ..line });
    places
        .get(from)
        .is_some_and(|place| place.source == line.source && place.end <= line.end)
}

/// Whether a text has anything that some lint looks for; parsing takes longer.
fn may_be_suspect(text: &str) -> bool {
    if text.starts_with('!') {
        return text.contains("JsonData");
    }
    let has_dot = || {
        let mut pairs = text.as_bytes().windows(2);
        pairs.any(|pair| matches!(pair, [before, b'.'] if *before != b'\\'))
    };
    !text.starts_with('[') || text.contains('|') || text.contains("JsonData") || has_dot()
}

fn of_text(
    text: &str,
    span: crate::source::Span,
    token: &Token,
    set: LintSet,
    served: &Served,
) -> Vec<Suspect> {
    let Some(line) = Line::parse(text, span, token) else {
        return Vec::new();
    };
    let mut found = Vec::new();
    bodiless_method::check(&line, &mut found);
    if line.effect() == Effect::Forbid {
        return found;
    }
    // What makes others moot comes first.
    allows_all::check(&line, served, &mut found);
    unanchored::check(&line, &mut found);
    missing_boundary::check(&line, &mut found);
    unescaped_dot::check(&line, &mut found);
    open_value::check(&line, &mut found);
    no_methods::check(&line, &mut found);
    dead_alternative::check(&line, &mut found);
    if set >= LintSet::Pedantic {
        top_alternation::check(&line, &mut found);
        array_without_star::check(&line, &mut found);
    }
    found
}
