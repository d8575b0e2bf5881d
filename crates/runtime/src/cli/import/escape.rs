//! Rewrites lines of Extender that Tokenward refuses to lines with the same meaning, with an escape in the place of the
//! text that it refuses.

mod names;

use std::ops::Range;

use tokenward_compiler::analysis::Universe;
use tokenward_compiler::diagnostic::{Code, Diagnostic, Severity};
use tokenward_compiler::source::SourceSet;
use tokenward_compiler::{BaseUrl, compile, earlier};

/// Errors of a line that are mended one after the other.
const MOST: usize = 60;
/// A pattern that nothing matches.
const NOTHING: &str = "[a&&b]";

/// A line that is refused as it is.
pub(super) enum Escaped {
    /// The line with escapes, accepted and with the same meaning.
    Same(String),
    /// Escapes change the meaning, or it is open whether they do.
    Other,
}

/// The line with escapes, if it is refused without them and accepted with them. `encoded_slash`: whether the configuration accepts
/// `%2F` in paths.
pub(super) fn escaped(line: &str, encoded_slash: bool) -> Option<Escaped> {
    let mut text = blanks_kept(line)?;
    if !encoded_slash {
        text = names::without_encoded_slash(&text);
    }
    for _ in 0..MOST {
        let Some((start, error)) = refused(&text) else {
            return (text != line).then(|| proved(line, text));
        };
        text = mended(&text, &error, start)?;
    }
    None
}

/// Compares the line as earlier releases, and Extender, read it with the escaped one. A line that earlier releases could not read
/// either has escapes that only spell its characters otherwise.
fn proved(line: &str, text: String) -> Escaped {
    let Ok(base) = BaseUrl::parse("https://jira.example.com/jira") else {
        return Escaped::Other;
    };
    // Names are quoted by their spelling alone.
    let line = names::with_names_of(line, &text);
    // Extender has no forbid lines: `!` is a character. Of lines that forbid, what they forbid is compared.
    let (before, now) = match (line.strip_prefix('!'), text.strip_prefix('!')) {
        (Some(before), Some(now)) => (before.to_owned(), now),
        (Some(before), None) => (format!("\\x21{before}"), text.as_str()),
        (None, _) => (line.clone(), text.as_str()),
    };
    let (before, now) = (policy(&before).1, policy(now).1);
    match earlier::is_same(&before, &now, (&base, Universe::default())) {
        Ok(Some(true)) => Escaped::Same(text),
        Ok(None) if !names::has_anchors(&line) => Escaped::Same(text),
        _ => Escaped::Other,
    }
}

/// Whether the escaped line has quotes around names that are not the line's own.
pub(super) fn adds_quotes(line: &str, escaped: &str) -> bool {
    names::with_names_of(line, escaped) != line && !line.contains("::\"")
}

/// The line with blanks that Extender read as text: those before a constraint, and at the beginning of the URL.
fn blanks_kept(line: &str) -> Option<String> {
    let mut text = line.to_owned();
    for open in ["[QueryParam::", "[JsonData::"] {
        for blank in [" ", "\t"] {
            let escape = if blank == " " { "\\x20" } else { "\\x09" };
            // Within the line a constraint follows the URL, or another constraint, after which Extender has no blanks.
            if let Some(at) = text.find(&format!("{blank}{open}"))
                && !text.get(..at)?.contains("[QueryParam::")
                && !text.get(..at)?.contains("[JsonData::")
            {
                text.replace_range(at..at + 1, escape);
            }
        }
    }
    if let Some(end) = names::methods_end(&text) {
        let escape = match text.get(end..)?.chars().next() {
            Some(' ') => "\\x20",
            Some('\t') => "\\x09",
            _ => return Some(text),
        };
        text.replace_range(end..=end, escape);
    }
    Some(text)
}

