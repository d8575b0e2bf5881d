//! Commands of the shell that set variables or run a text.

use tokenward_pdp::curl::Word;

use super::environment::Ends;
use super::state::Script;
use crate::capture::shell::{self, Failed};

impl Script<'_> {
    /// Runs a command of the shell that sets variables or runs a text; gives whether it is one.
    pub(super) fn changes_variables(
        &mut self,
        program: &str,
        arguments: &[Word],
        line: usize,
    ) -> Result<bool, Failed> {
        let names = || {
            arguments
                .iter()
                .map(|word| word.text.as_str())
                .filter(|text| !text.starts_with('-'))
        };
        match program {
            "read" | "mapfile" | "readarray" | "getopts" => {
                for name in names()
                    .chain(["REPLY", "MAPFILE", "OPTARG"])
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
                {
                    self.environment
                        .forget(&name, format!("it is read from input at line {line}"));
                }
            }
            "unset" => {
                for name in names().map(str::to_owned).collect::<Vec<_>>() {
                    self.environment
                        .forget(&name, format!("it is unset at line {line}"));
                }
            }
            "let" => {
                for name in names()
                    .flat_map(|text| text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_'))
                    .map(str::to_owned)
                    .collect::<Vec<_>>()
                {
                    self.environment
                        .forget(&name, format!("it is computed at line {line}"));
                }
            }
            "printf" => {
                let name = arguments.iter().skip_while(|word| word.text != "-v").nth(1);
                if let Some(name) = name {
                    self.environment
                        .forget(&name.text, format!("it is printed at line {line}"));
                }
            }
            "set" => {
                let at = arguments.iter().position(|word| word.text == "--");
                if let Some(more) = at.and_then(|at| arguments.get(at + 1..)) {
                    self.environment.arguments = Some(more.to_vec());
                } else if arguments
                    .first()
                    .is_some_and(|word| !word.text.starts_with(['-', '+']))
                {
                    self.environment.arguments = Some(arguments.to_vec());
                }
            }
            "shift" => {
                let count = arguments
                    .first()
                    .map_or(Some(1), |word| word.text.parse::<usize>().ok());
                let known = self.environment.arguments.take();
                self.environment.arguments = known
                    .zip(count)
                    .map(|(known, count)| known.into_iter().skip(count).collect());
            }
            "return" => self.environment.end_early(Ends::Function, line),
            "break" | "continue" => {
                let is_inner = arguments.first().is_none_or(|count| count.text == "1");
                let ends = if is_inner { Ends::Loop } else { Ends::Loops };
                self.environment.end_early(ends, line);
            }
            "eval" => {
                let mut text = Word::default();
                for word in arguments {
                    text.text.push_str(&word.text);
                    text.text.push(' ');
                    text.variables.extend(word.variables.iter().cloned());
                }
                if let Some(written) = text.variables.first() {
                    let reason = self.reason(written);
                    return Err((line, format!("`eval` runs a text with `{written}`: {reason}")));
                }
                self.deeper(line)?;
                let list = shell::parse(&text.text, line, self.depth)?;
                self.list(&list)?;
                self.depth -= 1;
            }
            "source" | "." => {
                let file = arguments
                    .first()
                    .map(|word| word.text.clone())
                    .unwrap_or_default();
                return Err((
                    line,
                    format!(
                        "`{program} {file}` runs the commands of another file; write those that set variables or make calls in its place"
                    ),
                ));
            }
            "trap" => {
                let text = arguments
                    .iter()
                    .find(|word| !word.text.starts_with('-') || word.text == "-");
                if let Some(text) = text.filter(|_| arguments.len() > 1) {
                    self.traps.push((text.clone(), self.environment.clone(), line));
                }
            }
            _ => return Ok(false),
        }
        Ok(true)
    }
}
