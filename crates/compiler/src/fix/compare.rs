//! Two readings of some tokens, with and without edits, compared over all requests.

use std::collections::{BTreeSet, HashMap};

use super::{edited::edited, policy::Policy};
use crate::{
    analysis::{Analysis, Difference, Fault, Finding},
    dead,
    diagnostic::{Code, Diagnostic, Edit, Lost, Proof, Severity, Unproved, Witness},
    ir::{Program, Token, TokenId},
    lower::lower,
    policy::Attributes,
    resolve::resolve,
    source::{SourceId, SourceSet},
    tokens::{self, TokenDef},
};

/// Compares readings of a policy's tokens with the reading of the policy itself.
pub(super) struct Comparer<'p> {
    policy: &'p Policy<'p>,
    definitions: &'p [TokenDef],
    before: Reading,
}

/// Some tokens of a policy, compiled. Lines with errors are missing.
pub(super) struct Reading {
    /// `None`: the program cannot be bound to the public URL.
    program: Option<Program>,
    tokens: HashMap<String, TokenId>,
    errors: Vec<(Code, String)>,
}

impl<'p> Comparer<'p> {
    /// Compiles the given tokens of the policy, by their numbers among the definitions.
    ///
    /// `found`: the findings of reading the definitions.
    pub(super) fn new<'t>(
        policy: &'p Policy<'p>,
        (definitions, found): (&'p [TokenDef], Vec<Diagnostic>),
        tokens: impl Iterator<Item = &'t usize>,
    ) -> Self {
        let tokens: BTreeSet<usize> = tokens.copied().collect();
        let chosen = tokens.iter().filter_map(|at| definitions.get(*at)).cloned();
        let before = Reading::new(policy, chosen.collect(), policy.sources, found);
        Self {
            policy,
            definitions,
            before,
        }
    }

    /// Compiles some tokens with edits.
    ///
    /// # Errors
    /// The corrected texts have an error that the texts before had not, or the tokens cannot be compiled.
    pub(super) fn read(&self, edits: &[Edit], tokens: &BTreeSet<usize>) -> Result<Reading, Unproved> {
        self.reading(&edited(self.policy.sources, edits), tokens)
    }

    fn reading(&self, after: &SourceSet, tokens: &BTreeSet<usize>) -> Result<Reading, Unproved> {
        let names = self.names(tokens);
        // Only files that changed are read again.
        let (mut definitions, mut found) = (Vec::new(), Vec::new());
        let files: BTreeSet<SourceId> = tokens
            .iter()
            .filter_map(|at| Some(self.definitions.get(*at)?.span.source))
            .collect();
        for file in files {
            let (Some(old), Some(new)) = (self.policy.sources.get(file), after.get(file)) else {
                continue;
            };
            if old.text == new.text {
                let here = self.definitions.iter().filter(|token| token.span.source == file);
                definitions.extend(here.cloned());
            } else {
                definitions.extend(tokens::read(file, new, &mut found));
            }
        }
        definitions.retain(|token| {
            let name = token.name.as_ref();
            name.is_some_and(|name| names.contains(name.value.as_str()))
        });
        let after = Reading::new(self.policy, definitions, after, found);
        let mut known = self.before.errors.clone();
        for (code, headline) in &after.errors {
            match known.iter().position(|one| one.0 == *code && one.1 == *headline) {
                Some(at) => drop(known.swap_remove(at)),
                // Errors of files that were not read before are not news: only new ones count.
                None => return Err(Unproved::Faulty(format!("{code}, {headline}"))),
            }
        }
        Ok(after)
    }

