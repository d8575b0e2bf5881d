//! YAML 1.2 as a JSON value. Aliases are replaced while all is counted, so that they cannot multiply a text without a bound.

use std::borrow::Cow;
use std::collections::HashMap;

use saphyr_parser::{Event, Parser, ScalarStyle, ScanError, Span, StrInput, Tag};
use serde_json::{Map, Number, Value};

use super::limits::{DEEPEST, LARGEST, MOST_VALUES};
use super::shown::{below, shortened};
use crate::error::Error;
use crate::model::Defect;

/// Mistakes of which each is reported.
const MOST_DEFECTS: usize = 100;

/// Reads the first document of the text.
pub(super) fn read(text: &str) -> Result<(Value, Vec<Defect>), Error> {
    let mut reader = Reader::default();
    let mut parser: Parser<'_, StrInput<'_>> = Parser::new_from_str(text);
    let mut documents = 0;
    while let Some(event) = parser.next_event() {
        let (event, span) = event.map_err(|error| syntax(&error))?;
        match event {
            Event::DocumentStart(_) => documents += 1,
            Event::DocumentEnd | Event::StreamStart | Event::StreamEnd | Event::Nothing => {}
            _ if documents > 1 => {
                reader.report(Defect {
                    pointer: String::new(),
                    line: None,
                    message: "the text has several documents (`---`); only the first one is read".to_owned(),
                    is_loss: true,
                });
                break;
            }
            event => reader.take(event, span)?,
        }
    }
    match reader.root {
        Some(root) => Ok((root.value, reader.defects)),
        None => Err(Error::Empty),
    }
}

fn syntax(error: &ScanError) -> Error {
    // The scanner's own bound, which it meets first where it reads ahead.
    if error.info() == "recursion limit exceeded" {
        return Error::TooLarge {
            limit: DEEPEST,
            unit: "levels of nesting",
        };
    }
    let marker = error.marker();
    wrong(marker.line(), marker.col(), error.info())
}

fn wrong(line: usize, column: usize, detail: &str) -> Error {
    Error::Syntax {
        format: "YAML",
        line: line.max(1),
        column: column + 1,
        detail: shortened(detail, 120),
    }
}

/// A value with its size, since a copy of it costs as much.
#[derive(Clone, Default)]
struct Node {
    value: Value,
    values: usize,
    bytes: usize,
    depth: usize,
    /// A plain `<<`, which as a key takes in the entries of its value.
    merges: bool,
}

impl Node {
    fn add(&mut self, inner: &Self) {
        self.values += inner.values;
        self.bytes += inner.bytes;
        self.depth = self.depth.max(inner.depth + 1);
    }
}

/// A list or a mapping that is not complete.
struct Open {
    anchor: usize,
    node: Node,
    content: Content,
}

enum Content {
    List(Vec<Value>),
    Mapping {
        entries: Map<String, Value>,
        merged: Vec<Value>,
        key: Option<Key>,
    },
}

/// The key whose value comes next.
enum Key {
    Text(String),
    /// A text that the mapping has already, and its line.
    Again(String, usize),
    Merge,
    /// A key that is not a text; its value is not read.
    Unusable,
}

#[derive(Default)]
struct Reader {
    open: Vec<Open>,
    anchors: HashMap<usize, Node>,
    root: Option<Node>,
    values: usize,
    bytes: usize,
    defects: Vec<Defect>,
}

impl Reader {
    fn take(&mut self, event: Event<'_>, span: Span) -> Result<(), Error> {
        match event {
            Event::Scalar(text, style, anchor, tag) => {
                let node = Node {
                    merges: style == ScalarStyle::Plain && text == "<<" && tag.is_none(),
                    bytes: text.len(),
                    values: 1,
                    value: scalar(text, style, tag.as_deref()),
                    depth: 0,
                };
                self.spend(&node)?;
                self.finished(node, anchor, span)
            }
            Event::SequenceStart(anchor, _) => self.opened(anchor, Content::List(Vec::new())),
            Event::MappingStart(anchor, _) => {
                let content = Content::Mapping {
                    entries: Map::new(),
                    merged: Vec::new(),
                    key: None,
                };
                self.opened(anchor, content)
            }
            Event::SequenceEnd | Event::MappingEnd => match self.open.pop() {
                Some(open) => self.closed(open, span),
                None => Ok(()),
            },
            Event::Alias(anchor) => {
                let Some(node) = self.anchors.get(&anchor).cloned() else {
                    let marker = span.start;
                    return Err(wrong(
                        marker.line(),
                        marker.col(),
                        "an alias to a value that contains it",
                    ));
                };
                self.spend(&node)?;
                if self.open.len() + node.depth > DEEPEST {
                    return Err(Error::TooLarge {
                        limit: DEEPEST,
                        unit: "levels of nesting",
                    });
                }
                self.finished(node, 0, span)
            }
            _ => Ok(()),
        }
    }

    fn spend(&mut self, node: &Node) -> Result<(), Error> {
        self.values += node.values;
        self.bytes += node.bytes;
        if self.values > MOST_VALUES {
            return Err(Error::TooLarge {
                limit: MOST_VALUES,
                unit: "values after its aliases are replaced",
            });
        }
        if self.bytes > 2 * LARGEST {
            return Err(Error::TooLarge {
                limit: 2 * LARGEST,
                unit: "bytes after its aliases are replaced",
            });
        }
        Ok(())
    }

