//! Finds the entries of a long segment that can match a request, by literals that their matches must begin with.
//!
//! An entry whose URL is a literal can match only that path. One whose URL begins with a literal can match only a path that
//! begins with it. One that begins with `.*` and a literal with a `/` in front can match only a path that has the literal
//! after some `/`. A permit line that requires a parameter can match only a query in which that parameter begins as the line
//! demands. Each entry is listed under the one of these literals that it shares with the fewest others. The literals, cut to
//! a few lengths, are keys of a hash table; a lookup tries each length of the request. Candidates are then matched as always,
//! so a collision costs time and never changes a decision.

mod hash;

use std::collections::HashMap;

use self::hash::{Family, SHORTEST, each_cut};
use super::{Tables, asks::TextTest, code, code::Beginning, entry::Entry, sought::Sought};
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
    /// The beginnings of literals after `.*`: a bit for each hash of [`SHORTEST`] bytes.
    floating: u64,
    /// Open addressing; its length is a power of two, and at least half of it is empty.
    table: Vec<Slot>,
    /// Offsets of entries, list after list, each ascending.
    entries: Vec<u32>,
    /// Entries that any request may match, ascending.
    always: Vec<u32>,
    /// Entries that are listed by a parameter, and whose URL has no literal to list them under, ascending.
    by_parameter_only: Vec<u32>,
    /// Entries whose URL begins with a literal, sorted by it.
    by_beginning: Vec<u32>,
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
    pub(crate) fn new(tables: &Tables, effect: Effect, segment: &[u8]) -> Option<Self> {
        self::entries(segment).nth(Self::WORTHWHILE - 1)?;
        let entries: Vec<_> = self::entries(segment).collect();
        let choices: Vec<Vec<Vec<Literal<'_>>>> = entries
            .iter()
            .map(|(_, entry)| choices(tables, (effect, entry)))
            .collect();
        let all = || choices.iter().flatten().flatten();
        let cuts = Family::ALL.map(|family| cuts(all().filter(|literal| literal.family == family)));
        // For each entry and choice, the keys that would lead to it.
        let keys: Vec<Vec<Keys>> = choices
            .iter()
            .map(|choices| {
                let keys = choices.iter().map(|literals| Keys::of(literals, &cuts));
                keys.flatten().collect()
            })
            .collect();
        // Each entry goes under the choice whose most crowded key is the least crowded.
        let mut shared: HashMap<u32, usize> = HashMap::new();
        for key in keys.iter().flatten().flat_map(|choice| &choice.keys) {
            *shared.entry(*key).or_default() += 1;
        }
        let crowd = |keys: &Keys| keys.keys.iter().filter_map(|key| shared.get(key)).max().copied();
        let mut lists: HashMap<u32, Vec<u32>> = HashMap::new();
        let mut list = |key, at| lists.entry(key).or_default().push(at);
        let (mut always, mut by_parameter_only) = (Vec::new(), Vec::new());
        for ((at, _), choices) in entries.iter().zip(&keys) {
            let Some(chosen) = choices.iter().min_by_key(|keys| crowd(keys)) else {
                always.push(*at);
                continue;
            };
            chosen.keys.iter().for_each(|key| list(*key, *at));
            if chosen.of_parameter {
                // A search by the URL alone must find the entry too.
                match choices.iter().find(|choice| !choice.of_parameter) {
                    Some(url) => url.keys.iter().for_each(|key| list(beside(*key), *at)),
                    None => by_parameter_only.push(*at),
                }
            }
        }
        // The filter for literals after `.*`: most paths need no lookup at each `/`.
        let floating = all().filter(|literal| literal.family == Family::Floating);
        let mut index = Self {
            cuts,
            floating: floating.fold(0, |bits, literal| bits | hash::bit(literal.text)),
            table: vec![Slot::default(); (lists.len() * 2).next_power_of_two()],
            entries: Vec::new(),
            always,
            by_parameter_only,
            by_beginning: by_beginning(&entries),
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
        let start = super::arena_index(self.entries.len());
        self.entries.extend(list);
        let end = super::arena_index(self.entries.len());
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
        self.each_key_of_path(sought.path.as_bytes(), |key| self.look_up(key, found))?;
        let [.., params] = &self.cuts;
        if !params.is_empty() {
            for param in sought.query {
                let seed = Family::Param.seed(param.name.as_bytes());
                let value = param.value.unwrap_or_default().as_bytes();
                each_cut(seed, value, params, |hash| self.look_up(hash, found))?;
            }
        }
        Some(())
    }

    /// The entries whose URL may match the path, whatever the query has; `None`: too many lists.
    pub(super) fn candidates_by_url<'i>(&'i self, path: &str, found: &mut Candidates<'i>) -> Option<()> {
        found.used = 0;
        found.add(&self.always)?;
        found.add(&self.by_parameter_only)?;
        self.each_key_of_path(path.as_bytes(), |key| {
            self.look_up(key, found)?;
            self.look_up(beside(key), found)
        })
    }

    /// The entry whose URL shares the longest beginning with the path, and the length of that beginning. Of several it is any.
    /// `segment` is the one that was indexed.
    pub(super) fn longest_beginning<'s>(&self, segment: &'s [u8], path: &str) -> Option<(usize, Entry<'s>)> {
        let entry = |at: u32| Some(Entry::split(segment.get(at as usize..)?)?.0);
        let literal = |at: u32| entry(at)?.literal();
        let path = path.as_bytes();
        // The longest common beginning is that of one of the two neighbours of the path.
        let next = self.by_beginning.partition_point(|at| literal(*at) < Some(path));
        let neighbours = [next.checked_sub(1), Some(next)].into_iter().flatten();
        let alike = neighbours.filter_map(|at| {
            let at = *self.by_beginning.get(at)?;
            Some((code::alike(literal(at)?, path), entry(at)?))
        });
        alike.max_by_key(|(length, _)| *length)
    }

    /// Calls back with each key under which entries that match the path by a literal of their URL may be listed. Ends early where
    /// the callback says so.
    #[inline]
    fn each_key_of_path(&self, path: &[u8], mut look_up: impl FnMut(u32) -> Option<()>) -> Option<()> {
        let [_, anchored, floating, _] = &self.cuts;
        look_up(hash::of_whole(Family::Whole.seed(&[]), path))?;
        each_cut(Family::Anchored.seed(&[]), path, anchored, &mut look_up)?;
        if floating.is_empty() {
            return Some(());
        }
        let mut look_behind = |slash: usize| {
            let rest = path.get(slash..).unwrap_or_default();
            if self.floating & hash::bit(rest) == 0 {
                return Some(());
            }
            each_cut(Family::Floating.seed(&[]), rest, floating, &mut look_up)
        };
        // A search by vectors is for longer texts than most paths are.
        if path.len() <= SHORT {
            for (at, byte) in path.iter().enumerate() {
                if *byte == b'/' {
                    look_behind(at)?;
                }
            }
            Some(())
        } else {
            memchr::memchr_iter(b'/', path).try_for_each(look_behind)
        }
    }

    /// Whether an entry is a candidate of every request that its code and tests match: it is listed for all
    /// requests, or, for some choice, under each literal that a match begins with.
    pub(super) fn names(&self, tables: &Tables, effect: Effect, (at, entry): (u32, &Entry<'_>)) -> bool {
        let stands_under = |literal: &Literal<'_>| {
            let seen = literal.family != Family::Floating || self.floating & hash::bit(literal.text) != 0;
            let mut found = Candidates::default();
            let listed = key(literal, &self.cuts).and_then(|key| self.look_up(key, &mut found));
            seen && listed.is_some() && found.any(|candidate| candidate == at)
        };
        self.always.contains(&at)
            || choices(tables, (effect, entry))
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

/// The entries whose URL begins with a literal, sorted by it.
fn by_beginning(entries: &[(u32, Entry<'_>)]) -> Vec<u32> {
    let literals = entries
        .iter()
        .filter_map(|(at, entry)| Some((entry.literal()?, *at)));
    let mut literals: Vec<(&[u8], u32)> = literals.collect();
    literals.sort_unstable();
    literals.into_iter().map(|(_, at)| at).collect()
}

/// The keys under which an entry can be listed: one for each literal of a choice.
struct Keys {
    keys: Vec<u32>,
    /// The literals are values of a parameter.
    of_parameter: bool,
}

impl Keys {
    fn of(literals: &[Literal<'_>], cuts: &[Vec<u8>; Family::COUNT]) -> Option<Self> {
        let keys = literals.iter().map(|literal| key(literal, cuts));
        Some(Self {
            keys: keys.collect::<Option<_>>()?,
            of_parameter: literals.iter().any(|literal| literal.family == Family::Param),
        })
    }
}

/// The key under which a search by the URL alone finds an entry that decisions find by a parameter.
fn beside(key: u32) -> u32 {
    key.rotate_left(16) ^ 0x9E37_79B9
}

/// Offsets of entries, ascending, without repetition.
#[derive(Default)]
pub(super) struct Candidates<'i> {
    lists: [&'i [u32]; LISTS],
    used: usize,
}

impl<'i> Candidates<'i> {
    /// Adds a list; `None` if the room is used up.
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
        Some((super::arena_index(at), entry))
    })
}

/// The choices of keys of an entry: for each choice, every match has one of its literals.
fn choices<'c>(tables: &'c Tables, (effect, entry): (Effect, &Entry<'c>)) -> Vec<Vec<Literal<'c>>> {
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
    // A forbid line may also match if its parameters are unknown.
    let asks = entry.asks(tables, effect).filter(|_| effect == Effect::Permit);
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

/// For each alternative of the code the literal that it begins with; `None` if one has no such literal.
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
