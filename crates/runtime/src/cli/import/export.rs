//! Reads Extender's export: each of its tokens, or the reason why it cannot be imported.

use std::collections::HashSet;

use jiff::Timestamp;
use jsonc_parser::ast::Value as Ast;
use jsonc_parser::errors::ParseError;
use jsonc_parser::{CollectOptions, ParseOptions, parse_to_ast, parse_to_serde_value};
use serde_json::{Map, Value};

/// Bytes that an export may have; the largest known have some hundred thousand.
pub(super) const MAX_BYTES: usize = 64 << 20;
/// The beginning of 1990, milliseconds since 1970 UTC: no token is older.
const EARLIEST_MS: i64 = 631_152_000_000;
/// Keys that a token of the export may have. `authorKey` names who made the token, `userKey` the same user as `user`.
const KNOWN: [&str; 12] = [
    "label",
    "user",
    "token",
    "limitTo",
    "ip",
    "validUntil",
    "dateCreated",
    "counter",
    "userKey",
    "userDisplayName",
    "authorKey",
    "id",
];
/// Parts of keys that may say that a token is switched off. Such a key is never passed over.
const SWITCHES: [&str; 10] = [
    "abled", "activ", "revok", "delet", "suspend", "block", "lock", "state", "status", "expire",
];

/// A token of the export.
#[derive(Debug)]
pub(super) struct Exported {
    /// Label of the token, or a substitute if it has none.
    pub(super) label: String,
    /// User of the token; `None` for any user.
    pub(super) user: Option<String>,
    /// The secret, absent from an export in secure mode.
    pub(super) secret: Option<String>,
    /// Lines of the token, without blank ones.
    pub(super) lines: Vec<String>,
    /// Networks from which the token works.
    pub(super) allowed_ips: Vec<String>,
    /// Expiry of the token.
    pub(super) expires: Option<Timestamp>,
    /// Other facts of the export, for people.
    pub(super) description: String,
    /// Keys that this import does not know.
    pub(super) unknown: Vec<String>,
}

/// A token that cannot be read, by its label or place.
#[derive(Debug)]
pub(super) struct Broken {
    pub(super) label: String,
    pub(super) why: String,
}

/// The tokens of an export, in its order.
///
/// # Errors
/// The text is not an export.
pub(super) fn read(text: &str) -> Result<Vec<Result<Exported, Broken>>, String> {
    // Comments and trailing commas are what people leave in an export that they have edited; no more is let pass.
    let options = ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    };
    // Editors and PowerShell write a byte-order mark.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let invalid = |error: ParseError| format!("it is not valid JSON: {error}");
    let ast = parse_to_ast(text, &CollectOptions::default(), &options).map_err(invalid)?;
    if let Some(name) = ast.value.as_ref().and_then(doubled) {
        return Err(format!(
            "an object in it has the key `{name}` twice, and readers differ in which one counts; remove one of them"
        ));
    }
    let whole: Value = parse_to_serde_value(text, &options).map_err(invalid)?;
    let Some(Value::Array(tokens)) = whole.get("tokens") else {
        return Err(
            "it is not an export of REST API tokens, which is an object with a list `tokens`; export again, or specify the right file"
                .to_owned(),
        );
    };
    whole_list(&whole, tokens.len())?;
    Ok(tokens
        .iter()
        .enumerate()
        .map(|(at, token)| read_token(at, token))
        .collect())
}

/// A key that an object has twice.
fn doubled<'v>(value: &'v Ast<'_>) -> Option<&'v str> {
    match value {
        Ast::Object(object) => {
            let mut seen = HashSet::new();
            object.properties.iter().find_map(|property| {
                let name = property.name.as_str();
                if seen.insert(name) {
                    doubled(&property.value)
                } else {
                    Some(name)
                }
            })
        }
        Ast::Array(array) => array.elements.iter().find_map(doubled),
        _ => None,
    }
}

