//! The narrowest line that allows one request: its method, its path, its parameters and the members of its body as literal texts.

use std::collections::HashMap;
use std::fmt::Write;

use super::asked::{Asked, AskedBody};
use super::json::literal_kind;
use crate::{
    analysis::Json,
    hidden::is_hidden,
    json::{Kind, Path, Step},
    method::Method,
};

/// Maximum number of constraints on a body. A longer body is left open.
const CONSTRAINTS: usize = 40;
/// Maximum number of values that an array is limited to. A longer array leaves the body open.
const VALUES: usize = 100;
/// Maximum length of a line, in bytes.
const LONGEST: usize = 4_096;

/// A line for one request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NewLine {
    /// The line's text.
    pub text: String,
    /// The parts in which the line allows more than the request.
    pub open: Vec<Open>,
}

/// A part of requests that a line leaves open.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Open {
    /// Any parameters, since a line with constraints matches no form.
    Query,
    /// Any body.
    Body,
    /// The values of a parameter that occurs several times, in any number and order.
    Repetition(String),
    /// The elements of an array, in any number and order.
    Elements(String),
    /// Empty or absent members of the body, in words.
    Absent(String),
}

impl std::fmt::Display for Open {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Query => f.write_str("any parameters: a line with conditions on parameters allows no form"),
            Self::Body => f.write_str("any body"),
            Self::Repetition(name) => {
                write!(f, "the values of the parameter `{name}` in any number and order")
            }
            Self::Absent(text) => f.write_str(text),
            Self::Elements(path) => write!(f, "the values of `{path}` in any number and order"),
        }
    }
}

/// Writes the narrowest line that allows the request; `None` if no line can name its method or its path.
#[must_use]
pub fn narrowest_line(asked: &Asked) -> Option<NewLine> {
    if asked.method == Method::Other || !asked.path.starts_with('/') {
        return None;
    }
    let mut open = Vec::new();
    let mut text = format!("[{}]", asked.method.as_str().to_ascii_lowercase());
    text.push_str(&escaped(&asked.path, Place::Url));
    let has_form = matches!(
        asked.body,
        AskedBody::Form | AskedBody::Mislabelled { is_form: true, .. }
    );
    if has_form {
        open.extend([Open::Query, Open::Body]);
    } else {
        query(&asked.query, &mut text, &mut open);
        match &asked.body {
            // The proxy refuses bodies of these methods.
            AskedBody::Absent if matches!(asked.method, Method::Get | Method::Head) => {}
            AskedBody::Absent => text.push_str("[JsonData::only]"),
            AskedBody::Json(json) => match members(json, |_, _, _| None) {
                Some(members) if text.len() + members.text.len() <= LONGEST => {
                    text.push_str(&members.text);
                    open.extend(members.arrays.into_iter().map(Open::Elements));
                    open.extend(members.loose.into_iter().map(Open::Absent));
                }
                _ => open.push(Open::Body),
            },
            AskedBody::Mislabelled { .. } | AskedBody::Form | AskedBody::Other => open.push(Open::Body),
        }
    }
    (text.len() <= LONGEST).then_some(NewLine { text, open })
}

fn query(pairs: &[(String, Option<String>)], text: &mut String, open: &mut Vec<Open>) {
    let mut names: Vec<&str> = Vec::new();
    for (name, _) in pairs {
        if names.contains(&name.as_str()) {
            continue;
        }
        names.push(name);
        let mut values: Vec<&str> = Vec::new();
        let given = pairs.iter().filter(|(other, _)| other == name);
        let count = given.clone().count();
        for (_, value) in given {
            let value = value.as_deref().unwrap_or_default();
            if !values.contains(&value) {
                values.push(value);
            }
        }
        if count > 1 {
            open.push(Open::Repetition(name.clone()));
        }
        let values = alternatives(&values, Place::Parameter);
        push(text, format_args!("[QueryParam::{}=={values}]", parameter(name)));
    }
    text.push_str("[QueryParam::only]");
}

/// Conditions on a body.
pub struct Members {
    /// The conditions as a line writes them.
    pub text: String,
    /// The paths of arrays, whose elements the conditions allow in any number and order.
    pub arrays: Vec<String>,
    /// What else the conditions allow, in words: empty and absent members.
    pub loose: Vec<String>,
}

