//! The stored form of the evidence for a decision, part of a decision since version 2 of the content.
//!
//! Number of nodes, each with path, kind and value; then number of tried lines, each with flags, file, number, digest and
//! constraints. A constraint is one number: that of its text and, in the lowest two bits, whether it held.

use crate::format::bytes::{Cursor, Malformed, put_number};
use crate::format::text_table::{TextTable, TextTableWriter};
use crate::model::evidence::{Constraint, Held, Kept, LineRef, NodeKind, NodeValue, Tried};
use crate::model::record::TEXT_LIMIT;

const TEXT: u8 = 0;
const HASH: u8 = 4;
const DROPPED: u8 = 8;
const FORBIDS: u8 = 4;

/// Appends it.
pub(crate) fn put(nodes: &[NodeValue], tried: &[Tried], texts: &mut TextTableWriter, out: &mut Vec<u8>) {
    put_length(out, nodes.len());
    for NodeValue { path, kind, value } in nodes {
        put_number(out, texts.number(path.as_bytes()));
        let (how, text) = match value {
            Kept::Text(text) => (TEXT, Some(text)),
            Kept::Hash(text) => (HASH, Some(text)),
            Kept::Dropped => (DROPPED, None),
        };
        out.push(how | kind_bits(*kind));
        if let Some(text) = text {
            put_number(out, texts.number(text.as_bytes()));
        }
    }
    put_length(out, tried.len());
    for tried in tried {
        out.push(held_bits(tried.held) | if tried.forbids { FORBIDS } else { 0 });
        put_number(out, texts.number(tried.line.file.as_bytes()));
        put_number(out, tried.line.number.into());
        put_number(out, texts.number(tried.line.digest.as_bytes()));
        put_length(out, tried.constraints.len());
        for constraint in &tried.constraints {
            let text = texts.number(constraint.text.as_bytes());
            put_number(out, text << 2 | u64::from(held_bits(constraint.held)));
        }
    }
}

fn put_length(out: &mut Vec<u8>, length: usize) {
    put_number(out, u64::try_from(length).unwrap_or(u64::MAX));
}

fn kind_bits(kind: NodeKind) -> u8 {
    match kind {
        NodeKind::String => 0,
        NodeKind::Number => 1,
        NodeKind::Boolean => 2,
        NodeKind::Null => 3,
    }
}

fn held_bits(held: Held) -> u8 {
    match held {
        Held::No => 0,
        Held::Yes => 1,
        Held::Unknown => 2,
    }
}

fn held(bits: u8) -> Result<Held, Malformed> {
    match bits {
        0 => Ok(Held::No),
        1 => Ok(Held::Yes),
        2 => Ok(Held::Unknown),
        _ => Err(Malformed("the result of a constraint is unknown")),
    }
}

/// How many bytes of texts a decision may still have: one text may be named many times, and each time is copied.
struct Room(usize);

impl Room {
    fn copy(&mut self, text: &str) -> Result<String, Malformed> {
        let left = self.0.checked_sub(text.len());
        self.0 = left.ok_or(Malformed("a decision is larger than the maximum"))?;
        Ok(text.to_owned())
    }
}

/// Reads what [`put`] writes.
pub(crate) fn read(
    texts: &TextTable<'_>,
    from: &mut Cursor<'_>,
) -> Result<(Vec<NodeValue>, Vec<Tried>), Malformed> {
    let mut room = Room(TEXT_LIMIT);
    let nodes = read_nodes(texts, from, &mut room)?;
    let tried = read_tried(texts, from, &mut room)?;
    Ok((nodes, tried))
}

fn read_nodes(
    texts: &TextTable<'_>,
    from: &mut Cursor<'_>,
    room: &mut Room,
) -> Result<Vec<NodeValue>, Malformed> {
    let mut nodes = Vec::new();
    for _ in 0..from.number()? {
        let path = room.copy(texts.text(from)?)?;
        let how = from.byte()?;
        let kind = match how & 3 {
            0 => NodeKind::String,
            1 => NodeKind::Number,
            2 => NodeKind::Boolean,
            _ => NodeKind::Null,
        };
        let value = match how & !3 {
            TEXT => Kept::Text(room.copy(texts.text(from)?)?),
            HASH => Kept::Hash(room.copy(texts.text(from)?)?),
            DROPPED => Kept::Dropped,
            _ => return Err(Malformed("the form of a stored value is unknown")),
        };
        nodes.push(NodeValue { path, kind, value });
    }
    Ok(nodes)
}

fn read_tried(
    texts: &TextTable<'_>,
    from: &mut Cursor<'_>,
    room: &mut Room,
) -> Result<Vec<Tried>, Malformed> {
    let mut tried = Vec::new();
    for _ in 0..from.number()? {
        let flags = from.byte()?;
        let line = LineRef {
            file: room.copy(texts.text(from)?)?,
            number: from.small()?,
            digest: room.copy(texts.text(from)?)?,
        };
        let mut constraints = Vec::new();
        for _ in 0..from.number()? {
            let number = from.number()?;
            constraints.push(Constraint {
                text: room.copy(texts.numbered(number >> 2)?)?,
                held: held(u8::try_from(number & 3).unwrap_or(u8::MAX))?,
            });
        }
        tried.push(Tried {
            line,
            forbids: flags & FORBIDS != 0,
            held: held(flags & !FORBIDS)?,
            constraints,
        });
    }
    Ok(tried)
}
