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
    /// The names of a rule.
    pub(crate) fn of(rule: &'p Rule) -> Self {
        Self(rule)
    }

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

/// Whether one of the token's lines whose methods and URL match constrains what, by its names, `suspect` is true of. `suspect` is
/// asked of these lines alone: it looks at the names of the request, of which there may be hundreds.
#[must_use]
pub fn constrains(
    program: &Program,
    asked: (TokenId, Method, &str),
    suspect: impl Fn(Constrained<'_>) -> bool,
) -> bool {
    let found = each_rule(program, asked, |rule| match suspect(Constrained(rule)) {
        true => ControlFlow::Break(()),
        false => ControlFlow::Continue(()),
    });
    found.is_break()
}

/// What the token's lines constrain whose methods and URL match.
#[must_use]
pub fn constrained<'p>(program: &'p Program, asked: (TokenId, Method, &str)) -> Vec<Constrained<'p>> {
    let mut found = Vec::new();
    let _: ControlFlow<()> = each_rule(program, asked, |rule| {
        found.push(Constrained(rule));
        ControlFlow::Continue(())
    });
    found
}

/// Calls back for the rules of the token that constrain anything and whose methods and URL match.
fn each_rule<'p>(
    program: &'p Program,
    (token, method, path): (TokenId, Method, &str),
    mut found: impl FnMut(&'p Rule) -> ControlFlow<()>,
) -> ControlFlow<()> {
    let (program, token) = match program.within(token) {
        Some(within) => (within.program, within.token),
        None => (program, token),
    };
    for effect in [Effect::Forbid, Effect::Permit] {
        match &program.layout {
            // Bytes in a row, of which most lines need four; an index would leave out lines whose parameters are absent.
            Some(layout) => {
                layout.each_by_url(program, (token, effect), (method, path), |matched| match matched
                    .asks
                    .and_then(|asks| asks.plain())
                {
                    Some(rule) => found(rule),
                    None => ControlFlow::Continue(()),
                })?
            }
            None => {
                let rules = program.token(token).rules(effect).iter();
                for rule in rules.filter_map(|id| program.rule(id)) {
                    if (rule.asks_query() || rule.asks_json())
                        && rule.methods.contains(method)
                        && program.url(rule.url).matches(path)
                    {
                        found(rule)?;
                    }
                }
            }
        }
    }
    ControlFlow::Continue(())
}
