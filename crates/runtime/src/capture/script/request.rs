//! Requests of curl commands.

use tokenward_pdp::curl::{self, Origin, Word};

use super::state::{Input, Script};
use crate::capture::call::{call, is_kept_header, push};
use crate::capture::shell::Failed;

/// Options of curl whose values are credentials, or text for the log.
const WITH_SECRETS: [&str; 13] = [
    "-u",
    "--user",
    "-b",
    "--cookie",
    "--oauth2-bearer",
    "-A",
    "--user-agent",
    "--proxy-user",
    "-U",
    "-e",
    "--referer",
    "-r",
    "--range",
];

/// Options of curl that read a body.
const BODIES: [&str; 5] = ["-d", "--data", "--data-ascii", "--data-binary", "--json"];

impl Script<'_> {
    /// Adds the requests of a curl command.
    pub(super) fn curl(&mut self, words: &[Word], line: usize) -> Result<(), Failed> {
        if let [_, only] = words
            && matches!(
                only.text.as_str(),
                "-V" | "--version" | "-h" | "--help" | "-M" | "--manual"
            )
        {
            return Ok(());
        }
        if self.environment.get("IFS").is_some() {
            return Err((line, "the script sets IFS, so words of this command are uncertain; remove it, and write lists as arrays".to_owned()));
        }
        let mut words = self.with_input(words, line)?;
        forgive(&mut words);
        let sent = curl::read_all(&words, self.base, Origin::SCRIPT).map_err(|message| {
            let written = words
                .iter()
                .flat_map(|word| &word.variables)
                .find(|written| message.starts_with(&format!("`{written}`")));
            match written {
                Some(written) => (line, format!("{message}: {}", self.reason(written))),
                None => (line, message),
            }
        })?;
        for sent in sent {
            let one = call(format!("line {line}"), sent, &mut self.out);
            push(&mut self.out, one).map_err(|message| (line, message))?;
        }
        Ok(())
    }

    /// The words with the standard input in the place of `@-`.
    fn with_input(&self, words: &[Word], line: usize) -> Result<Vec<Word>, Failed> {
        let mut out: Vec<Word> = Vec::new();
        for word in words {
            let option = out.last().map(|word| word.text.clone()).unwrap_or_default();
            let attached = matches!(word.text.as_str(), "-d@-");
            let is_body =
                (matches!(word.text.as_str(), "@-") && BODIES.contains(&option.as_str())) || attached;
            match (&self.input, is_body) {
                (_, false) => out.push(word.clone()),
                (Some(Input::Text(text)), true) => {
                    let mut text = text.clone();
                    if !attached {
                        out.pop();
                    }
                    if !matches!(option.as_str(), "--data-binary" | "--json") || attached {
                        text.text.retain(|c| !matches!(c, '\r' | '\n'));
                    }
                    let name = if option == "--json" && !attached {
                        "--json"
                    } else {
                        "--data-raw"
                    };
                    out.push(Word::from(name));
                    out.push(text);
                }
                (_, true) => {
                    return Err((line, "the body is the output of another command; write it into the command, into a here-document, or into a file that `-d @FILE` names".to_owned()));
                }
            }
        }
        Ok(out)
    }
}

/// Lets credentials and headers have variables: their values are not part of a line. Headers that decide how the call is read have to be
/// known.
fn forgive(words: &mut [Word]) {
    let names_type = words
        .iter()
        .any(|word| word.text.to_ascii_lowercase().starts_with("content-type:"));
    let mut before = String::new();
    for word in words {
        let text = word.text.clone();
        let is_header = matches!(before.as_str(), "-H" | "--header");
        let header = match is_header {
            true => Some(text.as_str()),
            false => text.strip_prefix("-H").filter(|rest| !rest.is_empty()),
        };
        let is_secret = WITH_SECRETS.contains(&before.as_str())
            || (text.starts_with("-u") && text.len() > 2)
            || header.is_some_and(|header| {
                let name = header.split(':').next().unwrap_or_default();
                match name.contains('$') {
                    true => names_type,
                    false => !is_kept_header(name),
                }
            });
        if is_secret {
            if header.is_some_and(|header| header.split(':').next().unwrap_or_default().contains('$')) {
                word.text = match is_header {
                    true => "X-Unknown: x".to_owned(),
                    false => "-HX-Unknown: x".to_owned(),
                };
            }
            word.variables.clear();
        }
        before = text;
    }
}
