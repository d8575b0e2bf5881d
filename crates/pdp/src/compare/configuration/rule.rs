//! Rules for the direction in which a setting gives more.

use std::fmt;

use super::super::change::{list, name};

/// A key of the configuration with its value and its rule.
pub(super) struct Setting {
    /// Name of the key, such as `auth.never_act_as`.
    pub(super) key: &'static str,
    pub(super) value: Value,
    pub(super) rule: Rule,
}

impl Setting {
    pub(super) fn new(key: &'static str, value: Value, rule: Rule) -> Self {
        Self { key, value, rule }
    }
}

/// Decides which changes of a setting are findings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Rule {
    /// Every change is a finding.
    Any,
    /// An added entry is a finding.
    Gains,
    /// An entry that was added to a list that both sides have. Whether one binds at all is another setting's.
    GainsWhereBound,
    /// A path, or all below one (`/rest/*`), that no entry served.
    GainsPaths,
    /// An entry that was taken out.
    Loses,
    /// A higher value, or `true`, is a finding.
    Grows,
    /// A lower value, or `false`, is a finding.
    Shrinks,
    /// No change is a finding, for this reason.
    Nothing(&'static str),
}

impl Rule {
    /// Whether the change from `old` to `new`, which differ, is a finding.
    pub(super) fn widens(self, old: &Value, new: &Value) -> bool {
        match (self, old, new) {
            (Self::Nothing(_), ..) => false,
            (Self::Gains | Self::GainsWhereBound, Value::List(old), Value::List(new)) => adds(old, new),
            (Self::Gains | Self::GainsWhereBound, Value::Unlimited(_), _)
            | (Self::GainsWhereBound, _, Value::Unlimited(_)) => false,
            (Self::GainsPaths, Value::List(old), Value::List(new)) => {
                !new.iter().all(|path| old.iter().any(|other| serves(other, path)))
            }
            (Self::Loses, Value::List(old), Value::List(new)) => adds(new, old),
            (Self::Grows, Value::Ranked(_, old), Value::Ranked(_, new)) => new > old,
            (Self::Shrinks, Value::Ranked(_, old), Value::Ranked(_, new)) => new < old,
            // If the rule does not fit the type of the value, the change counts as a finding.
            _ => true,
        }
    }
}

/// Value of a setting, to be compared and shown.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(Option<String>),
    List(Vec<String>),
    /// No list binds; what is shown for it.
    Unlimited(&'static str),
    /// What is shown, and how much it admits.
    Ranked(String, u128),
}

impl Value {
    pub(super) fn ranked(text: &str, rank: u128) -> Self {
        Self::Ranked(text.to_owned(), rank)
    }

    /// A list whose order has no meaning.
    pub(super) fn set(mut entries: Vec<String>) -> Self {
        entries.sort_unstable();
        entries.dedup();
        Self::List(entries)
    }

    pub(super) fn flag(on: bool) -> Self {
        Self::Ranked(on.to_string(), on.into())
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(None) => f.write_str("(none)"),
            Self::Text(Some(text)) => f.write_str(&name(text)),
            Self::List(entries) => f.write_str(&list(entries.iter().map(String::as_str), "(none)")),
            Self::Unlimited(text) => f.write_str(text),
            Self::Ranked(text, _) => f.write_str(text),
        }
    }
}

fn adds(old: &[String], new: &[String]) -> bool {
    new.iter().any(|entry| !old.contains(entry))
}

/// Whether an endpoint serves all that another does.
fn serves(endpoint: &str, other: &str) -> bool {
    let below = endpoint.strip_suffix('*').filter(|below| below.ends_with('/'));
    endpoint == other || below.is_some_and(|below| other.starts_with(below))
}
