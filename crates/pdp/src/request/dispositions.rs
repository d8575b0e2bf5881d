//! Decides by its name what happens to a request header.

use std::collections::{HashMap, HashSet};

use super::Reason;
use super::disposition::Disposition;
use super::header_words::{by_words, overrides_method};
use super::known_headers::{
    CLAIMED, CLAIMED_FAMILIES, CREDENTIAL_ENDINGS, CREDENTIALS, HOP_BY_HOP, MCP, MCP_PARAMETER,
    METHOD_OVERRIDES, OWN, RELIED_ON, URL_OVERRIDES, USUAL,
};
use super::name_hash::NameHash;
use super::work;

/// The dispositions of all names; each takes one look-up.
#[derive(Clone, Debug)]
pub(super) struct Dispositions {
    names: HashMap<String, Disposition, NameHash>,
    /// Names that are accepted although their words would cause them to be refused or dropped.
    accepted: HashSet<String>,
}

impl Dispositions {
    /// Creates the table. Names in `claimed` and `refused` are added; a claimed name cannot be refused, since the proxy
    /// writes it. Names in `accepted` are removed from the lists of credentials. All names are in lower case.
    pub(super) fn new<'a>(
        claimed: impl Iterator<Item = &'a str>,
        refused: impl Iterator<Item = &'a str>,
        accepted: HashSet<String>,
    ) -> Self {
        let credentials = CREDENTIALS
            .iter()
            .copied()
            .chain(refused)
            .filter(|name| !accepted.contains(*name));
        let mut names: HashMap<String, Disposition, NameHash> = credentials
            .map(|name| (name.to_owned(), Disposition::Refused(Reason::CredentialHeader)))
            .collect();
        let mut add = |list: &[&str], disposition| {
            names.extend(list.iter().map(|name| ((*name).to_owned(), disposition)))
        };
        add(CLAIMED, Disposition::Claimed);
        add(METHOD_OVERRIDES, Disposition::Refused(Reason::MethodOverride));
        add(URL_OVERRIDES, Disposition::Refused(Reason::UrlOverride));
        add(&["cookie"], Disposition::Cookie);
        names.extend(claimed.map(|name| (name.to_owned(), Disposition::Claimed)));
        let mut add = |list: &[&str], disposition| {
            names.extend(list.iter().map(|name| ((*name).to_owned(), disposition)))
        };
        add(HOP_BY_HOP, Disposition::HopByHop);
        add(OWN, Disposition::Own);
        let mut table = Self { names, accepted };
        // Names in daily use are found at once, and not searched for words.
        for name in USUAL {
            let disposition = table.of_plain(name);
            table.names.insert((*name).to_owned(), disposition);
        }
        table
    }

    /// Returns the disposition of a header, named in lower case.
    ///
    /// Servers that provide headers as variables read `X_A`, some also `X.A`, as `X-A`. A name with an underscore is
    /// therefore dropped. A name with another such character is dropped if its plain spelling has a meaning for the
    /// proxy.
    pub(super) fn of(&self, name: &str) -> Disposition {
        if name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            return self.of_plain(name);
        }
        let plain = folded(name);
        let means_something =
            self.of_plain(&plain) != Disposition::Pass || RELIED_ON.contains(&plain.as_str());
        if name.contains('_') || means_something {
            Disposition::Claimed
        } else {
            Disposition::Pass
        }
    }

    /// Whether a `Connection` header may name this header (in lower case), which drops it.
    pub(super) fn may_be_named(&self, name: &str) -> bool {
        let plain = folded(name);
        matches!(self.of_plain(&plain), Disposition::Pass | Disposition::HopByHop)
            && !RELIED_ON.contains(&plain.as_str())
    }

    /// Whether a header with this name, in lower case, has credentials for the upstream.
    pub(super) fn is_credential(&self, name: &str) -> bool {
        work::done(name.len());
        match self.names.get(name) {
            Some(disposition) => *disposition == Disposition::Refused(Reason::CredentialHeader),
            None => self.ends_as_credential(name),
        }
    }

    fn of_plain(&self, name: &str) -> Disposition {
        match self.names.get(name) {
            Some(disposition) => *disposition,
            None if MCP.contains(&name) || name.starts_with(MCP_PARAMETER) => Disposition::Pass,
            None if overrides_method(name) => Disposition::Refused(Reason::MethodOverride),
            None if self.ends_as_credential(name) => Disposition::Refused(Reason::CredentialHeader),
            None if CLAIMED_FAMILIES.iter().any(|family| name.starts_with(family)) => Disposition::Claimed,
            None if self.accepted.contains(name) => Disposition::Pass,
            None => by_words(name).unwrap_or(Disposition::Pass),
        }
    }

    fn ends_as_credential(&self, name: &str) -> bool {
        CREDENTIAL_ENDINGS.iter().any(|ending| name.ends_with(ending)) && !self.accepted.contains(name)
    }
}

