//! The text of a new `[[token]]` section.

use jiff::Timestamp;
use tokenward_compiler::call_limits::CallLimits;
use tokenward_compiler::units;
use toml_edit::Value;

use super::error::EditError;

/// A token to be added.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Name of the token, unique in the policy directory.
    pub name: String,
    /// Users of the token.
    pub users: Users,
    /// Hash of the secret: `sha256:` and hexadecimal digits.
    pub secret_hash: String,
    /// Expiry; absent if the token never expires.
    pub expires: Option<Timestamp>,
    /// Person to ask about the token.
    pub owner: Option<String>,
    /// Purpose of the token.
    pub description: Option<String>,
    /// Networks from which the token works; empty means any.
    pub allowed_ips: Vec<String>,
    /// Limits of the token's calls.
    pub limits: CallLimits,
    /// Names of the included sets.
    pub include: Vec<String>,
    /// The token's own lines.
    pub lines: Vec<String>,
    /// Whether the token has no limits.
    pub unrestricted: bool,
}

/// Users for whom a token works.
#[derive(Clone, Debug)]
pub enum Users {
    /// Only these users.
    Named(Vec<String>),
    /// Any user; the caller supplies the name.
    Any,
}

/// Formats the `[[token]]` section, with `\n` at each line's end.
///
/// # Errors
/// [`EditError::NotALine`] if a line cannot be written to a file.
pub(crate) fn entry(token: &NewToken) -> Result<String, EditError> {
    let mut text = "[[token]]\n".to_owned();
    let mut key = |name: &str, value: String| text.push_str(&format!("{name} = {value}\n"));
    key("name", quoted(&token.name));
    match &token.users {
        Users::Any => key("any_user", "true".to_owned()),
        Users::Named(names) => match names.as_slice() {
            [name] => key("user", quoted(name)),
            names => key("users", list(names)),
        },
    }
    key("secret_hash", quoted(&token.secret_hash));
    if let Some(expires) = token.expires {
        key("expires", moment(expires));
    }
    if let Some(owner) = &token.owner {
        key("owner", quoted(owner));
    }
    if let Some(description) = &token.description {
        key("description", quoted(description));
    }
    if !token.allowed_ips.is_empty() {
        key("allowed_ips", list(&token.allowed_ips));
    }
    let CallLimits {
        rate,
        burst,
        concurrent,
        max_body,
    } = token.limits;
    if let Some(rate) = rate {
        key("rate", quoted(&rate.to_string()));
    }
    for (name, count) in [("burst", burst), ("concurrent", concurrent)] {
        if let Some(count) = count {
            key(name, count.to_string());
        }
    }
    if let Some(bytes) = max_body {
        key("max_body", quoted(&units::shown_size(bytes)));
    }
    if !token.include.is_empty() {
        key("include", list(&token.include));
    }
    if token.unrestricted {
        key("unrestricted", "true".to_owned());
    }
    if !token.lines.is_empty() {
        key("limit_to", block(&token.lines)?);
    }
    Ok(text)
}

/// Formats a TOML string.
pub(super) fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

/// Formats a TOML list of strings.
pub(super) fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| self::quoted(text)).collect();
    format!("[{}]", quoted.join(", "))
}

/// Formats a TOML date and time, to the second.
pub(super) fn moment(time: Timestamp) -> String {
    format!("{time:.0}")
}

/// Formats a block of lines, with `\n` at each line's end.
///
/// # Errors
/// A line cannot be written in a block.
pub(super) fn block(lines: &[String]) -> Result<String, EditError> {
    check_lines(lines)?;
    Ok(format!("'''\n{}\n'''", lines.join("\n")))
}

/// Refuses lines that a `'''` block cannot hold as one line.
pub(super) fn check_lines(lines: &[String]) -> Result<(), EditError> {
    let unfit = |line: &&String| line.contains("'''") || line.contains(char::is_control);
    match lines.iter().find(unfit) {
        Some(line) => Err(EditError::NotALine(line.clone())),
        None => Ok(()),
    }
}
