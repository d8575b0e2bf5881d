//! Percent-encoding: one strict decoding and one encoding.

/// Error: a `%` is not followed by two hexadecimal digits.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct MalformedEscape;

/// Whether the byte needs no encoding anywhere in a URL (RFC 3986 section 2.3).
pub(super) fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~".contains(&byte)
}

/// Returns the byte with the hexadecimal digits `high` and `low`.
pub(super) fn from_hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        b'A'..=b'F' => Some(byte - b'A' + 10),
        _ => None,
    };
    Some(digit(high)? << 4 | digit(low)?)
}

/// Decodes form encoding once; `+` is a space.
///
/// # Errors
/// A `%` is not followed by two hexadecimal digits.
pub(super) fn decode_form(text: &[u8]) -> Result<Vec<u8>, MalformedEscape> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((&first, after)) = rest.split_first() {
        rest = after;
        match first {
            b'+' => out.push(b' '),
            b'%' => {
                let [high, low, after @ ..] = rest else {
                    return Err(MalformedEscape);
                };
                out.push(from_hex(*high, *low).ok_or(MalformedEscape)?);
                rest = after;
            }
            byte => out.push(byte),
        }
    }
    Ok(out)
}

/// Decodes every valid escape and keeps other text, until nothing changes or five times. This serves to find names that
/// must not be shown, never to decide a request.
pub(super) fn decode_loosely(text: &[u8]) -> Vec<u8> {
    let mut out = text.to_vec();
    for _ in 0..5 {
        let mut once = Vec::with_capacity(out.len());
        let mut rest = out.as_slice();
        while let Some((&first, after)) = rest.split_first() {
            rest = after;
            if first == b'%'
                && let [high, low, after @ ..] = rest
                && let Some(byte) = from_hex(*high, *low)
            {
                once.push(byte);
                rest = after;
            } else {
                once.push(first);
            }
        }
        if once == out {
            break;
        }
        out = once;
    }
    out
}

/// Returns the byte at `at`, decoded through any layers of escapes (`%252574` is `t`), and the position after it. A `%`
/// that begins no escape is a plain `%`.
#[inline]
pub(super) fn unit(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let first = *bytes.get(at)?;
    if first != b'%' {
        return Some((first, at + 1));
    }
    let mut digits = at + 1;
    while let (Some(b'2'), Some(b'5'), Some(_)) =
        (bytes.get(digits), bytes.get(digits + 1), bytes.get(digits + 2))
    {
        digits += 2;
    }
    let escaped = match (bytes.get(digits), bytes.get(digits + 1)) {
        (Some(high), Some(low)) => from_hex(*high, *low).map(|byte| (byte, digits + 2)),
        _ => None,
    };
    escaped.or(Some((b'%', at + 1)))
}

/// Appends the byte as `%XX`, in upper case.
pub(super) fn push_escaped(out: &mut String, byte: u8) {
    let digit = |value: u8| {
        char::from_digit(u32::from(value), 16)
            .unwrap_or('0')
            .to_ascii_uppercase()
    };
    out.push('%');
    out.push(digit(byte >> 4));
    out.push(digit(byte & 15));
}

/// Appends a parameter's name or value, and encodes all but the unreserved characters.
pub(super) fn push_component(out: &mut String, text: &str) {
    for byte in text.bytes() {
        if is_unreserved(byte) {
            out.push(char::from(byte));
        } else {
            push_escaped(out, byte);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_decode_once() {
        assert_eq!(decode_form(b"a+b%2Bc%253D").unwrap(), b"a b+c%3D");
        for bad in ["%", "%4", "%zz", "%4g", "a%", "%u0041", "%+1", "% 1", "%-1"] {
            assert_eq!(decode_form(bad.as_bytes()), Err(MalformedEscape), "{bad}");
        }
    }

    #[test]
    fn components_encode_all_but_unreserved() {
        let mut out = String::new();
        push_component(&mut out, "aZ9-._~ +&=%é*");
        assert_eq!(out, "aZ9-._~%20%2B%26%3D%25%C3%A9%2A");
    }

    #[test]
    fn loose_decoding_reaches_through_layers() {
        assert_eq!(decode_loosely(b"%256b%2565y%zz"), b"key%zz");
    }
}
