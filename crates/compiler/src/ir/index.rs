//! Which entries of a long segment can match a request at all, by literals that their globs must begin with.
//!
//! An entry whose URL is a literal can match that path alone; one whose URL begins with a literal can match only a path that begins with it; one that begins with `.*` and a
//! literal with a `/` in front, only a path that has it behind some `/`; a permit line that wants a parameter, only a
//! query in which that parameter begins as the line says. Each entry stands under the one of these that it shares with
//! the fewest others. The literals, cut to a few lengths, are keys of a hash table; the request is looked up at each
//! length. What the table finds is then matched as always, so a collision costs time and never a decision.

mod hash;

use std::collections::HashMap;

use self::hash::{Family, SHORTEST, each_cut};
use super::{Program, asks::TextTest, code, code::Beginning, entry::Entry, sought::Sought};
use crate::ast::{Effect, Operator};

/// Lengths at which literals are cut.
const LENGTHS: usize = 6;
/// Lists that one request may find; with more its decision reads the segment through.
const LISTS: usize = 16;
/// Paths of more bytes are searched by vectors.
const SHORT: usize = 64;

/// The index of one segment.
#[derive(Clone, Debug, Default)]
pub(crate) struct Index {
    /// Lengths at which literals are cut, ascending, for each family.
    cuts: [Vec<u8>; Family::COUNT],
    /// How literals behind `.*` begin: a bit for each hash of [`SHORTEST`] bytes.
    floating: u64,
    /// Open addressing; its length is a power of two, and at least half of it is empty.
    table: Vec<Slot>,
    /// Offsets of entries, list after list, each ascending.
    entries: Vec<u32>,
    /// Those that any request may match, ascending.
    always: Vec<u32>,
}

/// A key, and its list among the entries.
#[derive(Clone, Copy, Debug, Default)]
struct Slot {
    hash: u32,
    start: u32,
    /// An empty list: the slot is free.
    end: u32,
}

/// What an entry's match must begin with.
struct Literal<'c> {
    family: Family,
    /// A parameter's name.
    name: &'c [u8],
    text: &'c [u8],
}

impl Index {
    /// Segments of fewer entries are read through faster.
    pub(super) const WORTHWHILE: usize = 16;

    /// The index of a segment; `None` where reading it through is as good.
    pub(crate) fn new(program: &Program, effect: Effect, segment: &[u8]) -> Option<Self> {
        self::entries(segment).nth(Self::WORTHWHILE - 1)?;
        let entries: Vec<_> = self::entries(segment).collect();
        let choices: Vec<Vec<Vec<Literal<'_>>>> = entries
            .iter()
            .map(|(_, entry)| choices(program, (effect, entry)))
            .collect();
        let all = || choices.iter().flatten().flatten();
        let cuts = Family::ALL.map(|family| cuts(all().filter(|literal| literal.family == family)));
        // For each entry and choice, the keys under which it would stand.
        let keys: Vec<Vec<Vec<u32>>> = choices
            .iter()
            .map(|choices| {
                let keys = choices.iter().map(|literals| {
                    let keys = literals.iter().map(|literal| key(literal, &cuts));
                    keys.collect::<Option<Vec<u32>>>()
                });
                keys.flatten().collect()
            })
            .collect();
        let mut shared: HashMap<u32, usize> = HashMap::new();
        for key in keys.iter().flatten().flatten() {
            *shared.entry(*key).or_default() += 1;
        }
        let crowd = |keys: &Vec<u32>| keys.iter().filter_map(|key| shared.get(key)).max().copied();
        let mut lists: HashMap<u32, Vec<u32>> = HashMap::new();
        let mut always = Vec::new();
        for ((at, _), choices) in entries.iter().zip(&keys) {
            match choices.iter().min_by_key(|keys| crowd(keys)) {
                Some(keys) => keys
                    .iter()
                    .for_each(|key| lists.entry(*key).or_default().push(*at)),
                None => always.push(*at),
            }
        }
        let floating = all().filter(|literal| literal.family == Family::Floating);
        let mut index = Self {
            cuts,
            floating: floating.fold(0, |bits, literal| bits | hash::bit(literal.text)),
            table: vec![Slot::default(); (lists.len() * 2).next_power_of_two()],
            entries: Vec::new(),
            always,
        };
        // Sorted, so that equal policies have equal tables.
        let mut lists: Vec<_> = lists.into_iter().collect();
        lists.sort_unstable();
        for (key, mut list) in lists {
            // Two alternatives of one line may have one key.
            list.dedup();
            index.insert(key, &list);
        }
        Some(index)
    }

