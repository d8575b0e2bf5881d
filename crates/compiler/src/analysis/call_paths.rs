//! The paths of a call that the proxy recognises by a pattern, as a language.
//!
//! The proxy reads a path as the loosest server would (`request/alias.rs` of the runtime). The language has every spelling in
//! printable ASCII, and no path that the proxy does not recognise: both are property tests there. Spellings in other
//! characters are left to the proxy itself, see [`Proxy`](super::Proxy).

use std::fmt::Write;

/// Characters of a segment that no server cuts, decodes or reads as a separator.
const PLAIN: &str = r"[ !$&'()*+,.:<=>@A-Z\[\]^_`a-z{|}~0-9\x22-]";
/// Those of them that no server removes at the end of a segment.
const FIRM: &str = r"[!$&'()*+,:<=>@A-Z\[\]^_`a-z{|}~0-9\x22-]";
/// A slash with segments after it that normalisation removes.
const SLASH: &str = r"/(?:[ .]*/)*";

/// Returns the pattern of the paths that a call's pattern covers: `*` is a segment, `**` any number of them, `{v?}` a version or
/// nothing. `resource_prefix`: `/s/…/_/path` means `/path`.
pub(super) fn pattern(call: &str, resource_prefix: bool) -> String {
    let mut pattern = String::new();
    if resource_prefix {
        let _ = write!(pattern, r"(?:{SLASH} *[sS][ .]*(?:/.*)?/ *_[ .]*)?");
    }
    for segment in call.split('/').filter(|segment| !segment.is_empty()) {
        // Writing to a string does not fail.
        let _ = match segment {
            "**" => write!(pattern, "(?:/.*)?"),
            "*" => write!(pattern, "{SLASH}{PLAIN}*{FIRM}{PLAIN}*"),
            "{v?}" => {
                let latest = literal("latest");
                write!(pattern, "(?:{SLASH} *(?:{latest}[ .]*|[0-9]{PLAIN}*))?")
            }
            name if name.contains(['.', ':', '!']) => write!(pattern, "{SLASH} *{}[ .]*", literal(name)),
            name => write!(pattern, "{SLASH} *{} *(?:[.:!]{PLAIN}*)?", literal(name)),
        };
    }
    pattern.push_str("(?:/[ .]*)*");
    pattern
}

/// A text in either letter case.
fn literal(text: &str) -> String {
    let mut pattern = String::new();
    for character in text.chars() {
        if character.is_ascii_alphabetic() {
            let cases = [character.to_ascii_lowercase(), character.to_ascii_uppercase()];
            pattern.push('[');
            pattern.extend(cases);
            pattern.push(']');
        } else {
            pattern.push_str(&regex_syntax::escape(character.encode_utf8(&mut [0; 4])));
        }
    }
    pattern
}
