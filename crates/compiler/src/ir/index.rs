//! Which entries of a long segment can match a path at all, by the literals that their globs must begin with.
//!
//! An entry whose glob begins with a literal can match only a path that begins with it; one that begins with `.*` and a
//! literal with a `/` in front, only a path that has it behind some `/`. The literals, cut to a few lengths, stand in a
//! hash table; the path is looked up at each of these lengths. What the table finds is then matched as always, so a
//! collision costs time and never a decision.

use super::{
    code,
    layout::{Layout, Segment},
};

/// Segments of fewer entries are read through faster.
const WORTHWHILE: usize = 16;
/// Lengths at which literals are cut.
const LENGTHS: usize = 6;
/// Candidates that fit on the stack; a path with more is decided by reading the segment through.
const CANDIDATES: usize = 64;
/// Literals shorter than this tell too little apart.
const SHORTEST: usize = 4;

/// The index of one segment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// Cuts of literals that stand at the start, in bytes, ascending.
    anchored: Vec<u8>,
    /// Cuts of literals that stand behind `.*`.
    floating: Vec<u8>,
    /// Open addressing; its length is a power of two, and at least half of it is empty.
    table: Vec<Slot>,
    /// Entries that any path may match.
    always: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    hash: u32,
    /// The entry's offset in its segment; `u32::MAX`: empty.
    entry: u32,
}

const EMPTY: Slot = Slot {
    hash: 0,
    entry: u32::MAX,
};

/// Offsets of entries, ascending, without repetition.
pub(super) struct Candidates {
    offsets: [u32; CANDIDATES],
    length: usize,
}

impl Candidates {
    pub(super) fn offsets(&self) -> &[u32] {
        self.offsets.get(..self.length).unwrap_or_default()
    }

    /// Adds an offset in its place; false if there is no room.
    fn add(&mut self, offset: u32) -> bool {
        let at = self.offsets().partition_point(|known| *known < offset);
        if self.offsets().get(at) == Some(&offset) {
            return true;
        }
        let Some(tail) = self.offsets.get_mut(at..=self.length) else {
            return false;
        };
        tail.rotate_right(1);
        if let Some(place) = tail.first_mut() {
            *place = offset;
        }
        self.length += 1;
        true
    }
}

