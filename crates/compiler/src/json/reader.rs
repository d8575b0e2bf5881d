//! The grammar of RFC 8259 as a loop over open objects and arrays, which keeps wanted values as it goes.

use std::borrow::Cow;

use super::error::ReadError;
use super::names::{self, Names};
use super::nodes::{Kind, Node, Nodes, Scalar};
use super::number::is_plain;
use super::scan::Scanner;
use super::wanted::{Next, PlaceId, Slot, Wanted};

/// Maximum nesting of objects and arrays.
pub const MAX_DEPTH: usize = 128;

pub(super) fn read<'b>(text: &'b str, wanted: &Wanted<'_>) -> Result<Nodes<'b>, ReadError> {
    let mut reader = Reader::new(text, wanted);
    reader.scan.space();
    if reader.scan.peek().is_none() {
        return Err(reader.scan.fail("an empty body"));
    }
    let mut place = Some(PlaceId::ROOT);
    loop {
        let entered = reader.value(place)?;
        match reader.advance(entered)? {
            Due::Value(next) => place = next,
            Due::Nothing => return Ok(reader.finish()),
        }
    }
}

impl Nodes<'_> {
    /// The reading of `{}`, which an absent or empty body counts as.
    #[must_use]
    pub fn empty_object(wanted: &Wanted<'_>) -> Nodes<'static> {
        let mut reader = Reader::new("", wanted);
        reader.enter_object(Some(PlaceId::ROOT));
        reader.close();
        reader.finish()
    }
}

struct Reader<'w, 'p, 'b> {
    wanted: &'w Wanted<'p>,
    scan: Scanner<'b>,
    nodes: Vec<Node<'b>>,
    seen: Vec<Seen>,
    names: Names<'b>,
    open: Vec<Open>,
    // The nodes that an open array belongs to, and that therefore take its values.
    taking: Vec<Slot>,
    // From where on they do: an object within an array hides its members from the array's node.
    taking_from: usize,
}

/// What stood at a wanted place: counted while reading, and told to the places below at the end. To tell them at once would cost each
/// element of an array as much as there are names below.
#[derive(Clone, Copy, Default)]
struct Seen {
    /// Objects that stood here.
    objects: usize,
    /// Objects that had the member which leads here.
    had: usize,
    /// Something stood here that has nothing below: a value, or a root that is no object.
    leaf: bool,
    /// An array stood here, which has no members.
    array: bool,
}

/// An object or array that is open.
#[derive(Clone, Copy)]
struct Open {
    kind: OpenKind,
    outer_taking: usize,
    outer_taking_from: usize,
}

#[derive(Clone, Copy)]
enum OpenKind {
    Array {
        each: Option<PlaceId>,
    },
    Object {
        place: Option<PlaceId>,
        names: names::Object,
    },
}

/// The next element of the grammar.
enum Due {
    Value(Option<PlaceId>),
    Nothing,
}

impl<'w, 'p, 'b> Reader<'w, 'p, 'b> {
    fn new(text: &'b str, wanted: &'w Wanted<'p>) -> Self {
        Reader {
            wanted,
            scan: Scanner::new(text),
            nodes: vec![Node::default(); wanted.slots()],
            seen: vec![Seen::default(); wanted.places().len()],
            names: Names::new(),
            open: Vec::with_capacity(8),
            taking: Vec::new(),
            taking_from: 0,
        }
    }

    /// Reads a scalar, or enters an object or an array; then true.
    fn value(&mut self, place: Option<PlaceId>) -> Result<bool, ReadError> {
        match self.scan.peek() {
            // Scalars: read in any case, since the whole body is checked, but decoded only if wanted.
            Some(b'"') => {
                let quoted = self.scan.string()?;
                if self.is_wanted(place) {
                    let text = quoted.unescaped().map_err(|what| self.scan.fail(what))?;
                    self.scalar(
                        place,
                        Scalar {
                            kind: Kind::String,
                            text,
                            plain: true,
                        },
                    );
                }
            }
            Some(b'-' | b'0'..=b'9') => {
                let text = self.scan.number()?;
                if self.is_wanted(place) {
                    let plain = is_plain(text);
                    self.scalar(
                        place,
                        Scalar {
                            kind: Kind::Number,
                            text: Cow::Borrowed(text),
                            plain,
                        },
                    );
                }
            }
            // Objects and arrays are entered; the loop of `read` goes on with their content.
            Some(b'{') => {
                self.check_depth()?;
                self.scan.bump();
                self.enter_object(place);
                return Ok(true);
            }
            Some(b'[') => {
                self.check_depth()?;
                self.scan.bump();
                self.enter_array(place);
                return Ok(true);
            }
            Some(b't') => self.word(place, Kind::Boolean, "true")?,
            Some(b'f') => self.word(place, Kind::Boolean, "false")?,
            Some(b'n') => self.word(place, Kind::Null, "null")?,
            Some(_) => return Err(self.scan.fail("text that does not begin a value")),
            None => return Err(self.scan.fail("the text ends where a value is expected")),
        }
        Ok(false)
    }

