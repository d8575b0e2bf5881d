//! Requests and values that readers of a difference know: operations of products, other projects, other users.
//!
//! Each regexp here describes a set of texts. A set says nothing by itself: a request of it is shown only if it is in the
//! difference, which the search finds out. So an entry that fits no policy costs a few steps, and can never mislead.

use std::collections::HashMap;

use regex_syntax::ParserBuilder;

use super::explanation::Constrained;
use crate::{ir::Matcher, method::Method};

/// Calls of one method that a product has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Operation {
    /// The method.
    pub method: Method,
    /// A regexp that matches whole paths below the base URL.
    pub path: &'static str,
}

/// Methods in the order of the harm that they can do.
pub(super) const BY_HARM: [Method; 7] = [
    Method::Delete,
    Method::Put,
    Method::Patch,
    Method::Post,
    Method::Get,
    Method::Head,
    Method::Options,
];

/// Operations that most trackers and wikis have, the most telling first. `HR` stands for another project. Segments before a key are in
/// lower case, so that `…/KANBAN-0/HR-1` is none of them.
const COMMON: &[(Method, &str)] = &[
    (Method::Delete, "/rest/api/2/project/HR"),
    (Method::Delete, "/rest/api/2/issue/HR-1"),
    (Method::Delete, "(/[a-z0-9.]+)*/HR-1"),
    (Method::Delete, "(/[a-z0-9.]+)*/[A-Z][A-Z0-9]+-[1-9]"),
    (Method::Delete, "(/[a-z0-9.]+)*/[A-Z]+-[1-9]"),
    (
        Method::Delete,
        "(/[a-z0-9.]+)*(/[A-Z][A-Z0-9]+-[1-9])?/(comment|worklog|attachment|version|component|filter|dashboard|content)/[1-9]",
    ),
    (Method::Delete, "(/[a-z0-9.]+)*/[1-9]"),
    (Method::Put, "/rest/api/2/issue/HR-1"),
    (Method::Put, "(/[a-z0-9.]+)*/HR-1"),
    (Method::Put, "(/[a-z0-9.]+)*/[A-Z][A-Z0-9]+-[1-9]"),
    (Method::Put, "(/[a-z0-9.]+)*/[A-Z]+-[1-9]"),
    (
        Method::Put,
        "(/[a-z0-9.]+)*(/[A-Z][A-Z0-9]+-[1-9])?/(comment|worklog|version|component|filter|content)/[1-9]",
    ),
    (Method::Put, "(/[a-z0-9.]+)*/[A-Z][A-Z0-9]+-[1-9]/assignee"),
    (Method::Put, "(/[a-z0-9.]+)*/[1-9]"),
    (Method::Patch, "(/[a-z0-9.]+)*/[A-Z][A-Z0-9]+-[1-9]"),
    (Method::Patch, "(/[a-z0-9.]+)*/[1-9]"),
    (Method::Post, "/rest/api/2/issue/HR-1/comment"),
    (Method::Post, "(/[a-z0-9.]+)*/HR-1/comment"),
    (Method::Post, "(/[a-z0-9.]+)*/[A-Z][A-Z0-9]+-[1-9]/transitions"),
    (
        Method::Post,
        "(/[a-z0-9.]+)*/[A-Z][A-Z0-9]+-[1-9]/(comment|worklog|attachments)",
    ),
    (Method::Post, "(/[a-z0-9.]+)*/[A-Z]+-[1-9]/(transitions|comment)"),
    (Method::Post, "(/[a-z0-9.]+)*/(issue|version|filter|content)"),
    (Method::Get, "/rest/api/2/issue/HR-1"),
    (Method::Get, "/rest/api/2/project/HR"),
    (Method::Get, "(/[a-z0-9.]+)*/HR-1"),
    (Method::Get, "(/[a-z0-9.]+)*/[A-Z][A-Z0-9]+-[1-9]/comment"),
    (
        Method::Get,
        "(/[a-z0-9.]+)*/[A-Z][A-Z0-9]+-[1-9]/(worklog|changelog|transitions|remotelink)",
    ),
    (
        Method::Get,
        "(/[a-z0-9.]+)*/[A-Z]+-[1-9]/(comment|worklog|changelog)",
    ),
    (Method::Get, "(/[a-z0-9.]+)*/[A-Z][A-Z0-9]+-[1-9][0-9]?"),
    (Method::Get, "(/[a-z0-9.]+)*/(user|users|members|search)"),
];

