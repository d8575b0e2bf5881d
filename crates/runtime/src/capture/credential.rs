//! Credentials in parameters and in members of bodies, by their names.

/// Names of parameters and members that hold a credential, folded.
const SECRET: [&str; 22] = [
    "accesstoken",
    "apikey",
    "apitoken",
    "assertion",
    "auth",
    "authorization",
    "authtoken",
    "clientsecret",
    "idtoken",
    "jwt",
    "ospassword",
    "osusername",
    "passphrase",
    "passwd",
    "password",
    "privatetoken",
    "refreshtoken",
    "secret",
    "sig",
    "signature",
    "token",
    "xamzsignature",
];

/// Whether the name of a parameter or of a member is that of a credential.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let last = name
        .rsplit(['.', ']', '['])
        .find(|part| !part.is_empty())
        .unwrap_or(name);
    let folded: String = last
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    SECRET.contains(&folded.as_str())
        || ["password", "secret", "apikey"]
            .iter()
            .any(|end| folded.ends_with(end))
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
