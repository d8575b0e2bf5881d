//! Suggestions for the values of keys.

use std::collections::BTreeSet;

use gen_lsp_types::CompletionItemKind;
use tokenward_compiler::{diagnostic::Code, lint::can_be_excepted, source::SourceKind};

use super::suggestion::{MOST, Suggestion, of_sets};
use crate::{
    keys::{self, Form},
    sets::Sets,
    workspace::Workspace,
};

/// A value at the cursor.
pub(super) struct Place<'a> {
    pub(super) kind: SourceKind,
    pub(super) section: &'a str,
    pub(super) key: &'a str,
    /// Whether the cursor is in a string.
    pub(super) is_quoted: bool,
    /// Whether it is in a list.
    pub(super) is_listed: bool,
}

pub(super) fn suggest(workspace: &mut Workspace, place: &Place<'_>) -> Vec<Suggestion> {
    let Some(key) = keys::find(place.kind, place.section, place.key) else {
        return Vec::new();
    };
    let names = |found: BTreeSet<String>, kind: CompletionItemKind| {
        let found = found.into_iter().take(MOST);
        found
            .map(move |name| Suggestion::new(name, kind, "In use in this policy."))
            .collect()
    };
    let value = CompletionItemKind::Value;
    let found: Vec<Suggestion> = match place.key {
        "include" => of_sets(&Sets::of(workspace)),
        "user" | "users" | "on_behalf_of" => {
            names(used(workspace, &["user", "users", "on_behalf_of"]), value)
        }
        "owner" | "owners" => names(used(workspace, &["owner"]), value),
        "tokens" | "token" => names(used(workspace, &["name"]), value),
        "lint_allow" => codes(),
        _ => match key.form {
            Form::Flag => return words(&["true", "false"]),
            Form::OnlyTrue => return words(&["true"]),
            Form::Choice(choices) => words(choices),
            _ => Vec::new(),
        },
    };
    let is_list = matches!(key.form, Form::Texts | Form::Patterns(_));
    let quote = |one: Suggestion| {
        let text = match (place.is_quoted, is_list && !place.is_listed) {
            (true, _) => return one,
            (false, true) => format!("[\"{}\"]", one.text),
            (false, false) => format!("\"{}\"", one.text),
        };
        one.inserting(text)
    };
    found.into_iter().map(quote).collect()
}

fn words(all: &[&str]) -> Vec<Suggestion> {
    all.iter()
        .map(|word| Suggestion::new(*word, CompletionItemKind::Keyword, ""))
        .collect()
}

fn codes() -> Vec<Suggestion> {
    let codes = Code::ALL.iter().filter(|code| can_be_excepted(**code));
    codes
        .map(|code| {
            Suggestion::new(code.as_str(), CompletionItemKind::EnumMember, code.title())
                .inserting(format!("{code}: "))
        })
        .collect()
}

/// The values of some keys of tokens.
fn used(workspace: &mut Workspace, keys: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for (_, kind, text, outline) in workspace.outlines() {
        if kind != SourceKind::Tokens {
            continue;
        }
        for section in outline.sections.iter().filter(|section| section.name == "token") {
            let values = keys.iter().flat_map(|key| section.texts(&text, key));
            let plain = values.filter(|value| !value.is_empty() && !value.contains(['"', '\\', '\n']));
            found.extend(plain.map(str::to_owned));
        }
    }
    found
}
