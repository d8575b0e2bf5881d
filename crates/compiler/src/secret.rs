//! The form of a token's secret, for code that must not show one.
//!
//! Other code makes, hashes and checks secrets. Here it is enough to recognise one in a text.

use std::ops::Range;

/// What every secret begins with.
pub const PREFIX: &str = "twd_";
/// Minimum number of letters and digits after a secret's prefix: its body, so that a mistyped one counts too.
const BODY: usize = 32;

/// The ranges of secrets in a text, in order, prefixes included.
pub fn places(text: &str) -> impl Iterator<Item = Range<usize>> {
    text.match_indices(PREFIX).filter_map(|(start, prefix)| {
        let behind = text.get(start + prefix.len()..)?;
        let length = behind
            .find(|character: char| !character.is_ascii_alphanumeric())
            .unwrap_or(behind.len());
        (length >= BODY).then_some(start..start + prefix.len() + length)
    })
}

/// Replaces the characters after each secret's prefix with `*`. The length stays the same, so that spans remain valid.
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
