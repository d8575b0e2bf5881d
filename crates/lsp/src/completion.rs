//! Completion: parts of limit lines, names that the policy uses, and keys.

mod line;
mod paths;
mod suggestion;
mod value;

use gen_lsp_types::{
    CompletionItem, CompletionItemKind, CompletionItemTextEdit, Documentation, InsertTextFormat,
    MarkupContent, MarkupKind, Position, TextEdit,
};
use tokenward_compiler::source::SourceKind;

use self::suggestion::Suggestion;
use crate::{
    cursor::{Cursor, cursor},
    keys::{self, Form},
    workspace::Workspace,
};

/// Suggestions for the text before the cursor, in the order in which they are useful.
pub(crate) fn complete(
    workspace: &mut Workspace,
    path: &str,
    position: Position,
    has_snippets: bool,
) -> Vec<CompletionItem> {
    let Some((_, kind, text)) = workspace.source(path) else {
        return Vec::new();
    };
    let lines = workspace.lines(path, &text);
    let at = lines.offset(&text, position);
    let outline = workspace.outline(path, &text);
    let (replaced, found) = match cursor(kind, &text, &outline, at) {
        Cursor::Line { line, is_set } => {
            let before = text.get(line.start.min(at)..at).unwrap_or_default();
            line::suggest(workspace, before, is_set)
        }
        Cursor::Key {
            section,
            key,
            has_value,
        } => {
            let start = key.start.min(at);
            let present: Vec<&str> = outline
                .section(at)
                .into_iter()
                .flat_map(|section| section.entries.iter().map(|entry| entry.key.as_str()))
                .collect();
            (at - start, of_keys(kind, &section, &present, has_value))
        }
        Cursor::Value { section, key, string } => {
            let start = string.as_ref().map_or(at, |string| string.start);
            let entry = outline
                .section(at)
                .and_then(|section| section.entries.iter().find(|entry| entry.key == key));
            let written = entry.and_then(|entry| text.get(entry.value.clone()));
            let place = value::Place {
                kind,
                section: &section,
                key: &key,
                is_quoted: string.is_some(),
                is_listed: written.is_some_and(|written| written.starts_with('[')),
            };
            (at - start, value::suggest(workspace, &place))
        }
        Cursor::Header => {
            let start = text
                .get(..at)
                .and_then(|before| before.rfind('\n'))
                .map_or(0, |newline| newline + 1);
            (at - start, of_sections(kind))
        }
        Cursor::Comment => return Vec::new(),
    };
    let range = at.saturating_sub(replaced)..at;
    items(found, lines.range(&text, range), has_snippets)
}

fn of_keys(kind: SourceKind, section: &str, present: &[&str], has_value: bool) -> Vec<Suggestion> {
    let Some(known) = keys::sections(kind).iter().find(|known| known.name == section) else {
        return of_sections(kind);
    };
    let missing = known.keys.iter().filter(|key| !present.contains(&key.name));
    let mut found: Vec<Suggestion> = missing
        .map(|key| {
            let suggestion = Suggestion::new(key.name, CompletionItemKind::Property, key.meaning);
            if has_value {
                return suggestion;
            }
            let (text, snippet) = match key.form {
                Form::Lines => ("'''\n\n'''".to_owned(), "'''\n$0\n'''"),
                Form::Text | Form::AnyText | Form::Pattern(_) | Form::Choice(_) => {
                    ("\"\"".to_owned(), "\"$0\"")
                }
                Form::Line => ("''".to_owned(), "'$0'"),
                Form::Texts | Form::Patterns(_) => ("[\"\"]".to_owned(), "[\"$0\"]"),
                Form::Flag | Form::OnlyTrue => ("true".to_owned(), "true"),
                Form::Count | Form::Time | Form::Any => (key.example.to_owned(), "$0"),
            };
            suggestion
                .inserting(format!("{} = {text}", key.name))
                .snippet(format!("{} = {snippet}", key.name))
        })
        .collect();
    found.extend(of_sections(kind));
    found
}

fn of_sections(kind: SourceKind) -> Vec<Suggestion> {
    let sections = keys::sections(kind).iter();
    sections
        .map(|section| {
            Suggestion::new(
                format!("[[{}]]", section.name),
                CompletionItemKind::Struct,
                section.meaning,
            )
        })
        .collect()
}

fn items(found: Vec<Suggestion>, range: gen_lsp_types::Range, has_snippets: bool) -> Vec<CompletionItem> {
    let found = found.into_iter().enumerate();
    found
        .map(|(at, one)| {
            let snippet = one.snippet.filter(|_| has_snippets);
            let format = snippet.as_ref().map(|_| InsertTextFormat::Snippet);
            CompletionItem {
                filter_text: Some(one.label.clone()),
                label: one.label,
                kind: Some(one.kind),
                sort_text: Some(format!("{at:05}")),
                insert_text_format: format,
                documentation: documentation(one.meaning),
                text_edit: Some(CompletionItemTextEdit::TextEdit(TextEdit {
                    range,
                    new_text: snippet.unwrap_or(one.text),
                })),
                ..CompletionItem::default()
            }
        })
        .collect()
}

fn documentation(meaning: String) -> Option<Documentation> {
    if meaning.is_empty() {
        return None;
    }
    Some(Documentation::MarkupContent(MarkupContent {
        kind: MarkupKind::Markdown,
        value: meaning,
    }))
}
