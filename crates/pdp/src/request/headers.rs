//! Selects the headers for the upstream, and interprets those for the proxy.

use super::disposition::Disposition;
use super::forwarded::ForwardedFields;
use super::media::MediaType;
use super::raw::{Framing, NAME_BYTES, RawHead, Version, is_token, trim};
use super::rules::Rules;
use super::secrets::Secrets;
use super::{Reason, Refusal, work};
use crate::buffers::ByteBuffer;
use crate::wire::head::CONNECTION_OPTIONS;

/// Headers that may occur only once. Headers of framing are checked earlier.
const SINGLE: &[&str] = &["authorization", "content-type", "contextuser", "expect"];

/// Result of reading the headers.
pub(super) struct Headers {
    /// The forwarded headers, values without white space around them.
    pub(super) upstream: ForwardedFields,
    pub(super) content_type: Option<MediaType>,
    /// Whether there is a `Content-Encoding`, of any kind.
    pub(super) encoded: bool,
    pub(super) expect_continue: bool,
    /// Whether the connection is closed after the response.
    pub(super) close: bool,
}

/// Reads all headers. A header that contains one of `secrets`, or one of Tokenward's, in its name or value is dropped.
///
/// # Errors
/// A header would make the upstream read another request or another identity.
pub(super) fn read(
    raw: &RawHead<'_>,
    body: Framing,
    rules: &Rules,
    secrets: &Secrets,
) -> Result<Headers, Refusal> {
    // Servers choose different ones of repeated headers, so these may occur only once.
    for name in SINGLE {
        if raw.values(name).nth(1).is_some() {
            return Err(Refusal::new(
                Reason::RepeatedHeader,
                format!("The header `{name}` occurs more than once."),
            ));
        }
    }
    // Headers that `Connection` names apply to this connection only.
    let connection = connection_names(raw, rules, secrets)?;
    let mut read = Headers {
        upstream: ForwardedFields::with_room(raw.headers.len(), raw.size()),
        content_type: None,
        encoded: false,
        expect_continue: false,
        close: closes(raw.version, &connection),
    };
    let bears = |text: &[u8]| rules.bears_secret(text, secrets);
    // Treat each header by its disposition; the order of forwarded ones is kept.
    let (mut room, mut has_cookies) = ([0; NAME_BYTES], false);
    for (name, value) in raw.headers {
        // Names that are not tokens, or longer, are refused before.
        let name = lower(name, &mut room).ok_or(Reason::MalformedHeaderName)?;
        let value = trim(value);
        match rules.disposition(name) {
            Disposition::Refused(reason) if bears(name.as_bytes()) => return Err(reason.into()),
            Disposition::Refused(reason) => return Err(Refusal::of_header(reason, name)),
            // Java's client and `curl --http2` offer h2c with every request. A server may ignore the offer (RFC 9110
            // section 7.8). The connection is closed after the response, so that no byte after the request is read,
            // whatever protocol it may be of.
            Disposition::HopByHop if name == "upgrade" => read.close = true,
            Disposition::Own if name == "expect" => {
                if !value.eq_ignore_ascii_case(b"100-continue") {
                    return Err(Reason::UnknownExpectation.into());
                }
                read.expect_continue = body.has_body() && raw.version != Version::Http10;
            }
            Disposition::Cookie if rules.relax().cookies && !has_cookies => {
                has_cookies = true;
                push_cookies(
                    &mut read.upstream,
                    raw.values("cookie").filter(|value| !bears(value)),
                );
            }
            Disposition::HopByHop | Disposition::Own | Disposition::Claimed | Disposition::Cookie => {}
            Disposition::Pass if connection.iter().any(|named| named == name) => {}
            Disposition::Pass if name == "content-type" => {
                if bears(value) {
                    return Err(Refusal::new(
                        Reason::MalformedContentType,
                        "Content-Type contains the token.",
                    ));
                }
                let media = MediaType::read(value)?;
                read.upstream.push(name, media.to_string().as_bytes());
                read.content_type = Some(media);
            }
            Disposition::Pass => {
                read.encoded |= name == "content-encoding";
                if !bears(value) && !bears(name.as_bytes()) {
                    read.upstream.push(name, value);
                }
            }
        }
    }
    Ok(read)
}

/// Returns the names in all `Connection` headers, in lower case (RFC 9110 section 7.6.1).
fn connection_names(raw: &RawHead<'_>, rules: &Rules, secrets: &Secrets) -> Result<Vec<String>, Refusal> {
    // So few that a search costs less than a hash.
    let mut names: Vec<String> = Vec::new();
    let mut taken = 0;
    for value in raw.values("connection") {
        for name in value
            .split(|byte| *byte == b',')
            .map(trim)
            .filter(|name| !name.is_empty())
        {
            if !is_token(name) {
                return Err(Reason::MalformedConnection.into());
            }
            work::done(name.len());
            taken += 1;
            if taken > CONNECTION_OPTIONS {
                return Err(Reason::MalformedConnection.into());
            }
            let name = String::from_utf8_lossy(name).to_ascii_lowercase();
            if !rules.dispositions().may_be_named(&name) {
                return Err(match rules.bears_secret(name.as_bytes(), secrets) {
                    true => Reason::ConnectionNames.into(),
                    false => Refusal::of_header(Reason::ConnectionNames, &name),
                });
            }
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    Ok(names)
}

fn closes(version: Version, connection: &[String]) -> bool {
    let names = |wanted| connection.iter().any(|name| name == wanted);
    names("close") || version == Version::Http10 && !names("keep-alive")
}

/// Adds one `Cookie` of all. HTTP/2 may split it into several (RFC 9113 section 8.2.3); HTTP/1.1 has one. An empty one adds
/// nothing: it would leave a blank at the end, which the upstream does not see.
fn push_cookies<'a>(upstream: &mut ForwardedFields, values: impl Iterator<Item = &'a [u8]>) {
    let mut cookies = ByteBuffer::with_room(64);
    for value in values.filter(|value| !value.is_empty()) {
        if !cookies.is_empty() {
            cookies.extend_from_slice(b"; ");
        }
        cookies.extend_from_slice(value);
    }
    if !cookies.is_empty() {
        upstream.push("cookie", &cookies);
    }
}

/// Writes a name in lower case to `room`; `None` if it is not ASCII, or longer.
fn lower<'r>(name: &[u8], room: &'r mut [u8; NAME_BYTES]) -> Option<&'r str> {
    let room = room.get_mut(..name.len())?;
    room.copy_from_slice(name);
    room.make_ascii_lowercase();
    std::str::from_utf8(room).ok().filter(|name| name.is_ascii())
}

#[cfg(test)]
mod tests;
