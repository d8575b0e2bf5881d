//! What a path finds in a body (SEMANTICS 1, "JSON values").

use std::collections::BTreeSet;

use super::line::Step;
use crate::reference::Json;

/// What stands at a path.
#[derive(Debug, Default)]
pub(super) struct Found<'j> {
    /// The values, of arrays their elements'.
    pub(super) values: Vec<&'j Json>,
    /// Whether there is a node, however few values it holds.
    pub(super) present: bool,
    /// Whether an element under `[*]` lacks it.
    pub(super) lacking: bool,
    /// Whether there is an object at it.
    pub(super) object: bool,
    /// Whether the root or a step is of the wrong kind.
    pub(super) wrong_kind: bool,
}

/// Looks a path up.
pub(super) fn find<'j>(json: &'j Json, path: &[Step]) -> Found<'j> {
    let mut found = Found::default();
    look(json, path, false, &mut found);
    found
}

fn look<'j>(json: &'j Json, path: &[Step], under_each: bool, found: &mut Found<'j>) {
    match (path.split_first(), json) {
        (None, _) => {
            found.present = true;
            values(json, found);
        }
        (Some((Step::Name(name), rest)), Json::Object(members)) => {
            match members.iter().find(|(known, _)| known == name) {
                Some((_, member)) => look(member, rest, under_each, found),
                None => found.lacking |= under_each,
            }
        }
        (Some((Step::Each, rest)), Json::Array(elements)) => {
            for element in elements {
                look(element, rest, true, found);
            }
        }
        (Some(_), _) => found.wrong_kind = true,
    }
}

fn values<'j>(json: &'j Json, found: &mut Found<'j>) {
    match json {
        Json::Object(_) => found.object = true,
        Json::Array(elements) => elements.iter().for_each(|element| values(element, found)),
        _ => found.values.push(json),
    }
}

/// Whether every object at a path has none but these members. As any constraint, it fails where the root, a step or the node is of
/// the wrong kind, and where an element under `[*]` lacks the node.
pub(super) fn has_only(json: &Json, path: &[Step], names: &BTreeSet<String>) -> bool {
    only(json, path, names, true)
}

fn only(json: &Json, path: &[Step], names: &BTreeSet<String>, may_lack: bool) -> bool {
    match (path.split_first(), json) {
        (None, Json::Object(members)) => members.iter().all(|(name, _)| names.contains(name)),
        (Some((Step::Name(name), rest)), Json::Object(members)) => {
            match members.iter().find(|(known, _)| known == name) {
                Some((_, member)) => only(member, rest, names, may_lack),
                None => may_lack,
            }
        }
        (Some((Step::Each, rest)), Json::Array(elements)) => {
            elements.iter().all(|element| only(element, rest, names, false))
        }
        _ => false,
    }
}

/// A value's text and its type.
pub(super) fn text(value: &Json) -> (String, &'static str) {
    match value {
        Json::Null => ("null".to_owned(), "null"),
        Json::Boolean(value) => (value.to_string(), "boolean"),
        Json::Number(digits) => (digits.clone(), "number"),
        Json::String(text) => (text.clone(), "string"),
        Json::Array(_) | Json::Object(_) => (String::new(), ""),
    }
}

/// Whether a number is written in shortest plain decimals.
pub(super) fn is_shortest(digits: &str) -> bool {
    let size = digits.strip_prefix('-').unwrap_or(digits);
    let (whole, fraction) = size.split_once('.').unwrap_or((size, "1"));
    let plain = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits != "-0" && plain(whole) && plain(fraction) && !fraction.ends_with('0')
}

/// Whether a body has a name that is a constrained one at the same place but for its case, or one of these twice.
pub(super) fn is_ambiguous(json: &Json, paths: &[Vec<Step>]) -> bool {
    let behind = |step: &Step| -> Vec<Vec<Step>> {
        let split = paths.iter().filter_map(|path| path.split_first());
        split
            .filter(|(first, _)| *first == step)
            .map(|(_, rest)| rest.to_vec())
            .collect()
    };
    match json {
        Json::Object(members) => {
            let mut seen = BTreeSet::new();
            members.iter().any(|(name, member)| {
                let other_case = paths.iter().any(|path| match path.first() {
                    Some(Step::Name(known)) => known != name && known.to_lowercase() == name.to_lowercase(),
                    _ => false,
                });
                let doubtful = name.chars().any(char::is_control) || !seen.insert(name);
                doubtful || other_case || is_ambiguous(member, &behind(&Step::Name(name.clone())))
            })
        }
        Json::Array(elements) => {
            let inner = behind(&Step::Each);
            elements.iter().any(|element| is_ambiguous(element, &inner))
        }
        _ => false,
    }
}
