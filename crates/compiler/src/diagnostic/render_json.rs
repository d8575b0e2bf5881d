//! Diagnostics for programs: one JSON object a line.

use serde::Serialize;

use super::{Diagnostic, Elsewhere, Fix, Label, Witness};
use crate::{
    secret,
    source::{SourceSet, Span},
};

#[derive(Serialize)]
struct Row<'a> {
    code: &'a str,
    severity: &'a str,
    headline: &'a str,
    #[serde(flatten)]
    primary: Place<'a>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    related: Vec<Place<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    fixes: Vec<Correction<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    widened: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    newly_allowed: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    witness: Option<Proof<'a>>,
}

/// A correction, and what is proved about it.
#[derive(Serialize)]
struct Correction<'a> {
    edits: Vec<Edit<'a>>,
    /// `equivalent`, `narrower` or `unproved`.
    proof: &'a str,
    /// The proof in words.
    note: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    lost: Option<Proof<'a>>,
}

/// A text to write in the place of another.
#[derive(Serialize)]
struct Edit<'a> {
    #[serde(flatten)]
    place: Place<'a>,
    text: &'a str,
}

/// A request, as one line and as a command.
#[derive(Serialize)]
struct Proof<'a> {
    request: &'a str,
    curl: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    operation: Option<&'a str>,
}

/// Lines and columns count from 1, columns in characters; the end is the first character after the span.
#[derive(Serialize)]
struct Place<'a> {
    file: std::borrow::Cow<'a, str>,
    line: usize,
    column: usize,
    end_line: usize,
    end_column: usize,
    #[serde(skip_serializing_if = "str::is_empty")]
    label: &'a str,
}

/// All diagnostics as JSON lines; empty for none.
#[must_use]
pub fn render_json(sources: &SourceSet, diagnostics: &[Diagnostic]) -> String {
    let row = |diagnostic: &Diagnostic| {
        let row = Row {
            code: diagnostic.code.as_str(),
            severity: diagnostic.severity.as_str(),
            headline: &diagnostic.headline,
            primary: match &diagnostic.elsewhere {
                Some(elsewhere) => outside(elsewhere),
                None => labelled(sources, &diagnostic.primary),
            },
            related: diagnostic
                .related
                .iter()
                .map(|label| labelled(sources, label))
                .collect(),
            help: diagnostic.help.as_deref(),
            fixes: diagnostic
                .fixes
                .iter()
                .map(|fix| correction(sources, fix))
                .collect(),
            widened: diagnostic.widened.as_deref(),
            newly_allowed: &diagnostic.newly_allowed,
            witness: diagnostic.witness.as_ref().map(proof),
        };
        // Plain strings and numbers always serialise.
        secret::masked(&serde_json::to_string(&row).unwrap_or_default()) + "\n"
    };
    diagnostics.iter().map(row).collect()
}

fn correction<'a>(sources: &'a SourceSet, fix: &'a Fix) -> Correction<'a> {
    let edit = |edit: &'a super::Edit| Edit {
        place: place(sources, edit.span, ""),
        text: &edit.text,
    };
    Correction {
        edits: fix.edits.iter().map(edit).collect(),
        proof: fix.proof.name(),
        note: fix.proof.to_string(),
        lost: match &fix.proof {
            super::Proof::Narrower { lost } => Some(proof(&lost.request)),
            _ => None,
        },
    }
}

fn proof(witness: &Witness) -> Proof<'_> {
    Proof {
        request: &witness.request,
        curl: &witness.curl,
        operation: witness.operation.as_deref(),
    }
}

fn labelled<'a>(sources: &'a SourceSet, label: &'a Label) -> Place<'a> {
    place(sources, label.span, &label.text)
}

fn place<'a>(sources: &'a SourceSet, span: Span, label: &'a str) -> Place<'a> {
    let (line, column) = sources.line_and_column(span.source, span.start);
    let (end_line, end_column) = sources.line_and_column(span.source, span.end);
    Place {
        file: sources
            .get(span.source)
            .map_or("".into(), |source| sources.shown(&source.path).into()),
        line,
        column,
        end_line,
        end_column,
        label,
    }
}

/// The begin of a line in a file that is no part of the policy.
fn outside(place: &Elsewhere) -> Place<'_> {
    Place {
        file: place.file.as_str().into(),
        line: place.line,
        column: 1,
        end_line: place.line,
        end_column: 1,
        label: "",
    }
}
