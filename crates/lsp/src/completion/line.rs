//! Suggestions in a limit line.

use std::collections::BTreeSet;

use gen_lsp_types::CompletionItemKind;
use tokenward_compiler::{
    ast::{Subject, Test},
    method::Method,
    parse::parse_line,
    source::{SourceKind, Span},
};

use super::{
    paths,
    suggestion::{MOST, Suggestion, of_sets, tail},
};
use crate::{sets::Sets, workspace::Workspace};

const PLACEHOLDERS: [(&str, &str); 4] = [
    (
        "USER",
        "The token's user, as plain text. The token must have a single `user`.",
    ),
    ("BASE_URL", "The configured public URL."),
    ("JIRA_URL", "The configured public URL; the same as `{BASE_URL}`."),
    (
        "CONFLUENCE_URL",
        "The configured public URL; the same as `{BASE_URL}`.",
    ),
];
const KINDS: [&str; 4] = ["string", "number", "boolean", "null"];
const OPERATORS: [(&str, &str); 6] = [
    ("==", "Present, and every value matches the regexp."),
    ("?=", "Absent, or every value matches the regexp."),
    ("!=", "No value matches the regexp."),
    (
        "<=",
        "Present, and every value is a number or a date up to the bound.",
    ),
    (
        ">=",
        "Present, and every value is a number or a date from the bound on.",
    ),
    (
        "?<=",
        "Absent, or every value is a number or a date up to the bound.",
    ),
];
/// Lines that are read for the names that they use.
const MOST_LINES: usize = 20_000;

/// Suggestions for the text between the line's beginning and the cursor, and how many bytes before the cursor they replace.
pub(super) fn suggest(workspace: &mut Workspace, before: &str, is_set: bool) -> (usize, Vec<Suggestion>) {
    if let Some(rest) = before.strip_prefix("@include") {
        return (rest.trim_start().len(), of_sets(&Sets::of(workspace)));
    }
    if let Some(at) = open(before, '{', '}') {
        let all = PLACEHOLDERS.iter();
        let found = all.map(|(name, meaning)| {
            Suggestion::new(format!("{{{name}}}"), CompletionItemKind::Variable, *meaning)
        });
        return (before.len() - at, found.collect());
    }
    let Some(at) = open(before, '[', ']') else {
        let described = workspace.policy.paths();
        if let Some(found) = described.and_then(|described| paths::suggest(&described, before)) {
            return found;
        }
        let is_begun = before.starts_with(['/', '[']) || before.starts_with("![") || before.starts_with("!/");
        return if is_begun {
            (0, parts())
        } else {
            (before.len(), beginning(before, is_set))
        };
    };
    let inside = before.get(at + 1..).unwrap_or_default();
    if let Some(name) = inside.strip_prefix("QueryParam::") {
        return constraint(name, &|| names(workspace, false));
    }
    if let Some(name) = inside.strip_prefix("JsonData::") {
        return constraint(name, &|| names(workspace, true));
    }
    let is_first = before
        .get(..at)
        .is_some_and(|first| first.trim_matches(['!', ' ']).is_empty());
    if is_first {
        return (
            tail(inside, |character| character.is_alphabetic()),
            methods(inside),
        );
    }
    (before.len() - at, parts())
}

/// Where a bracket is that nothing has closed.
fn open(before: &str, opening: char, closing: char) -> Option<usize> {
    let at = before.rfind(opening)?;
    let behind = before.get(at..)?;
    let is_escaped = before
        .get(..at)
        .is_some_and(|text| tail(text, |character| character == '\\') % 2 == 1);
    (!behind.contains(closing) && !is_escaped).then_some(at)
}

fn beginning(before: &str, is_set: bool) -> Vec<Suggestion> {
    let keyword = CompletionItemKind::Keyword;
    let mut found = vec![
        Suggestion::new("[get]", keyword, "A line that permits GET.").snippet("[get]/$0"),
        Suggestion::new("[get,post]", keyword, "A line that permits GET and POST.")
            .snippet("[${1:get,post}]/$0"),
    ];
    if !before.starts_with('!') {
        let meaning = "A line that forbids requests, even if another line allows them.";
        found.push(Suggestion::new("!", keyword, meaning));
        if is_set {
            let meaning = "The lines of another set.";
            found.push(Suggestion::new("@include", keyword, meaning).inserting("@include "));
        }
    }
    found
}

