//! TW0102: `[psot]` is a legal class, `[QueryParm::x==y]` too; hardly anybody means them so.

use crate::{
    ast,
    diagnostic::{Code, Diagnostic, nearest},
    method::Method,
    source::{SourceSet, Span},
};

pub(super) fn check(line: &ast::Limit, sources: &SourceSet, diagnostics: &mut Vec<Diagnostic>) {
    let text = sources.text(line.url.span);
    for class in classes(text) {
        let Some(inner) = text.get(class.start + 1..class.end - 1) else {
            continue;
        };
        let place = line.url.span.part(class.clone());
        if class.start == 0
            && line.methods.is_none()
            && let Some(methods) = misspelt_methods(inner)
        {
            diagnostics.push(
                warning(
                    place,
                    format!("`[{inner}]` is a class of characters, not a method list"),
                )
                .help(format!("did you mean `[{methods}]`?")),
            );
        } else if let Some(part) = misspelt_constraint(inner) {
            diagnostics.push(
                warning(
                    place,
                    format!("`[{inner}]` is a class of characters, not a constraint"),
                )
                .help(format!(
                    "did you mean `[{part}::…]`? letters of either case are told apart"
                )),
            );
        }
    }
}

fn warning(place: Span, headline: String) -> Diagnostic {
    Diagnostic::new(Code::MisspeltPart, place, headline)
}

/// The ranges of the bracketed parts of a regexp, outermost only.
fn classes(text: &str) -> Vec<std::ops::Range<usize>> {
    let (mut ranges, mut depth, mut start, mut escaped) = (Vec::new(), 0_usize, 0, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'[' => {
                if depth == 0 {
                    start = at;
                }
                depth += 1;
            }
            b']' if depth > 0 => {
                depth -= 1;
                if depth == 0 {
                    ranges.push(start..at + 1);
                }
            }
            _ => {}
        }
    }
    ranges
}

/// The list that was meant, if every word is a method or nearly one, and one is not.
fn misspelt_methods(inner: &str) -> Option<String> {
    let known = Method::NAMED.map(|method| method.as_str().to_lowercase());
    let words: Vec<&str> = inner.split([',', '|']).map(str::trim).collect();
    let meant: Option<Vec<&str>> = words
        .iter()
        .map(|word| {
            word.chars()
                .all(|character| character.is_ascii_alphabetic())
                .then_some(*word)
        })
        .map(|word| {
            nearest(word?, known.iter().map(String::as_str))
                .filter(|_| word.is_some_and(|word| word.len() > 2))
        })
        .collect();
    Some(meant?.join(","))
}

/// The part that was meant by `QueryParm::…`, `jsondata::…`, `QueryParam:…`.
fn misspelt_constraint(inner: &str) -> Option<&'static str> {
    let (name, rest) = inner.split_once(':')?;
    let looks_like_a_test = rest.contains('=') || rest.ends_with("only");
    let near = nearest(name, ["QueryParam", "JsonData"]).filter(|_| looks_like_a_test)?;
    Some(if near == "QueryParam" {
        "QueryParam"
    } else {
        "JsonData"
    })
}
