//! `Content-Type`: reads exactly one media type, writes it in one spelling, and classifies the body for policies.

use tokenward_compiler::decide::Media;

use super::raw::is_token;
use super::rules::Rules;
use super::{Reason, Refusal, work};

/// Maximum number of parameters of a media type.
const PARAMETERS: usize = 16;

/// A media type with its parameters (RFC 9110 section 8.3.1). Type, subtype and names are in lower case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct MediaType {
    essence: String,
    /// Names and values of the parameters; values without their quotes.
    parameters: Vec<(String, String)>,
}

impl MediaType {
    /// Reads a whole `Content-Type` value.
    ///
    /// # Errors
    /// The value is a list, lacks a part, is not ASCII, or has a parameter without a value, a repeated one or more than
    /// 16.
    pub(super) fn read(value: &[u8]) -> Result<Self, Refusal> {
        parse(value).ok_or_else(|| Reason::MalformedContentType.into())
    }

    /// Returns the charset, in lower case.
    fn charset(&self) -> Option<String> {
        let (_, charset) = self.parameters.iter().find(|(name, _)| name == "charset")?;
        Some(charset.to_ascii_lowercase())
    }

    /// Whether text of this type is UTF-8, or has no charset.
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

    /// Whether some server reads a form: Werkzeug accepts a second name, and some compare only the beginning of the
    /// name.
    fn is_form(&self) -> bool {
        let subtype = self.subtype();
        ["x-www-form-urlencoded", "x-url-encoded"]
            .iter()
            .any(|form| subtype.starts_with(form))
    }

    /// Whether some server reads JSON although the type is not JSON's: Rails registers further names for its reader,
    /// Echo compares the beginning of the name, and Laravel searches the whole header.
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
    /// Writes the spelling that is sent to the upstream: `type/subtype; name=value`.
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

/// The type of a body that the client sent without one. The proxy forwards it, so that no server can take the body for
/// a form.
pub(super) const UNTYPED: &str = "application/octet-stream";

/// Classifies a request's body for policies. A body without a type is judged as [`UNTYPED`].
///
/// # Errors
/// The product's upstream adds the body's members to the query's parameters, and may read a body that Tokenward cannot
/// read.
pub(super) fn classify(given: Option<&MediaType>, encoded: bool, rules: &Rules) -> Result<Media, Refusal> {
    let Some(given) = given else {
        return Ok(Media::Other);
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

/// Maximum length of a media type that is shown.
const SHOWN: usize = 64;

/// Returns the reason in the head for which the body is not read as JSON; `None` if it is read.
pub(super) fn why_unread(given: Option<&MediaType>, encoded: bool) -> Option<String> {
    let Some(given) = given else {
        return Some("it has no Content-Type; send `application/json`".to_owned());
    };
    let essence = given.essence.as_str();
    let shown = if essence.len() <= SHOWN {
        essence
    } else {
        "too long to show"
    };
    if !given.is_json() {
        Some(format!("its Content-Type is `{shown}`; send `application/json`"))
    } else if !given.is_utf8() {
        Some("its charset is not UTF-8; send UTF-8".to_owned())
    } else {
        encoded.then(|| "it has a Content-Encoding; send it without one".to_owned())
    }
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
        // A parameter may be empty (RFC 9110 section 5.6.6).
        if after.is_empty() || after.starts_with(';') {
            rest = after;
            continue;
        }
        let (name, after) = after.split_once('=')?;
        let (value, after) = parameter_value(after)?;
        let name = name.to_ascii_lowercase();
        work::done(parameters.len());
        if parameters.len() == PARAMETERS
            || !is_token(name.as_bytes())
            || parameters.iter().any(|(given, _)| *given == name)
        {
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

/// Reads a token or a quoted string; returns it with the text after it.
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
