//! Values of a token's keys: each reader returns `None`, with a diagnostic, for an unusable value.

use std::{net::IpAddr, num::NonZeroU32};

use toml::de::DeValue;

use super::{
    definition::AllowDef,
    document::{self, At, Value},
    keys::Reader,
    seal::Seal,
    well_known,
};
use crate::call_limits::{CallLimits, Rate};
use crate::diagnostic::{Code, Diagnostic, Severity};
use crate::hidden::is_hidden;
use crate::units;

impl Reader<'_> {
    pub(super) fn wrong(&mut self, value: &Value<'_>, help: &str) {
        let place = document::span(self.id, self.source, value.span());
        let headline = format!("a value of the wrong type: {}", value.get_ref().type_str());
        self.diagnostics
            .push(Diagnostic::new(Code::WrongValue, place, headline).help(help));
    }

    fn invalid(&mut self, value: &Value<'_>, headline: &str, help: &str) {
        let place = document::span(self.id, self.source, value.span());
        self.diagnostics
            .push(Diagnostic::new(Code::WrongValue, place, headline).help(help));
    }

    fn at<T>(&self, value: &Value<'_>, inner: T) -> At<T> {
        At {
            value: inner,
            span: document::span(self.id, self.source, value.span()),
        }
    }

    /// A string that is not empty and has no control characters.
    pub(super) fn string(&mut self, value: &Value<'_>, key: &str) -> Option<At<String>> {
        let Some(text) = value.get_ref().as_str() else {
            self.wrong(value, &format!("`{key}` must be a string"));
            return None;
        };
        if text.trim().is_empty() || text.chars().any(char::is_control) {
            self.invalid(
                value,
                &format!("`{key}` is empty or contains control characters"),
                "write plain text",
            );
            return None;
        }
        // Text for people may have joiners; a name that holds one reads like another name.
        if !["description", "owner", "why"].contains(&key) && key != "user" && text.chars().any(is_hidden) {
            self.invalid(
                value,
                &format!("`{key}` contains an invisible character"),
                "type the text again",
            );
            return None;
        }
        Some(self.at(value, text.to_owned()))
    }

    pub(super) fn strings(&mut self, value: &Value<'_>, key: &str) -> Vec<At<String>> {
        let Some(entries) = value.get_ref().as_array() else {
            self.wrong(value, &format!("`{key}` must be a list of strings: `[\"…\"]`"));
            return Vec::new();
        };
        entries
            .iter()
            .filter_map(|entry| self.string(entry, key))
            .collect()
    }

    /// A user name that Basic credentials can carry (RFC 7617 section 2: no colon).
    pub(super) fn user(&mut self, value: &Value<'_>) -> Option<At<String>> {
        let user = self.string(value, "user")?;
        if user.value.contains(':') {
            self.invalid(
                value,
                "a user name must not contain a colon",
                "in Basic credentials, the name ends at the first `:`",
            );
            return None;
        }
        if user.value.chars().any(is_hidden) {
            self.invalid(
                value,
                "this user name contains a control or invisible character",
                "type the name again; servers may drop such characters and read another name",
            );
            return None;
        }
        Some(user)
    }

    pub(super) fn users(&mut self, value: &Value<'_>, key: &str) -> Option<At<Vec<String>>> {
        let Some(entries) = value.get_ref().as_array() else {
            self.wrong(
                value,
                &format!("`{key}` must be a list of user names: `[\"alice\", \"bob\"]`"),
            );
            return None;
        };
        let users: Vec<String> = entries
            .iter()
            .filter_map(|entry| Some(self.user(entry)?.value))
            .collect();
        if entries.is_empty() {
            self.invalid(
                value,
                &format!("`{key}` is empty"),
                "name at least one user, or remove the key",
            );
            return None;
        }
        Some(self.at(value, users))
    }

    pub(super) fn boolean(&mut self, value: &Value<'_>) -> Option<At<bool>> {
        let Some(flag) = value.get_ref().as_bool() else {
            self.wrong(value, "write `true` or `false`");
            return None;
        };
        Some(self.at(value, flag))
    }

    /// So many calls in so long, such as `"600/1m"`.
    pub(super) fn rate(&mut self, value: &Value<'_>) -> Option<At<Rate>> {
        let Some(text) = value.get_ref().as_str() else {
            self.wrong(
                value,
                "`rate` must be a number of calls and a time, in quotes: `\"600/1m\"`",
            );
            return None;
        };
        match text.parse::<Rate>() {
            Ok(rate) => Some(self.at(value, rate)),
            Err(error) => {
                let help = match error.near {
                    Some(near) => format!("did you mean `\"{near}\"`?"),
                    None => error.to_string(),
                };
                self.invalid(value, &format!("`{text}` is not a rate"), &help);
                None
            }
        }
    }

    /// A number of calls, from 1 to a million.
    pub(super) fn count(&mut self, value: &Value<'_>, key: &str) -> Option<At<NonZeroU32>> {
        let DeValue::Integer(given) = value.get_ref() else {
            self.wrong(value, &format!("`{key}` must be a whole number, without quotes"));
            return None;
        };
        let number = i64::from_str_radix(given.as_str(), given.radix()).ok();
        if let Some(count) = number.and_then(CallLimits::count) {
            return Some(self.at(value, count));
        }
        self.invalid(
            value,
            &format!("`{key}` is out of range"),
            "write a whole number from 1 to 1000000; to disable a token, set `revoked = true`",
        );
        None
    }

    /// A size of at least one byte, such as `"1MiB"`.
    pub(super) fn size(&mut self, value: &Value<'_>, key: &str) -> Option<At<u64>> {
        let help =
            "write a size from `\"1B\"` to `\"64GiB\"`: a whole number and B, KiB, MiB or GiB, in quotes";
        let Some(text) = value.get_ref().as_str() else {
            self.wrong(value, help);
            return None;
        };
        let size = units::size(text).filter(|size| (1..=units::LARGEST_SIZE).contains(size));
        if let Some(size) = size {
            return Some(self.at(value, size));
        }
        self.invalid(value, &format!("`{key}` is not a size, or is out of range"), help);
        None
    }

    pub(super) fn hash(&mut self, value: &Value<'_>) -> Option<At<[u8; 32]>> {
        let digits = value
            .get_ref()
            .as_str()
            .and_then(|text| text.strip_prefix("sha256:"));
        let mut hash = [0; 32];
        if digits.is_some_and(|digits| hex::decode_to_slice(digits, &mut hash).is_ok()) {
            if let Some(word) = well_known::secret(&hash) {
                self.invalid(
                    value,
                    &format!("this is the hash of {word}, which anybody can guess"),
                    "create a secret with `tokenward token new`",
                );
                return None;
            }
            return Some(self.at(value, hash));
        }
        self.invalid(
            value,
            "the hash of a secret must be `sha256:` and 64 hexadecimal digits",
            "`tokenward token new` creates a secret and writes its hash; never write the secret itself",
        );
        None
    }

    pub(super) fn seal(&mut self, value: &Value<'_>) -> Option<Seal> {
        let seal = value.get_ref().as_str().map(str::parse::<Seal>);
        if let Some(Ok(seal)) = seal {
            return Some(seal);
        }
        self.invalid(
            value,
            "a seal must be its version, the key's id and a signature, as in `v2:…:…`",
            "create a seal with `tokenward token seal`; it cannot be written by hand",
        );
        None
    }

    /// A moment, as ms UTC. A date without a time is its first moment in UTC.
    pub(super) fn time(&mut self, value: &Value<'_>) -> Option<At<i64>> {
        let help = "write a date and time with its offset: `2027-06-30T00:00:00Z`";
        let text = match value.get_ref() {
            DeValue::Datetime(time) if time.time.is_none() => format!("{time}T00:00:00Z"),
            DeValue::Datetime(time) => time.to_string(),
            DeValue::String(text) => text.clone().into_owned(),
            _ => {
                self.wrong(value, help);
                return None;
            }
        };
        match text.parse::<jiff::Timestamp>() {
            Ok(time) => Some(self.at(value, time.as_millisecond())),
            Err(_) if is_whole(&text) => {
                self.invalid(
                    value,
                    "the time is out of range",
                    "write a time up to `9999-12-30T22:00:00Z`; a token without `expires` never expires",
                );
                None
            }
            Err(_) => {
                self.invalid(value, "the time is invalid or has no offset", help);
                None
            }
        }
    }

    pub(super) fn networks(&mut self, value: &Value<'_>) -> Vec<ipnet::IpNet> {
        let texts = self.strings(value, "allowed_ips");
        if texts.is_empty()
            && value
                .get_ref()
                .as_array()
                .is_some_and(|entries| entries.is_empty())
        {
            self.invalid(
                value,
                "`allowed_ips` is empty",
                "name at least one network, or remove the key to allow any address",
            );
        }
        let mut networks = Vec::new();
        for text in texts {
            let network = text.value.parse::<ipnet::IpNet>();
            match network.or_else(|_| text.value.parse::<IpAddr>().map(ipnet::IpNet::from)) {
                Ok(network) if network.addr() != network.network() => {
                    self.diagnostics.push(host_bits(&text, network));
                }
                Ok(network) => networks.push(unmapped(network)),
                Err(_) => self.diagnostics.push(
                    Diagnostic::new(
                        Code::WrongValue,
                        text.span,
                        format!("`{}` is not an address or network", text.value),
                    )
                    .help("write `10.0.0.0/8`, `192.0.2.7` or `2001:db8::/32`"),
                ),
            }
        }
        networks
    }

    /// Entries of `lint_allow`, each a code and, behind a colon, why.
    pub(super) fn codes(&mut self, value: &Value<'_>) -> Vec<AllowDef> {
        let mut entries = Vec::new();
        for text in self.strings(value, "lint_allow") {
            let (code, why) = match text.value.split_once(':') {
                Some((code, why)) => (code.trim(), Some(why.trim())),
                None => (text.value.as_str(), None),
            };
            match code.parse::<Code>() {
                // `MisspeltPart` was a warning: tokens that are sealed with it cannot be changed.
                Ok(code) if code == Code::MisspeltPart || code.severity() == Severity::Warning => {
                    let why = why.filter(|why| !why.is_empty()).map(str::to_owned);
                    let span = text.span;
                    entries.push(AllowDef { code, why, span });
                }
                Ok(code) => self.diagnostics.push(
                    Diagnostic::new(
                        Code::WrongValue,
                        text.span,
                        format!("`{code}` is an error and cannot be allowed"),
                    )
                    .help("only warnings can be allowed: `TW01…` and `TW05…`"),
                ),
                Err(error) => {
                    self.diagnostics
                        .push(Diagnostic::new(Code::WrongValue, text.span, error.to_string()));
                }
            }
        }
        entries
    }
}

