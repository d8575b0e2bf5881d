//! Credentials in parameters and in members of bodies, by their names.

use tokenward_pdp::request::MASKED_NAMES;

/// Names that are credentials in a client's file, in addition to those that the proxy masks, folded.
const ALSO_SECRET: &[&str] = &[
    "auth",
    "bearer",
    "contrasena",
    "cookie",
    "cookies",
    "credential",
    "credentials",
    "creds",
    "csrf",
    "kennwort",
    "motdepasse",
    "osusername",
    "otp",
    "pass",
    "passcode",
    "passphrase",
    "passwords",
    "passwort",
    "pat",
    "phpsessid",
    "pin",
    "pw",
    "pwd",
    "secrets",
    "senha",
    "session",
    "sid",
    "tok",
    "tokens",
    "totp",
    "xsrf",
];

/// Ends of names that are credentials, folded.
const SECRET_ENDS: &[&str] = &[
    "accesskey",
    "apikey",
    "authkey",
    "cookie",
    "credential",
    "credentials",
    "dbpass",
    "passcode",
    "passphrase",
    "passwd",
    "password",
    "passwort",
    "pincode",
    "privatekey",
    "pwd",
    "secret",
    "secretkey",
    "sessid",
    "sessionid",
    "sessionkey",
    "signingkey",
    "token",
    "userpass",
];

/// Ends of names that say what of a credential the value is, folded: `client_secret_value`, `passwordConfirm`.
const AFTER_SECRET: &[&str] = &["value", "pem", "confirm", "confirmation"];

/// Names that are credentials unless their value is a key of a project or an issue, or a short number.
const OFTEN_SECRET: &[&str] = &["code", "key"];

/// Whether a parameter or a member may hold a credential, by its name and its value.
pub(crate) fn is_secret_member(name: &str, value: &str) -> bool {
    is_secret_name(name) || {
        let name = folded(last(name));
        OFTEN_SECRET.contains(&name.as_str()) && !is_harmless(&name, value)
    }
}

/// Whether a value under a name such as `key` identifies a thing.
fn is_harmless(name: &str, value: &str) -> bool {
    let is_number =
        |text: &str| !text.is_empty() && text.len() <= 12 && text.bytes().all(|b| b.is_ascii_digit());
    let is_key = |text: &str| {
        text.len() <= 24
            && text.starts_with(|c: char| c.is_ascii_uppercase())
            && text
                .bytes()
                .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
    };
    let is_issue = value
        .rsplit_once('-')
        .is_some_and(|(key, number)| is_key(key) && is_number(number));
    value.is_empty() || is_key(value) || is_issue || (name == "code" && is_number(value) && value.len() < 4)
}

/// Whether the name of a parameter or of a member is that of a credential, however its words are joined. Also if one of the names in
/// front of it is: `credentials.user`, `password[0]`.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let parts = name
        .split(['.', ']', '[', '"', '*'])
        .filter(|part| !part.is_empty());
    parts.clone().any(is_secret_part) || is_secret_part(name)
}

fn is_secret_part(name: &str) -> bool {
    let name = folded(name);
    let stem = name.trim_end_matches(|c: char| c.is_ascii_digit());
    let inner = AFTER_SECRET
        .iter()
        .find_map(|end| stem.strip_suffix(end))
        .unwrap_or(stem);
    [name.as_str(), stem, inner].into_iter().any(|name| {
        ALSO_SECRET.contains(&name)
            || SECRET_ENDS.iter().any(|end| name.ends_with(end))
            || MASKED_NAMES.iter().any(|masked| folded(masked) == name)
    })
}

fn last(name: &str) -> &str {
    let parts = name.rsplit(['.', ']', '[', '"', '*']);
    parts.into_iter().find(|part| !part.is_empty()).unwrap_or(name)
}

/// Names of parameters with which a client authenticates, in addition to those that the proxy masks, folded.
const AUTHENTICATING: &[&str] = &["auth", "osusername", "passphrase"];

/// Whether a client authenticates with a parameter of this name. With a token, it is not sent.
fn authenticates(name: &str) -> bool {
    let name = folded(last(name));
    AUTHENTICATING.contains(&name.as_str())
        || ["password", "secret", "apikey"]
            .iter()
            .any(|end| name.ends_with(end))
        || MASKED_NAMES.iter().any(|masked| folded(masked) == name)
}

/// The letters and digits of a name, in lower case.
fn folded(name: &str) -> String {
    let kept = name.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|character| character.to_ascii_lowercase()).collect()
}

/// The request target without the parameters with which a client authenticates.
pub(super) fn without_credentials(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else {
        return target.to_owned();
    };
    let is_kept = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default().replace('+', " ");
        !authenticates(&percent_encoding::percent_decode_str(&name).decode_utf8_lossy())
    };
    let kept: Vec<&str> = query
        .split('&')
        .filter(is_kept)
        .filter(|pair| !pair.is_empty())
        .collect();
    if kept.is_empty() {
        path.to_owned()
    } else {
        format!("{path}?{}", kept.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_that_the_proxy_masks_is_secret() {
        for name in MASKED_NAMES {
            assert!(is_secret_name(name), "{name}");
            assert!(
                is_secret_name(&format!("user[{}]", name.to_uppercase())),
                "{name}"
            );
        }
    }

    #[test]
    fn names_are_secret_however_their_words_are_joined() {
        for name in [
            "accessToken",
            "os_username",
            "user.newPassword",
            "X-API-Key",
            "passphrase",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "keys",
            "tokenize",
            "author",
            "secretary",
            "passenger",
            "pinned",
            "keyboard",
            "sessions",
            "path",
            "compass",
            "bypass",
            "pwm",
            "value",
            "confirm",
            "",
        ] {
            assert!(!is_secret_name(name), "{name}");
        }
        for name in [
            "pwd",
            "pass",
            "session",
            "JSESSIONID",
            "credential",
            "privateKey",
            "pin",
            "Passwort",
            "db.pwd",
            "password_confirmation",
            "passwordConfirm",
            "pat",
            "pw",
            "userPass",
            "dbpass",
            "client_secret_value",
            "accessTokenValue",
            "private_key_pem",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
        for name in [
            "credentials.user",
            "password[0]",
            "secret[*].value",
            "\"access-token\".x",
            "token2",
        ] {
            assert!(is_secret_name(name), "{name}");
        }
    }

    #[test]
    fn keys_of_things_are_no_secrets() {
        for (name, value) in [
            ("key", "KANBAN"),
            ("issue.key", "KANBAN-7"),
            ("code", "404"),
            ("key", ""),
        ] {
            assert!(!is_secret_member(name, value), "{name} {value}");
        }
        for (name, value) in [
            ("key", "hunter2"),
            ("a[*].key", "AIzaSyX"),
            ("code", "4/0AX"),
            ("code", "123456"),
        ] {
            assert!(is_secret_member(name, value), "{name} {value}");
        }
    }
}
