//! What a token's secret looks like, for those who must not show one.
//!
//! Secrets are made, hashed and checked elsewhere. Here it is enough to know one when it stands in a text.

use std::ops::Range;

/// What every secret begins with.
pub const PREFIX: &str = "twd_";
/// Letters and digits behind the prefix that a secret has at least: its body, so that a mistyped one counts too.
const BODY: usize = 32;

/// Where secrets stand in a text, in order, prefixes included.
pub fn places(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices(PREFIX).filter_map(|(start, prefix)| {
        let behind = text.get(start + prefix.len()..)?;
        let length = behind
            .find(|character: char| !character.is_ascii_alphanumeric())
            .unwrap_or(behind.len());
        (length >= BODY).then_some(start..start + prefix.len() + length)
    })
}

/// The text with `*` in the place of every secret's characters behind its prefix: as long as before, so that places stay.
#[must_use]
pub fn masked(text: &str) -> String {
    let (mut out, mut done) = (String::with_capacity(text.len()), 0);
    for place in places(text) {
        out.push_str(text.get(done..place.start).unwrap_or_default());
        out.push_str(PREFIX);
        out.extend(std::iter::repeat_n('*', place.len() - PREFIX.len()));
        done = place.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

#[cfg(test)]
mod tests;
