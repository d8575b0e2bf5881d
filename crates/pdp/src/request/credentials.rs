//! Credentials of a request: Basic and Bearer, read strictly.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokenward_compiler::is_hidden;
use zeroize::{ZeroizeOnDrop, Zeroizing};

use super::raw::{is_token, set, trim};

/// Maximum length of a user name, in bytes.
const USER_BYTES: usize = 256;

/// Maximum length of a secret, in bytes. Tokenward's are far shorter, and the cost of a search grows with the length.
const SECRET_BYTES: usize = 256;

/// Maximum length of encoded credentials, in bytes: a user, a colon and a secret in Base64.
const ENCODED_BYTES: usize = (USER_BYTES + 1 + SECRET_BYTES).div_ceil(3) * 4;

/// Credentials of a request. Their memory is overwritten when they are dropped: a few dozen bytes for a call.
#[derive(Clone, PartialEq, Eq, ZeroizeOnDrop)]
pub enum Credentials {
    /// The request has no credentials.
    None,
    /// `Authorization: Basic`: a user and a secret.
    Basic {
        /// The user name: not empty, without control and invisible characters, and without blanks around it.
        user: String,
        /// The secret: not empty, without control characters.
        secret: String,
    },
    /// `Authorization: Bearer`: a secret.
    Bearer {
        /// The secret as sent.
        secret: String,
    },
    /// A secret at a place that a setting enables (a query parameter, the product's header). Like Bearer, it names no
    /// user. The setting for methods does not affect it.
    Switched {
        /// The secret as sent, decoded if it is a parameter.
        secret: String,
    },
    /// `Authorization` with another scheme. It authenticates nobody.
    OtherScheme,
    /// Credentials of another form, or at several places. They authenticate nobody.
    Malformed,
}

impl std::fmt::Debug for Credentials {
    /// Writes neither the secret nor the user: a token that was sent as the user is also a secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::None => "None",
            Self::Basic { .. } => "Basic",
            Self::Bearer { .. } => "Bearer",
            Self::Switched { .. } => "Switched",
            Self::OtherScheme => "OtherScheme",
            Self::Malformed => "Malformed",
        })
    }
}

impl Credentials {
    /// Reads an `Authorization` value: a scheme in any case, one blank, and one token68 (RFC 9110 section 11.4,
    /// RFC 7617, RFC 6750). `schemes`, in lower case, are the further schemes that a setting enables.
    pub(super) fn from_authorization(value: &[u8], schemes: &[String]) -> Self {
        let parsed = std::str::from_utf8(trim(value)).ok().and_then(|text| {
            if let Some(secret) = schemes.iter().find_map(|scheme| behind_scheme(text, scheme)) {
                return Some(Self::from_alone(secret.as_bytes()));
            }
            let (scheme, given) = text.split_once(' ')?;
            if is_token(scheme.as_bytes())
                && !["basic", "bearer"]
                    .iter()
                    .any(|known| scheme.eq_ignore_ascii_case(known))
            {
                return Some(Self::OtherScheme);
            }
            if given.len() > ENCODED_BYTES || !is_token68(given) {
                None
            } else if scheme.eq_ignore_ascii_case("bearer") {
                // A token68 has no control characters.
                (given.len() <= SECRET_BYTES).then(|| Self::Bearer {
                    secret: given.to_owned(),
                })
            } else if scheme.eq_ignore_ascii_case("basic") {
                basic(given)
            } else {
                None
            }
        });
        parsed.unwrap_or(Self::Malformed)
    }

    /// Reads a secret that is the whole value of a header or a parameter.
    pub(super) fn from_alone(value: &[u8]) -> Self {
        match std::str::from_utf8(trim(value)) {
            Ok(secret) if secret.len() <= SECRET_BYTES && is_token68(secret) && is_secret(secret) => {
                Self::Switched {
                    secret: secret.to_owned(),
                }
            }
            _ => Self::Malformed,
        }
    }

    /// Selects the one of two places that has credentials. If both have some, they authenticate nobody.
    pub(super) fn or_else_malformed(self, other: Self) -> Self {
        match (self, other) {
            (Self::None, only) | (only, Self::None) => only,
            _ => Self::Malformed,
        }
    }

    /// Returns the secret, if there is one.
    pub(super) fn secret(&self) -> Option<&str> {
        match self {
            Self::Basic { secret, .. } | Self::Bearer { secret } | Self::Switched { secret } => Some(secret),
            Self::None | Self::OtherScheme | Self::Malformed => None,
        }
    }
}

