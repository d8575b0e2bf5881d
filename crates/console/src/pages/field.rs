//! Fields of forms that are one line of text.

use crate::views::audit::Search;
use crate::views::edit::NewTokenForm;
use crate::views::review::Review;

/// A field, ready to be shown.
pub(super) struct Field<'f> {
    pub(super) name: &'static str,
    pub(super) label: &'static str,
    pub(super) value: &'f str,
    /// An example of a value, shown if the field is empty.
    pub(super) hint: &'static str,
    pub(super) is_wide: bool,
    pub(super) is_mono: bool,
    /// What is wrong with the value.
    pub(super) error: Option<&'f str>,
}

type Errors<'f> = &'f [(String, String)];

fn field<'f>(
    (name, label, hint): (&'static str, &'static str, &'static str),
    value: &'f str,
    errors: Errors<'f>,
) -> Field<'f> {
    Field {
        name,
        label,
        value,
        hint,
        is_wide: matches!(name, "url" | "request_id" | "before" | "after"),
        is_mono: matches!(
            name,
            "url" | "client" | "line" | "request_id" | "before" | "after"
        ),
        error: error(errors, name),
    }
}

/// Fields of a search before the choices.
pub(super) fn of_search<'f>(search: &'f Search, errors: Errors<'f>) -> Vec<Field<'f>> {
    vec![
        field(("since", "Since", "30d, 2h or a time"), &search.since, errors),
        field(("until", "Until", "now"), &search.until, errors),
        field(("token", "Token", ""), &search.token, errors),
        field(("client", "Address", ""), &search.client, errors),
        field(("url", "URL, a regular expression", ""), &search.url, errors),
        field(("status", "Status", "403 or 4xx"), &search.status, errors),
    ]
}

/// Fields of a search that are needed less often.
pub(super) fn rest_of_search<'f>(search: &'f Search, errors: Errors<'f>) -> Vec<Field<'f>> {
    vec![
        field(("user", "User", ""), &search.user, errors),
        field(("on_behalf_of", "On behalf of", ""), &search.on_behalf_of, errors),
        field(("method", "Method", ""), &search.method, errors),
        field(("line", "Line", "ci.toml:15"), &search.line, errors),
        field(("end", "End", ""), &search.end, errors),
        field(("request_id", "Request id", ""), &search.request_id, errors),
    ]
}

/// Fields of a new token.
pub(super) fn of_token<'f>(form: &'f NewTokenForm, errors: Errors<'f>) -> Vec<Field<'f>> {
    vec![
        field(("name", "Name", "ci-notes"), &form.name, errors),
        field(
            ("purpose", "Purpose: what the script does", ""),
            &form.purpose,
            errors,
        ),
        field(("owner", "Owner", ""), &form.owner, errors),
        field(
            ("users", "Users, separated by commas", "svc-ci"),
            &form.users,
            errors,
        ),
        field(("expires", "End", "90d or a date"), &form.expires, errors),
        field(
            ("allowed_from", "Works from addresses, separated by commas", "any"),
            &form.allowed_from,
            errors,
        ),
    ]
}

/// Fields of a comparison.
pub(super) fn of_review(page: &Review) -> Vec<Field<'_>> {
    vec![
        field(("before", "Before", "live"), &page.before, &page.errors),
        field(("after", "After", "a listed policy"), &page.after, &page.errors),
    ]
}

/// What is wrong with the field.
pub(super) fn error<'e>(errors: &'e [(String, String)], field: &str) -> Option<&'e str> {
    let found = errors.iter().find(|(name, _)| name == field);
    found.map(|(_, text)| text.as_str())
}
