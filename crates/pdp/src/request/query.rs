//! The query: form-encoded pairs, which are decoded once, and one encoding of them.

use std::borrow::Cow;

use super::escape::{decode_form, push_component};
use super::{Reason, Refusal};

/// A parameter: its decoded name and its decoded value; the value is `None` if there is no `=`.
pub type Pair = (String, Option<String>);

/// Decodes a query into its pairs, in order, repeated names kept, empty pairs dropped.
///
/// # Errors
/// The query has invalid escapes or UTF-8, a raw `;`, a name that is empty or has a control character, or more than
/// `limit` pairs.
pub(super) fn decode(raw: &str, limit: usize) -> Result<Vec<Pair>, Refusal> {
    if raw.contains(';') {
        return Err(Reason::QuerySemicolon.into());
    }
    let mut pairs = Vec::new();
    for pair in raw.split('&').filter(|pair| !pair.is_empty()) {
        if pairs.len() == limit {
            return Err(Reason::TooManyParameters.into());
        }
        let (name, value) = match pair.split_once('=') {
            Some((name, value)) => (name, Some(value)),
            None => (pair, None),
        };
        let name = text(name)?;
        // Tomcat drops parameters without a name; C-based servers cut names at NUL, PHP at other control characters.
        if name.is_empty() || name.chars().any(char::is_control) {
            return Err(Reason::QueryName.into());
        }
        pairs.push((name, value.map(text).transpose()?));
    }
    Ok(pairs)
}

/// Appends the pairs in their canonical encoding, with `%20` for a space. `?` precedes the first pair.
pub(super) fn push_encoded(out: &mut String, pairs: &[Pair]) {
    let mut separator = '?';
    for (name, value) in pairs {
        out.push(separator);
        separator = '&';
        push_component(out, name);
        if let Some(value) = value {
            out.push('=');
            push_component(out, value);
        }
    }
}

/// Returns the name under which frameworks with nested parameters (`n[a][]`, Rack's `[n]`) and those that trim names
/// store a parameter, in lower case.
pub(super) fn first_name(name: &str) -> Cow<'_, str> {
    let start =
        name.trim_start_matches(|character: char| character.is_whitespace() || "[]".contains(character));
    lower_case(start.split(['[', ']']).next().unwrap_or_default().trim_end())
}

/// Gives the text in lower case. A usual name is so already, and not copied.
pub(super) fn lower_case(text: &str) -> Cow<'_, str> {
    match text
        .bytes()
        .any(|byte| byte.is_ascii_uppercase() || !byte.is_ascii())
    {
        true => Cow::Owned(text.to_lowercase()),
        false => Cow::Borrowed(text),
    }
}

/// Returns the name under which PHP stores a parameter, in lower case. Leading blanks are removed; dots, blanks, and a
/// `[` without a `]` after it become `_`.
pub(super) fn underscored(name: &str) -> Cow<'_, str> {
    let name = name.trim_start_matches(' ');
    let end = match name.find('[') {
        // A name that begins with a bracket is not nested.
        Some(at) if at > 0 && name.get(at..).is_some_and(|rest| rest.contains(']')) => at,
        _ => name.len(),
    };
    let first = name.get(..end).unwrap_or(name);
    match first.contains(['.', ' ', '[']) {
        true => Cow::Owned(first.replace(['.', ' ', '['], "_").to_lowercase()),
        false => lower_case(first),
    }
}

/// Whether the parameter declares another charset than UTF-8 for all parameters, which some servers accept (RFC 7578
/// section 4.6, Sling).
pub(super) fn names_other_charset(name: &str, value: &str) -> bool {
    name.trim().eq_ignore_ascii_case("_charset_")
        && !["", "utf-8", "utf8"]
            .iter()
            .any(|known| value.eq_ignore_ascii_case(known))
}

/// Whether two parameters of different names may be the same to the upstream: only one of them is nested (Rack drops
/// one of them, PHP and `qs` merge them). With `folded`, also if they differ in letter case (ASP.NET), or in characters
/// that PHP replaces by `_`.
///
/// Cost: one sort of the names.
pub(super) fn is_ambiguous(pairs: &[Pair], folded: bool) -> bool {
    let written = |name: &str| name.split('[').next().unwrap_or_default().to_owned();
    let filed = |name: &str| match folded {
        true => underscored(name).into_owned(),
        false => written(name),
    };
    let mut names: Vec<_> = pairs
        .iter()
        .map(|(name, _)| (filed(name), written(name), name.contains('[')))
        .collect();
    names.sort_unstable();
    names.windows(2).any(|pair| match pair {
        [
            (filed, written, nested),
            (other_filed, other_written, other_nested),
        ] => filed == other_filed && (written != other_written || nested != other_nested),
        _ => false,
    })
}

/// Whether a query with both parameters is ambiguous.
pub(crate) fn clash(one: &str, other: &str, folded: bool) -> bool {
    is_ambiguous(&[one, other].map(|name| (name.to_owned(), None)), folded)
}