fn methods(inside: &str) -> Vec<Suggestion> {
    let given: Vec<String> = inside
        .split([',', '|'])
        .map(|method| method.trim().to_ascii_lowercase())
        .collect();
    let methods = Method::NAMED
        .iter()
        .map(|method| method.as_str().to_ascii_lowercase());
    let left = methods.filter(|method| !given.contains(method));
    left.map(|method| {
        let meaning = format!("The method {}.", method.to_ascii_uppercase());
        Suggestion::new(method, CompletionItemKind::EnumMember, meaning)
    })
    .collect()
}

fn parts() -> Vec<Suggestion> {
    let keyword = CompletionItemKind::Keyword;
    let part = |label: &str, text: &str, snippet: &str, meaning: &str| {
        Suggestion::new(label, keyword, meaning)
            .inserting(text)
            .snippet(snippet)
    };
    vec![
        part(
            "[QueryParam::",
            "[QueryParam::",
            "[QueryParam::${1:name}==${2:value}]",
            "A condition on a parameter of the query.",
        ),
        part(
            "[QueryParam::only]",
            "[QueryParam::only]",
            "[QueryParam::only]",
            "No parameter that this line does not name.",
        ),
        part(
            "[JsonData::",
            "[JsonData::",
            "[JsonData::${1:name}==${2:value}]",
            "A condition on a member of the JSON body.",
        ),
        part(
            "[JsonData::only]",
            "[JsonData::only]",
            "[JsonData::only]",
            "No member of the JSON body that this line does not name.",
        ),
    ]
}

/// Suggestions after `[QueryParam::` or `[JsonData::`.
fn constraint(name: &str, names: &dyn Fn() -> BTreeSet<String>) -> (usize, Vec<Suggestion>) {
    let is_operator = |character: char| "=!?<>".contains(character);
    if name.trim_end_matches(is_operator).contains(is_operator) {
        // In the value, nothing is known.
        return (0, Vec::new());
    }
    let operators = || {
        let all = OPERATORS.iter();
        all.map(|(operator, meaning)| Suggestion::new(*operator, CompletionItemKind::Operator, *meaning))
    };
    if name.ends_with(is_operator) {
        return (tail(name, is_operator), operators().collect());
    }
    if let Some((_, kinds)) = name.rsplit_once(':') {
        let typed = tail(kinds, |character| character.is_alphabetic());
        let known = KINDS.iter();
        let mut found: Vec<Suggestion> = known
            .map(|kind| {
                Suggestion::new(
                    *kind,
                    CompletionItemKind::TypeParameter,
                    format!("Values of the type {kind}."),
                )
            })
            .collect();
        if KINDS.iter().any(|kind| kinds.ends_with(kind)) {
            found = operators().collect();
            return (0, found);
        }
        return (typed, found);
    }
    let mut found: Vec<Suggestion> = names()
        .into_iter()
        .take(MOST)
        .map(|name| Suggestion::new(name, CompletionItemKind::Field, "In use in this policy."))
        .collect();
    found.push(Suggestion::new(
        "only",
        CompletionItemKind::Keyword,
        "Nothing that this line does not name.",
    ));
    (name.len(), found)
}

/// The parameters, or the paths of JSON nodes, that the lines of the policy name.
fn names(workspace: &Workspace, is_json: bool) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    let mut left = MOST_LINES;
    let word = if is_json { "[JsonData::" } else { "[QueryParam::" };
    for (_, source) in workspace.sources().iter() {
        if source.kind == SourceKind::Reviewed {
            continue;
        }
        let lines = source.text.lines().map(str::trim);
        for line in lines.filter(|line| line.contains(word)) {
            left -= 1;
            if left == 0 {
                return names;
            }
            collect(line, is_json, &mut names);
        }
    }
    names
}

fn collect(line: &str, is_json: bool, names: &mut BTreeSet<String>) {
    let span = Span {
        end: line.len(),
        ..Span::nowhere()
    };
    let Ok(limit) = parse_line(line, span) else {
        return;
    };
    for constraint in limit.constraints {
        if constraint.test == Test::Only {
            continue;
        }
        match constraint.subject {
            Subject::Query(name) if !is_json => drop(names.insert(name)),
            Subject::Json(path) if is_json => drop(names.insert(path.to_string())),
            _ => {}
        }
    }
}
