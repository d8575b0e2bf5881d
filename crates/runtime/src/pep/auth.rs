//! Authentication: the token of a call, and its user (SEMANTICS section 2).

use tokenward_compiler::ir::{Program, Token, TokenId, Users};

use crate::config::Methods;
use crate::live::SecretHash;
use crate::problem::AuthFailure;
use crate::request::Credentials;
use crate::secret;

/// Settings of authentication, in addition to the policy.
#[derive(Clone, Debug)]
pub(crate) struct AuthRules {
    /// The accepted authentication schemes.
    pub(crate) methods: Methods,
    /// Users that nobody may act as.
    pub(crate) never_act_as: Vec<String>,
}

impl AuthRules {
    /// Whether nobody may act as this user. Case is ignored, as upstreams ignore it in user names. So are letters that
    /// some databases treat as equal: `ı` and `ſ` are `I` and `S` in upper case.
    pub(crate) fn never(&self, user: &str) -> bool {
        let folded = |name: &str| name.to_lowercase().to_uppercase().to_lowercase();
        let user = folded(user);
        self.never_act_as.iter().any(|never| folded(never) == user)
    }
}

/// A token that works for this caller.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Authenticated {
    pub(crate) token: TokenId,
    pub(crate) user: String,
    /// SHA-256 of the presented secret.
    pub(crate) secret: SecretHash,
}

/// A failure, and the token if one was recognised.
pub(crate) type Failed = (AuthFailure, Option<TokenId>);

/// Finds the token of these credentials, if it works for their user at `now_ms` (UTC).
///
/// # Errors
/// The credentials do not work; the failure gives the reason.
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
        Credentials::Basic { .. } if !rules.methods.basic() => return Err((AuthFailure::Method, None)),
        Credentials::Bearer { .. } if !rules.methods.bearer() => return Err((AuthFailure::Method, None)),
        Credentials::Basic { user, secret } => (secret, Some(user.as_str())),
        Credentials::Bearer { secret } | Credentials::Switched { secret } => (secret, None),
    };
    // The token of the secret, current or previous.
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

/// The user that a token works for, given the one that the credentials name.
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
