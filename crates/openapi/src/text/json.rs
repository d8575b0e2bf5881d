//! JSON, with the number of values bounded and with repeated keys reported.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};

use super::limits::{DEEPEST, MOST_VALUES};
use super::sections::{self, says_about_calls};
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
        Ok(value) => Ok((value, progress.defects())),
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
    repeated: RefCell<Vec<Repeated>>,
    /// The sections with further repeated keys whose values differ.
    further: RefCell<BTreeSet<String>>,
    /// The sections that references lead to.
    referenced: RefCell<BTreeSet<String>>,
}

/// A key that is given twice.
struct Repeated {
    defect: Defect,
    section: String,
    differs: bool,
}

impl Progress {
    /// Notes a key that is given twice.
    fn report(&self, key: &str, differs: bool) {
        let path = self.path.borrow();
        let section = path.first().map_or(key, String::as_str).to_owned();
        let mut repeated = self.repeated.borrow_mut();
        if repeated.len() < MOST_REPEATED {
            let pointer = path
                .iter()
                .fold(String::new(), |pointer, name| below(&pointer, name));
            let key = shortened(key, 80);
            repeated.push(Repeated {
                defect: Defect {
                    pointer,
                    line: None,
                    message: format!("the key `{key}` is given twice; the last value is used"),
                    is_loss: false,
                },
                section,
                differs,
            });
        } else if differs {
            self.further.borrow_mut().insert(section);
        }
    }

    fn read_text(&self, text: &str) {
        if let Some(section) = sections::of_reference(text) {
            self.referenced.borrow_mut().insert(section.to_owned());
        }
    }

    /// The repeated keys. If both values are equal, or if they are in a section that says nothing about calls, nothing is lost.
    fn defects(self) -> Vec<Defect> {
        let referenced = self.referenced.into_inner();
        let counts = |section: &String| says_about_calls(section) || referenced.contains(section);
        let repeated = self.repeated.into_inner().into_iter();
        let mut defects: Vec<Defect> = repeated
            .map(|one| Defect {
                is_loss: one.differs && counts(&one.section),
                ..one.defect
            })
            .collect();
        // Past the limit, only whether something is lost is noted.
        let is_loss = self.further.into_inner().iter().any(counts);
        if let Some(last) = defects.last_mut() {
            last.is_loss |= is_loss;
        }
        defects
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
        self.progress.read_text(value);
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        self.progress.read_text(&value);
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