/// A key at the top that says that other pages follow, such as `isLast`, `hasMore` or `nextPage`.
fn follows(whole: &Value) -> Option<&str> {
    let Value::Object(members) = whole else {
        return None;
    };
    let says_more = |(key, value): &(&String, &Value)| {
        let key = key.to_lowercase();
        match value {
            Value::Null => false,
            Value::Bool(value) if key.contains("last") => !value,
            Value::Bool(value) => *value && (key.contains("next") || key.contains("more")),
            Value::String(text) => key.contains("next") && !text.is_empty(),
            _ => key.contains("next"),
        }
    };
    members.iter().find(says_more).map(|(key, _)| key.as_str())
}

/// Refuses one page of several: the tokens of the other pages would be lost silently.
fn whole_list(whole: &Value, found: usize) -> Result<(), String> {
    let number = |key: &str| match whole.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::Number(number)) => number
            .as_u64()
            .map(Some)
            .ok_or_else(|| format!("its `{key}` is not a count")),
        Some(Value::String(text)) => {
            let count = text.trim().parse().map(Some);
            count.map_err(|_| format!("its `{key}` is not a count"))
        }
        Some(_) => Err(format!("its `{key}` is not a count")),
    };
    let (total, pages, start) = (number("total")?, number("pages")?, number("startAt")?);
    let count = found as u64;
    let is_whole = match total {
        Some(total) => count >= total,
        None => pages.unwrap_or(1) <= 1 && start.unwrap_or(0) == 0,
    };
    if is_whole {
        return match follows(whole) {
            None => Ok(()),
            Some(key) => Err(format!(
                "its `{key}` says that more tokens follow; export all tokens to one file, or join the lists `tokens` of all pages and remove `{key}`"
            )),
        };
    }
    let of = match (total, pages) {
        (Some(total), _) => format!("{found} of {total} tokens"),
        (None, Some(pages)) => format!("one page of {pages}"),
        (None, None) => "not the first page".to_owned(),
    };
    Err(format!(
        "it has {of}; export all tokens to one file (use a larger `maxResults`, or join the lists `tokens` of all pages and remove `pages` and `startAt`)"
    ))
}

fn read_token(at: usize, token: &Value) -> Result<Exported, Broken> {
    let place = format!("tokens[{at}]");
    let broken = |label: &str, why: String| Broken {
        label: label.to_owned(),
        why,
    };
    let Value::Object(token) = token else {
        return Err(broken(&place, "it is not an object".to_owned()));
    };
    let label = match text(token, "label") {
        Ok(Some(label)) => label,
        Ok(None) => match token.get("id") {
            Some(Value::Number(id)) => format!("imported-{id}"),
            Some(Value::String(id)) => format!("imported-{id}"),
            _ => format!("imported-{at}"),
        },
        Err(why) => return Err(broken(&place, why)),
    };
    fields(token, &label).map_err(|why| broken(&label, why))
}

fn fields(token: &Map<String, Value>, label: &str) -> Result<Exported, String> {
    let unknown: Vec<String> = token
        .keys()
        .filter(|key| !KNOWN.contains(&key.as_str()))
        .cloned()
        .collect();
    let is_switch = |key: &&String| {
        let key = key.to_lowercase();
        SWITCHES.iter().any(|part| key.contains(part))
    };
    let switches: Vec<String> = unknown.iter().filter(is_switch).cloned().collect();
    if !switches.is_empty() {
        return Err(format!(
            "{}, which may mean that the token is disabled; remove the token or the key from the export",
            unknown_keys(&switches)
        ));
    }
    let user = text(token, "user")?;
    if user.is_none() && text(token, "userKey")?.is_some() {
        return Err("it has a `userKey` but no `user`; add the user's name as `user`".to_owned());
    }
    Ok(Exported {
        label: label.to_owned(),
        user,
        secret: text(token, "token")?,
        lines: text(token, "limitTo")?.map_or_else(Vec::new, |text| lines(&text)),
        allowed_ips: networks(token.get("ip"))?,
        expires: milliseconds(token, "validUntil")?,
        description: description(token)?,
        unknown,
    })
}

