//! Standard output and standard error. Unlike with `println!`, a closed pipe does not panic.
//!
//! Everything for people passes [`for_people`]: a file name, a key or an argument can change neither the terminal nor the lines of a
//! log. Documents for programs, secrets and files are written as they are, with [`print_raw`].

use std::cell::RefCell;
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::sync::OnceLock;

use tokenward_compiler::visible;
use tokenward_pdp::text::escaped;

use super::failure::Failure;

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
            print_raw(text)?;
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

/// Writes the command's result for people to standard output. Control characters are escaped.
pub(crate) fn print(text: &str) -> Result<(), Failure> {
    print_raw(&for_people(text))
}

/// Writes a result to standard output as it is: a document, the text of a file, or a secret, which is not copied.
pub(crate) fn print_raw(text: &str) -> Result<(), Failure> {
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
    note_raw(&format!("{}\n", for_people(text)));
}

/// A text for people. Characters that nobody sees, or that change how others are shown, are escaped, except for line ends and tabs.
/// Line ends of the command's arguments are escaped too, so that an argument cannot begin a line of its own. In GitHub Actions, no line
/// is a command.
pub(super) fn for_people(text: &str) -> String {
    let mut shown = text.to_owned();
    for argument in hostile_arguments() {
        shown = shown.replace(argument, &visible(argument));
    }
    let lines: Vec<String> = shown.split('\n').map(shown_line).collect();
    shown = lines.join("\n");
    match std::env::var_os("GITHUB_ACTIONS") {
        Some(_) => without_commands(&shown),
        None => shown,
    }
}

/// Tabs stay; other control characters are escaped.
pub(super) fn shown_line(text: &str) -> String {
    let parts: Vec<String> = text.split('\t').map(visible).collect();
    parts.join("\t")
}

/// Whether an argument of the command contains a line end.
pub(super) fn has_line_ends() -> bool {
    !hostile_arguments().is_empty()
}

/// The arguments of the command that contain line ends, longest first; of an option with a value, also the value by itself.
fn hostile_arguments() -> &'static [String] {
    static FOUND: OnceLock<Vec<String>> = OnceLock::new();
    FOUND.get_or_init(|| {
        let all = std::env::args_os().skip(1);
        let mut found: Vec<String> = all
            .map(|argument| argument.to_string_lossy().into_owned())
            .flat_map(|argument| {
                let value = argument.split_once('=').map(|(_, value)| value.to_owned());
                std::iter::once(argument).chain(value)
            })
            .filter(|argument| argument.trim().contains('\n'))
            .collect();
        found.sort_by_key(|argument| std::cmp::Reverse(argument.len()));
        found
    })
}

/// A text in which no line is a command to GitHub Actions, which reads `::` at the beginning of a line, behind spaces too, and `##[`.
pub(super) fn without_commands(text: &str) -> String {
    let plain = |line: &str| {
        let line = line.replace("##[", "#\\u{23}[");
        let content = line.trim_start();
        let spaces = line.len() - content.len();
        match content.strip_prefix("::") {
            Some(rest) => format!("{}\\u{{3a}}:{rest}", line.get(..spaces).unwrap_or_default()),
            None => line,
        }
    };
    text.split_inclusive('\n').map(plain).collect()
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

/// Writes JSON, in one line or many. Characters that mislead a terminal are escaped as JSON escapes them.
pub(super) fn print_document(json: &str) -> Result<(), Failure> {
    print_raw(&escaped(json))
}

/// One JSON object in a line of its own, what misleads a terminal escaped.
pub(super) fn print_json(value: &serde_json::Value) -> Result<(), Failure> {
    print_document(&format!("{value}\n"))
}
