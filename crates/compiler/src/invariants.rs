//! Checks whether a policy keeps its invariants: for each selected token, with a counterexample if it does not.

mod answered;
mod dead_part;
mod idle;
mod resolve;

use std::collections::HashSet;

pub use self::answered::Answered;
pub(crate) use self::{dead_part::dead_part, resolve::demand};

use self::resolve::resolve_invariants;
use crate::{
    analysis::{Accepted, Budget, Fault, Inconclusive, Obstacle, Prover, Proxied, Request, Side, Universe},
    artifact,
    base_url::BaseUrl,
    bind::BindError,
    diagnostic::{Code, Diagnostic, Witness, sort},
    ir::{LineId, Program, Token, TokenId, Users},
    lower::lower,
    source::{SourceSet, Span},
    source_map::SourceMap,
    tokens::{InvariantDef, InvariantKind},
};

/// The invariants of a policy directory, bound like the policy itself.
#[derive(Debug)]
pub struct Invariants {
    definitions: Vec<InvariantDef>,
    /// For each definition, in the same order, a token that allows exactly the requests of the invariant.
    program: Program,
    source_map: SourceMap,
    proxied: Option<Proxied>,
}

/// The result of proving.
#[derive(Debug, Default)]
pub struct Proof {
    /// Findings, in source order.
    pub diagnostics: Vec<Diagnostic>,
    /// The product states that were visited.
    pub visited: u64,
    /// The question that took most: invariant, token, states.
    pub hardest: Option<(String, String, u64)>,
    /// The answer for each invariant and each token that it selects.
    pub answers: Vec<Answered>,
}

impl Invariants {
    /// Reads and resolves the invariants among `sources`; `None` if such a file is missing. Findings about the file go to
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
            proxied: None,
        }))
    }

    /// Distinguishes the requests that this proxy forwards from others: a token that breaks `never` or `only` just by requests that
    /// the proxy does not forward as configured is a warning.
    #[must_use]
    pub fn behind(self, proxied: Proxied) -> Self {
        Self {
            proxied: Some(proxied),
            ..self
        }
    }

    /// As they are written.
    #[must_use]
    pub fn definitions(&self) -> &[InvariantDef] {
        &self.definitions
    }

    /// Every token of a bound program that breaks one of these invariants, of another policy. `asks` says of which tokens
    /// an invariant is proved.
    ///
    /// # Errors
    /// A [`Fault`].
    pub fn broken_by(
        &self,
        program: &Program,
        (universe, budget): (Universe, impl Into<Budget>),
        asks: &dyn Fn(&InvariantDef, TokenId) -> bool,
    ) -> Result<Vec<Broken>, Fault> {
        let mut prover = Prover::new(universe, budget.into())?.with_samples_first();
        let source_map = SourceMap::default();
        let mut all = Vec::new();
        for (id, token) in program.tokens() {
            prover.begin_token();
            let invariants = self.definitions.iter().zip(self.program.tokens());
            for (definition, (of, _)) in invariants.filter(|(definition, _)| asks(definition, id)) {
                let case = Case {
                    definition,
                    token: (id, token),
                    program,
                    source_map: &source_map,
                    invariants: self,
                };
                let answer = case.ask(&mut prover, of)?;
                let first = answer.broken.into_iter().next();
                if first.is_some() || answer.inconclusive.is_some() {
                    all.push(Broken {
                        token: id,
                        invariant: definition.name.value.clone(),
                        kind: definition.kind,
                        line: first.as_ref().and_then(|found| found.line),
                        obstacles: first
                            .as_ref()
                            .map(|found| found.obstacles.clone())
                            .unwrap_or_default(),
                        witness: first.map(|found| found.witness),
                        inconclusive: answer.inconclusive,
                    });
                }
            }
        }
        Ok(all)
    }

    /// A program with a token for each invariant, in their order, which allows the requests of the invariant.
    #[must_use]
    pub fn program(&self) -> &Program {
        &self.program
    }

    /// That program as a compiled policy: what a checker of certificates reads.
    #[must_use]
    pub fn artifact(&self) -> Vec<u8> {
        artifact::encode_demands(&self.program)
    }

    /// Number of invariants.
    #[must_use]
    pub fn count(&self) -> usize {
        self.definitions.len()
    }

    /// Proves all of them of a bound program. `source_map`: that program's. `progress` receives the numbers of tokens checked
    /// and of all tokens.
    ///
    /// # Errors
    /// A [`Fault`].
    pub fn prove(
        &self,
        program: &Program,
        source_map: &SourceMap,
        (universe, budget): (Universe, impl Into<Budget>),
        mut progress: impl FnMut(usize, usize),
    ) -> Result<Proof, Fault> {
        let mut prover = Prover::new(universe, budget.into())?.with_samples_first();
        let mut proof = Proof::default();
        let mut said = Told::new();
        let mut selected = vec![false; self.definitions.len()];
        let tokens = program.tokens().count();
        // Each invariant is proved for each token that it selects; a token that none selects costs nothing.
        for (done, (id, token)) in program.tokens().enumerate() {
            prover.begin_token();
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
                let answer = case.prove(&mut prover, of, (&mut proof.diagnostics, &mut said))?;
                proof.answers.push(Answered {
                    invariant: of,
                    token: id,
                    kind: definition.kind,
                    breaches: answer.broken.into_iter().map(|found| found.witness).collect(),
                    is_open: answer.inconclusive.is_some(),
                });
                let took = prover.visited() - before;
                if took > proof.hardest.as_ref().map_or(0, |(.., most)| *most) {
                    proof.hardest = Some((definition.name.value.clone(), token.name.clone(), took));
                }
            }
            progress(done + 1, tokens);
        }
        // An invariant without a token protects nothing, although it seems to.
        for (definition, selected) in self.definitions.iter().zip(selected) {
            if !selected {
                proof.diagnostics.push(
                    Diagnostic::new(
                        Code::IdleInvariant,
                        definition.span,
                        format!("`{}` selects no token", definition.name.value),
                    )
                    .help("`*` matches any text in `tokens`, `owners` and `users`; a token must match all keys that are given"),
                );
            }
        }
        proof.visited = prover.visited();
        sort(&mut proof.diagnostics);
        Ok(proof)
    }
}

