//! JSON by recursive descent, as RFC 8259 spells it: keeps the digits of numbers and repeated names.

use std::iter::Peekable;
use std::str::Chars;

use crate::reference::Json;

/// Reads a whole text; `None` if it is not JSON. Repeated names are kept, in order.
#[must_use]
pub fn parse(bytes: &[u8]) -> Option<Json> {
    let mut rest = std::str::from_utf8(bytes).ok()?.chars().peekable();
    blanks(&mut rest);
    let json = value(&mut rest)?;
    blanks(&mut rest);
    rest.next().is_none().then_some(json)
}

/// How many arrays and objects stand within one another.
#[must_use]
pub fn depth(json: &Json) -> usize {
    match json {
        Json::Array(elements) => 1 + elements.iter().map(depth).max().unwrap_or(0),
        Json::Object(members) => 1 + members.iter().map(|(_, value)| depth(value)).max().unwrap_or(0),
        _ => 0,
    }
}

/// The value with one member of each name, the first or the last.
#[must_use]
pub fn without_repeats(json: &Json, first: bool) -> Json {
    match json {
        Json::Array(elements) => Json::Array(
            elements
                .iter()
                .map(|element| without_repeats(element, first))
                .collect(),
        ),
        Json::Object(members) => {
            let mut unique: Vec<(String, Json)> = Vec::new();
            for (name, value) in members {
                let value = without_repeats(value, first);
                match unique.iter_mut().find(|(known, _)| known == name) {
                    Some(_) if first => {}
                    Some((_, known)) => *known = value,
                    None => unique.push((name.clone(), value)),
                }
            }
            Json::Object(unique)
        }
        scalar => scalar.clone(),
    }
}

type Rest<'a> = Peekable<Chars<'a>>;

fn blanks(rest: &mut Rest<'_>) {
    while rest.next_if(|c| " \t\r\n".contains(*c)).is_some() {}
}

fn word(rest: &mut Rest<'_>, word: &str, json: Json) -> Option<Json> {
    word.chars()
        .all(|expected| rest.next() == Some(expected))
        .then_some(json)
}

fn value(rest: &mut Rest<'_>) -> Option<Json> {
    match rest.peek()? {
        'n' => word(rest, "null", Json::Null),
        't' => word(rest, "true", Json::Boolean(true)),
        'f' => word(rest, "false", Json::Boolean(false)),
        '"' => string(rest).map(Json::String),
        '[' => {
            let mut elements = Vec::new();
            list(rest, ']', |rest| {
                elements.push(value(rest)?);
                Some(())
            })?;
            Some(Json::Array(elements))
        }
        '{' => {
            let mut members = Vec::new();
            list(rest, '}', |rest| {
                let name = string(rest)?;
                blanks(rest);
                rest.next_if_eq(&':')?;
                blanks(rest);
                members.push((name, value(rest)?));
                Some(())
            })?;
            Some(Json::Object(members))
        }
        _ => number(rest),
    }
}

fn list(rest: &mut Rest<'_>, end: char, mut item: impl FnMut(&mut Rest<'_>) -> Option<()>) -> Option<()> {
    rest.next();
    blanks(rest);
    if rest.next_if_eq(&end).is_some() {
        return Some(());
    }
    loop {
        item(rest)?;
        blanks(rest);
        match rest.next()? {
            ',' => blanks(rest),
            last => return (last == end).then_some(()),
        }
    }
}

fn string(rest: &mut Rest<'_>) -> Option<String> {
    rest.next_if_eq(&'"')?;
    let mut text = String::new();
    loop {
        text.push(match rest.next()? {
            '"' => return Some(text),
            '\\' => match rest.next()? {
                same @ ('"' | '\\' | '/') => same,
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'u' => unicode(rest)?,
                _ => return None,
            },
            '\0'..='\u{1f}' => return None,
            other => other,
        });
    }
}

fn unicode(rest: &mut Rest<'_>) -> Option<char> {
    let mut unit = || {
        (0..4).try_fold(0, |unit, _| {
            rest.next()?.to_digit(16).map(|digit| unit * 16 + digit)
        })
    };
    let high = unit()?;
    if !(0xd800..0xdc00).contains(&high) {
        return char::from_u32(high);
    }
    word(rest, "\\u", Json::Null)?;
    let low = (0..4).try_fold(0, |unit, _| {
        rest.next()?.to_digit(16).map(|digit| unit * 16 + digit)
    })?;
    (0xdc00..0xe000)
        .contains(&low)
        .then(|| char::from_u32(0x1_0000 + (high - 0xd800) * 0x400 + (low - 0xdc00)))
        .flatten()
}

fn number(rest: &mut Rest<'_>) -> Option<Json> {
    let mut text = String::new();
    text.extend(rest.next_if_eq(&'-'));
    let whole = digits(rest, &mut text)?;
    if whole > 1 && text.trim_start_matches('-').starts_with('0') {
        return None;
    }
    if let Some(point) = rest.next_if_eq(&'.') {
        text.push(point);
        digits(rest, &mut text)?;
    }
    if let Some(e) = rest.next_if(|c| matches!(c, 'e' | 'E')) {
        text.push(e);
        text.extend(rest.next_if(|c| matches!(c, '+' | '-')));
        digits(rest, &mut text)?;
    }
    Some(Json::Number(text))
}

/// How many digits there are; `None` for none.
fn digits(rest: &mut Rest<'_>, text: &mut String) -> Option<usize> {
    let before = text.len();
    while let Some(digit) = rest.next_if(char::is_ascii_digit) {
        text.push(digit);
    }
    Some(text.len() - before).filter(|count| *count > 0)
}
