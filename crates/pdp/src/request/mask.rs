//! Masks text that must not be shown: values of credential parameters, the secrets that the call presents, and text
//! with the prefix of Tokenward's secrets.
//!
//! A part of a text (a segment of the path, a name, a value) that contains a presented secret is masked as a whole. A
//! part with the prefix is masked from there to its end: the end of a secret in it cannot be determined for every
//! possible encoding.

use std::borrow::Cow;
use std::collections::HashSet;

use super::escape::{decode_loosely, push_component, push_escaped};
use super::kept::{Keep, Kept};
use super::prefix::Prefix;
use super::query::{Pair, first_name, underscored};
use super::secrets::Secrets;
use super::work;
use crate::buffers::TextBuffer;

/// The fixed prefix of Tokenward's secrets, by which leaked ones are found.
pub const TOKEN_PREFIX: &str = tokenward_compiler::secret::PREFIX;

/// Replacement for masked text.
const MASK: &str = "***";

/// Replacement for a value that is not stored. No canonical encoding contains a `*`.
const DROPPED: &str = "*dropped*";

/// Maximum number of bytes of a refused target that are shown.
const SHOWN_BYTES: usize = 2_048;

/// Names whose values are masked for every product: a client that sends another product's parameter by mistake sends a
/// secret.
pub const MASKED_NAMES: &[&str] = &[
    "access_token",
    "api-key",
    "api_key",
    "api_token",
    "apikey",
    "assertion",
    "auth_token",
    "authorization",
    "authtoken",
    "bearer_token",
    "client_assertion",
    "client_secret",
    "deploy_token",
    "feed_token",
    "id_token",
    "job_token",
    "jsessionid",
    "jwt",
    "login_token",
    "oauth_signature",
    "oauth_token",
    "oauth_verifier",
    "os_cookie",
    "os_password",
    "passwd",
    "password",
    "personal_access_token",
    "private_key",
    "private_token",
    "refresh_token",
    "rss_token",
    "secret",
    "session_id",
    "sessionid",
    "sig",
    "signature",
    "token",
    "x-amz-credential",
    "x-amz-security-token",
    "x-amz-signature",
    "x-api-key",
];

/// Masks text by the names of credentials, the prefix and the rules of storage.
#[derive(Clone, Debug)]
pub(super) struct Mask {
    names: HashSet<String>,
    prefix: Prefix,
    kept: Kept,
}