/// `10.0.0.5/8`: one address was meant, or the whole network.
fn host_bits(text: &At<String>, network: ipnet::IpNet) -> Diagnostic {
    let headline = format!(
        "`{}` is an address in the network `{}`, not a network",
        text.value,
        network.trunc()
    );
    let (whole, one) = (network.trunc(), network.addr());
    Diagnostic::new(Code::WrongValue, text.span, headline)
        .help(format!(
            "write `{whole}` for the network, or `{one}` for the one address"
        ))
        .fix(text.span, format!("\"{one}\""))
        .fix(text.span, format!("\"{whole}\""))
}

/// The IPv4 network that `::ffff:a.b.c.d` maps; every other network itself.
fn unmapped(network: ipnet::IpNet) -> ipnet::IpNet {
    let ipnet::IpNet::V6(mapped) = network else {
        return network;
    };
    let four = mapped
        .addr()
        .to_ipv4_mapped()
        .zip(mapped.prefix_len().checked_sub(96));
    four.and_then(|(address, length)| ipnet::Ipv4Net::new(address, length).ok())
        .map_or(network, ipnet::IpNet::V4)
}

/// Whether a text has all parts of a moment, which may still be past the last one.
fn is_whole(text: &str) -> bool {
    let pieces = jiff::fmt::temporal::Pieces::parse(text);
    pieces.is_ok_and(|pieces| pieces.time().is_some() && pieces.offset().is_some())
}
