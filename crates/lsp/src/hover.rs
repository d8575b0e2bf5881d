//! The explanation of the part of a file at the cursor.

use std::ops::Range;

use gen_lsp_types::{Contents, Hover, MarkupContent, MarkupKind};
use tokenward_compiler::source::SourceKind;

use crate::{
    cursor::{Cursor, cursor},
    explain::{self, Line, code},
    findings::Finding,
    host::{Policy, Stop},
    keys,
    outline::Section,
    sets::Sets,
    text::LineIndex,
    workspace::Workspace,
};

/// What is shown, and the line that is to be explained first, if there is one.
#[derive(Debug)]
pub(crate) struct Asked {
    line: Option<Line>,
    /// The pages of the findings at the cursor, or the meaning of a key.
    rest: String,
    range: gen_lsp_types::Range,
}

/// Looks at the cursor; `None` if there is nothing to explain.
pub(crate) fn look(
    workspace: &mut Workspace,
    path: &str,
    position: gen_lsp_types::Position,
) -> Option<Asked> {
    let (_, kind, text) = workspace.source(path)?;
    let lines = workspace.lines(path, &text);
    let at = lines.offset(&text, position);
    let outline = workspace.outline(path, &text);
    let pages = pages(workspace, path, at);
    let shown = |line: Option<Line>, what: String, range: Range<usize>, lines: &LineIndex| Asked {
        line,
        rest: joined(&what, &pages),
        range: lines.range(&text, range),
    };
    match cursor(kind, &text, &outline, at) {
        Cursor::Line { line, .. } => {
            let line_text = text.get(line.clone())?.to_owned();
            if line_text.is_empty() || line.end < at || at < line.start {
                return None;
            }
            if kind == SourceKind::Limits && line_text.starts_with("@include") {
                let sets = Sets::of(workspace);
                let name = &sets.use_at(path, at)?.name;
                return Some(shown(None, set_words(&sets, name), line, &lines));
            }
            let section = outline.section(at).filter(|_| kind == SourceKind::Tokens);
            let asked = question(workspace, section, &text, line_text);
            Some(shown(Some(asked), String::new(), line, &lines))
        }
        Cursor::Key { section, key, .. } => {
            let known = keys::find(kind, &section, text.get(key.clone())?.trim())?;
            Some(shown(None, meaning(known), key, &lines))
        }
        Cursor::Value { section, key, string } => {
            let known = keys::find(kind, &section, &key)?;
            let range = string.unwrap_or(at..at);
            let mut what = meaning(known);
            if key == "include" {
                let sets = Sets::of(workspace);
                let name = text.get(range.clone()).unwrap_or_default();
                what = joined(&set_words(&sets, name), &what);
            }
            Some(shown(None, what, range, &lines))
        }
        Cursor::Header => {
            let section = outline.section(at)?;
            let known = keys::sections(kind)
                .iter()
                .find(|known| known.name == section.name)?;
            let end = section.range.start + section.name.len() + 4;
            Some(shown(
                None,
                known.meaning.to_owned(),
                section.range.start..end,
                &lines,
            ))
        }
        Cursor::Comment => None,
    }
}

impl Asked {
    /// The answer.
    pub(crate) fn answer(self, policy: &dyn Policy, stop: &Stop) -> Option<Hover> {
        let line = self.line.as_ref();
        let explained = line.and_then(|line| explain::explain(line, policy.terms(), stop));
        let permit = line.filter(|line| !line.text.starts_with('!') && explained.is_some());
        let operations = permit.and_then(|line| policy.operations(&line.text, stop));
        let explained: Vec<String> = explained.into_iter().chain(operations).collect();
        let value = joined(&explained.join("\n\n"), &self.rest);
        if value.is_empty() {
            return None;
        }
        Some(Hover {
            contents: Contents::MarkupContent(MarkupContent {
                kind: MarkupKind::Markdown,
                value,
            }),
            range: Some(self.range),
        })
    }
}

fn question(workspace: &mut Workspace, section: Option<&Section>, text: &str, line: String) -> Line {
    let Some(section) = section else {
        return Line {
            text: line,
            user: None,
            forbids: Vec::new(),
        };
    };
    let sets = Sets::of(workspace);
    let mut forbids = sets.forbids(&section.texts(text, "include"));
    let blocks = section.entries.iter().filter_map(|entry| entry.block(text));
    for block in blocks {
        let lines = text.get(block).unwrap_or_default().lines().map(str::trim);
        forbids.extend(lines.filter(|line| line.starts_with('!')).map(str::to_owned));
    }
    Line {
        text: line,
        user: section.text(text, "user").map(str::to_owned),
        forbids,
    }
}

fn meaning(key: &keys::Key) -> String {
    let example = key.example.replace('\n', " ");
    format!(
        "**{}**: {}\n\nFor example: {}",
        key.name,
        key.meaning,
        code(&format!("{} = {example}", key.name))
    )
}

fn set_words(sets: &Sets, name: &str) -> String {
    match sets.files.get(name).map(Vec::as_slice) {
        Some([file, ..]) => {
            let count = sets.uses_of(name).count();
            let places = if count == 1 { "place" } else { "places" };
            format!(
                "The set {}, defined in {}, included in {count} {places}.",
                code(name),
                code(file)
            )
        }
        _ => format!("There is no set {}.", code(name)),
    }
}

/// The pages of the findings at a byte.
fn pages(workspace: &Workspace, path: &str, at: usize) -> String {
    let findings = workspace.findings();
    let here = |found: &&Finding| {
        let place = &found.place;
        &*place.file == path && place.range.start <= at && at <= place.range.end
    };
    let mut codes: Vec<_> = findings.iter().filter(here).map(|found| found.code).collect();
    codes.sort_unstable();
    codes.dedup();
    let pages: Vec<&str> = codes.iter().map(|code| code.page().trim()).collect();
    pages.join("\n\n---\n\n")
}

fn joined(one: &str, other: &str) -> String {
    match (one.is_empty(), other.is_empty()) {
        (true, _) => other.to_owned(),
        (_, true) => one.to_owned(),
        _ => format!("{one}\n\n---\n\n{other}"),
    }
}
