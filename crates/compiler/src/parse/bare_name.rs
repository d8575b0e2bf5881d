//! TW0011: characters in a name without quotes that belong to a wildcard, a regexp or another path language. A name is compared as it
//! is, so such a name is hardly ever in a request. Quotes say that it is meant.

use super::quoted::quoted_name;
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
};

/// Where a bare name is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// A parameter of the query.
    Query,
    /// The first step of a path into the JSON body.
    FirstStep,
    /// A further step.
    Step,
}

/// Why a name is refused, and what to write instead.
struct Fault {
    code: Code,
    headline: String,
    help: String,
}

/// Refuses a bare name that is hardly meant as a name.
///
/// # Errors
/// The first such character.
pub(super) fn check(name: &str, place: Place, span: Span) -> Result<(), Box<Diagnostic>> {
    let fault = encoded(name, place)
        .or_else(|| braces(name))
        .or_else(|| pointer(name, place))
        .or_else(|| quotes(name))
        .or_else(|| index(name, place))
        .or_else(|| pattern(name, place));
    match fault {
        Some(fault) => Err(Box::new(
            Diagnostic::new(fault.code, span, fault.headline).help(fault.help),
        )),
        None => Ok(()),
    }
}

fn fault(headline: String, help: String) -> Fault {
    Fault {
        code: Code::LineSyntax,
        headline,
        help,
    }
}

/// `user%5Bname%5D`: names are compared decoded.
fn encoded(name: &str, place: Place) -> Option<Fault> {
    if place != Place::Query {
        return None;
    }
    let decoded = decoded(name);
    (decoded != name).then(|| Fault {
        code: Code::ValueText,
        headline: format!("the name `{name}` is percent-encoded: names of parameters are compared decoded"),
        help: format!(
            "write `{}`; to match a percent sign, put the name in quotes",
            quoted_name(&decoded)
        ),
    })
}

/// The name with the characters that `%41` and the like stand for.
fn decoded(name: &str) -> String {
    let (mut bytes, mut rest) = (Vec::with_capacity(name.len()), name.as_bytes());
    while let Some((first, behind)) = rest.split_first() {
        let digits = behind
            .get(..2)
            .filter(|digits| *first == b'%' && digits.iter().all(u8::is_ascii_hexdigit));
        let byte = digits
            .and_then(|digits| std::str::from_utf8(digits).ok())
            .and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(byte.unwrap_or(*first));
        rest = if byte.is_some() {
            behind.get(2..).unwrap_or_default()
        } else {
            behind
        };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// `{USER}`: no placeholder is replaced in a name.
fn braces(name: &str) -> Option<Fault> {
    name.contains(['{', '}']).then(|| {
        fault(
            format!("`{name}` is compared as it is: names have no placeholders"),
            format!(
                "write the name; a parameter or node that has this very name is `{}`",
                quoted_name(name)
            ),
        )
    })
}

/// `/fields/project/key`.
fn pointer(name: &str, place: Place) -> Option<Fault> {
    if !name.contains('/') || name.contains(['*', '\\', '(', '|']) {
        return None;
    }
    let path = name.trim_matches('/').replace('/', ".");
    let help = if place == Place::Query {
        format!(
            "write the name of the parameter; if it contains `/`, write `{}`",
            quoted_name(name)
        )
    } else {
        format!(
            "separate the steps of a path with `.`: `{path}`; if the name contains `/`, write `{}`",
            quoted_name(name)
        )
    };
    Some(fault(format!("`{name}` is one name, not a path"), help))
}

/// `'name'`, `“name”`.
fn quotes(name: &str) -> Option<Fault> {
    let is_quote = |character: char| "'`´“”„‟‘’‚‛«»‹›′″".contains(character);
    if !name.contains(is_quote) {
        return None;
    }
    let plain: String = name.chars().filter(|character| !is_quote(*character)).collect();
    Some(fault(
        format!("the quotes in `{name}` are part of the name"),
        format!(
            "write `{plain}`, or put the name in straight double quotes: `{}`",
            quoted_name(name)
        ),
    ))
}

/// `labels.0`.
fn index(name: &str, place: Place) -> Option<Fault> {
    let is_index = place == Place::Step && matches!(name.as_bytes(), [b'0'..=b'9']);
    is_index.then(|| {
        fault(
            format!("`{name}` is the name of a member, not the index of an element"),
            format!(
                "write `[*]` for the elements of an array, or `{}` for the member",
                quoted_name(name)
            ),
        )
    })
}

/// `*`, `(a|b)`, `customfield_\d+`, `.*`, `a,b`.
fn pattern(name: &str, place: Place) -> Option<Fault> {
    let is_part = |(at, character): (usize, char)| match character {
        '*' | '(' | ')' | '|' | '\\' | '^' | ',' | ';' | '&' => true,
        // `+1` is a name.
        '+' => at > 0 || name.len() == 1,
        '$' => at > 0 && at + 1 == name.len(),
        _ => false,
    };
    let (_, character) = name.char_indices().find(|part| is_part(*part))?;
    if name == "*" && place != Place::Query {
        return Some(fault(
            "`*` by itself is not a name".to_owned(),
            "write `[*]` after a name for the elements of an array, `$[*]` for those of the root, and `\"*\"` for a member with this name".to_owned(),
        ));
    }
    Some(fault(
        format!("`{name}` is compared as it is: names are neither regexps nor wildcards"),
        format!(
            "write one constraint for each name; a name that contains `{character}` is `{}`",
            quoted_name(name)
        ),
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_people_use_need_no_quotes() {
        for (name, place) in [
            ("a", Place::Query),
            ("os_username", Place::Query),
            ("start-at", Place::Query),
            ("$top", Place::Query),
            ("filter.id", Place::Query),
            ("100%", Place::Query),
            ("@type", Place::FirstStep),
            ("#text", Place::Step),
            ("+1", Place::Step),
            ("10000", Place::Step),
            ("0", Place::FirstStep),
            ("$ref", Place::Step),
            ("größe", Place::FirstStep),
            ("a%20b", Place::FirstStep),
        ] {
            assert!(check(name, place, Span::nowhere()).is_ok(), "{name}");
        }
    }
}
