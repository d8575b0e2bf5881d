//! Diagnostics for people, in the manner of rustc.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Diagnostic, Fix, Label, Proof, Severity, Unproved, operations::listed};
use crate::{
    secret,
    source::{SourceId, SourceSet},
    visible::visible,
};

/// Findings that a text shows. More than a reader takes in, and few enough for a broken file of any size.
pub const SHOWN: usize = 500;

/// Findings as text, one blank line between them; empty for none. With `colour`, ANSI sequences.
///
/// Of more than [`SHOWN`], errors come first, and a last line counts the rest.
///
/// User text is shown with control and bidirectional characters escaped, so that a policy file cannot repaint the
/// reviewer's terminal; secrets are masked.
#[must_use]
pub fn render_text(sources: &SourceSet, diagnostics: &[Diagnostic], colour: bool) -> String {
    render_some(sources, diagnostics, (SHOWN, colour))
}

/// Like [`render_text`], of at most `most` findings.
#[must_use]
pub fn render_some(sources: &SourceSet, diagnostics: &[Diagnostic], (most, colour): (usize, bool)) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    let mut shown: Vec<&Diagnostic> = diagnostics.iter().collect();
    if shown.len() > most {
        // The order among errors, and among warnings, stays.
        shown.sort_by_key(|diagnostic| diagnostic.severity != Severity::Error);
    }
    let left = shown.split_off(most.min(shown.len()));
    let texts = shown
        .into_iter()
        .map(|diagnostic| secret::masked(&renderer.render(&[group(sources, diagnostic)])) + "\n\n")
        // The renderer leaves these as they are; some terminals take U+009B for the begin of a sequence.
        .map(|text| text.replace(|c| ('\u{80}'..='\u{9f}').contains(&c), "\u{fffd}"));
    texts.chain(rest(&left)).collect()
}

/// Counts the findings that are not shown.
fn rest(left: &[&Diagnostic]) -> Option<String> {
    let errors = left
        .iter()
        .filter(|diagnostic| diagnostic.severity == Severity::Error)
        .count();
    let warnings = left.len() - errors;
    (!left.is_empty()).then(|| {
        format!(
            "{} more findings are not shown: {errors} errors, {warnings} warnings\n\n",
            left.len()
        )
    })
}

fn group<'a>(sources: &'a SourceSet, diagnostic: &'a Diagnostic) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let headline = untrusted(&diagnostic.headline);
    let mut group = Group::with_title(level.primary_title(headline).id(diagnostic.code.as_str()));
    // One snippet a file, the primary's first, with every label of that file that is near.
    let mut labels: Vec<(AnnotationKind, &Label)> = vec![(AnnotationKind::Primary, &diagnostic.primary)];
    let related = diagnostic.related.iter().take(RELATED);
    labels.extend(related.map(|label| (AnnotationKind::Context, label)));
    while let Some((_, first)) = labels.first() {
        let first = first.span;
        let is_here = |label: &Label| {
            label.span.source == first.source && label.span.start.abs_diff(first.start) <= NEAR
        };
        let (here, elsewhere): (Vec<_>, Vec<_>) = labels.into_iter().partition(|(_, label)| is_here(label));
        labels = elsewhere;
        let id = first.source;
        let Some(source) = sources.get(id) else { continue };
        let excerpt = Excerpt::around(sources, (id, &source.text), &here);
        let mut snippet = Snippet::source(excerpt.text)
            .path(untrusted(&sources.shown(&source.path)))
            .line_start(excerpt.first_line);
        for (kind, label) in here {
            let span = excerpt.place(label);
            snippet = snippet.annotation(if label.text.is_empty() {
                kind.span(span)
            } else {
                kind.span(span).label(untrusted(&label.text))
            });
        }
        group = group.element(snippet);
    }
    if let Some(place) = &diagnostic.elsewhere {
        let file = annotate_snippets::normalize_untrusted_str(&place.file);
        group = group.element(Origin::path(file).line(place.line));
    }
    // The proof comes after the snippets, and the advice last.
    if let Some(widened) = &diagnostic.widened {
        group = group.element(Level::NOTE.with_name("widened").message(untrusted(widened)));
    }
    for operation in listed(&diagnostic.newly_allowed) {
        let note = Level::NOTE.with_name("newly allowed");
        group = group.element(note.message(untrusted(&operation)));
    }
    if let Some(witness) = &diagnostic.witness {
        for text in [&witness.request, &witness.curl] {
            let text = untrusted(text);
            group = group.element(Level::NOTE.with_name("witness").message(text));
        }
        if let Some(operation) = &witness.operation {
            let note = Level::NOTE.with_name("operation");
            group = group.element(note.message(untrusted(operation)));
        }
    }
    if let Some(left) = diagnostic
        .related
        .len()
        .checked_sub(RELATED)
        .filter(|left| *left > 0)
    {
        group = group.element(Level::NOTE.message(format!("{left} more places are not shown")));
    }
    if let Some(help) = &diagnostic.help {
        group = group.element(Level::HELP.message(untrusted(help)));
    }
    match diagnostic
        .best_fix()
        .and_then(|fix| fix_note(sources, diagnostic, fix))
    {
        Some(note) => group.element(Level::NOTE.with_name("fix").message(untrusted(&note))),
        None => group,
    }
}

