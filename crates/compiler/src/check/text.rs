//! Slips in a line's text, of which the first is an error: nothing written may silently mean something else.

use super::{
    class_text, foreign, look_alike, misspelt_part,
    parts::{Url, Value},
    separator, url_text, value_text,
};
use crate::{
    ast::{self, Subject, Test},
    diagnostic::Diagnostic,
    source::SourceSet,
};

/// Checks a line that parses, before its regexps are parsed.
///
/// # Errors
/// The first slip.
pub(crate) fn check(syntax: &ast::Limit, sources: &SourceSet) -> Result<(), Box<Diagnostic>> {
    let url = Url::new(syntax, sources);
    let in_url = || {
        misspelt_part::find(&url)
            .or_else(|| foreign::find(&url))
            .or_else(|| {
                class_text::find(url.text, &url.pieces, true, |code, range, headline| {
                    url.error(code, range, headline)
                })
            })
            .or_else(|| separator::find(&url))
            .or_else(|| url_text::find(&url))
            .or_else(|| look_alike::in_url(&url))
    };
    let in_values = || {
        syntax.constraints.iter().find_map(|constraint| {
            let Test::Values { pattern, .. } = &constraint.test else {
                return None;
            };
            let is_query = matches!(constraint.subject, Subject::Query(_));
            value_text::find(&Value::new(pattern, constraint.span, sources), is_query)
        })
    };
    match in_url().or_else(in_values) {
        Some(diagnostic) => Err(Box::new(diagnostic)),
        None => Ok(()),
    }
}
