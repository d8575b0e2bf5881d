//! Authentication: determines the token of a call, and its user (SEMANTICS section 2).

use std::collections::HashSet;
use std::net::IpAddr;

use tokenward_compiler::ir::{Program, Token, TokenId, Users};

use crate::buffers::TextBuffer;
use crate::problem::{AuthFailure, Problem};
use crate::request::{Credentials, folded, folded_with_letters_above, folded_without_iota};
use crate::secret;
use crate::secret::SecretHash;
use crate::words::Help;

/// Settings of authentication, in addition to the policy.
#[derive(Clone, Debug)]
pub struct AuthRules {
    /// Facts about the proxy that responses contain, with the accepted authentication schemes.
    help: Help,
    /// Users that no token may act as, each name folded.
    never_act_as: HashSet<String>,
}

impl AuthRules {
    /// Creates the rules. Names are folded once, so that a call only folds its own user's name.
    pub fn new(help: Help, never_act_as: &[String]) -> Self {
        Self {
            help,
            never_act_as: never_act_as.iter().flat_map(|name| as_any_server(name)).collect(),
        }
    }

    /// Returns the facts about the proxy that responses contain.
    pub fn help(&self) -> &Help {
        &self.help
    }

    /// Whether no token may act as this user. Names are compared as the loosest server compares them: the upstream's
    /// directory finds the user, and for `ADMİN`, `ａｄｍｉｎ` or `ádmin` it may find `admin`.
    pub fn never(&self, user: &str) -> bool {
        let never = &self.never_act_as;
        !never.is_empty() && as_any_server(user).iter().any(|name| never.contains(name))
    }
}

/// Normalises a name for comparison: folded, trimmed, and with one blank for each run of white space.
fn as_any_server(name: &str) -> [String; 3] {
    [
        folded(name),
        folded_without_iota(name),
        folded_with_letters_above(name),
    ]
    .map(|name| name.split_whitespace().collect::<Vec<_>>().join(" "))
}

/// A token that is valid for this caller, with its user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authenticated {
    /// Token of the caller.
    pub token: TokenId,
    /// User that the token works for.
    pub user: TextBuffer,
    /// SHA-256 hash of the presented secret.
    pub secret: SecretHash,
}

/// Minimum length of a token's secret, in bytes: that of 128 bits in printable ASCII, rounded down.
const SECRET_BYTES: usize = 16;

fn is_secret(program: &Program, user: &str) -> bool {
    user.len() >= SECRET_BYTES && program.token_by_secret_hash(&secret::hash(user)).is_some()
}

/// Whether the text is the secret of a token of this policy, valid or not.
pub fn is_token(program: &Program, text: &[u8]) -> bool {
    std::str::from_utf8(text).is_ok_and(|text| is_secret(program, text))
}

/// A failure of authentication.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failed {
    /// The failure.
    pub failure: AuthFailure,
    /// The recognised token.
    pub token: Option<TokenId>,
    /// Whether the caller may learn the reason.
    pub is_told: bool,
}

impl Failed {
    /// A failure whose reason the caller does not learn.
    fn silent(failure: AuthFailure, token: Option<TokenId>) -> Self {
        Self {
            failure,
            token,
            is_told: false,
        }
    }

    /// The scheme is not accepted. This depends only on the configuration, so everyone may learn it.
    fn scheme() -> Self {
        Self {
            is_told: true,
            ..Self::silent(AuthFailure::Method, None)
        }
    }

    /// The problem that the response reports.
    pub fn problem(self) -> Problem {
        match self.is_told {
            true => Problem::NotAccepted(self.failure),
            false => Problem::Unauthenticated(self.failure),
        }
    }
}

