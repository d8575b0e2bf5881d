//! The operations of the API that a change newly allows.

use tokenward_compiler::analysis::{Budget, Cause, Request};
use tokenward_compiler::ir::{LineId, TokenId};
use tokenward_compiler::reach::{Catalogue, Certainty, Change, NewCalls};

use super::Report;
use super::lines::{Bound, Origin};
use crate::Unanswered;

/// Operations with names, which requests and lines are named by.
pub trait Operations {
    /// The operations.
    fn catalogue(&self) -> &Catalogue;

    /// The name of the operation with this number.
    fn name(&self, operation: usize) -> Option<String>;
}

/// Names the operations that changes newly allow.
pub struct NewOperations<'p> {
    bound: &'p Bound,
    operations: &'p dyn Operations,
    /// What is known of each comparison.
    calls: Vec<NewCalls<'p>>,
}

impl<'p> NewOperations<'p> {
    /// Prepares the names. The proofs take steps of `budget`.
    ///
    /// # Errors
    /// The patterns of the operations are too large to compare.
    pub fn new(
        bound: &'p Bound,
        operations: &'p dyn Operations,
        budget: &Budget,
    ) -> Result<Self, Unanswered> {
        let calls = bound.pairs().map(|(_, proxied)| {
            let settings = (bound.universe(), Some(proxied), budget);
            NewCalls::new(operations.catalogue(), settings).map_err(Unanswered::proof)
        });
        Ok(Self {
            bound,
            operations,
            calls: calls.collect::<Result<_, _>>()?,
        })
    }

    /// The operations of which the new token newly allows calls for the cause of an example. Calls of `accepted` permit lines do not
    /// count. An operation is among them if it is not settled, with a remark.
    pub fn of(&mut self, caused: (Cause, Origin), after: TokenId, accepted: &[LineId]) -> Vec<String> {
        let (cause, Origin { pair, before }) = caused;
        let Some(((old, new), _)) = self.bound.pairs().nth(pair) else {
            return Vec::new();
        };
        let Some(calls) = self.calls.get_mut(pair) else {
            return Vec::new();
        };
        let change = Change {
            old: (old, before),
            new: (new, after),
        };
        let found = calls.by(change, cause, accepted).into_iter();
        let named = found.filter_map(|new| {
            let name = self.operations.name(new.operation)?;
            Some(match new.certainty {
                Certainty::Found => name,
                Certainty::Blocked => format!("{name}, not forwarded as configured"),
                Certainty::Open => format!("{name}, not settled"),
            })
        });
        named.collect()
    }
}

impl Report {
    /// Names the operations that each request is a call of, and those that each cause newly allows.
    ///
    /// # Errors
    /// The patterns of the operations are too large to compare.
    pub fn name_operations(
        &mut self,
        bound: &Bound,
        operations: &dyn Operations,
        budget: &Budget,
    ) -> Result<(), Unanswered> {
        let catalogue = operations.catalogue();
        let name = |request: &Request| {
            let at = catalogue.operation_of(request.method, &request.path)?;
            operations.name(at)
        };
        let tokens = self.tokens.iter_mut();
        let directions = tokens.flat_map(|token| [&mut token.newly_allowed, &mut token.newly_denied]);
        for example in directions.flat_map(|direction| &mut direction.examples) {
            let telling = example.telling().and_then(|(request, _)| name(request));
            example.operation = telling.or_else(|| name(&example.request));
        }
        if self
            .tokens
            .iter()
            .all(|token| token.newly_allowed.examples.is_empty())
        {
            return Ok(());
        }
        let mut new = NewOperations::new(bound, operations, budget)?;
        for token in &mut self.tokens {
            let Some(after) = token.after else { continue };
            for example in &mut token.newly_allowed.examples {
                example.operations = new.of(example.caused(), after, &[]);
            }
        }
        Ok(())
    }
}
