//! Findings as diagnostics of the protocol.

use std::{cell::RefCell, collections::BTreeMap, sync::Arc};

use gen_lsp_types::{
    self as lsp, DiagnosticRelatedInformation, DiagnosticSeverity, DiagnosticTag, Location, Position,
    PublishDiagnosticsParams, Range, Uri,
};
use tokenward_compiler::{
    diagnostic::{Code, Severity},
    secret, visible,
};

use crate::{
    findings::{Finding, Outside, Place},
    text::LineIndex,
    workspace::Workspace,
};

/// Findings of a file that are shown at most; errors come first.
const MOST: usize = 500;
/// Other places of a finding that are shown at most.
const RELATED: usize = 20;
/// The name of this program in lists of findings.
pub(crate) const SOURCE: &str = "tokenward";

/// The codes of texts that could be removed without a change of what is allowed.
const UNNECESSARY: [Code; 11] = [
    Code::DeadForbid,
    Code::DeadHere,
    Code::NeverMatches,
    Code::UnusedSet,
    Code::EmptyLine,
    Code::CoveredLine,
    Code::IdleForbid,
    Code::TakenBack,
    Code::IncludedTwice,
    Code::DeadAlternative,
    Code::IdleException,
];

/// The findings of all files of a policy, by the address of the file. Of files without findings, only open documents are there.
pub(crate) fn all(workspace: &Workspace) -> Vec<PublishDiagnosticsParams> {
    let places = Places::new(workspace);
    // An open document without findings is reported too: its editor waits for the answer.
    let open = workspace.documents().into_iter();
    let mut by_file: BTreeMap<String, Vec<Finding>> = open.map(|(path, _)| (path, Vec::new())).collect();
    for found in workspace.findings() {
        by_file
            .entry(found.place.file.to_string())
            .or_default()
            .push(found);
    }
    let inside = by_file.into_iter().filter_map(|(file, mut findings)| {
        let uri = workspace.uri(&file)?;
        findings.sort_by_key(|found| (found.severity, found.place.range.start, found.code));
        let left = findings.len().saturating_sub(MOST);
        findings.truncate(MOST);
        let mut diagnostics: Vec<_> = findings
            .iter()
            .filter_map(|found| places.diagnostic(found))
            .collect();
        if left > 0 {
            let text = format!(
                "{left} more findings of this file are not shown; `tokenward compile --check` shows them"
            );
            diagnostics.push(plain(Range::default(), Severity::Warning, None, text));
        }
        let version = workspace.document(&file).map(|document| document.version);
        Some(PublishDiagnosticsParams {
            uri,
            version,
            diagnostics,
        })
    });
    inside.chain(outside(workspace.outside())).collect()
}

fn outside(found: &[Outside]) -> Vec<PublishDiagnosticsParams> {
    let mut by_file: BTreeMap<&str, Vec<lsp::Diagnostic>> = BTreeMap::new();
    for one in found {
        let line = u32::try_from(one.line.saturating_sub(1)).unwrap_or(u32::MAX);
        let range = of_line(line);
        let shown = plain(range, one.severity, one.code, one.message.clone());
        by_file.entry(&one.file).or_default().push(shown);
    }
    let files = by_file.into_iter().filter_map(|(file, diagnostics)| {
        let path = std::path::absolute(file).ok()?;
        Some(PublishDiagnosticsParams {
            uri: Uri::from_file_path(path).ok()?,
            version: None,
            diagnostics,
        })
    });
    files.collect()
}

/// A whole line.
pub(crate) fn of_line(line: u32) -> Range {
    Range {
        start: Position { line, character: 0 },
        end: Position {
            line: line.saturating_add(1),
            character: 0,
        },
    }
}

/// A diagnostic of only a text.
pub(crate) fn plain(
    range: Range,
    severity: Severity,
    code: Option<Code>,
    message: String,
) -> lsp::Diagnostic {
    lsp::Diagnostic {
        range,
        severity: Some(level(severity)),
        code: code.map(|code| lsp::Code::String(code.as_str().to_owned())),
        source: Some(SOURCE.to_owned()),
        message: lsp::Message::String(shown(&message)),
        ..lsp::Diagnostic::default()
    }
}

/// The places of findings, as positions. The lines of each file are read once.
pub(crate) struct Places<'w> {
    workspace: &'w Workspace,
    files: RefCell<BTreeMap<String, Option<Lines>>>,
}

/// The text of a file, and where its lines begin.
struct Lines {
    text: Arc<str>,
    index: LineIndex,
}

impl<'w> Places<'w> {
    pub(crate) fn new(workspace: &'w Workspace) -> Self {
        Self {
            workspace,
            files: RefCell::default(),
        }
    }

    pub(crate) fn location(&self, place: &Place) -> Option<Location> {
        Some(Location {
            uri: self.workspace.uri(&place.file)?,
            range: self.range(place)?,
        })
    }

    pub(crate) fn range(&self, place: &Place) -> Option<Range> {
        let mut known = self.files.borrow_mut();
        let entry = known.entry(place.file.to_string()).or_insert_with(|| {
            let (_, _, text) = self.workspace.source(&place.file)?;
            let index = self.workspace.lines(&place.file, &text);
            Some(Lines { text, index })
        });
        let lines = entry.as_ref()?;
        Some(lines.index.range(&lines.text, place.range.clone()))
    }

    /// A finding as the editor shows it.
    pub(crate) fn diagnostic(&self, found: &Finding) -> Option<lsp::Diagnostic> {
        let related = found.related.iter().take(RELATED).filter_map(|(place, text)| {
            let text = if text.is_empty() { "see also" } else { text };
            Some(DiagnosticRelatedInformation {
                location: self.location(place)?,
                message: shown(text),
            })
        });
        let related: Vec<_> = related.collect();
        let is_unnecessary = UNNECESSARY.contains(&found.code);
        Some(lsp::Diagnostic {
            range: self.range(&found.place)?,
            severity: Some(level(found.severity)),
            code: Some(lsp::Code::String(found.code.as_str().to_owned())),
            source: Some(SOURCE.to_owned()),
            message: lsp::Message::String(message(found)),
            tags: is_unnecessary.then(|| vec![DiagnosticTag::Unnecessary]),
            related_information: (!related.is_empty()).then_some(related),
            ..lsp::Diagnostic::default()
        })
    }
}

fn message(found: &Finding) -> String {
    let mut lines = vec![shown(&found.headline)];
    if !found.label.is_empty() {
        lines.push(shown(&found.label));
    }
    if let Some(help) = &found.help {
        lines.push(format!("help: {}", shown(help)));
    }
    if let Some(request) = &found.request {
        lines.push(format!("for example: {}", shown(request)));
    }
    lines.join("\n")
}

/// Text that files chose: one line, without control characters and secrets.
fn shown(text: &str) -> String {
    visible(&secret::masked(text))
}

fn level(severity: Severity) -> DiagnosticSeverity {
    match severity {
        Severity::Error => DiagnosticSeverity::Error,
        Severity::Warning => DiagnosticSeverity::Warning,
    }
}
