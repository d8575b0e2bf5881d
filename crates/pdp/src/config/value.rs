//! Readers of single values. Each error is the end of a sentence that begins with the key's name.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use tokenward_compiler::seal::PublicKey;
use tokenward_compiler::{BaseUrl, is_hidden, units, user_name_fault};
use toml::Spanned;
use toml::de::DeValue;

use super::fields::{Wrong, nearest};

type Value<'v> = Spanned<DeValue<'v>>;

/// Reads a string that is not blank.
pub(super) fn text(value: &Value<'_>) -> Result<String, Wrong> {
    match value.get_ref() {
        DeValue::String(text) if text.trim().is_empty() => Err(Wrong::at(value, "is empty")),
        DeValue::String(text) => Ok(text.to_string()),
        _ => Err(Wrong::at(value, "must be a string in quotes")),
    }
}

/// Reads a public key, as an item of a list.
pub(super) fn public_key(value: &Value<'_>) -> Result<PublicKey, Wrong> {
    text(value)?
        .parse()
        .map_err(|error| Wrong::at(value, format!("has an invalid item: {error}")))
}

pub(super) fn path(value: &Value<'_>) -> Result<PathBuf, Wrong> {
    text(value).map(PathBuf::from)
}

pub(super) fn boolean(value: &Value<'_>) -> Result<bool, Wrong> {
    match value.get_ref() {
        DeValue::Boolean(given) => Ok(*given),
        _ => Err(Wrong::at(value, "must be true or false, without quotes")),
    }
}

/// Reads a whole number from `LEAST` to `MOST`.
pub(super) fn count<const LEAST: u32, const MOST: u32>(value: &Value<'_>) -> Result<u32, Wrong> {
    let number = match value.get_ref() {
        DeValue::Integer(given) => i64::from_str_radix(given.as_str(), given.radix()).ok(),
        _ => None,
    };
    number
        .and_then(|number| u32::try_from(number).ok())
        .filter(|number| (LEAST..=MOST).contains(number))
        .ok_or_else(|| Wrong::at(value, format!("must be a whole number from {LEAST} to {MOST}")))
}

pub(super) fn count_usize<const LEAST: u32, const MOST: u32>(value: &Value<'_>) -> Result<usize, Wrong> {
    let number = count::<LEAST, MOST>(value)?;
    usize::try_from(number).map_err(|_| Wrong::at(value, "is too large for this machine"))
}

/// Reads a duration such as `"30s"`: a whole number and `ms`, `s`, `m`, `h` or `d`; more than zero, at most ten years.
pub(super) fn duration(value: &Value<'_>) -> Result<Duration, Wrong> {
    match value.get_ref() {
        DeValue::String(text) => parse_duration(text),
        _ => None,
    }
    .ok_or_else(|| {
        Wrong::at(
            value,
            "must be a duration from \"1ms\" to \"3660d\", in quotes: \"500ms\", \"30s\", \"5m\", \"2h\" or \"90d\"",
        )
    })
}

/// Parses a duration such as `30s`; `None` if the text is not a duration, is zero, or exceeds ten years.
pub fn parse_duration(text: &str) -> Option<Duration> {
    units::duration(text)
}

/// Reads a size such as `"1MiB"`: a whole number and `B`, `KiB`, `MiB` or `GiB`, or a bare number of bytes; 1 byte to
/// 64 GiB.
pub(super) fn size(value: &Value<'_>) -> Result<usize, Wrong> {
    size_from::<1>(value)
}

/// Reads a size of at least `LEAST` bytes.
pub(super) fn size_from<const LEAST: u64>(value: &Value<'_>) -> Result<usize, Wrong> {
    let bytes = match value.get_ref() {
        DeValue::String(text) => units::size(text),
        DeValue::Integer(given) => u64::from_str_radix(given.as_str(), given.radix()).ok(),
        _ => None,
    };
    bytes
        .filter(|bytes| (LEAST..=units::LARGEST_SIZE).contains(bytes))
        .and_then(|bytes| usize::try_from(bytes).ok())
        .ok_or_else(|| {
            let least = units::shown_size(LEAST);
            let units = "in B, KiB, MiB or GiB, such as \"512KiB\"";
            Wrong::at(
                value,
                format!("must be a size from \"{least}\" to \"64GiB\", {units}"),
            )
        })
}

pub(super) fn size_u64(value: &Value<'_>) -> Result<u64, Wrong> {
    let bytes = size(value)?;
    u64::try_from(bytes).map_err(|_| Wrong::at(value, "is too large"))
}

/// Reads a socket address such as `"127.0.0.1:8080"` or `"[::1]:8080"`.
pub(super) fn address(value: &Value<'_>) -> Result<SocketAddr, Wrong> {
    let given = text(value)?;
    given.parse().map_err(|_| {
        let advice = "an IP address and a port, such as \"127.0.0.1:8080\" or \"[::]:8080\"";
        Wrong::at(value, format!("is `{given}`; it must be {advice}"))
    })
}

