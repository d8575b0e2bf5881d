//! A text that two patterns of globs both match, found without their automata: pairs of positions in the two globs.
//!
//! The answer is exact: a glob is a sequence of bytes, sets and repeated sets, and a text that both match leads both positions from
//! the start to the end. Most pairs end at the first byte that differs. A glob with long counted runs has too many positions, and
//! is left to the automata.

use std::collections::VecDeque;

use super::product::rank;
use crate::ir::{Atom, ByteSet, Glob, Matcher};

/// Positions that a glob may have.
const POSITIONS: usize = 512;

/// The texts that two matchers share.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Overlap {
    /// None.
    Nothing,
    /// This one, and perhaps others.
    Text(String),
    /// Not decided here.
    Unknown,
}

/// A matcher as globs, each a sequence of steps.
pub(crate) struct Paces(Vec<Vec<Pace>>);

/// One step of a glob.
#[derive(Clone, Copy)]
struct Pace {
    bytes: Bytes,
    kind: Kind,
}

#[derive(Clone, Copy)]
enum Bytes {
    One(u8),
    Of(ByteSet),
    All,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// One byte.
    Once,
    /// One byte or none.
    Optional,
    /// Any number of bytes.
    Repeated,
}

impl Paces {
    /// The steps of a matcher; `None` if it is not one of globs, or too large.
    pub(crate) fn of(matcher: &Matcher) -> Option<Self> {
        let Matcher::Glob(code) = matcher else { return None };
        let globs = code.globs()?;
        globs.iter().map(paces).collect::<Option<Vec<_>>>().map(Self)
    }

    /// A text that both match.
    pub(super) fn overlap(&self, other: &Self) -> Overlap {
        let mut is_unknown = false;
        for one in &self.0 {
            for other in &other.0 {
                let Some(text) = shared(one, other) else { continue };
                // A set of bytes above ASCII may leave no way to spell characters.
                match String::from_utf8(text) {
                    Ok(text) => return Overlap::Text(text),
                    Err(_) => is_unknown = true,
                }
            }
        }
        if is_unknown {
            Overlap::Unknown
        } else {
            Overlap::Nothing
        }
    }
}

fn paces(glob: &Glob) -> Option<Vec<Pace>> {
    let mut out = Vec::new();
    for atom in glob.atoms() {
        let mut push = |bytes, kind, count: u32| {
            let count = usize::try_from(count)
                .ok()
                .filter(|count| out.len() + count <= POSITIONS)?;
            out.extend(std::iter::repeat_n(Pace { bytes, kind }, count));
            Some(())
        };
        match atom {
            Atom::Literal(text) => {
                for byte in text {
                    push(Bytes::One(*byte), Kind::Once, 1)?;
                }
            }
            Atom::Any => push(Bytes::All, Kind::Repeated, 1)?,
            Atom::Run { set, min, max } => {
                push(Bytes::Of(*set), Kind::Once, *min)?;
                match max {
                    None => push(Bytes::Of(*set), Kind::Repeated, 1)?,
                    Some(max) => push(Bytes::Of(*set), Kind::Optional, max.saturating_sub(*min))?,
                }
            }
        }
    }
    Some(out)
}

/// A pair of positions, and how it was reached.
struct Reached {
    pair: (usize, usize),
    from: usize,
    byte: Option<u8>,
}

/// A shortest text that both globs match, of readable bytes.
fn shared(one: &[Pace], other: &[Pace]) -> Option<Vec<u8>> {
    // The common beginning of most pairs needs no memory of pairs.
    let begin = one.iter().zip(other);
    for (own, their) in begin {
        match (own, their) {
            (
                Pace {
                    bytes: Bytes::One(own),
                    ..
                },
                Pace {
                    bytes: Bytes::One(their),
                    ..
                },
            ) if own == their => {}
            (
                Pace {
                    bytes: Bytes::One(_), ..
                },
                Pace {
                    bytes: Bytes::One(_), ..
                },
            ) => return None,
            _ => break,
        }
    }
    let width = other.len() + 1;
    let mut known = vec![false; (one.len() + 1) * width];
    let mut reached = vec![Reached {
        pair: (0, 0),
        from: 0,
        byte: None,
    }];
    let mut open = VecDeque::from([0]);
    while let Some(at) = open.pop_front() {
        let Some(Reached {
            pair: (own, their), ..
        }) = reached.get(at)
        else {
            break;
        };
        let (own, their) = (*own, *their);
        match known.get_mut(own * width + their) {
            Some(seen) if !*seen => *seen = true,
            _ => continue,
        }
        if own == one.len() && their == other.len() {
            return Some(spell(&reached, at));
        }
        let (first, second) = (one.get(own), other.get(their));
        let mut go = |pair: (usize, usize), byte: Option<u8>, is_free: bool| {
            if known.get(pair.0 * width + pair.1) == Some(&false) {
                reached.push(Reached { pair, from: at, byte });
                let number = reached.len() - 1;
                // What costs no byte comes first, so that the text stays a shortest one.
                if is_free {
                    open.push_front(number)
                } else {
                    open.push_back(number)
                }
            }
        };
        let may_skip = |pace: Option<&Pace>| pace.is_some_and(|pace| pace.kind != Kind::Once);
        if may_skip(first) {
            go((own + 1, their), None, true);
        }
        if may_skip(second) {
            go((own, their + 1), None, true);
        }
        if let (Some(first), Some(second)) = (first, second)
            && let Some(byte) = first.bytes.both(second.bytes)
        {
            let after = |at: usize, pace: &Pace| at + usize::from(pace.kind != Kind::Repeated);
            go((after(own, first), after(their, second)), Some(byte), false);
        }
    }
    None
}

fn spell(reached: &[Reached], mut at: usize) -> Vec<u8> {
    let mut text = Vec::new();
    while let Some(Reached { from, byte, .. }) = reached.get(at) {
        text.extend(byte);
        if at == 0 {
            break;
        }
        at = *from;
    }
    text.reverse();
    text
}

impl Bytes {
    fn contains(self, byte: u8) -> bool {
        match self {
            Self::One(own) => own == byte,
            Self::Of(set) => set.contains(byte),
            Self::All => true,
        }
    }

    /// The most readable byte of both.
    fn both(self, other: Self) -> Option<u8> {
        match (self, other) {
            (Self::One(byte), other) | (other, Self::One(byte)) => other.contains(byte).then_some(byte),
            (Self::All, Self::All) => Some(b'a'),
            (Self::Of(_), _) | (_, Self::Of(_)) => {
                if self.contains(b'a') && other.contains(b'a') {
                    return Some(b'a');
                }
                let bytes = 0..=u8::MAX;
                bytes
                    .filter(|byte| self.contains(*byte) && other.contains(*byte))
                    .min_by_key(|byte| rank(*byte))
            }
        }
    }
}

#[cfg(test)]
mod tests;
