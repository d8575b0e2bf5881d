//! The settings that a line is judged under.

use crate::{
    BaseUrl,
    analysis::{Served, Universe},
};

/// The settings under which no request matches.
#[derive(Clone, Copy)]
pub(crate) struct Settings<'a> {
    pub(crate) universe: Universe,
    pub(crate) served: &'a Served,
    pub(crate) base: Option<&'a BaseUrl>,
}
