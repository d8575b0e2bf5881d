//! `[audit.values]`: how the audit stores the values that calls contain.

use super::fields::Fields;
use super::password::PasswordSource;
use super::value;
use crate::request::Keep;

/// How the audit stores the values that calls contain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values {
    /// Storage of query parameters that are not in `names`.
    pub query: Keep,
    /// Storage of nodes of JSON bodies that constraints read and that are not in `names`.
    pub body: Keep,
    /// Names of parameters and paths of nodes with a storage of their own.
    pub names: Vec<(String, Keep)>,
    /// Source of the key for hashes.
    pub key: Option<PasswordSource>,
}

impl Default for Values {
    fn default() -> Self {
        Self {
            query: Keep::Text,
            body: Keep::Nothing,
            names: Vec::new(),
            key: None,
        }
    }
}

pub(super) fn values(it: &mut Fields<'_>) -> Values {
    const KEEPS: [(&str, Keep); 3] = [
        ("keep", Keep::Text),
        ("hash", Keep::Hash),
        ("drop", Keep::Nothing),
    ];
    let default = Values::default();
    let mut names: Vec<(String, Keep)> = Vec::new();
    // Each name may occur in only one of the lists.
    for (key, keep) in KEEPS {
        for name in it.or(key, Vec::new(), value::texts) {
            if names.iter().any(|(other, _)| other.eq_ignore_ascii_case(&name)) {
                it.complain(
                    &[key],
                    format!(
                        "`{name}` is listed twice in [audit.values]; list it once, to keep, hash or drop it"
                    ),
                );
            }
            names.push((name, keep));
        }
    }
    // The key comes from a file or the environment, not from both.
    let values = Values {
        query: it.or("query", default.query, |value| value::choice(value, &KEEPS)),
        body: it.or("body", default.body, |value| value::choice(value, &KEEPS)),
        names,
        key: match (
            it.optional("key_file", value::path),
            it.optional("key_env", value::text),
        ) {
            (Some(file), None) => Some(PasswordSource::File(file)),
            (None, Some(name)) => Some(PasswordSource::Environment(name)),
            (None, None) => None,
            (Some(_), Some(_)) => {
                it.complain(
                    &["key_env"],
                    "`key_env` cannot be used with `key_file`".to_owned(),
                );
                None
            }
        },
    };
    // Hashes without a key could be reversed by trying values.
    let mut kept = values
        .names
        .iter()
        .map(|(_, keep)| *keep)
        .chain([values.query, values.body]);
    if values.key.is_none()
        && kept.any(|keep| keep == Keep::Hash)
        && !it.has("key_file")
        && !it.has("key_env")
    {
        let message = "`key_file` or `key_env` is required when `hash` is set; a hash without a key can be reversed by trying values";
        it.complain(&["hash", "query", "body"], message.to_owned());
    }
    values
}