/// Gives the secret behind a scheme that carries the bare token. Clients write it as `token SECRET`, some with a colon
/// (`token: SECRET`) or as a parameter (`Token token="SECRET"`, as Rails reads it). `None` if the value has another scheme.
fn behind_scheme<'a>(text: &'a str, scheme: &str) -> Option<&'a str> {
    let (given, rest) = text.split_at_checked(scheme.len())?;
    if !given.eq_ignore_ascii_case(scheme) || !rest.starts_with([' ', '\t', ':']) {
        return None;
    }
    let secret = rest
        .strip_prefix(':')
        .unwrap_or(rest)
        .trim_start_matches([' ', '\t']);
    let secret = match secret.split_once('=') {
        Some((name, value)) if name.eq_ignore_ascii_case("token") => value,
        _ => secret,
    };
    let unquoted = secret
        .strip_prefix('"')
        .and_then(|secret| secret.strip_suffix('"'));
    Some(unquoted.unwrap_or(secret))
}

/// Reads `user:secret` in canonical base64. The first colon ends the user (RFC 7617 section 2).
fn basic(encoded: &str) -> Option<Credentials> {
    let decoded = Zeroizing::new(STANDARD.decode(encoded).ok()?);
    let (user, secret) = std::str::from_utf8(&decoded).ok()?.split_once(':')?;
    if !is_user(user) || !is_secret(secret) {
        return None;
    }
    Some(Credentials::Basic {
        user: user.to_owned(),
        secret: secret.to_owned(),
    })
}

/// Reads a `contextUser` value.
pub(super) fn context_user(value: &[u8]) -> Option<String> {
    std::str::from_utf8(trim(value))
        .ok()
        .filter(|user| is_user(user))
        .map(str::to_owned)
}

/// Whether the text can name a user. Blanks around it could be trimmed, and invisible characters dropped, before the
/// upstream reads it; the name would then be another user's.
fn is_user(text: &str) -> bool {
    !text.is_empty() && text.len() <= USER_BYTES && text.trim() == text && !text.chars().any(is_hidden)
}

fn is_secret(text: &str) -> bool {
    !text.is_empty() && text.len() <= SECRET_BYTES && !text.chars().any(char::is_control)
}

