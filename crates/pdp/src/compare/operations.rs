//! Operations that readers of a difference know, for each product.
//!
//! Calls that a token without `mint` or `escalate` cannot make are left out: they would show access that the token does not have.

use tokenward_compiler::analysis::{Operation, Vocabulary};
use tokenward_compiler::method::Method;

use crate::request::Product;

/// The operations of a product, the most telling first.
pub(super) fn vocabulary(product: Product) -> Vocabulary {
    Vocabulary::of(match product {
        // The analysis knows Jira's by itself.
        Product::Jira => &[],
        Product::Confluence => CONFLUENCE,
        Product::Gitlab => GITLAB,
        Product::Redmine => REDMINE,
        Product::Generic => GENERIC,
    })
}

const fn call(method: Method, path: &'static str) -> Operation {
    Operation { method, path }
}

static CONFLUENCE: &[Operation] = &[
    call(Method::Delete, "/rest/api/space/HR"),
    call(Method::Delete, "/rest/api/content/1"),
    call(Method::Put, "/rest/api/content/1"),
    call(Method::Post, "/rest/api/content"),
    call(Method::Get, "/rest/api/space/HR"),
    call(Method::Get, "/rest/api/content/1"),
];

static GITLAB: &[Operation] = &[
    call(Method::Delete, "/api/v4/projects/1"),
    call(
        Method::Delete,
        "/api/v4/projects/[1-9]/(issues|repository/branches)/[a-z0-9]+",
    ),
    call(Method::Put, "/api/v4/projects/[1-9]/merge_requests/1/merge"),
    call(Method::Put, "/api/v4/projects/[1-9]/issues/1"),
    call(Method::Post, "/api/v4/projects/[1-9]/repository/commits"),
    call(Method::Post, "/api/v4/projects/[1-9]/issues"),
    call(Method::Get, "/api/v4/projects/[1-9]/repository/archive"),
    call(Method::Get, "/api/v4/projects/[1-9]"),
];

static REDMINE: &[Operation] = &[
    call(Method::Delete, "/projects/hr[.]json"),
    call(Method::Delete, "/issues/1[.]json"),
    call(Method::Put, "/issues/1[.]json"),
    call(Method::Post, "/issues[.]json"),
    call(Method::Get, "/projects/hr[.]json"),
    call(Method::Get, "/issues/1[.]json"),
];

static GENERIC: &[Operation] = &[
    call(Method::Delete, ".*/(projects|repos|spaces|issues)/[1-9]"),
    call(Method::Get, ".*/(projects|repos|spaces|issues)/[1-9]"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::request::Class;

    /// A path that an operation's regexp matches.
    fn example(path: &str) -> String {
        path.replace("[.]", ".")
            .replace("[1-9]", "1")
            .replace("(issues|repository/branches)/[a-z0-9]+", "issues/a")
            .replace(".*/(projects|repos|spaces|issues)", "/api/projects")
    }

    #[test]
    fn no_operation_needs_more_than_its_line() {
        for product in Product::ALL {
            let operations = match product {
                Product::Jira => &[],
                Product::Confluence => CONFLUENCE,
                Product::Gitlab => GITLAB,
                Product::Redmine => REDMINE,
                Product::Generic => GENERIC,
            };
            for operation in operations {
                let path = example(operation.path);
                let strictest = product
                    .classify(operation.method, &path)
                    .first()
                    .map(|found| found.group.class);
                assert!(
                    strictest.is_none_or(|class| class == Class::Plain),
                    "{product:?} {path}"
                );
            }
        }
    }
}
