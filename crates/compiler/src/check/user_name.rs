//! TW0003: names of users that no directory gives. A name is compared as it is, so `adm*` is nobody.

use super::look_alike;
use crate::{
    diagnostic::{Code, Diagnostic},
    source::Span,
    tokens::TokenDef,
};

/// Why a text is hardly the name of one user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UserNameFault {
    /// The fault, as the end of a sentence about the name: "has `*`, which …".
    pub what: String,
    /// What to write instead.
    pub help: String,
}

fn fault(what: String, help: &str) -> Option<UserNameFault> {
    Some(UserNameFault {
        what,
        help: help.to_owned(),
    })
}

/// Finds what keeps a text from being the name of one user: wildcards, regexps, lists, groups, blanks at its edges, and letters that
/// look like others.
#[must_use]
pub fn user_name_fault(name: &str) -> Option<UserNameFault> {
    form(name).or_else(|| letters(name))
}

/// The signs of a name.
fn form(name: &str) -> Option<UserNameFault> {
    if name.trim() != name {
        return fault("begins or ends with a space".to_owned(), "remove the space");
    }
    if let Some(sign) = name.chars().find(|sign| "*?|()[]{}^<>\"`".contains(*sign)) {
        return fault(
            format!(
                "has `{sign}`, but names are compared as they are: they are neither wildcards nor regexps"
            ),
            "list each user by name",
        );
    }
    if name.contains(".+") || has_class_escape(name) {
        return fault(
            "is a regexp, but names are compared as they are".to_owned(),
            "list each user by name",
        );
    }
    // A distinguished name of LDAP has commas.
    if let Some(sign) = [',', ';'].into_iter().find(|sign| name.contains(*sign))
        && !name.contains('=')
    {
        return fault(
            format!("has `{sign}`, but a name is one user, not a list"),
            "write each user as an entry of its own: `[\"alice\", \"bob\"]`",
        );
    }
    if let Some(sign) = name.chars().next().filter(|sign| "@%!#$&".contains(*sign)) {
        return fault(
            format!("begins with `{sign}`, but names have no groups, exceptions or variables"),
            "list each user by name",
        );
    }
    let quote = name.chars().next().filter(|first| "'“„‘".contains(*first));
    if quote.is_some() && name.chars().count() > 2 && name.ends_with(['\'', '”', '“', '’']) {
        return fault("is in quotes that are part of it".to_owned(), "remove the quotes");
    }
    None
}

/// The letters of a name.
fn letters(name: &str) -> Option<UserNameFault> {
    let (headline, help) = look_alike::in_name(name)?;
    fault(format!("is misleading: {headline}"), &help)
}

/// `svc-\\d+`; `DOMAIN\\david` is a name.
fn has_class_escape(name: &str) -> bool {
    name.split('\\').skip(1).any(|behind| {
        let mut characters = behind.chars();
        let is_class = characters.next().is_some_and(|first| "dDwWsSb.+".contains(first));
        is_class && characters.next().is_none_or(|next| !next.is_alphanumeric())
    })
}

/// Checks the users of a token. Their letters have a check of their own (TW0025).
pub(crate) fn check(token: &TokenDef, diagnostics: &mut Vec<Diagnostic>) {
    let mut report = |name: &str, span: Span| {
        if let Some(fault) = form(name) {
            let headline = format!("the user name `{name}` {}", fault.what);
            diagnostics.push(Diagnostic::new(Code::WrongValue, span, headline).help(fault.help));
        }
    };
    if let Some(user) = &token.user {
        report(&user.value, user.span);
    }
    for list in token.users.iter().chain(&token.on_behalf_of) {
        for name in &list.value {
            report(name, list.span);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::user_name_fault;

    #[test]
    fn names_of_directories_are_accepted() {
        for name in [
            "alice",
            "svc-ci",
            "Jörg",
            "site admin",
            "o'brien",
            "a@b.c",
            "first+last@example.com",
            "DOMAIN\\david",
            "HOST$",
            "cn=a,ou=b",
            "host/x@REALM",
            "администратор",
            "山田太郎",
            "r&d",
            "557058:1a2b",
        ] {
            assert_eq!(user_name_fault(name), None, "{name}");
        }
    }

    #[test]
    fn names_that_nobody_has_are_found() {
        for name in [
            "adm*",
            "*",
            "admin,root",
            "admin;root",
            "admin.*",
            "svc-.+",
            "@admins",
            "%ADMIN%",
            "$ADMIN",
            "{USER}",
            " svc",
            "svc ",
            "svc-\\d+",
            "alice|bob",
            "[a-z]+",
            "'admin'",
            "\u{201c}admin\u{201d}",
            "\u{430}dmin",
            "\u{ff41}dmin",
            "<admin>",
            "adm?n",
            "!admin",
        ] {
            assert!(user_name_fault(name).is_some(), "{name}");
        }
    }
}
