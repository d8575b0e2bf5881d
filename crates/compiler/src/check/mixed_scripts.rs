//! TW0025: names and users with letters that look like others: `аdmin` with a Cyrillic `а`.

use super::look_alike;
use crate::{
    ast::{self, Subject, Test},
    diagnostic::{Code, Diagnostic},
    json::Step,
    parse::quoted_name,
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
        let written = before_value(constraint, sources);
        let mut check = |name: &str| {
            if !written.contains(&quoted_name(name)) {
                report(name, constraint.span, diagnostics);
            }
        };
        match &constraint.subject {
            Subject::Query(name) => check(name),
            Subject::Json(path) => {
                for step in &path.0 {
                    if let Step::Name(name) = step {
                        check(name);
                    }
                }
            }
        }
    }
}

fn before_value<'s>(constraint: &ast::Constraint, sources: &'s SourceSet) -> &'s str {
    let end = match &constraint.test {
        Test::Values { pattern, .. } => pattern.span.start,
        Test::Range { span, .. } => span.start,
        Test::Only => constraint.span.end,
    };
    sources.text(Span {
        end,
        ..constraint.span
    })
}

fn report(text: &str, span: Span, diagnostics: &mut Vec<Diagnostic>) {
    if let Some((headline, help)) = look_alike::in_name(text) {
        diagnostics.push(Diagnostic::new(Code::MixedScripts, span, headline).help(help));
    }
}
