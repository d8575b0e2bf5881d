//! Checks the invariants of the old side: whether the new side still has them, and whether its tokens satisfy them.

use std::collections::{BTreeSet, HashMap, HashSet};

use sha2::{Digest, Sha256};
use tokenward_compiler::analysis::Budget;
use tokenward_compiler::diagnostic::{Code, Severity};
use tokenward_compiler::invariants::{Broken, Invariants};
use tokenward_compiler::ir::TokenId;
use tokenward_compiler::source::{SourceSet, Span};
use tokenward_compiler::tokens::{InvariantDef, InvariantKind};

use super::change::Change;
use super::lines::{Bound, curl};
use super::pairing::Pair;
use crate::side::Side;
use crate::{FaultyInvariants, Unanswered};

/// How a token breaks an invariant of the old side.
pub struct Breach {
    /// The token that breaks the invariant.
    pub token: TokenId,
    /// The change to report: the key `invariant`, with the invariant's name as its new value.
    pub change: Change,
    /// The request that shows it.
    pub found: Broken,
    /// A shell command that sends the request.
    pub curl: String,
}

/// An invariant that the new side lacks.
pub struct Lost {
    /// The change to report, with the invariant's name as its key.
    pub change: Change,
    /// Where it is on the old side.
    pub was: Span,
    /// The new side's invariant of the name, if there is one.
    pub place: Option<Span>,
}

/// Result of checking the old side's invariants.
#[derive(Default)]
pub(crate) struct Kept {
    pub lost: Vec<Lost>,
    pub breaches: Vec<Breach>,
    /// Tokens that an invariant of both sides selected and selects no more, as changes of the key `invariant`.
    pub freed: Vec<(TokenId, Change)>,
}

impl Kept {
    pub(super) fn new(
        (old, new): (&Side, &Side),
        bound: &Bound,
        pairs: &[Pair],
        budget: &Budget,
    ) -> Result<Self, Unanswered> {
        // Read the demands of both sides.
        let Some(before) = read(old, old)? else {
            return Ok(Self::default());
        };
        let after = read(new, new)?;
        let now: &[InvariantDef] = after.as_ref().map_or(&[], Invariants::definitions);
        let demands: HashSet<Demand<'_>> = now.iter().map(|it| Demand::of(it, &new.sources)).collect();
        // Report each old demand that the new side lacks, even if an invariant still has its name.
        let lost = before.definitions().iter().filter_map(|it| {
            let demand = Demand::of(it, &old.sources);
            if demands.contains(&demand) {
                return None;
            }
            let named = now.iter().find(|other| other.name.value == it.name.value);
            let is = named.map_or_else(
                || "(removed)".to_owned(),
                |other| Demand::of(other, &new.sources).to_string(),
            );
            Some(Lost {
                change: Change::new(&it.name.value, demand.to_string(), is, Some(Code::LostInvariant)),
                was: it.span,
                place: named.map(|other| other.span),
            })
        });
        let mut kept = Self {
            lost: lost.collect(),
            ..Self::default()
        };
        // Tokens are checked under each configuration: an invariant for the real host matches nothing under another
        // `public_url`.
        let own = old.config.upstream.public_url == new.config.upstream.public_url
            && old.config.upstream.product == new.config.upstream.product;
        let selected = Selected::new(old, pairs);
        let asks = |it: &InvariantDef, token: TokenId| {
            let proved = own && demands.contains(&Demand::of(it, &old.sources));
            let now = it.selects(new.program.token(token));
            // An invariant that the new side still has is proved there, for the tokens that it selects there.
            !(proved && now) && (now || selected.was(it, token))
        };
        // Report each broken invariant of a token once, even if it is broken under both configurations.
        let mut known = HashMap::new();
        for (config, (program, proxied)) in [&old.config, &new.config]
            .into_iter()
            .zip(bound.of_new_by_config())
        {
            let Some(invariants) = bound_to(old, config)? else {
                continue;
            };
            let broken = invariants
                .behind(proxied.clone())
                .broken_by(program, (bound.universe(), budget), &asks)
                .map_err(Unanswered::proof)?;
            for found in broken {
                let key = (found.token, found.invariant.clone());
                let at = known.get(&key).and_then(|at: &usize| kept.breaches.get_mut(*at));
                match at {
                    None => {
                        known.insert(key, kept.breaches.len());
                        kept.breaches.push(breach(found, program));
                    }
                    // A request that the proxy forwards is better than one that it does not.
                    Some(worse) if found.obstacles.is_empty() && !worse.found.obstacles.is_empty() => {
                        *worse = breach(found, program);
                    }
                    Some(_) => {}
                }
            }
        }
        let stays = before.definitions().iter();
        let stays = stays.filter(|it| demands.contains(&Demand::of(it, &old.sources)));
        kept.freed = freed(stays, &selected, new, pairs);
        // Of a token that breaks the invariant already, that is the finding.
        let breaches = &kept.breaches;
        kept.freed.retain(|(token, change)| {
            let mine = breaches.iter().filter(|breach| breach.token == *token);
            !mine
                .filter(|breach| breach.found.witness.is_some())
                .any(|breach| breach.change.new == change.old)
        });
        Ok(kept)
    }
}

