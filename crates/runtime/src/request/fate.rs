//! What becomes of a request header, by its name.

use std::collections::{HashMap, HashSet};

use super::Reason;
use super::disposition::Fate;
use super::known_headers::{
    CLAIMED, CLAIMED_FAMILIES, CREDENTIAL_ENDINGS, CREDENTIALS, HOP_BY_HOP, METHOD_OVERRIDES, OWN, RELIED_ON,
    URL_OVERRIDES,
};
use super::said::{overrides_method, says};

/// The fates of all names, one look-up each.
#[derive(Clone, Debug)]
pub(super) struct Fates {
    names: HashMap<String, Fate>,
    /// Names that would be refused or dropped for what they say, and are not.
    accepted: HashSet<String>,
}

impl Fates {
    /// The table. `claimed` and `refused` are added (a claimed name may not be refused: the proxy writes it);
    /// `accepted` are taken off the lists of credentials. All names in lower case.
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
        let mut names: HashMap<String, Fate> = credentials
            .map(|name| (name.to_owned(), Fate::Refused(Reason::CredentialHeader)))
            .collect();
        let mut add = |list: &[&str], fate| names.extend(list.iter().map(|name| ((*name).to_owned(), fate)));
        add(CLAIMED, Fate::Claimed);
        add(METHOD_OVERRIDES, Fate::Refused(Reason::MethodOverride));
        add(URL_OVERRIDES, Fate::Refused(Reason::UrlOverride));
        add(&["cookie"], Fate::Cookie);
        names.extend(claimed.map(|name| (name.to_owned(), Fate::Claimed)));
        let mut add = |list: &[&str], fate| names.extend(list.iter().map(|name| ((*name).to_owned(), fate)));
        add(HOP_BY_HOP, Fate::HopByHop);
        add(OWN, Fate::Own);
        Self { names, accepted }
    }

    /// The fate of the header, named in lower case.
    ///
    /// Servers that hand headers on as variables read `X_A`, some also `X.A`, as `X-A`. So a name with an underscore
    /// is dropped, and so is one with another such character if its plain spelling means something to us.
    pub(super) fn of(&self, name: &str) -> Fate {
        if name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
        {
            return self.of_plain(name);
        }
        let plain = folded(name);
        let means_something = self.of_plain(&plain) != Fate::Pass || RELIED_ON.contains(&plain.as_str());
        if name.contains('_') || means_something {
            Fate::Claimed
        } else {
            Fate::Pass
        }
    }

    /// Whether a `Connection` may name the header (in lower case) and so have it dropped.
    pub(super) fn may_be_named(&self, name: &str) -> bool {
        let plain = folded(name);
        matches!(self.of_plain(&plain), Fate::Pass | Fate::HopByHop) && !RELIED_ON.contains(&plain.as_str())
    }

    fn of_plain(&self, name: &str) -> Fate {
        match self.names.get(name) {
            Some(fate) => *fate,
            None if overrides_method(name) => Fate::Refused(Reason::MethodOverride),
            None if self.ends_as_credential(name) => Fate::Refused(Reason::CredentialHeader),
            None if CLAIMED_FAMILIES.iter().any(|family| name.starts_with(family)) => Fate::Claimed,
            None if self.accepted.contains(name) => Fate::Pass,
            None => says(name).unwrap_or(Fate::Pass),
        }
    }

    fn ends_as_credential(&self, name: &str) -> bool {
        CREDENTIAL_ENDINGS.iter().any(|ending| name.ends_with(ending)) && !self.accepted.contains(name)
    }
}

/// The name as servers that fold names read it.
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

    fn fates() -> Fates {
        Fates::new(
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
        for (name, fate) in [
            ("accept", Fate::Pass),
            ("x-atlassian-token", Fate::Pass),
            ("if-match", Fate::Pass),
            ("upgrade-insecure-requests", Fate::Pass),
            ("x-csrf-token", Fate::Pass),
            ("x-!", Fate::Pass),
            ("connection", Fate::HopByHop),
            ("proxy-authorization", Fate::HopByHop),
            ("host", Fate::Own),
            ("contextuser", Fate::Own),
            ("x-forwarded-for", Fate::Claimed),
            ("x-forwarded-uri", Fate::Claimed),
            ("x-forwarded", Fate::Claimed),
            ("forwarded", Fate::Claimed),
            ("remote-user", Fate::Claimed),
            ("x-remote-user", Fate::Claimed),
            ("cf-connecting-ip", Fate::Claimed),
            ("my-user", Fate::Claimed),
            ("cookie", Fate::Cookie),
            ("cookie2", Fate::Claimed),
            ("x-http-method-override", Fate::Refused(Reason::MethodOverride)),
            ("http-method-override", Fate::Refused(Reason::MethodOverride)),
            ("x-override-method", Fate::Refused(Reason::MethodOverride)),
            ("x-http-verb", Fate::Refused(Reason::MethodOverride)),
            (
                "x-forwarded-method-override",
                Fate::Refused(Reason::MethodOverride),
            ),
            ("access-control-request-method", Fate::Pass),
            ("dd-api-key", Fate::Refused(Reason::CredentialHeader)),
            ("x-shopify-access-token", Fate::Refused(Reason::CredentialHeader)),
            ("x-amz-security-token", Fate::Refused(Reason::CredentialHeader)),
            ("idempotency-key", Fate::Pass),
            ("x-forward-for", Fate::Claimed),
            ("x-http-destinationurl", Fate::Refused(Reason::UrlOverride)),
            ("x-original-url", Fate::Refused(Reason::UrlOverride)),
            ("destination", Fate::Refused(Reason::UrlOverride)),
            ("my-key", Fate::Refused(Reason::CredentialHeader)),
            ("x-redmine-switch-user", Fate::Refused(Reason::CredentialHeader)),
            ("their-key", Fate::Pass),
            ("x-api-key", Fate::Pass),
            ("x-shipping-method", Fate::Pass),
            ("x-payment-method", Fate::Claimed),
            ("x-target-url", Fate::Pass),
            ("x-http-method", Fate::Refused(Reason::MethodOverride)),
        ] {
            assert_eq!(fates().of(name), fate, "{name}");
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
            assert_eq!(fates().of(name), Fate::Claimed, "{name}");
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
            assert!(fates().may_be_named(name), "{name}");
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
            assert!(!fates().may_be_named(name), "{name}");
        }
    }
}