    fn insert(&mut self, hash: u32, list: &[u32]) {
        let start = super::index(self.entries.len());
        self.entries.extend(list);
        let end = super::index(self.entries.len());
        let mask = self.table.len() - 1;
        let mut at = hash as usize & mask;
        while let Some(slot) = self.table.get_mut(at) {
            if slot.start == slot.end {
                *slot = Slot { hash, start, end };
                return;
            }
            at = (at + 1) & mask;
        }
    }

    /// The entries that the request may match; `None`: too many lists.
    pub(super) fn candidates<'i>(&'i self, sought: Sought<'_>, found: &mut Candidates<'i>) -> Option<()> {
        found.used = 0;
        found.add(&self.always)?;
        let path = sought.path.as_bytes();
        let [_, anchored, floating, params] = &self.cuts;
        self.look_up(hash::of_whole(Family::Whole.seed(&[]), path), found)?;
        each_cut(Family::Anchored.seed(&[]), path, anchored, |hash| {
            self.look_up(hash, found)
        })?;
        if !floating.is_empty() {
            let mut look_behind = |slash: usize| {
                let rest = path.get(slash..).unwrap_or_default();
                if self.floating & hash::bit(rest) == 0 {
                    return Some(());
                }
                each_cut(Family::Floating.seed(&[]), rest, floating, |hash| {
                    self.look_up(hash, found)
                })
            };
            // A search by vectors is for longer texts than most paths are.
            if path.len() <= SHORT {
                for (at, byte) in path.iter().enumerate() {
                    if *byte == b'/' {
                        look_behind(at)?;
                    }
                }
            } else {
                memchr::memchr_iter(b'/', path).try_for_each(look_behind)?;
            }
        }
        if !params.is_empty() {
            for param in sought.query {
                let seed = Family::Param.seed(param.name.as_bytes());
                let value = param.value.unwrap_or_default().as_bytes();
                each_cut(seed, value, params, |hash| self.look_up(hash, found))?;
            }
        }
        Some(())
    }

    /// Whether an entry is a candidate of every request that its code and tests match: it stands among those of all
    /// requests, or, of some choice, under each literal that a match begins with.
    pub(super) fn names(&self, program: &Program, effect: Effect, (at, entry): (u32, &Entry<'_>)) -> bool {
        let stands_under = |literal: &Literal<'_>| {
            let seen = literal.family != Family::Floating || self.floating & hash::bit(literal.text) != 0;
            let mut found = Candidates::default();
            let listed = key(literal, &self.cuts).and_then(|key| self.look_up(key, &mut found));
            seen && listed.is_some() && found.any(|candidate| candidate == at)
        };
        self.always.contains(&at)
            || choices(program, (effect, entry))
                .iter()
                .any(|literals| literals.iter().all(stands_under))
    }

    fn look_up<'i>(&'i self, hash: u32, found: &mut Candidates<'i>) -> Option<()> {
        let mask = self.table.len() - 1;
        let mut at = hash as usize & mask;
        loop {
            let slot = self.table.get(at).filter(|slot| slot.start < slot.end);
            let Some(slot) = slot else { return Some(()) };
            if slot.hash == hash {
                return found.add(self.entries.get(slot.start as usize..slot.end as usize)?);
            }
            at = (at + 1) & mask;
        }
    }
}

/// Offsets of entries, ascending, without repetition.
#[derive(Default)]
pub(super) struct Candidates<'i> {
    lists: [&'i [u32]; LISTS],
    used: usize,
}

