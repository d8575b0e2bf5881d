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
/// Words of [`OTHER_WORDS`] that may also stand for another part of a request, such as the path or a form.
const UNSURE: [&str; 6] = ["Param", "Params", "Parameter", "Data", "Form", "FormData"];
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

/// The kind of constraint that a word stands for, if all known words that are near it stand for that kind.
pub(super) fn only_kind_of(word: &str) -> Option<&'static str> {
    if UNSURE.iter().any(|known| known.eq_ignore_ascii_case(word))
        || UNTESTED.iter().any(|known| near(word, known))
    {
        return None;
    }
    let kind = kind_of(word)?;
    let of_kinds = KINDS.iter().filter(|known| near(word, known)).copied();
    let of_others = OTHER_WORDS
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(word) || (known.len() > 3 && near(word, known)))
        .map(|(_, kind)| *kind);
    of_kinds
        .chain(of_others)
        .all(|other| other == kind)
        .then_some(kind)
}

/// Whether a word is nearly a known one.
pub(super) fn near(word: &str, known: &'static str) -> bool {
    word.len() > 2 && nearest(word, [known]).is_some()
}

#[cfg(test)]
mod tests {
    use super::only_kind_of;

    #[test]
    fn a_word_has_a_kind_if_all_words_near_it_have_that_kind() {
        for word in [
            "QueryParm",
            "queryparam",
            "Querry",
            "QueryParams",
            "Query",
            "UrlParam",
        ] {
            assert_eq!(only_kind_of(word), Some("QueryParam"), "{word}");
        }
        for word in ["JsonDate", "jsondata", "JsonBody", "Body", "Json"] {
            assert_eq!(only_kind_of(word), Some("JsonData"), "{word}");
        }
        // A header, a form, a parameter of the path, or anything.
        for word in [
            "Header", "Headers", "Cookie", "FormData", "Param", "Data", "alpha", "x", "",
        ] {
            assert_eq!(only_kind_of(word), None, "{word}");
        }
    }
}
