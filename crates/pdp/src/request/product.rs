//! The defaults and the weaknesses of each product, with one file of data per product.

mod calls;
mod confluence;
mod generic;
mod gitlab;
mod jira;
mod presets;
mod redmine;

use super::Relax;
use super::alias::Routes;
use super::call_index::CallIndex;
use super::calls::{Call, Class, Group};
use tokenward_compiler::method::Method;

/// The product at the upstream.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Atlassian Jira, Server or Data Center.
    Jira,
    /// Atlassian Confluence, Server or Data Center.
    Confluence,
    /// GitLab, based on Grape and Rails.
    Gitlab,
    /// Redmine, based on Rails.
    Redmine,
    /// Any other server. It is assumed to have every known behaviour of servers, as far as it stays usable.
    Generic,
}

/// A product's defaults. Names of parameters and headers are in lower case.
pub(super) struct Preset {
    /// The product's name in the configuration.
    name: &'static str,
    /// Endpoints that are served below the base URL.
    pub(super) endpoints: &'static [&'static str],
    /// The header that names the user to the upstream, unless the configuration names another.
    identity_header: &'static str,
    /// The product's own header for tokens. It is read as Tokenward's if that is enabled, otherwise refused.
    pub(super) token_header: Option<&'static str>,
    /// Query parameters and form fields that contain credentials or another identity.
    pub(super) parameters: &'static [&'static str],
    /// Headers that contain credentials or another identity.
    pub(super) headers: &'static [&'static str],
    /// Top-level members of JSON bodies that contain credentials or another identity.
    pub(super) members: &'static [&'static str],
    /// Groups of the product's calls, by class. Calls that no group covers are plain.
    calls: &'static [&'static [Group]],
    /// Properties of the product's routes.
    routes: Routes,
    /// The formats of the product's API. A path must end in one of them if no endpoints are configured; if empty, any
    /// path is allowed.
    pub(super) formats: &'static [&'static str],
    /// Whether members of JSON bodies, and multipart fields, are added to the query's parameters.
    pub(super) merges: bool,
    /// Whether members of a JSON body's root may also be stored in an object, as Rails' `wrap_parameters` does.
    pub(super) wraps: bool,
    /// Whether elements of XML bodies are added to the query's parameters.
    pub(super) merges_xml: bool,
    /// Refusals that are lifted because the product needs it.
    relax: Relax,
}

/// A pattern that covers a call, with its group.
#[derive(Clone, Copy, Debug)]
pub struct Classified {
    /// The group of the pattern.
    pub group: &'static Group,
    /// The pattern that covers the call.
    pub call: &'static Call,
}

impl Product {
    /// Lists every product, in the order of the documentation.
    pub const ALL: [Self; 5] = [
        Self::Jira,
        Self::Confluence,
        Self::Gitlab,
        Self::Redmine,
        Self::Generic,
    ];

    /// Finds the product by its name in the configuration.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|product| product.name() == name)
    }

    /// Returns the product's name in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.preset().name
    }

    /// Returns the endpoints below the base URL, unless the configuration names others.
    #[must_use]
    pub fn endpoints(self) -> &'static [&'static str] {
        self.preset().endpoints
    }

    /// Returns the formats of the product's API, such as `json`: a path must end in one of them, unless the configuration names
    /// endpoints. Empty if any path is served.
    #[must_use]
    pub fn formats(self) -> &'static [&'static str] {
        self.preset().formats
    }

    /// Whether `/s/…/_/path` means `/path`.
    #[must_use]
    pub(crate) fn has_resource_prefix(self) -> bool {
        self.preset().routes.resource_prefix
    }

    /// Returns the trusted header that names the user, unless the configuration names another.
    #[must_use]
    pub fn identity_header(self) -> &'static str {
        self.preset().identity_header
    }

    /// Returns the product's own header for tokens, such as `private-token`.
    #[must_use]
    pub(crate) fn token_header(self) -> Option<&'static str> {
        self.preset().token_header
    }

    /// Returns the refusals that are lifted, unless the configuration changes them.
    #[must_use]
    pub fn relax(self) -> Relax {
        self.preset().relax
    }

    /// Whether the upstream merges members of JSON bodies, and forms, with the query's parameters.
    #[must_use]
    pub fn merges(self) -> bool {
        self.preset().merges
    }

    /// Lists all groups of calls, in the order of the documentation.
    pub fn calls(self) -> impl Iterator<Item = &'static Group> {
        self.preset().calls.iter().copied().flatten()
    }

    /// Finds the groups that cover the call, strictest first. A read (GET, HEAD, OPTIONS) that no group covers is
    /// plain. The proxy treats any other uncovered call as plain too, but nobody has reviewed it.
    ///
    /// Cost: creates an index of all calls, so it is meant for tests and tables.
    #[must_use]
    pub fn classify(self, method: Method, path: &str) -> Vec<Classified> {
        let index = CallIndex::new(self.calls(), self.preset().routes);
        let mut found: Vec<Classified> = Vec::new();
        index.each(method, path, &mut |entry| {
            if !found.iter().any(|known| std::ptr::eq(known.call, entry.call)) {
                found.push(Classified {
                    group: entry.group,
                    call: entry.call,
                });
            }
        });
        found.sort_by_key(|found| std::cmp::Reverse(found.group.class));
        found
    }

    /// Creates the index of the calls for which the lines of a policy do not suffice.
    pub(super) fn giving_calls(self) -> CallIndex {
        let giving = self.calls().filter(|group| group.class != Class::Plain);
        CallIndex::new(giving, self.preset().routes)
    }
}

#[cfg(test)]
mod calls_page;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_lead_back() {
        for product in Product::ALL {
            assert_eq!(Product::from_name(product.name()), Some(product));
        }
        assert_eq!(Product::from_name("Jira"), None);
    }

    #[test]
    fn names_in_presets_are_lower_case_and_unique() {
        for product in Product::ALL {
            let preset = product.preset();
            for list in [preset.parameters, preset.headers, preset.members] {
                let unique: std::collections::HashSet<_> = list.iter().collect();
                assert_eq!(unique.len(), list.len(), "{}", preset.name);
                assert!(
                    list.iter().all(|name| *name == name.to_lowercase()),
                    "{}",
                    preset.name
                );
            }
            assert!(
                preset.members.iter().all(|name| preset.parameters.contains(name)),
                "{}",
                preset.name
            );
        }
    }
}