/// A policy of one line by itself, and where the line begins there.
fn policy(line: &str) -> (usize, SourceSet) {
    let before = format!(
        "[[token]]\nname = 't'\nuser = 'u'\nexpires = 2099-01-01\nsecret_hash = 'sha256:{}'\nlimit_to = '''\n",
        "0".repeat(64)
    );
    let file = format!("{before}{line}\n'''\n");
    (
        before.len(),
        SourceSet::from_files([("line.toml".to_owned(), file)]),
    )
}

/// The first error of a line in a policy by itself, and where the line begins there.
fn refused(line: &str) -> Option<(usize, Diagnostic)> {
    let (start, sources) = policy(line);
    let mut found = compile(&sources).diagnostics.into_iter();
    let error = found.find(|found| found.severity == Severity::Error)?;
    Some((start, error))
}

/// The line with an escape at an error.
fn mended(line: &str, error: &Diagnostic, line_start: usize) -> Option<String> {
    let start = error.primary.span.start.checked_sub(line_start)?;
    let end = error.primary.span.end.checked_sub(line_start)?;
    let text = line.get(start..end)?;
    let with = |range: Range<usize>, escape: &str| {
        let mut line = line.to_owned();
        line.replace_range(range, escape);
        Some(line)
    };
    let first = text.chars().next();
    match error.code {
        // Extender compares a name as it is, whatever it contains. In quotes an escape would be part of it.
        Code::LineSyntax | Code::ValueText | Code::HiddenText | Code::MixedScripts
            if names::is_in_name(line, start) =>
        {
            names::quoted(line, start)
        }
        // A class of words or numbers: with an escape, it says that it is a class.
        Code::WordClass if text.len() > 2 => {
            let at = start + 1 + usize::from(text.starts_with("[^"));
            let first = line.get(at..)?.chars().next()?;
            with(at..at + first.len_utf8(), &hex(first))
        }
        // A class: its colons and equals signs are escaped. Of what looks like a list of methods the first letter is.
        Code::MisspeltPart if text.starts_with('[') && text.len() > 2 => {
            let inner = text.get(1..text.len() - 1)?;
            let escaped = escaped_class(inner);
            if escaped != inner {
                return with(start + 1..end - 1, &escaped);
            }
            let (at, letter) = inner.char_indices().find(|(_, letter)| is_plain(*letter))?;
            let at = start + 1 + at;
            with(at..at + letter.len_utf8(), &hex(letter))
        }
        Code::MisspeltPart if text.contains("::") && !text.starts_with('{') => {
            with(start..end, &text.replacen("::", "\\:\\:", 1))
        }
        // `QueryParam:a==b`, `QueryParam.a==b`.
        Code::MisspeltPart if text.starts_with(char::is_alphanumeric) => {
            let at = start + text.find([':', '：', '=', '<', '>', '~'])?;
            let sign = line.get(at..)?.chars().next()?;
            with(at..at + sign.len_utf8(), &hex(sign))
        }
        Code::MisspeltPart if text == "|" => with(start..end, "(?:)|"),
        Code::MisspeltPart if text.starts_with('!') => with(start..start + 1, "\\x21"),
        // Without the `!` that begins it here, it is the line that Extender had.
        Code::DeadForbid if line.starts_with('!') => with(0..1, "\\x21"),
        Code::UrlText if text == "||" => with(start..end, "|(?:)|"),
        Code::UrlText if text.starts_with('?') => with(start..start + 1, optional(line.get(..start)?)),
        Code::UrlText if first.is_some_and(char::is_alphabetic) => {
            let letter = first?;
            with(start..start + letter.len_utf8(), &hex(letter))
        }
        Code::LineSyntax if text.starts_with("@include") => with(start..start + 1, "\\x40"),
        Code::ValueText if text == "+" => with(start..end, "{1,}"),
        Code::LineSyntax | Code::UrlText | Code::ValueText | Code::HiddenText | Code::MixedScripts => {
            let (length, escape) = escape_of(text)?;
            with(start..start + length, &escape)
        }
        // `/*` and `/:name` as Java reads them.
        Code::ForeignText if text.starts_with("/*") => with(start..start + 2, "(?:/)*"),
        Code::ForeignText if text.starts_with("\\/*") => with(start..start + 3, "(?:/)*"),
        Code::ForeignText if text.starts_with('/') && !text.starts_with("/?") => {
            with(start..start + 1, "[/]")
        }
        Code::ForeignText if text.starts_with("..") => with(start..start + 1, "(?:.)"),
        Code::ForeignText if text.starts_with('%') => with(start..start + 1, "[%]"),
        Code::ForeignText if text.starts_with("/?") => with(start + 1..start + 2, "{0,1}"),
        Code::ForeignText if text.starts_with(':') => with(start..start + 1, "\\:"),
        Code::ForeignText if text.starts_with('<') => with(start..start + 1, "[<]"),
        Code::ForeignText if text.starts_with('(') => {
            let at = start + text.find('-')?;
            with(at..at + 1, "\\x2d")
        }
        // The flag changes only anchors, and an anchor within a text has nothing to match.
        Code::Anchor if text == "m" => without_flag(line, start),
        Code::Anchor => with(start..end, NOTHING),
        Code::RegexpFeature => names::without_quotation(line),
        _ => None,
    }
}