impl Mask {
    pub(super) fn new<'a>(prefix: &str, more: impl Iterator<Item = &'a str>, kept: &Kept) -> Self {
        let names = MASKED_NAMES
            .iter()
            .copied()
            .chain(more)
            .map(str::to_lowercase)
            .collect();
        Self {
            names,
            prefix: Prefix::new(prefix),
            kept: kept.clone(),
        }
    }

    /// Whether the text contains a secret that the call presents, or a whole one of Tokenward's.
    pub(super) fn bears_secret(&self, text: &[u8], secrets: &Secrets) -> bool {
        secrets.stand_in(text) || self.prefix.bears_whole(text)
    }

    /// Returns the first whole secret of Tokenward's in the text, decoded.
    pub(super) fn whole_secret(&self, text: &[u8]) -> Option<Vec<u8>> {
        self.prefix.whole(text)
    }

    /// Masks one part of a text that a caller chose.
    pub(super) fn part<'t>(&self, text: &'t str, secrets: &Secrets) -> Cow<'t, str> {
        if secrets.stand_in(text.as_bytes()) {
            return Cow::Borrowed(MASK);
        }
        match self.prefix.find(text.as_bytes()) {
            None => Cow::Borrowed(text),
            Some(at) => Cow::Owned(format!("{}{MASK}", text.get(..at).unwrap_or_default())),
        }
    }

    /// Formats the URL of a request that was read and therefore contains no presented secret. `start` is the URL up to
    /// the encoded path.
    pub(super) fn url(&self, start: impl Into<TextBuffer>, pairs: &[Pair]) -> TextBuffer {
        let mut out = start.into();
        let start = out.len();
        self.push_query(out.text(), pairs, push_component);
        if self.prefix.find(out.as_bytes()).is_none() {
            return out;
        }
        let none = Secrets::default();
        let start = out.get(..start).unwrap_or_default().to_owned();
        out.text().clear();
        push_segments(out.text(), &start, |segment| self.part(segment, &none));
        self.push_query(out.text(), pairs, |out, text| {
            let at = self.prefix.find(text.as_bytes());
            push_component(out, at.and_then(|at| text.get(..at)).unwrap_or(text));
            out.push_str(if at.is_some() { MASK } else { "" });
        });
        out
    }

    fn push_query(&self, out: &mut String, pairs: &[Pair], push: impl Fn(&mut String, &str)) {
        let mut separator = '?';
        for (name, value) in pairs {
            out.push(separator);
            separator = '&';
            push(out, name);
            if let Some(value) = value {
                out.push('=');
                if self.is_credential(name) {
                    out.push_str(MASK);
                } else {
                    self.push_kept(out, name, value, &push);
                }
            }
        }
    }

    fn push_kept(&self, out: &mut String, name: &str, value: &str, push: impl Fn(&mut String, &str)) {
        let hash = match self.kept.of_parameter(name) {
            Keep::Text => return push(out, value),
            Keep::Hash => self.kept.hash(name, value),
            Keep::Nothing => None,
        };
        match hash {
            Some(hash) => {
                out.push_str("*hmac:");
                out.push_str(&hash);
                out.push('*');
            }
            None => out.push_str(DROPPED),
        }
    }

    /// Returns the stored form of a body's value. If the value contains a secret, not even its hash is stored: a holder
    /// of the key could distinguish it from others.
    pub(super) fn node(
        &self,
        path: &str,
        value: &str,
        secrets: &Secrets,
        bounded: impl Fn(&str) -> String,
    ) -> tokenward_audit::Kept {
        use tokenward_audit::Kept;
        let last = path.rsplit('.').next().unwrap_or(path).trim_matches('"');
        let secret = [path, last]
            .iter()
            .any(|name| self.names.contains(&*first_name(name)));
        match self.kept.of_node(path) {
            _ if secret => Kept::Dropped,
            Keep::Text => Kept::Text(bounded(&self.part(value, secrets))),
            Keep::Hash if self.bears_secret(value.as_bytes(), secrets) => Kept::Dropped,
            Keep::Hash => self.kept.hash(path, value).map_or(Kept::Dropped, Kept::Hash),
            Keep::Nothing => Kept::Dropped,
        }
    }

    /// Formats a target that was not read, in printable ASCII and cut at 2 KiB.
    pub(super) fn target(&self, origin: &str, target: &[u8], secrets: &Secrets) -> String {
        let mut text = String::with_capacity(target.len());
        work::done(target.len());
        for &byte in target {
            if byte.is_ascii_graphic() {
                text.push(char::from(byte));
            } else {
                push_escaped(&mut text, byte);
            }
        }
        let text = without_userinfo(&text);
        let (path, query) = text
            .find(['?', '#'])
            .and_then(|at| text.split_at_checked(at))
            .unwrap_or((&text, ""));
        let secrets = &self.with_named(&text, secrets);
        let path = self.half(path, Half::Path, secrets);
        let query = self.half(query, Half::Query, secrets);
        let shown = if secrets.stand_in(format!("{}{}", path.left, query.left).as_bytes()) {
            wholly_masked(&path.left)
        } else {
            path.shown + &query.shown
        };
        let mut out = if target.starts_with(b"/") { origin } else { "" }.to_owned();
        out.push_str(&shown);
        if out.len() > SHOWN_BYTES {
            // The text is ASCII, so it can be cut anywhere.
            out.truncate(SHOWN_BYTES);
            out.push_str("...");
        }
        out
    }

    /// Formats a long target that was not read, without its query. The query may contain a secret anywhere,
    /// and even a caller without a token could make the search for it expensive. A long path is not shown.
    pub(super) fn long(&self, origin: &str, target: &[u8], secrets: &Secrets) -> String {
        let at = memchr::memchr2(b'?', b'#', target).unwrap_or(target.len());
        let (path, rest) = target.split_at_checked(at).unwrap_or((target, b""));
        let shown = if path.len() > SHOWN_BYTES || secrets.may_go_on_after(path) {
            format!("{origin}/{MASK}")
        } else {
            self.target(origin, path, secrets)
        };
        if rest.is_empty() {
            shown
        } else {
            format!("{shown}?{DROPPED}")
        }
    }

    /// Adds the values of parameters with names of credentials to `secrets`.
    fn with_named<'s>(&self, text: &str, secrets: &'s Secrets) -> Cow<'s, Secrets> {
        let mut all = Cow::Borrowed(secrets);
        for piece in text.split(SEPARATORS) {
            if let Some((name, value)) = piece.split_once('=')
                && self.is_credential(&loosely(name))
            {
                all.to_mut().add(loosely(value).as_bytes());
            }
        }
        all
    }

    /// Masks one half of a target that was not read. Parts without a secret may form one together; then all of them are
    /// masked.
    fn half(&self, text: &str, half: Half, secrets: &Secrets) -> Masked {
        let left = self.pieces(text, half, |part| match secrets.stand_in(part.as_bytes()) {
            true => Cow::Borrowed(MASK),
            false => Cow::Borrowed(part),
        });
        if secrets.stand_in(left.as_bytes()) {
            let shown = wholly_masked(text);
            return Masked {
                left: shown.clone(),
                shown,
            };
        }
        let shown = self.pieces(text, half, |part| self.part(part, secrets));
        Masked { left, shown }
    }

    fn pieces<'t>(&self, text: &'t str, half: Half, mask: impl Fn(&'t str) -> Cow<'t, str>) -> String {
        let mut out = String::with_capacity(text.len());
        for piece in text.split_inclusive(SEPARATORS) {
            self.push_piece(&mut out, piece, half, &mask);
        }
        out
    }

    /// Whether the upstream may treat a parameter with this name as a credential.
    fn is_credential(&self, name: &str) -> bool {
        [first_name(name), underscored(name)]
            .iter()
            .any(|name| self.names.contains(&**name))
    }

    /// Appends one `name=value` of a raw query, or the text between two `;` of a path, with the separator after it.
    fn push_piece<'t>(
        &self,
        out: &mut String,
        piece: &'t str,
        half: Half,
        mask: impl Fn(&'t str) -> Cow<'t, str>,
    ) {
        let text = piece.strip_suffix(SEPARATORS).unwrap_or(piece);
        let push = |out: &mut String, text: &'t str| match half {
            Half::Path => push_segments(out, text, &mask),
            Half::Query => out.push_str(&mask(text)),
        };
        if let Some((name, value)) = text.split_once('=') {
            push(out, name);
            out.push('=');
            let name = loosely(name);
            if self.is_credential(&name) {
                out.push_str(MASK);
            } else if self.kept.of_parameter(&name) != Keep::Text {
                // A target that was not read has no value to hash.
                out.push_str(DROPPED);
            } else {
                push(out, value);
            }
        } else {
            push(out, text);
        }
        out.push_str(piece.get(text.len()..).unwrap_or_default());
    }
}