/// Names keys that this import does not know.
pub(super) fn unknown_keys(keys: &[String]) -> String {
    let named: Vec<String> = keys.iter().map(|key| format!("`{key}`")).collect();
    match named.as_slice() {
        [one] => format!("it has a key {one} that is unknown to this import"),
        _ => format!(
            "it has keys that are unknown to this import: {}",
            named.join(", ")
        ),
    }
}

/// A string that says something.
fn text(token: &Map<String, Value>, key: &str) -> Result<Option<String>, String> {
    match token.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.trim().to_owned()).filter(|text| !text.is_empty())),
        Some(_) => Err(format!("its `{key}` is not a text")),
    }
}

/// Reads a time in ms UTC, which some exports write as text; 0 means that it is unset.
fn milliseconds(token: &Map<String, Value>, key: &str) -> Result<Option<Timestamp>, String> {
    let wrong = || format!("its `{key}` is not a time in milliseconds");
    let number = match token.get(key) {
        None | Some(Value::Null) => 0,
        Some(Value::Number(number)) => number.as_i64().ok_or_else(wrong)?,
        Some(Value::String(text)) if text.trim().is_empty() => 0,
        Some(Value::String(text)) => text.trim().parse().map_err(|_| wrong())?,
        Some(_) => return Err(wrong()),
    };
    match number {
        0 => Ok(None),
        // Seconds would be taken for a time in January 1970, and the token for an expired one.
        number if number < EARLIEST_MS => Err(format!(
            "its `{key}` is a time before 1990; it must be in milliseconds since 1970, or 0 for none"
        )),
        number => Timestamp::from_millisecond(number).map(Some).map_err(|_| wrong()),
    }
}

/// The lines of `limitTo`: exports separate them by a line end, by the two characters `\n`, or by `<br>`.
fn lines(text: &str) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut rest = text;
    let mut escaped = false;
    while let Some(character) = rest.chars().next() {
        let taken = separator(rest, escaped);
        if let Some(length) = taken {
            lines.push(String::new());
            rest = rest.get(length..).unwrap_or_default();
            escaped = false;
            continue;
        }
        if let Some(line) = lines.last_mut() {
            line.push(character);
        }
        escaped = character == '\\' && !escaped;
        rest = rest.get(character.len_utf8()..).unwrap_or_default();
    }
    let trimmed = lines.iter().map(|line| line.trim().to_owned());
    trimmed.filter(|line| !line.is_empty()).collect()
}

/// Length of the separator at the start of `rest`. After a backslash, `\n` is a backslash and an `n`.
fn separator(rest: &str, escaped: bool) -> Option<usize> {
    if rest.starts_with(['\n', '\r']) {
        return Some(1);
    }
    if rest.starts_with("\\n") && !escaped {
        return Some(2);
    }
    let inner = rest.strip_prefix('<')?;
    let name = inner.get(..2).filter(|name| name.eq_ignore_ascii_case("br"))?;
    let behind = inner.get(name.len()..)?;
    let end = behind
        .trim_start()
        .strip_prefix('/')
        .unwrap_or_else(|| behind.trim_start());
    let end = end.strip_prefix('>')?;
    Some(rest.len() - end.len())
}

/// Addresses and networks: a list, or a text of them with commas, semicolons or blanks between; `10.1.*.*` is
/// `10.1.0.0/16`.
fn networks(value: Option<&Value>) -> Result<Vec<String>, String> {
    let mut given = Vec::new();
    match value {
        None | Some(Value::Null) => {}
        Some(Value::String(text)) => given.push(text.as_str()),
        Some(Value::Array(texts)) => {
            for text in texts {
                given.push(text.as_str().ok_or("its `ip` is not a list of addresses")?);
            }
        }
        Some(_) => return Err("its `ip` is not a text".to_owned()),
    }
    let parts = given
        .iter()
        .flat_map(|text| text.split([',', ';', ' ', '\t', '\r', '\n']))
        .filter(|part| !part.is_empty());
    let mut networks = Vec::new();
    for part in parts {
        networks.push(network(part).ok_or_else(|| {
            format!(
                "its `ip` contains `{part}`, which is neither an address nor a network; write a network as 10.0.0.0/8, with zeros after its first bits"
            )
        })?);
    }
    Ok(networks)
}