/// Reads the public URL.
pub(super) fn public_url(value: &Value<'_>) -> Result<BaseUrl, Wrong> {
    BaseUrl::parse(&text(value)?).map_err(|error| Wrong::at(value, format!("is not a base URL: {error}")))
}

/// Reads `http://host:port[/context]` or `https://…`, or several that differ only in host and port.
pub(super) fn upstream_urls(value: &Value<'_>) -> Result<Vec<String>, Wrong> {
    let urls = match value.get_ref() {
        DeValue::Array(_) => some_of(value, public_url)?,
        _ => vec![public_url(value)?],
    };
    let alike = |one: &BaseUrl, other: &BaseUrl| one.scheme() == other.scheme() && one.path() == other.path();
    let again = |(at, url): (usize, &BaseUrl)| urls.iter().take(at).any(|one| one == url);
    if !urls
        .iter()
        .zip(urls.iter().skip(1))
        .all(|(one, other)| alike(one, other))
    {
        return Err(Wrong::at(
            value,
            "has URLs that differ in more than host and port, but a call may go to any of them",
        ));
    }
    if urls.iter().enumerate().any(again) {
        return Err(Wrong::at(value, "has the same URL twice"));
    }
    Ok(urls.iter().map(|url| url.as_str().to_owned()).collect())
}

/// Reads a path, with an optional query, from the root of a server.
pub(super) fn health_path(value: &Value<'_>) -> Result<String, Wrong> {
    let given = text(value)?;
    match given.parse::<http::uri::PathAndQuery>() {
        Ok(_) if given.starts_with('/') => Ok(given),
        _ => Err(Wrong::at(
            value,
            format!("is `{given}`; it must be an absolute path on the server, such as \"/status\""),
        )),
    }
}

/// Reads the URL of a collector.
pub(super) fn endpoint_url(value: &Value<'_>) -> Result<String, Wrong> {
    public_url(value).map(|url| url.as_str().to_owned())
}

/// Reads a `Host`: a name with an optional port.
pub(super) fn host(value: &Value<'_>) -> Result<String, Wrong> {
    let given = text(value)?;
    match BaseUrl::parse(&format!("http://{given}")) {
        Ok(url) if url.path().is_empty() && !given.contains('/') => Ok(given),
        _ => Err(Wrong::at(
            value,
            format!("is `{given}`; it must be a host with an optional port, such as \"jira.internal:8443\""),
        )),
    }
}

/// Reads the name of a header that may contain a user's name. Headers with another meaning in HTTP are refused.
pub(super) fn identity_header(value: &Value<'_>) -> Result<String, Wrong> {
    const TAKEN: [&str; 13] = [
        "authorization",
        "host",
        "cookie",
        "connection",
        "content-length",
        "content-type",
        "transfer-encoding",
        "te",
        "trailer",
        "upgrade",
        "keep-alive",
        "proxy-authorization",
        "expect",
    ];
    let given = text(value)?;
    if !is_plain_header(&given) {
        Err(Wrong::at(
            value,
            format!("is `{given}`; it must be letters, digits and `-`"),
        ))
    } else if TAKEN.contains(&given.to_ascii_lowercase().as_str()) {
        Err(Wrong::at(
            value,
            format!("is `{given}`, which has another meaning; choose a header such as \"X-Forwarded-User\""),
        ))
    } else {
        Ok(given)
    }
}

