//! Proofs that no request matches some rules and none of some others.
//!
//! A rule of the others whose constraints follow from those of the first matches wherever its URL does. So there is no request if
//! no path is matched by the URLs of the first and by no URL of such a rule.

use std::collections::HashSet;

use tokenward_compiler::ir::{Matcher, ValueTest};
use tokenward_compiler::{ast::Operator, method::Method};

use crate::format::{Checked, Literal, Proof, Work, ensure, ensure_ascending};
use crate::rule::Ruled;

/// Alternatives of literals: of one of them all hold.
type Entry = Vec<Vec<Literal>>;
/// Literals that no text satisfies together; whether of texts that begin with `/`.
pub(crate) type Closed = (bool, Vec<Literal>);

/// A constraint of a rule.
type Test<'r> = (Ruled<'r>, ValueTest<'r>);
/// Rules that a request matches; a rule that looks at its body, whose method and URL match; and rules that do not match it.
pub(crate) type Rules<'r> = (&'r [Ruled<'r>], Option<Ruled<'r>>, &'r [Ruled<'r>]);

/// All closed sets, or those that a proof cites; and the steps that are left.
type Sets<'c> = (&'c [Closed], &'c Work);
type Cited<'c> = (&'c [&'c Closed], &'c Work);

/// Refuses the proof unless it shows that no request is as the rules say. `bodies`: GET and HEAD count with a body too.
pub(crate) fn check((must, reader, not): Rules<'_>, bodies: bool, proof: &Proof, sets: Sets<'_>) -> Checked {
    let (closed, work) = sets;
    let tests: usize = must.iter().map(|one| one.rule.value_tests().len() + one.rule.members.len()).sum();
    let excluded = |of: &Ruled<'_>| must.iter().any(|one| one.excludes(*of));
    if proof.is_empty() && work.take(tests * tests).map(|()| must.iter().any(excluded))? {
        return Ok(());
    }
    let with_url = || must.iter().chain(&reader);
    let url = |one: &Ruled<'_>, is| literals((one.side, true, one.rule.url.number()), one.path(), is);
    for method in Method::NAMED.into_iter().chain([Method::Other]) {
        let bodiless = !bodies && matches!(method, Method::Get | Method::Head);
        let may_match = |of: &Ruled<'_>| of.rule.methods.contains(method) && !(bodiless && of.needs_body());
        work.take(must.len())?;
        if bodiless && reader.is_some() || !with_url().all(may_match) {
            continue;
        }
        let case = proof.iter().find(|(methods, ..)| methods & (1 << method as u8) != 0);
        let (_, uses, sets) = case.ok_or("a proof leaves a method out")?;
        ensure_ascending(uses).and(ensure_ascending(sets))?;
        let cited: Option<Vec<&Closed>> = sets.iter().map(|at| closed.get(*at)).collect();
        let cited: Cited<'_> = (&cited.ok_or("a proof names no closed set")?, work);
        let mut entries: Vec<Entry> = with_url().map(|ruled| url(ruled, true)).collect();
        let mut is_same = false;
        for at in uses {
            let used = not.get(*at).filter(|ruled| may_match(ruled)).ok_or("a proof names no line")?;
            follows(must, *used, bodiless, cited)?;
            is_same = is_same || with_url().any(|one| one.path().is(used.path()));
            entries.push(url(used, false));
        }
        if !is_same {
            no_text(true, entries, cited)?;
        }
    }
    Ok(())
}

