//! Whether a policy keeps its invariants: for each selected token, with a request where it does not.

mod resolve;

use self::resolve::resolve_invariants;
use crate::{
    analysis::{Accepted, Fault, Inconclusive, Prover, Request, Side, Universe},
    base_url::BaseUrl,
    bind::BindError,
    diagnostic::{Code, Diagnostic, Witness, sort},
    ir::{LineId, Program, Token, TokenId, Users},
    lower::lower,
    source::SourceSet,
    source_map::SourceMap,
    tokens::{InvariantDef, InvariantKind},
};

/// The invariants of a policy directory, bound like the policy itself.
#[derive(Debug)]
pub struct Invariants {
    definitions: Vec<InvariantDef>,
    /// A token for each, in the same order, that allows the requests of which it speaks.
    program: Program,
    source_map: SourceMap,
}

/// What proving gives.
#[derive(Debug, Default)]
pub struct Proof {
    /// What was found, in source order.
    pub diagnostics: Vec<Diagnostic>,
    /// The product states that were visited.
    pub visited: u64,
    /// The question that took most: invariant, token, states.
    pub hardest: Option<(String, String, u64)>,
}

impl Invariants {
    /// Reads and resolves the invariants among `sources`; `None` if there is no such file. Findings about the file go to
    /// `diagnostics`; with an error among them nothing can be proved.
    ///
    /// # Errors
    /// A pattern grows past its limit with this base URL.
    pub fn read(
        sources: &SourceSet,
        base: &BaseUrl,
        merges_body: bool,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<Option<Self>, BindError> {
        let mut own = Vec::new();
        let (definitions, tokens): (Vec<_>, Vec<_>) =
            resolve_invariants(sources, &mut own).into_iter().unzip();
        let mut lowered = lower(tokens, sources);
        diagnostics.append(&mut own);
        diagnostics.append(&mut lowered.diagnostics);
        if definitions.is_empty() {
            return Ok(None);
        }
        Ok(Some(Self {
            definitions,
            program: lowered.program.bind(base)?.merging_body(merges_body),
            source_map: lowered.source_map,
        }))
    }

    /// How many there are.
    #[must_use]
    pub fn count(&self) -> usize {
        self.definitions.len()
    }

    /// Proves all of them of a bound program. `source_map`: where that was written. `progress` is told how many tokens of
    /// how many are done.
    ///
    /// # Errors
    /// A [`Fault`].
    pub fn prove(
        &self,
        program: &Program,
        source_map: &SourceMap,
        (universe, budget): (Universe, u64),
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Proof, Fault> {
        let mut prover = Prover::new(universe, budget)?.with_samples_first();
        let mut proof = Proof::default();
        let mut selected = vec![false; self.definitions.len()];
        let tokens = program.tokens().count();
        for (done, (id, token)) in program.tokens().enumerate() {
            let invariants = self.definitions.iter().zip(self.program.tokens());
            for ((definition, (of, _)), selected) in invariants.zip(&mut selected) {
                if !selects(definition, token) {
                    continue;
                }
                *selected = true;
                let before = prover.visited();
                let case = Case {
                    definition,
                    token: (id, token),
                    program,
                    source_map,
                    invariants: self,
                };
                case.prove(&mut prover, of, &mut proof.diagnostics)?;
                let took = prover.visited() - before;
                if took > proof.hardest.as_ref().map_or(0, |(.., most)| *most) {
                    proof.hardest = Some((definition.name.value.clone(), token.name.clone(), took));
                }
            }
            progress(done + 1, tokens);
        }
        for (definition, selected) in self.definitions.iter().zip(selected) {
            if !selected {
                proof.diagnostics.push(
                    Diagnostic::new(
                        Code::IdleInvariant,
                        definition.span,
                        format!("`{}` selects no token", definition.name.value),
                    )
                    .help("`*` stands for any text in `tokens`, `owners` and `users`; a token must match all that are given"),
                );
            }
        }
        proof.visited = prover.visited();
        sort(&mut proof.diagnostics);
        Ok(proof)
    }
}

/// One invariant and one token.
struct Case<'p> {
    definition: &'p InvariantDef,
    token: (TokenId, &'p Token),
    program: &'p Program,
    source_map: &'p SourceMap,
    invariants: &'p Invariants,
}

impl<'p> Case<'p> {
    fn prove(
        &self,
        prover: &mut Prover<'p>,
        of: TokenId,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<(), Fault> {
        let policy = Side::of(self.program, self.token.0);
        let demand = Side::of(&self.invariants.program, of);
        let (name, inv) = (&self.token.1.name, &self.definition.name.value);
        let mut broken = Vec::new();
        let inconclusive = match self.definition.kind {
            InvariantKind::Never => {
                let common = prover.common(policy, demand)?;
                for found in common.findings {
                    let headline = format!("`{name}` allows what `{inv}` says it never does");
                    broken.push((headline, found.lines.0, found.lines.1, found.witness));
                }
                common.inconclusive
            }
            InvariantKind::Only => {
                let beyond = prover.beyond(policy, demand, &Accepted::default())?;
                for found in beyond.findings {
                    let headline = format!("`{name}` allows more than `{inv}` leaves it");
                    broken.push((headline, found.allowed_by, found.denied_by, found.witness));
                }
                beyond.inconclusive
            }
            InvariantKind::Always => {
                let short = prover.beyond(demand, policy, &Accepted::default())?;
                for found in short.findings {
                    let headline = format!("`{name}` does not allow what `{inv}` says it always does");
                    broken.push((headline, found.denied_by, found.allowed_by, found.witness));
                }
                short.inconclusive
            }
        };
        for (headline, line, their, witness) in broken {
            self.tell(headline, (line, their), &witness, diagnostics);
        }
        if let Some(why) = inconclusive {
            diagnostics.push(self.open(why));
        }
        Ok(())
    }

    fn tell(
        &self,
        headline: String,
        (line, their): (Option<LineId>, Option<LineId>),
        witness: &Request,
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let place = line.and_then(|line| self.source_map.line(line));
        let their = their.and_then(|line| self.invariants.source_map.line(line));
        let mut diagnostic = Diagnostic::new(
            Code::BrokenInvariant,
            place.unwrap_or_else(|| self.place()),
            headline,
        )
        .related(
            their.unwrap_or(self.definition.span),
            format!("the invariant, `{}`", self.definition.kind.as_str()),
        )
        .witness(self.witness(witness));
        if let Some(why) = &self.definition.why {
            diagnostic = diagnostic.help(why.clone());
        }
        // A line of a set breaks it for every token alike: it is mended once.
        let said = |other: &Diagnostic| {
            other.code == diagnostic.code
                && place.is_some_and(|place| place == other.primary.span)
                && other.related == diagnostic.related
        };
        if self.is_own(place) || !diagnostics.iter().any(said) {
            diagnostics.push(diagnostic);
        }
    }

    /// Whether a place is in the token's own file, rather than in that of a set.
    fn is_own(&self, place: Option<crate::source::Span>) -> bool {
        place.map(|place| place.source) == self.source_map.token(self.token.0).map(|token| token.source)
    }

    fn open(&self, why: Inconclusive) -> Diagnostic {
        let (name, inv) = (&self.token.1.name, &self.definition.name.value);
        Diagnostic::new(
            Code::OpenInvariant,
            self.place(),
            format!("whether `{name}` keeps `{inv}` could not be settled: {why}"),
        )
        .related(self.definition.span, "the invariant")
        .help(match why {
            Inconclusive::Budget => "simplify the patterns, or give a larger --budget",
            Inconclusive::CaseVariants => "write the name in the case in which the upstream reads it",
        })
    }

    fn place(&self) -> crate::source::Span {
        let place = self.source_map.token(self.token.0);
        place.unwrap_or(self.definition.span)
    }

    fn witness(&self, request: &Request) -> Witness {
        let user = match &self.token.1.users {
            Users::Named(users) => users.first().map_or("USER", String::as_str),
            Users::Any => "USER",
        };
        Witness {
            request: request.to_string(),
            curl: self
                .program
                .base()
                .map(|base| request.curl(base, user))
                .unwrap_or_default(),
        }
    }
}

/// Whether a token matches all the selectors that are given.
fn selects(definition: &InvariantDef, token: &Token) -> bool {
    let any =
        |globs: &[crate::tokens::At<String>], text: &str| globs.iter().any(|glob| matches(&glob.value, text));
    let owner = token.owner.as_deref().unwrap_or_default();
    let users = match &token.users {
        Users::Named(users) => users.iter().any(|user| any(&definition.users, user)),
        // It may be anybody.
        Users::Any => true,
    };
    (definition.tokens.is_empty() || any(&definition.tokens, &token.name))
        && (definition.owners.is_empty() || any(&definition.owners, owner))
        && (definition.users.is_empty() || users)
}

/// Whether a text is one of a glob, in which `*` stands for any text.
fn matches(glob: &str, text: &str) -> bool {
    let mut parts = glob.split('*');
    let Some(mut rest) = parts.next().and_then(|head| text.strip_prefix(head)) else {
        return false;
    };
    let mut parts: Vec<&str> = parts.collect();
    let Some(tail) = parts.pop() else {
        return rest.is_empty();
    };
    for part in parts {
        let Some((_, behind)) = rest.split_once(part) else {
            return false;
        };
        rest = behind;
    }
    rest.ends_with(tail)
}

#[cfg(test)]
mod tests;
