//! A parameter of a request's query, as lines are matched against it.

/// A parameter of the query, form-decoded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Param<'a> {
    /// Its name.
    pub name: &'a str,
    /// Its value; `None` for a name without `=`, which is matched as an empty value.
    pub value: Option<&'a str>,
}

/// The first name of a parameter that may be nested: `issue` of `issue[subject]`.
pub(crate) fn root_name(name: &str) -> &str {
    name.split('[').next().unwrap_or(name)
}

/// Whether `name` is `first`, or `first[…]`.
pub(crate) fn names(name: &str, first: &str) -> bool {
    name.strip_prefix(first)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('['))
}
