//! TW0123: what people write for a value and is compared as text: quotes, typographic quotes, lists, `HR or PAY`, flags of a regexp, a literal
//! of another language, HTML.

use crate::{
    ast::{self, Effect, Operator, Subject, Test},
    diagnostic::{Code, Diagnostic},
    source::SourceSet,
};

/// Quotes that people write around a value: the opening and the closing one.
const QUOTES: [(char, char); 8] = [
    ('"', '"'),
    ('\'', '\''),
    ('`', '`'),
    ('“', '”'),
    ('„', '“'),
    ('”', '”'),
    ('‘', '’'),
    ('«', '»'),
];

pub(super) fn check(line: &ast::Limit, sources: &SourceSet, diagnostics: &mut Vec<Diagnostic>) {
    for constraint in &line.constraints {
        let Test::Values {
            operator, pattern, ..
        } = &constraint.test
        else {
            continue;
        };
        let text = sources.text(pattern.span);
        // Such a line restricts: the value that is not matched gets through.
        let restricts = (line.effect == Effect::Forbid) == (*operator != Operator::None);
        let is_json = matches!(constraint.subject, Subject::Json(_));
        let found = quotes(text)
            .or_else(|| typographic(text))
            .or_else(|| is_json.then(|| literal(text))?)
            .or_else(|| empty_group(text))
            .or_else(|| spaced(text));
        let restricting = || {
            list(text)
                .or_else(|| either(text))
                .or_else(|| flags(text))
                .or_else(|| html(text))
        };
        let found = found.or_else(|| restricts.then(restricting)?);
        if let Some((headline, help, written)) = found {
            let found = Diagnostic::new(Code::DoubtfulValue, pattern.span, headline).help(help);
            diagnostics.push(found.fix(pattern.span, written));
        }
    }
}

/// `"admin"`, `'admin','root'`, `"admin"|"root"`.
fn quotes(text: &str) -> Option<(String, String, String)> {
    let unquoted = |text: &str| {
        let inner = QUOTES
            .iter()
            .find_map(|(open, close)| text.strip_prefix(*open)?.strip_suffix(*close))?;
        let is_one = !inner.is_empty() && !QUOTES.iter().any(|(open, _)| inner.contains(*open));
        is_one.then(|| inner.to_owned())
    };
    let each = text.split(['|', ',', ';']).map(|part| unquoted(part.trim()));
    let inner = unquoted(text).or_else(|| Some(each.collect::<Option<Vec<String>>>()?.join("|")));
    inner.map(|inner| {
        (
            format!("the quotes in `{text}` are part of the value"),
            format!(
                "write `{inner}`; if the value is sent with these quotes, write `\\x{{…}}` for one of them"
            ),
            inner,
        )
    })
}

/// `project = “KANBAN”`: quotes that editors and word processors make, and that no query language has.
fn typographic(text: &str) -> Option<(String, String, String)> {
    const DOUBLE: [char; 4] = ['“', '”', '„', '‟'];
    text.contains(DOUBLE).then(|| {
        (
            format!("the typographic quotes in `{text}` are part of the value"),
            format!(
                "write `{}`; if the value is sent with these quotes, write `\\x{{…}}` for them",
                text.replace(DOUBLE, "\"")
            ),
            text.replace(DOUBLE, "\""),
        )
    })
}

/// `admin,root`: plain words and such signs.
fn list(text: &str) -> Option<(String, String, String)> {
    let separator = [',', ';'].into_iter().find(|sign| text.contains(*sign))?;
    let words: Vec<&str> = text.split(separator).map(str::trim).collect();
    let are_words = words
        .iter()
        .all(|word| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "_-".contains(c)));
    are_words.then(|| {
        (
            format!("`{text}` is one value: `{separator}` is part of it"),
            format!(
                "write `{}` for each of the values, or `[{separator}]` if the value has this sign",
                words.join("|")
            ),
            words.join("|"),
        )
    })
}

