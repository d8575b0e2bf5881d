//! The templates. A template is checked when this crate is compiled.

use askama::Template;

use super::field::{self, Field, error};
use super::filters;
use crate::assets;
use crate::links;
use crate::plot::{self, Plot};
use crate::views::audit::Search;
use crate::views::chrome::{Chrome, Role};
use crate::views::overview::Range;
use crate::views::parts::Verdict;
use crate::views::tokens::Sort;
use crate::views::{audit, call, edit, entry, overview, review, token, tokens, try_it};

/// Declares a page: its template, its view, and its entry in the navigation.
macro_rules! page {
    ($name:ident, $path:literal, $view:ty, $nav:literal) => {
        #[derive(Template)]
        #[template(path = $path)]
        pub(super) struct $name<'p> {
            pub(super) chrome: &'p Chrome,
            pub(super) page: &'p $view,
        }

        impl $name<'_> {
            /// The entry of the navigation that is marked.
            fn nav(&self) -> &'static str {
                $nav
            }
        }
    };
}

page!(Overview, "overview.html", overview::Overview, "overview");
page!(Tokens, "tokens.html", tokens::Tokens, "tokens");
page!(Token, "token.html", token::Token, "tokens");
page!(Revoke, "revoke.html", token::Revoke, "tokens");
page!(NewToken, "new_token.html", edit::NewToken, "tokens");
page!(Limits, "limits.html", edit::Limits, "tokens");
page!(Audit, "audit.html", audit::Audit, "audit");
page!(Call, "call.html", call::Call, "audit");
page!(TryIt, "try.html", try_it::TryIt, "try");
page!(Review, "review.html", review::Review, "review");
page!(Login, "login.html", entry::Login, "");
page!(LoggedOut, "logged_out.html", entry::LoggedOut, "");
page!(Failure, "failure.html", entry::Failure, "");

impl Overview<'_> {
    fn plot(&self) -> Option<Plot> {
        self.page.plot.as_ref().and_then(plot::plot)
    }

    /// A search within the period of the page.
    fn search(&self) -> Search {
        Search::since(self.page.range.as_str())
    }

    /// Calls a minute, in words.
    fn a_minute(&self) -> String {
        let minutes = self.page.range.length_ms().unsigned_abs() / 60_000;
        match self.page.calls.all() / minutes.max(1) {
            0 => "less than 1 a minute".to_owned(),
            rate => format!("{} a minute", crate::shown::grouped(rate)),
        }
    }

    fn most_of_a_reason(&self) -> u64 {
        self.page
            .reasons
            .rows
            .iter()
            .map(|reason| reason.calls)
            .max()
            .unwrap_or(0)
    }
}

impl Token<'_> {
    /// Whether the page has the form that revokes the token.
    fn can_revoke(&self) -> bool {
        self.page.revocation.impossible.is_none() && self.chrome.may(Role::Revoker)
    }

    fn search(&self) -> Search {
        Search::since(&self.page.since).of_token(&self.page.name)
    }
}

impl Audit<'_> {
    fn fields(&self) -> Vec<Field<'_>> {
        field::of_search(&self.page.search, &self.page.errors)
    }

    fn rest_of_fields(&self) -> Vec<Field<'_>> {
        field::rest_of_search(&self.page.search, &self.page.errors)
    }

    fn error(&self, field: &str) -> Option<&str> {
        error(&self.page.errors, field)
    }

    fn longest(&self) -> u64 {
        longest(&self.page.calls)
    }

    /// Whether the call is the one that the page is about: none is.
    fn is_this(&self, _: &audit::CallRow) -> bool {
        false
    }

    /// Whether one of the fields that are needed less often is set or wrong.
    fn rest_is_used(&self) -> bool {
        let mut rest = self.rest_of_fields().into_iter();
        rest.any(|field| !field.value.is_empty() || field.error.is_some())
    }

    /// Whether the reason of the search is not one to select.
    fn strange_reason(&self) -> bool {
        let reason = &self.page.search.reason;
        !reason.is_empty() && !self.page.reasons.contains(reason)
    }
}

impl Call<'_> {
    /// The request for the page that tries it.
    fn request_line(&self) -> String {
        format!("{} {}", self.page.method, self.page.url)
    }

    fn longest(&self) -> u64 {
        longest(&self.page.around)
    }

    /// Whether the call is the one that the page is about.
    fn is_this(&self, call: &audit::CallRow) -> bool {
        call.sequence == self.page.sequence
    }
}

impl TryIt<'_> {
    fn error(&self, field: &str) -> Option<&str> {
        error(&self.page.errors, field)
    }

    fn hint(&self, field: &str) -> Option<&str> {
        error(&self.page.hints, field)
    }
}

impl Review<'_> {
    fn fields(&self) -> Vec<Field<'_>> {
        field::of_review(self.page)
    }
}

impl NewToken<'_> {
    fn fields(&self) -> Vec<Field<'_>> {
        field::of_token(&self.page.form, &self.page.errors)
    }

    fn error(&self, field: &str) -> Option<&str> {
        error(&self.page.errors, field)
    }
}

impl Limits<'_> {
    fn error(&self, field: &str) -> Option<&str> {
        error(&self.page.errors, field)
    }
}

/// The longest time of the calls, which is the scale of their bars.
fn longest(calls: &[audit::CallRow]) -> u64 {
    let times = calls.iter().filter_map(|call| call.timing.as_ref());
    times.map(|timing| timing.total_us).max().unwrap_or(0)
}