/// What a correction writes, unless the advice shows that, and what is proved about it; `None` if nobody asked for a proof.
fn fix_note(sources: &SourceSet, diagnostic: &Diagnostic, fix: &Fix) -> Option<String> {
    if fix.proof == Proof::Unproved(Unproved::Untried) {
        return None;
    }
    let written = fix.described(sources);
    let is_shown = diagnostic
        .help
        .as_ref()
        .is_some_and(|help| help.contains(&written));
    let proof = &fix.proof;
    Some(if is_shown {
        proof.to_string()
    } else {
        format!("{written}; {proof}")
    })
}

/// Text that files chose: it stays in its line, and control and bidirectional characters are replaced.
fn untrusted(text: &str) -> String {
    annotate_snippets::normalize_untrusted_str(&visible(text))
}

/// The lines of a text that contain labels, cut to a readable length: a line of megabytes is an error too.
struct Excerpt<'a> {
    text: &'a str,
    start: usize,
    first_line: usize,
}

/// Maximum number of bytes shown before and after the labels.
const MARGIN: usize = 400;
/// Labels of one file that are further apart than this many bytes get snippets of their own: the renderer reads through all that is
/// between the labels of one.
const NEAR: usize = 4 << 10;
/// Second places that one finding shows.
const RELATED: usize = 24;

impl<'a> Excerpt<'a> {
    fn around(
        sources: &SourceSet,
        (id, text): (SourceId, &'a str),
        labels: &[(AnnotationKind, &Label)],
    ) -> Self {
        let low = labels
            .iter()
            .map(|(_, label)| label.span.start)
            .min()
            .unwrap_or(0)
            .min(text.len());
        let high = labels
            .iter()
            .map(|(_, label)| label.span.end.min(label.span.start + MARGIN))
            .max()
            .unwrap_or(0);
        let (first_line, line_start) = sources.line_at(id, low);
        let start = ceil_boundary(text, line_start.max(low.saturating_sub(MARGIN)));
        let high = floor_boundary(text, high.min(text.len()));
        // No further than what is shown: a line may be all of the file.
        let furthest = floor_boundary(text, text.len().min(high + MARGIN));
        let end = text
            .get(high..furthest)
            .and_then(|after| after.find('\n'))
            .map_or(furthest, |at| high + at)
            .max(start);
        Self {
            text: text.get(start..end).unwrap_or_default(),
            start,
            first_line,
        }
    }

    fn place(&self, label: &Label) -> std::ops::Range<usize> {
        let start = label.span.start.saturating_sub(self.start).min(self.text.len());
        let end = label
            .span
            .end
            .saturating_sub(self.start)
            .clamp(start, self.text.len());
        ceil_boundary(self.text, start)..floor_boundary(self.text, end).max(ceil_boundary(self.text, start))
    }
}

fn floor_boundary(text: &str, mut at: usize) -> usize {
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

fn ceil_boundary(text: &str, mut at: usize) -> usize {
    while at < text.len() && !text.is_char_boundary(at) {
        at += 1;
    }
    at
}
