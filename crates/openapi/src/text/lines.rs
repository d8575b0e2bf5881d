//! The lines of places in a document. JSON is read as the YAML that it is, since the reader of JSON does not know lines.

use std::collections::HashMap;

use saphyr_parser::{Event, Parser, StrInput};

use super::limits::DEEPEST;
use super::shown::below;
use crate::model::Defect;

/// Adds the lines to defects without one. The text is read once more, up to the last place that is looked for; a place inside an
/// alias, or behind something that YAML does not read, stays without a line.
pub(super) fn add(text: &str, defects: &mut [Defect]) {
    let mut wanted: HashMap<&str, Option<usize>> = HashMap::new();
    let without = |defect: &&Defect| defect.line.is_none() && !defect.pointer.is_empty();
    for defect in defects.iter().filter(without) {
        wanted.insert(&defect.pointer, None);
    }
    // A text of one line says nothing by its number.
    if wanted.is_empty() || !text.trim_end().contains('\n') {
        return;
    }
    let mut left = wanted.len();
    let mut place = Place::default();
    let mut parser: Parser<'_, StrInput<'_>> = Parser::new_from_str(text);
    while let Some(Ok((event, span))) = parser.next_event() {
        if left == 0 || place.open.len() > DEEPEST {
            break;
        }
        if place.takes(&event)
            && let Some(line @ None) = wanted.get_mut(place.pointer.as_str())
        {
            *line = Some(span.start.line());
            left -= 1;
        }
    }
    let found: HashMap<String, usize> = wanted
        .into_iter()
        .filter_map(|(pointer, line)| Some((pointer.to_owned(), line?)))
        .collect();
    for defect in defects.iter_mut().filter(|defect| defect.line.is_none()) {
        defect.line = found.get(&defect.pointer).copied();
    }
}

/// The place of the parser in the text.
#[derive(Default)]
struct Place {
    pointer: String,
    open: Vec<Open>,
}

/// A list or a mapping that is not complete.
struct Open {
    /// The length of its own pointer.
    length: usize,
    /// The number of the next element, in a list.
    element: Option<usize>,
    /// The next event begins a value, in a mapping.
    has_key: bool,
}

impl Place {
    /// Follows an event. True if it begins an element of a list or the key of an entry, whose pointer is then in `pointer`.
    fn takes(&mut self, event: &Event<'_>) -> bool {
        let is_list = matches!(event, Event::SequenceStart(..));
        let (is_collection, name) = match event {
            Event::SequenceStart(..) | Event::MappingStart(..) => (true, ""),
            Event::Scalar(name, ..) => (false, name.as_ref()),
            Event::Alias(_) => (false, ""),
            Event::SequenceEnd | Event::MappingEnd => {
                self.open.pop();
                return false;
            }
            _ => return false,
        };
        let mut begins = true;
        match self.open.last_mut() {
            None => begins = false,
            Some(Open {
                length,
                element: Some(element),
                ..
            }) => {
                self.pointer.truncate(*length);
                self.pointer.push_str(&format!("/{element}"));
                *element += 1;
            }
            Some(open) if open.has_key => {
                open.has_key = false;
                begins = false;
            }
            Some(open) => {
                open.has_key = true;
                self.pointer.truncate(open.length);
                self.pointer.push_str(&below("", name));
            }
        }
        if is_collection {
            self.open.push(Open {
                length: self.pointer.len(),
                element: is_list.then_some(0),
                has_key: false,
            });
        }
        begins
    }
}
