//! The path that a line matches and that is nearest to a given one.

use super::goal::Goal;
use super::nearest::{self, Near, Shape, Work};
use crate::ir::{Matcher, Program, Rule, UrlMatcher};

/// The nearest path that the line matches and none of these forbid lines.
pub(super) fn nearest<'r>(
    program: &Program,
    rule: &Rule,
    path: &str,
    around: impl Iterator<Item = &'r Rule>,
    work: &mut Work,
) -> Option<Near> {
    let mut goal = Goal::default();
    goal.add(matcher(program, rule)?, true)?;
    for forbid in around {
        goal.add(matcher(program, forbid)?, false)?;
    }
    nearest::nearest(&goal, path, Shape::Path, work)
}

fn matcher<'p>(program: &'p Program, rule: &Rule) -> Option<&'p Matcher> {
    match program.url(rule.url) {
        UrlMatcher::Below(matcher) | UrlMatcher::Bound(_, matcher) => Some(matcher),
        UrlMatcher::Unbound(_) => None,
    }
}
