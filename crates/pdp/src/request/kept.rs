//! Decides which values of a call the audit stores: as text, as a keyed hash, or not at all.

use std::collections::HashMap;
use std::sync::Arc;

use super::query::{first_name, lower_case};

/// Form in which the audit stores a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// The text is stored.
    Text,
    /// A keyed hash of name and text is stored. With the key, one can check whether two calls had the same value, or a
    /// given one.
    Hash,
    /// Only the presence of the value is stored.
    Nothing,
}

/// For each name, the form in which its values are stored. The default stores the query's values, as part of the
/// canonical URL, and no values of bodies.
#[derive(Clone)]
pub struct Kept {
    query: Keep,
    body: Keep,
    /// Forms by a parameter's name in lower case, or a node's path.
    names: HashMap<String, Keep>,
    key: Option<Arc<dyn KeyedHash>>,
}

/// A hash with a secret key. The proxy computes it by HMAC-SHA-256.
pub trait KeyedHash: Send + Sync {
    /// Returns the hash of the value that a name has.
    fn hash(&self, name: &str, value: &str) -> String;
}

impl Default for Kept {
    fn default() -> Self {
        Self {
            query: Keep::Text,
            body: Keep::Nothing,
            names: HashMap::new(),
            key: None,
        }
    }
}

impl std::fmt::Debug for Kept {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        // Leave out the key.
        f.debug_struct("Kept")
            .field("query", &self.query)
            .field("body", &self.body)
            .field("names", &self.names)
            .finish_non_exhaustive()
    }
}

impl Kept {
    /// Creates the rules: `query` and `body` apply to all names that `names` does not contain. Without the key for
    /// [`Keep::Hash`], values to be hashed are dropped.
    #[must_use]
    pub fn new(
        query: Keep,
        body: Keep,
        names: impl IntoIterator<Item = (String, Keep)>,
        key: Option<Arc<dyn KeyedHash>>,
    ) -> Self {
        let names = names.into_iter().map(|(name, keep)| (name.to_lowercase(), keep));
        Self {
            query,
            body,
            names: names.collect(),
            key,
        }
    }

    /// Returns the form for a parameter's values. A name matches, regardless of case, in full or by its first part:
    /// `issue` for `issue[subject]`.
    pub(super) fn of_parameter(&self, name: &str) -> Keep {
        if self.names.is_empty() {
            return self.query;
        }
        let found = self.names.get(&*lower_case(name));
        *found
            .or_else(|| self.names.get(&*first_name(name)))
            .unwrap_or(&self.query)
    }

    /// Returns the form for the values at a node, by its path as policies write it.
    pub(super) fn of_node(&self, path: &str) -> Keep {
        *self.names.get(&*lower_case(path)).unwrap_or(&self.body)
    }

    /// Returns the keyed hash of name and value; `None` without a key.
    pub(super) fn hash(&self, name: &str, value: &str) -> Option<String> {
        Some(self.key.as_ref()?.hash(name, value))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_count_by_themselves_and_by_their_first_part() {
        let names = [
            ("jql".to_owned(), Keep::Hash),
            ("Issue".to_owned(), Keep::Nothing),
            ("issue[id]".to_owned(), Keep::Text),
            ("fields.key".to_owned(), Keep::Text),
        ];
        let kept = Kept::new(Keep::Text, Keep::Nothing, names, None);
        for (name, keep) in [
            ("JQL", Keep::Hash),
            ("issue[subject]", Keep::Nothing),
            ("issue[id]", Keep::Text),
            ("other", Keep::Text),
        ] {
            assert_eq!(kept.of_parameter(name), keep, "{name}");
        }
        assert_eq!(kept.of_node("fields.key"), Keep::Text);
        assert_eq!(kept.of_node("key"), Keep::Nothing);
    }
}
