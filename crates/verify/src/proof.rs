//! Proofs that no request matches some rules and none of some others.
//!
//! A rule of the others whose constraints follow from those of the first matches wherever its URL does. So there is no request if
//! no path is matched by the URLs of the first and by no URL of such a rule.

use std::collections::HashSet;

use tokenward_compiler::{ast::Operator, ir::Matcher, method::Method};

use crate::format::{Checked, Literal, Proof, ensure};
use crate::pattern::patterns;
use crate::rule::{Ruled, Test};

/// Alternatives of literals: of one of them all hold.
type Entry = Vec<Vec<Literal>>;
/// Literals that no text satisfies together; whether of texts that begin with `/`.
pub(crate) type Closed = (bool, Vec<Literal>);

/// A constraint of a rule.
type Constraint<'r> = (Ruled<'r>, &'r Test<'r>);
/// Rules that a request matches; one that looks at its body, of which method and URL match; and rules of which it matches none.
pub(crate) type Rules<'r> = (&'r [Ruled<'r>], Option<Ruled<'r>>, &'r [Ruled<'r>]);

/// Combinations of alternatives that one contradiction may need.
const COMBINATIONS: usize = 4_096;

/// Refuses the proof unless it shows that there is no such request.
pub(crate) fn check(
    (must, reader, not): Rules<'_>,
    proof: &Proof,
    (closed, get_body): (&[Closed], bool),
) -> Checked {
    let url = |one: &Ruled<'_>, is| literals((one.side, true, one.rule.url.number()), one.path(), is);
    for method in Method::NAMED.into_iter().chain([Method::Other]) {
        let names = |ruled: &Ruled<'_>| ruled.rule.methods.contains(method);
        let bodiless = matches!(method, Method::Get | Method::Head) && !get_body;
        let needs_body = || reader.is_some() || must.iter().any(|ruled| ruled.needs_body());
        if !must.iter().chain(&reader).all(names) || bodiless && needs_body() {
            continue;
        }
        let case = proof.iter().find(|(methods, ..)| methods & (1 << method as u8) != 0);
        let (_, uses, cited) = case.ok_or("a proof leaves a method out")?;
        let cited: Option<Vec<&Closed>> = cited.iter().map(|at| closed.get(*at)).collect();
        let cited = cited.ok_or("a proof names no closed set")?;
        let mut entries: Vec<Entry> = must.iter().chain(&reader).map(|ruled| url(ruled, true)).collect();
        let mut is_same = false;
        for at in uses {
            let used = not.get(*at).filter(|ruled| names(ruled)).ok_or("a proof names no line")?;
            ensure(follows(must, *used, &cited), "a proof uses a line whose constraints may fail")?;
            is_same |= must.iter().chain(&reader).any(|one| self::is_same(one.path(), used.path()));
            entries.push(url(used, false));
        }
        ensure(is_same || no_text(true, entries, &cited), "a proof does not exclude all requests")?;
    }
    Ok(())
}

/// Whether the constraints of a rule hold in every request that all of `must` match.
fn follows(must: &[Ruled<'_>], other: Ruled<'_>, cited: &[&Closed]) -> bool {
    let own = |their: &Test<'_>| {
        must.iter().any(|one| one.tests().iter().any(|own| implies((*one, own), (other, their), cited)))
    };
    // `only` is in permit lines alone: no names but some of those that the other names too.
    let is_named = |name: &str| other.rule.params.iter().any(|test| *test.name == *name);
    let within = |one: &Ruled<'_>| one.rule.params.iter().all(|test| is_named(&test.name));
    let closes = |one: &Ruled<'_>| one.rule.params_only && within(one);
    let members = other.rule.members.iter().all(|path| {
        let has = |one: &Ruled<'_>| one.rule.members.contains(path);
        must.iter()
            .any(|one| has(one) && one.rule.paths().all(|own| other.rule.paths().any(|their| their == own)))
    });
    other.tests().iter().all(own) && members && (!other.rule.params_only || must.iter().any(closes))
}

/// Whether one constraint follows from another.
fn implies((one, own): Constraint<'_>, (other, their): Constraint<'_>, cited: &[&Closed]) -> bool {
    let (wants, their_wants) = (one.wants_match(own.1), other.wants_match(their.1));
    let meets = |op: Operator| !matches!(op, Operator::All | Operator::Within(_));
    let ranged = |op: Operator| matches!(op, Operator::Within(_) | Operator::WithinOrAbsent(_));
    let absence = match (one.forbids(), other.forbids()) {
        (false, false) => !their.1.needs_value() || own.1.needs_value(),
        // Whether absence meets a forbid line's constraint.
        (true, true) => (meets(their.1) || !meets(own.1)) && ranged(own.1) == ranged(their.1),
        (false, true) => own.1.needs_value(),
        (true, false) => false,
    };
    let alike = own.0 == their.0 && own.3 == their.3 && (own.0.is_ok() || wants == their_wants);
    let (mine, theirs) = (one.value(own.2), other.value(their.2));
    let entries = || {
        let own = literals((one.side, false, own.2.number()), mine, wants);
        vec![own, literals((other.side, false, their.2.number()), theirs, !their_wants)]
    };
    absence && alike && (wants == their_wants && is_same(mine, theirs) || no_text(false, entries(), cited))
}

/// Whether two matchers are built alike.
pub(crate) fn is_same(one: Option<&Matcher>, other: Option<&Matcher>) -> bool {
    match (one, other) {
        (Some(Matcher::Glob(one)), Some(Matcher::Glob(other))) => one == other,
        (Some(Matcher::Automaton(one)), Some(Matcher::Automaton(other))) => one.is(other),
        _ => matches!((patterns(one), patterns(other)), (Err(one), Err(other)) if one == other),
    }
}

/// When a text matches, or does not.
fn literals((side, is_url, id): (usize, bool, u32), matcher: Option<&Matcher>, is: bool) -> Entry {
    let parts = match patterns(matcher) {
        Err(same) if same == is => return vec![Vec::new()],
        Err(_) => return Vec::new(),
        Ok(parts) => (0..parts.len()).map(|part| (side, is_url, id, part, is)),
    };
    if is { parts.map(|part| vec![part]).collect() } else { vec![parts.collect()] }
}

/// Whether the closed sets that are cited show that no text has an alternative of each entry.
fn no_text(is_path: bool, entries: Vec<Entry>, cited: &[&Closed]) -> bool {
    let fitting = cited.iter().filter(|(rooted, _)| is_path || !rooted);
    let cited: Vec<&[Literal]> = fitting.map(|(_, of)| of.as_slice()).collect();
    let is_cited = |literal: &Literal| cited.iter().any(|closed| closed.contains(literal));
    let (mut literals, mut choices, mut combinations) = (HashSet::new(), Vec::new(), 1_usize);
    for entry in entries {
        match entry.as_slice() {
            [] => return true,
            [only] => literals.extend(only),
            _ if entry.iter().flatten().any(is_cited) => {
                combinations = combinations.saturating_mul(entry.len());
                choices.push(entry);
            }
            _ => {}
        }
    }
    combinations <= COMBINATIONS && all_refuted(&literals, &choices, &cited)
}

fn all_refuted(literals: &HashSet<Literal>, choices: &[Entry], cited: &[&[Literal]]) -> bool {
    let is_refuted = cited.iter().any(|closed| closed.iter().all(|literal| literals.contains(literal)));
    let each = |(choice, rest): (&Entry, &[Entry])| {
        choice.iter().all(|one| all_refuted(&literals.iter().chain(one).copied().collect(), rest, cited))
    };
    is_refuted || choices.split_first().is_some_and(each)
}
