//! Witnesses as people read them: a request, and a `curl` line.

use std::fmt::{self, Display, Formatter, Write};

use super::witness::{Json, Request};
use crate::{
    base_url::BaseUrl,
    diagnostic::Witness,
    ir::{Program, Users},
    method::Method,
    visible::visible,
};

/// An encoded slash in a decoded path, if the proxy accepts it.
const KEPT_SLASH: &str = "%2F";

impl Request {
    /// The request as the proof of a finding, and as a command that sends it as the first of `users`.
    #[must_use]
    pub fn witness(&self, program: &Program, users: &Users) -> Witness {
        let user = match users {
            Users::Named(users) => users.first().map_or("USER", String::as_str),
            Users::Any => "USER",
        };
        let base = program.base();
        self.sent_by(base.map(|base| self.curl(base, user)).unwrap_or_default())
    }

    /// The request as the proof of a finding, with a command that sends it.
    #[must_use]
    pub fn sent_by(&self, curl: String) -> Witness {
        Witness {
            request: self.to_string(),
            curl,
            method: self.method,
            path: self.path.clone(),
            operation: None,
        }
    }

    /// A command that sends the request to `base`, its parts quoted for a POSIX shell. The token's secret is taken from
    /// the variable `TOKEN`.
    #[must_use]
    pub fn curl(&self, base: &BaseUrl, user: &str) -> String {
        let mut line = String::from("curl ");
        // Without it, curl resolves the dots itself and sends another request.
        let is_dots = |segment: &str| matches!(segment, "." | "..");
        if self.path.split('/').any(is_dots) {
            line.push_str("--path-as-is ");
        }
        match self.method {
            Method::Get if self.body.content().is_none() => {}
            Method::Head => line.push_str("--head "),
            _ => {
                line.push_str("-X ");
                line.push_str(self.method_name());
                line.push(' ');
            }
        }
        line.push_str("-u ");
        line.push_str(&quoted(&format!("{user}:")));
        line.push_str("\"$TOKEN\" ");
        line.push_str(&quoted(&format!("{base}{}", self.target())));
        if let Some((media, text)) = self.body.content() {
            line.push_str(&format!(
                " -H 'Content-Type: {media}' --data-raw {}",
                quoted(&text)
            ));
        }
        line
    }

    /// The method as it is sent; for [`Method::Other`] one that servers know.
    #[must_use]
    pub fn method_name(&self) -> &'static str {
        match self.method {
            Method::Other => "PROPFIND",
            named => named.as_str(),
        }
    }

    /// The request as one line for people, its path and query decoded: method, path, parameters and body. Characters that nobody
    /// sees are escaped. Two requests may look the same in this form.
    #[must_use]
    pub fn decoded(&self) -> String {
        let mut text = format!("{} {}", self.method_name(), self.path);
        for (at, (name, value)) in self.query.iter().enumerate() {
            text.push(if at == 0 { '?' } else { '&' });
            text.push_str(&format!("{name}={value}"));
        }
        if let Some((media, content)) = self.body.content() {
            text.push_str(&format!(" with {media}: {content}"));
        }
        visible(&text)
    }

    /// The decoded form, for a place next to the encoded one; `None` if both are the same.
    #[must_use]
    pub fn decoded_if_different(&self) -> Option<String> {
        let decoded = self.decoded();
        (decoded != self.to_string()).then_some(decoded)
    }

    /// Path and query, percent-encoded.
    #[must_use]
    pub fn target(&self) -> String {
        let mut out = String::new();
        // A path has `%2F` only where an encoded slash is kept; it is sent as those characters.
        for (at, part) in self.path.split(KEPT_SLASH).enumerate() {
            if at > 0 {
                out.push_str(KEPT_SLASH);
            }
            encode(part, b"!$&()*+,=:@/", &mut out);
        }
        for (at, (name, value)) in self.query.iter().enumerate() {
            out.push(if at == 0 { '?' } else { '&' });
            encode(name, b"", &mut out);
            out.push('=');
            encode(value, b"", &mut out);
        }
        out
    }
}

/// As one line: method, target, and the body with its media type, if there is one.
impl Display for Request {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.method_name(), self.target())?;
        match self.body.content() {
            None => Ok(()),
            Some((media, text)) => write!(f, " with {media}: {text}"),
        }
    }
}

impl Display for Json {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) => f.write_str(text),
            Self::String(text) => string(text, f),
            Self::Array(elements) => {
                f.write_char('[')?;
                for (at, element) in elements.iter().enumerate() {
                    write!(f, "{}{element}", if at == 0 { "" } else { ", " })?;
                }
                f.write_char(']')
            }
            Self::Object(members) => {
                f.write_char('{')?;
                for (at, (name, value)) in members.iter().enumerate() {
                    f.write_str(if at == 0 { "" } else { ", " })?;
                    string(name, f)?;
                    write!(f, ": {value}")?;
                }
                f.write_char('}')
            }
        }
    }
}

fn string(text: &str, f: &mut Formatter<'_>) -> fmt::Result {
    f.write_char('"')?;
    for character in text.chars() {
        match character {
            '"' | '\\' => write!(f, "\\{character}")?,
            // Escaped, lest they act on the terminal.
            control if control.is_control() => write!(f, "\\u{:04x}", u32::from(control))?,
            other => f.write_char(other)?,
        }
    }
    f.write_char('"')
}

/// Quotes a text for a shell, if the shell would read it as anything but itself.
fn quoted(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._/:=@,+".contains(&byte);
    if text.bytes().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', r"'\''"))
}

fn encode(text: &str, also: &[u8], out: &mut String) {
    const HEX: [char; 16] = [
        '0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F',
    ];
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) || also.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push('%');
            let digits = [byte >> 4, byte & 15];
            out.extend(digits.iter().filter_map(|digit| HEX.get(usize::from(*digit))));
        }
    }
}

#[cfg(test)]
mod tests;
