//! The canonical spelling of one limit line.

use crate::{
    ast::{Constraint, Effect, Limit, Operator, Subject, Test},
    json::{Kinds, Path, Step},
    method::{Method, MethodSet},
    parse::{begins_with_root, parse_line, quoted_name},
};

use super::{
    meaning,
    text::{slice, whole},
};

/// Spells a line, already without surrounding blanks: `![get,post]URL[constraint]…`, without blanks between the parts, methods in
/// lower case and in one order, names of JSON types in one order, quotes only around names that need them. Regexps and bounds stay
/// as they are. A line that does not parse, or whose new spelling would mean anything else, stays too.
pub(super) fn format(text: &str) -> String {
    let whole = whole(text);
    let Ok(limit) = parse_line(text, whole) else {
        return text.to_owned();
    };
    let spelled = spell(text, &limit);
    if meaning::of_line(&spelled) == meaning::of_line(text) {
        spelled
    } else {
        text.to_owned()
    }
}

fn spell(text: &str, limit: &Limit) -> String {
    let mut out = String::with_capacity(text.len());
    if limit.effect == Effect::Forbid {
        out.push('!');
    }
    if let Some(methods) = limit.methods {
        out.push_str(&list(methods));
    }
    out.push_str(slice(text, limit.url.span));
    for constraint in &limit.constraints {
        out.push_str(&self::constraint(text, constraint));
    }
    out
}

/// `[get,post]`
fn list(methods: MethodSet) -> String {
    let named = Method::NAMED
        .into_iter()
        .filter(|method| methods.contains(*method));
    let names: Vec<String> = named.map(|method| method.as_str().to_ascii_lowercase()).collect();
    format!("[{}]", names.join(","))
}

fn constraint(text: &str, constraint: &Constraint) -> String {
    let written = slice(text, constraint.span);
    let (prefix, name) = match &constraint.subject {
        Subject::Query(name) => ("[QueryParam::", query_name(written, name, &constraint.test)),
        Subject::Json(path) => ("[JsonData::", json_path(written, path, &constraint.test)),
    };
    let Some(name) = name else {
        return written.to_owned();
    };
    let test = match &constraint.test {
        Test::Only => String::new(),
        Test::Values {
            operator,
            kinds,
            pattern,
        } => test(*kinds, *operator, slice(text, pattern.span)),
        Test::Range {
            operator,
            kinds,
            span,
            ..
        } => test(*kinds, *operator, slice(text, *span)),
    };
    format!("{prefix}{name}{test}]")
}

fn test(kinds: Option<Kinds>, operator: Operator, value: &str) -> String {
    let kinds = kinds.map_or_else(String::new, |kinds| format!(":{kinds}"));
    format!("{kinds}{}{value}", operator.as_str())
}

/// The name of a parameter; `None` if the constraint stays as it is written.
fn query_name(written: &str, name: &str, test: &Test) -> Option<String> {
    if *test == Test::Only {
        return Some("only".to_owned());
    }
    let is_quoted = written.strip_prefix("[QueryParam::")?.starts_with('"');
    Some(if !is_quoted || is_plain(name) {
        name.to_owned()
    } else {
        quoted_name(name)
    })
}

/// The path of a node; `None` if the constraint stays as it is written: version 1 of the language read an unquoted `$` as a name,
/// and a path without it would hide that (TW0121).
fn json_path(written: &str, path: &Path, test: &Test) -> Option<String> {
    if begins_with_root(written) {
        return None;
    }
    let mut out = String::new();
    for step in &path.0 {
        match step {
            Step::Each => out.push_str("[*]"),
            Step::Name(name) => {
                let dot = if out.is_empty() { "" } else { "." };
                out.push_str(dot);
                out.push_str(&step_name(written, name));
            }
        }
    }
    if *test == Test::Only {
        let dot = if out.is_empty() { "" } else { "." };
        out.push_str(dot);
        out.push_str("only");
    }
    Some(out)
}

/// The name of a step. One that is written in quotes keeps them unless no rule about names needs them.
fn step_name(written: &str, name: &str) -> String {
    let quoted = quoted_name(name);
    if !is_plain(name) && written.contains(&quoted) {
        quoted
    } else {
        name.to_owned()
    }
}

/// Whether a name needs no quotes under any rule about names.
fn is_plain(name: &str) -> bool {
    let mut characters = name.chars();
    let is_letter = |c: char| c.is_ascii_alphabetic() || c == '_';
    name != "only"
        && characters.next().is_some_and(is_letter)
        && characters.all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))
}
