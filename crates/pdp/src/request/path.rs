//! The path: decoded once, matched as decoded text, and forwarded in one encoding of it.

use tokenward_compiler::look_alike;

use super::escape::{from_hex, push_escaped};
use super::raw::{run_without, set};
use super::{Reason, Refusal, Relax, work};
use crate::buffers::{ByteBuffer, TextBuffer};

/// Maximum length of a path as it is sent, in bytes. Anyone may send one, and each byte of it is looked at.
const PATH_BYTES: usize = 8 * 1024;

/// An encoded slash in the decoded text, if it is allowed.
const KEPT_SLASH: &str = "%2F";

/// Decodes the path of a target, which must begin with `/`.
///
/// INVARIANT: decoding what `push_encoded` writes gives the same text, for every text that this function returns.
///
/// # Errors
/// Servers read the path in different ways (with one reason for each), and `relax` does not allow it.
pub(super) fn decode(raw: &str, relax: &Relax) -> Result<TextBuffer, Refusal> {
    if raw.len() > PATH_BYTES {
        return Err(Reason::LongPath.into());
    }
    let mut bytes = ByteBuffer::with_room(raw.len());
    let mut rest = raw.as_bytes();
    // Positions of each decoded `%`, as opposed to the `%` of a kept slash.
    let mut percents = Vec::new();
    work::done(rest.len());
    while let Some(at) = memchr::memchr(b'%', rest) {
        bytes.extend_from_slice(rest.get(..at).unwrap_or_default());
        let [high, low, after @ ..] = rest.get(at + 1..).unwrap_or_default() else {
            return Err(Reason::MalformedEscape.into());
        };
        let byte = from_hex(*high, *low).ok_or(Reason::MalformedEscape)?;
        rest = after;
        match byte {
            b'/' if !relax.encoded_slash => return Err(Reason::EncodedSlash.into()),
            b'/' => bytes.extend_from_slice(KEPT_SLASH.as_bytes()),
            b'%' => {
                percents.push(bytes.len());
                bytes.push(byte);
            }
            byte => bytes.push(byte),
        }
    }
    bytes.extend_from_slice(rest);
    for at in percents {
        decodes_again(bytes.get(at..).unwrap_or_default(), relax)?;
    }
    let text = TextBuffer::from_utf8(bytes).ok_or(Reason::PathNotUtf8)?;
    characters(&text, relax)?;
    segments(&text, relax)?;
    Ok(text)
}

/// Appends a decoded path, encoded: unreserved characters, `!$&'()*+,=:@` and `/` are kept, all others become `%XX`.
pub(super) fn push_encoded(out: &mut String, text: &str, relax: &Relax) {
    let is_kept = |byte: u8| byte.is_ascii() && KEPT >> byte & 1 != 0;
    if run_without(text.as_bytes(), |byte| !is_kept(byte)) == text.len() {
        return out.push_str(text);
    }
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        if relax.encoded_slash && rest.starts_with(KEPT_SLASH.as_bytes()) {
            out.push_str(KEPT_SLASH);
            rest = rest.get(KEPT_SLASH.len()..).unwrap_or_default();
            continue;
        }
        rest = after;
        if is_kept(byte) || byte == b';' && relax.semicolon {
            out.push(char::from(byte));
        } else {
            push_escaped(out, byte);
        }
    }
}

