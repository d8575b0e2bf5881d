//! Shell scripts: the requests of their curl commands.
//!
//! The script is followed as a shell would run it, with the values of variables as far as they are certain. A branch that may or may
//! not run makes its variables uncertain; a loop over written values runs with each of them; a function runs where it is called.
//! A call whose URL, method or body is not certain is an error, never left out.

mod builtins;
mod environment;
mod expand;
mod programs;
mod request;
mod run;
mod state;
mod walk;

use tokenward_compiler::BaseUrl;

use super::call::Calls;
use super::shell;
use state::Script;

/// The largest script, in bytes.
const LARGEST: usize = 32 << 20;

pub(super) fn read(text: &str, base: &BaseUrl) -> Result<Calls, String> {
    if text.len() > LARGEST {
        return Err("the script has more than 32 MiB; split it".to_owned());
    }
    let followed = shell::parse(text, 1, 0).and_then(|list| {
        let mut script = Script::new(base);
        script.list(&list)?;
        script.traps()?;
        script.uncalled_functions()?;
        Ok(script.out)
    });
    followed.map_err(|(line, message)| format!("line {line}: {message}"))
}

#[cfg(test)]
mod tests;
