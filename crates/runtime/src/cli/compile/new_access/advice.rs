//! How to write the review of a finding.

use tokenward_compiler::tokens::ReviewedWhat;

/// Explains how to write the review.
pub(super) fn advice(what: &ReviewedWhat) -> String {
    let entry = match what {
        ReviewedWhat::Line { token, text } => format!("token = {}, line = {}", quoted(token), literal(text)),
        ReviewedWhat::Lifted { token, text } => {
            format!("token = {}, lifted = {}", quoted(token), literal(text))
        }
        ReviewedWhat::Key { token, key, value } => {
            let (token, value) = (quoted(token), quoted(value));
            format!("token = {token}, key = {}, value = {value}", quoted(key))
        }
        ReviewedWhat::Setting { key, value } => {
            format!("configuration = {}, value = {}", quoted(key), quoted(value))
        }
        ReviewedWhat::Invariant { name, value } => {
            format!("invariant = {}, value = {}", quoted(name), quoted(value))
        }
    };
    format!("if this is right, add [[reviewed]] to reviewed.toml, with {entry}, why = \"…\"")
}

/// A text as a TOML string: as it is where single quotes can hold it.
fn literal(text: &str) -> String {
    if text.contains('\'') || text.contains(char::is_control) {
        quoted(text)
    } else {
        format!("'{text}'")
    }
}

/// A text as a TOML string with escapes.
fn quoted(text: &str) -> String {
    let escaped = text.chars().map(|c| match c {
        '"' | '\\' => format!("\\{c}"),
        c if c.is_control() => format!("\\u{:04X}", u32::from(c)),
        c => c.to_string(),
    });
    format!("\"{}\"", escaped.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn advice_is_toml_whatever_the_line() {
        for text in [
            "[get]/rest/a",
            r"/rest/\d+",
            "/rest/it's",
            r"/rest/it's\.\d",
            "/rest/\"a\"",
            "'",
            "'''",
            "a\u{1}\u{7f}\tb",
            "é\u{200b}",
        ] {
            for written in [literal(text), quoted(text)] {
                let parsed: toml::Table = toml::from_str(&format!("line = {written}")).unwrap();
                assert_eq!(parsed.get("line").unwrap().as_str(), Some(text), "{written}");
            }
        }
        let line = ReviewedWhat::Line {
            token: "ci".to_owned(),
            text: r"/rest/\d".to_owned(),
        };
        assert!(advice(&line).contains(r#"token = "ci", line = '/rest/\d'"#));
    }
}
