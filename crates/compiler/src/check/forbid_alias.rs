//! TW0104: servers know one thing under several names, which no regexp over URLs can know.

use crate::{
    ast::{self, Effect},
    diagnostic::{Code, Diagnostic},
    source::SourceSet,
};

pub(super) fn check(line: &ast::Limit, sources: &SourceSet, diagnostics: &mut Vec<Diagnostic>) {
    let names_one_thing = sources
        .text(line.url.span)
        .bytes()
        .any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    if line.effect == Effect::Forbid && names_one_thing {
        diagnostics.push(
            Diagnostic::new(Code::ForbidAlias, line.span, "the upstream may accept another name for the resource that this line forbids")
                .help("use permit lines that list the allowed resources; other names are an id for a key, a moved issue, or `latest` for `2`"),
        );
    }
}
