//! A line in parts, so that lines can be compared and put together.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

use tokenward_compiler::analysis::Json;
use tokenward_compiler::closest::{Asked, AskedBody, Place, escaped, members, parameter};
use tokenward_compiler::method::Method;

use super::line::Line;
use super::operation::{Known, Operations};
use super::value;
use crate::capture::{Secrets, is_secret_member};

/// A part of a line that has alternatives.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Part {
    Method,
    /// A segment of the path, by its number.
    Segment(usize),
    /// A parameter, by its name.
    Query(String),
}

/// The texts of a part; None where the parameter is absent.
pub(super) type Texts = BTreeSet<Option<String>>;

/// A line in parts.
#[derive(Clone, Debug)]
pub(super) struct Draft {
    pub(super) parts: BTreeMap<Part, Texts>,
    /// The conditions on the body, and whether there are conditions on parameters: no part of a line has alternatives for them.
    pub(super) fixed: String,
    has_query: bool,
    pub(super) calls: Vec<usize>,
    pub(super) operations: BTreeSet<String>,
    pub(super) open: BTreeSet<String>,
}

impl Draft {
    /// The narrowest line of a call, with the values generalised that the operation describes.
    pub(super) fn new(
        number: usize,
        asked: &Asked,
        (operations, secrets): (&Operations<'_>, &Secrets),
    ) -> Result<Self, String> {
        if asked.method == Method::Other {
            return Err("no line can name its method".to_owned());
        }
        if !asked.path.starts_with('/') {
            return Err("no line can name its path".to_owned());
        }
        check_path(&asked.path, secrets)?;
        let known = operations.of(asked);
        let mut out = Self {
            calls: vec![number],
            operations: known.iter().map(Known::name).collect(),
            ..Self::empty()
        };
        out.add(Part::Method, asked.method.as_str().to_ascii_lowercase());
        let segments = match &known {
            Some(known) => known.segments(&mut out.open),
            None => asked
                .path
                .trim_start_matches('/')
                .split('/')
                .map(|text| escaped(text, Place::Url))
                .collect(),
        };
        for (at, text) in segments.into_iter().enumerate() {
            out.add(Part::Segment(at), text);
        }
        out.body(asked, known.as_ref(), secrets)?;
        // Where bodies are merged with the query, a line with conditions on parameters matches no body whose members it does not
        // name.
        let is_named = match &asked.body {
            AskedBody::Json(json) => matches!(json, Json::Object(_)) && !out.fixed.is_empty(),
            _ => true,
        };
        if operations.merges && !is_named {
            out.has_query = false;
            out.open
                .insert("any parameters, since the line does not name the body's members".to_owned());
        }
        if out.has_query {
            out.query(asked, known.as_ref(), secrets)?;
        }
        Ok(out)
    }

    pub(super) fn empty() -> Self {
        Self {
            parts: BTreeMap::new(),
            fixed: String::new(),
            has_query: true,
            calls: Vec::new(),
            operations: BTreeSet::new(),
            open: BTreeSet::new(),
        }
    }

    /// The length of the line, in bytes; a little more than it is.
    pub(super) fn length(&self) -> usize {
        let parts = self.parts.iter().map(|(part, texts)| {
            let name = match part {
                Part::Query(name) => 2 * name.len() + 20,
                Part::Method | Part::Segment(_) => 3,
            };
            name + texts
                .iter()
                .map(|text| 1 + text.as_ref().map_or(0, String::len))
                .sum::<usize>()
        });
        parts.sum::<usize>() + self.fixed.len() + "[QueryParam::only]".len()
    }

    fn add(&mut self, part: Part, text: String) {
        self.parts.entry(part).or_default().insert(Some(text));
    }

    fn query(&mut self, asked: &Asked, known: Option<&Known<'_>>, secrets: &Secrets) -> Result<(), String> {
        let mut times: BTreeMap<&str, usize> = BTreeMap::new();
        for (name, given) in &asked.query {
            *times.entry(name).or_default() += 1;
            if secrets.are_in(name) {
                return Err(has_secret("the name of a parameter"));
            }
            let given = given.as_deref().unwrap_or_default();
            let generalised = match secrets.hide(name, given) {
                true => Some(".*".to_owned()),
                false => known
                    .and_then(|known| known.parameter(name))
                    .and_then(|shape| value::of_parameter(given, shape)),
            };
            if let Some(pattern) = &generalised {
                self.open.insert(format!("the parameter `{name}` as `{pattern}`"));
            }
            self.add(
                Part::Query(name.clone()),
                generalised.unwrap_or_else(|| escaped(given, Place::Parameter)),
            );
        }
        for (name, _) in times.into_iter().filter(|(_, times)| *times > 1) {
            self.open.insert(format!(
                "the values of the parameter `{name}` in any number and order"
            ));
        }
        Ok(())
    }

    fn body(&mut self, asked: &Asked, known: Option<&Known<'_>>, secrets: &Secrets) -> Result<(), String> {
        let mut any_body = || {
            self.open.insert("any body".to_owned());
        };
        match &asked.body {
            AskedBody::Absent if matches!(asked.method, Method::Get | Method::Head) => {}
            AskedBody::Absent => "[JsonData::only]".clone_into(&mut self.fixed),
            AskedBody::Form | AskedBody::Mislabelled { is_form: true, .. } => {
                // A line with conditions on parameters matches no form.
                self.has_query = false;
                any_body();
                self.open
                    .insert("any parameters, since the body is a form".to_owned());
            }
            AskedBody::Other | AskedBody::Mislabelled { .. } => any_body(),
            AskedBody::Json(json) => {
                if has_secret_name(json, secrets) {
                    return Err(has_secret("the name of a member"));
                }
                self.json(json, known, secrets);
            }
        }
        Ok(())
    }

    fn json(&mut self, json: &Json, known: Option<&Known<'_>>, secrets: &Secrets) {
        let generalised = RefCell::new(BTreeSet::new());
        let value = |path: &str, kinds: &[_], texts: &[&str]| {
            let is_secret = texts.is_empty() && is_secret_member(path, "")
                || texts.iter().any(|text| secrets.hide(path, text));
            let pattern = match is_secret {
                true => Some(".*".to_owned()),
                false => {
                    let known = known.filter(|known| known.has_body())?;
                    value::of_member(known.property(path), kinds, texts)
                }
            }?;
            let shown = format!("the member `{path}` as `{pattern}`");
            generalised.borrow_mut().insert(shown);
            Some(pattern)
        };
        match members(json, value) {
            Some(members) => {
                let arrays = members.arrays.iter();
                self.open
                    .extend(arrays.map(|path| format!("the values of `{path}` in any number and order")));
                self.open.extend(generalised.into_inner());
                self.open.extend(members.loose);
                self.fixed = members.text;
            }
            None => {
                self.open.insert("any body".to_owned());
            }
        }
    }

    /// The line, with its calls and operations.
    pub(super) fn line(self) -> Line {
        let texts = |part: &Part| {
            self.parts
                .get(part)
                .into_iter()
                .flatten()
                .flatten()
                .cloned()
                .collect::<Vec<_>>()
        };
        let mut text = format!("[{}]", texts(&Part::Method).join(","));
        for (part, _) in self
            .parts
            .iter()
            .filter(|(part, _)| matches!(part, Part::Segment(_)))
        {
            text.push('/');
            text.push_str(&grouped(&texts(part)));
        }
        for (part, values) in &self.parts {
            if let Part::Query(name) = part {
                let operator = if values.contains(&None) { "?=" } else { "==" };
                text.push_str(&format!(
                    "[QueryParam::{}{operator}{}]",
                    parameter(name),
                    texts(part).join("|")
                ));
            }
        }
        if self.has_query {
            text.push_str("[QueryParam::only]");
        }
        text.push_str(&self.fixed);
        Line {
            text,
            calls: self.calls,
            operations: self.operations,
            open: self.open,
        }
    }

    /// A key that two drafts share if they differ in nothing but this part.
    pub(super) fn without(&self, part: &Part) -> (Vec<(&Part, &Texts)>, &str, bool) {
        let others = self.parts.iter().filter(|(other, _)| *other != part);
        (others.collect(), &self.fixed, self.has_query)
    }
}

/// Checks that no segment of the path contains a secret.
fn check_path(path: &str, secrets: &Secrets) -> Result<(), String> {
    let is_secret = |segment: &str| {
        let mut parts = segment.split(';');
        let named = parts.clone().skip(1).filter_map(|part| part.split_once('='));
        secrets.are_in(segment)
            || parts.any(|part| secrets.are_in(part))
            || named.into_iter().any(|(name, value)| secrets.hide(name, value))
    };
    match path.split('/').any(is_secret) {
        true => Err(has_secret("the path")),
        false => Ok(()),
    }
}

fn has_secret(part: &str) -> String {
    format!(
        "{part} contains a credential, and a line must not contain one; change or remove the call in the file"
    )
}

fn has_secret_name(json: &Json, secrets: &Secrets) -> bool {
    match json {
        Json::Literal(_) | Json::String(_) => false,
        Json::Array(elements) => elements.iter().any(|element| has_secret_name(element, secrets)),
        Json::Object(members) => members
            .iter()
            .any(|(name, value)| secrets.are_in(name) || has_secret_name(value, secrets)),
    }
}

fn grouped(texts: &[String]) -> String {
    match texts {
        [one] => one.clone(),
        several => format!("({})", several.join("|")),
    }
}
