//! Determines the end of a request from its headers, and only if it is unambiguous.

use super::raw::{
    Framing, METHOD_BYTES, NAME_BYTES, RawHead, Version, is_control, is_token, run_without, trim,
};
use super::{Reason, Refusal, host, work};

/// Checks the head's lexis, its size, its host and its framing, and returns the body's framing.
///
/// The parser that splits the head into lines must have refused errors that only the raw bytes show: bare CR and LF,
/// blanks before a colon, obsolete folding. The traces that they leave are refused here.
///
/// # Errors
/// Two servers could place the end of the request differently.
pub(super) fn check(raw: &RawHead<'_>, header_count: usize, head_bytes: usize) -> Result<Framing, Refusal> {
    if raw.method.len() > METHOD_BYTES || !is_token(raw.method.as_bytes()) {
        return Err(Reason::MalformedMethod.into());
    }
    if raw.headers.len() > header_count {
        return Err(Reason::TooManyHeaders.into());
    }
    let size = raw
        .headers
        .iter()
        .fold(raw.method.len() + raw.target.len() + 12, |size, (name, value)| {
            size.saturating_add(name.len())
                .saturating_add(value.len())
                .saturating_add(4)
        });
    if size > head_bytes {
        return Err(Reason::HeadTooLarge.into());
    }
    for (name, value) in raw.headers {
        lexis(name, value, raw.version)?;
    }
    host::check(raw)?;
    body(raw)
}

fn lexis(name: &[u8], value: &[u8], version: Version) -> Result<(), Reason> {
    work::done(name.len() + value.len());
    if name.len() > NAME_BYTES
        || !is_token(name)
        || version == Version::Http2 && name.iter().any(u8::is_ascii_uppercase)
    {
        return Err(Reason::MalformedHeaderName);
    }
    if run_without(value, is_control) < value.len() {
        return Err(Reason::MalformedHeaderValue);
    }
    if version == Version::Http2 {
        let forbidden = [
            &b"connection"[..],
            b"keep-alive",
            b"proxy-connection",
            b"transfer-encoding",
            b"upgrade",
        ];
        if forbidden.contains(&name) || name == b"te" && trim(value) != b"trailers" {
            return Err(Reason::ConnectionSpecific);
        }
    }
    Ok(())
}

fn body(raw: &RawHead<'_>) -> Result<Framing, Refusal> {
    let mut codings = raw.values("transfer-encoding");
    let mut lengths = raw.values("content-length");
    let (coding, length) = (codings.next(), lengths.next());
    if coding.is_some() && length.is_some() {
        return Err(Reason::LengthAndCoding.into());
    }
    if lengths.next().is_some() {
        return Err(Reason::RepeatedLength.into());
    }
    let told = match (coding, length) {
        (Some(_), _) if raw.version == Version::Http10 => return Err(Reason::Http10Body.into()),
        (Some(coding), _) if codings.next().is_some() || !coding.eq_ignore_ascii_case(b"chunked") => {
            return Err(Reason::TransferCoding.into());
        }
        (Some(_), _) => Framing::Chunked,
        (None, Some(length)) => Framing::Length(digits(length).ok_or(Reason::MalformedLength)?),
        // Such a request must have a valid Content-Length (RFC 1945 section 7.2.2).
        (None, None) if raw.version == Version::Http10 && matches!(raw.method, "POST" | "PUT" | "PATCH") => {
            return Err(Reason::Http10Body.into());
        }
        // HTTP/2 frames mark their own end.
        (None, None) if raw.version == Version::Http2 => raw.body,
        (None, None) => Framing::None,
    };
    let agrees = told == raw.body
        || !told.has_body() && !raw.body.has_body()
        || raw.version == Version::Http2 && raw.body == Framing::Chunked;
    if agrees {
        Ok(told)
    } else {
        Err(Reason::LengthMismatch.into())
    }
}

fn digits(value: &[u8]) -> Option<u64> {
    let text = std::str::from_utf8(value).ok()?;
    // `parse` by itself would accept `+5`.
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

#[cfg(test)]
mod tests;