/// What an entry's glob begins with.
enum Start<'c> {
    Anchored(&'c [u8]),
    Floating(&'c [u8]),
    Unknown,
}

impl Index {
    /// The index of a segment; `None` where reading it through is as good.
    pub(crate) fn new(layout: &Layout, segment: Segment) -> Option<Self> {
        let entries: Vec<(u32, Start<'_>)> = layout
            .entries(segment)
            .map(|(at, entry)| (at, start(entry.glob())))
            .collect();
        if entries.len() < WORTHWHILE {
            return None;
        }
        let lengths =
            |of: fn(&Start<'_>) -> Option<usize>| cuts(entries.iter().filter_map(|(_, start)| of(start)));
        let mut index = Self {
            anchored: lengths(|start| match start {
                Start::Anchored(literal) => Some(literal.len()),
                _ => None,
            }),
            floating: lengths(|start| match start {
                Start::Floating(literal) => Some(literal.len()),
                _ => None,
            }),
            table: vec![EMPTY; (entries.len() * 2).next_power_of_two()],
            always: Vec::new(),
        };
        for (at, start) in &entries {
            let (literal, cuts, seed) = match start {
                Start::Anchored(literal) => (*literal, &index.anchored, ANCHORED),
                Start::Floating(literal) => (*literal, &index.floating, FLOATING),
                Start::Unknown => {
                    index.always.push(*at);
                    continue;
                }
            };
            let cut = cuts
                .iter()
                .rev()
                .map(|cut| usize::from(*cut))
                .find(|cut| *cut <= literal.len());
            match cut.and_then(|cut| literal.get(..cut)) {
                Some(key) => index.insert(hash(key, seed), *at),
                None => index.always.push(*at),
            }
        }
        (index.always.len() < CANDIDATES / 2).then_some(index)
    }

    fn insert(&mut self, hash: u32, entry: u32) {
        let mask = self.table.len() - 1;
        let mut at = hash as usize & mask;
        while let Some(slot) = self.table.get_mut(at) {
            if slot.entry == EMPTY.entry {
                *slot = Slot { hash, entry };
                return;
            }
            at = (at + 1) & mask;
        }
    }

    /// The entries that the path may match; `None`: too many to list.
    pub(super) fn candidates(&self, path: &[u8]) -> Option<Candidates> {
        let mut found = Candidates {
            offsets: [0; CANDIDATES],
            length: 0,
        };
        for at in &self.always {
            found.add(*at).then_some(())?;
        }
        for cut in &self.anchored {
            let Some(key) = path.get(..usize::from(*cut)) else {
                break;
            };
            self.look_up(hash(key, ANCHORED), &mut found)?;
        }
        if !self.floating.is_empty() {
            for slash in memchr::memchr_iter(b'/', path) {
                let rest = path.get(slash..).unwrap_or_default();
                for cut in &self.floating {
                    let Some(key) = rest.get(..usize::from(*cut)) else {
                        break;
                    };
                    self.look_up(hash(key, FLOATING), &mut found)?;
                }
            }
        }
        Some(found)
    }

    fn look_up(&self, hash: u32, found: &mut Candidates) -> Option<()> {
        let mask = self.table.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.table.get(at).filter(|slot| slot.entry != EMPTY.entry);
            let Some(slot) = slot else { return Some(()) };
            if slot.hash == hash {
                found.add(slot.entry).then_some(())?;
            }
            at = (at + 1) & mask;
        }
    }
}

fn start(glob: Option<&[u8]>) -> Start<'_> {
    match glob.map(code::leading_literal) {
        Some(Some((literal, false))) => Start::Anchored(literal),
        Some(Some((literal, true))) if literal.starts_with(b"/") => Start::Floating(literal),
        _ => Start::Unknown,
    }
}

/// At most [`LENGTHS`] lengths, so chosen that each given length has one that is not much shorter.
fn cuts(lengths: impl Iterator<Item = usize>) -> Vec<u8> {
    let mut all: Vec<u8> = lengths
        .filter(|length| *length >= SHORTEST)
        .map(|length| u8::try_from(length).unwrap_or(u8::MAX))
        .collect();
    all.sort_unstable();
    // The shortest always stays, so that no literal falls through; the others are taken at even ranks.
    let mut chosen: Vec<u8> = (0..LENGTHS)
        .filter_map(|rank| all.get(rank * all.len() / LENGTHS).copied())
        .collect();
    chosen.dedup();
    chosen
}

const ANCHORED: u64 = 0x9E37_79B9_7F4A_7C15;
const FLOATING: u64 = 0xD1B5_4A32_D192_ED03;

/// Eight bytes a step, by multiply and fold as wyhash does. Not keyed: who writes the policy gains nothing by colliding.
fn hash(key: &[u8], seed: u64) -> u32 {
    let mut state = seed ^ key.len() as u64;
    let (words, rest) = key.as_chunks::<8>();
    for word in words {
        state = fold(state ^ u64::from_le_bytes(*word));
    }
    let mut last = [0; 8];
    for (place, byte) in last.iter_mut().zip(rest) {
        *place = *byte;
    }
    let state = fold(state ^ u64::from_le_bytes(last));
    let [a, b, c, d, ..] = state.to_le_bytes();
    u32::from_le_bytes([a, b, c, d])
}

fn fold(word: u64) -> u64 {
    let product = u128::from(word) * 0xA076_1D64_78BD_642F;
    let [low, high] = [product, product >> 64].map(|half| {
        let [a, b, c, d, e, f, g, h, ..] = half.to_le_bytes();
        u64::from_le_bytes([a, b, c, d, e, f, g, h])
    });
    low ^ high
}
