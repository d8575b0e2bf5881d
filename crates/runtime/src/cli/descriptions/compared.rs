//! Operations as the analysis sees them.

use tokenward_compiler::method::Method;
use tokenward_compiler::reach::{self, Catalogue, Values};
use tokenward_openapi::{Kind, Location, Operation, Parameter, Piece, Shape};

use super::super::failure::Failure;
use super::super::output;
use tokenward_pdp::config::Config;

/// Makes operations comparable with a policy under a configuration, in the same order.
pub(in super::super) fn catalogue<'o>(
    operations: impl IntoIterator<Item = &'o Operation>,
    config: &Config,
) -> Result<Catalogue, Failure> {
    let base = &config.upstream.public_url;
    let operations = operations
        .into_iter()
        .map(|operation| compared(operation, base.path()));
    let catalogue = Catalogue::new(operations.collect(), base).map_err(Failure::trouble)?;
    let warnings = catalogue.warnings();
    if let Some(first) = warnings.first() {
        let more = match warnings.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        output::note(&format!("tokenward: {first}{more}"));
    }
    Ok(catalogue)
}

/// An operation as the analysis sees it.
fn compared(operation: &Operation, context: &str) -> reach::Operation {
    let shown = operation.name();
    let path = shown
        .split_once(' ')
        .map_or(shown.as_str(), |(_, path)| path)
        .to_owned();
    let bases: Vec<Vec<reach::Segment>> = operation
        .bases
        .iter()
        .map(|base| base_segments(below(base, context)))
        .collect();
    let segments = operation.template.segments.iter().map(|segment| {
        let pieces = segment.pieces.iter().map(|piece| match piece {
            Piece::Literal(text) => reach::Piece::Literal(decoded(text)),
            Piece::Parameter(name) => parameter(name, operation.path_parameter(name)),
        });
        reach::Segment(pieces.collect())
    });
    reach::Operation {
        name: operation.id.clone().unwrap_or_default(),
        method: Method::from_token(&operation.method),
        path,
        bases,
        segments: segments.collect(),
    }
}

/// A server's path below the public URL: lines are about paths below it, so its own path is taken off.
fn below<'b>(base: &'b str, context: &str) -> &'b str {
    let context = context.trim_end_matches('/');
    match base.strip_prefix(context) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
        _ => base,
    }
}

fn base_segments(base: &str) -> Vec<reach::Segment> {
    let segments = base.split('/').filter(|segment| !segment.is_empty());
    let segment = |text: &str| {
        let piece = if text.contains('{') {
            parameter(text, None)
        } else {
            reach::Piece::Literal(decoded(text))
        };
        reach::Segment(vec![piece])
    };
    segments.map(segment).collect()
}

/// A text of the path, decoded as the proxy decodes it: an encoded slash stays, since it does not end the segment.
fn decoded(text: &str) -> String {
    let parts = text.split("%2F").flat_map(|part| part.split("%2f"));
    let parts: Vec<String> = parts.map(decoded_part).collect();
    parts.join("%2F")
}

fn decoded_part(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

fn parameter(name: &str, known: Option<&Parameter>) -> reach::Piece {
    let known = known.filter(|parameter| parameter.location == Location::Path);
    reach::Piece::Parameter {
        name: name.to_owned(),
        values: known.map_or(Values::Any, |parameter| {
            values(&parameter.shape, parameter.multi_segment)
        }),
        examples: known.map_or_else(Vec::new, |parameter| parameter.examples.clone()),
    }
}

/// The values of a parameter in the path. Whole numbers are taken for digits unless the description allows smaller ones.
fn values(shape: &Shape, is_path: bool) -> Values {
    if is_path {
        Values::Path
    } else if !shape.values.is_empty() {
        Values::OneOf(shape.values.clone())
    } else if let Some(pattern) = &shape.pattern {
        Values::Pattern(pattern.clone())
    } else if shape.is(Kind::Integer) {
        let sign = if shape.minimum.is_some_and(|minimum| minimum < 0) {
            "-?"
        } else {
            ""
        };
        Values::Pattern(format!("^{sign}[0-9]+$"))
    } else if shape.is(Kind::Boolean) {
        Values::OneOf(vec!["true".to_owned(), "false".to_owned()])
    } else {
        Values::Any
    }
}
