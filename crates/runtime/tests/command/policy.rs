//! Text of policy files.

pub(crate) const EXPIRES: &str = "expires = 2090-01-01T00:00:00Z";

/// A token with these keys and lines. It is for the user `svc` and has an expiry, unless the keys say otherwise.
pub(crate) fn token(name: &str, secret: &str, keys: &str, lines: &str) -> String {
    let mut entry = format!("[[token]]\nname = \"{name}\"\n");
    if !keys.contains("user") {
        entry.push_str("user = \"svc\"\n");
    }
    entry.push_str(&format!("secret_hash = \"{}\"\n", hash(secret)));
    if !keys.contains("expires") && !keys.contains("lint_allow") {
        entry.push_str(&format!("{EXPIRES}\n"));
    }
    if !keys.is_empty() {
        entry.push_str(&format!("{keys}\n"));
    }
    if !lines.is_empty() {
        entry.push_str(&format!("limit_to = '''\n{lines}\n'''\n"));
    }
    entry
}

/// A secret's hash: two hexadecimal digits, repeated.
pub(crate) fn hash(digits: &str) -> String {
    format!("sha256:{}", digits.repeat(32))
}

/// A review, as `reviewed.toml` has it.
pub(crate) fn review(entry: &str) -> String {
    format!("[[reviewed]]\n{entry}\nwhy = \"…\"\n")
}
