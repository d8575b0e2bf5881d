//! What a request must have, beyond what a question says, for a line to match it: in words.
//!
//! A part of a line that every request of the question meets is not a condition. This is proved for each part by itself; if it could
//! not be settled, the part is listed, since it holds in any case.

mod condition;
mod words;

use std::collections::{BTreeSet, HashMap};

pub use self::condition::{Condition, Subject};

use self::words::slice;
use super::question::Question;
use crate::{
    analysis::{Budget, Fault, Prover, Ruled, Universe},
    ast::{self, Test},
    ir::{Constraints, Program, Rule, RuleId},
    method::MethodSet,
    parse::parse_line,
    source::Span,
};

/// The conditions of each of some rules.
pub(super) fn of_rules(
    question: &Question,
    (program, rules): (&Program, &BTreeSet<RuleId>),
    (universe, budget): (Universe, &Budget),
) -> Result<HashMap<RuleId, Vec<Condition>>, Fault> {
    // In the order of rules, so that the budget ends at the same one each time.
    let parts = rules
        .iter()
        .filter_map(|id| Some((*id, Parts::of(program, program.rule(*id)?))));
    let parts: Vec<(RuleId, Parts)> = parts.collect();
    let mut prover = Prover::new(universe, budget.clone())?;
    let Some(asked) = question.rule() else {
        return Ok(HashMap::new());
    };
    let conditions = parts.iter().map(|(id, parts)| {
        let own = parts.conditions((question, asked), program, &mut prover);
        (*id, own)
    });
    Ok(conditions.collect())
}

/// A rule with variants of it, each of which has one of its constraints.
struct Parts {
    rule: Rule,
    text: String,
    syntax: Option<ast::Limit>,
    /// For each constraint of the syntax: the rule without it, and the rule with it, both without other constraints.
    variants: Vec<Option<(Rule, Rule)>>,
}

impl Parts {
    fn of(program: &Program, rule: &Rule) -> Self {
        let text = program.line(rule.line).text.to_owned();
        let syntax = parse_line(&text, whole(&text)).ok();
        let constraints = syntax.iter().flat_map(|syntax| &syntax.constraints);
        let mut counts = Counts::default();
        let variants = constraints.map(|constraint| counts.variant(rule, constraint));
        Self {
            rule: rule.clone(),
            variants: variants.collect(),
            text,
            syntax,
        }
    }

    fn conditions<'p>(
        &'p self,
        (question, asked): (&'p Question, Ruled<'p>),
        program: &'p Program,
        prover: &mut Prover<'p>,
    ) -> Vec<Condition> {
        let mut conditions = Vec::new();
        let ruled = |rule: &'p Rule| Ruled { program, rule };
        let shared = self.rule.methods.intersection(asked.rule.methods);
        if shared != asked.rule.methods {
            conditions.push(words::method(shared));
        }
        let Some(syntax) = &self.syntax else {
            return conditions;
        };
        if !matches!(prover.has_paths_within(asked, ruled(&self.rule)), Ok(true)) {
            conditions.push(words::url(slice(&self.text, syntax.url.span)));
        }
        for (constraint, variant) in syntax.constraints.iter().zip(&self.variants) {
            let is_met = is_asked(question, slice(&self.text, constraint.span))
                || variant.as_ref().is_some_and(|(without, with)| {
                    let found = prover.request(&[asked, ruled(without)], &[ruled(with)]);
                    matches!(found, Ok(None))
                });
            if !is_met {
                conditions.push(words::constraint(&self.text, syntax, constraint));
            }
        }
        conditions
    }
}

/// Whether the question itself has this constraint.
fn is_asked(question: &Question, text: &str) -> bool {
    let constraints = question.syntax.iter().flat_map(|syntax| &syntax.constraints);
    constraints
        .map(|constraint| slice(question.line(), constraint.span))
        .any(|own| own == text)
}

/// Counts constraints of the syntax, to find each in the rule, which keeps those of each kind in their order.
#[derive(Default)]
struct Counts {
    params: usize,
    nodes: usize,
}

impl Counts {
    /// The rule without a constraint and with it, and without all others but those that give an `only` its names.
    fn variant(&mut self, rule: &Rule, constraint: &ast::Constraint) -> Option<(Rule, Rule)> {
        let is_only = constraint.test == Test::Only;
        let (without, with) = match (&constraint.subject, is_only) {
            (ast::Subject::Query(_), false) => {
                let test = rule.params.get(self.params)?;
                self.params += 1;
                let with = Constraints {
                    params: vec![test.clone()],
                    ..Constraints::default()
                };
                (Constraints::default(), with)
            }
            (ast::Subject::Query(_), true) => {
                let without = Constraints {
                    params: rule.params.clone(),
                    ..Constraints::default()
                };
                let with = Constraints {
                    params_only: true,
                    ..without.clone()
                };
                (without, with)
            }
            (ast::Subject::Json(_), false) => {
                let test = rule.nodes.get(self.nodes)?;
                self.nodes += 1;
                let with = Constraints {
                    nodes: vec![test.clone()],
                    ..Constraints::default()
                };
                (Constraints::default(), with)
            }
            (ast::Subject::Json(_), true) => {
                let without = Constraints {
                    nodes: rule.nodes.clone(),
                    ..Constraints::default()
                };
                let with = Constraints {
                    members: rule.members.clone(),
                    ..without.clone()
                };
                (without, with)
            }
        };
        let of = |constraints: Constraints| Rule {
            methods: MethodSet::ALL,
            constraints: constraints.shared(),
            ..rule.clone()
        };
        Some((of(without), of(with)))
    }
}

/// The span of a whole text that is in no file.
fn whole(text: &str) -> Span {
    Span {
        end: text.len(),
        ..Span::nowhere()
    }
}
