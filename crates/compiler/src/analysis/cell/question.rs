//! What a search is asked for.

use std::cell::Cell as Flag;

use crate::analysis::{ambiguous::Ambiguous, clauses::Ruled, forwarding::Forwarding, refusal::Refusals};

/// A question: all of `must`, none of `must_not`, and no refusal.
pub(in super::super) struct Cell<'p, 'c> {
    pub(in super::super) must: Vec<Ruled<'p>>,
    pub(in super::super) must_not: Vec<&'c [Ruled<'p>]>,
    /// A rule that must make the proxy refuse the body: it looks at the body, which has a variant of one of its names, or a name twice.
    /// With it, all rules whose names matter.
    pub(in super::super) refused_for: Option<(Ruled<'p>, &'c [Ruled<'p>])>,
    /// A rule that must make the proxy refuse a name of the request, and the rules that must not make it refuse one.
    pub(in super::super) ambiguous: Option<&'c Ambiguous<'p, 'c>>,
    /// The policies that may not refuse the request.
    pub(in super::super) refusals: Refusals<'p>,
    /// Names that a body should not have by chance.
    pub(in super::super) avoid: &'c dyn Fn(&str) -> bool,
    /// The proxy that must forward the request; `None`: any.
    pub(in super::super) forwarding: Option<Forwarding<'p>>,
    /// Whether a request was passed over that the proxy does not forward, for a reason that the search knows no form of. Then "no
    /// request" is not certain.
    pub(in super::super) passed_over: Flag<bool>,
}
