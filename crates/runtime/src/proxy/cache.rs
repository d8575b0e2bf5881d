//! Responses are made for one caller, so no shared cache may store them (RFC 9111 section 5.2.2).

use http::header::CACHE_CONTROL;
use http::{HeaderName, HeaderValue};

/// Marks a response as `private`, and removes headers by which a shared cache could store it anyway.
pub(crate) fn keep_from_shared_caches(headers: &mut Vec<(HeaderName, HeaderValue)>) {
    if !headers.iter().any(|(name, _)| name == CACHE_CONTROL) {
        headers.push((CACHE_CONTROL, HeaderValue::from_static("private")));
        return;
    }
    let directives: Vec<String> = headers
        .iter()
        .filter(|(name, _)| name == CACHE_CONTROL)
        .filter_map(|(_, value)| value.to_str().ok())
        .flat_map(split)
        .filter(|directive| !lets_share(name_of(directive)))
        .collect();
    // `private="field"` only keeps that field from being shared.
    let whole = |directive: &String| {
        ["private", "no-store"]
            .iter()
            .any(|name| directive.eq_ignore_ascii_case(name))
    };
    let kept = if directives.iter().any(whole) {
        directives.join(", ")
    } else {
        std::iter::once("private".to_owned())
            .chain(directives)
            .collect::<Vec<_>>()
            .join(", ")
    };
    headers.retain(|(name, _)| name != CACHE_CONTROL);
    let value = HeaderValue::from_str(&kept).unwrap_or_else(|_| HeaderValue::from_static("private"));
    headers.push((CACHE_CONTROL, value));
}

fn name_of(directive: &str) -> &str {
    directive.split('=').next().unwrap_or_default().trim()
}

fn lets_share(name: &str) -> bool {
    ["public", "s-maxage", "proxy-revalidate"]
        .iter()
        .any(|shared| name.eq_ignore_ascii_case(shared))
}

/// Splits a field value into directives. Their arguments may be quoted and contain commas.
fn split(value: &str) -> Vec<String> {
    let mut directives = vec![String::new()];
    let (mut quoted, mut escaped) = (false, false);
    for character in value.chars() {
        if character == ',' && !quoted {
            directives.push(String::new());
            continue;
        }
        if character == '"' && !escaped {
            quoted = !quoted;
        }
        escaped = character == '\\' && quoted && !escaped;
        if let Some(last) = directives.last_mut() {
            last.push(character);
        }
    }
    directives
        .into_iter()
        .map(|directive| directive.trim().to_owned())
        .filter(|directive| !directive.is_empty())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_stays_shareable() {
        for (given, expected) in [
            (&[][..], "private"),
            (&["max-age=60"], "private, max-age=60"),
            (&["public, max-age=60"], "private, max-age=60"),
            (
                &["Public", "S-MaxAge=5, must-revalidate"],
                "private, must-revalidate",
            ),
            (&["no-store"], "no-store"),
            (&["max-age=0, Private"], "max-age=0, Private"),
            (
                &["private=\"x-a, x-b\", max-age=5"],
                "private, private=\"x-a, x-b\", max-age=5",
            ),
            (
                &["no-cache=\"a\\\", public\", public"],
                "private, no-cache=\"a\\\", public\"",
            ),
        ] {
            let mut headers: Vec<_> = given
                .iter()
                .map(|value| (CACHE_CONTROL, HeaderValue::from_str(value).unwrap()))
                .collect();
            keep_from_shared_caches(&mut headers);
            assert_eq!(
                headers,
                [(CACHE_CONTROL, HeaderValue::from_str(expected).unwrap())],
                "{given:?}"
            );
        }
    }
}
