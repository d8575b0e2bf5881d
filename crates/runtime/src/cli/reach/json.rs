//! The answer as one JSON object. It is printed piece by piece: a thousand tokens may reach a million operations.

use serde_json::{Value, json};
use tokenward_compiler::reach::{Cell, Reached};
use tokenward_pdp::text::escaped;

use super::super::ask::line_json;
use super::super::descriptions::DescribedFile;
use super::super::failure::Failure;
use super::super::output;
use super::view::{View, extent, reasons};

pub(super) fn print(view: &View<'_>) -> Result<(), Failure> {
    let head = json!({
        "version": 1,
        "kind": "reach",
        "settled": view.is_settled(),
        "descriptions": files(view),
        "operations": operations(view),
    });
    let head = escaped(&head.to_string());
    let open = head.strip_suffix('}').unwrap_or(&head);
    output::print(&format!("{open},\"tokens\":["))?;
    for (at, reached) in view.survey.tokens.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        output::print(&format!("{comma}{}", escaped(&token(view, reached).to_string())))?;
    }
    output::print("]}\n")
}

fn files(view: &View<'_>) -> Vec<Value> {
    let file = |file: &DescribedFile| {
        json!({
            "file": file.path.display().to_string(),
            "title": file.title,
            "version": file.version,
            "operations": file.operations,
            "defects": file.defects.len(),
            "losses": file.losses().count(),
        })
    };
    view.files.iter().map(file).collect()
}

/// The operations, each with the number of tokens that reach it.
fn operations(view: &View<'_>) -> Vec<Value> {
    let counts = view.tokens_of_operations();
    let all = view.operations.iter().zip(counts);
    all.map(|(operation, tokens)| {
        json!({
            "name": operation.name(),
            "id": operation.id,
            "method": operation.method,
            "tags": operation.tags,
            "deprecated": operation.deprecated,
            "tokens": tokens,
        })
    })
    .collect()
}

/// An object with further members.
pub(super) fn with<const N: usize>(mut value: Value, more: [(&str, Value); N]) -> Value {
    if let Value::Object(members) = &mut value {
        members.extend(more.map(|(name, value)| (name.to_owned(), value)));
    }
    value
}

fn token(view: &View<'_>, reached: &Reached) -> Value {
    let program = &view.policy.program;
    let own = program.token(reached.token);
    let cells = view.survey.cells(reached);
    let cells: Vec<Value> = cells.map(|(at, found)| cell(view, reached, at, found)).collect();
    let lines = view.lines(reached).into_iter().map(|(line, full, part)| {
        with(
            line_json(program, line),
            [("full", json!(full)), ("part", json!(part))],
        )
    });
    let lines: Vec<Value> = lines.collect();
    let without = view.lines_without(reached).into_iter();
    json!({
        "token": own.name,
        "state": view.policy.state(own),
        "reached": view.survey.cells(reached).filter(|(_, cell)| cell.is_reached()).count(),
        "operations": cells,
        "lines": lines,
        "lines_without_operation": without.map(|line| line_json(program, line)).collect::<Vec<Value>>(),
    })
}

/// The calls of an operation that a token may make.
pub(super) fn cell(view: &View<'_>, reached: &Reached, at: usize, cell: &Cell) -> Value {
    let program = &view.policy.program;
    let hits = cell.hits.iter().map(|hit| {
        let lines = hit.class.into_iter().flat_map(|class| reached.lines(class));
        json!({
            "lines": lines.map(|line| line_json(program, line)).collect::<Vec<Value>>(),
            "whole": hit.is_whole,
            "request": hit.request.to_string(),
            "forwarded": hit.obstacles.is_empty(),
            "obstacles": hit.obstacles.iter().map(ToString::to_string).collect::<Vec<String>>(),
        })
    });
    let forbids = cell.forbids.iter().flat_map(|class| reached.lines(*class));
    json!({
        "operation": view.operation(at).map(|operation| operation.name()),
        "id": view.operation(at).and_then(|operation| operation.id.clone()),
        "extent": extent(cell),
        "because": reasons(cell.because),
        "allowed_by": hits.collect::<Vec<Value>>(),
        "denied_by": forbids.map(|line| line_json(program, line)).collect::<Vec<Value>>(),
        "inside": cell.inside().map(ToString::to_string),
        "outside": cell.outside.as_ref().map(ToString::to_string),
        "why": cell.inconclusive.map(|why| why.to_string()),
    })
}
