//! The pages as HTML.
//!
//! Each function renders one page. Rendering cannot fail on data: a fault of a template gives a page that says so.

mod field;
#[expect(unreachable_pub, reason = "the macro of filters makes public methods")]
mod filters;
mod templates;

use askama::Template;

use crate::views::chrome::Chrome;
use crate::views::{audit, call, edit, entry, overview, review, token, tokens, try_it};

/// The first page.
#[must_use]
pub fn overview(chrome: &Chrome, page: &overview::Overview) -> String {
    rendered(&templates::Overview { chrome, page })
}

/// The list of tokens.
#[must_use]
pub fn tokens(chrome: &Chrome, page: &tokens::Tokens) -> String {
    rendered(&templates::Tokens { chrome, page })
}

/// One token.
#[must_use]
pub fn token(chrome: &Chrome, page: &token::Token) -> String {
    rendered(&templates::Token { chrome, page })
}

/// The page that revokes a token.
#[must_use]
pub fn revoke(chrome: &Chrome, page: &token::Revoke) -> String {
    rendered(&templates::Revoke { chrome, page })
}

/// The form for a new token.
#[must_use]
pub fn new_token(chrome: &Chrome, page: &edit::NewToken) -> String {
    rendered(&templates::NewToken { chrome, page })
}

/// The form for new limits of a token.
#[must_use]
pub fn limits(chrome: &Chrome, page: &edit::Limits) -> String {
    rendered(&templates::Limits { chrome, page })
}

/// The search in the audit.
#[must_use]
pub fn audit(chrome: &Chrome, page: &audit::Audit) -> String {
    rendered(&templates::Audit { chrome, page })
}

/// One recorded call.
#[must_use]
pub fn call(chrome: &Chrome, page: &call::Call) -> String {
    rendered(&templates::Call { chrome, page })
}

/// Judging a request that is not sent.
#[must_use]
pub fn try_it(chrome: &Chrome, page: &try_it::TryIt) -> String {
    rendered(&templates::TryIt { chrome, page })
}

/// The comparison of two policies.
#[must_use]
pub fn review(chrome: &Chrome, page: &review::Review) -> String {
    rendered(&templates::Review { chrome, page })
}

/// The login page.
#[must_use]
pub fn login(chrome: &Chrome, page: &entry::Login) -> String {
    rendered(&templates::Login { chrome, page })
}

/// The page after the logout.
#[must_use]
pub fn logged_out(chrome: &Chrome, page: &entry::LoggedOut) -> String {
    rendered(&templates::LoggedOut { chrome, page })
}

/// A page that reports an error.
#[must_use]
pub fn failure(chrome: &Chrome, page: &entry::Failure) -> String {
    rendered(&templates::Failure { chrome, page })
}

fn rendered(template: &impl Template) -> String {
    template.render().map(crate::escape::page).unwrap_or_else(|_| {
        "<!DOCTYPE html><html lang=\"en\"><title>Tokenward</title><p>This page could not be rendered.</p></html>".to_owned()
    })
}
