//! Decides which values of a call the audit stores: as text, as a keyed hash, or not at all.

use std::collections::HashMap;

#[cfg(feature = "proxy")]
use ring::hmac;

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
    #[cfg(feature = "proxy")]
    key: Option<hmac::Key>,
}

/// Number of bytes of a hash that are stored: enough to avoid collisions by chance.
const HASH_BYTES: usize = 12;

impl Default for Kept {
    fn default() -> Self {
        Self {
            query: Keep::Text,
            body: Keep::Nothing,
            names: HashMap::new(),
            #[cfg(feature = "proxy")]
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
    #[cfg(feature = "proxy")]
    #[must_use]
    pub fn new(
        query: Keep,
        body: Keep,
        names: impl IntoIterator<Item = (String, Keep)>,
        key: Option<&[u8]>,
    ) -> Self {
        let names = names.into_iter().map(|(name, keep)| (name.to_lowercase(), keep));
        Self {
            query,
            body,
            names: names.collect(),
            key: key.map(|key| hmac::Key::new(hmac::HMAC_SHA256, key)),
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

    /// Computes the HMAC-SHA-256 of name, a zero byte and value, and returns its first 24 hexadecimal digits; `None`
    /// without a key.
    #[cfg(feature = "proxy")]
    pub(super) fn hash(&self, name: &str, value: &str) -> Option<String> {
        let mut context = hmac::Context::with_key(self.key.as_ref()?);
        context.update(name.as_bytes());
        context.update(&[0]);
        context.update(value.as_bytes());
        let tag = context.sign();
        Some(hex::encode(tag.as_ref().get(..HASH_BYTES)?))
    }

    /// Without the proxy there is no key.
    #[cfg(not(feature = "proxy"))]
    pub(super) fn hash(&self, _: &str, _: &str) -> Option<String> {
        None
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

    #[test]
    fn a_hash_depends_on_key_name_and_value() {
        let with = |key: &[u8]| Kept::new(Keep::Hash, Keep::Hash, [], Some(key));
        let hash = with(b"k").hash("a", "b").unwrap();
        // The expected hash is that of `printf 'a\0b' | openssl dgst -sha256 -hmac k`.
        assert_eq!(hash, "982872ff8422d2d84de2d26d");
        for (key, name, value) in [("l", "a", "b"), ("k", "b", "b"), ("k", "a", "c"), ("k", "ab", "")] {
            assert_ne!(with(key.as_bytes()).hash(name, value).unwrap(), hash);
        }
        assert_eq!(Kept::default().hash("a", "b"), None);
        assert!(!format!("{:?}", with(b"hunter2")).contains("hunter2"));
    }
}