/// Clauses that widen a query in a query language (JQL, CQL) to everything.
const QUERIES: &[&str] = &[
    "project = HR",
    // A whole clause before the `OR`, so that the query is one that the product accepts.
    ".*[a-z]+ = [A-Za-z0-9\"']+ OR project = HR",
    ".*[A-Za-z0-9)\"'] OR project = HR",
    ".*[A-Za-z0-9)\"'] or project = HR",
    ".*[A-Za-z0-9)\"'] OR [a-z]+ = [a-z]+",
    "(project|space) (=|in) .*HR.*",
];
/// Other users.
const USERS: &[&str] = &["admin", ".*[^a-z]admin"];
/// Other projects and spaces.
const PROJECTS: &[&str] = &["HR", "HR-[1-9]", ".*[^A-Z]HR"];
/// Values of other kinds.
const OTHERS: &[&str] = &[
    "true",
    "admin",
    "HR",
    "1000000",
    "2099-12-31",
    "1970-01-01",
    "[*]",
    "all",
    ".*[^a-z]all",
];

/// The operations of a product, and the matchers of all regexps that were needed so far.
#[derive(Clone, Debug, Default)]
pub struct Vocabulary {
    operations: &'static [Operation],
    /// `None`: a regexp that does not compile, which a test excludes.
    matchers: HashMap<&'static str, Option<Matcher>>,
}

impl Vocabulary {
    /// Operations of a product, to be tried before those that most products have; the most telling first.
    #[must_use]
    pub fn of(operations: &'static [Operation]) -> Self {
        Self {
            operations,
            matchers: HashMap::new(),
        }
    }

    /// The paths of operations of a method, the most telling first.
    pub(super) fn paths(&self, method: Method) -> Vec<&'static str> {
        let own = self
            .operations
            .iter()
            .filter(|operation| operation.method == method);
        let common = COMMON.iter().filter(|(of, _)| *of == method);
        own.map(|operation| operation.path)
            .chain(common.map(|(_, path)| *path))
            .collect()
    }

    /// The matcher of a regexp, built when it is needed first.
    pub(super) fn matcher(&mut self, regexp: &'static str) -> Option<Matcher> {
        self.matchers
            .entry(regexp)
            .or_insert_with(|| matcher(regexp))
            .clone()
    }
}

fn matcher(regexp: &str) -> Option<Matcher> {
    let mut parser = ParserBuilder::new().dot_matches_new_line(true).build();
    Matcher::new(&parser.parse(regexp).ok()?).ok()
}

/// Values that tell what a constraint no longer keeps out, the most telling first. `was`: the test as it was written.
pub(super) fn values(subject: &Constrained, was: &str) -> Vec<&'static str> {
    let (Constrained::Parameter(name) | Constrained::Node(name)) = subject;
    let name = name.to_ascii_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let is_query = has(&["jql", "cql", "query", "filter"]) || was.contains(" = ") || was.contains(" in ");
    let first: &[&[&str]] = if is_query {
        &[QUERIES]
    } else if has(&[
        "user", "assignee", "author", "owner", "reporter", "account", "lead",
    ]) {
        &[USERS, PROJECTS]
    } else if has(&["project", "space", "key", "issue"]) {
        &[PROJECTS, USERS]
    } else {
        &[]
    };
    first.iter().copied().chain([OTHERS]).flatten().copied().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_regexp_compiles() {
        let paths = COMMON.iter().map(|(_, path)| path);
        for regexp in paths.chain([QUERIES, USERS, PROJECTS, OTHERS].into_iter().flatten()) {
            assert!(matcher(regexp).is_some(), "{regexp}");
        }
    }

    #[test]
    fn operations_of_the_product_come_first() {
        const OWN: &[Operation] = &[Operation {
            method: Method::Delete,
            path: "/api/v4/projects/1",
        }];
        let vocabulary = Vocabulary::of(OWN);
        assert_eq!(
            vocabulary.paths(Method::Delete).first(),
            Some(&"/api/v4/projects/1")
        );
        assert_eq!(
            vocabulary.paths(Method::Put),
            Vocabulary::default().paths(Method::Put)
        );
    }
}
