//! Returns the preset of each product.

use super::{Preset, Product, confluence, generic, gitlab, jira, redmine};

impl Product {
    /// Returns the defaults of this product.
    pub(in crate::request) fn preset(self) -> &'static Preset {
        match self {
            Self::Jira => &jira::PRESET,
            Self::Confluence => &confluence::PRESET,
            Self::Gitlab => &gitlab::PRESET,
            Self::Redmine => &redmine::PRESET,
            Self::Generic => &generic::PRESET,
        }
    }
}
