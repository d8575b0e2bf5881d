//! The operations of a description, and the program that has one token for each of them.

use std::rc::Rc;

use super::{calls::Calls, operation::Operation, template};
use crate::{
    analysis::{Budget, Fault, Prover, Ruled, Side, Universe},
    ask::Question,
    ast::Effect,
    base_url::BaseUrl,
    bind::BindError,
    invariants::demand,
    ir::{Program, TokenId},
    lower::lower,
    method::{Method, MethodSet},
    policy::{Limit, Pattern},
    regexp::Anchor,
    source::{SourceSet, Span},
};

/// Whether requests of a line are calls of an operation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Beyond {
    /// All are.
    None,
    /// One at this path is not.
    Path(String),
    /// Not settled.
    Open,
}

/// Operations, and a program in which each of them is a token with one line.
#[derive(Debug)]
pub struct Catalogue {
    operations: Vec<Operation>,
    calls: Calls,
    program: Program,
    warnings: Vec<String>,
}

impl Catalogue {
    /// Makes operations comparable with a policy that is bound to a base URL.
    ///
    /// # Errors
    /// The base URL cannot be bound: see [`BindError`].
    pub fn new(operations: Vec<Operation>, base: &BaseUrl) -> Result<Self, BindError> {
        let text: Vec<String> = operations.iter().map(Operation::call).collect();
        let lines: Vec<String> = text.iter().map(|line| line.replace(['\n', '\r'], " ")).collect();
        let sources = SourceSet::from_files([("description".to_owned(), lines.join("\n"))]);
        let source = sources.iter().next().map(|(id, _)| id);
        let (mut start, mut warnings) = (0, Vec::new());
        let mut tokens = Vec::with_capacity(operations.len());
        for (operation, line) in operations.iter().zip(&lines) {
            let end = start + line.len();
            let span = source.map_or_else(Span::nowhere, |source| Span { source, start, end });
            start = end + 1;
            let hir = template::pattern(operation, &mut warnings);
            let limit = Limit {
                span,
                effect: Effect::Permit,
                methods: MethodSet::EMPTY.with(operation.method),
                url: Pattern {
                    text: hir.to_string(),
                    side: None,
                    hir,
                },
                anchor: Anchor::Below,
                params: Vec::new(),
                params_only: false,
                nodes: Vec::new(),
                members: Vec::new(),
            };
            tokens.push(demand(operation.call(), span, vec![Rc::new(limit)]));
        }
        let lowered = lower(tokens, &sources);
        warnings.extend(lowered.diagnostics.into_iter().map(|found| {
            let line = sources.text(found.primary.span);
            format!("{line}: {}; the operation is not compared", found.headline)
        }));
        Ok(Self {
            calls: Calls::of(&operations),
            operations,
            program: lowered.program.bind(base)?,
            warnings,
        })
    }

    /// The operations, in the order in which they were given.
    #[must_use]
    pub fn operations(&self) -> &[Operation] {
        &self.operations
    }

    /// Parts of operations that could not be read and are taken for more calls than they are: patterns of parameters.
    #[must_use]
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// The operation that a call with a method and a decoded path below the public URL belongs to. If several operations have the call,
    /// it is that with the most exact template.
    #[must_use]
    pub fn operation_of(&self, method: Method, path: &str) -> Option<usize> {
        let matches = |at: usize| self.rule(at).is_some_and(|ruled| ruled.matches_path(path));
        self.calls.find(method, path, matches)
    }

    /// A request that a question is about and that is no call of an operation; `None` if all are calls of it.
    ///
    /// # Errors
    /// A [`Fault`].
    pub fn beyond(
        &self,
        question: &Question,
        operation: usize,
        (universe, budget): (Universe, &Budget),
    ) -> Result<Beyond, Fault> {
        let mut prover = Prover::new(universe, budget.clone())?;
        let (Some(asked), Some(own)) = (question.rule(), self.rule(operation)) else {
            return Ok(Beyond::Open);
        };
        Ok(match prover.path_outside(asked, &[own]) {
            Ok(None) => Beyond::None,
            Ok(Some(path)) => Beyond::Path(path),
            Err(_) => Beyond::Open,
        })
    }

    /// The rule of an operation.
    pub(super) fn rule(&self, at: usize) -> Option<Ruled<'_>> {
        Side::demand(&self.program, self.token(at))
            .permits()
            .first()
            .copied()
    }

    pub(super) fn program(&self) -> &Program {
        &self.program
    }

    /// The token of an operation.
    pub(super) fn token(&self, at: usize) -> TokenId {
        TokenId(u32::try_from(at).unwrap_or(u32::MAX))
    }
}