/// A token that breaks an invariant of another policy, or may.
#[derive(Clone, Debug)]
pub struct Broken {
    /// The token.
    pub token: TokenId,
    /// The invariant's name.
    pub invariant: String,
    /// What it demands.
    pub kind: InvariantKind,
    /// The token's line that breaks it, if one does.
    pub line: Option<LineId>,
    /// A request that proves it; `None` if it could not be settled.
    pub witness: Option<Request>,
    /// What keeps the proxy from forwarding the request, and every other one; empty if it forwards the request.
    pub obstacles: Vec<Obstacle>,
    /// Why there may be more than was found.
    pub inconclusive: Option<Inconclusive>,
}

/// What the prover says of an invariant and a token.
struct Answer {
    broken: Vec<Breach>,
    inconclusive: Option<Inconclusive>,
}

/// A request by which a token breaks an invariant.
struct Breach {
    headline: String,
    /// The token's line.
    line: Option<LineId>,
    /// The invariant's line.
    their: Option<LineId>,
    witness: Request,
    /// What keeps the proxy from forwarding the request, and every other one.
    obstacles: Vec<Obstacle>,
}

impl Breach {
    /// The code of the finding. `always` is about requests that the lines deny, so it is broken whatever the proxy forwards.
    fn code(&self, kind: InvariantKind) -> Code {
        if kind != InvariantKind::Always && Obstacle::are_certain(&self.obstacles) {
            Code::LatentBreach
        } else {
            Code::BrokenInvariant
        }
    }
}

