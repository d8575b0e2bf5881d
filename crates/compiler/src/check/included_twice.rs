//! TW0112: a set that comes along with another, or is named twice.

use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    tokens::At,
};

/// A name by which a token or a set takes in a set.
#[derive(Clone, Copy)]
pub(crate) struct Include<'a> {
    pub(crate) name: &'a str,
    pub(crate) span: Span,
}

impl<'a> Include<'a> {
    /// Another name in its place: in quotes in a token's list.
    pub(crate) fn written(self, name: &str) -> String {
        if self.span.end - self.span.start > self.name.len() {
            format!("\"{name}\"")
        } else {
            name.to_owned()
        }
    }

    /// The name in a token's list.
    pub(crate) fn of(name: &'a At<String>) -> Self {
        Self {
            name: &name.value,
            span: name.span,
        }
    }
}

/// `twice`: names of sets, each with the name through which the set comes already.
pub(crate) fn check(twice: &[(Include<'_>, Include<'_>)], diagnostics: &mut Vec<Diagnostic>) {
    for (name, by) in twice {
        let (headline, what) = if name.name == by.name {
            (
                format!("the set `{}` is included twice", name.name),
                "first included here".to_owned(),
            )
        } else {
            (
                format!(
                    "the set `{}` is included twice: `{}` includes it",
                    name.name, by.name
                ),
                format!("includes `{}`", name.name),
            )
        };
        diagnostics.push(
            Diagnostic::new(Code::IncludedTwice, name.span, headline)
                .related(by.span, what)
                .help("its lines apply once; remove one of the includes")
                .fix(name.span, ""),
        );
    }
}

/// The finding that a list of includes was not searched, since those of all lists lead to too many others.
pub(crate) fn unsettled(first: Include<'_>) -> Diagnostic {
    let headline = "too many sets include each other to find sets that are included twice";
    Diagnostic::new(Code::IncludedTwice, first.span, headline)
        .help("reduce the includes between sets; the lines of a set apply once in any case")
}
