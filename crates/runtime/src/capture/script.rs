//! Shell scripts: their curl commands, with the variables that they set to plain texts.

use std::collections::HashMap;

use tokenward_compiler::BaseUrl;
use tokenward_pdp::curl::{self, Origin, Word};

use super::call::{Calls, call, push};

/// The longest command, in bytes.
const LONGEST: usize = 1 << 20;

/// Options of curl whose values are credentials or headers, which may have variables.
const WITH_SECRETS: [&str; 10] = [
    "-u",
    "--user",
    "-H",
    "--header",
    "-b",
    "--cookie",
    "--oauth2-bearer",
    "-A",
    "--user-agent",
    "--proxy-user",
];

pub(super) fn read(text: &str, base: &BaseUrl) -> Result<Calls, String> {
    let mut known: HashMap<String, String> = HashMap::new();
    let mut out = Calls::default();
    for (line, command) in commands(text) {
        if let Some((name, value)) = assignment(&command, &known) {
            known.insert(name, value);
            continue;
        }
        let Some(command) = curl_in(&command) else {
            continue;
        };
        let at = |message: String| format!("line {line}: {message}");
        if command.len() > LONGEST {
            return Err(at("the command is too long; shorten its body".to_owned()));
        }
        let command = filled(command, &known);
        let mut words = curl::words(&command).map_err(at)?;
        forgive(&mut words);
        let sent = curl::read(&words, base, Origin::COMMAND).map_err(at)?;
        push(&mut out, call(format!("line {line}"), sent))?;
    }
    Ok(out)
}

/// The commands with the numbers of their first lines: lines that end with a backslash continue, and quotes may span lines.
fn commands(text: &str) -> Vec<(usize, String)> {
    let mut out = Vec::new();
    let (mut command, mut first, mut quote) = (String::new(), 0, None);
    for (at, line) in text.lines().enumerate() {
        if command.is_empty() {
            first = at + 1;
            if line.trim_start().starts_with('#') {
                continue;
            }
        }
        command.push_str(line);
        let (mut is_escaped, mut before) = (false, ' ');
        for c in line.chars() {
            match (quote, c) {
                _ if is_escaped => is_escaped = false,
                (Some('\''), '\'') | (Some('"'), '"') => quote = None,
                (Some('\''), _) => {}
                (_, '\\') => is_escaped = true,
                (None, '\'' | '"') => quote = Some(c),
                // A comment may have an apostrophe.
                (None, '#') if before.is_whitespace() => break,
                _ => {}
            }
            before = c;
        }
        if quote.is_some() || is_escaped {
            command.push('\n');
            continue;
        }
        let whole = std::mem::take(&mut command);
        if !whole.trim().is_empty() {
            out.push((first, whole));
        }
    }
    if !command.trim().is_empty() {
        out.push((first, command));
    }
    out
}

/// A line that sets a variable to a plain text: `NAME=text`, `export NAME="text"`, `NAME=${NAME:-text}`.
fn assignment(command: &str, known: &HashMap<String, String>) -> Option<(String, String)> {
    let text = command.trim();
    let text = ["export ", "readonly ", "local "]
        .iter()
        .find_map(|word| text.strip_prefix(word))
        .unwrap_or(text)
        .trim();
    let (name, value) = text.split_once('=')?;
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(is_name) {
        return None;
    }
    let quoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
    let quoted = quoted.or_else(|| {
        value
            .strip_prefix('\'')
            .and_then(|value| value.strip_suffix('\''))
    });
    let value = quoted.unwrap_or(value);
    let default = value
        .strip_prefix("${")
        .and_then(|value| value.strip_suffix('}'))
        .and_then(|value| value.split_once(":-"));
    let value = filled(default.map_or(value, |(_, default)| default), known);
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./:@%+,=~-?&[]".contains(c);
    value.chars().all(is_plain).then(|| (name.to_owned(), value))
}

