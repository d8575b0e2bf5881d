//! Interprets a header's name by its words, in any spelling: a list of spellings would never be complete.

use super::Reason;
use super::disposition::Disposition;

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
    let words = Words(name);
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

struct Words<'a>(&'a str);

impl Words<'_> {
    fn any(&self, of: &[&str]) -> bool {
        self.0.split('-').any(|word| of.contains(&word))
    }

    fn last(&self, of: &[&str]) -> bool {
        self.0.rsplit('-').next().is_some_and(|word| of.contains(&word))
    }
}

/// Whether the name means that the value is another URL than the request line's: to route to (`X-Original-Request-URI`,
/// `X-WAWS-Unencoded-URL`) or to copy content from (`X-Amz-Copy-Source`).
fn names_other_url(words: &Words<'_>) -> bool {
    let which = [
        "destination",
        "effective",
        "internal",
        "invoke",
        "matched",
        "original",
        "override",
        "raw",
        "real",
        "rewrite",
        "rewritten",
        "target",
        "unencoded",
    ];
    words.any(&["path", "pathinfo", "uri", "url"]) && words.any(&which)
        || ["copy-source", "rename-source", "copy-from"]
            .iter()
            .any(|end| words.0.ends_with(end))
}

fn claims(words: &Words<'_>) -> bool {
    let certificate = || {
        words.any(&["client", "mtls", "peer", "ssl", "subject", "tls"])
            && words.any(&["cert", "certificate", "chain", "dn", "verify"])
    };
    words.last(&[
        // The caller.
        "groups",
        "identity",
        "login",
        "principal",
        "roles",
        "user",
        "userid",
        "username",
        // The caller's address.
        "addr",
        "clientip",
        "ip",
        "ipaddr",
        // The method that another server received.
        "method",
        "verb",
    ]) || words.any(&["forwarded"])
        || certificate()
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
