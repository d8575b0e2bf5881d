//! TW0123: a value in quotes, typographic quotes within a value, or a list of values, which are compared as text.

use crate::{
    ast::{self, Effect, Operator, Test},
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
        let found = quotes(text).or_else(|| typographic(text));
        let found = found.or_else(|| restricts.then(|| list(text))?);
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