    fn word(&mut self, place: Option<PlaceId>, kind: Kind, word: &'static str) -> Result<(), ReadError> {
        let text = Cow::Borrowed(self.scan.word(word)?);
        self.scalar(
            place,
            Scalar {
                kind,
                text,
                plain: true,
            },
        );
        Ok(())
    }

    /// Continues to the place of the next value, and closes objects and arrays that end before it. `first`: an object or array was just
    /// entered, so that no comma is due.
    fn advance(&mut self, mut first: bool) -> Result<Due, ReadError> {
        loop {
            self.scan.space();
            let Some(open) = self.open.last() else {
                return match self.scan.peek() {
                    None => Ok(Due::Nothing),
                    Some(_) => Err(self.scan.fail("text after the value")),
                };
            };
            match (open.kind, self.scan.peek()) {
                (OpenKind::Array { .. }, Some(b']')) | (OpenKind::Object { .. }, Some(b'}')) => {
                    self.scan.bump();
                    self.close();
                    first = false;
                }
                (kind, Some(b',')) if !first => {
                    self.scan.bump();
                    self.scan.space();
                    return self.item(kind);
                }
                (kind, Some(_)) if first => return self.item(kind),
                (OpenKind::Array { .. }, Some(_)) => {
                    return Err(self.scan.fail("no comma or `]` after an element"));
                }
                (OpenKind::Object { .. }, Some(_)) => {
                    return Err(self.scan.fail("no comma or `}` after a member"));
                }
                (OpenKind::Array { .. }, None) => return Err(self.scan.fail("an array without an end")),
                (OpenKind::Object { .. }, None) => return Err(self.scan.fail("an object without an end")),
            }
        }
    }

    fn item(&mut self, kind: OpenKind) -> Result<Due, ReadError> {
        match kind {
            OpenKind::Array { each } => Ok(Due::Value(each)),
            OpenKind::Object { place, .. } => Ok(Due::Value(self.name(place)?)),
        }
    }

    /// Reads a member's name and colon; gives the place of its value.
    fn name(&mut self, place: Option<PlaceId>) -> Result<Option<PlaceId>, ReadError> {
        let offset = self.scan.offset();
        if self.scan.peek() != Some(b'"') {
            return Err(self.scan.fail("no name where one is expected"));
        }
        let quoted = self.scan.string()?;
        let name = quoted.unescaped().map_err(|what| self.scan.fail(what))?;
        if quoted.may_hold_control() && has_control(&name) {
            return Err(ReadError::ControlInName { offset });
        }
        let place = place.and_then(|place| self.wanted.place(place));
        let next = place.map_or(Next::Unwanted, |place| place.next(&name));
        if let Some(slot) = place.and_then(|place| place.members) {
            self.with(slot, |node| node.members.push(name.clone()));
        }
        if let Some(Open {
            kind: OpenKind::Object { names, .. },
            ..
        }) = self.open.last_mut()
            && !self.names.add(names, name)
        {
            return Err(ReadError::DuplicateName { offset });
        }
        let next = match next {
            Next::Unwanted => None,
            Next::Wanted(place) => {
                self.saw(place, |seen| seen.had += 1);
                Some(place)
            }
            Next::CaseVariant => return Err(ReadError::CaseVariant { offset }),
        };
        self.scan.space();
        if self.scan.peek() != Some(b':') {
            return Err(self.scan.fail("no colon after a name"));
        }
        self.scan.bump();
        self.scan.space();
        Ok(next)
    }

    fn check_depth(&self) -> Result<(), ReadError> {
        if self.open.len() < MAX_DEPTH {
            Ok(())
        } else {
            Err(self.scan.fail("nesting deeper than 128 levels"))
        }
    }
}

/// The part of a scalar that is kept.
impl<'b> Reader<'_, '_, 'b> {
    fn is_wanted(&self, place: Option<PlaceId>) -> bool {
        place.is_some() || self.taking.len() > self.taking_from
    }

