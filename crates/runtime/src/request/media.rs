//! `Content-Type`: one media type or none, written anew, and what its body means to a policy.

use tokenward_compiler::decide::Media;

use super::raw::is_token;
use super::rules::Rules;
use super::{Reason, Refusal};

/// A media type with its parameters (RFC 9110 section 8.3.1). Type, subtype and names are in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MediaType {
    essence: String,
    /// Values without their quotes.
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Reads a whole `Content-Type` value.
    ///
    /// # Errors
    /// Lists, missing parts, non-ASCII, a parameter without a value or given twice.
    pub(super) fn read(value: &[u8]) -> Result<Self, Refusal> {
        parse(value).ok_or_else(|| Reason::MalformedContentType.into())
    }

    /// The charset, in lower case.
    fn charset(&self) -> Option<String> {
        let (_, charset) = self.parameters.iter().find(|(name, _)| name == "charset")?;
        Some(charset.to_ascii_lowercase())
    }

    /// Whether text of this type is UTF-8, or does not say.
    pub(super) fn is_utf8(&self) -> bool {
        self.charset()
            .is_none_or(|charset| charset == "utf-8" || charset == "utf8")
    }

    fn subtype(&self) -> &str {
        self.essence.split_once('/').map_or("", |(_, subtype)| subtype)
    }

    fn is_json(&self) -> bool {
        self.essence == "application/json" || self.subtype().ends_with("+json")
    }

    /// Whether somebody reads a form here: Werkzeug knows a second name, and some look no further than the name's begin.
    fn is_form(&self) -> bool {
        let subtype = self.subtype();
        ["x-www-form-urlencoded", "x-url-encoded"]
            .iter()
            .any(|form| subtype.starts_with(form))
    }

    /// Whether somebody takes for JSON what is none by its name: the names under which Rails files its reader, what Echo
    /// finds at the name's begin, and what Laravel finds anywhere in the header.
    fn is_unclear_json(&self) -> bool {
        let says = |text: &str| text.contains("/json") || text.contains("+json");
        !self.is_json()
            && (says(&self.essence)
                || self.subtype() == "x-json"
                || self
                    .parameters
                    .iter()
                    .any(|(_, value)| says(&value.to_ascii_lowercase())))
    }
}

impl std::fmt::Display for MediaType {
    /// The one spelling that is sent upstream: `type/subtype; name=value`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.essence)?;
        for (name, value) in &self.parameters {
            if is_token(value.as_bytes()) {
                write!(f, "; {name}={value}")?;
            } else {
                write!(
                    f,
                    "; {name}=\"{}\"",
                    value.replace('\\', "\\\\").replace('"', "\\\"")
                )?;
            }
        }
        Ok(())
    }
}

/// What a request's body is to a policy. A body without a type is a form, as it is to servers that merge forms.
///
/// # Errors
/// Under the presets whose upstream adds the body's members to the query's parameters: bodies that it may read and
/// that we cannot.
pub(super) fn classify(given: Option<&MediaType>, encoded: bool, rules: &Rules) -> Result<Media, Refusal> {
    let Some(given) = given else {
        return if encoded && rules.merges() {
            Err(Reason::EncodedBody.into())
        } else {
            Ok(Media::Form)
        };
    };
    if given.essence.starts_with("multipart/") {
        return if rules.merges() && !rules.relax().merged_multipart {
            Err(Reason::MergedMultipart.into())
        } else {
            Ok(Media::Multipart)
        };
    }
    let form = given.is_form();
    let readable = !encoded && given.is_utf8();
    if rules.merges() {
        if (form || given.is_json()) && !readable {
            return Err(Reason::EncodedBody.into());
        }
        if given.is_unclear_json() {
            return Err(Reason::UnclearJson.into());
        }
        let xml = matches!(given.subtype(), "xml" | "x-xml") || given.subtype().ends_with("+xml");
        if xml && rules.merges_xml() && !rules.relax().xml_body {
            return Err(Reason::XmlBody.into());
        }
    }
    Ok(match given {
        _ if form => Media::Form,
        json if json.is_json() && readable => Media::Json,
        _ => Media::Other,
    })
}

fn parse(value: &[u8]) -> Option<MediaType> {
    let text = std::str::from_utf8(value).ok().filter(|text| text.is_ascii())?;
    let at = text.find(';').unwrap_or(text.len());
    let (essence, mut rest) = text.split_at_checked(at)?;
    let essence = essence.trim_end_matches(BLANK);
    let (kind, subtype) = essence.split_once('/')?;
    if !is_token(kind.as_bytes()) || !is_token(subtype.as_bytes()) {
        return None;
    }
    let mut parameters: Vec<(String, String)> = Vec::new();
    while let Some(after) = rest.strip_prefix(';') {
        let after = after.trim_start_matches(BLANK);
        // RFC 9110 section 5.6.6 lets a parameter be empty.
        if after.is_empty() || after.starts_with(';') {
            rest = after;
            continue;
        }
        let (name, after) = after.split_once('=')?;
        let (value, after) = parameter_value(after)?;
        let name = name.to_ascii_lowercase();
        if !is_token(name.as_bytes()) || parameters.iter().any(|(given, _)| *given == name) {
            return None;
        }
        parameters.push((name, value));
        rest = after.trim_start_matches(BLANK);
    }
    rest.is_empty().then(|| MediaType {
        essence: essence.to_ascii_lowercase(),
        parameters,
    })
}

const BLANK: [char; 2] = [' ', '\t'];

/// A token or a quoted string, and what stands behind it.
fn parameter_value(text: &str) -> Option<(String, &str)> {
    let Some(quoted) = text.strip_prefix('"') else {
        let at = text.find([';', ' ', '\t']).unwrap_or(text.len());
        let (value, rest) = text.split_at_checked(at)?;
        return is_token(value.as_bytes()).then(|| (value.to_owned(), rest));
    };
    let mut value = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((value, quoted.get(at + 1..)?)),
            '\\' => value.push(characters.next()?.1),
            character if character.is_ascii_control() && character != '\t' => return None,
            character => value.push(character),
        }
    }
    None
}

#[cfg(test)]
mod tests;
