//! The words for the parts of a request that people write in constraints.

use crate::diagnostic::nearest;

/// The kinds of constraints.
pub(super) const KINDS: [&str; 2] = ["QueryParam", "JsonData"];
/// Words that people write for them, each with the kind that it stands for.
pub(super) const OTHER_WORDS: [(&str, &str); 16] = [
    ("Query", "QueryParam"),
    ("Param", "QueryParam"),
    ("Params", "QueryParam"),
    ("Parameter", "QueryParam"),
    ("QueryParams", "QueryParam"),
    ("QueryString", "QueryParam"),
    ("QueryParameter", "QueryParam"),
    ("UrlParam", "QueryParam"),
    ("Body", "JsonData"),
    ("Json", "JsonData"),
    ("JsonBody", "JsonData"),
    ("RequestBody", "JsonData"),
    ("Data", "JsonData"),
    ("FormData", "JsonData"),
    ("Form", "JsonData"),
    ("JsonParam", "JsonData"),
];
/// Parts of a request that no line can test.
pub(super) const UNTESTED: [&str; 4] = ["Header", "Headers", "HttpHeader", "Cookie"];

/// Whether a text begins with an operator, or nearly.
pub(super) fn starts_with_operator(text: &str) -> bool {
    let behind = text.strip_prefix(['!', '?']).unwrap_or(text);
    behind.starts_with(['=', '<', '>', '~'])
}

/// The kind of constraint that a word stands for, or nearly.
pub(super) fn kind_of(word: &str) -> Option<&'static str> {
    let known = OTHER_WORDS
        .iter()
        .find(|(known, _)| known.eq_ignore_ascii_case(word));
    let kinds = KINDS.iter().find(|kind| near(word, kind));
    let others = || {
        OTHER_WORDS
            .iter()
            .find(|(known, _)| known.len() > 3 && near(word, known))
    };
    known
        .map(|(_, kind)| *kind)
        .or(kinds.copied())
        .or_else(|| others().map(|(_, kind)| *kind))
}

/// Whether a word is nearly a known one.
pub(super) fn near(word: &str, known: &'static str) -> bool {
    word.len() > 2 && nearest(word, [known]).is_some()
}
