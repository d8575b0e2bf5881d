//! Finds the set of paths under which frameworks store a parameter of a given name.
//!
//! To Django, `[issue][project_id]` is a name like any other; to Rack it is `issue.project_id`. A policy that compares
//! names would allow the one and constrain the other. Under the presets that merge parameters, each of the parsers
//! below therefore parses a name, and the name stands for every path that one of them returns.
//!
//! | parser | source | function |
//! |---|---|---|
//! | flat | Django 5.2 `QueryDict`, Werkzeug 3.1 `MultiDict`, servlets, JSON members | none: the name is the key |
//! | Rack 2 | rack 2.2.22, Rails up to 7.0 | `Rack::QueryParser#normalize_params` |
//! | Rack 3 | rack 3.2 | `Rack::QueryParser#_normalize_params` |
//! | PHP | php 8.2 `main/php_variables.c` | `php_register_variable_ex` |
//! | qs | qs 6.14 and before, Express 4 and 5 | `parseKeys` in `lib/parse.js` |
//! | qs, balanced | qs 6.17 | `splitKeyIntoSegments` in `lib/parse.js` |
//! | Spring | spring-web 6 `WebDataBinder`, spring-beans 6 `AbstractNestablePropertyAccessor` | `checkFieldMarkers`, `checkFieldDefaults`, `getPropertyNameTokens` |
//! | jQuery | ASP.NET Core 8 `JQueryKeyValuePairNormalizer` | `NormalizeJQueryToMvc` |
//! | separators | ASP.NET Core 8 `PrefixContainer`, Laravel 11 `Arr::get` | names cut at `.`, `[` and `]` |
//! | brackets | Rails 8 `ActionDispatch::ParamBuilder` with leading brackets ignored | names cut at `[` and `]` |
//! | attributes | Rails `ActiveModel::AttributeAssignment` | `a(1i)` is a part of `a` |
//!
//! Letter case is kept. ASP.NET's readers fold it, so paths are compared regardless of case.

mod parsers;
mod path;

#[cfg(test)]
mod tests;

use std::borrow::Cow;

use path::Paths;
pub use path::{MAX_STEPS, Path, Step};

use parsers::{brackets, flat, jquery, php, qs, qs_balanced, rack_2, rack_3, separators, spring};

/// A parser: adds the paths under which it stores a name.
type Parser = for<'n> fn(&'n str, &mut Paths<'n>);

/// The parsers, in the order of the table above.
const PARSERS: &[Parser] = &[
    flat,
    rack_2,
    rack_3,
    php,
    qs,
    qs_balanced,
    spring,
    jquery,
    separators,
    brackets,
];

/// Lists every path under which one of the parsers stores the parameter of this name, decoded.
///
/// Never empty, and at most 64 paths of at most [`MAX_STEPS`] steps. Cost: linear in the length of the name; a plain name
/// (`is_plain`) has one path, and one such as `a[b][]` two.
#[must_use]
pub fn parameter_paths(name: &str) -> Vec<Path<'_>> {
    if is_plain(name) {
        return vec![vec![Step::Name(Cow::Borrowed(name))]];
    }
    let mut paths = Paths::default();
    if let Some(path) = well_formed(name) {
        paths.add(path);
        flat(name, &mut paths);
        return paths.0;
    }
    for parser in PARSERS {
        parser(name, &mut paths);
    }
    paths.add_attributes();
    paths.0
}

/// Whether all parsers store a name under itself: it has letters, digits, `-` and `_`, but no `_` at the beginning.
#[must_use]
pub(crate) fn is_plain(name: &str) -> bool {
    !name.starts_with('_') && is_word(name)
}

fn is_word(name: &str) -> bool {
    !name.is_empty()
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
}

/// Returns the path of `a[b][c]` and `a[b][]`: all parsers agree on it, except those that do not support nesting.
pub(crate) fn well_formed(name: &str) -> Option<Path<'_>> {
    // The default depth of `qs`.
    const DEPTH: usize = 5;
    let (first, rest) = name.split_at_checked(name.find('[')?)?;
    let mut path = vec![Step::first(first)];
    let mut steps = rest.strip_suffix(']')?.strip_prefix('[')?.split("][").peekable();
    while let Some(step) = steps.next() {
        let last = steps.peek().is_none();
        if path.len() > DEPTH || !(is_word(step) || step.is_empty() && last) {
            return None;
        }
        path.push(Step::below(step));
    }
    is_plain(first).then_some(path)
}