/// Writes the conditions that a body with exactly these members meets; `None` if there are too many, or if no conditions express it.
/// `value` gives the regular expression of a member from its path, its types and its texts, or `None` for exactly these texts.
#[must_use]
pub fn members(json: &Json, value: impl Fn(&str, &[Kind], &[&str]) -> Option<String>) -> Option<Members> {
    let mut found = Collected::default();
    found.collect(json, &mut Path::ROOT.clone());
    if found.is_too_much() || found.is_mixed() || found.is_ragged() {
        return None;
    }
    let mut text = String::new();
    for leaf in &found.leaves {
        let kinds = [Kind::String, Kind::Number, Kind::Boolean, Kind::Null].into_iter();
        let kinds = kinds.filter(|kind| leaf.kinds.contains(kind));
        let kinds: Vec<Kind> = kinds.collect();
        let texts: Vec<&str> = leaf.texts.iter().map(String::as_str).collect();
        let values = match texts.as_slice() {
            [] => "null".to_owned(),
            texts => value(&leaf.path.to_string(), &kinds, texts)
                .unwrap_or_else(|| alternatives(texts, Place::Member)),
        };
        let kinds: Vec<&str> = kinds.into_iter().map(Kind::as_str).collect();
        push(
            &mut text,
            format_args!(
                "[JsonData::{}:{}{}{values}]",
                leaf.path,
                kinds.join("|"),
                if found.is_everywhere(&leaf.path) {
                    "=="
                } else {
                    "?="
                }
            ),
        );
    }
    for path in found.only_empty() {
        push(&mut text, format_args!("[JsonData::{path}!=.*]"));
    }
    for path in &found.objects {
        let object = match path.0.is_empty() {
            true => String::new(),
            false => format!("{path}."),
        };
        push(&mut text, format_args!("[JsonData::{object}only]"));
    }
    let arrays = found.arrays.iter().map(Path::to_string).collect();
    Some(Members {
        loose: found.loose(),
        text,
        arrays,
    })
}

/// The parts of a body by their paths, each path once.
#[derive(Default)]
struct Collected {
    leaves: Vec<Leaf>,
    objects: Vec<Path>,
    /// Empty arrays.
    empty: Vec<Path>,
    arrays: Vec<Path>,
    /// The number of values at each path.
    visits: HashMap<Vec<Step>, usize>,
}

struct Leaf {
    path: Path,
    kinds: Vec<Kind>,
    texts: Vec<String>,
}

impl Collected {
    fn is_too_much(&self) -> bool {
        let count = self.leaves.len() + self.objects.len() + self.empty.len();
        count > CONSTRAINTS || self.leaves.iter().any(|leaf| leaf.texts.len() > VALUES)
    }

    /// Whether a path has values of kinds that no condition expresses together: objects or lists beside others.
    fn is_mixed(&self) -> bool {
        let is_leaf = |path: &Path| self.leaves.iter().any(|leaf| leaf.path == *path);
        let is_list = |path: &Path| {
            self.arrays
                .iter()
                .any(|array| array.0.split_last().is_some_and(|(_, list)| list == path.0))
        };
        let holds_other = |path: &Path| is_leaf(path) || self.empty.contains(path) || is_list(path);
        self.objects.iter().any(holds_other) || self.leaves.iter().any(|leaf| is_list(&leaf.path))
    }

    /// Whether some elements of a list lack a member that others have: each constraint on it fails on those (SEMANTICS section 3, JSON
    /// values).
    fn is_ragged(&self) -> bool {
        self.visits.iter().any(|(steps, count)| {
            let Some((Step::Name(_), before)) = steps.split_last() else {
                return false;
            };
            before.contains(&Step::Each) && self.visits.get(before) != Some(count)
        })
    }

    /// The paths whose arrays are all empty.
    fn only_empty(&self) -> impl Iterator<Item = &Path> {
        self.empty.iter().filter(|path| {
            let has_elements = |array: &&Path| array.0.split_last().is_some_and(|(_, list)| list == path.0);
            !self.arrays.iter().any(|array| has_elements(&array))
                && !self.leaves.iter().any(|leaf| leaf.path == **path)
        })
    }

    /// Whether each object and each list that may have this path has it.
    fn is_everywhere(&self, path: &Path) -> bool {
        let visits = |steps: &[Step]| self.visits.get(steps).copied().unwrap_or_default();
        let is_empty = |steps: &[Step]| self.empty.iter().any(|empty| empty.0 == steps);
        let mut steps = path.0.as_slice();
        if is_empty(steps) {
            return false;
        }
        while let Some((last, before)) = steps.split_last() {
            let is_complete = match last {
                Step::Name(_) => visits(steps) == visits(before),
                Step::Each => !is_empty(before),
            };
            if !is_complete {
                return false;
            }
            steps = before;
        }
        true
    }