/// The flags of a group without the one at `at`.
fn without_flag(line: &str, at: usize) -> Option<String> {
    let mut text = line.to_owned();
    text.replace_range(at..=at, "");
    let open = text.get(..at)?.rfind("(?")?;
    if text.get(open..)?.starts_with("(?)") {
        text.replace_range(open..open + 3, "");
    }
    Some(text)
}

/// What says `?` otherwise: after a quantifier it only asks for a shorter match first, which does not matter to a whole match.
fn optional(before: &str) -> &'static str {
    let is_escaped = |cut: &str| (cut.len() - cut.trim_end_matches('\\').len()) % 2 == 1;
    match before.strip_suffix(['*', '+', '?', '}']) {
        Some(cut) if !is_escaped(cut) => "",
        _ => "{0,1}",
    }
}

/// Whether a character of a class stands only for itself.
fn is_plain(character: char) -> bool {
    character.is_ascii_alphanumeric() || "*,;/ \"".contains(character)
}

fn hex(character: char) -> String {
    match u32::from(character) {
        code @ 0..=0x7f => format!("\\x{code:02X}"),
        code => format!("\\x{{{code:x}}}"),
    }
}

/// A class with escapes before the characters that look like a constraint's.
fn escaped_class(inner: &str) -> String {
    let (mut out, mut is_escaped) = (String::with_capacity(inner.len()), false);
    for character in inner.chars() {
        if !is_escaped && "<>".contains(character) {
            // In a class, `\<` is not an escape.
            out.push_str(&hex(character));
            continue;
        }
        if !is_escaped && ":=~!".contains(character) {
            out.push('\\');
        }
        is_escaped = character == '\\' && !is_escaped;
        out.push(character);
    }
    out
}

/// The escape for the first character of a text, and the character's length.
fn escape_of(text: &str) -> Option<(usize, String)> {
    let first = text.chars().next()?;
    let escape = match first {
        '%' => "[%]".to_owned(),
        '=' => "[=]".to_owned(),
        '<' => "[<]".to_owned(),
        '>' => "[>]".to_owned(),
        sign @ ('#' | ',' | ';' | '&') => format!("[{sign}]"),
        '!' => "[!]".to_owned(),
        '\\' if text.starts_with("\\?") => return Some((2, "[?]".to_owned())),
        character if character.is_whitespace() || character.is_control() || !character.is_ascii() => {
            format!("\\x{{{:x}}}", u32::from(character))
        }
        _ => return None,
    };
    Some((first.len_utf8(), escape))
}

#[cfg(test)]
mod tests;
