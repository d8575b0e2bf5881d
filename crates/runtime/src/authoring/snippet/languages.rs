//! The languages that snippets are written in.

use super::parts::Snippet;
use super::{curl, http, javascript, postman, powershell, python};

/// The language of a snippet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(crate) enum Language {
    /// curl, for a POSIX shell
    Curl,
    /// JavaScript, for Node 18 and later: a module (.mjs)
    Javascript,
    /// Python 3, its standard library alone
    Python,
    /// PowerShell 5.1 and later
    Powershell,
    /// A .http file, for editors and httpyac
    Http,
    /// A Postman collection, version 2.1
    Postman,
}

impl Snippet<'_> {
    /// Formats the snippet, with a line end.
    pub(crate) fn text(&self, language: Language) -> String {
        match language {
            Language::Curl => curl::text(self),
            Language::Javascript => javascript::text(self),
            Language::Python => python::text(self),
            Language::Powershell => powershell::text(self),
            Language::Http => http::text(self),
            Language::Postman => postman::text(self),
        }
    }
}
