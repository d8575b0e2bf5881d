//! Proofs that no request matches some rules and none of some others.
//!
//! A rule of the others whose constraints follow from those of the first matches wherever its URL does. So there is no request if
//! no path is matched by the URLs of the first and by no URL of such a rule.

use std::collections::HashSet;

use tokenward_compiler::ir::{Matcher, ValueTest};
use tokenward_compiler::{ast::Operator, method::Method};

use crate::format::{Checked, Literal, Proof, Work, ensure};
use crate::rule::Ruled;

/// Alternatives of literals: of one of them all hold.
type Entry = Vec<Vec<Literal>>;
/// Literals that no text satisfies together; whether of texts that begin with `/`.
pub(crate) type Closed = (bool, Vec<Literal>);

/// A constraint of a rule.
type Test<'r> = (Ruled<'r>, &'r ValueTest<'r>);
/// Rules that a request matches; a rule that looks at its body, whose method and URL match; and rules that do not match it.
pub(crate) type Rules<'r> = (&'r [Ruled<'r>], Option<Ruled<'r>>, &'r [Ruled<'r>]);

/// The closed sets that a proof cites, and the steps that are left.
type Cited<'c> = (&'c [&'c Closed], &'c Work);

/// Combinations of alternatives that one contradiction may need.
const COMBINATIONS: usize = 4_096;

/// Refuses the proof unless it shows that no request is as the rules say.
pub(crate) fn check(
    (must, reader, not): Rules<'_>,
    proof: &Proof,
    (closed, work): (&[Closed], &Work),
) -> Checked {
    let with_url = || must.iter().chain(&reader);
    let url = |one: &Ruled<'_>, is| literals((one.side, true, one.rule.url.number()), one.path(), is);
    let ascend = |all: &[usize]| all.windows(2).all(|pair| pair.is_sorted_by(|one, other| one < other));
    for method in Method::NAMED.into_iter().chain([Method::Other]) {
        let names = |ruled: &Ruled<'_>| ruled.rule.methods.contains(method);
        work.take(must.len())?;
        if !with_url().all(names) {
            continue;
        }
        let case = proof.iter().find(|(methods, ..)| methods & (1 << method as u8) != 0);
        let (_, uses, cited) = case.ok_or("a proof leaves a method out")?;
        ensure(ascend(uses) && ascend(cited), "a proof names something twice, or not in order")?;
        let cited: Option<Vec<&Closed>> = cited.iter().map(|at| closed.get(*at)).collect();
        let cited = cited.ok_or("a proof names no closed set")?;
        work.take(cited.iter().map(|(_, of)| of.len()).sum())?;
        let mut entries: Vec<Entry> = with_url().map(|ruled| url(ruled, true)).collect();
        let mut is_same = false;
        for at in uses {
            let used = not.get(*at).filter(|ruled| names(ruled)).ok_or("a proof names no line")?;
            ensure(follows(must, *used, (&cited, work))?, "a proof uses a line whose constraints may fail")?;
            is_same = is_same || with_url().any(|one| one.path().is(used.path()));
            entries.push(url(used, false));
        }
        let excluded = is_same || no_text(true, entries, (&cited, work))?;
        ensure(excluded, "a proof does not exclude all requests")?;
    }
    Ok(())
}