    fn opened(&mut self, anchor: usize, content: Content) -> Result<(), Error> {
        if self.open.len() >= DEEPEST {
            return Err(Error::TooLarge {
                limit: DEEPEST,
                unit: "levels of nesting",
            });
        }
        let node = Node {
            values: 1,
            ..Node::default()
        };
        self.spend(&node)?;
        self.open.push(Open {
            anchor,
            node,
            content,
        });
        Ok(())
    }

    fn closed(&mut self, open: Open, span: Span) -> Result<(), Error> {
        let value = match open.content {
            Content::List(values) => Value::Array(values),
            Content::Mapping {
                mut entries, merged, ..
            } => {
                merge(&mut entries, merged);
                Value::Object(entries)
            }
        };
        self.finished(Node { value, ..open.node }, open.anchor, span)
    }

    /// Puts a complete value into its place.
    fn finished(&mut self, node: Node, anchor: usize, span: Span) -> Result<(), Error> {
        if anchor != 0 {
            self.spend(&node)?;
            self.anchors.insert(anchor, node.clone());
        }
        let Some(open) = self.open.last_mut() else {
            self.root = self.root.take().or(Some(node));
            return Ok(());
        };
        open.node.add(&node);
        let mut mistake = None;
        match &mut open.content {
            Content::List(values) => values.push(node.value),
            Content::Mapping { entries, merged, key } => match key.take() {
                None => {
                    let line = span.start.line();
                    *key = Some(match key_of(node) {
                        Key::Text(name) if entries.contains_key(&name) => Key::Again(name, line),
                        other => other,
                    });
                    if matches!(key, Some(Key::Unusable)) {
                        let message = "a key is a list or a mapping; the entry is not read";
                        mistake = Some((message.to_owned(), line, true));
                    }
                }
                Some(Key::Text(name)) => {
                    entries.insert(name, node.value);
                }
                Some(Key::Again(name, line)) => {
                    let shown = shortened(&name, 80);
                    let message = format!("the key `{shown}` is given twice; the last value is used");
                    // If both values are equal, nothing is lost.
                    let is_loss = entries.get(&name) != Some(&node.value);
                    mistake = Some((message, line, is_loss));
                    entries.insert(name, node.value);
                }
                Some(Key::Merge) => merged.push(node.value),
                Some(Key::Unusable) => {}
            },
        }
        if let Some((message, line, is_loss)) = mistake {
            let pointer = self.pointer();
            self.report(Defect {
                pointer,
                line: Some(line),
                message,
                is_loss,
            });
        }
        Ok(())
    }

    /// Past the limit, only whether something is lost is noted.
    fn report(&mut self, defect: Defect) {
        if self.defects.len() < MOST_DEFECTS {
            self.defects.push(defect);
        } else if let Some(last) = self.defects.last_mut() {
            last.is_loss |= defect.is_loss;
        }
    }

    /// The place of the innermost open value.
    fn pointer(&self) -> String {
        let outer = self.open.iter().take(self.open.len().saturating_sub(1));
        outer.fold(String::new(), |pointer, open| match &open.content {
            Content::List(values) => format!("{pointer}/{}", values.len()),
            Content::Mapping {
                key: Some(Key::Text(name) | Key::Again(name, _)),
                ..
            } => below(&pointer, name),
            Content::Mapping { .. } => pointer,
        })
    }
}

fn key_of(node: Node) -> Key {
    match node.value {
        _ if node.merges => Key::Merge,
        Value::String(text) => Key::Text(text),
        Value::Null => Key::Text("null".to_owned()),
        Value::Bool(flag) => Key::Text(flag.to_string()),
        Value::Number(number) => Key::Text(number.to_string()),
        Value::Array(_) | Value::Object(_) => Key::Unusable,
    }
}

/// Takes in the entries of `<<`: a mapping or a list of mappings. Entries that are there win, and earlier ones over later ones.
fn merge(entries: &mut Map<String, Value>, merged: Vec<Value>) {
    for value in merged {
        let mappings = match value {
            Value::Array(listed) => listed,
            other => vec![other],
        };
        for mapping in mappings {
            if let Value::Object(inner) = mapping {
                for (name, value) in inner {
                    entries.entry(name).or_insert(value);
                }
            }
        }
    }
}

/// A scalar by the core schema of YAML 1.2. A plain text is a number only if it is the number's own spelling, so that a version `1.10`
/// stays what it is.
fn scalar(text: Cow<'_, str>, style: ScalarStyle, tag: Option<&Tag>) -> Value {
    let tagged_text = tag.is_some_and(|tag| !tag.is_yaml_core_schema() || tag.suffix == "str");
    if style != ScalarStyle::Plain || tagged_text {
        return Value::String(text.into_owned());
    }
    match &*text {
        "" | "~" | "null" | "Null" | "NULL" => return Value::Null,
        "true" | "True" | "TRUE" => return Value::Bool(true),
        "false" | "False" | "FALSE" => return Value::Bool(false),
        _ => {}
    }
    let integer = text
        .parse::<i64>()
        .ok()
        .map(Number::from)
        .or_else(|| text.parse::<u64>().ok().map(Number::from));
    let number = integer.or_else(|| text.parse::<f64>().ok().and_then(Number::from_f64));
    match number {
        Some(number) if number.to_string() == *text => Value::Number(number),
        _ => Value::String(text.into_owned()),
    }
}
