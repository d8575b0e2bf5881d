//! A request as text, a curl command or the request itself, read as a question about it.

use tokenward_compiler::BaseUrl;
use tokenward_compiler::method::Method;

use crate::curl::{self, Origin, Sent, Word};
use crate::explain::Question;

/// A question without a token, with remarks on the command.
pub struct Pasted {
    /// The question, without a token.
    pub question: Question,
    /// What the proxy does not see of the command.
    pub notes: Vec<String>,
}

/// Reads a curl command as it was copied, or a request: method and URL, then header fields, then a blank line and the body.
///
/// # Errors
/// The text cannot be read as one request; the error says which part and why.
pub fn pasted(text: &str, base: &BaseUrl) -> Result<Pasted, String> {
    let sent = match is_command(text) {
        true => curl::command(text, base, Origin::COMMAND.without_files())?,
        false => request(text, base)?,
    };
    Ok(Pasted {
        question: Question {
            user: sent.user,
            method: sent.method,
            target: sent.target,
            headers: sent.headers,
            ..Question::default()
        }
        .with_body(&sent.body),
        notes: sent.notes,
    })
}

/// Whether a text is meant as a curl command. A prompt is often copied too.
fn is_command(text: &str) -> bool {
    let first = text.split_whitespace().find(|word| !matches!(*word, "$" | "%"));
    first.is_some_and(|word| !word.starts_with('/') && word.contains("curl"))
}

/// Reads a request by the words of the command that sends it, so that both mean the same.
fn request(text: &str, base: &BaseUrl) -> Result<Sent, String> {
    let text = text.trim_start().replace("\r\n", "\n");
    let (head, body) = text.split_once("\n\n").unwrap_or((&text, ""));
    let mut lines = head.lines();
    let first = lines.next().unwrap_or_default().trim();
    let parts = first.split_once(char::is_whitespace);
    let (method, url) = parts
        .ok_or("write the method and the URL, such as `GET /rest/api/2/myself`, or paste a curl command")?;
    let method = Method::from_name(method).map_or(method, |method| method.as_str());
    let mut words = vec!["curl", "--request", method];
    for line in lines {
        words.extend(["--header", line.trim_end()]);
    }
    if !body.is_empty() {
        words.extend(["--data-raw", body.trim_end_matches('\n')]);
    }
    words.extend(["--url", url.trim()]);
    let words: Vec<Word> = words.into_iter().map(Word::from).collect();
    curl::read(&words, base, Origin::ARGUMENTS.without_files())
}
