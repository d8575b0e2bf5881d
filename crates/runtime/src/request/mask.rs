//! What must not be shown: values of credential parameters, and whatever bears the prefix of our secrets.

use std::collections::HashSet;

use super::escape::{decode_loosely, from_hex, is_unreserved, push_component, push_escaped};
use super::kept::{Keep, Kept};
use super::query::{Pair, first_name, underscored};

/// The fixed prefix of our secrets, by which leaked ones are found.
pub const TOKEN_PREFIX: &str = tokenward_compiler::secret::PREFIX;

/// What stands in place of what is masked.
const MASK: &str = "***";

/// What stands in place of a value that is not kept. No canonical encoding has a `*`.
const DROPPED: &str = "*dropped*";

/// How many characters of our alphabet behind the prefix make a text a secret, as opposed to talk about one.
const SECRET_CHARACTERS: usize = 32;

/// How many bytes of a target that was refused are shown.
const SHOWN_BYTES: usize = 2_048;

/// Names whose values are masked whatever the product: an error with one product's name is a secret of another.
const NAMES: &[&str] = &[
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

/// Knows what to mask.
#[derive(Clone, Debug)]
pub(super) struct Mask {
    names: HashSet<String>,
    prefix: String,
    kept: Kept,
}

impl Mask {
    pub(super) fn new<'a>(prefix: &str, more: impl Iterator<Item = &'a str>, kept: &Kept) -> Self {
        let names = NAMES.iter().copied().chain(more).map(str::to_lowercase).collect();
        Self {
            names,
            prefix: prefix.to_owned(),
            kept: kept.clone(),
        }
    }

    /// The URL of a request that was read: `start` (up to and with the encoded path) and the query.
    pub(super) fn url(&self, start: &str, pairs: &[Pair]) -> String {
        let mut out = start.to_owned();
        let mut separator = '?';
        for (name, value) in pairs {
            out.push(separator);
            separator = '&';
            push_component(&mut out, name);
            if let Some(value) = value {
                out.push('=');
                if self.is_credential(name) {
                    out.push_str(MASK);
                } else {
                    self.push_kept(&mut out, name, value);
                }
            }
        }
        self.bearing_prefix(&out)
    }

    fn push_kept(&self, out: &mut String, name: &str, value: &str) {
        let hash = match self.kept.of_parameter(name) {
            Keep::Text => return push_component(out, value),
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

    /// What is kept of a value of the body.
    pub(super) fn node(
        &self,
        path: &str,
        value: &str,
        bounded: impl Fn(&str) -> String,
    ) -> tokenward_audit::Kept {
        use tokenward_audit::Kept;
        let last = path.rsplit('.').next().unwrap_or(path).trim_matches('"');
        let secret = [path, last]
            .iter()
            .any(|name| self.names.contains(&first_name(name)));
        match self.kept.of_node(path) {
            _ if secret => Kept::Dropped,
            Keep::Text => Kept::Text(bounded(&self.bearing_prefix(value))),
            Keep::Hash => self.kept.hash(path, value).map_or(Kept::Dropped, Kept::Hash),
            Keep::Nothing => Kept::Dropped,
        }
    }

    /// A target that was not read, in printable ASCII and cut at 2 KiB.
    pub(super) fn target(&self, origin: &str, target: &[u8]) -> String {
        let mut out = String::new();
        if target.starts_with(b"/") {
            out.push_str(origin);
        }
        let mut text = String::with_capacity(target.len());
        for &byte in target {
            if byte.is_ascii_graphic() {
                text.push(char::from(byte));
            } else {
                push_escaped(&mut text, byte);
            }
        }
        for piece in without_userinfo(&text).split_inclusive(['?', '&', ';', '#']) {
            self.push_piece(&mut out, piece);
        }
        let mut out = self.bearing_prefix(&out);
        if out.len() > SHOWN_BYTES {
            // All is ASCII.
            out.truncate(SHOWN_BYTES);
            out.push_str("...");
        }
        out
    }

    /// Whether the text holds a whole secret of ours, or one of `secrets` (those too short to be secret aside).
    pub(super) fn bears_secret(&self, text: &[u8], secrets: &[&[u8]]) -> bool {
        let given = secrets
            .iter()
            .any(|secret| secret.len() >= 16 && find(text, secret).is_some());
        given || self.bears_our_secret(text)
    }

    fn bears_our_secret(&self, text: &[u8]) -> bool {
        let mut rest = text;
        while let Some(at) = find(rest, self.prefix.as_bytes()) {
            rest = rest.get(at + self.prefix.len()..).unwrap_or_default();
            if rest
                .iter()
                .take_while(|byte| byte.is_ascii_alphanumeric())
                .count()
                >= SECRET_CHARACTERS
            {
                return true;
            }
        }
        false
    }

    /// Whether the upstream may take a parameter of this name for one of credentials.
    fn is_credential(&self, name: &str) -> bool {
        [first_name(name), underscored(name)]
            .iter()
            .any(|name| self.names.contains(name))
    }

    /// One `name=value` of a raw query, with the separator behind it.
    fn push_piece(&self, out: &mut String, piece: &str) {
        let Some((name, value)) = piece.split_once('=') else {
            return out.push_str(piece);
        };
        out.push_str(name);
        out.push('=');
        let decoded = decode_loosely(name.replace('+', " ").as_bytes());
        let name = String::from_utf8_lossy(&decoded);
        let stands = if self.is_credential(&name) {
            MASK
        } else if self.kept.of_parameter(&name) != Keep::Text {
            // What was not read has no value to hash.
            DROPPED
        } else {
            return out.push_str(value);
        };
        out.push_str(stands);
        out.extend(value.chars().next_back().filter(|last| "?&;#".contains(*last)));
    }

    /// Masks from the prefix to the end of the word, however its characters are escaped and cased.
    fn bearing_prefix(&self, text: &str) -> String {
        let bytes = text.as_bytes();
        let mut out = String::with_capacity(text.len());
        let mut at = 0;
        while let Some((byte, mut next)) = unit(bytes, at) {
            if self.begins_prefix(bytes, at) {
                out.push_str(MASK);
                while let Some((byte, after)) = unit(bytes, next)
                    && is_unreserved(byte)
                {
                    next = after;
                }
            } else {
                out.extend(text.get(at..next));
                debug_assert!(byte.is_ascii());
            }
            at = next;
        }
        out
    }

    fn begins_prefix(&self, bytes: &[u8], at: usize) -> bool {
        let mut at = at;
        self.prefix.bytes().all(|wanted| match unit(bytes, at) {
            Some((byte, next)) => {
                at = next;
                byte.eq_ignore_ascii_case(&wanted)
            }
            None => false,
        })
    }
}

/// The byte that stands at `at`, through any layers of escapes (`%252574` is `t`), and where the next one begins.
/// Bytes that are not ASCII are given as `?`; they begin nothing.
fn unit(bytes: &[u8], at: usize) -> Option<(u8, usize)> {
    let first = *bytes.get(at)?;
    if first != b'%' {
        return Some((if first.is_ascii() { first } else { b'?' }, at + 1));
    }
    let mut digits = at + 1;
    while let (Some(b'2'), Some(b'5'), Some(_)) =
        (bytes.get(digits), bytes.get(digits + 1), bytes.get(digits + 2))
    {
        digits += 2;
    }
    match (bytes.get(digits), bytes.get(digits + 1)) {
        (Some(high), Some(low)) => match from_hex(*high, *low) {
            Some(byte) => Some((if byte.is_ascii() { byte } else { b'?' }, digits + 2)),
            None => Some((b'%', at + 1)),
        },
        _ => Some((b'%', at + 1)),
    }
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

fn find(text: &[u8], wanted: &[u8]) -> Option<usize> {
    if wanted.is_empty() {
        return None;
    }
    text.windows(wanted.len()).position(|window| window == wanted)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "twd_0123456789abcdefghijklmnopqrstuv";

    fn mask() -> Mask {
        Mask::new(TOKEN_PREFIX, ["my_key", "key"].into_iter(), &Kept::default())
    }

    #[test]
    fn credential_parameters_are_masked() {
        let pair = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        let pairs = [
            pair("a", "b c"),
            pair("Access_Token", "x"),
            pair("key[]", "x"),
            pair("my_key", "x"),
            ("token".into(), None),
        ];
        assert_eq!(
            mask().url("http://a/b", &pairs),
            "http://a/b?a=b%20c&Access_Token=***&key%5B%5D=***&my_key=***&token"
        );
    }

    #[test]
    fn what_bears_the_prefix_is_masked_everywhere() {
        let secret = SECRET;
        let pairs = [(secret.to_owned(), Some(format!("see {secret}, or")))];
        let shown = mask().url(&format!("http://a/{secret}/b"), &pairs);
        assert_eq!(shown, "http://a/***/b?***=see%20***%2C%20or");
        assert_eq!(
            mask().target("", b"/x%2574%2577d_abc/y%74wd_0?TWD_1%00"),
            "/x***/y***?***%00"
        );
        assert_eq!(mask().target("", b"/%7/%25/%2525/%"), "/%7/%25/%2525/%");
    }

    #[test]
    fn values_are_kept_hashed_or_dropped_by_name() {
        let names = [("jql".to_owned(), Keep::Hash), ("a.b".to_owned(), Keep::Hash)];
        let kept = Kept::new(Keep::Nothing, Keep::Text, names, Some(&[7; 32]));
        let mask = Mask::new(TOKEN_PREFIX, [].into_iter(), &kept);
        let pair = |name: &str, value: &str| (name.to_owned(), Some(value.to_owned()));
        let pairs = [
            pair("jql", "x"),
            pair("password", "x"),
            pair("n", "*"),
            ("m".into(), None),
        ];
        let hash = kept.hash("jql", "x").unwrap();
        assert_eq!(
            mask.url("http://a/b", &pairs),
            format!("http://a/b?jql=*hmac:{hash}*&password=***&n=*dropped*&m")
        );
        assert_eq!(
            mask.target("", b"/a?jql=x&n=x#y"),
            "/a?jql=*dropped*&n=*dropped*#y"
        );
        let node = |path: &str, value: &str| mask.node(path, value, str::to_owned);
        use tokenward_audit::Kept as Stored;
        assert_eq!(node("n", "x"), Stored::Text("x".into()));
        assert_eq!(
            node("n", &format!("see {SECRET}")),
            Stored::Text("see ***".into())
        );
        assert_eq!(node("a.b", "x"), Stored::Hash(kept.hash("a.b", "x").unwrap()));
        assert_eq!(node("user.password", "x"), Stored::Dropped);
    }

    #[test]
    fn refused_targets_are_shown_printable_masked_and_short() {
        for (target, shown) in [
            ("/a b\r\n?x=1", "http://a/a%20b%0D%0A?x=1"),
            ("/a?%6bey=s3cret&b=1", "http://a/a?%6bey=***&b=1"),
            ("/a?%256bey=s3cret", "http://a/a?%256bey=***"),
            (
                "/a;jsessionid=s3cret?os_password=s3cret;b=1",
                "http://a/a;jsessionid=***?os_password=***;b=1",
            ),
            ("http://u:p@evil.test/x", "http://***@evil.test/x"),
            ("*", "*"),
        ] {
            assert_eq!(mask().target("http://a", target.as_bytes()), shown, "{target}");
        }
        assert_eq!(mask().target("", "/é".as_bytes()), "/%C3%A9");
        assert_eq!(mask().target("", &[b'a'; 9_000]).len(), SHOWN_BYTES + 3);
    }

    #[test]
    fn whole_secrets_are_found() {
        assert!(mask().bears_secret(format!("x twd_ {SECRET}").as_bytes(), &[]));
        assert!(mask().bears_secret(b"x 0123456789abcdef", &[b"0123456789abcdef"]));
        assert!(!mask().bears_secret(b"twd_short about twd_", &[b"short"]));
        assert!(!mask().bears_secret(b"", &[]));
    }
}
