//! TW0104: servers know one thing under several names, which no regexp over URLs can know; and a `/` at the end that the other name lacks.

use crate::{
    ast::{self, Effect},
    diagnostic::{Code, Diagnostic},
    source::SourceSet,
};

pub(super) fn check(line: &ast::Limit, sources: &SourceSet, diagnostics: &mut Vec<Diagnostic>) {
    if line.effect != Effect::Forbid {
        return;
    }
    let url = sources.text(line.url.span);
    let names_one_thing = url
        .bytes()
        .any(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase());
    // `!/rest/admin/` is no `location /rest/admin/`: a final `/` may be missing in the line, and not in the request.
    let without = url
        .strip_suffix('/')
        .filter(|rest| !rest.is_empty() && !rest.ends_with('\\'));
    if let Some(without) = without {
        let end = url.len();
        diagnostics.push(
            Diagnostic::new(
                Code::ForbidAlias,
                line.url.span.part(end - 1..end),
                format!("this line does not forbid `{without}`: a request must have the `/` at its end"),
            )
            .help(format!(
                "write `{without}`, which forbids both; to forbid everything below too, write `{without}(/.*)?`"
            )),
        );
    } else if names_one_thing {
        diagnostics.push(
            Diagnostic::new(Code::ForbidAlias, line.span, "the upstream may accept another name for the resource that this line forbids")
                .help("use permit lines that list the allowed resources; other names are an id for a key, a moved issue, or `latest` for `2`"),
        );
    }
}
