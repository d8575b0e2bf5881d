//! TW0111: two tokens of one user that allow the same: one of them would do, or one is the other's copy with a line yet to
//! be changed.
//!
//! Tokens of different users may well be equal. Pairs are found, not tried: a token that is equal to another allows its
//! sample, so one of its lines has a literal that is part of the sample's path.

use std::collections::{BTreeSet, HashMap};

use super::{Desk, Fault};
use crate::{
    analysis::{Accepted, Request, literal, token_allows},
    diagnostic::{Code, Diagnostic},
    ir::{Rule, Token, TokenId, Users},
};

/// A token is held against at most so many others of its user.
const CANDIDATES: usize = 256;

pub(super) fn check(desk: &mut Desk<'_>, reaches: &[(TokenId, Vec<Option<Request>>)]) -> Result<(), Fault> {
    let mut of_users: HashMap<BTreeSet<&str>, Vec<usize>> = HashMap::new();
    for (at, (id, _)) in reaches.iter().enumerate() {
        let token = desk.program.token(*id);
        if !token.revoked {
            of_users.entry(users(token)).or_default().push(at);
        }
    }
    let mut groups: Vec<Vec<usize>> = of_users.into_values().filter(|group| group.len() > 1).collect();
    groups.sort_unstable();
    for group in groups {
        let group = group.iter().filter_map(|at| reaches.get(*at));
        let mut shelf = Shelf::default();
        for (id, samples) in group {
            look(desk, &mut shelf, *id, samples)?;
        }
    }
    Ok(())
}

/// The names of a token's users; none for whoever the caller says.
fn users(token: &Token) -> BTreeSet<&str> {
    match &token.users {
        Users::Named(users) => users.iter().map(String::as_str).collect(),
        Users::Any => BTreeSet::new(),
    }
}

/// Tokens of one user that have been looked at, and differ.
#[derive(Default)]
struct Shelf {
    by_form: HashMap<String, TokenId>,
    tokens: Vec<(TokenId, Vec<Request>)>,
    by_literal: HashMap<Vec<u8>, Vec<usize>>,
    /// The lengths of the literals.
    lengths: BTreeSet<usize>,
    /// Tokens of which the literals do not tell.
    others: Vec<usize>,
}

fn look(
    desk: &mut Desk<'_>,
    shelf: &mut Shelf,
    id: TokenId,
    samples: &[Option<Request>],
) -> Result<(), Fault> {
    let token = desk.program.token(id);
    let form = form(desk, token);
    if let Some(other) = shelf.by_form.get(&form) {
        tell(desk, id, *other);
        return Ok(());
    }
    let mut literals = BTreeSet::new();
    let mut rarest: Option<(usize, &Request)> = None;
    let rules = token.permits.iter().filter_map(|rule| desk.program.rule(rule));
    for (rule, sample) in rules.zip(samples) {
        let literal = literal(desk.program, rule);
        let known = shelf.by_literal.get(&literal).map_or(0, Vec::len);
        literals.insert(literal);
        if let Some(sample) = sample
            && rarest.is_none_or(|(least, _)| known < least)
            && token_allows(desk.program, id, sample)
        {
            rarest = Some((known, sample));
        }
    }
    let allowed = samples
        .iter()
        .flatten()
        .filter(|sample| token_allows(desk.program, id, sample));
    let allowed: Vec<Request> = allowed.cloned().collect();
    let candidates = match rarest {
        Some((_, sample)) => shelf.near(sample.path.as_bytes()),
        None => (0..shelf.tokens.len()).collect(),
    };
    if candidates.len() > CANDIDATES {
        desk.found.inconclusive += 1;
    }
    for at in candidates.into_iter().take(CANDIDATES) {
        let Some((other, theirs)) = shelf.tokens.get(at) else {
            continue;
        };
        let same = allowed
            .iter()
            .all(|sample| token_allows(desk.program, *other, sample))
            && theirs.iter().all(|sample| token_allows(desk.program, id, sample));
        if same && are_equal(desk, id, *other)? {
            tell(desk, id, *other);
            return Ok(());
        }
    }
    shelf.by_form.insert(form, id);
    shelf.put(id, allowed, literals, token.unrestricted);
    Ok(())
}

fn are_equal(desk: &mut Desk<'_>, one: TokenId, other: TokenId) -> Result<bool, Fault> {
    if desk.prover.visited() > desk.limit {
        desk.found.inconclusive += 1;
        return Ok(false);
    }
    let (one, other) = (desk.side(one), desk.side(other));
    for (more, less) in [(one, other), (other, one)] {
        let beyond = desk.prover.beyond(more, less, &Accepted::default())?;
        if !beyond.is_none() {
            desk.found.inconclusive += usize::from(beyond.findings.is_empty());
            return Ok(false);
        }
    }
    Ok(true)
}

fn tell(desk: &mut Desk<'_>, id: TokenId, other: TokenId) {
    let (token, twin) = (desk.program.token(id), desk.program.token(other));
    let Some((span, twins)) = desk.written.token(id).zip(desk.written.token(other)) else {
        return;
    };
    let headline = format!("`{}` allows the same as `{}`", token.name, twin.name);
    desk.push(
        Diagnostic::new(Code::EqualReach, span, headline)
            .related(twins, "the other")
            .help("one token would do; or was a line of the copy to be changed?"),
    );
}

/// Equal for tokens whose lines were made alike, in whatever order.
fn form(desk: &Desk<'_>, token: &Token) -> String {
    let of = |rule: &Rule| {
        let params = rule
            .params
            .iter()
            .map(|test| (&test.name, test.operator, test.value));
        let nodes = rule
            .nodes
            .iter()
            .map(|test| (&test.path, test.kind, test.operator, test.value));
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
    let rules = token.forbids.iter().chain(token.permits.iter());
    let forms: BTreeSet<String> = rules.filter_map(|id| desk.program.rule(id)).map(of).collect();
    format!(
        "{}\n{}",
        token.unrestricted,
        forms.into_iter().collect::<String>()
    )
}

impl Shelf {
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