/// The curl command in a line: after `$(`, `&&` and other words, up to its end.
fn curl_in(command: &str) -> Option<&str> {
    let mut from = 0;
    let start = loop {
        let at = from + command.get(from..)?.find("curl")?;
        let before = command.get(..at)?.chars().next_back();
        let after = command.get(at + 4..)?.chars().next();
        if before.is_none_or(|c| c.is_whitespace() || "($`;&|/\"".contains(c))
            && after.is_some_and(char::is_whitespace)
        {
            break at;
        }
        from = at + 4;
    };
    let before = command.get(..start)?;
    if before.trim_start().starts_with('#') || before.contains("echo ") || before.contains("command -v") {
        return None;
    }
    let inside = ['(', '`']
        .into_iter()
        .any(|open| before.trim_end().ends_with(open));
    let rest = command.get(start..)?;
    Some(rest.get(..end_of(rest, inside)).unwrap_or(rest).trim_end())
}

/// The end of a command: `;`, `&`, `|`, a redirection, a comment, or the end of the substitution that contains it.
fn end_of(text: &str, inside: bool) -> usize {
    let (mut quote, mut is_escaped, mut before) = (None, false, ' ');
    for (at, c) in text.char_indices() {
        match (quote, c) {
            _ if is_escaped => is_escaped = false,
            (Some('\''), '\'') | (Some('"'), '"') => quote = None,
            (Some('\''), _) => {}
            (_, '\\') => is_escaped = true,
            (None, '\'' | '"') => quote = Some(c),
            (None, ')' | '`') if inside => return at,
            (None, ';' | '|' | '&') => return at,
            (None, '#') if before.is_whitespace() => return at,
            (None, '<' | '>') => {
                // `2>` names a stream.
                let stream = before.is_ascii_digit()
                    && text
                        .get(..at.saturating_sub(1))
                        .is_some_and(|text| text.ends_with(' '));
                return if stream { at - 1 } else { at };
            }
            _ => {}
        }
        before = c;
    }
    text.len()
}

/// The text with known variables replaced, but for single-quoted parts.
fn filled(text: &str, known: &HashMap<String, String>) -> String {
    let mut out = String::new();
    let (mut single, mut double, mut rest) = (false, false, text);
    while let Some(c) = rest.chars().next() {
        let after = rest.get(c.len_utf8()..).unwrap_or_default();
        match c {
            '\'' if !double => single = !single,
            '"' if !single => double = !double,
            '\\' if !single => {
                out.push(c);
                let escaped = after.chars().next();
                out.extend(escaped);
                rest = after.get(escaped.map_or(0, char::len_utf8)..).unwrap_or_default();
                continue;
            }
            '$' if !single => {
                if let Some((name, length)) = variable(after)
                    && let Some(value) = known.get(name)
                {
                    out.push_str(value);
                    rest = after.get(length..).unwrap_or_default();
                    continue;
                }
            }
            _ => {}
        }
        out.push(c);
        rest = after;
        if out.len() > 2 * LONGEST {
            break;
        }
    }
    out
}

/// The name after a `$`, and the length of its text.
fn variable(text: &str) -> Option<(&str, usize)> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if let Some(braced) = text.strip_prefix('{') {
        let (name, _) = braced.split_once('}')?;
        return name.chars().all(is_name).then_some((name, name.len() + 2));
    }
    let end = text.find(|c| !is_name(c)).unwrap_or(text.len());
    let name = text.get(..end).filter(|name| !name.is_empty())?;
    Some((name, name.len()))
}

/// Lets credentials and headers have variables: their values are not part of a line. A media type has to be known.
fn forgive(words: &mut [Word]) {
    let mut is_secret = false;
    for word in words {
        let is_attached = word.text.starts_with("-u") || word.text.starts_with("-H");
        let is_media = word.text.to_ascii_lowercase().contains("content-type");
        if (is_secret || is_attached) && !is_media {
            word.variables.clear();
        }
        is_secret = WITH_SECRETS.contains(&word.text.as_str());
    }
}
