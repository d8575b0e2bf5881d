//! The `tokenward` command.

use std::panic;
use std::process::ExitCode;

/// Exit code for internal errors, as for failed files and networks.
const TROUBLE: u8 = 3;

fn main() -> ExitCode {
    panic::set_hook(Box::new(|fault| {
        eprintln!("tokenward: internal error, report it to its developers: {fault}");
    }));
    panic::catch_unwind(|| tokenward_runtime::cli::run(std::env::args_os()))
        .unwrap_or(ExitCode::from(TROUBLE))
}
