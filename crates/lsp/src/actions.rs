//! Quick fixes: the corrections of findings, and exceptions from warnings.

use std::collections::HashMap;

use gen_lsp_types::{CodeAction, CodeActionKind, Range, TextEdit, Uri, WorkspaceEdit};
use tokenward_compiler::{diagnostic::Severity, lint::can_be_excepted, source::SourceKind};

use crate::{
    findings::{Finding, Place},
    outline::{blocks, line_at},
    publish::Places,
    workspace::Workspace,
};

/// Quick fixes of the findings in a range.
pub(crate) fn actions(workspace: &mut Workspace, path: &str, range: Range) -> Vec<CodeAction> {
    let Some((_, kind, text)) = workspace.source(path) else {
        return Vec::new();
    };
    let lines = workspace.lines(path, &text);
    let (one, other) = (lines.offset(&text, range.start), lines.offset(&text, range.end));
    let (start, end) = (one.min(other), one.max(other));
    let outline = workspace.outline(path, &text);
    let blocks = blocks(kind, &text, &outline);
    let places = Places::new(workspace);
    let mut found: Vec<CodeAction> = Vec::new();
    let findings = workspace.findings();
    let here = findings.iter().filter(|found| {
        let place = &found.place;
        &*place.file == path && place.range.start <= end && start <= place.range.end
    });
    for finding in here {
        found.extend(correction(&places, workspace, finding));
        let is_line = blocks
            .iter()
            .any(|block| block.start <= finding.place.range.start && finding.place.range.end <= block.end);
        if is_line && kind != SourceKind::Invariants {
            found.extend(exception(&places, workspace, finding, &text));
        }
    }
    found
}

fn correction(places: &Places<'_>, workspace: &Workspace, finding: &Finding) -> Option<CodeAction> {
    let (place, new) = finding.fix.as_ref()?;
    let title = match finding.help.as_deref() {
        Some(help) if help.len() < 100 => format!("{}: {help}", finding.code),
        _ if new.is_empty() => format!("{}: remove this text", finding.code),
        _ => format!("{}: write `{new}`", finding.code),
    };
    let mut action = action(places, workspace, finding, (place, new.clone()), title)?;
    action.is_preferred = Some(true);
    Some(action)
}

/// A comment above the line that excepts it, without the reason, which only the author knows.
fn exception(
    places: &Places<'_>,
    workspace: &Workspace,
    finding: &Finding,
    text: &str,
) -> Option<CodeAction> {
    if finding.severity == Severity::Error || !can_be_excepted(finding.code) {
        return None;
    }
    let line = line_at(text, finding.place.range.start);
    let begins = text
        .get(..line.start)?
        .rfind('\n')
        .map_or(0, |newline| newline + 1);
    let indent = text.get(begins..line.start)?;
    let end = if text.get(begins..)?.split('\n').next()?.ends_with('\r') {
        "\r\n"
    } else {
        "\n"
    };
    let place = Place {
        file: finding.place.file.clone(),
        range: begins..begins,
    };
    let new = format!("{indent}# allow {}: {end}", finding.code);
    let title = format!("{}: except this line (add the reason)", finding.code);
    action(places, workspace, finding, (&place, new), title)
}

fn action(
    places: &Places<'_>,
    workspace: &Workspace,
    finding: &Finding,
    (place, new_text): (&Place, String),
    title: String,
) -> Option<CodeAction> {
    let uri: Uri = workspace.uri(&place.file)?;
    let edit = TextEdit {
        range: places.range(place)?,
        new_text,
    };
    Some(CodeAction {
        title,
        kind: Some(CodeActionKind::QuickFix),
        diagnostics: Some(vec![places.diagnostic(finding)?]),
        edit: Some(WorkspaceEdit {
            changes: Some(HashMap::from([(uri, vec![edit])])),
            ..WorkspaceEdit::default()
        }),
        ..CodeAction::default()
    })
}
