//! Policies with one changed line, compiled for the tokens that have the line.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashSet};
use std::rc::Rc;

use tokenward_compiler::ir::{Program, TokenId};
use tokenward_compiler::mutate::Scope;
use tokenward_compiler::source::{SourceSet, Span};
use tokenward_compiler::{SourceMap, compile};

use super::bench::Bench;
use super::cases::Case;

/// Maximum number of tokens with the same line that one changed policy has: those with tests come first.
const MOST_TOKENS: usize = 16;

/// Why a policy cannot be changed.
#[derive(Debug, thiserror::Error)]
pub enum Unusable {
    /// The policy does not compile by itself.
    #[error("the policy does not compile")]
    Policy,
}

/// A line of the policy, where it is written.
#[derive(Clone, Debug)]
pub struct Place {
    /// Place of the line in the file.
    pub span: Span,
    /// The file as messages show it.
    pub file: String,
    /// The file as reports name it.
    pub path: String,
    /// Number of the line in the file, from 1.
    pub number: u32,
    /// Text of the line.
    pub text: String,
    /// The tokens with this line, which have not ended: those with tests first, at most 16.
    pub tokens: Vec<TokenId>,
}

/// A policy whose lines are changed one at a time.
pub struct Lab<'a> {
    sources: &'a SourceSet,
    /// The bound program.
    pub program: &'a Program,
    source_map: &'a SourceMap,
    /// Judges the requests.
    pub bench: &'a Bench,
    /// The scope that was used last. Lines of a token follow each other, and a scope is as large as the policy.
    last: RefCell<Option<(Vec<TokenId>, Rc<Scoped>)>>,
}

/// The policy of some tokens.
pub struct Scoped {
    scope: Scope,
    /// The bound program of these tokens.
    pub program: Program,
}

impl<'a> Lab<'a> {
    /// `program` is the bound program of `sources`.
    pub fn new(
        (sources, program, source_map): (&'a SourceSet, &'a Program, &'a SourceMap),
        bench: &'a Bench,
    ) -> Self {
        Self {
            sources,
            program,
            source_map,
            bench,
            last: RefCell::default(),
        }
    }

    /// The lines of tokens that have not ended, in the order of the files.
    pub fn lines(&self, cases: &[Case]) -> Vec<Place> {
        let tested: HashSet<TokenId> = cases.iter().map(|case| case.token).collect();
        let mut tokens: Vec<TokenId> = self
            .program
            .tokens()
            .filter(|(_, token)| !self.bench.has_ended(token))
            .map(|(id, _)| id)
            .collect();
        tokens.sort_by_key(|token| !tested.contains(token));
        self.lines_of(&tokens)
    }

    /// The lines of some tokens, in the order of the files.
    pub fn lines_of(&self, tokens: &[TokenId]) -> Vec<Place> {
        let mut lines: BTreeMap<Span, Place> = BTreeMap::new();
        for token in tokens {
            for rule in self.program.rules_of(*token) {
                let Some(span) = self.source_map.line(rule.line) else {
                    continue;
                };
                let line = self.program.line(rule.line);
                let place = lines.entry(span).or_insert_with(|| Place {
                    span,
                    file: self.sources.shown(line.file),
                    path: line.file.to_owned(),
                    number: line.number,
                    text: line.text.to_owned(),
                    tokens: Vec::new(),
                });
                if place.tokens.len() < MOST_TOKENS && !place.tokens.contains(token) {
                    place.tokens.push(*token);
                }
            }
        }
        lines.into_values().collect()
    }

    /// The policy of the tokens of a line.
    ///
    /// # Errors
    /// It does not compile.
    pub(crate) fn scoped(&self, place: &Place) -> Result<Rc<Scoped>, Unusable> {
        if let Some((tokens, known)) = &*self.last.borrow()
            && *tokens == place.tokens
        {
            return Ok(Rc::clone(known));
        }
        let names: Vec<Span> = place
            .tokens
            .iter()
            .filter_map(|token| self.source_map.token(*token))
            .collect();
        let has_all = |program: &Program| {
            let mut tokens = place.tokens.iter();
            tokens.all(|token| self.same(*token, program).is_some())
        };
        // An entry that is written in an unusual way cannot be cut out.
        let scopes = [Scope::of(self.sources, &names), Scope::whole(self.sources)];
        let found = scopes.into_iter().find_map(|scope| {
            let program = self.compiled(scope.sources())?;
            has_all(&program).then_some(Scoped { scope, program })
        });
        let scoped = Rc::new(found.ok_or(Unusable::Policy)?);
        *self.last.borrow_mut() = Some((place.tokens.clone(), Rc::clone(&scoped)));
        Ok(scoped)
    }

    /// The policy of the tokens of a line, with another text of the line; `None` if that does not compile.
    pub fn changed(&self, scoped: &Scoped, place: &Place, text: &str) -> Option<Program> {
        self.compiled(&scoped.scope.with(place.span, text))
    }

    /// A token of the policy in another program.
    pub fn same(&self, token: TokenId, program: &Program) -> Option<TokenId> {
        let name = &self.program.token(token).name;
        let mut tokens = program.tokens();
        tokens.find(|(_, token)| token.name == *name).map(|(id, _)| id)
    }

    fn compiled(&self, sources: &SourceSet) -> Option<Program> {
        let program = compile(sources).program?;
        let bound = program.bind(&self.bench.base).ok()?;
        Some(bound.merging_body(self.bench.merges))
    }
}