/// Whether the name is usable for a header. Underscores are not allowed: the proxy drops headers that contain one,
/// since some servers read `X_A` as `X-A`.
fn is_plain_header(name: &str) -> bool {
    name.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

pub(super) fn header_names(value: &Value<'_>) -> Result<Vec<String>, Wrong> {
    any_of(value, header_name)
}

fn header_name(value: &Value<'_>) -> Result<String, Wrong> {
    let given = text(value)?;
    if is_plain_header(&given) {
        Ok(given)
    } else {
        Err(Wrong::at(
            value,
            format!("has `{given}`; a header name consists of letters, digits and `-`"),
        ))
    }
}

pub(super) fn environment_name(value: &Value<'_>) -> Result<String, Wrong> {
    let given = text(value)?;
    if given.contains(['=', '\0']) {
        return Err(Wrong::at(
            value,
            "must be the name of an environment variable, not its value",
        ));
    }
    Ok(given)
}

/// Reads a list with at least one item. A problem is reported at its own item.
pub(super) fn some_of<T>(
    value: &Value<'_>,
    item: fn(&Value<'_>) -> Result<T, Wrong>,
) -> Result<Vec<T>, Wrong> {
    let items = any_of(value, item)?;
    if items.is_empty() {
        return Err(Wrong::at(value, "must have at least one item"));
    }
    Ok(items)
}

/// Reads a list that may be empty. A problem is reported at its own item.
pub(super) fn any_of<T>(
    value: &Value<'_>,
    item: fn(&Value<'_>) -> Result<T, Wrong>,
) -> Result<Vec<T>, Wrong> {
    match value.get_ref() {
        DeValue::Array(items) => items.iter().map(item).collect(),
        _ => Err(Wrong::at(value, "must be a list: [\"…\", \"…\"]")),
    }
}

pub(super) fn texts(value: &Value<'_>) -> Result<Vec<String>, Wrong> {
    any_of(value, text)
}

/// Reads names of users.
pub(super) fn users(value: &Value<'_>) -> Result<Vec<String>, Wrong> {
    any_of(value, user)
}

fn user(value: &Value<'_>) -> Result<String, Wrong> {
    let given = text(value)?;
    if given.chars().any(is_hidden) {
        let wrong = "has a name with a control or invisible character; type the name again";
        return Err(Wrong::at(value, wrong));
    }
    match user_name_fault(&given) {
        Some(fault) => Err(Wrong::at(
            value,
            format!("has a name that {}; {}", fault.what, fault.help),
        )),
        None => Ok(given),
    }
}

/// Reads names of authentication schemes, without regard to case.
pub(super) fn schemes(value: &Value<'_>) -> Result<Vec<String>, Wrong> {
    any_of(value, scheme)
}

fn scheme(value: &Value<'_>) -> Result<String, Wrong> {
    // These have a meaning of their own, and carry no bare token.
    const TAKEN: [&str; 6] = ["digest", "dpop", "hawk", "mutual", "negotiate", "ntlm"];
    let given = text(value)?.to_ascii_lowercase();
    let is_name = given
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte));
    match given.as_str() {
        "basic" | "bearer" => Err(Wrong::at(
            value,
            format!("has `{given}`; `methods` says whether this scheme is accepted"),
        )),
        taken if TAKEN.contains(&taken) => Err(Wrong::at(
            value,
            format!("has `{given}`, a scheme that does not carry a bare token"),
        )),
        _ if is_name => Ok(given),
        _ => Err(Wrong::at(
            value,
            format!("has `{given}`; write the name of the scheme alone, such as \"token\""),
        )),
    }
}

pub(super) fn endpoints(value: &Value<'_>) -> Result<Vec<String>, Wrong> {
    some_of(value, endpoint)
}

pub(super) fn endpoint(value: &Value<'_>) -> Result<String, Wrong> {
    let given = text(value)?;
    let stem = given.strip_suffix('*').unwrap_or(&given);
    let starred_whole_segment = stem.len() == given.len() || stem.ends_with('/');
    // Whether an empty segment is allowed depends on `relax.empty_segment`, which is read later.
    let plain = stem.starts_with('/') && !stem.contains(['*', '?', '#', '%', '\\', ';']);
    let dotted = stem.split('/').any(|segment| segment == "." || segment == "..");
    if plain && starred_whole_segment && !dotted {
        Ok(given)
    } else {
        Err(Wrong::at(
            value,
            format!(
                "has `{given}`; an endpoint is a path below the base URL, by itself (\"/status\") or with everything below it (\"/rest/*\")"
            ),
        ))
    }
}

pub(super) fn origins(value: &Value<'_>) -> Result<Vec<String>, Wrong> {
    any_of(value, origin)
}

fn origin(value: &Value<'_>) -> Result<String, Wrong> {
    let given = text(value)?;
    match BaseUrl::parse(&given) {
        Ok(url) if url.path().is_empty() && !given.ends_with('/') => Ok(url.origin().to_owned()),
        _ => Err(Wrong::at(
            value,
            format!(
                "has `{given}`; an origin consists of scheme, host and port, such as \"https://app.example.com\""
            ),
        )),
    }
}

/// Reads one of the named choices.
pub(super) fn choice<T: Copy>(value: &Value<'_>, choices: &[(&str, T)]) -> Result<T, Wrong> {
    let given = text(value)?;
    if let Some((_, choice)) = choices.iter().find(|(name, _)| *name == given) {
        return Ok(*choice);
    }
    let names: Vec<&str> = choices.iter().map(|(name, _)| *name).collect();
    let hint = nearest(&given, &names).map(|near| format!("; did you mean \"{near}\"?"));
    let message = format!(
        "is \"{given}\"; it must be {}{}",
        alternatives(&names),
        hint.unwrap_or_default()
    );
    Err(Wrong::at(value, message))
}

/// Formats names as `"a", "b" or "c"`.
fn alternatives(names: &[&str]) -> String {
    let quoted: Vec<String> = names.iter().map(|name| format!("\"{name}\"")).collect();
    match quoted.split_last() {
        Some((last, [])) => last.clone(),
        Some((last, rest)) => format!("{} or {last}", rest.join(", ")),
        None => String::new(),
    }
}
