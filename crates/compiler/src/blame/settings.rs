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

impl Settings<'_> {
    /// A path regexp without its first segment, if it then begins as an endpoint does: `/rest/x` of `/jira/rest/x`.
    pub(super) fn without_context<'t>(&self, text: &'t str) -> Option<&'t str> {
        let at = text.strip_prefix('/')?.find('/')? + 1;
        let (context, path) = text.split_at_checked(at)?;
        let is_plain = context
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"/-_".contains(&byte));
        let mut endpoints = self.served.endpoints().iter();
        let begins = endpoints.any(|endpoint| {
            let start = endpoint.trim_end_matches('*');
            start.len() > 1 && path.starts_with(start)
        });
        (is_plain && begins && !text.contains('|')).then_some(path)
    }
}
