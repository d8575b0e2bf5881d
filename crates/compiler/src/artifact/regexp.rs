//! Regexps as trees: node for node, because no text that can be printed of a tree reads back as the same tree for sure
//! (`a{2}?` is what `regex_syntax` prints of an optional `a{2}`, and reads as a lazy one).

use regex_syntax::hir::{
    Class, ClassBytes, ClassBytesRange, ClassUnicode, ClassUnicodeRange, Hir, HirKind, Look, Repetition,
};

use super::{
    DecodeError,
    bytes::{Reader, Writer},
};

const EMPTY: u8 = 0;
const LITERAL: u8 = 1;
const CHARACTERS: u8 = 2;
const BYTES: u8 = 3;
const LOOK: u8 = 4;
const REPETITION: u8 = 5;
const CONCAT: u8 = 6;
const ALTERNATION: u8 = 7;

/// How deep a tree may be: a level of the text's nesting, which the parser bounds, becomes no more than four of the tree.
const MAX_DEPTH: u32 = 4 * crate::regexp::MAX_NESTING;

pub(super) fn encode(out: &mut Writer, hir: &Hir) {
    // A tag for each kind of node, then its content; `decode` reads the same order.
    match hir.kind() {
        HirKind::Empty => out.u8(EMPTY),
        HirKind::Literal(literal) => {
            out.u8(LITERAL);
            out.bytes(&literal.0);
        }
        HirKind::Class(Class::Unicode(set)) => {
            out.u8(CHARACTERS);
            out.list(set.ranges(), |out, range| {
                out.u32(range.start().into());
                out.u32(range.end().into());
            });
        }
        HirKind::Class(Class::Bytes(set)) => {
            out.u8(BYTES);
            out.list(set.ranges(), |out, range| {
                out.u8(range.start());
                out.u8(range.end());
            });
        }
        HirKind::Look(look) => {
            out.u8(LOOK);
            out.u32(look.as_repr());
        }
        HirKind::Repetition(repetition) => {
            out.u8(REPETITION);
            out.u32(repetition.min);
            out.option(repetition.max, Writer::u32);
            out.bool(repetition.greedy);
            encode(out, &repetition.sub);
        }
        // Groups capture nothing here: whole texts match, or do not.
        HirKind::Capture(capture) => encode(out, &capture.sub),
        HirKind::Concat(parts) => {
            out.u8(CONCAT);
            out.list(parts, encode);
        }
        HirKind::Alternation(branches) => {
            out.u8(ALTERNATION);
            out.list(branches, encode);
        }
    }
}

pub(super) fn decode(reader: &mut Reader<'_>) -> Result<Hir, DecodeError> {
    node(reader, MAX_DEPTH)
}

fn node(reader: &mut Reader<'_>, depth: u32) -> Result<Hir, DecodeError> {
    // Depth is bounded, since bytes could nest deeper than the stack is.
    let below = |reader: &mut Reader<'_>| {
        let depth = depth
            .checked_sub(1)
            .ok_or(DecodeError::Damaged("a regexp that is nested too deep"))?;
        node(reader, depth)
    };
    // Content by tag, in the order in which `encode` writes it.
    Ok(match reader.u8()? {
        EMPTY => Hir::empty(),
        LITERAL => Hir::literal(reader.bytes()?),
        CHARACTERS => {
            let ranges = reader.list(8, |reader| {
                let (start, end) = (character(reader)?, character(reader)?);
                Ok(ClassUnicodeRange::new(start, end))
            })?;
            Hir::class(Class::Unicode(ClassUnicode::new(ranges)))
        }
        BYTES => {
            let ranges = reader.list(2, |reader| Ok(ClassBytesRange::new(reader.u8()?, reader.u8()?)))?;
            Hir::class(Class::Bytes(ClassBytes::new(ranges)))
        }
        LOOK => Look::from_repr(reader.u32()?)
            .map(Hir::look)
            .ok_or(DecodeError::Damaged("an unknown assertion of a regexp"))?,
        REPETITION => {
            let (min, max) = (reader.u32()?, reader.option(Reader::u32)?);
            let (greedy, sub) = (reader.bool()?, Box::new(below(reader)?));
            if max.is_some_and(|max| max < min) {
                return Err(DecodeError::Damaged("a repetition that ends before it begins"));
            }
            Hir::repetition(Repetition {
                min,
                max,
                greedy,
                sub,
            })
        }
        CONCAT => Hir::concat(reader.nested(below)?),
        ALTERNATION => Hir::alternation(reader.nested(below)?),
        _ => return Err(DecodeError::Damaged("an unknown part of a regexp")),
    })
}

fn character(reader: &mut Reader<'_>) -> Result<char, DecodeError> {
    char::from_u32(reader.u32()?).ok_or(DecodeError::Damaged("a number that is not a character"))
}

#[cfg(test)]
mod tests;