fn network(text: &str) -> Option<String> {
    if let Ok(address) = text.parse::<std::net::IpAddr>() {
        return Some(address.to_string());
    }
    if let Ok(network) = text.parse::<ipnet::IpNet>() {
        // As in a policy: it could mean the address or the network.
        return (network.trunc() == network).then(|| network.to_string());
    }
    // Stars may only replace whole numbers at the end; otherwise this is not a network.
    let parts: Vec<&str> = text.split('.').collect();
    let fixed = parts.iter().take_while(|part| **part != "*").count();
    let stars = parts.iter().skip(fixed);
    if parts.len() != 4 || fixed == 4 || stars.clone().any(|part| *part != "*") {
        return None;
    }
    let numbers: Option<Vec<u8>> = parts.iter().take(fixed).map(|part| part.parse().ok()).collect();
    let mut numbers = numbers?;
    numbers.resize(4, 0);
    let octets: [u8; 4] = numbers.try_into().ok()?;
    let bits = u8::try_from(8 * fixed).ok()?;
    Some(format!("{}/{bits}", std::net::Ipv4Addr::from(octets)))
}

/// Describes the token's history for people.
fn description(token: &Map<String, Value>) -> Result<String, String> {
    let mut parts = vec!["imported".to_owned()];
    if let Some(created) = milliseconds(token, "dateCreated")? {
        parts.push(format!("made {}", created.strftime("%Y-%m-%d")));
    }
    if let Some(author) = text(token, "authorKey")? {
        parts.push(format!("by {author}"));
    }
    if let Some(name) = text(token, "userDisplayName")? {
        parts.push(format!("for {name}"));
    }
    match token.get("counter") {
        Some(Value::Number(count)) => parts.push(format!("used {count} times before")),
        Some(Value::String(count)) if !count.is_empty() => parts.push(format!("used {count} times before")),
        _ => {}
    }
    Ok(parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_separated_in_three_ways() {
        for text in [
            "[get]a\nb",
            "[get]a\r\n\r\nb",
            "[get]a\\nb",
            "[get]a<br>b",
            "[get]a <BR /> b",
            "[get]a<br/>b\n",
        ] {
            assert_eq!(lines(text), ["[get]a", "b"], "{text:?}");
        }
        assert_eq!(lines(r"a\\nb"), [r"a\\nb"], "a backslash, escaped, and an n");
        assert_eq!(lines("<b>x<brx>"), ["<b>x<brx>"]);
        assert_eq!(lines("  \n"), [""; 0]);
    }

    #[test]
    fn networks_in_every_form() {
        let read = |text: &str| networks(Some(&Value::String(text.to_owned())));
        assert_eq!(
            read("10.0.0.1, 10.1.*.*;::1").unwrap(),
            ["10.0.0.1", "10.1.0.0/16", "::1"]
        );
        assert_eq!(read("").unwrap(), [""; 0]);
        for wrong in [
            "10.1.2.3/8",
            "10.*.0.1",
            "10.0.0",
            "10.0.0.256",
            "*.*.*",
            "host",
            "10.0.0.*/8",
        ] {
            assert!(read(wrong).unwrap_err().contains(wrong), "{wrong}");
        }
        assert_eq!(read("*.*.*.*").unwrap(), ["0.0.0.0/0"]);
    }

    #[test]
    fn one_page_of_several_is_refused() {
        let tokens = r#""tokens": [{"label": "a"}, {"label": "b"}]"#;
        for rest in [
            r#""total": 3, "pages": 2"#,
            r#""total": "3""#,
            r#""pages": 3"#,
            r#""isLast": false"#,
            r#""isLastPage": false, "total": 2"#,
            r#""hasMore": true"#,
            r#""nextPage": 2"#,
            r#""next": "/rest/tokens?page=2""#,
            r#""startAt": 50"#,
            r#""total": 52, "startAt": 50, "pages": 2"#,
        ] {
            let error = read(&format!("{{{tokens}, {rest}}}")).unwrap_err();
            assert!(error.contains("export all tokens to one file"), "{rest}: {error}");
        }
        for rest in [
            r#""total": 2, "pages": 1, "startAt": 0, "maxResults": 50"#,
            // The pages were joined.
            r#""total": 2, "pages": 2"#,
            r#""pages": null"#,
            r#""isLast": true, "hasMore": false, "nextPage": null, "next": """#,
            r#""status": "ok""#,
        ] {
            assert_eq!(
                read(&format!("\u{feff}{{{tokens}, {rest}}}")).unwrap().len(),
                2,
                "{rest}"
            );
        }
        for rest in [r#""total": -1"#, r#""total": []"#, r#""pages": "many""#] {
            let error = read(&format!("{{{tokens}, {rest}}}")).unwrap_err();
            assert!(error.contains("is not a count"), "{rest}: {error}");
        }
    }

    #[test]
    fn a_key_that_is_there_twice_is_refused() {
        for text in [
            r#"{"tokens": [], "tokens": []}"#,
            r#"{"tokens": [{"label": "a", "limitTo": "x", "limitTo": ".*"}]}"#,
            r#"{"tokens": [{"label": "a", "li\u006ditTo": "x", "limitTo": ".*"}]}"#,
        ] {
            let why = super::read(text).unwrap_err();
            assert!(why.contains("twice"), "{why}");
        }
    }

    #[test]
    fn times_in_other_units_are_refused() {
        for time in ["1900000000", "-1", "\"1900000000\""] {
            let text = format!(r#"{{"tokens": [{{"label": "a", "validUntil": {time}}}]}}"#);
            let read = super::read(&text).unwrap();
            let why = read.into_iter().next().unwrap().unwrap_err().why;
            assert!(why.contains("milliseconds"), "{why}");
        }
    }

    #[test]
    fn an_export_with_comments() {
        let text = r#"{ // made by hand
            "tokens": [
                {"label": "a", "user": "u", "token": "s", "limitTo": "x", "ip": null, "validUntil": 0,
                 "dateCreated": 1500000000000, "counter": 7, "userKey": "k", "id": 3},
                {"id": 4, "limitTo": ".*", "validUntil": "1900000000000"}, /* the rest is wrong */
                {"label": "key", "userKey": "k"}, {"label": "odd", "disabled": true}, 5, {"label": 5},
                {"label": "late", "validUntil": 1e300},
            ], "status": "ok" }"#;
        let tokens = read(text).unwrap();
        let first = tokens[0].as_ref().unwrap();
        assert_eq!((first.label.as_str(), first.user.as_deref()), ("a", Some("u")));
        assert_eq!(
            first.description,
            "imported, made 2017-07-14, used 7 times before"
        );
        assert_eq!(first.expires, None);
        let second = tokens[1].as_ref().unwrap();
        assert_eq!(
            (second.label.as_str(), &second.user, &second.secret),
            ("imported-4", &None, &None)
        );
        assert_eq!(second.expires.unwrap().to_string(), "2030-03-17T17:46:40Z");
        let why: Vec<&str> = tokens[2..]
            .iter()
            .map(|token| token.as_ref().unwrap_err().why.as_str())
            .collect();
        assert!(
            why[0].contains("userKey") && why[1].contains("`disabled`") && why[2].contains("not an object")
        );
        assert!(
            why[3].contains("label") && why[4].contains("validUntil"),
            "{why:?}"
        );
        for wrong in ["", "[]", "{\"tokens\": 1}", "{\"tokens\": [}", "{tokens: []}"] {
            assert!(read(wrong).is_err(), "{wrong}");
        }
    }
}
