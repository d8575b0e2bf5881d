//! Authentication: determines the token of a call, and its user (SEMANTICS section 2).

use std::collections::HashSet;

use tokenward_compiler::ir::{Program, Token, TokenId, Users};

use crate::live::SecretHash;
use crate::problem::AuthFailure;
use crate::request::{Credentials, folded, folded_with_letters_above, folded_without_iota};
use crate::respond::Accepted;
use crate::secret;

/// Settings of authentication, in addition to the policy.
#[derive(Clone, Debug)]
pub(crate) struct AuthRules {
    /// The accepted authentication schemes.
    accepted: Accepted,
    /// Users that no token may act as, each name folded.
    never_act_as: HashSet<String>,
}

impl AuthRules {
    /// Creates the rules. Names are folded once, so that a call only folds its own user's name.
    pub(crate) fn new(accepted: Accepted, never_act_as: &[String]) -> Self {
        Self {
            accepted,
            never_act_as: never_act_as.iter().flat_map(|name| as_any_server(name)).collect(),
        }
    }

    /// Returns the accepted authentication schemes.
    pub(crate) fn accepted(&self) -> &Accepted {
        &self.accepted
    }

    /// Whether no token may act as this user. Names are compared as the loosest server compares them: the upstream's
    /// directory finds the user, and for `ADMİN`, `ａｄｍｉｎ` or `ádmin` it may find `admin`.
    pub(crate) fn never(&self, user: &str) -> bool {
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
pub(crate) struct Authenticated {
    pub(crate) token: TokenId,
    pub(crate) user: String,
    /// SHA-256 hash of the presented secret.
    pub(crate) secret: SecretHash,
}

/// A failure, with the token if one was recognised.
pub(crate) type Failed = (AuthFailure, Option<TokenId>);

/// Finds the token of these credentials, if it is valid for their user at `now_ms` (UTC).
///
/// # Errors
/// The credentials are not valid; the failure gives the reason.
pub(crate) fn authenticate(
    program: &Program,
    credentials: &Credentials,
    rules: &AuthRules,
    is_revoked: impl Fn(&[u8; 32]) -> bool,
    now_ms: i64,
) -> Result<Authenticated, Failed> {
    // The scheme must be accepted before a secret is looked up.
    let (secret, named) = match credentials {
        Credentials::None => return Err((AuthFailure::NoCredentials, None)),
        Credentials::Malformed => return Err((AuthFailure::Malformed, None)),
        Credentials::OtherScheme => return Err((AuthFailure::Method, None)),
        Credentials::Basic { .. } if !rules.accepted.methods.basic() => {
            return Err((AuthFailure::Method, None));
        }
        Credentials::Bearer { .. } if !rules.accepted.methods.bearer() => {
            return Err((AuthFailure::Method, None));
        }
        Credentials::Basic { user, secret } => (secret, Some(user.as_str())),
        Credentials::Bearer { secret } | Credentials::Switched { secret } => (secret, None),
    };
    // Look up the token by its secret, current or previous.
    let hash = secret::hash(secret);
    let id = program
        .token_by_secret_hash(&hash)
        .ok_or((AuthFailure::UnknownToken, None))?;
    let token = program.token(id);
    let fail = |failure| Err((failure, Some(id)));
    // Revocation comes first, so that the audit shows it for expired tokens too.
    if token.revoked || is_revoked(&hash) || is_revoked(&token.secret_hash) {
        return fail(AuthFailure::Revoked);
    }
    if token.expires.is_some_and(|expires| now_ms >= expires) {
        return fail(AuthFailure::Expired);
    }
    if hash != token.secret_hash
        && !token
            .previous
            .is_some_and(|(previous, until)| previous == hash && now_ms < until)
    {
        return fail(AuthFailure::RotatedAway);
    }
    // The token must work for the user that the credentials name.
    match user_of(token, named) {
        Err(failure) => fail(failure),
        Ok(user) if rules.never(user) => fail(AuthFailure::NeverActAs),
        Ok(user) => Ok(Authenticated {
            token: id,
            user: user.to_owned(),
            secret: hash,
        }),
    }
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