/// Folds a name as servers that provide headers as variables do.
fn folded(name: &str) -> String {
    name.chars()
        .map(|character| {
            if character.is_ascii_alphanumeric() {
                character
            } else {
                '-'
            }
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dispositions() -> Dispositions {
        Dispositions::new(
            ["my-user"].into_iter(),
            ["my-key", "their-key"].into_iter(),
            [
                "their-key",
                "x-api-key",
                "x-shipping-method",
                "x-target-url",
                "x-http-method",
            ]
            .map(str::to_owned)
            .into(),
        )
    }

    #[test]
    fn lists_are_lower_case_and_disjoint() {
        let lists = [
            HOP_BY_HOP,
            OWN,
            MCP,
            RELIED_ON,
            CLAIMED,
            METHOD_OVERRIDES,
            URL_OVERRIDES,
            CREDENTIALS,
            CREDENTIAL_ENDINGS,
        ];
        let all: Vec<&str> = lists.concat();
        let unique: std::collections::HashSet<_> = all.iter().collect();
        assert_eq!(unique.len(), all.len());
        for name in all.iter().chain(CLAIMED_FAMILIES) {
            assert!(
                name.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
            );
        }
    }

    #[test]
    fn names_have_their_fate() {
        for (name, disposition) in [
            ("accept", Disposition::Pass),
            ("x-atlassian-token", Disposition::Pass),
            ("if-match", Disposition::Pass),
            ("upgrade-insecure-requests", Disposition::Pass),
            ("mcp-method", Disposition::Pass),
            ("mcp-name", Disposition::Pass),
            ("mcp-session-id", Disposition::Pass),
            ("mcp-protocol-version", Disposition::Pass),
            ("mcp-param-user", Disposition::Pass),
            ("mcp-param-target-path", Disposition::Pass),
            ("x-mcp-method", Disposition::Claimed),
            ("mcp_method", Disposition::Claimed),
            ("x-csrf-token", Disposition::Pass),
            ("x-!", Disposition::Pass),
            ("connection", Disposition::HopByHop),
            ("proxy-authorization", Disposition::HopByHop),
            ("host", Disposition::Own),
            ("contextuser", Disposition::Own),
            ("x-forwarded-for", Disposition::Claimed),
            ("x-forwarded-uri", Disposition::Claimed),
            ("x-forwarded", Disposition::Claimed),
            ("forwarded", Disposition::Claimed),
            ("remote-user", Disposition::Claimed),
            ("x-remote-user", Disposition::Claimed),
            ("cf-connecting-ip", Disposition::Claimed),
            ("my-user", Disposition::Claimed),
            ("cookie", Disposition::Cookie),
            ("cookie2", Disposition::Claimed),
            (
                "x-http-method-override",
                Disposition::Refused(Reason::MethodOverride),
            ),
            (
                "http-method-override",
                Disposition::Refused(Reason::MethodOverride),
            ),
            ("x-override-method", Disposition::Refused(Reason::MethodOverride)),
            ("x-http-verb", Disposition::Refused(Reason::MethodOverride)),
            (
                "x-forwarded-method-override",
                Disposition::Refused(Reason::MethodOverride),
            ),
            ("access-control-request-method", Disposition::Pass),
            ("dd-api-key", Disposition::Refused(Reason::CredentialHeader)),
            (
                "x-shopify-access-token",
                Disposition::Refused(Reason::CredentialHeader),
            ),
            (
                "x-amz-security-token",
                Disposition::Refused(Reason::CredentialHeader),
            ),
            ("idempotency-key", Disposition::Pass),
            ("x-forward-for", Disposition::Claimed),
            ("x-http-destinationurl", Disposition::Refused(Reason::UrlOverride)),
            ("x-original-url", Disposition::Refused(Reason::UrlOverride)),
            ("destination", Disposition::Refused(Reason::UrlOverride)),
            ("my-key", Disposition::Refused(Reason::CredentialHeader)),
            (
                "x-redmine-switch-user",
                Disposition::Refused(Reason::CredentialHeader),
            ),
            ("their-key", Disposition::Pass),
            ("x-api-key", Disposition::Pass),
            ("x-shipping-method", Disposition::Pass),
            ("x-payment-method", Disposition::Claimed),
            ("x-target-url", Disposition::Pass),
            ("x-http-method", Disposition::Refused(Reason::MethodOverride)),
        ] {
            assert_eq!(dispositions().of(name), disposition, "{name}");
        }
    }

    #[test]
    fn names_that_servers_fold_are_dropped() {
        for name in [
            "x_a",
            "content_type",
            "x_forwarded_user",
            "my_user",
            "my.user",
            "content.type",
            "transfer.encoding",
        ] {
            assert_eq!(dispositions().of(name), Disposition::Claimed, "{name}");
        }
    }

    #[test]
    fn what_connection_may_name() {
        for name in [
            "close",
            "keep-alive",
            "upgrade",
            "te",
            "x-secret-hop",
            "http2-settings",
        ] {
            assert!(dispositions().may_be_named(name), "{name}");
        }
        for name in [
            "authorization",
            "contextuser",
            "host",
            "content-type",
            "content_type",
            "content-length",
            "x-forwarded-for",
            "my-user",
            "content-encoding",
            "transfer-encoding",
            "x-original-url",
            "expect",
            "x-real-ip",
        ] {
            assert!(!dispositions().may_be_named(name), "{name}");
        }
    }
}
