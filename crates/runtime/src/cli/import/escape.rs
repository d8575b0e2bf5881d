//! Rewrites lines of Extender that Tokenward refuses to lines with the same meaning, with an escape in the place of the
//! text that it refuses.

use tokenward_compiler::compile;
use tokenward_compiler::diagnostic::{Code, Diagnostic, Severity};
use tokenward_compiler::method::Method;
use tokenward_compiler::source::SourceSet;

/// Errors of a line that are mended one after the other.
const MOST: usize = 40;

/// The line with escapes, if it is refused without them and accepted with them.
pub(super) fn escaped(line: &str) -> Option<String> {
    let mut text = blanks_kept(line)?;
    for _ in 0..MOST {
        let Some((start, error)) = refused(&text) else {
            return (text != line).then_some(text);
        };
        text = mended(&text, &error, start)?;
    }
    None
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
    if let Some(end) = text
        .strip_prefix('[')
        .and_then(|rest| rest.find(']'))
        .map(|at| at + 2)
        && text.get(end..)?.starts_with(' ')
    {
        text.replace_range(end..=end, "\\x20");
    }
    Some(text)
}

/// The first error of a line in a policy by itself, and where the line begins there.
fn refused(line: &str) -> Option<(usize, Diagnostic)> {
    let before = format!(
        "[[token]]\nname = 't'\nuser = 'u'\nexpires = 2099-01-01\nsecret_hash = 'sha256:{}'\nlimit_to = '''\n",
        "0".repeat(64)
    );
    let file = format!("{before}{line}\n'''\n");
    let sources = SourceSet::from_files([("line.toml".to_owned(), file)]);
    let mut found = compile(&sources).diagnostics.into_iter();
    let error = found.find(|found| found.severity == Severity::Error)?;
    Some((before.len(), error))
}

/// The line with an escape at an error.
fn mended(line: &str, error: &Diagnostic, line_start: usize) -> Option<String> {
    let start = error.primary.span.start.checked_sub(line_start)?;
    let end = error.primary.span.end.checked_sub(line_start)?;
    let text = line.get(start..end)?;
    let with = |range: std::ops::Range<usize>, escape: &str| {
        let mut line = line.to_owned();
        line.replace_range(range, escape);
        Some(line)
    };
    // Extender compares a name as it is, whatever it holds.
    if let Some((range, name)) = bare_name(line, start) {
        return with(range, &format!("\"{}\"", name.replace('\\', "\\\\")));
    }
    match error.code {
        // A class of words or numbers: with an escape, it says that it is a class.
        Code::WordClass if text.len() > 2 => {
            let at = start + 1 + usize::from(text.starts_with("[^"));
            let first = line.get(at..)?.chars().next()?;
            let escape = format!("\\x{{{:x}}}", u32::from(first));
            with(at..at + first.len_utf8(), &escape)
        }
        // A class: its colons and equals signs are escaped.
        Code::MisspeltPart if text.starts_with('[') && text.len() > 2 => {
            let inner = text.get(1..text.len() - 1)?;
            let escaped = escaped_class(inner);
            if escaped != inner {
                return with(start + 1..end - 1, &escaped);
            }
            // A bracket of methods behind the URL: its first letter as a number.
            let mut words = inner.split([',', '|']);
            if !words.all(|word| Method::from_name(word.trim()).is_some()) {
                return None;
            }
            let first = inner.chars().next()?;
            let escape = format!("\\x{{{:x}}}", u32::from(first));
            with(start + 1..start + 1 + first.len_utf8(), &escape)
        }
        Code::MisspeltPart if text.contains("::") && !text.starts_with(['(', '{']) => {
            with(start..end, &text.replacen("::", "\\:\\:", 1))
        }
        Code::MisspeltPart if text.starts_with('(') => with(start..end, &text.replacen("::", "\\:\\:", 1)),
        Code::LineSyntax | Code::UrlText | Code::ValueText | Code::HiddenText | Code::MixedScripts => {
            escape_of(text).and_then(|(length, escape)| with(start..start + length, &escape))
        }
        // `/*` and `/:name` as Java reads them.
        Code::ForeignText if text.starts_with("/*") => with(start..start + 2, "(?:/)*"),
        Code::ForeignText if text.starts_with("\\/*") => with(start..start + 3, "(?:/)*"),
        Code::ForeignText if text.starts_with('%') => with(start..start + 1, "[%]"),
        Code::ForeignText if text.starts_with([':', '<']) => {
            let first = text.get(..1)?;
            with(
                start..start + 1,
                &format!("[\\{first}]")
                    .replace("[\\<]", "[<]")
                    .replace("[\\:]", "\\:"),
            )
        }
        _ => None,
    }
}