    fn scalar(&mut self, place: Option<PlaceId>, scalar: Scalar<'b>) {
        self.for_taking(|node| node.values.push(scalar.clone()));
        let Some((id, place)) = place.and_then(|place| Some((place, self.wanted.place(place)?))) else {
            return;
        };
        self.saw(id, |seen| seen.leaf = true);
        if let Some(slot) = place.members {
            self.with(slot, |node| node.misfit = true);
        }
        if let Some(slot) = place.node {
            self.with(slot, |node| {
                node.found = true;
                node.values.push(scalar);
            });
        }
    }

    fn enter_array(&mut self, place: Option<PlaceId>) {
        let (outer_taking, outer_taking_from) = (self.taking.len(), self.taking_from);
        let mut each = None;
        if let Some((id, place)) = place.and_then(|place| Some((place, self.wanted.place(place)?))) {
            each = place.each;
            self.saw(id, |seen| seen.array = true);
            if let Some(slot) = place.members {
                self.with(slot, |node| node.misfit = true);
            }
            if let Some(slot) = place.node {
                self.with(slot, |node| node.found = true);
                self.taking.push(slot);
            }
        }
        self.open.push(Open {
            kind: OpenKind::Array { each },
            outer_taking,
            outer_taking_from,
        });
    }

    fn enter_object(&mut self, place: Option<PlaceId>) {
        let (outer_taking, outer_taking_from) = (self.taking.len(), self.taking_from);
        self.for_taking(|node| node.object = true);
        self.taking_from = outer_taking;
        if let Some((id, place)) = place.and_then(|place| Some((place, self.wanted.place(place)?))) {
            self.saw(id, |seen| seen.objects += 1);
            for slot in place.node.into_iter().chain(place.members) {
                self.with(slot, |node| {
                    node.found = true;
                    node.object = true;
                });
            }
        }
        let kind = OpenKind::Object {
            place,
            names: self.names.open(),
        };
        self.open.push(Open {
            kind,
            outer_taking,
            outer_taking_from,
        });
    }

    /// Leaves the innermost object or array.
    fn close(&mut self) {
        let Some(open) = self.open.pop() else { return };
        self.taking.truncate(open.outer_taking);
        self.taking_from = open.outer_taking_from;
        if let OpenKind::Object { names, .. } = open.kind {
            self.names.close(names);
        }
    }

    fn saw(&mut self, place: PlaceId, note: impl FnOnce(&mut Seen)) {
        if let Some(seen) = self.seen.get_mut(place.index()) {
            note(seen);
        }
    }

    /// Tells each place what those before it on the way to it lacked, or were. A member that an object lacks is missing, with all
    /// below it; what is below something of the wrong kind is a misfit.
    fn finish(mut self) -> Nodes<'b> {
        let mut told = vec![Told::default(); self.seen.len()];
        for (at, (place, seen)) in self.wanted.places().iter().zip(&self.seen).enumerate() {
            let own = told.get(at).copied().unwrap_or_default();
            if own != Told::default() {
                for slot in place.node.into_iter().chain(place.members) {
                    if let Some(node) = self.nodes.get_mut(slot.index()) {
                        node.missing |= own.missing;
                        node.lacking |= own.lacking;
                        node.misfit |= own.misfit;
                    }
                }
            }
            for member in &place.names {
                let id = member.place.index();
                let had = self.seen.get(id).map_or(0, |seen| seen.had);
                let missing = had < seen.objects;
                if let Some(told) = told.get_mut(id) {
                    told.missing |= own.missing || missing;
                    told.lacking |= own.lacking || missing && place.in_element;
                    told.misfit |= own.misfit || seen.leaf || seen.array;
                }
            }
            if let Some(told) = place.each.and_then(|each| told.get_mut(each.index())) {
                told.missing |= own.missing;
                told.lacking |= own.lacking;
                told.misfit |= own.misfit || seen.leaf || seen.objects > 0;
            }
        }
        Nodes(self.nodes)
    }

    fn for_taking(&mut self, mut change: impl FnMut(&mut Node<'b>)) {
        for slot in self.taking.get(self.taking_from..).unwrap_or_default() {
            if let Some(node) = self.nodes.get_mut(slot.index()) {
                change(node);
            }
        }
    }

    fn with(&mut self, slot: Slot, change: impl FnOnce(&mut Node<'b>)) {
        if let Some(node) = self.nodes.get_mut(slot.index()) {
            change(node);
        }
    }
}

/// What the places on the way to a place have to tell it.
#[derive(Clone, Copy, Default, PartialEq)]
struct Told {
    missing: bool,
    lacking: bool,
    misfit: bool,
}

fn has_control(name: &str) -> bool {
    name.contains(char::is_control)
}
