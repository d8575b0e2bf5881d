//! TW0111: two tokens of one user that allow the same: one of them would do, or one is the other's copy with a line yet to
//! be changed.
//!
//! Tokens of different users may well be equal. Pairs are found, not tried: a token that is equal to another allows its
//! sample, so one of its lines has a literal that is part of the sample's path.

use std::collections::{BTreeSet, HashMap, HashSet};

use super::{grounds::Grounds, search::Search};
use crate::{
    analysis::{Accepted, Fault, Request, Ruled, literals, token_allows},
    ast::Effect,
    diagnostic::{Code, Diagnostic},
    ir::{Rule, RuleId, Token, TokenId, Users},
};

/// Steps that a pair of tokens counts for, for each request that is tried.
const STEPS_A_SAMPLE: usize = 100;

pub(super) fn check(
    search: &mut Search<'_>,
    reaches: &[(TokenId, Vec<Option<Request>>)],
) -> Result<(), Fault> {
    let mut of_users: HashMap<BTreeSet<&str>, Vec<usize>> = HashMap::new();
    for (at, (id, _)) in reaches.iter().enumerate() {
        let token = search.program.token(*id);
        if !token.revoked {
            of_users.entry(users(token)).or_default().push(at);
        }
    }
    let mut groups: Vec<Vec<usize>> = of_users.into_values().filter(|group| group.len() > 1).collect();
    groups.sort_unstable();
    for group in groups {
        let group = group.iter().filter_map(|at| reaches.get(*at));
        let mut compared = Compared::default();
        for (id, samples) in group {
            look(search, &mut compared, *id, samples)?;
        }
    }
    Ok(())
}

/// The names of a token's users; empty if the caller names the user.
fn users(token: &Token) -> BTreeSet<&str> {
    match &token.users {
        Users::Named(users) => users.iter().map(String::as_str).collect(),
        Users::Any => BTreeSet::new(),
    }
}

/// Tokens of one user that have been looked at, and differ.
#[derive(Default)]
struct Compared {
    by_form: HashMap<String, TokenId>,
    tokens: Vec<(TokenId, Vec<Request>)>,
    by_literal: HashMap<Vec<u8>, Vec<usize>>,
    /// The lengths of the literals.
    lengths: BTreeSet<usize>,
    /// Tokens whose literals do not distinguish them.
    others: Vec<usize>,
}

/// Compares a token with those that were compared before, and adds it to them if none is equal.
fn look(
    search: &mut Search<'_>,
    compared: &mut Compared,
    id: TokenId,
    samples: &[Option<Request>],
) -> Result<(), Fault> {
    let token = search.program.token(id);
    // Tokens with the same lines are equal without a proof.
    let form = form(search, token);
    if let Some(other) = compared.by_form.get(&form) {
        tell(search, id, *other);
        return Ok(());
    }
    // Candidates: tokens with a line that could match the rarest sample.
    let (literals, rarest) = literals_of(search, compared, id, samples);
    let allowed = samples
        .iter()
        .flatten()
        .filter(|sample| token_allows(search.program, id, sample));
    let allowed: Vec<Request> = allowed.cloned().collect();
    let candidates = match rarest {
        Some(sample) => compared.near(sample.path.as_bytes()),
        None => (0..compared.tokens.len()).collect(),
    };
    // A proof is tried only for tokens that allow each other's samples.
    for at in candidates {
        let Some((other, theirs)) = compared.tokens.get(at) else {
            continue;
        };
        // Past the budget no further token is compared, and one open question stands for all.
        let samples = allowed.len().min(1) + theirs.len().min(1) + 1;
        if !search.begins(samples * STEPS_A_SAMPLE) {
            break;
        }
        let same = allowed
            .iter()
            .all(|sample| token_allows(search.program, *other, sample))
            && theirs
                .iter()
                .all(|sample| token_allows(search.program, id, sample));
        if same && are_equal(search, id, *other)? {
            tell(search, id, *other);
            return Ok(());
        }
    }
    compared.by_form.insert(form, id);
    compared.put(id, allowed, literals, token.unrestricted);
    Ok(())
}