/// `HR or PAY`.
fn either(text: &str) -> Option<(String, String, String)> {
    let word = [" or ", " OR ", " and ", " AND "]
        .into_iter()
        .find(|word| text.contains(word))?;
    let words: Vec<&str> = text.split(word).map(str::trim).collect();
    let are_words = words
        .iter()
        .all(|word| !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "_-".contains(c)));
    are_words.then(|| {
        (
            format!("`{text}` is one value: `{}` is part of it", word.trim()),
            format!(
                "write `{}` for each of the values, or `\\x20` for a space if the value has these words",
                words.join("|")
            ),
            words.join("|"),
        )
    })
}

/// `HR | PAY`.
fn spaced(text: &str) -> Option<(String, String, String)> {
    let inner = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    let words: Vec<&str> = inner.unwrap_or(text).split('|').collect();
    let are_words = words.len() > 1
        && words.iter().all(|word| {
            let word = word.trim();
            !word.is_empty() && word.chars().all(|c| c.is_alphanumeric() || "_-. *".contains(c))
        });
    let is_spaced = words.iter().any(|word| word.trim().len() < word.len());
    let written = words.iter().map(|word| word.trim()).collect::<Vec<_>>().join("|");
    (are_words && is_spaced).then(|| {
        (
            "the spaces around `|` are part of the values".to_owned(),
            format!("write `{written}`; if a value has such a space, write `\\x20`"),
            written,
        )
    })
}

/// `.*script.*/i`.
fn flags(text: &str) -> Option<(String, String, String)> {
    let (inner, flags) = text.rsplit_once('/')?;
    let is_regexp = [".*", ".+", "\\w", "\\d", "["]
        .iter()
        .any(|sign| inner.contains(sign));
    let are_flags = matches!(flags, "i" | "g" | "gi" | "ig");
    (is_regexp && are_flags && !inner.contains('/')).then(|| {
        let begin = if flags.contains('i') { "(?i)" } else { "" };
        (
            format!("`/{flags}` is part of the value"),
            format!("write `{begin}{inner}`; if the value has this text, write `[/]{flags}`"),
            format!("{begin}{inner}"),
        )
    })
}

/// `True`, `None`: literals of other languages.
fn literal(text: &str) -> Option<(String, String, String)> {
    let written = match text {
        "True" | "TRUE" => "true",
        "False" | "FALSE" => "false",
        "None" | "nil" | "NULL" | "Null" => "null",
        _ => return None,
    };
    Some((
        format!("`{text}` matches only a string; the literal of JSON is `{written}`"),
        format!("write `{written}`; if the string is intended, write `(?:{text})`"),
        written.to_owned(),
    ))
}

/// `currentUser()`: `()` is a group that matches nothing.
fn empty_group(text: &str) -> Option<(String, String, String)> {
    let at = text.find("()")?;
    let before = text.get(..at)?;
    let is_call = before.ends_with(|last: char| last.is_alphanumeric() || last == '_');
    is_call.then(|| {
        let written = text.replace("()", "\\(\\)");
        (
            "`()` is an empty group, which matches no parentheses".to_owned(),
            format!("write `{written}`"),
            written,
        )
    })
}

/// `a&amp;b`: copied from a page's source.
fn html(text: &str) -> Option<(String, String, String)> {
    let entities = [
        ("&amp;", "&"),
        ("&lt;", "<"),
        ("&gt;", ">"),
        ("&quot;", "\""),
        ("&#39;", "'"),
    ];
    let (entity, character) = entities.into_iter().find(|(entity, _)| text.contains(entity))?;
    let written = text.replace(entity, character);
    Some((
        format!("`{entity}` is part of the value; a page shows it as `{character}`"),
        format!(
            "write `{written}`; if the value has this text, write `[&]{}`",
            entity.trim_start_matches('&')
        ),
        written,
    ))
}