/// The set of the bytes of a token68 other than `=`, a bit for each.
const TOKEN68: u128 = set(b"-._~+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

/// Whether the text is a token68 (RFC 9110 section 11.2).
fn is_token68(text: &str) -> bool {
    let body = text.trim_end_matches('=');
    !body.is_empty()
        && body
            .bytes()
            .all(|byte| byte.is_ascii() && TOKEN68 >> byte & 1 != 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bearer(secret: &str) -> Credentials {
        Credentials::Bearer {
            secret: secret.to_owned(),
        }
    }

    fn basic_of(text: impl AsRef<[u8]>) -> Credentials {
        Credentials::from_authorization(format!("Basic {}", STANDARD.encode(text)).as_bytes(), &[])
    }

    #[test]
    fn schemes_are_read_in_any_case() {
        for value in [
            "Bearer twd_abc",
            "bearer twd_abc",
            "BEARER twd_abc\t",
            " Bearer twd_abc ",
        ] {
            assert!(
                Credentials::from_authorization(value.as_bytes(), &[]) == bearer("twd_abc"),
                "{value}"
            );
        }
        let read =
            Credentials::from_authorization(format!("bAsIc {}", STANDARD.encode("svc:t:x")).as_bytes(), &[]);
        assert!(
            read == Credentials::Basic {
                user: "svc".into(),
                secret: "t:x".into()
            }
        );
        assert!(
            basic_of("jö@x.example:t")
                == Credentials::Basic {
                    user: "jö@x.example".into(),
                    secret: "t".into()
                }
        );
    }

    #[test]
    fn whatever_is_malformed_authenticates_nobody() {
        for value in [
            "",
            "Bearer",
            "Bearer ",
            "Bearer  abc",
            "Bearer\tabc",
            "Bearer abc x",
            "Bearer abc,",
            "Bearer \"abc\"",
            "abc",
            "Bearer a, Bearer b",
            "Bearer =",
            "Bearer ab=c",
            "Bearer a\u{e9}",
            "Basic",
            "Basic =",
            "Basic c3ZjOnQ= c3ZjOnQ=",
            "Basic  c3ZjOnQ=",
            "Basic c3ZjOnQ",
            "Basic c3ZjOnR=",
            "Basic c3Zj OnQ=",
            "Basic c3ZjOnQ==",
            "Basic c3Zj-nQ_",
            "Basic user:token",
            "Basic c3ZjOnQ=,",
        ] {
            assert!(
                Credentials::from_authorization(value.as_bytes(), &[]) == Credentials::Malformed,
                "{value}"
            );
        }
        assert!(Credentials::from_authorization(b"Bearer \xff", &[]) == Credentials::Malformed);
        for text in [
            "svc",
            ":t",
            "svc:",
            "svc:t\n",
            "s\0vc:t",
            "svc:t\u{85}",
            " svc:t",
            "svc :t",
            "\u{a0}svc:t",
            "s\u{200b}vc:t",
            "sv\u{200d}c:t",
            "s\u{ad}vc:t",
            "\u{feff}svc:t",
            "svc\u{202e}:t",
            "svc\u{2066}:t",
            "svc\u{fe0f}:t",
            "svc\u{3164}:t",
            "svc\u{e0041}:t",
            "svc\u{2028}x:t",
        ] {
            assert!(basic_of(text) == Credentials::Malformed, "{text:?}");
        }
        assert!(basic_of(b"svc:\xff") == Credentials::Malformed);
        assert!(basic_of(format!("{}:t", "u".repeat(257))) == Credentials::Malformed);
        assert!(basic_of(format!("u:{}", "t".repeat(257))) == Credentials::Malformed);
        assert!(
            Credentials::from_authorization(&[&b"Bearer "[..], &[b't'; 257]].concat(), &[])
                == Credentials::Malformed
        );
    }

    #[test]
    fn further_schemes_carry_the_bare_token_where_they_are_named() {
        let schemes = ["token".to_owned(), "apikey".to_owned()];
        let read = |value: &str| Credentials::from_authorization(value.as_bytes(), &schemes);
        for value in [
            "token twd_abc",
            "Token twd_abc",
            "TOKEN \t twd_abc",
            "token:twd_abc",
            "token: twd_abc",
            "Token token=twd_abc",
            "Token token=\"twd_abc\"",
            "ApiKey twd_abc",
        ] {
            assert!(read(value) == Credentials::from_alone(b"twd_abc"), "{value}");
            assert!(read(value).secret() == Some("twd_abc"), "{value}");
        }
        for value in [
            "token",
            "token ",
            "token a b",
            "token \"abc",
            "token=abc",
            "token user:abc",
            "Token token=a, x=b",
        ] {
            assert!(read(value).secret().is_none(), "{value}");
        }
        for value in ["Digest abc", "Token2 abc", "tok abc", "Negotiate YII="] {
            assert!(read(value) == Credentials::OtherScheme, "{value}");
        }
        assert!(read("Bearer abc") == bearer("abc"));
        // A scheme that is not named authenticates nobody.
        assert!(Credentials::from_authorization(b"token twd_abc", &[]) == Credentials::OtherScheme);
    }

    #[test]
    fn two_places_are_none() {
        let one = || Credentials::from_alone(b"abc");
        assert!(one().or_else_malformed(Credentials::None) == one());
        assert!(Credentials::None.or_else_malformed(one()) == one());
        assert!(bearer("abc").or_else_malformed(one()) == Credentials::Malformed);
        assert!(Credentials::Malformed.or_else_malformed(one()) == Credentials::Malformed);
        assert!(Credentials::from_alone(b"a b") == Credentials::Malformed);
        assert!(Credentials::from_alone(b"") == Credentials::Malformed);
    }

    #[test]
    fn debug_shows_no_secret() {
        assert_eq!(format!("{:?}", bearer("abc")), "Bearer");
        assert_eq!(format!("{:?}", basic_of("abc:abc")), "Basic");
    }

    #[test]
    fn context_users_are_users() {
        assert_eq!(
            context_user(b" alice@x.example ").as_deref(),
            Some("alice@x.example")
        );
        for bad in [
            &b""[..],
            b"\xff",
            b"a\x0bb",
            "\u{a0}a".as_bytes(),
            "a\u{85}".as_bytes(),
            "a\u{200b}b".as_bytes(),
            "a\u{200d}b".as_bytes(),
            "\u{feff}a".as_bytes(),
            "a\u{202e}b".as_bytes(),
            "a\u{2069}".as_bytes(),
            &[b'a'; 257],
        ] {
            assert_eq!(context_user(bad), None, "{bad:?}");
        }
    }
}
