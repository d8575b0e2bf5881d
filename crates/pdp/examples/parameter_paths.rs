//! Prints where frameworks file parameters, to compare with their own parsers (`tests/e2e/parameter_names.sh`).
//!
//! Reads JSON strings, one a line, and prints for each a JSON array of its paths. A step is a string, or `null` for some
//! element of an array.

use std::io::{self, BufRead, Write};

use tokenward_pdp::request::parameter_paths::{Step, parameter_paths};

fn main() -> io::Result<()> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let name: String = serde_json::from_str(&line?)?;
        let steps = |step: &Step<'_>| match step {
            Step::Name(name) => Some(name.to_string()),
            Step::Each => None,
        };
        let paths = parameter_paths(&name);
        let paths: Vec<Vec<_>> = paths
            .iter()
            .map(|path| path.iter().map(steps).collect())
            .collect();
        writeln!(out, "{}", serde_json::to_string(&paths)?)?;
    }
    out.flush()
}
