//! JSON, with the number of values bounded and with repeated keys reported.

use std::cell::{Cell, RefCell};
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::limits::{DEEPEST, MOST_VALUES};
use super::shown::{below, shortened};
use crate::error::Error;
use crate::model::Defect;

/// Repeated keys of which each is reported.
const MOST_REPEATED: usize = 100;

pub(super) fn read(text: &str) -> Result<(Value, Vec<Defect>), Error> {
    let progress = Progress::default();
    let mut parser = serde_json::Deserializer::from_str(text);
    let value = Seed {
        progress: &progress,
        depth: 0,
    }
    .deserialize(&mut parser);
    let value = value.and_then(|value| parser.end().map(|()| value));
    match value {
        Ok(value) => Ok((value, progress.repeated.into_inner())),
        Err(_) if progress.values.get() > MOST_VALUES => Err(Error::TooLarge {
            limit: MOST_VALUES,
            unit: "values",
        }),
        Err(_) if progress.too_deep.get() => Err(Error::TooLarge {
            limit: DEEPEST,
            unit: "levels of nesting",
        }),
        Err(error) => Err(syntax(&error)),
    }
}

fn syntax(error: &serde_json::Error) -> Error {
    let detail = error.to_string();
    let end = detail.find(" at line ").unwrap_or(detail.len());
    let detail = shortened(detail.get(..end).unwrap_or_default(), 120);
    Error::Syntax {
        format: "JSON",
        line: error.line().max(1),
        column: error.column().max(1),
        detail,
    }
}

#[derive(Default)]
struct Progress {
    values: Cell<usize>,
    too_deep: Cell<bool>,
    path: RefCell<Vec<String>>,
    repeated: RefCell<Vec<Defect>>,
}

impl Progress {
    /// Reports a key that is given twice. If both values are equal, nothing is lost.
    fn report(&self, key: &str, is_loss: bool) {
        let mut repeated = self.repeated.borrow_mut();
        if repeated.len() < MOST_REPEATED {
            let pointer = self
                .path
                .borrow()
                .iter()
                .fold(String::new(), |pointer, name| below(&pointer, name));
            let key = shortened(key, 80);
            repeated.push(Defect {
                pointer,
                line: None,
                message: format!("the key `{key}` is given twice; the last value is used"),
                is_loss,
            });
        } else if let Some(last) = repeated.last_mut() {
            last.is_loss |= is_loss;
        }
    }
}

#[derive(Clone, Copy)]
struct Seed<'a> {
    progress: &'a Progress,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let values = self.progress.values.get() + 1;
        self.progress.values.set(values);
        if values > MOST_VALUES {
            return Err(D::Error::custom("too many values"));
        }
        if self.depth > DEEPEST {
            self.progress.too_deep.set(true);
            return Err(D::Error::custom("too deep"));
        }
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = Seed {
            depth: self.depth + 1,
            ..self
        };
        let mut out = Vec::new();
        self.progress.path.borrow_mut().push("0".to_owned());
        while let Some(value) = access.next_element_seed(inner)? {
            out.push(value);
            if let Some(last) = self.progress.path.borrow_mut().last_mut() {
                *last = out.len().to_string();
            }
        }
        self.progress.path.borrow_mut().pop();
        Ok(Value::Array(out))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Value, A::Error> {
        let inner = Seed {
            depth: self.depth + 1,
            ..self
        };
        let mut out = Map::new();
        while let Some(key) = access.next_key::<String>()? {
            self.progress.path.borrow_mut().push(key.clone());
            let value = access.next_value_seed(inner)?;
            self.progress.path.borrow_mut().pop();
            if let Some(before) = out.get(&key) {
                self.progress.report(&key, *before != value);
            }
            out.insert(key, value);
        }
        Ok(Value::Object(out))
    }
}