/// Refuses a rule whose constraints may fail in a request that all of `must` match. `bodiless`: it has no body, and they do not need
/// one.
fn follows(must: &[Ruled<'_>], other: Ruled<'_>, bodiless: bool, cited: Cited<'_>) -> Checked {
    // `only` is in permit lines alone: no names but some of those that the other names too.
    let is_named = |name: &str| other.rule.params.iter().any(|test| *test.name == *name);
    let closes =
        |one: &Ruled<'_>| one.rule.params_only && one.rule.params.iter().all(|test| is_named(&test.name));
    // Likewise for the members of an object.
    let within = |one: &Ruled<'_>| one.rule.paths().all(|own| other.rule.paths().any(|their| their == own));
    let mut members = other.rule.members.iter().filter(|_| !bodiless);
    let closed = members.all(|path| must.iter().any(|one| one.rule.members.contains(path) && within(one)))
        && (!other.rule.params_only || must.iter().any(closes));
    ensure(closed, "a proof uses a line with an `only` that may fail")?;
    let own = must.iter().flat_map(|one| one.rule.value_tests().into_iter().map(|own| (*one, own)));
    let own: Vec<Test<'_>> = own.collect();
    for their in other.rule.value_tests().into_iter().filter(|their| their.0.is_ok() || !bodiless) {
        cited.1.take(own.len())?;
        let implied = own.iter().any(|own| implies(*own, (other, their), cited).is_ok());
        ensure(implied, "a proof uses a line whose constraints may fail")?;
    }
    Ok(())
}

/// Refuses a constraint that may fail where another one holds.
fn implies((one, own): Test<'_>, (other, their): Test<'_>, cited: Cited<'_>) -> Checked {
    let (wants, their_wants) = (one.wants_match(own.1), other.wants_match(their.1));
    let ranged = |op: Operator| matches!(op, Operator::Within(_) | Operator::WithinOrAbsent(_));
    let absence = match (one.rule.forbids(), other.rule.forbids()) {
        (false, false) => own.1.needs_value() >= their.1.needs_value(),
        // Whether absence meets a forbid line's constraint.
        (true, true) => own.1.needs_value() >= their.1.needs_value() && ranged(own.1) == ranged(their.1),
        (false, true) => own.1.needs_value(),
        (true, false) => false,
    };
    let alike = own.0 == their.0 && own.3 == their.3 && (own.0.is_ok() || wants == their_wants);
    ensure(absence && alike, "another constraint")?;
    let (mine, theirs) = (one.value(own.2), other.value(their.2));
    if wants == their_wants && mine.is(theirs) {
        return Ok(());
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

/// Refuses entries of which a text may have an alternative each, as far as the closed sets that are cited show.
fn no_text(is_path: bool, mut entries: Vec<Entry>, (cited, work): Cited<'_>) -> Checked {
    let cited: Vec<&Closed> = cited.iter().copied().filter(|(rooted, _)| is_path || !rooted).collect();
    let parts = entries.iter().flatten().chain(cited.iter().map(|(_, of)| of)).map(Vec::len);
    work.take(entries.len() + parts.sum::<usize>())?;
    if entries.iter().any(Vec::is_empty) {
        return Ok(());
    }
    // Choices that no set is about do not matter.
    let named: HashSet<&Literal> = cited.iter().flat_map(|(_, of)| of).collect();
    entries.retain(|all| all.len() == 1 || all.iter().flatten().any(|literal| named.contains(literal)));
    let (sure, choices): (Vec<Entry>, Vec<Entry>) = entries.into_iter().partition(|all| all.len() == 1);
    let sure = sure.into_iter().flatten().flatten().collect();
    ensure(refuted(&sure, &choices, (&cited, work))?, "a proof does not exclude all requests")
}

/// Whether no text satisfies the literals, and an alternative of each choice.
fn refuted(literals: &HashSet<Literal>, choices: &[Entry], cited: Cited<'_>) -> Result<bool, String> {
    cited.1.take(literals.len() + cited.0.iter().map(|(_, of)| of.len()).sum::<usize>())?;
    if cited.0.iter().any(|(_, closed)| closed.iter().all(|literal| literals.contains(literal))) {
        return Ok(true);
    }
    let Some((choice, rest)) = choices.split_first() else { return Ok(false) };
    for one in choice {
        let more = literals.iter().chain(one).copied().collect();
        if !refuted(&more, rest, cited)? {
            return Ok(false);
        }
    }
    Ok(true)
}