/// Finds the token of these credentials, if it is valid for their user at `now_ms` (UTC).
///
/// Only a caller who shows a token's secret with the right user from an allowed address (`client`) learns that the token
/// was revoked or has expired: nobody can guess the secret. Everyone else gets the response to an unknown secret.
///
/// # Errors
/// The credentials are not valid; the failure gives the reason.
pub fn authenticate(
    program: &Program,
    credentials: &Credentials,
    rules: &AuthRules,
    is_revoked: impl Fn(&[u8; 32]) -> bool,
    (client, now_ms): (IpAddr, i64),
) -> Result<Authenticated, Failed> {
    // The scheme must be accepted before a secret is looked up.
    let methods = rules.help.methods;
    let (secret, named) = match credentials {
        Credentials::None => return Err(Failed::silent(AuthFailure::NoCredentials, None)),
        Credentials::Malformed => return Err(Failed::silent(AuthFailure::Malformed, None)),
        Credentials::OtherScheme => return Err(Failed::scheme()),
        Credentials::Basic { .. } if !methods.basic() => return Err(Failed::scheme()),
        Credentials::Bearer { .. } if !methods.bearer() => return Err(Failed::scheme()),
        Credentials::Basic { user, secret } => (secret, Some(user.as_str())),
        Credentials::Bearer { secret } | Credentials::Switched { secret } => (secret, None),
    };
    // A name that is the secret of a token must not be recorded, nor sent upstream as a user's.
    if named.is_some_and(|user| is_secret(program, user)) {
        return Err(Failed::silent(AuthFailure::Malformed, None));
    }
    let shown = (secret::hash(secret), named);
    authenticate_hash(program, shown, rules, is_revoked, (client, now_ms))
}

/// Finds the token of the secret with this hash, if it is valid for the named user at `now_ms` (UTC).
///
/// # Errors
/// The secret is not valid; the failure gives the reason.
pub(crate) fn authenticate_hash(
    program: &Program,
    (hash, named): (SecretHash, Option<&str>),
    rules: &AuthRules,
    is_revoked: impl Fn(&[u8; 32]) -> bool,
    (client, now_ms): (IpAddr, i64),
) -> Result<Authenticated, Failed> {
    // Look up the token by its secret, current or previous.
    let id = program
        .token_by_secret_hash(&hash)
        .ok_or(Failed::silent(AuthFailure::UnknownToken, None))?;
    let token = program.token(id);
    // The token must work for the user that the credentials name.
    let user = user_of(token, named).and_then(|user| match rules.never(user) {
        true => Err(AuthFailure::NeverActAs),
        false => Ok(user),
    });
    // Revocation comes first, so that the audit shows it for expired tokens too.
    let is_revoked =
        token.revoked || is_revoked(&hash) || hash != token.secret_hash && is_revoked(&token.secret_hash);
    let ended = match () {
        () if is_revoked => Some(AuthFailure::Revoked),
        () if token.expires.is_some_and(|expires| now_ms >= expires) => Some(AuthFailure::Expired),
        () if is_rotated_away(token, &hash, now_ms) => Some(AuthFailure::RotatedAway),
        () => None,
    };
    match (ended, user) {
        (Some(failure), user) => Err(Failed {
            is_told: user.is_ok() && token.allows_address(client),
            ..Failed::silent(failure, Some(id))
        }),
        (None, Err(failure)) => Err(Failed::silent(failure, Some(id))),
        (None, Ok(user)) => Ok(Authenticated {
            token: id,
            user: TextBuffer::from(user),
            secret: hash,
        }),
    }
}

/// Whether the secret is not the token's current one, and its overlap has ended.
fn is_rotated_away(token: &Token, hash: &[u8; 32], now_ms: i64) -> bool {
    let overlaps = |(previous, until): ([u8; 32], i64)| previous == *hash && now_ms < until;
    *hash != token.secret_hash && !token.previous.is_some_and(overlaps)
}

/// Determines the user that a token works for, from the one that the credentials name.
fn user_of<'a>(token: &'a Token, named: Option<&'a str>) -> Result<&'a str, AuthFailure> {
    match (&token.users, named) {
        (Users::Named(users), Some(named)) => {
            let user = users.iter().find(|user| *user == named);
            user.map(String::as_str).ok_or(AuthFailure::WrongUser)
        }
        (Users::Named(users), None) => match users.as_slice() {
            [user] => Ok(user),
            _ => Err(AuthFailure::NoUser),
        },
        (Users::Any, Some(named)) if !named.is_empty() => Ok(named),
        (Users::Any, _) => Err(AuthFailure::NoUser),
    }
}

#[cfg(test)]
mod tests;
