//! TW0503: a token that works for any user, so that its holder chooses who the upstream sees.

use crate::{
    diagnostic::{Code, Diagnostic},
    tokens::TokenDef,
};

pub(super) fn check(token: &TokenDef, found: &mut Vec<Diagnostic>) {
    let Some(any_user) = token.any_user.as_ref().filter(|any_user| any_user.value) else {
        return;
    };
    let name = token.name.as_ref().map_or("this token", |name| &name.value);
    found.push(
        Diagnostic::new(
            Code::AnyUser,
            any_user.span,
            format!("the holder of `{name}` can act as any user"),
        )
        .help("list the users with `users = [\"…\"]`; `never_act_as` in the configuration protects administrators"),
    );
}
