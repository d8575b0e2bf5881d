//! TW0204: invariants, and lines of them, that apply to no request, so that nothing is proved.

use super::{Invariants, dead_part::dead_part};
use crate::{
    analysis::{Budget, Fault, Prover, Served, Universe},
    ast::Effect,
    blame::{self, Settings},
    diagnostic::{Code, Diagnostic, sort},
    ir::RuleId,
    tokens::InvariantKind,
};

impl Invariants {
    /// The errors of invariants that no request concerns under a configuration. An invariant applies to the requests that its lines
    /// permit; one of forbid lines alone applies to none. Each line is judged by itself; past the budget nothing is claimed.
    ///
    /// # Errors
    /// A [`Fault`].
    pub fn idle(
        &self,
        (universe, served, budget): (Universe, &Served, impl Into<Budget>),
    ) -> Result<Vec<Diagnostic>, Fault> {
        let mut found = Vec::new();
        let mut prover = Prover::new(universe, budget.into())?;
        let endpoints = served.matcher()?;
        let settings = Settings {
            universe,
            served,
            base: self.program.base(),
        };
        for (definition, (_, token)) in self.definitions.iter().zip(self.program.tokens()) {
            let permits: Vec<RuleId> = token.permits.iter().collect();
            let forbids: Vec<RuleId> = token.forbids.iter().collect();
            // Without any line that parses, the errors of the lines say enough.
            if permits.is_empty() && !forbids.is_empty() && definition.kind != InvariantKind::Only {
                found.push(only_forbids(&definition.name.value, definition.span));
            }
            for id in permits.into_iter().chain(forbids) {
                let Some(part) = dead_part(&self.program, id, &mut prover, endpoints.as_ref(), universe)
                else {
                    continue;
                };
                let Some(rule) = self.program.rule(id) else {
                    continue;
                };
                let Some(span) = self.source_map.line(rule.line) else {
                    continue;
                };
                let code = match rule.effect {
                    Effect::Permit => Code::IdleLine,
                    Effect::Forbid => Code::DeadHere,
                };
                let text = self.program.line(rule.line).text;
                found.push(blame::diagnostic(code, (text, span), part, settings));
            }
        }
        sort(&mut found);
        Ok(found)
    }
}

fn only_forbids(name: &str, span: crate::source::Span) -> Diagnostic {
    let headline = format!("`{name}` applies to no request: all of its lines begin with `!`");
    Diagnostic::new(Code::IdleLine, span, headline).help(
        "write the requests that the invariant is about without `!`; a line with `!` is an exception to the other lines",
    )
}
