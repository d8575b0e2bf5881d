//! Reads a whole JSON text, in the order of its members.

use std::fmt;

use serde::de::{Deserialize, Deserializer, Error, MapAccess, SeqAccess, Visitor};

use crate::{analysis::Json, json::Kind};

/// Reads a JSON text. Numbers keep their digits; `None` if the text is not JSON, or has a name twice.
#[must_use]
pub fn json(text: &[u8]) -> Option<Json> {
    let mut json = serde_json::from_slice::<Read>(text).ok()?.0;
    restore(&mut json, &mut numbers(text).into_iter());
    Some(json)
}

/// The numbers of a JSON text, in their order.
fn numbers(text: &[u8]) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    let (mut in_string, mut is_escaped, mut in_number) = (false, false, false);
    for &byte in text {
        match (in_string, byte) {
            (true, _) if is_escaped => is_escaped = false,
            (true, b'\\') => is_escaped = true,
            (_, b'"') => in_string = !in_string,
            (true, _) => {}
            (false, b'0'..=b'9' | b'-') | (false, b'+' | b'.' | b'e' | b'E')
                if in_number || matches!(byte, b'0'..=b'9' | b'-') =>
            {
                if !in_number {
                    out.push(String::new());
                }
                in_number = true;
                if let Some(number) = out.last_mut() {
                    number.push(char::from(byte));
                }
                continue;
            }
            (false, _) => {}
        }
        in_number = false;
    }
    out
}

/// Gives numbers the digits with which the text writes them.
fn restore(json: &mut Json, numbers: &mut impl Iterator<Item = String>) {
    match json {
        Json::Literal(text) if literal_kind(text) == Kind::Number => {
            if let Some(number) = numbers.next() {
                *text = number;
            }
        }
        Json::Literal(_) | Json::String(_) => {}
        Json::Array(elements) => {
            for element in elements {
                restore(element, numbers);
            }
        }
        Json::Object(members) => {
            for (_, value) in members {
                restore(value, numbers);
            }
        }
    }
}

/// The type of a literal.
pub(super) fn literal_kind(text: &str) -> Kind {
    match text {
        "true" | "false" => Kind::Boolean,
        "null" => Kind::Null,
        _ => Kind::Number,
    }
}

struct Read(Json);

impl<'de> Deserialize<'de> for Read {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Reader)
    }
}

struct Reader;

impl Reader {
    fn literal<E>(text: String) -> Result<Read, E> {
        Ok(Read(Json::Literal(text)))
    }
}

impl<'de> Visitor<'de> for Reader {
    type Value = Read;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Read, E> {
        Self::literal(value.to_string())
    }

    fn visit_i64<E>(self, value: i64) -> Result<Read, E> {
        Self::literal(value.to_string())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Read, E> {
        Self::literal(value.to_string())
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<Read, E> {
        let number = serde_json::Number::from_f64(value);
        let number = number.ok_or_else(|| E::custom("the number is too large"))?;
        Self::literal(number.to_string())
    }

    fn visit_str<E>(self, value: &str) -> Result<Read, E> {
        Ok(Read(Json::String(value.to_owned())))
    }

    fn visit_unit<E>(self) -> Result<Read, E> {
        Self::literal("null".to_owned())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Read, A::Error> {
        let mut all = Vec::new();
        while let Some(Read(element)) = elements.next_element()? {
            all.push(element);
        }
        Ok(Read(Json::Array(all)))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Read, A::Error> {
        let mut all: Vec<(String, Json)> = Vec::new();
        let mut names = std::collections::HashSet::new();
        while let Some((name, Read(value))) = members.next_entry::<String, Read>()? {
            if !names.insert(name.clone()) {
                return Err(A::Error::custom("a name is there twice"));
            }
            all.push((name, value));
        }
        Ok(Read(Json::Object(all)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        for text in [
            "1.50",
            "-0",
            "1e5",
            "1E+5",
            "123456789012345678901234567890",
            r#"{"a": [1.0, {"b": -1.50e-3, "1": "2"}], "c": "\\\"3", "d": 10, "e": true, "f": 0}"#,
        ] {
            assert_eq!(json(text.as_bytes()).unwrap().to_string(), text);
        }
    }
}