/// Lines that break a line of an invariant, and have been reported with a code.
type Told = HashSet<(Span, Span, InvariantKind, Code)>;

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
        (diagnostics, said): (&mut Vec<Diagnostic>, &mut Told),
    ) -> Result<Answer, Fault> {
        // Findings are reported even if the rest of the question is inconclusive: a counterexample is certain.
        let answer = self.ask(prover, of)?;
        for breach in &answer.broken {
            self.tell(breach, (diagnostics, said));
        }
        if let Some(why) = answer.inconclusive {
            diagnostics.push(self.open(why));
        }
        Ok(answer)
    }

    fn ask(&self, prover: &mut Prover<'p>, of: TokenId) -> Result<Answer, Fault> {
        let proxied = self.invariants.proxied.as_ref();
        let policy = Side::of(self.program, self.token.0).behind(proxied);
        let demand = Side::demand(&self.invariants.program, of).behind(proxied);
        let (name, inv) = (&self.token.1.name, &self.definition.name.value);
        let beyond = match self.definition.kind {
            InvariantKind::Never => {
                let common = prover.common(policy, demand)?;
                let broken = common.findings.into_iter().map(|found| Breach {
                    headline: format!("`{name}` allows a request that `{inv}` excludes"),
                    line: found.lines.0,
                    their: found.lines.1,
                    witness: found.witness,
                    obstacles: found.obstacles,
                });
                return Ok(Answer {
                    broken: broken.collect(),
                    inconclusive: common.inconclusive,
                });
            }
            InvariantKind::Only => prover.beyond(policy, demand, &Accepted::default())?,
            InvariantKind::Always => prover.beyond(demand, policy, &Accepted::default())?,
        };
        let is_only = self.definition.kind == InvariantKind::Only;
        let broken = beyond.findings.into_iter().map(|found| {
            let (headline, line, their) = if is_only {
                let headline = format!("`{name}` allows more than `{inv}` permits");
                (headline, found.allowed_by, found.denied_by)
            } else {
                let headline = format!("`{name}` does not allow a request that `{inv}` requires");
                (headline, found.denied_by, found.allowed_by)
            };
            Breach {
                headline,
                line,
                their,
                witness: found.witness,
                obstacles: found.obstacles,
            }
        });
        Ok(Answer {
            broken: broken.collect(),
            inconclusive: beyond.inconclusive,
        })
    }

    fn tell(&self, breach: &Breach, (diagnostics, said): (&mut Vec<Diagnostic>, &mut Told)) {
        let place = breach.line.and_then(|line| self.source_map.line(line));
        let their = breach
            .their
            .and_then(|line| self.invariants.source_map.line(line));
        let code = breach.code(self.definition.kind);
        let mut headline = breach.headline.clone();
        if !breach.obstacles.is_empty() {
            let obstacles = Obstacle::describe(&breach.obstacles);
            headline.push_str(&format!("; the proxy forwards it {obstacles}"));
        }
        let mut diagnostic = Diagnostic::new(code, place.unwrap_or_else(|| self.place()), headline)
            .related(
                their.unwrap_or(self.definition.span),
                format!("the invariant, `{}`", self.definition.kind.as_str()),
            )
            .witness(self.witness(&breach.witness));
        if let Some(why) = &self.definition.why {
            diagnostic = diagnostic.help(why.clone());
        }
        // A line of a set breaks the invariant for every token alike, so it is reported once.
        let is_new = place.is_none_or(|place| {
            let demand = their.unwrap_or(self.definition.span);
            said.insert((place, demand, self.definition.kind, code))
        });
        if self.is_own(place) || is_new {
            diagnostics.push(diagnostic);
        }
    }

    /// Whether a place is in the token's own file, rather than in that of a set.
    fn is_own(&self, place: Option<Span>) -> bool {
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
            Inconclusive::Budget => "simplify the patterns, or use a larger --budget",
            Inconclusive::AmbiguousNames => "constrain the same names in both",
            Inconclusive::CaseVariants => "write the name in the letter case that the upstream uses",
        })
    }

    fn place(&self) -> Span {
        let place = self.source_map.token(self.token.0);
        place.unwrap_or(self.definition.span)
    }

    fn witness(&self, request: &Request) -> Witness {
        request.witness(self.program, &self.token.1.users)
    }
}

impl InvariantDef {
    /// Whether the invariant is about a token: whether that matches all the selectors that are given.
    #[must_use]
    pub fn selects(&self, token: &Token) -> bool {
        selects(self, token)
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

/// Whether a glob matches a text; `*` matches any text.
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
