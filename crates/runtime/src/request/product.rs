//! What each product needs and where it is soft: one file of data a product.

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

/// The kind of server behind the proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Product {
    /// Atlassian Jira, Server or Data Center.
    Jira,
    /// Atlassian Confluence, Server or Data Center.
    Confluence,
    /// GitLab: Grape and Rails.
    Gitlab,
    /// Redmine: Rails.
    Redmine,
    /// Any other server; assumed to do all that servers do, as far as that is bearable.
    Generic,
}

/// A product's defaults. Names of parameters and headers are in lower case.
pub(super) struct Preset {
    /// The name in the configuration.
    name: &'static str,
    /// What is served below the base URL.
    pub(super) endpoints: &'static [&'static str],
    /// The header that names the user to the upstream, unless the configuration names another.
    identity_header: &'static str,
    /// The product's own header for tokens; read as ours where that is switched on, else refused.
    pub(super) token_header: Option<&'static str>,
    /// Query parameters and form fields that carry credentials or another identity.
    pub(super) parameters: &'static [&'static str],
    /// Headers that do.
    pub(super) headers: &'static [&'static str],
    /// Top-level members of JSON bodies that do.
    pub(super) members: &'static [&'static str],
    /// Its calls by what they give. Calls that none of them covers are plain.
    calls: &'static [&'static [Group]],
    /// What is known of its routes.
    routes: Routes,
    /// The formats of its API, by which a path must end where no endpoints are configured; empty: any path will do.
    pub(super) formats: &'static [&'static str],
    /// Whether members of JSON bodies, and multipart, join the query's parameters.
    pub(super) merges: bool,
    /// Whether members of a JSON body's root may also be filed in an object, as Rails' `wrap_parameters` does.
    pub(super) wraps: bool,
    /// Whether elements of XML bodies do.
    pub(super) merges_xml: bool,
    /// What the product cannot do without.
    relax: Relax,
}

/// A pattern that covers a call.
#[derive(Clone, Copy, Debug)]
pub struct Classified {
    /// The group that it belongs to.
    pub group: &'static Group,
    /// The pattern.
    pub call: &'static Call,
}

impl Product {
    /// Every product, in the order in which the documentation shows them.
    pub const ALL: [Self; 5] = [
        Self::Jira,
        Self::Confluence,
        Self::Gitlab,
        Self::Redmine,
        Self::Generic,
    ];

    /// The product of this name, as it stands in the configuration.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|product| product.name() == name)
    }

    /// The name, as it stands in the configuration.
    #[must_use]
    pub fn name(self) -> &'static str {
        self.preset().name
    }

    /// What is served below the base URL, unless the configuration says otherwise.
    #[must_use]
    pub fn endpoints(self) -> &'static [&'static str] {
        self.preset().endpoints
    }

    /// The trusted header that names the user, unless the configuration says otherwise.
    #[must_use]
    pub fn identity_header(self) -> &'static str {
        self.preset().identity_header
    }

    /// The product's own header for tokens, such as `private-token`.
    #[must_use]
    pub fn token_header(self) -> Option<&'static str> {
        self.preset().token_header
    }

    /// The refusals that are lifted unless the configuration says otherwise.
    #[must_use]
    pub fn relax(self) -> Relax {
        self.preset().relax
    }

    /// Whether the upstream merges members of JSON bodies, and forms, with the query's parameters.
    #[must_use]
    pub fn merges(self) -> bool {
        self.preset().merges
    }

    /// All groups of calls, in the order in which the documentation shows them.
    pub fn calls(self) -> impl Iterator<Item = &'static Group> {
        self.preset().calls.iter().copied().flatten()
    }

    /// The groups that cover the call, strictest first. A read (GET, HEAD, OPTIONS) that none covers is plain; so is any
    /// other call to the proxy, but nobody has looked at it.
    ///
    /// Cost: makes an index of all calls; meant for tests and tables.
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

    /// The index of the calls for which the lines of a policy do not suffice.
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
