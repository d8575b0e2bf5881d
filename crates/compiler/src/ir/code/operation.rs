//! The operations of code.

use crate::ir::glob::ByteSet;

pub(super) const LITERAL: u8 = 1;
pub(super) const ANY: u8 = 2;
pub(super) const RUN: u8 = 3;
pub(super) const DIGITS: u8 = 4;
pub(super) const SEGMENT: u8 = 5;
pub(super) const ALTERNATIVE: u8 = 6;
/// A run without an upper limit.
pub(super) const UNLIMITED: u8 = u8::MAX;

pub(super) enum Operation<'c> {
    Literal(&'c [u8]),
    /// Any text, with the code up to the next operation of this kind, or the end.
    Any(&'c [u8]),
    Run(Run),
}

#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) set: ByteSet,
    pub(super) min: u8,
    pub(super) max: u8,
}

impl<'c> Operation<'c> {
    /// Splits the first operation from the code.
    pub(super) fn split(code: &'c [u8]) -> Option<(Self, &'c [u8])> {
        let (kind, rest) = code.split_first()?;
        let (set, rest) = match *kind {
            LITERAL | ANY => {
                let (length, rest) = rest.split_first_chunk()?;
                let (bytes, behind) = rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))?;
                return Some(if *kind == LITERAL {
                    (Self::Literal(bytes), behind)
                } else {
                    (Self::Any(bytes), rest)
                });
            }
            DIGITS => (ByteSet::DIGITS, rest),
            SEGMENT => (ByteSet::ALL_BUT_SLASH, rest),
            RUN => {
                let (set, rest) = rest.split_first_chunk()?;
                (ByteSet::from_bytes(*set), rest)
            }
            _ => return None,
        };
        let ([min, max], rest) = rest.split_first_chunk()?;
        Some((
            Self::Run(Run {
                set,
                min: *min,
                max: *max,
            }),
            rest,
        ))
    }
}
