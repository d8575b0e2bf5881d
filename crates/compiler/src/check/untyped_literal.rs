//! TW0103: `[JsonData::editable==false]` also meets the string `"false"`.

use crate::{
    ast::{self, Effect, Operator, Subject, Test},
    diagnostic::{Code, Diagnostic},
    source::SourceSet,
};

pub(super) fn check(line: &ast::Limit, sources: &SourceSet, diagnostics: &mut Vec<Diagnostic>) {
    for constraint in &line.constraints {
        let (
            Subject::Json(path),
            Test::Values {
                operator,
                kinds: None,
                pattern,
            },
        ) = (&constraint.subject, &constraint.test)
        else {
            continue;
        };
        let text = sources.text(pattern.span);
        let kind = match text {
            "true" | "false" | "true|false" | "false|true" => "boolean",
            "null" => "null",
            _ => continue,
        };
        if line.effect == Effect::Permit && *operator != Operator::None {
            let typed = format!("[JsonData::{path}:{kind}{}{text}]", operator.as_str());
            diagnostics.push(
                Diagnostic::new(
                    Code::UntypedLiteral,
                    constraint.span,
                    format!("`{text}` here also matches a string with that text"),
                )
                .help(format!("write `{typed}`"))
                .fix(constraint.span, typed),
            );
        }
    }
}
