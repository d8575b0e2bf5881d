//! TW0112: a set that comes along with another, or is named twice.

use crate::{
    diagnostic::{Code, Diagnostic},
    tokens::At,
};

/// `twice`: names of sets, each with the name through which the set comes already.
pub(crate) fn check(twice: &[(&At<String>, &At<String>)], diagnostics: &mut Vec<Diagnostic>) {
    for (name, by) in twice {
        let (headline, what) = if name.value == by.value {
            (
                format!("the set `{}` is included twice", name.value),
                "here already".to_owned(),
            )
        } else {
            (
                format!(
                    "the set `{}` is included twice: `{}` includes it",
                    name.value, by.value
                ),
                format!("includes `{}`", name.value),
            )
        };
        diagnostics.push(
            Diagnostic::new(Code::IncludedTwice, name.span, headline)
                .related(by.span, what)
                .help("its lines count once; take one of the includes out"),
        );
    }
}
