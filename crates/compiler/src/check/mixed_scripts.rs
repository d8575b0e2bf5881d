//! TW0025: a word of letters of several scripts, which reads like another word: `аdmin` with a Cyrillic `а`.

use super::{look_alike, scripts::mixed};
use crate::{
    ast::{self, Subject},
    diagnostic::{Code, Diagnostic},
    json::Step,
    source::{SourceSet, Span},
    tokens::TokenDef,
};

/// Checks the names of a token and of its sets, and its users.
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
    if let Some((headline, help)) = look_alike::in_name(text) {
        diagnostics.push(Diagnostic::new(Code::MixedScripts, span, headline).help(help));
        return;
    }
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