impl<'i> Candidates<'i> {
    /// Adds a list; `None` if there is no room.
    fn add(&mut self, list: &'i [u32]) -> Option<()> {
        if !list.is_empty() {
            *self.lists.get_mut(self.used)? = list;
            self.used += 1;
        }
        Some(())
    }
}

impl Iterator for Candidates<'_> {
    type Item = u32;

    fn next(&mut self) -> Option<u32> {
        let lists = self.lists.get_mut(..self.used)?;
        let least = lists.iter().filter_map(|list| list.first()).min().copied()?;
        for list in lists {
            if let Some((first, rest)) = list.split_first()
                && *first == least
            {
                *list = rest;
            }
        }
        Some(least)
    }
}

/// Every entry of a segment with its offset in it.
pub(super) fn entries(segment: &[u8]) -> impl Iterator<Item = (u32, Entry<'_>)> {
    let mut rest = segment;
    std::iter::from_fn(move || {
        let at = segment.len() - rest.len();
        let (entry, behind) = Entry::split(rest)?;
        rest = behind;
        Some((super::index(at), entry))
    })
}

/// What an entry could stand under: of each choice, whatever matches has one literal or another.
fn choices<'c>(program: &'c Program, (effect, entry): (Effect, &Entry<'c>)) -> Vec<Vec<Literal<'c>>> {
    let url = entry.glob().and_then(|code| {
        literals(code, |beginning| {
            let (family, text) = match beginning {
                Beginning::Whole(text) => (Family::Whole, text),
                Beginning::Anchored(text) => (Family::Anchored, text),
                Beginning::Floating(text) => (Family::Floating, text),
            };
            let tells = match family {
                Family::Whole => true,
                Family::Floating => text.len() >= SHORTEST && text.starts_with(b"/"),
                Family::Anchored | Family::Param => text.len() >= SHORTEST,
            };
            tells.then_some(Literal {
                family,
                name: &[],
                text,
            })
        })
    });
    // A forbid line may also match where its parameters cannot be told.
    let asks = entry.asks(program, effect).filter(|_| effect == Effect::Permit);
    let params = asks.into_iter().flat_map(|asks| asks.params());
    let values = params.filter_map(|param| match param.value {
        TextTest::Code(code) if param.operator == Operator::All => {
            literals(code, |beginning| match beginning {
                Beginning::Whole(text) | Beginning::Anchored(text) => Some(Literal {
                    family: Family::Param,
                    name: param.name,
                    text,
                }),
                Beginning::Floating(_) => None,
            })
        }
        _ => None,
    });
    url.into_iter().chain(values).collect()
}

/// For each alternative of the code the literal that it begins with; `None` if one has none that tells.
fn literals<'c>(
    code: &'c [u8],
    literal: impl Fn(Beginning<'c>) -> Option<Literal<'c>>,
) -> Option<Vec<Literal<'c>>> {
    code::alternatives(code)
        .map(|code| code::beginning(code).and_then(&literal))
        .collect()
}

fn key(literal: &Literal<'_>, cuts: &[Vec<u8>; Family::COUNT]) -> Option<u32> {
    let seed = literal.family.seed(literal.name);
    if literal.family == Family::Whole {
        return Some(hash::of_whole(seed, literal.text));
    }
    let mut key = None;
    each_cut(
        seed,
        literal.text,
        cuts.get(literal.family as usize)?,
        |longest| {
            key = Some(longest);
            Some(())
        },
    )?;
    key
}

/// At most [`LENGTHS`] lengths, so chosen that each literal has one that is not much shorter.
fn cuts<'c>(literals: impl Iterator<Item = &'c Literal<'c>>) -> Vec<u8> {
    let lengths = literals.map(|literal| u8::try_from(literal.text.len()).unwrap_or(u8::MAX));
    let mut all: Vec<u8> = lengths.collect();
    all.sort_unstable();
    // The shortest always stays, so that no literal falls through; the others are taken at even ranks.
    let mut chosen: Vec<u8> = (0..LENGTHS)
        .filter_map(|rank| all.get(rank * all.len() / LENGTHS).copied())
        .collect();
    chosen.dedup();
    chosen
}
