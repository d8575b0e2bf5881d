//! Interprets a header's name by its words, in any spelling: a list of spellings would never be complete.

use super::Reason;
use super::disposition::Disposition;
use super::work;

/// Returns the disposition that follows from the words of a name, in lower case and separated by `-`; `None` if no word
/// matters.
///
/// A header that would cause another call is refused. One that only claims a fact (the caller, its address) is dropped,
/// as in the lists of `dispositions.rs`.
pub(super) fn by_words(name: &str) -> Option<Disposition> {
    // Browsers write these headers themselves: requests of CORS, and how a page made the call.
    if name.starts_with("access-control-") || name.starts_with("sec-") {
        return None;
    }
    let words = Words::of(name);
    if names_other_url(&words) {
        Some(Disposition::Refused(Reason::UrlOverride))
    } else if claims(&words) {
        Some(Disposition::Claimed)
    } else {
        None
    }
}

/// Whether the name means that the value is the method to execute: `X-HTTP-Method-Override`, `X-HTTP-Verb`.
pub(super) fn overrides_method(name: &str) -> bool {
    let says = |word| name.contains(word);
    says("override") && (says("method") || says("verb")) || says("http-method") || says("http-verb")
}

/// The meanings of one word of a header's name. A word can have several meanings, or none.
#[derive(Clone, Copy, Default)]
struct Meaning(u8);

impl Meaning {
    /// The value is a URL or a part of one.
    const LOCATION: u8 = 1;
    /// The value is not the one in the request line.
    const OTHER: u8 = 1 << 1;
    /// The value was passed on.
    const FORWARDED: u8 = 1 << 2;
    /// The value belongs to one side of a TLS connection.
    const SIDE: u8 = 1 << 3;
    /// The value is a certificate, or a part of one.
    const CERTIFICATE: u8 = 1 << 4;
    /// At the end of a name: the value is the caller, its address, or the method that another server received.
    const CLAIM: u8 = 1 << 5;

    fn of(word: &str) -> Self {
        Self(match word {
            "path" | "pathinfo" | "uri" | "url" => Self::LOCATION,
            "destination" | "effective" | "internal" | "invoke" | "matched" | "original" | "override"
            | "raw" | "real" | "rewrite" | "rewritten" | "target" | "unencoded" => Self::OTHER,
            "forwarded" => Self::FORWARDED,
            "client" | "mtls" | "peer" | "ssl" | "subject" | "tls" => Self::SIDE,
            "cert" | "certificate" | "chain" | "dn" | "verify" => Self::CERTIFICATE,
            "groups" | "identity" | "login" | "principal" | "roles" | "user" | "userid" | "username"
            | "addr" | "clientip" | "ip" | "ipaddr" | "method" | "verb" => Self::CLAIM,
            _ => 0,
        })
    }

    fn has(self, all: u8) -> bool {
        self.0 & all == all
    }
}

/// The meanings of a name's words. Each word is looked up once: a name can have as many words as it has bytes.
struct Words<'a> {
    name: &'a str,
    any: Meaning,
    last: Meaning,
}

impl<'a> Words<'a> {
    fn of(name: &'a str) -> Self {
        work::done(name.len());
        let (mut any, mut last) = (Meaning::default(), Meaning::default());
        for word in name.split('-') {
            last = Meaning::of(word);
            any = Meaning(any.0 | last.0);
        }
        Self { name, any, last }
    }
}

/// Whether the name means that the value is another URL than the request line's: to route to (`X-Original-Request-URI`,
/// `X-WAWS-Unencoded-URL`) or to copy content from (`X-Amz-Copy-Source`).
fn names_other_url(words: &Words<'_>) -> bool {
    words.any.has(Meaning::LOCATION | Meaning::OTHER)
        || ["copy-source", "rename-source", "copy-from"]
            .iter()
            .any(|end| words.name.ends_with(end))
}

fn claims(words: &Words<'_>) -> bool {
    words.last.has(Meaning::CLAIM)
        || words.any.has(Meaning::FORWARDED)
        || words.any.has(Meaning::SIDE | Meaning::CERTIFICATE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_judged_by_their_words() {
        let other_url = Some(Disposition::Refused(Reason::UrlOverride));
        for (name, expected) in [
            ("x-original-request-uri", other_url),
            ("x-waws-unencoded-url", other_url),
            ("x-matched-path", other_url),
            ("x-invoke-path", other_url),
            ("x-real-uri", other_url),
            ("x-rewrite-path", other_url),
            ("x-url-override", other_url),
            ("x-amz-copy-source", other_url),
            ("x-ms-copy-source", other_url),
            ("x-copy-from", other_url),
            ("x-user", Some(Disposition::Claimed)),
            ("x-logged-in-user", Some(Disposition::Claimed)),
            ("x-proxied-username", Some(Disposition::Claimed)),
            ("x-token-principal", Some(Disposition::Claimed)),
            ("fly-client-ip", Some(Disposition::Claimed)),
            ("pc-remote-addr", Some(Disposition::Claimed)),
            ("x-vercel-forwarded-for", Some(Disposition::Claimed)),
            ("client-cert", Some(Disposition::Claimed)),
            ("client-cert-chain", Some(Disposition::Claimed)),
            ("x-tls-client-certificate", Some(Disposition::Claimed)),
            ("x-request-method", Some(Disposition::Claimed)),
            ("x-verb", Some(Disposition::Claimed)),
            ("access-control-request-method", None),
            ("accept", None),
            ("user-agent", None),
            ("x-callback-url", None),
            ("x-requested-by", None),
            ("x-requested-with", None),
            ("sec-fetch-user", None),
            ("x-upload-path", None),
            ("content-location", None),
            ("if-match", None),
            ("x-amz-copy-source-if-match", None),
            ("idempotency-key", None),
            ("x-membership-ip-plan", None),
        ] {
            assert_eq!(by_words(name), expected, "{name}");
        }
    }
}
