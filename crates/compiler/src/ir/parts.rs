//! A program that is put together from the programs of parts of a policy.
//!
//! A part has its own tables and its own layout, and nothing in it says where it is. So a policy in which one token changed shares
//! all other parts with the policy before. Every token is whole in one part, and a decision reads that part only.
//!
//! Ids of such a program have the number of the part in their upper 16 bits. The number of a part does not depend on the order
//! of the parts, and a part keeps its number.

use std::sync::Arc;

use super::{LineId, TokenId};

/// Bits of an id that a part gives.
const WITHIN: u32 = 16;
/// Maximum number of parts, and of tokens, and of lines, in a part.
pub(crate) const MOST_IN_PART: usize = 1 << WITHIN;

/// One part.
#[derive(Clone, Debug)]
pub(crate) struct Part<P> {
    /// Its program, bound. Lines of the part's own file are numbered from the beginning of the part.
    pub(crate) program: Arc<P>,
    /// The file that it is a part of.
    pub(crate) file: Arc<str>,
    /// The lines of that file in front of the part.
    pub(crate) lines_before: u32,
}

/// The parts of a program.
#[derive(Clone, Debug)]
pub(crate) struct Parts<P> {
    /// The parts by their numbers; a number can be free.
    pub(crate) numbered: Vec<Option<Part<P>>>,
    /// The numbers of the parts, in source order.
    pub(crate) order: Vec<u16>,
}

/// A token in the program that decides its requests.
pub(crate) struct Within<'p, P> {
    pub(crate) program: &'p P,
    pub(crate) token: TokenId,
    part: u16,
}

impl<P> Parts<P> {
    /// The part with a number.
    pub(crate) fn get(&self, number: u16) -> Option<&Part<P>> {
        self.numbered.get(usize::from(number))?.as_ref()
    }

    /// The parts with their numbers, in source order.
    pub(crate) fn each(&self) -> impl Iterator<Item = (u16, &Part<P>)> {
        let parts = self.order.iter();
        parts.filter_map(|number| Some((*number, self.get(*number)?)))
    }

    /// The program of a token; `None` for an id that these parts did not give.
    pub(crate) fn of_token(&self, token: TokenId) -> Option<Within<'_, P>> {
        let (part, local) = split(token.0);
        Some(Within {
            program: &self.get(part)?.program,
            token: TokenId(local),
            part,
        })
    }

    /// The part of a line, and the line's id in it.
    pub(crate) fn of_line(&self, line: LineId) -> Option<(&Part<P>, LineId)> {
        let (part, local) = split(line.0);
        Some((self.get(part)?, LineId(local)))
    }
}

impl<P> Within<'_, P> {
    /// The id of a line of this part in the whole program.
    pub(crate) fn line(&self, line: LineId) -> LineId {
        line_in(self.part, line)
    }
}

/// The id in the whole program of a part's line.
pub(crate) fn line_in(part: u16, line: LineId) -> LineId {
    LineId(joined(part, line.0))
}

/// The id in the whole program of a part's token.
pub(crate) fn token_in(part: u16, token: TokenId) -> TokenId {
    TokenId(joined(part, token.0))
}

fn joined(part: u16, local: u32) -> u32 {
    u32::from(part) << WITHIN | local
}

fn split(id: u32) -> (u16, u32) {
    let part = u16::try_from(id >> WITHIN).unwrap_or(u16::MAX);
    (part, id & ((1 << WITHIN) - 1))
}