    /// What the conditions allow beside the body, in words.
    fn loose(&self) -> Vec<String> {
        let mut out = Vec::new();
        for path in self.only_empty() {
            out.push(match path.0.is_empty() {
                true => "a body of nested empty lists".to_owned(),
                false => format!("`{path}` absent, or a list of empty lists"),
            });
        }
        for path in &self.objects {
            let holds_required = self
                .leaves
                .iter()
                .any(|leaf| leaf.path.0.starts_with(&path.0) && self.is_everywhere(&leaf.path));
            match (path.0.is_empty(), holds_required) {
                (_, true) => {}
                (true, false) => out.push("no body, or an empty object".to_owned()),
                (false, false) => out.push(format!("`{path}` absent or empty")),
            }
        }
        let optional = self.leaves.iter().filter(|leaf| !self.is_everywhere(&leaf.path));
        out.extend(optional.map(|leaf| format!("`{}` absent or empty", leaf.path)));
        out
    }

    fn collect(&mut self, json: &Json, path: &mut Path) {
        if self.is_too_much() {
            return;
        }
        *self.visits.entry(path.0.clone()).or_default() += 1;
        match json {
            Json::Literal(text) => self.leaf(path, literal_kind(text), text),
            Json::String(text) => self.leaf(path, Kind::String, text),
            Json::Array(elements) if elements.is_empty() => push_once(&mut self.empty, path),
            Json::Array(elements) => {
                path.0.push(Step::Each);
                push_once(&mut self.arrays, path);
                for element in elements {
                    self.collect(element, path);
                }
                path.0.pop();
            }
            Json::Object(members) => {
                push_once(&mut self.objects, path);
                for (name, value) in members {
                    path.0.push(Step::Name(name.clone()));
                    self.collect(value, path);
                    path.0.pop();
                }
            }
        }
    }

    fn leaf(&mut self, path: &Path, kind: Kind, text: &str) {
        let at = self.leaves.iter().position(|leaf| leaf.path == *path);
        let at = at.unwrap_or_else(|| {
            self.leaves.push(Leaf {
                path: path.clone(),
                kinds: Vec::new(),
                texts: Vec::new(),
            });
            self.leaves.len() - 1
        });
        let Some(leaf) = self.leaves.get_mut(at) else {
            return;
        };
        if !leaf.kinds.contains(&kind) {
            leaf.kinds.push(kind);
        }
        // A `null` that the list of types names needs no match.
        if kind != Kind::Null && !leaf.texts.iter().any(|known| known == text) {
            leaf.texts.push(text.to_owned());
        }
    }
}

fn push_once(paths: &mut Vec<Path>, path: &Path) {
    if !paths.contains(path) {
        paths.push(path.clone());
    }
}

fn push(text: &mut String, part: std::fmt::Arguments<'_>) {
    // Writing to a string does not fail.
    let _ = text.write_fmt(part);
}

/// The part of a line that a text is written to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// The URL.
    Url,
    /// The value of a parameter.
    Parameter,
    /// The value of a member of a body.
    Member,
}

fn alternatives(texts: &[&str], place: Place) -> String {
    let texts = texts.iter().map(|text| escaped(text, place));
    texts.collect::<Vec<_>>().join("|")
}

/// A regular expression that matches exactly this text, in this part of a line.
#[must_use]
pub fn escaped(text: &str, place: Place) -> String {
    let mut out = String::new();
    let last = text.chars().count().saturating_sub(1);
    let mut quotes = 0;
    for (at, character) in text.chars().enumerate() {
        let is_end = at == 0 || at == last;
        quotes = if character == '\'' { quotes + 1 } else { 0 };
        match character {
            // Three of them end the text of lines in a policy file.
            '\'' if quotes % 3 == 0 => out.push_str(r"\x27"),
            ' ' if place == Place::Url || is_end => out.push_str(r"\x20"),
            ' ' => out.push(' '),
            '\n' => out.push_str(r"\n"),
            '\r' => out.push_str(r"\r"),
            '\t' => out.push_str(r"\t"),
            '%' if place != Place::Member => out.push_str("[%]"),
            '#' => out.push_str(r"\x23"),
            '?' if place == Place::Url => out.push_str(r"\x3F"),
            ':' if place == Place::Url => out.push_str(r"\:"),
            '=' | '<' | '>' if at == 0 => push(&mut out, format_args!("[{character}]")),
            '\\' | '.' | '+' | '*' | '?' | '(' | ')' | '|' | '[' | ']' | '{' | '}' | '^' | '$' => {
                out.push('\\');
                out.push(character);
            }
            _ if character.is_control() || character.is_whitespace() || is_hidden(character) => {
                push(&mut out, format_args!(r"\x{{{:X}}}", u32::from(character)));
            }
            _ => out.push(character),
        }
    }
    out
}

/// The name of a parameter as lines write it.
#[must_use]
pub fn parameter(name: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '_' | '-');
    if !name.is_empty() && name != "only" && name.chars().all(is_plain) {
        return name.to_owned();
    }
    let escaped = name.replace('\\', r"\\").replace('"', "\\\"");
    format!("\"{escaped}\"")
}