/// Whether the constraints of a rule hold in every request that all of `must` match.
fn follows(must: &[Ruled<'_>], other: Ruled<'_>, cited: Cited<'_>) -> Result<bool, String> {
    // `only` is in permit lines alone: no names but some of those that the other names too.
    let is_named = |name: &str| other.rule.params.iter().any(|test| *test.name == *name);
    let within = |one: &Ruled<'_>| one.rule.params.iter().all(|test| is_named(&test.name));
    let closes = |one: &Ruled<'_>| one.rule.params_only && within(one);
    let members = other.rule.members.iter().all(|path| {
        let has = |one: &Ruled<'_>| one.rule.members.contains(path);
        must.iter()
            .any(|one| has(one) && one.rule.paths().all(|own| other.rule.paths().any(|their| their == own)))
    });
    if !members || other.rule.params_only && !must.iter().any(closes) {
        return Ok(false);
    }
    let owns: Vec<_> =
        must.iter().flat_map(|one| one.rule.value_tests().into_iter().map(|own| (*one, own))).collect();
    for their in other.rule.value_tests() {
        cited.1.take(owns.len())?;
        let mut found = false;
        for (one, own) in &owns {
            found = found || implies((*one, own), (other, &their), cited)?;
        }
        if !found {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether one constraint follows from another.
fn implies((one, own): Test<'_>, (other, their): Test<'_>, cited: Cited<'_>) -> Result<bool, String> {
    let (wants, their_wants) = (one.wants_match(own.1), other.wants_match(their.1));
    let meets = |op: Operator| !matches!(op, Operator::All | Operator::Within(_));
    let ranged = |op: Operator| matches!(op, Operator::Within(_) | Operator::WithinOrAbsent(_));
    let absence = match (one.rule.forbids(), other.rule.forbids()) {
        (false, false) => !their.1.needs_value() || own.1.needs_value(),
        // Whether absence meets a forbid line's constraint.
        (true, true) => (meets(their.1) || !meets(own.1)) && ranged(own.1) == ranged(their.1),
        (false, true) => own.1.needs_value(),
        (true, false) => false,
    };
    let alike = own.0 == their.0 && own.3 == their.3 && (own.0.is_ok() || wants == their_wants);
    let (mine, theirs) = (one.value(own.2), other.value(their.2));
    if !absence || !alike || wants == their_wants && mine.is(theirs) {
        return Ok(absence && alike);
    }
    let own = literals((one.side, false, own.2.number()), mine, wants);
    let their = literals((other.side, false, their.2.number()), theirs, !their_wants);
    no_text(false, vec![own, their], cited)
}

/// When a text matches, or does not.
fn literals((side, is_url, id): (usize, bool, u32), matcher: &Matcher, is: bool) -> Entry {
    let parts = match matcher.patterns() {
        Err(same) if same == is => return vec![Vec::new()],
        Err(_) => return Vec::new(),
        Ok(parts) => (0..parts).map(|part| (side, is_url, id, part, is)),
    };
    if is { parts.map(|part| vec![part]).collect() } else { vec![parts.collect()] }
}

/// Whether the closed sets that are cited show that no text has an alternative of each entry.
fn no_text(is_path: bool, entries: Vec<Entry>, (cited, work): Cited<'_>) -> Result<bool, String> {
    let fitting = cited.iter().filter(|(rooted, _)| is_path || !rooted);
    let cited: Vec<&[Literal]> = fitting.map(|(_, of)| of.as_slice()).collect();
    work.take(cited.iter().map(|of| of.len()).sum())?;
    let all_cited: HashSet<&Literal> = cited.iter().copied().flatten().collect();
    let (mut literals, mut choices, mut combinations) = (HashSet::new(), Vec::new(), 1_usize);
    for entry in entries {
        work.take(entry.iter().map(Vec::len).sum())?;
        match entry.as_slice() {
            [] => return Ok(true),
            [only] => literals.extend(only),
            _ if entry.iter().flatten().any(|literal| all_cited.contains(literal)) => {
                combinations = combinations.saturating_mul(entry.len());
                choices.push(entry);
            }
            _ => {}
        }
    }
    Ok(combinations <= COMBINATIONS && all_refuted(&literals, &choices, (&cited, work))?)
}

fn all_refuted(
    literals: &HashSet<Literal>,
    choices: &[Entry],
    (cited, work): (&[&[Literal]], &Work),
) -> Result<bool, String> {
    for closed in cited {
        work.take(0)?;
        if closed.iter().all(|literal| literals.contains(literal)) {
            return Ok(true);
        }
    }
    let Some((choice, rest)) = choices.split_first() else { return Ok(false) };
    for one in choice {
        work.take(literals.len() + one.len())?;
        let more = literals.iter().chain(one).copied().collect();
        if !all_refuted(&more, rest, (cited, work))? {
            return Ok(false);
        }
    }
    Ok(true)
}