/// The set of the bytes that are kept in a path, a bit for each.
const KEPT: u128 = set(b"-._~!$&'()*+,=:@/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

/// Refuses a decoded `%` that begins an escape: `%2e`, and IIS's `%u002e`.
fn decodes_again(at_percent: &[u8], relax: &Relax) -> Result<(), Reason> {
    let hex = |digits: &[u8]| digits.iter().all(u8::is_ascii_hexdigit);
    let again = match at_percent {
        // Such a text could not be distinguished from a kept slash, so no other setting allows it.
        [_, b'2', b'f' | b'F', ..] if relax.encoded_slash => return Err(Reason::DoubleEncoding),
        [_, b'u' | b'U', a, b, c, d, ..] => hex(&[*a, *b, *c, *d]),
        [_, a, b, ..] => hex(&[*a, *b]),
        _ => false,
    };
    if again && !relax.double_encoding {
        return Err(Reason::DoubleEncoding);
    }
    Ok(())
}

fn characters(text: &str, relax: &Relax) -> Result<(), Reason> {
    work::done(text.len());
    // Most paths have none of these bytes. 0xC2 begins the control characters of C1.
    let odd = |byte| byte < 0x20 || matches!(byte, 0x7f | b'\\' | b';' | 0xc2);
    if run_without(text.as_bytes(), odd) == text.len() {
        return Ok(());
    }
    for character in text.chars() {
        match character {
            '\0' if !relax.nul => return Err(Reason::Nul),
            '\0' => {}
            '\\' if !relax.backslash => return Err(Reason::Backslash),
            ';' if !relax.semicolon => return Err(Reason::Semicolon),
            // The control characters are C0, DEL and C1.
            control if control.is_control() && !relax.control_character => {
                return Err(Reason::ControlCharacter);
            }
            _ => {}
        }
    }
    Ok(())
}

/// Refuses empty and dot segments, also as servers read them that split at the characters that `relax` allows.
fn segments(text: &str, relax: &Relax) -> Result<(), Reason> {
    work::done(text.len());
    let is_plain = |byte: u8| !matches!(byte, b'%' | b'\\' | b';') && byte.is_ascii();
    if run_without(text.as_bytes(), |byte| !is_plain(byte)) == text.len() {
        return plain_segments(text.as_bytes(), relax);
    }
    let (kept, back) = (text.contains(KEPT_SLASH), text.contains('\\'));
    let mut segments = text.split('/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        if segment.is_empty() && segments.peek().is_none() {
            break;
        }
        if !kept && !back {
            one_segment(segment, relax)?;
            continue;
        }
        for unescaped in segment.split(KEPT_SLASH) {
            for part in unescaped.split('\\') {
                one_segment(part, relax)?;
            }
        }
    }
    Ok(())
}

/// Does what `segments` does, for ASCII without characters at which segments are split, looking at each byte once.
fn plain_segments(text: &[u8], relax: &Relax) -> Result<(), Reason> {
    let (mut length, mut dots, mut is_name) = (0_usize, 0_usize, false);
    let end = |length: usize, dots: usize, is_name: bool| {
        if length == 0 && !relax.empty_segment {
            Err(Reason::EmptySegment)
        } else if !is_name && matches!(dots, 1 | 2) && !relax.dot_segment {
            Err(Reason::DotSegment)
        } else {
            Ok(())
        }
    };
    for byte in text.iter().skip(1) {
        if *byte == b'/' {
            end(length, dots, is_name)?;
            (length, dots, is_name) = (0, 0, false);
            continue;
        }
        length += 1;
        dots += usize::from(*byte == b'.');
        is_name |= !(*byte == b'.' || char::from(*byte).is_whitespace());
    }
    // A final slash is not followed by a segment.
    if length == 0 {
        Ok(())
    } else {
        end(length, dots, is_name)
    }
}

fn one_segment(segment: &str, relax: &Relax) -> Result<(), Reason> {
    // Servlet containers cut at `;` before they check for dots; Windows servers trim blanks.
    work::done(segment.len());
    let name = match segment.find(';') {
        Some(at) => segment.get(..at).unwrap_or_default(),
        None => segment,
    };
    if name.is_empty() && !relax.empty_segment {
        return Err(Reason::EmptySegment);
    }
    let looks_like_dots = || !name.is_ascii() && compatible(name).split(['/', '\\', ';']).any(is_dots);
    if (is_dots(name) || looks_like_dots()) && !relax.dot_segment {
        return Err(Reason::DotSegment);
    }
    Ok(())
}

/// Whether the name is `.` or `..`, also with blanks around or between the dots.
fn is_dots(name: &str) -> bool {
    let mut dots = 0;
    name.chars().all(|character| {
        dots += usize::from(character == '.');
        character == '.' || character.is_whitespace()
    }) && matches!(dots, 1 | 2)
}

/// Replaces look-alikes of dots and separators, as Unicode's compatibility forms and Windows' best-fit tables do.
/// Invisible characters are dropped, as some servers do. No page has the name of two full-width dots, but `A／B` is an
/// ordinary name.
fn compatible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match look_alike::read_as(character) {
            Some(text) => out.push_str(text),
            None => out.push(character),
        }
    }
    out
}

#[cfg(test)]
mod tests;
