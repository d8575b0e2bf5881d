//! Standard output and standard error. Unlike with `println!`, a closed pipe does not panic.

use std::cell::RefCell;
use std::io::{self, ErrorKind, IsTerminal, Write};

use tokenward_compiler::visible;

use super::failure::Failure;
use crate::text::escaped;

/// Output that is kept instead of written: whether it is for standard output, and its text.
pub(super) type Kept = Vec<(bool, String)>;

thread_local! {
    /// The output of this thread, while it is kept.
    static KEPT: RefCell<Option<Kept>> = const { RefCell::new(None) };
}

/// Runs a function on this thread, and keeps all that it would write, to be written with [`release`].
pub(super) fn keeping<T>(run: impl FnOnce() -> T) -> (T, Kept) {
    KEPT.with_borrow_mut(|kept| *kept = Some(Kept::new()));
    let result = run();
    let kept = KEPT.take();
    (result, kept.unwrap_or_default())
}

/// Writes what was kept.
pub(super) fn release(kept: &Kept) -> Result<(), Failure> {
    for (is_result, text) in kept {
        if *is_result {
            print(text)?;
        } else {
            note_raw(text);
        }
    }
    Ok(())
}

/// Keeps the text, if this thread's output is kept.
fn keep(is_result: bool, text: &str) -> bool {
    KEPT.with_borrow_mut(|kept| {
        let Some(kept) = kept else {
            return false;
        };
        kept.push((is_result, text.to_owned()));
        true
    })
}

/// Writes the command's result to standard output.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    if keep(true, text) {
        return Ok(());
    }
    let mut out = io::stdout().lock();
    out.write_all(text.as_bytes())
        .and_then(|()| out.flush())
        .map_err(|error| match error.kind() {
            ErrorKind::BrokenPipe => Failure::NoReader,
            _ => Failure::Trouble(format!("cannot write to standard output: {error}")),
        })
}

/// Writes additional lines to standard error. Control characters are escaped: a path in the text may have some. If writing fails, the
/// error cannot be reported anywhere.
pub(crate) fn note(text: &str) {
    let lines: Vec<String> = text.split('\n').map(visible).collect();
    note_raw(&format!("{}\n", lines.join("\n")));
}

/// Whether someone watches standard error.
pub(super) fn is_watched() -> bool {
    io::stderr().is_terminal()
}

/// Whether standard output is a terminal.
pub(super) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Whether standard error is a terminal whose user did not ask for no colours (<https://no-color.org>).
pub(super) fn colours() -> bool {
    io::stderr().is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Writes like [`note`], but the text as it is, without adding a line end.
pub(super) fn note_raw(text: &str) {
    if keep(false, text) {
        return;
    }
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// One JSON object in a line of its own, what misleads a terminal escaped.
pub(super) fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    print(&format!("{}\n", escaped(&value.to_string())))
}
