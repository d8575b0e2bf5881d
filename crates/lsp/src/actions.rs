//! Quick fixes: the corrections of findings, and exceptions from warnings.

use std::collections::HashMap;

use gen_lsp_types::{CodeAction, CodeActionKind, Range, TextEdit, Uri, WorkspaceEdit};
use tokenward_compiler::{diagnostic::Severity, lint::can_be_excepted, source::SourceKind, visible};

use crate::{
    findings::{Correction, Finding, Place},
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
        for (at, correction) in finding.fixes.iter().enumerate() {
            found.extend(corrected(&places, workspace, finding, (at == 0, correction)));
        }
        let is_line = blocks
            .iter()
            .any(|block| block.start <= finding.place.range.start && finding.place.range.end <= block.end);
        if is_line && kind != SourceKind::Invariants {
            found.extend(exception(&places, workspace, finding, &text));
        }
    }
    found
}

fn corrected(
    places: &Places<'_>,
    workspace: &Workspace,
    finding: &Finding,
    (is_first, correction): (bool, &Correction),
) -> Option<CodeAction> {
    let what = match correction.edits.as_slice() {
        [(_, new)] if new.is_empty() => "remove this text".to_owned(),
        [(_, new)] => format!("write `{}`", new.trim()),
        edits => format!("change {} places", edits.len()),
    };
    let proof = match correction.proof.as_str() {
        "" => String::new(),
        proof => format!(" ({proof})"),
    };
    let title = visible(&format!("{}: {what}{proof}", finding.code));
    let mut action = action(places, workspace, finding, &correction.edits, title)?;
    // Editors apply a preferred action on a single key, so it is one that gives no access.
    action.is_preferred = (is_first && correction.is_proved).then_some(true);
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
    action(places, workspace, finding, &[(place, new)], title)
}

fn action(
    places: &Places<'_>,
    workspace: &Workspace,
    finding: &Finding,
    edits: &[(Place, String)],
    title: String,
) -> Option<CodeAction> {
    let mut changes: HashMap<Uri, Vec<TextEdit>> = HashMap::new();
    for (place, new) in edits {
        let uri = workspace.uri(&place.file)?;
        changes.entry(uri).or_default().push(TextEdit {
            range: places.range(place)?,
            new_text: new.clone(),
        });
    }
    Some(CodeAction {
        title,
        kind: Some(CodeActionKind::QuickFix),
        diagnostics: Some(vec![places.diagnostic(finding)?]),
        edit: Some(WorkspaceEdit {
            changes: Some(changes),
            ..WorkspaceEdit::default()
        }),
        ..CodeAction::default()
    })
}
