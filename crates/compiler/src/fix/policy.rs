//! A policy whose findings are corrected.

use crate::{
    BaseUrl,
    analysis::{Budget, Proxied, Universe},
    source::SourceSet,
};

/// A policy whose findings are corrected, and the settings under which its requests are judged.
#[derive(Clone, Copy)]
pub struct Policy<'p> {
    /// The texts.
    pub sources: &'p SourceSet,
    /// The public URL.
    pub base: &'p BaseUrl,
    /// Whether the upstream merges bodies with queries: see [`crate::ir::Program::merging_body`].
    pub merges: bool,
    /// The requests that some configuration may let through.
    pub universe: Universe,
    /// The proxy that should forward the requests that are shown.
    pub proxied: Option<&'p Proxied>,
    /// What all proofs together may cost.
    pub budget: &'p Budget,
}
