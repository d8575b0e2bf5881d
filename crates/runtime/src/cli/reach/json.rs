//! The answer as one JSON object. It is printed piece by piece: a thousand tokens may reach a million operations.

use std::fmt::Display;

use serde::Serialize;
use serde_json::{Value, json};
use tokenward_compiler::analysis::{Inconclusive, Obstacle, Request};
use tokenward_compiler::reach::{Cell, Class, Reached};
use tokenward_openapi::Operation;

use super::super::ask::{ShownLine, displayed};
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
    let head = head.to_string();
    let open = head.strip_suffix('}').unwrap_or(&head);
    output::print_document(&format!("{open},\"tokens\":["))?;
    for (at, reached) in view.survey.tokens.iter().enumerate() {
        let comma = if at == 0 { "" } else { "," };
        let token = serde_json::to_string(&token(view, reached))
            .map_err(|error| Failure::Trouble(error.to_string()))?;
        output::print_raw(comma)?;
        output::print_document(&token)?;
    }
    output::print_raw("]}\n")
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

/// What one token reaches. A thousand tokens may have a million cells, so it is written without a tree of values.
#[derive(Serialize)]
struct Token<'v> {
    token: &'v str,
    state: &'static str,
    reached: usize,
    operations: Vec<ShownCell<'v>>,
    lines: Vec<CountedLine<'v>>,
    lines_without_operation: Vec<ShownLine<'v>>,
}

/// A permit line with the numbers of operations that it reaches.
#[derive(Serialize)]
struct CountedLine<'v> {
    #[serde(flatten)]
    line: ShownLine<'v>,
    full: usize,
    part: usize,
}

/// The calls of an operation that a token may make.
#[derive(Serialize)]
pub(super) struct ShownCell<'v> {
    operation: Option<String>,
    id: Option<&'v str>,
    extent: &'static str,
    because: Vec<&'static str>,
    allowed_by: Vec<ShownHit<'v>>,
    denied_by: Vec<ShownLine<'v>>,
    inside: Option<Displayed<&'v Request>>,
    outside: Option<Displayed<&'v Request>>,
    why: Option<Displayed<Inconclusive>>,
}

#[derive(Serialize)]
struct ShownHit<'v> {
    lines: Vec<ShownLine<'v>>,
    whole: bool,
    request: Displayed<&'v Request>,
    forwarded: bool,
    obstacles: Vec<Displayed<&'v Obstacle>>,
}

#[derive(Serialize)]
struct Displayed<T: Display>(#[serde(serialize_with = "displayed")] T);

fn token<'v>(view: &'v View<'_>, reached: &'v Reached) -> Token<'v> {
    let program = &view.policy.program;
    let own = program.token(reached.token);
    let cells = view.survey.cells(reached);
    let lines = view.lines(reached).into_iter();
    let without = view.lines_without(reached).into_iter();
    Token {
        token: &own.name,
        state: view.policy.state(own),
        reached: view
            .survey
            .cells(reached)
            .filter(|(_, cell)| cell.is_reached())
            .count(),
        operations: cells.map(|(at, found)| cell(view, reached, at, found)).collect(),
        lines: lines
            .map(|(line, full, part)| CountedLine {
                line: ShownLine::of(program, line),
                full,
                part,
            })
            .collect(),
        lines_without_operation: without.map(|line| ShownLine::of(program, line)).collect(),
    }
}

pub(super) fn cell<'v>(view: &'v View<'_>, reached: &'v Reached, at: usize, cell: &'v Cell) -> ShownCell<'v> {
    let program = &view.policy.program;
    let lines = |class: Class| reached.lines(class).map(|line| ShownLine::of(program, line));
    let hits = cell.hits.iter().map(|hit| ShownHit {
        lines: hit.class.into_iter().flat_map(lines).collect(),
        whole: hit.is_whole,
        request: Displayed(&hit.request),
        forwarded: hit.obstacles.is_empty(),
        obstacles: hit.obstacles.iter().map(Displayed).collect(),
    });
    let operation = view.operation(at);
    ShownCell {
        operation: operation.map(Operation::name),
        id: operation.and_then(|operation| operation.id.as_deref()),
        extent: extent(cell),
        because: reasons(cell.because),
        allowed_by: hits.collect(),
        denied_by: cell.forbids.iter().flat_map(|class| lines(*class)).collect(),
        inside: cell.inside().map(Displayed),
        outside: cell.outside.as_ref().map(Displayed),
        why: cell.inconclusive.map(Displayed),
    }
}
