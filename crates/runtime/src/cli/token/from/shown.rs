//! The lines for recorded calls, as people and programs read them.

use std::fmt::Write as _;

use serde_json::{Value, json};
use tokenward_compiler::visible;
use tokenward_pdp::plural::plural;

use super::super::reached::Reached;
use super::Planned;
use crate::authoring::from_calls::Line;

impl Planned {
    /// The lines with what they cover and what else they allow.
    pub(in super::super) fn text(&self, reached: Option<&Reached>) -> String {
        let mut out = String::new();
        let (lines, calls) = (self.lines.len(), self.calls.len());
        // Writing to a string does not fail.
        let _ = writeln!(
            out,
            "{lines} {} for {calls} {}, each proved to be allowed:",
            plural(lines, "line"),
            plural(calls, "call")
        );
        for line in &self.lines {
            let count = line.calls.len();
            let _ = writeln!(out, "  {}", line.text);
            let _ = write!(out, "    {count} {}", plural(count, "call"));
            if !line.operations.is_empty() {
                let names: Vec<&str> = line.operations.iter().map(String::as_str).collect();
                let _ = write!(out, " of {}", visible(&names.join(", ")));
            }
            let _ = writeln!(out);
            if !line.open.is_empty() {
                let open: Vec<&str> = line.open.iter().map(String::as_str).collect();
                let _ = writeln!(out, "    also allows: {}", visible(&open.join("; ")));
            }
            if let Some(reached) = reached {
                out.push_str(&reached.text(&line.text, &line.operations));
            }
        }
        out.extend(reached.map(Reached::open));
        for note in &self.notes {
            let _ = writeln!(out, "{note}");
        }
        out
    }

    /// The same for programs.
    pub(in super::super) fn json(&self, reached: Option<&Reached>) -> Value {
        let line = |line: &Line| {
            let calls = line.calls.iter().filter_map(|number| self.calls.get(*number));
            let mut row = json!({
                "text": line.text,
                "calls": calls.map(|call| call.place.as_str()).collect::<Vec<_>>(),
                "operations": line.operations,
                "also_allows": line.open,
            });
            if let (Some(reached), Some(members)) = (reached, row.as_object_mut()) {
                let more = reached.json(&line.text, &line.operations);
                members.extend(more.map(|(name, value)| (name.to_owned(), value)));
            }
            row
        };
        self.lines.iter().map(line).collect()
    }

    /// The remarks on the files.
    pub(in super::super) fn notes(&self) -> &[String] {
        &self.notes
    }
}