/// The literals of a token's lines, and the sample of the line whose literals the fewest other tokens have: only these can be
/// equal.
fn literals_of<'s>(
    search: &Search<'_>,
    compared: &Compared,
    id: TokenId,
    samples: &'s [Option<Request>],
) -> (BTreeSet<Vec<u8>>, Option<&'s Request>) {
    let mut all = BTreeSet::new();
    let mut rarest: Option<(usize, &Request)> = None;
    let token = search.program.token(id);
    let rules = token.permits.iter().filter_map(|rule| search.program.rule(rule));
    for (rule, sample) in rules.zip(samples) {
        let literals = literals(Ruled {
            program: search.program,
            rule,
        });
        let known = literals
            .iter()
            .filter_map(|literal| compared.by_literal.get(literal));
        let known = known.map(Vec::len).sum();
        all.extend(literals);
        if let Some(sample) = sample
            && rarest.is_none_or(|(least, _)| known < least)
            && token_allows(search.program, id, sample)
        {
            rarest = Some((known, sample));
        }
    }
    (all, rarest.map(|(_, sample)| sample))
}

fn are_equal(search: &mut Search<'_>, one: TokenId, other: TokenId) -> Result<bool, Fault> {
    if search.prover.is_spent() {
        search.found.inconclusive += 1;
        return Ok(false);
    }
    let (one, other) = (search.side(one), search.side(other));
    for (more, less) in [(one, other), (other, one)] {
        let beyond = search.prover.beyond(more, less, &Accepted::default())?;
        if !beyond.is_none() {
            search.found.inconclusive += usize::from(beyond.findings.is_empty());
            return Ok(false);
        }
    }
    Ok(true)
}

fn tell(search: &mut Search<'_>, id: TokenId, other: TokenId) {
    let (token, twin) = (search.program.token(id), search.program.token(other));
    let Some((span, twins)) = search.source_map.token(id).zip(search.source_map.token(other)) else {
        return;
    };
    let headline = format!("`{}` allows the same requests as `{}`", token.name, twin.name);
    let found = Diagnostic::new(Code::EqualReach, span, headline)
        .related(twins, "the other")
        .help("remove one of the tokens, or change the lines of the copy if they should differ");
    search.push_grounded(found, Grounds::Equal(id, other));
}

/// A key that is equal for tokens with the same lines, in any order unless one looks at the body: then a line before it can decide
/// without the body, which would otherwise be refused if it is ambiguous.
fn form(search: &Search<'_>, token: &Token) -> String {
    let of = |rule: &Rule| {
        let params = rule
            .params
            .iter()
            .map(|test| (&test.name, test.operator, test.value));
        let nodes = rule
            .nodes
            .iter()
            .map(|test| (&test.path, test.kinds, test.operator, test.value));
        format!(
            "{:?} {:?} {:?} {:?} {} {:?} {:?}\n",
            rule.effect,
            rule.methods,
            rule.url,
            params.collect::<Vec<_>>(),
            rule.params_only,
            nodes.collect::<Vec<_>>(),
            rule.members,
        )
    };
    let forms = |rules: &mut dyn Iterator<Item = RuleId>| -> Vec<String> {
        let known = rules.filter_map(|id| search.program.rule(id));
        known.map(of).collect()
    };
    let rules = |effect| token.rules(effect).iter();
    let mut permits = forms(&mut rules(Effect::Permit));
    let program = search.program;
    let mut known = rules(Effect::Permit).filter_map(|id| program.rule(id));
    if known.any(|rule| Ruled { program, rule }.reads_body()) {
        let mut seen = HashSet::new();
        permits.retain(|form| seen.insert(form.clone()));
    } else {
        permits.sort_unstable();
        permits.dedup();
    }
    let mut forbids = forms(&mut rules(Effect::Forbid));
    forbids.sort_unstable();
    forbids.dedup();
    format!("{}\n{}{}", token.unrestricted, forbids.concat(), permits.concat())
}

impl Compared {
    fn put(&mut self, id: TokenId, allowed: Vec<Request>, literals: BTreeSet<Vec<u8>>, unrestricted: bool) {
        let at = self.tokens.len();
        self.tokens.push((id, allowed));
        if unrestricted || literals.is_empty() || literals.iter().any(Vec::is_empty) {
            self.others.push(at);
            return;
        }
        for literal in literals {
            self.lengths.insert(literal.len());
            self.by_literal.entry(literal).or_default().push(at);
        }
    }

    /// The tokens that may allow a path.
    fn near(&self, path: &[u8]) -> BTreeSet<usize> {
        let parts = self.lengths.iter().flat_map(|length| path.windows(*length));
        let by_literal = parts.filter_map(|part| self.by_literal.get(part)).flatten();
        by_literal.chain(&self.others).copied().collect()
    }
}
