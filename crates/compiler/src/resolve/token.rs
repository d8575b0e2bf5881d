//! Resolves a token's attributes: finds keys that are missing, taken, or contradictory.

use std::{collections::HashMap, rc::Rc};

use crate::{
    ast::Effect,
    call_limits::CallLimitsFault,
    diagnostic::{Code, Diagnostic},
    policy::{Attributes, Limit, Users},
    source::Span,
    tokens::TokenDef,
};

/// Reports names and secrets that two tokens share.
pub(super) fn check_unique(tokens: &[TokenDef], diagnostics: &mut Vec<Diagnostic>) {
    let (mut names, mut secrets): (HashMap<&str, Span>, HashMap<[u8; 32], Span>) =
        (HashMap::new(), HashMap::new());
    for token in tokens {
        if let Some(name) = &token.name {
            match names.get(name.value.as_str()) {
                Some(first) => diagnostics.push(
                    Diagnostic::new(
                        Code::DuplicateName,
                        name.span,
                        format!("two tokens are named `{}`", name.value),
                    )
                    .related(*first, "the other")
                    .help("the audit identifies tokens by their names; rename one"),
                ),
                None => drop(names.insert(&name.value, name.span)),
            }
        }
        for hash in token.secret_hash.iter().chain(&token.previous_secret_hash) {
            match secrets.get(&hash.value) {
                Some(first) => diagnostics.push(
                    Diagnostic::new(
                        Code::DuplicateSecret,
                        hash.span,
                        "two tokens have the same secret",
                    )
                    .related(*first, "the other")
                    .help("create a secret for each with `tokenward token new`"),
                ),
                None => drop(secrets.insert(hash.value, hash.span)),
            }
        }
    }
}

/// The only user of the token, as the value of `{USER}`.
///
/// # Errors
/// The headline that reports why the token has no such user.
pub(super) fn only_user(token: &TokenDef) -> Result<&str, &'static str> {
    if token.on_behalf_of.is_some() {
        return Err("`{USER}` in a token with `on_behalf_of`, which can act for several users");
    }
    match (&token.user, &token.users) {
        (Some(user), None) => Ok(&user.value),
        _ => Err("`{USER}` in a token without a single user"),
    }
}

/// The token's attributes; `None` where an error leaves none that could be used.
pub(super) fn attributes(token: &TokenDef, diagnostics: &mut Vec<Diagnostic>) -> Option<Attributes> {
    let users = users(token, diagnostics);
    check_limits(token, diagnostics);
    check_rotation(token, diagnostics);
    check_call_limits(token, diagnostics);
    if !token.gives("expires") {
        let name = token.name.as_ref().map_or("this token", |name| &name.value);
        diagnostics.push(
            Diagnostic::new(Code::NoExpiry, token.span, format!("`{name}` never expires")).help(
                "add `expires = 2027-06-30T00:00:00Z`, or `lint_allow = [\"TW0101: why\"]` if this is intended",
            ),
        );
    }
    // Keys that every token needs; the values of others have been checked above.
    let mut missing = |key: &str, help: &str| {
        let headline = format!("the token has no `{key}`");
        diagnostics.push(Diagnostic::new(Code::MissingKey, token.span, headline).help(help));
    };
    if !token.gives("name") {
        missing(
            "name",
            "add `name = \"…\"`: the audit and the messages identify the token by it",
        );
    }
    if !token.gives("secret_hash") {
        missing(
            "secret_hash",
            "`tokenward token new` creates a secret and writes its hash",
        );
    }
    // Each missing value has been reported by now, so `?` hides nothing.
    Some(Attributes {
        name: token.name.as_ref()?.value.clone(),
        users: users?,
        secret_hash: token.secret_hash.as_ref()?.value,
        previous: token
            .previous_secret_hash
            .as_ref()
            .zip(token.previous_until.as_ref())
            .map(|(hash, until)| (hash.value, until.value)),
        expires: token.expires.as_ref().map(|time| time.value),
        allowed_ips: token.allowed_ips.clone(),
        on_behalf_of: token
            .on_behalf_of
            .as_ref()
            .map_or_else(Vec::new, |users| users.value.clone()),
        revoked: token.revoked,
        owner: token.owner.clone(),
        description: token.description.clone(),
        mint: token.mint,
        escalate: token.escalate,
        limits: token.limits(),
        unrestricted: token.unrestricted.as_ref().is_some_and(|flag| flag.value),
        lint_allow: token.allowed(),
        secret_sealed: token.secret_sealed,
        seal: token.seal,
    })
}

