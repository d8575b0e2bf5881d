//! `tokenward explain-code`: the page of a diagnostic's code.

use tokenward_compiler::diagnostic::Code;

use super::failure::Failure;
use super::output;

/// Explain the code of an error or warning, such as TW0011
///
/// Without a code, the command lists all codes, one per line.
#[derive(clap::Args)]
pub(super) struct Args {
    /// Code, as shown in brackets after `error` or `warning`
    #[arg(value_name = "CODE")]
    code: Option<String>,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    match &args.code {
        Some(code) => page(code),
        None => output::print(&list()),
    }
}

/// Prints the page of a code.
pub(super) fn page(code: &str) -> Result<(), Failure> {
    let code: Code = code.parse().map_err(|error| Failure::Usage(format!("{error}")))?;
    output::print(code.page())
}

fn list() -> String {
    Code::ALL
        .iter()
        .map(|code| format!("{code}  {:7}  {}\n", code.severity().as_str(), code.title()))
        .collect()
}