/// The whole name without quotes of a parameter or node in which a place is, and its range.
fn bare_name(line: &str, place: usize) -> Option<(std::ops::Range<usize>, &str)> {
    let before = line.get(..place)?;
    let open = ["[QueryParam::", "[JsonData::"]
        .iter()
        .filter_map(|open| Some(before.rfind(open)? + open.len()))
        .max()?;
    let end = open + line.get(open..)?.find("==")?;
    let name = line
        .get(open..end)
        .filter(|name| !name.contains(['"', '[', ']']))?;
    (place < end).then_some((open..end, name))
}

/// A class with escapes before the characters that look like a constraint's.
fn escaped_class(inner: &str) -> String {
    let (mut out, mut is_escaped) = (String::with_capacity(inner.len()), false);
    for character in inner.chars() {
        if !is_escaped && "<>".contains(character) {
            // In a class, `\<` is not an escape.
            out.push_str(&format!("\\x{:02X}", u32::from(character)));
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
mod tests {
    use super::escaped;

    #[test]
    fn refused_text_gets_an_escape() {
        for (line, expected) in [
            (
                "[get].*/rest/x[QueryParm::a==b]",
                r"[get].*/rest/x[QueryParm\:\:a\=\=b]",
            ),
            ("[get].*/rest/x[amount<500]", r"[get].*/rest/x[amount\x3C500]"),
            ("[get].*/rest/x y", r"[get].*/rest/x\x{20}y"),
            (
                "[get].*/rest/x [QueryParam::a==b]",
                r"[get].*/rest/x\x20[QueryParam::a==b]",
            ),
            ("[get].*/rest/x%20y", "[get].*/rest/x[%]20y"),
            ("[get].*/rest/x # y", r"[get].*/rest/x\x{20}[#]\x{20}y"),
            ("[get].*/rest/*", "[get].*/rest(?:/)*"),
            ("[get].*/rest/:key", r"[get].*/rest/\:key"),
            (r"[get].*/rest/x\?a=b", "[get].*/rest/x[?]a=b"),
            (
                "[get].*/rest/x[QueryParam::a== b]",
                r"[get].*/rest/x[QueryParam::a==\x{20}b]",
            ),
            (
                "[get].*/rest/x[QueryParam::a===b]",
                "[get].*/rest/x[QueryParam::a==[=]b]",
            ),
            (
                "[get].*/rest/x[QueryParam::a==%20b]",
                "[get].*/rest/x[QueryParam::a==[%]20b]",
            ),
            (
                r"[get].*/rest/x[QueryParam::a.*==b]",
                r#"[get].*/rest/x[QueryParam::"a.*"==b]"#,
            ),
            (
                r"[get].*/rest/x[QueryParam::f%5B%5D==b]",
                r#"[get].*/rest/x[QueryParam::"f%5B%5D"==b]"#,
            ),
            (
                r"[post].*/rest/x[JsonData::a/b.c\d==b]",
                r#"[post].*/rest/x[JsonData::"a/b.c\\d"==b]"#,
            ),
            ("[get].*/rest/[key]", r"[get].*/rest/[\x{6b}ey]"),
            ("[get].*/rest/[1-100]", r"[get].*/rest/[\x{31}-100]"),
            ("[get].*/rest/x[post]", r"[get].*/rest/x[\x{70}ost]"),
            ("[get].*/rest/x#y", "[get].*/rest/x[#]y"),
            ("[get].*/rest/x,", "[get].*/rest/x[,]"),
            ("[get].*/rest/x%", "[get].*/rest/x[%]"),
            ("[get].*/rest/\u{ff41}", r"[get].*/rest/\x{ff41}"),
            (
                "[get].*/rest/x[QueryParam::a==b&QueryParam::c==d]",
                r"[get].*/rest/x[QueryParam::a==b&QueryParam\:\:c==d]",
            ),
            (
                "[get].*/rest/x[QueryParam::a==b ]",
                r"[get].*/rest/x[QueryParam::a==b\x{20}]",
            ),
        ] {
            assert_eq!(escaped(line).as_deref(), Some(expected), "{line}");
        }
        // Nothing to do, and nothing that an escape would mend.
        assert_eq!(escaped("[get].*/rest/x"), None);
        assert_eq!(escaped("[get].*/rest/(x"), None);
        assert_eq!(escaped("[gett].*/rest/x"), None);
    }
}
