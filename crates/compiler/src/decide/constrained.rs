//! What the lines that a request is compared with constrain, by name: for callers who know how an upstream files names.

use std::ops::ControlFlow;

use crate::{
    ast::Effect,
    ir::{Program, Rule, TokenId},
    json::Path,
    method::Method,
};

/// What one line constrains.
#[derive(Clone, Copy, Debug)]
pub struct Constrained<'p>(&'p Rule);

impl<'p> Constrained<'p> {
    /// The names of the parameters.
    pub fn parameters(self) -> impl Iterator<Item = &'p str> {
        self.0.params.iter().map(|test| &*test.name)
    }

    /// The paths of the values in the JSON body.
    pub fn nodes(self) -> impl Iterator<Item = &'p Path> {
        self.0.nodes.iter().map(|test| &*test.path)
    }

    /// The paths of the objects that have an `only`.
    pub fn closed_objects(self) -> impl Iterator<Item = &'p Path> {
        self.0.members.iter().map(|path| &**path)
    }
}

/// Whether one of the token's lines whose methods and URL match constrains what, by its names, `suspect` is true of. Goes
/// through all lines, and asks `suspect` before the URL is matched, which costs more.
#[must_use]
pub fn constrains(
    program: &Program,
    asked: (TokenId, Method, &str),
    suspect: impl Fn(Constrained<'_>) -> bool,
) -> bool {
    let found = each_rule(program, asked, |rule| {
        match suspect(Constrained(rule)) && program.url(rule.url).matches(asked.2) {
            true => ControlFlow::Break(()),
            false => ControlFlow::Continue(()),
        }
    });
    found.is_break()
}

/// What the token's lines constrain whose methods and URL match. Goes through all lines.
#[must_use]
pub fn constrained<'p>(program: &'p Program, asked: (TokenId, Method, &str)) -> Vec<Constrained<'p>> {
    let mut found = Vec::new();
    let _: ControlFlow<()> = each_rule(program, asked, |rule| {
        if program.url(rule.url).matches(asked.2) {
            found.push(Constrained(rule));
        }
        ControlFlow::Continue(())
    });
    found
}

/// Calls back for the rules of the token that constrain anything and whose methods match.
fn each_rule<'p>(
    program: &'p Program,
    (token, method, _): (TokenId, Method, &str),
    mut found: impl FnMut(&'p Rule) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let token = program.token(token);
    for effect in [Effect::Forbid, Effect::Permit] {
        for rule in token.rules(effect).iter().filter_map(|id| program.rule(id)) {
            if (rule.asks_query() || rule.asks_json()) && rule.methods.contains(method) {
                found(rule)?;
            }
        }
    }
    ControlFlow::Continue(())
}
