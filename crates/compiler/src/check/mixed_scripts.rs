//! TW0025: a word of letters of several scripts, which reads like another word: `аdmin` with a Cyrillic `а`.

use icu_properties::{CodePointMapData, props::Script};

use crate::{
    ast::{self, Subject},
    diagnostic::{Code, Diagnostic},
    json::Step,
    source::{SourceSet, Span},
    tokens::TokenDef,
};

/// Checks the names and users of a token.
pub(crate) fn check_token(token: &TokenDef, diagnostics: &mut Vec<Diagnostic>) {
    let one = token.name.iter().chain(&token.user).chain(&token.include);
    for text in one {
        report(&text.value, text.span, diagnostics);
    }
    for list in token.users.iter().chain(&token.on_behalf_of) {
        for text in &list.value {
            report(text, list.span, diagnostics);
        }
    }
}

/// Checks the names of a line's constraints. Quotes say that a name is meant as it is.
pub(super) fn check(line: &ast::Limit, sources: &SourceSet, diagnostics: &mut Vec<Diagnostic>) {
    for constraint in &line.constraints {
        if sources.text(constraint.span).contains("::\"") {
            continue;
        }
        match &constraint.subject {
            Subject::Query(name) => report(name, constraint.span, diagnostics),
            Subject::Json(path) => {
                for step in &path.0 {
                    if let Step::Name(name) = step {
                        report(name, constraint.span, diagnostics);
                    }
                }
            }
        }
    }
}

fn report(text: &str, span: Span, diagnostics: &mut Vec<Diagnostic>) {
    let words = text.split(|character: char| !character.is_alphanumeric());
    for word in words {
        let Some((one, other)) = mixed(word) else { continue };
        diagnostics.push(
            Diagnostic::new(
                Code::MixedScripts,
                span,
                format!(
                    "`{word}` mixes letters from several scripts: `{one}` (U+{:04X}) and `{other}` (U+{:04X})",
                    u32::from(one),
                    u32::from(other)
                ),
            )
            .help("type the word again, with letters from one script only"),
        );
        return;
    }
}

/// Two letters of a word that belong to scripts which no language mixes.
fn mixed(word: &str) -> Option<(char, char)> {
    if word.is_ascii() {
        return None;
    }
    let scripts = CodePointMapData::<Script>::new();
    let (mut seen, mut first) = (Vec::new(), None);
    for character in word.chars() {
        let script = scripts.get(character);
        if matches!(script, Script::Common | Script::Inherited | Script::Unknown) {
            continue;
        }
        if !seen.contains(&script) {
            seen.push(script);
        }
        let Some(first) = first else {
            first = Some(character);
            continue;
        };
        if !is_one_language(&seen) {
            return Some((first, character));
        }
    }
    None
}

/// Whether some language writes with these scripts (UTS 39 section 5.2, "highly restrictive").
fn is_one_language(seen: &[Script]) -> bool {
    let sets: [&[Script]; 3] = [
        &[Script::Latin, Script::Han, Script::Hiragana, Script::Katakana],
        &[Script::Latin, Script::Han, Script::Bopomofo],
        &[Script::Latin, Script::Han, Script::Hangul],
    ];
    seen.len() < 2
        || sets
            .iter()
            .any(|set| seen.iter().all(|script| set.contains(script)))
}

#[cfg(test)]
mod tests {
    use super::mixed;

    #[test]
    fn words_of_several_scripts_are_found() {
        for word in ["\u{430}dmin", "p\u{430}ssword", "svc\u{3bf}ci", "\u{391}lpha"] {
            assert!(mixed(word).is_some(), "{word}");
        }
        for word in [
            "admin",
            "müller",
            "администратор",
            "東京タワー",
            "JR東日本",
            "한국어",
            "naïve1",
            "日本2",
            "ʼtHart",
        ] {
            assert!(mixed(word).is_none(), "{word}");
        }
    }
}
