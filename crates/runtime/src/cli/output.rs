//! Standard output and standard error. Unlike with `println!`, a closed pipe does not panic.

use std::io::{self, ErrorKind, IsTerminal, Write};

use super::failure::Failure;
use crate::text::escaped;

/// Writes the command's result to standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => Failure::NoReader,
            _ => Failure::Trouble(format!("cannot write to standard output: {error}")),
        })
}

/// Writes an additional line to standard error. If that fails, the error cannot be reported anywhere.
pub(crate) fn note(text: &str) {
    let _ = writeln!(io::stderr().lock(), "{text}");
}

/// Whether someone watches standard error.
pub(super) fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Whether standard error is a terminal whose user did not ask for no colours (<https://no-color.org>).
pub(super) fn colours() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes like [`note`], but without adding a line end.
pub(super) fn note_raw(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// One JSON object in a line of its own, what misleads a terminal escaped.
pub(super) fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    print(&format!("{}\n", escaped(&value.to_string())))
}