/// The tokens that one of `invariants` selected and selects no more: what a later change gives them would break nothing.
fn freed<'a>(
    invariants: impl Iterator<Item = &'a InvariantDef>,
    selected: &Selected<'_>,
    new: &Side,
    pairs: &[Pair],
) -> Vec<(TokenId, Change)> {
    let mut freed = Vec::new();
    for it in invariants {
        let name = super::change::name(&it.name.value);
        let tokens = pairs.iter().filter_map(|pair| pair.after);
        for token in tokens.filter(|token| selected.was(it, *token) && !it.selects(new.program.token(*token)))
        {
            let is = format!("free of {name}");
            let change = Change::new("invariant", name.clone(), is, Some(Code::FreedToken));
            freed.push((token, change));
        }
    }
    freed
}

fn breach(found: Broken, program: &tokenward_compiler::ir::Program) -> Breach {
    let users = &program.token(found.token).users;
    Breach {
        token: found.token,
        change: Change::new(
            "invariant",
            "(kept)".to_owned(),
            super::change::name(&found.invariant),
            Some(if found.witness.is_some() {
                Code::FreedToken
            } else {
                Code::OpenComparison
            }),
        ),
        curl: found
            .witness
            .as_ref()
            .map(|request| curl(request, program, users))
            .unwrap_or_default(),
        found,
    }
}

/// The old versions of tokens, to find those that an invariant selected.
struct Selected<'a> {
    old: &'a Side,
    before: HashMap<TokenId, &'a [TokenId]>,
}

impl<'a> Selected<'a> {
    fn new(old: &'a Side, pairs: &'a [Pair]) -> Self {
        let before = pairs
            .iter()
            .filter_map(|pair| Some((pair.after?, pair.before.as_slice())));
        Self {
            old,
            before: before.collect(),
        }
    }

    /// Whether the invariant selected an old version of this token.
    fn was(&self, it: &InvariantDef, token: TokenId) -> bool {
        let before = self.before.get(&token).copied().unwrap_or_default();
        before.iter().any(|id| it.selects(self.old.program.token(*id)))
    }
}

/// Reads the invariants of a side; `None` if the side defines no invariants.
fn read(side: &Side, under: &Side) -> Result<Option<Invariants>, Unanswered> {
    bound_to(side, &under.config)
}

fn bound_to(side: &Side, config: &crate::config::Config) -> Result<Option<Invariants>, Unanswered> {
    let mut diagnostics = Vec::new();
    let upstream = &config.upstream;
    let invariants = Invariants::read(
        &side.sources,
        &upstream.public_url,
        upstream.product.merges(),
        &mut diagnostics,
    )
    .map_err(Unanswered::proof)?;
    diagnostics.retain(|found| found.severity == Severity::Error);
    if diagnostics.is_empty() {
        return Ok(invariants);
    }
    Err(Unanswered::Invariants(Box::new(FaultyInvariants {
        side: side.name.clone(),
        sources: side.sources.clone(),
        diagnostics,
    })))
}

/// The demand of an invariant, without its name and its reason.
#[derive(PartialEq, Eq, Hash)]
struct Demand<'a> {
    kind: InvariantKind,
    /// Names of the selected tokens, owners and users.
    selectors: [BTreeSet<&'a str>; 3],
    lines: BTreeSet<&'a str>,
}

impl<'a> Demand<'a> {
    fn of(it: &'a InvariantDef, sources: &'a SourceSet) -> Self {
        let names = |of: &'a [tokenward_compiler::tokens::At<String>]| {
            of.iter().map(|at| at.value.as_str()).collect()
        };
        Self {
            kind: it.kind,
            selectors: [names(&it.tokens), names(&it.owners), names(&it.users)],
            lines: it.lines.lines.iter().map(|line| sources.text(*line)).collect(),
        }
    }
}

impl std::fmt::Display for Demand<'_> {
    /// Writes the kind and a digest of the demand. A review quotes them, so it covers this demand and no later one with
    /// the same name.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let mut digest = Sha256::new();
        for part in self.selectors.iter().chain([&self.lines]) {
            for text in part {
                digest.update(text.len().to_le_bytes());
                digest.update(text);
            }
            digest.update([0xff; 8]);
        }
        let digest: String = hex::encode(digest.finalize()).chars().take(32).collect();
        write!(f, "{} {digest}", self.kind.as_str())
    }
}
