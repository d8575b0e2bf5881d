//! Other spellings of a parameter that a line constrains.
//!
//! `n[]=x` is another name than `n`, and to Rack, PHP and `qs` another way to send `n`. A line with `[QueryParam::n!=x]` sees
//! no `n` there and holds. So under the presets that merge parameters such a name is refused, as is, in inspected JSON, a
//! name that differs in case alone.

use super::query::{Pair, underscored};

/// Whether the query has a parameter that the upstream may file under one of `names`, which a line constrains, and that
/// the line does not name itself. With `folded` also letter case and what PHP takes for `_` make no difference.
///
/// Cost: the product of both counts, mostly a comparison of bytes each.
pub(super) fn spelt_otherwise(query: &[Pair], names: &[&str], folded: bool) -> bool {
    query.iter().any(|(given, _)| {
        let given = given.as_str();
        !names.contains(&given) && names.iter().any(|name| is_kin(given, name, folded))
    })
}

/// Whether what is sent under the name `given` lies at or below the place of `name`.
fn is_kin(given: &str, name: &str, folded: bool) -> bool {
    if begin_apart(given, name) {
        return false;
    }
    let under = |given: &str, name: &str| {
        let mut given = steps(given);
        let mut name = steps(name).peekable();
        name.peek().is_some() && name.all(|step| given.next() == Some(step))
    };
    under(given, name)
        || folded && {
            let (given, name) = (&underscored_first(given), &underscored_first(name));
            // A bracket that none closes is `_`, too.
            let closed = |name: &str| name.contains(']');
            let unclosed = || !closed(given) && !closed(name) && underscored(given) == underscored(name);
            under(given, name) || unclosed()
        }
}

/// Whether the names differ in their first letters, as nearly all do.
fn begin_apart(given: &str, name: &str) -> bool {
    let first = |name: &str| {
        let mut bytes = name.bytes();
        bytes.find(|byte| !matches!(byte, b'[' | b']' | b' '))
    };
    match (first(given), first(name)) {
        (Some(given), Some(name)) => {
            given.is_ascii_alphanumeric()
                && name.is_ascii_alphanumeric()
                && !given.eq_ignore_ascii_case(&name)
        }
        _ => false,
    }
}

/// `a` and `b` of `a[b][]`, and of `[a][b`, as Rack cuts names.
fn steps(name: &str) -> impl Iterator<Item = &str> {
    name.split(['[', ']']).filter(|step| !step.is_empty())
}

/// In lower case, without blanks around it, and with `_` for the dots and blanks before the first bracket.
fn underscored_first(name: &str) -> String {
    let name = name.trim();
    let (first, rest) = name
        .split_at_checked(name.find('[').unwrap_or(name.len()))
        .unwrap_or((name, ""));
    format!("{}{rest}", first.replace(['.', ' '], "_")).to_lowercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn other_spellings_of_a_name_are_told() {
        for (given, name, nested, folded) in [
            ("n[]", "n", true, true),
            ("n[0]", "n", true, true),
            ("n[x][y]", "n", true, true),
            ("[n]", "n", true, true),
            ("n]", "n", true, true),
            ("n[", "n", true, true),
            ("n", "n[]", true, true),
            ("a[b][]", "a[b]", true, true),
            ("[a][b]", "a[b]", true, true),
            ("N", "n", false, true),
            ("n.m", "n_m", false, true),
            ("n m", "n_m", false, true),
            (" n", "n", false, true),
            ("n[m", "n_m", false, true),
            ("N.M[]", "n_m", false, true),
            ("a[c]", "a[b]", false, false),
            ("a", "a[b]", false, false),
            ("nn", "n", false, false),
            ("n-m", "n_m", false, false),
            ("m[n]", "n", false, false),
        ] {
            let query = [(given.to_owned(), None)];
            assert_eq!(spelt_otherwise(&query, &[name], false), nested, "{given} {name}");
            assert_eq!(spelt_otherwise(&query, &[name], true), folded, "{given} {name}");
        }
    }

    #[test]
    fn what_the_line_names_itself_is_no_other_spelling() {
        let query = [("n[]".to_owned(), None), ("n".to_owned(), None)];
        assert!(!spelt_otherwise(&query, &["n", "n[]"], true));
        assert!(!spelt_otherwise(&query, &[], true));
    }
}
