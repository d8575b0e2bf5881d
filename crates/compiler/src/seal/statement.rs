//! The statement that a seal signs, and what may be in it.

use std::borrow::Cow;

use crate::{
    call_limits::CallLimits,
    policy::{Attributes, Users},
    tokens::Version,
};

/// A token has a key that a version of the seal does not sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a seal of version {version} does not sign `{key}`")]
pub struct NotSigned {
    /// The version, as `v1`.
    pub version: &'static Version,
    /// The key.
    pub key: &'static str,
}

/// The text that a seal of this version signs: everything in a token except `revoked`, `secret_sealed` and the seal itself.
/// `lines` are its forbid lines, then its
/// permit lines, each with those of sets first.
///
/// # Errors
/// The token has a key that this version does not sign.
pub fn statement<'t>(
    version: &'static Version,
    token: &Attributes,
    lines: impl IntoIterator<Item = &'t str>,
) -> Result<Vec<u8>, NotSigned> {
    let mut out = format!("tokenward token seal {}\n", version.number).into_bytes();
    let mut put = |key: &'static str, value: &str| {
        if !version.keys.contains(&key) {
            return Err(NotSigned { version, key });
        }
        out.extend_from_slice(format!("{key} {}:{value}\n", value.len()).as_bytes());
        Ok(())
    };
    for (key, value) in entries(token) {
        put(key, &value)?;
    }
    for line in lines {
        put("limit", line)?;
    }
    Ok(out)
}

/// The attributes of a token that it has, key by key, in the order of statements.
fn entries(token: &Attributes) -> Vec<(&'static str, Cow<'_, str>)> {
    // Every field is named here, without `..`: a new one does not compile until somebody decides whether seals sign it.
    let Attributes {
        name,
        users,
        secret_hash,
        previous,
        expires,
        allowed_ips,
        on_behalf_of,
        mint,
        escalate,
        limits,
        unrestricted,
        owner,
        description,
        lint_allow,
        // Anyone may revoke a token, without a key.
        revoked: _,
        // A seal does not sign itself.
        seal: _,
        // In secure mode this is a fault of its own, whether or not a version signs it.
        secret_sealed: _,
    } = token;
    let mut out: Vec<(&'static str, Cow<'_, str>)> = vec![("name", name.into())];
    let mut put = |key, value| out.push((key, value));
    match users {
        Users::Named(users) => users.iter().for_each(|user| put("user", user.into())),
        Users::Any => put("any_user", "true".into()),
    }
    put("secret_hash", hex::encode(secret_hash).into());
    if let Some((hash, until)) = previous {
        put("previous_secret_hash", hex::encode(hash).into());
        put("previous_until", until.to_string().into());
    }
    if let Some(expires) = expires {
        put("expires", expires.to_string().into());
    }
    for network in allowed_ips {
        put("allowed_ips", network.to_string().into());
    }
    for user in on_behalf_of {
        put("on_behalf_of", user.into());
    }
    let mut put_flag = |key, flag: bool| {
        if flag {
            put(key, "true".into());
        }
    };
    put_flag("mint", *mint);
    put_flag("escalate", *escalate);
    let CallLimits {
        rate,
        burst,
        concurrent,
        max_body,
    } = limits;
    if let Some(rate) = rate {
        put("rate", rate.to_string().into());
    }
    for (key, count) in [("burst", burst), ("concurrent", concurrent)] {
        if let Some(count) = count {
            put(key, count.to_string().into());
        }
    }
    if let Some(bytes) = max_body {
        put("max_body", bytes.to_string().into());
    }
    if *unrestricted {
        put("unrestricted", "true".into());
    }
    for (key, text) in [("owner", owner), ("description", description)] {
        if let Some(text) = text {
            put(key, text.into());
        }
    }
    for code in lint_allow {
        put("lint_allow", code.as_str().into());
    }
    out
}

/// The keys of a token that no seal signs.
#[cfg(test)]
const UNSIGNED: &[&str] = &["revoked", "seal", "secret_sealed"];

#[cfg(test)]
mod tests;
