//! TW0120: files whose names are nearly those of policy files.

use crate::{
    diagnostic::{Code, Diagnostic, Elsewhere},
    source::{SourceKind, SourceSet, Span, nearly_special},
};

pub(crate) fn check(sources: &SourceSet, diagnostics: &mut Vec<Diagnostic>) {
    for path in sources.near() {
        diagnostics.push(
            found(sources, path, format!("`{path}` is not read")).help(
                "policy files end in `.toml` or `.limits`; rename the file, or move it out of the policy directory",
            ),
        );
    }
    for (_, source) in sources
        .iter()
        .filter(|(_, source)| source.kind == SourceKind::Tokens)
    {
        if let Some(special) = nearly_special(&source.path) {
            let headline = format!("`{}` is read as a token file", source.path);
            diagnostics.push(found(sources, &source.path, headline).help(format!(
                "rename the file to `{special}` if it is intended as such"
            )));
        }
    }
}

fn found(sources: &SourceSet, path: &str, headline: String) -> Diagnostic {
    Diagnostic::new(Code::NearFile, Span::nowhere(), headline).elsewhere(Some(Elsewhere {
        file: sources.shown(path),
        line: 1,
    }))
}
