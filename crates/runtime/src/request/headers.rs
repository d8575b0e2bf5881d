//! Selects the headers for the upstream, and interprets those for the proxy.

use super::disposition::Disposition;
use super::media::MediaType;
use super::raw::{Framing, RawHead, Version, is_token, trim};
use super::rules::Rules;
use super::secrets::Secrets;
use super::{Reason, Refusal, work};
use crate::wire::head::CONNECTION_OPTIONS;

/// Headers that may occur only once. Headers of framing are checked earlier.
const SINGLE: &[&str] = &["authorization", "content-type", "contextuser", "expect"];

/// Result of reading the headers.
pub(super) struct Headers {
    /// Lower-case name and trimmed value of each forwarded header, in order.
    pub(super) upstream: Vec<(String, Vec<u8>)>,
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
        upstream: Vec::with_capacity(raw.headers.len()),
        content_type: None,
        encoded: false,
        expect_continue: false,
        close: closes(raw.version, &connection),
    };
    let bears = |text: &[u8]| rules.bears_secret(text, secrets);
    // Treat each header by its disposition; the order of forwarded ones is kept.
    for (name, value) in raw.headers {
        let name = String::from_utf8_lossy(name).to_ascii_lowercase();
        let value = trim(value);
        match rules.disposition(&name) {
            Disposition::Refused(reason) if bears(name.as_bytes()) => return Err(reason.into()),
            Disposition::Refused(reason) => return Err(Refusal::of_header(reason, &name)),
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
            Disposition::Cookie if rules.relax().cookies && !bears(value) => {
                push_cookie(&mut read.upstream, value)
            }
            Disposition::HopByHop | Disposition::Own | Disposition::Claimed | Disposition::Cookie => {}
            Disposition::Pass if connection.contains(&name) => {}
            Disposition::Pass if name == "content-type" => {
                if bears(value) {
                    return Err(Refusal::new(
                        Reason::MalformedContentType,
                        "Content-Type contains the token.",
                    ));
                }
                let media = MediaType::read(value)?;
                read.upstream.push((name, media.to_string().into_bytes()));
                read.content_type = Some(media);
            }
            Disposition::Pass => {
                read.encoded |= name == "content-encoding";
                if !bears(value) && !bears(name.as_bytes()) {
                    read.upstream.push((name, value.to_vec()));
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

/// Adds a `Cookie`. HTTP/2 may split it into several (RFC 9113 section 8.2.3); HTTP/1.1 has one. An empty one adds
/// nothing: it would leave a blank at the end, which the upstream does not see.
fn push_cookie(upstream: &mut Vec<(String, Vec<u8>)>, value: &[u8]) {
    if value.is_empty() {
        return;
    }
    match upstream.iter_mut().find(|(name, _)| name == "cookie") {
        Some((_, cookies)) => {
            cookies.extend_from_slice(b"; ");
            cookies.extend_from_slice(value);
        }
        None => upstream.push(("cookie".to_owned(), value.to_vec())),
    }
}

#[cfg(test)]
mod tests;
