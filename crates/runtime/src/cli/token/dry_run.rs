//! The lines of a token that is not written.

use serde_json::{Value, json};

use super::from::Planned;
use super::{Failure, output};

/// Prints the given lines and sets, and those for recorded calls, to standard output.
pub(super) fn print(
    (given, sets): (&[String], &[String]),
    planned: Option<&Planned>,
    is_json: bool,
) -> Result<(), Failure> {
    if is_json {
        let mut lines: Vec<Value> = given.iter().map(|line| json!({ "text": line })).collect();
        if let Some(Value::Array(more)) = planned.map(Planned::json) {
            lines.extend(more);
        }
        let notes = planned.map_or(&[][..], Planned::notes);
        return output::print_json(&json!({ "lines": lines, "include": sets, "notes": notes }));
    }
    let mut out = String::new();
    if !given.is_empty() || !sets.is_empty() {
        out.push_str("Given lines and sets:\n");
    }
    for line in given {
        out.push_str(&format!("  {line}\n"));
    }
    for set in sets {
        out.push_str(&format!("  include {set}\n"));
    }
    if let Some(planned) = planned {
        out.push_str(&planned.text());
    }
    output::print(&out)
}
