//! What a search is asked for.

use crate::analysis::{clauses::Ruled, refusal::Refusals};

/// A question: all of `must`, none of `must_not`, and no refusal.
pub(in super::super) struct Cell<'p, 'c> {
    pub(in super::super) must: Vec<Ruled<'p>>,
    pub(in super::super) must_not: Vec<&'c [Ruled<'p>]>,
    /// A rule for which a body must be refused: it looks at the body, which has a variant of one of its names, a name that
    /// one of the rules has.
    pub(in super::super) refused_for: Option<(Ruled<'p>, &'c [Ruled<'p>])>,
    /// The policies that may not refuse the request.
    pub(in super::super) refusals: Refusals<'p>,
    /// Names that a body should not have by chance.
    pub(in super::super) avoid: &'c dyn Fn(&str) -> bool,
}
