//! When servers that take names without regard to case would take two names for one.

use std::borrow::Cow;

/// Folds a name, so that names that differ only in case become names that differ at most in the case of ASCII letters.
///
/// Frameworks fold differently: Java's `equalsIgnoreCase` and .NET's `OrdinalIgnoreCase` by single characters, Go's
/// `encoding/json` by Unicode's simple folding. This folds everything that one of them folds, and more: characters are
/// mapped to lower, upper and lower case again by Unicode's full mappings (so `ß`, `ẞ` and `ss` are equal, as are `k`
/// and the Kelvin sign), and the dotted capital `İ` is an `i`, which it is in Java. ASCII is left as it is, which
/// costs nothing.
pub(super) fn fold(name: &str) -> Cow<'_, str> {
    if name.is_ascii() {
        return Cow::Borrowed(name);
    }
    let plain = name.chars().map(|c| if c == '\u{130}' { 'i' } else { c });
    let folded = plain
        .flat_map(char::to_lowercase)
        .flat_map(char::to_uppercase)
        .flat_map(char::to_lowercase);
    Cow::Owned(folded.collect())
}

/// Whether two names, both folded, are equal but for their case. True of equal names, too.
pub(super) fn same_but_for_case(a: &str, b: &str) -> bool {
    a.eq_ignore_ascii_case(b)
}

/// Equal for names that are equal but for their case.
pub(crate) fn key(name: &str) -> String {
    fold(name).to_ascii_lowercase()
}

/// Equal for two names if, and only if, they are equal but for their case.
pub(crate) fn case_key(name: &str) -> String {
    fold(name).to_ascii_lowercase()
}