fn text(encoded: &str) -> Result<String, Reason> {
    let bytes = decode_form(encoded.as_bytes()).map_err(|_| Reason::QueryEscape)?;
    String::from_utf8(bytes).map_err(|_| Reason::QueryNotUtf8)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn read(raw: &str) -> Result<Vec<Pair>, Reason> {
        decode(raw, 4).map_err(|refusal| refusal.reason)
    }

    #[test]
    fn pairs_are_decoded_once_in_order() {
        let pair = |name: &str, value: Option<&str>| (name.to_owned(), value.map(str::to_owned));
        for (raw, pairs) in [
            ("", vec![]),
            ("&&a=1&", vec![pair("a", Some("1"))]),
            (
                "a&a=&a=b=c",
                vec![pair("a", None), pair("a", Some("")), pair("a", Some("b=c"))],
            ),
            (
                "%6aql=project%3DKANBAN",
                vec![pair("jql", Some("project=KANBAN"))],
            ),
            ("a+b=c+d%2Be%20f", vec![pair("a b", Some("c d+e f"))]),
            (
                "a=%253D&b=100%25",
                vec![pair("a", Some("%3D")), pair("b", Some("100%"))],
            ),
            ("a=%3B%5C%0A%00/../?x", vec![pair("a", Some(";\\\n\0/../?x"))]),
            ("f%5B%5D=*all", vec![pair("f[]", Some("*all"))]),
            ("?jql=x", vec![pair("?jql", Some("x"))]),
        ] {
            assert_eq!(read(raw), Ok(pairs), "{raw}");
        }
    }

    #[test]
    fn what_servers_read_differently_is_refused() {
        for (raw, reason) in [
            ("a=1;b=2", Reason::QuerySemicolon),
            ("a=1&amp;b=2", Reason::QuerySemicolon),
            ("a=%zz", Reason::QueryEscape),
            ("a%=1", Reason::QueryEscape),
            ("a=%u0041", Reason::QueryEscape),
            ("a=%ff", Reason::QueryNotUtf8),
            ("a=%c0%ae", Reason::QueryNotUtf8),
            ("a%00=1", Reason::QueryName),
            ("a%0a=1", Reason::QueryName),
            ("=1", Reason::QueryName),
            ("=", Reason::QueryName),
            ("a&b&c&d&e", Reason::TooManyParameters),
        ] {
            assert_eq!(read(raw), Err(reason), "{raw}");
        }
        assert_eq!(read("a&b&c&d&&").map(|pairs| pairs.len()), Ok(4));
    }

    #[test]
    fn the_encoding_is_one() {
        let mut out = String::from("/a");
        push_encoded(&mut out, &decode("a+b=c%20d&e&f=&g=*%7e", 9).unwrap());
        assert_eq!(out, "/a?a%20b=c%20d&e&f=&g=%2A~");
        out.clear();
        push_encoded(&mut out, &[]);
        assert_eq!(out, "");
    }

    #[test]
    fn nested_names_have_one_first_name() {
        for name in [
            "sudo",
            "SUDO",
            "sudo[]",
            "sudo[a][b]",
            "[sudo]",
            " sudo",
            "]sudo]x",
            "sudo ",
            "\u{a0}sudo",
        ] {
            assert_eq!(first_name(name), "sudo", "{name}");
        }
        assert_eq!(first_name("x[sudo]"), "x");
    }

    #[test]
    fn names_that_php_makes_one_are_one() {
        for name in [
            "os_username",
            "os.username",
            "OS username",
            " os_username",
            "os[username",
            "os.username[x]",
        ] {
            assert_eq!(underscored(name), "os_username", "{name}");
        }
        assert_eq!(underscored("os[username]"), "os");
        assert_eq!(underscored("[os]"), "_os]");
    }

    #[test]
    fn a_charset_that_is_not_ours_is_told() {
        for (name, value, expected) in [
            ("_charset_", "utf-7", true),
            ("_Charset_", "ISO-8859-1", true),
            (" _charset_", "utf-16", true),
            ("_charset_", "UTF-8", false),
            ("_charset_", "", false),
            ("charset", "utf-7", false),
        ] {
            assert_eq!(names_other_charset(name, value), expected, "{name} {value}");
        }
    }

    #[test]
    fn parameters_that_may_be_one_are_told() {
        for (raw, nested, folded) in [
            ("a=1&a=2&b", false, false),
            ("a[]=1&a[]=2&a[x][y]=3", false, false),
            ("a[b]=1&b=2&ab=3", false, false),
            ("a=1&a[]=2", true, true),
            ("a[x]=1&b&a", true, true),
            ("a=1&A=2", false, true),
            ("a_b=1&c&a.b=2", false, true),
            ("a_b=1&a[b=2", false, true),
            ("a[x]=1&A[y]=2", false, true),
        ] {
            let pairs = decode(raw, 9).unwrap();
            assert_eq!(is_ambiguous(&pairs, false), nested, "{raw}");
            assert_eq!(is_ambiguous(&pairs, true), folded, "{raw}");
        }
    }

    proptest! {
        #[test]
        fn what_is_sent_reads_as_what_was_judged(raw in "[ab=&+%20e3D?/.\\[\\];-]{0,24}") {
            if let Ok(pairs) = decode(&raw, 256) {
                let mut sent = String::new();
                push_encoded(&mut sent, &pairs);
                prop_assert_eq!(decode(sent.strip_prefix('?').unwrap_or_default(), 256).unwrap(), pairs);
            }
        }
    }
}
