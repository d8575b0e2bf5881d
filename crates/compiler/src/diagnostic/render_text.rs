//! Diagnostics for people, in the manner of rustc.

use annotate_snippets::{AnnotationKind, Group, Level, Origin, Renderer, Snippet};

use super::{Diagnostic, Label, Severity};
use crate::{secret, source::SourceSet, visible::visible};

/// All diagnostics as text, one blank line between them; empty for none. With `colour`, ANSI sequences.
///
/// User text is shown with control and bidirectional characters escaped, so that a policy file cannot repaint the
/// reviewer's terminal; secrets are masked.
#[must_use]
pub fn render_text(sources: &SourceSet, diagnostics: &[Diagnostic], colour: bool) -> String {
    let renderer = if colour {
        Renderer::styled()
    } else {
        Renderer::plain()
    };
    diagnostics
        .iter()
        .map(|diagnostic| secret::masked(&renderer.render(&[group(sources, diagnostic)])) + "\n\n")
        // The renderer leaves these as they are; some terminals take U+009B for the begin of a sequence.
        .map(|text| text.replace(|c| ('\u{80}'..='\u{9f}').contains(&c), "\u{fffd}"))
        .collect()
}

fn group<'a>(sources: &'a SourceSet, diagnostic: &'a Diagnostic) -> Group<'a> {
    let level = match diagnostic.severity {
        Severity::Error => Level::ERROR,
        Severity::Warning => Level::WARNING,
    };
    let headline = untrusted(&diagnostic.headline);
    let mut group = Group::with_title(level.primary_title(headline).id(diagnostic.code.as_str()));
    // One snippet a file, the primary's first, with every label of that file.
    let mut labels: Vec<(AnnotationKind, &Label)> = vec![(AnnotationKind::Primary, &diagnostic.primary)];
    labels.extend(
        diagnostic
            .related
            .iter()
            .map(|label| (AnnotationKind::Context, label)),
    );
    while let Some(id) = labels.first().map(|(_, label)| label.span.source) {
        let (here, elsewhere): (Vec<_>, Vec<_>) =
            labels.into_iter().partition(|(_, label)| label.span.source == id);
        labels = elsewhere;
        let Some(source) = sources.get(id) else { continue };
        let excerpt = Excerpt::around(&source.text, &here);
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
    if let Some(witness) = &diagnostic.witness {
        for text in [&witness.request, &witness.curl] {
            let text = untrusted(text);
            group = group.element(Level::NOTE.with_name("witness").message(text));
        }
    }
    match &diagnostic.help {
        Some(help) => group.element(Level::HELP.message(untrusted(help))),
        None => group,
    }
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

impl<'a> Excerpt<'a> {
    fn around(text: &'a str, labels: &[(AnnotationKind, &Label)]) -> Self {
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
        let line_start = text
            .get(..low)
            .and_then(|before| before.rfind('\n'))
            .map_or(0, |at| at + 1);
        let start = ceil_boundary(text, line_start.max(low.saturating_sub(MARGIN)));
        let high = floor_boundary(text, high.min(text.len()));
        let line_end = text
            .get(high..)
            .and_then(|after| after.find('\n'))
            .map_or(text.len(), |at| high + at);
        let end = floor_boundary(text, line_end.min(high + MARGIN)).max(start);
        let first_line = text
            .as_bytes()
            .get(..start)
            .unwrap_or_default()
            .iter()
            .filter(|&&byte| byte == b'\n')
            .count();
        Self {
            text: text.get(start..end).unwrap_or_default(),
            start,
            first_line: first_line + 1,
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