    fn names(&self, tokens: &BTreeSet<usize>) -> BTreeSet<&'p str> {
        let definitions = tokens.iter().filter_map(|at| self.definitions.get(*at));
        definitions
            .filter_map(|token| Some(token.name.as_ref()?.value.as_str()))
            .collect()
    }

    /// The effect of a change to other texts on some tokens.
    pub(super) fn effect(&self, after: &SourceSet, tokens: &[usize]) -> Result<Proof, Fault> {
        let tokens: BTreeSet<usize> = tokens.iter().copied().collect();
        match self.reading(after, &tokens) {
            Ok(after) => match self.analysis(&after)? {
                Some(mut analysis) => self.compare(&mut analysis, &after, &tokens),
                None => Ok(Proof::Unproved(Unproved::Inconclusive)),
            },
            Err(why) => Ok(Proof::Unproved(why)),
        }
    }

    /// The analysis of another reading; `None`: one of both is too large.
    pub(super) fn analysis<'a>(&'a self, after: &'a Reading) -> Result<Option<Analysis<'a>>, Fault> {
        let (Some(old), Some(new)) = (&self.before.program, &after.program) else {
            return Ok(None);
        };
        let analysis = Analysis::new(old, new, self.policy.universe, self.policy.budget)?;
        Ok(Some(match self.policy.proxied {
            Some(proxied) => analysis.behind(proxied, proxied),
            None => analysis,
        }))
    }

    /// The joint effect on some tokens.
    pub(super) fn compare<'a>(
        &'a self,
        analysis: &mut Analysis<'a>,
        after: &'a Reading,
        tokens: &BTreeSet<usize>,
    ) -> Result<Proof, Fault> {
        let (Some(old), Some(new)) = (&self.before.program, &after.program) else {
            return Ok(Proof::Unproved(Unproved::Inconclusive));
        };
        let mut lost: Option<Lost> = None;
        for name in self.names(tokens) {
            let (then, now) = (self.before.tokens.get(name), after.tokens.get(name));
            let (then, now) = match (then, now) {
                (Some(then), Some(now)) => (*then, *now),
                (None, None) => continue,
                _ => return Ok(Proof::Unproved(Unproved::NoAccess(name.to_owned()))),
            };
            let (was, is) = (old.token(then), new.token(now));
            if other_keys(was) != other_keys(is) {
                return Ok(Proof::Unproved(Unproved::OtherKeys(name.to_owned())));
            }
            let compared = analysis.compare(Some(then), Some(now))?;
            if let Some(gained) = shown(&compared.newly_allowed) {
                return Ok(Proof::Unproved(Unproved::GivesAccess {
                    token: name.to_owned(),
                    request: Box::new(witness(new, is, gained)),
                }));
            }
            if compared.newly_allowed.inconclusive.is_some() {
                return Ok(Proof::Unproved(Unproved::Inconclusive));
            }
            match shown(&compared.newly_denied) {
                Some(found) => {
                    let is_forwarded = found.obstacles.is_empty();
                    if lost
                        .as_ref()
                        .is_none_or(|lost| is_forwarded && !lost.is_forwarded)
                    {
                        lost = Some(Lost {
                            token: name.to_owned(),
                            request: witness(old, was, found),
                            is_forwarded,
                        });
                    }
                }
                None if compared.newly_denied.inconclusive.is_some() => {
                    return Ok(Proof::Unproved(Unproved::Inconclusive));
                }
                None => {}
            }
        }
        Ok(match lost {
            Some(lost) => Proof::Narrower { lost },
            None => Proof::Equivalent,
        })
    }
}

impl Reading {
    fn new(
        policy: &Policy<'_>,
        definitions: Vec<TokenDef>,
        sources: &SourceSet,
        mut found: Vec<Diagnostic>,
    ) -> Self {
        let mut resolver = resolve(definitions, sources);
        let lowered = lower(resolver.by_ref(), sources);
        found.extend(resolver.into_diagnostics());
        found.extend(lowered.diagnostics);
        dead::check(&lowered.program, &lowered.source_map, &mut found);
        let bound = lowered.program.bind(policy.base).ok();
        let program = bound.map(|program| program.merging_body(policy.merges));
        let errors = found
            .into_iter()
            .filter(|found| found.severity == Severity::Error)
            .map(|found| (found.code, found.headline));
        let tokens = program.iter().flat_map(Program::tokens);
        Self {
            tokens: tokens.map(|(id, token)| (token.name.clone(), id)).collect(),
            errors: errors.collect(),
            program,
        }
    }
}

/// A request to show: one that the proxy forwards, if there is one.
fn shown(difference: &Difference) -> Option<&Finding> {
    let mut findings = difference.findings.iter();
    let forwarded = findings.clone().find(|finding| finding.obstacles.is_empty());
    forwarded.or_else(|| findings.next())
}

fn witness(program: &Program, token: &Token, finding: &Finding) -> Witness {
    Witness {
        request: finding.witness.decoded(),
        ..finding.witness.witness(program, &token.users)
    }
}

/// The keys of a token that a comparison of requests does not show. It shows the effect of `unrestricted`, and exceptions from warnings
/// decide nothing.
fn other_keys(token: &Token) -> Attributes {
    Attributes {
        lint_allow: Vec::new(),
        unrestricted: false,
        ..token.attributes.clone()
    }
}