fn users(token: &TokenDef, diagnostics: &mut Vec<Diagnostic>) -> Option<Users> {
    let any = token.any_user.as_ref().filter(|flag| flag.value);
    match (&token.user, &token.users, any) {
        (Some(user), None, None) => Some(Users::Named(vec![user.value.clone()])),
        (None, Some(users), None) => Some(Users::Named(users.value.clone())),
        (None, None, Some(_)) => Some(Users::Any),
        // A key with an unusable value has already been reported.
        (None, None, None)
            if ["user", "users", "any_user"].iter().any(|key| token.gives(key))
                && any_user_is_not_false(token) =>
        {
            None
        }
        (None, None, None) => {
            diagnostics.push(
                Diagnostic::new(
                    Code::MissingKey,
                    token.span,
                    "the token has no `user`, `users` or `any_user` key",
                )
                .help("add `user = \"…\"`; with `any_user = true`, the caller can supply any user name"),
            );
            None
        }
        (user, users, _) => {
            let place = users
                .as_ref()
                .map(|users| users.span)
                .or(user.as_ref().map(|user| user.span));
            diagnostics.push(
                Diagnostic::new(
                    Code::UserKeys,
                    place.unwrap_or(token.span),
                    "`user`, `users` and `any_user` exclude each other",
                )
                .help("keep the intended one"),
            );
            None
        }
    }
}

/// `any_user = false` sets nothing if the other two keys are missing.
fn any_user_is_not_false(token: &TokenDef) -> bool {
    token.gives("user") || token.gives("users") || token.any_user.is_none()
}

/// Nobody gets everything by leaving a key out.
fn check_limits(token: &TokenDef, diagnostics: &mut Vec<Diagnostic>) {
    let unrestricted = token.unrestricted.as_ref().is_some_and(|flag| flag.value);
    let has_lines = match &token.limit_to {
        Some(lines) => !lines.lines.is_empty(),
        None => token.gives("limit_to"),
    };
    if !unrestricted && !has_lines && token.include.is_empty() {
        diagnostics.push(
            Diagnostic::new(Code::NoLimit, token.span, "the token has no lines").help(
                "add `limit_to`, `include`, or `unrestricted = true` to allow everything that its user can do",
            ),
        );
    }
}

/// A token that may do everything needs no permit lines: whoever writes some believes that they restrict it.
pub(super) fn check_unrestricted(token: &TokenDef, own: &[Rc<Limit>], diagnostics: &mut Vec<Diagnostic>) {
    let Some(unrestricted) = token.unrestricted.as_ref().filter(|flag| flag.value) else {
        return;
    };
    if let Some(permit) = own.iter().find(|limit| limit.effect == Effect::Permit) {
        diagnostics.push(
            Diagnostic::new(
                Code::PermitsAll,
                permit.span,
                "a permit line in a token with `unrestricted = true`, which allows everything",
            )
            .related(unrestricted.span, "this permits everything")
            .help("remove `unrestricted` or the permit lines; forbid lines can be kept")
            .fix(unrestricted.span, "false"),
        );
    }
}

fn check_call_limits(token: &TokenDef, diagnostics: &mut Vec<Diagnostic>) {
    // A rate with an unusable value has already been reported.
    if token.gives("rate") && token.rate.is_none() {
        return;
    }
    let Err(fault) = token.limits().check() else {
        return;
    };
    let place = token.burst.as_ref().map(|burst| burst.span);
    let place = place.or_else(|| token.rate.as_ref().map(|rate| rate.span));
    let (code, help) = match fault {
        CallLimitsFault::BurstAlone => (
            Code::MissingKey,
            "add `rate = \"600/1m\"`, which refills the burst",
        ),
        CallLimitsFault::SlowBurst => (Code::WrongValue, "choose a smaller burst, or a higher rate"),
    };
    diagnostics.push(Diagnostic::new(code, place.unwrap_or(token.span), fault.to_string()).help(help));
}

fn check_rotation(token: &TokenDef, diagnostics: &mut Vec<Diagnostic>) {
    let place = match (&token.previous_secret_hash, &token.previous_until) {
        (Some(hash), None) if !token.gives("previous_until") => hash.span,
        (None, Some(until)) if !token.gives("previous_secret_hash") => until.span,
        _ => return,
    };
    diagnostics.push(
        Diagnostic::new(
            Code::MissingKey,
            place,
            "`previous_secret_hash` and `previous_until` must be used together",
        )
        .help("`tokenward token rotate` writes both"),
    );
}
