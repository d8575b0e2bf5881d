//! Credentials in parameters and in members of bodies, by their names.

use tokenward_pdp::request::MASKED_NAMES;

/// Names that are credentials in a client's file, in addition to those that the proxy masks, folded.
const ALSO_SECRET: [&str; 3] = ["auth", "osusername", "passphrase"];

/// Ends of names that are credentials, folded.
const SECRET_ENDS: [&str; 3] = ["password", "secret", "apikey"];

/// Whether the name of a parameter or of a member is that of a credential, however its words are joined.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let last = name
        .rsplit(['.', ']', '['])
        .find(|part| !part.is_empty())
        .unwrap_or(name);
    let name = folded(last);
    ALSO_SECRET.contains(&name.as_str())
        || SECRET_ENDS.iter().any(|end| name.ends_with(end))
        || MASKED_NAMES.iter().any(|masked| folded(masked) == name)
}

/// The letters and digits of a name, in lower case.
fn folded(name: &str) -> String {
    let kept = name.chars().filter(char::is_ascii_alphanumeric);
    kept.map(|character| character.to_ascii_lowercase()).collect()
}

/// The request target without parameters that hold a credential.
pub(super) fn without_credentials(target: &str) -> String {
    let Some((path, query)) = target.split_once('?') else {
        return target.to_owned();
    };
    let is_kept = |pair: &&str| {
        let name = pair.split('=').next().unwrap_or_default();
        !is_secret_name(&percent_encoding::percent_decode_str(name).decode_utf8_lossy())
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
        for name in ["key", "tokens", "author", "secretary", ""] {
            assert!(!is_secret_name(name), "{name}");
        }
    }
}