/// Characters that end a piece of a target that was not read.
const SEPARATORS: [char; 4] = ['?', '&', ';', '#'];

/// Half of a target: the path ends at the first `?` or `#`.
#[derive(Clone, Copy)]
enum Half {
    Path,
    Query,
}

/// A half of a target, masked.
struct Masked {
    /// The half without the parts that contain a presented secret.
    left: String,
    /// The half as it is shown.
    shown: String,
}

/// Masks a whole path or query.
fn wholly_masked(text: &str) -> String {
    let first = text.chars().next().filter(|first| "/?#".contains(*first));
    first.map(String::from).unwrap_or_default() + MASK
}

fn push_segments<'t>(out: &mut String, path: &'t str, mask: impl Fn(&'t str) -> Cow<'t, str>) {
    for segment in path.split_inclusive('/') {
        let text = segment.strip_suffix('/').unwrap_or(segment);
        out.push_str(&mask(text));
        out.push_str(segment.get(text.len()..).unwrap_or_default());
    }
}

/// Decodes a name or a value of a raw query like a server that decodes it more than once.
fn loosely(text: &str) -> String {
    String::from_utf8_lossy(&decode_loosely(text.replace('+', " ").as_bytes())).into_owned()
}

fn without_userinfo(text: &str) -> String {
    let masked = text.split_once("://").and_then(|(scheme, rest)| {
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, rest) = rest.split_at_checked(end)?;
        let (_, host) = authority.rsplit_once('@')?;
        Some(format!("{scheme}://{MASK}@{host}{rest}"))
    });
    masked.unwrap_or_else(|| text.to_owned())
}

#[cfg(test)]
mod tests;
