//! The state of one reading: the root of the document, its defects, and the budget.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::model::Defect;
use crate::text::shortened;

/// The largest number of values that are copied out of a document, so that references to one large part cannot multiply it without
/// a bound. The largest known ones need some 300,000.
const BUDGET: usize = 3_000_000;

/// Defects that are listed each; the others are counted.
const MOST_DEFECTS: usize = 500;

/// Longest chain of references.
const LONGEST_CHAIN: usize = 32;

pub(super) struct Context<'a> {
    pub(super) root: &'a Value,
    pub(super) swagger: bool,
    defects: RefCell<Vec<Defect>>,
    reported: RefCell<HashSet<(String, String)>>,
    more: Cell<usize>,
    /// Whether calls are missing by one of the defects that are only counted.
    loses_more: Cell<bool>,
    left: Cell<usize>,
}

/// A value, and its place as a JSON pointer: the place of the value itself, after references were followed.
#[derive(Clone)]
pub(super) struct Found<'a> {
    pub(super) value: &'a Value,
    pub(super) pointer: String,
}

impl<'a> Context<'a> {
    pub(super) fn new(root: &'a Value, swagger: bool, defects: Vec<Defect>) -> Self {
        Self {
            root,
            swagger,
            defects: RefCell::new(defects),
            reported: RefCell::default(),
            more: Cell::new(0),
            loses_more: Cell::new(false),
            left: Cell::new(BUDGET),
        }
    }

    /// Notes a mistake after which the description still has all calls, once for each place and text.
    pub(super) fn defect(&self, pointer: &str, message: impl Into<String>) {
        self.note(pointer, message.into(), false);
    }

    /// Notes a mistake by which calls are missing from the description.
    pub(super) fn loss(&self, pointer: &str, message: impl Into<String>) {
        self.note(pointer, message.into(), true);
    }

    fn note(&self, pointer: &str, message: String, is_loss: bool) {
        if self.defects.borrow().len() >= MOST_DEFECTS {
            self.more.set(self.more.get().saturating_add(1));
            self.loses_more.set(self.loses_more.get() || is_loss);
        } else if self
            .reported
            .borrow_mut()
            .insert((pointer.to_owned(), message.clone()))
        {
            self.defects.borrow_mut().push(Defect {
                pointer: pointer.to_owned(),
                line: None,
                message,
                is_loss,
            });
        }
    }

    /// Takes steps from the budget; false if it is used up, which [`Context::finish`] reports.
    pub(super) fn spend(&self, steps: usize) -> bool {
        let left = self.left.get().saturating_sub(steps);
        self.left.set(left);
        left > 0
    }

    /// The defects, or the exceeded budget.
    pub(super) fn finish(self) -> Result<Vec<Defect>, usize> {
        if self.left.get() == 0 {
            return Err(BUDGET);
        }
        let mut defects = self.defects.into_inner();
        if let more @ 1.. = self.more.get() {
            let message = format!("{more} more defects are not listed");
            defects.push(Defect {
                pointer: String::new(),
                line: None,
                message,
                is_loss: self.loses_more.get(),
            });
        }
        Ok(defects)
    }

    /// Follows `$ref` from a value to the value that it stands for. None if that does not exist, which is reported.
    pub(super) fn follow(&self, found: Found<'a>) -> Option<Found<'a>> {
        self.followed(found, false)
    }

    /// Follows `$ref` from a value without which calls are missing.
    pub(super) fn follow_calls(&self, found: Found<'a>) -> Option<Found<'a>> {
        self.followed(found, true)
    }

    fn followed(&self, mut found: Found<'a>, is_loss: bool) -> Option<Found<'a>> {
        let mut visited = HashSet::new();
        while let Some(reference) = found.value.get("$ref") {
            let Some(reference) = reference.as_str() else {
                let message = "`$ref` is not a text; the entry is not read".to_owned();
                self.note(&found.pointer, message, is_loss);
                return None;
            };
            let shown = shortened(reference, 120);
            if visited.len() >= LONGEST_CHAIN || !visited.insert(found.pointer.clone()) {
                let message = format!("`$ref` to `{shown}` leads back to itself; the entry is not read");
                self.note(&found.pointer, message, is_loss);
                return None;
            }
            let Some(fragment) = reference.strip_prefix('#') else {
                let message =
                    format!("`$ref` to `{shown}`: other documents are not read; put the entry into this one");
                self.note(&found.pointer, message, is_loss);
                return None;
            };
            let pointer = percent_decode_str(fragment).decode_utf8_lossy().into_owned();
            let target = if pointer.is_empty() || pointer.starts_with('/') {
                self.root.pointer(&pointer)
            } else {
                None
            };
            let Some(value) = target else {
                let message = format!("`$ref` to `{shown}`: no such entry; it is not read");
                self.note(&found.pointer, message, is_loss);
                return None;
            };
            self.spend(1);
            found = Found { value, pointer };
        }
        Some(found)
    }
}
