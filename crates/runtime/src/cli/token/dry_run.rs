//! The lines of a token: those that the command line gives, with the operations that they reach, and those of a token that is not
//! written.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::from::Planned;
use super::reached::Reached;
use super::{Failure, output};

/// The lines and sets of the command line, and the operations that the lines were written for.
pub(super) struct Given<'a> {
    pub(super) lines: &'a [String],
    pub(super) sets: &'a [String],
    /// By their names, as the description has them.
    pub(super) operations: BTreeSet<String>,
}

impl Given<'_> {
    /// The operations that the lines reach, as text; empty if nothing was asked about operations.
    pub(super) fn operations_text(&self, reached: &Reached) -> String {
        if self.operations.is_empty() {
            return String::new();
        }
        let lines = self.lines.iter();
        let text = lines.map(|line| format!("  {line}\n{}", reached.text(line, &self.operations)));
        text.chain([reached.open()]).collect()
    }

    fn json(&self, reached: Option<&Reached>) -> Vec<Value> {
        let rows = self.lines.iter().map(|line| {
            let mut row = json!({ "text": line });
            let reached = reached.filter(|_| !self.operations.is_empty());
            if let (Some(reached), Some(members)) = (reached, row.as_object_mut()) {
                let more = reached.json(line, &self.operations);
                members.extend(more.map(|(name, value)| (name.to_owned(), value)));
            }
            row
        });
        rows.collect()
    }
}

/// The lines of both kinds, for programs.
pub(super) fn lines(given: &Given<'_>, planned: Option<&Planned>, reached: Option<&Reached>) -> Vec<Value> {
    let mut lines = given.json(reached);
    if let Some(Value::Array(more)) = planned.map(|planned| planned.json(reached)) {
        lines.extend(more);
    }
    lines
}

/// Prints the given lines and sets, and those for recorded calls, to standard output.
pub(super) fn print(
    given: &Given<'_>,
    (planned, reached): (Option<&Planned>, Option<&Reached>),
    is_json: bool,
) -> Result<(), Failure> {
    if is_json {
        let lines = lines(given, planned, reached);
        let notes = planned.map_or(&[][..], Planned::notes);
        return output::print_json(&json!({ "lines": lines, "include": given.sets, "notes": notes }));
    }
    let mut out = String::new();
    if !given.lines.is_empty() || !given.sets.is_empty() {
        out.push_str("Given lines and sets:\n");
    }
    match reached.filter(|_| !given.operations.is_empty()) {
        Some(reached) => out.push_str(&given.operations_text(reached)),
        None => out.extend(given.lines.iter().map(|line| format!("  {line}\n"))),
    }
    for set in given.sets {
        out.push_str(&format!("  include {set}\n"));
    }
    if let Some(planned) = planned {
        out.push_str(&planned.text(reached));
    }
    output::print(&out)
}
