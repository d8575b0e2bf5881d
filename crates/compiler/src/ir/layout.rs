//! All lines of a token in consecutive bytes, in the order in which a decision reads them.
//!
//! A *segment* is the entries of one list of rules. A token's *block* is a header and the segments of its own lines,
//! forbid lines first. Included sets have segments of their own, since tokens share them; the header's extension names
//! those.
//! Entries are what [`entry`] says.

pub(super) mod near;

use std::ops::ControlFlow;

use super::{
    Asks, LineId, RuleId, Tables, TokenId,
    bounds::{MOST, SLACK},
    entry,
    entry::Entry,
    index::{Candidates, Index},
    sought::Sought,
};
use crate::{ast::Effect, method::Method};

/// Lengths of the two lanes' own segments, forbid lines and permit lines, 4 bytes each, LE, with bits for what else there
/// is of the lane.
const HEADER: usize = 8;
/// Index of a lane's own segment, included segment: 4 bytes each, LE. Most tokens have neither.
const EXTENSION: usize = 8;
/// Flag in a length: the lane has an extension after the header.
const MORE: u32 = 1 << 31;
/// Flag in the permit lines' length: the token is unrestricted.
const UNRESTRICTED: u32 = 1 << 30;
/// The length in a length.
const LENGTH: u32 = UNRESTRICTED - 1;
/// Blocks begin at a cache line: the first lines of most tokens are then one fetch away.
const CACHE_LINE: usize = 64;
/// The order of lanes.
pub(crate) const EFFECTS: [Effect; 2] = [Effect::Forbid, Effect::Permit];
/// Bytes that an entry seldom exceeds. Room that is not written to takes no memory.
const USUAL: usize = 96;
/// No index, no segment.
const NONE: u32 = u32::MAX;

/// The layout of a program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    code: Vec<u8>,
    /// Bytes in front of the first place that is a cache line's.
    skew: usize,
    /// Bytes that the code may take.
    most: usize,
    /// A segment is longer than its length can say, or the code than it may be.
    overlong: bool,
    /// Where each token's block begins.
    blocks: Vec<u32>,
    included: Vec<Segment>,
    indexes: Vec<Index>,
}

/// Consecutive entries in the code.
#[derive(Clone, Copy, Debug)]
struct Segment {
    start: u32,
    end: u32,
    index: u32,
    effect: Effect,
}

/// Names the segment of an included set.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Included(Option<u32>);

/// A line whose methods and URL match, and its other constraints.
pub(crate) struct Match<'p> {
    pub(crate) line: LineId,
    pub(crate) asks: Option<Asks<'p>>,
}

impl Layout {
    /// A layout with room for so many tokens and their rules, of usual size; sets share `shared` more rules.
    ///
    /// Bounded by `SLACK` and by `MOST` bytes for each: a few bytes of an artifact that name a rule could
    /// otherwise become 64 KiB of code, each time.
    pub(crate) fn with_room(tokens: usize, rules: usize, shared: usize) -> Self {
        let room = tokens.saturating_mul(HEADER + CACHE_LINE) + rules.saturating_mul(USUAL);
        let mut code: Vec<u8> = Vec::with_capacity(room + CACHE_LINE);
        let skew = code.as_ptr().align_offset(CACHE_LINE).min(CACHE_LINE);
        code.resize(skew, 0);
        Self {
            code,
            skew,
            most: SLACK.saturating_add(
                tokens
                    .saturating_add(rules)
                    .saturating_add(shared)
                    .saturating_mul(MOST),
            ),
            blocks: Vec::with_capacity(tokens),
            ..Self::default()
        }
    }

    /// Adds the segment of an included set. `question` returns the number of a rule's questions about bodies.
    pub(crate) fn include(
        &mut self,
        tables: &Tables,
        (effect, rules): (Effect, &[RuleId]),
        question: impl FnMut(RuleId) -> Option<u32>,
    ) -> Included {
        let start = self.here();
        self.add(tables, rules, question);
        self.included.push(Segment {
            start,
            end: self.here(),
            index: NONE,
            effect,
        });
        Included(Some(super::arena_index(self.included.len() - 1)))
    }

    /// Adds the block of the next token: for each effect, forbid first, its included segment and its own rules.
    pub(crate) fn push(
        &mut self,
        tables: &Tables,
        unrestricted: bool,
        lanes: [(Included, &[RuleId]); 2],
        mut question: impl FnMut(RuleId) -> Option<u32>,
    ) {
        let block = self.skew + (self.code.len() - self.skew).next_multiple_of(CACHE_LINE);
        self.code.resize(block, 0);
        self.blocks.push(self.here());
        self.code.resize(block + HEADER, 0);
        let extended =
            lanes.map(|(included, rules)| included.0.is_some() || rules.len() >= Index::WORTHWHILE);
        for ((included, _), _) in lanes.iter().zip(extended).filter(|(_, extended)| *extended) {
            self.code.extend(NONE.to_le_bytes());
            self.code.extend(included.0.unwrap_or(NONE).to_le_bytes());
        }
        for (at, ((_, rules), extended)) in lanes.into_iter().zip(extended).enumerate() {
            let start = self.code.len();
            self.add(tables, rules, &mut question);
            let length = super::arena_index(self.code.len() - start);
            self.overlong |= length > LENGTH;
            let flag = |flag, set| if set { flag } else { 0 };
            let is_permit = EFFECTS.get(at) == Some(&Effect::Permit);
            let flags = flag(MORE, extended) | flag(UNRESTRICTED, unrestricted && is_permit);
            self.write(block + at * 4, length | flags);
        }
    }

    /// Whether a token permits all that its forbid lines do not take back.
    pub(crate) fn is_unrestricted(&self, token: TokenId) -> bool {
        let header = self.blocks.get(token.0 as usize).and_then(|block| {
            let block = self.code.get(*block as usize..)?;
            block.first_chunk::<HEADER>()
        });
        header.is_some_and(|[.., a, b, c, d]| u32::from_le_bytes([*a, *b, *c, *d]) & UNRESTRICTED != 0)
    }

    fn add(&mut self, tables: &Tables, rules: &[RuleId], mut question: impl FnMut(RuleId) -> Option<u32>) {
        for id in rules {
            if self.code.len() > self.most {
                self.overlong = true;
                return;
            }
            if let Some(rule) = tables.rule(*id) {
                entry::write(&mut self.code, tables, (*id, rule), question(*id));
            }
        }
    }

    /// Whether every place in the code, and every length, has a number.
    pub(crate) fn fits(&self) -> bool {
        u32::try_from(self.code.len()).is_ok() && !self.overlong
    }

    /// Adds an index to each segment that profits from one.
    pub(crate) fn indexed(mut self, tables: &Tables) -> Self {
        for at in 0..self.included.len() {
            let Some(segment) = self.included.get(at).copied() else {
                continue;
            };
            let index = self.index_of(tables, segment);
            if let Some(segment) = self.included.get_mut(at) {
                segment.index = index;
            }
        }
        for token in 0..self.blocks.len() {
            for (lane, effect) in EFFECTS.into_iter().enumerate() {
                // Lanes without an extension are short.
                let Some(place) = self.extension_at(token, lane) else {
                    continue;
                };
                if let Some((own, _)) = self.lane(token, effect) {
                    let index = self.index_of(tables, own);
                    self.write(place, index);
                }
            }
        }
        self
    }

    /// The offset of the extension of a token's lane.
    fn extension_at(&self, token: usize, lane: usize) -> Option<usize> {
        let block = *self.blocks.get(token)? as usize;
        let header = self.code.get(block..)?.first_chunk::<HEADER>()?;
        let (lengths, _) = header.as_chunks::<4>();
        let has = |length: &[u8; 4]| u32::from_le_bytes(*length) & MORE != 0;
        let before = lengths.get(..lane)?.iter().filter(|length| has(length)).count();
        has(lengths.get(lane)?).then_some(block + HEADER + before * EXTENSION)
    }

    fn index_of(&mut self, tables: &Tables, segment: Segment) -> u32 {
        match Index::new(tables, segment.effect, self.bytes(segment)) {
            Some(index) => {
                self.indexes.push(index);
                super::arena_index(self.indexes.len() - 1)
            }
            None => NONE,
        }
    }

    fn here(&self) -> u32 {
        super::arena_index(self.code.len())
    }

    fn write(&mut self, at: usize, number: u32) {
        if let Some(place) = self.code.get_mut(at..at + 4) {
            place.copy_from_slice(&number.to_le_bytes());
        }
    }

    fn bytes(&self, segment: Segment) -> &[u8] {
        self.code
            .get(segment.start as usize..segment.end as usize)
            .unwrap_or_default()
    }

    /// The lines of a token, of one effect: its own segment, and the included one.
    fn lane(&self, token: usize, effect: Effect) -> Option<(Segment, Option<Segment>)> {
        let block = *self.blocks.get(token)?;
        let (header, mut rest) = self.code.get(block as usize..)?.split_first_chunk::<HEADER>()?;
        let [f0, f1, f2, f3, p0, p1, p2, p3] = *header;
        let (forbids, permits) = (
            u32::from_le_bytes([f0, f1, f2, f3]),
            u32::from_le_bytes([p0, p1, p2, p3]),
        );
        let asked = match effect {
            Effect::Forbid => forbids,
            Effect::Permit => permits,
        };
        if asked & !UNRESTRICTED == 0 {
            return None;
        }
        let (mut of_forbids, mut of_permits) = (Extension::NONE, Extension::NONE);
        if forbids & MORE != 0 {
            (of_forbids, rest) = Extension::split(rest)?;
        }
        if permits & MORE != 0 {
            (of_permits, rest) = Extension::split(rest)?;
        }
        let start = super::arena_index(self.code.len() - rest.len());
        let (forbids, permits) = (forbids & LENGTH, permits & LENGTH);
        let (start, length, extension) = match effect {
            Effect::Forbid => (start, forbids, of_forbids),
            Effect::Permit => (start + forbids, permits, of_permits),
        };
        let own = Segment {
            start,
            end: start + length,
            index: extension.index,
            effect,
        };
        Some((own, self.included.get(extension.included as usize).copied()))
    }

    /// The segments of a token's lines of one effect, included ones first, each with its index.
    pub(super) fn segments(&self, token: usize, effect: Effect) -> [(&[u8], Option<&Index>); 2] {
        let (own, included) = self.lane(token, effect).unzip();
        [included.flatten(), own].map(|segment| {
            let index = segment.and_then(|segment| self.indexes.get(segment.index as usize));
            (segment.map_or(&[][..], |segment| self.bytes(segment)), index)
        })
    }

    /// Calls back for each line of a token, of one effect, whose methods and URL match, in the order of decision.
    pub(crate) fn each<'p, B>(
        &'p self,
        tables: &'p Tables,
        (token, effect): (TokenId, Effect),
        sought: Sought<'_>,
        mut found: impl FnMut(Match<'p>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let Some((own, included)) = self.lane(token.0 as usize, effect) else {
            return ControlFlow::Continue(());
        };
        for segment in included.into_iter().chain([own]) {
            let bytes = self.bytes(segment);
            let index = self.indexes.get(segment.index as usize);
            // Lines often share a URL.
            let mut last = None;
            let path = sought.path.as_bytes();
            let mut hold = |entry: Entry<'p>| {
                if !entry.permits_method(sought.method) {
                    return ControlFlow::Continue(());
                }
                let matches = match last {
                    Some((url, matches)) if url == entry.url() => matches,
                    _ => entry.may_match(path) && entry.matches_path(tables, sought.path),
                };
                last = Some((entry.url(), matches));
                if !matches {
                    return ControlFlow::Continue(());
                }
                found(Match {
                    line: entry.line(),
                    asks: entry.asks(tables, effect),
                })
            };
            // Created in place, and only if the segment has an index: it is large.
            let mut candidates;
            let indexed = match index {
                Some(index) => {
                    candidates = Candidates::default();
                    index
                        .candidates(sought, &mut candidates)
                        .map(|()| &mut candidates)
                }
                None => None,
            };
            // Candidates are in the order of the entries, so both ways find matches in the order of decision.
            match indexed {
                Some(candidates) => {
                    for at in candidates {
                        if let Some((entry, _)) = bytes.get(at as usize..).and_then(Entry::split) {
                            hold(entry)?;
                        }
                    }
                }
                None => {
                    let mut rest = bytes;
                    while let Some((entry, behind)) = Entry::split(rest) {
                        rest = behind;
                        hold(entry)?;
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }
}

impl Layout {
    /// Calls back for each line of a token, of one effect, that constrains anything and whose methods and URL match, whatever the query
    /// has: in the order of decision, without the indexes.
    pub(crate) fn each_by_url<'p, B>(
        &'p self,
        tables: &'p Tables,
        (token, effect): (TokenId, Effect),
        (method, path): (Method, &str),
        mut found: impl FnMut(Match<'p>) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let Some((own, included)) = self.lane(token.0 as usize, effect) else {
            return ControlFlow::Continue(());
        };
        for segment in included.into_iter().chain([own]) {
            let mut last = None;
            let mut rest = self.bytes(segment);
            while let Some((entry, behind)) = Entry::split(rest) {
                rest = behind;
                if !entry.permits_method(method) || !entry.constrains() || !entry.may_match(path.as_bytes()) {
                    continue;
                }
                // Lines often share a URL.
                let matches = match last {
                    Some((url, matches)) if url == entry.url() => matches,
                    _ => entry.matches_path(tables, path),
                };
                last = Some((entry.url(), matches));
                if matches {
                    found(Match {
                        line: entry.line(),
                        asks: entry.asks(tables, effect),
                    })?;
                }
            }
        }
        ControlFlow::Continue(())
    }
}

impl std::fmt::Display for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "laid out in {} bytes, {} included segments, {} indexes",
            self.code.len() - self.skew,
            self.included.len(),
            self.indexes.len()
        )
    }
}

/// The parts of a lane in addition to its own lines.
#[derive(Clone, Copy)]
struct Extension {
    index: u32,
    included: u32,
}

impl Extension {
    const NONE: Self = Self {
        index: NONE,
        included: NONE,
    };

    fn split(bytes: &[u8]) -> Option<(Self, &[u8])> {
        let ([a, b, c, d, e, f, g, h], rest) = bytes.split_first_chunk::<EXTENSION>()?;
        let extension = Self {
            index: u32::from_le_bytes([*a, *b, *c, *d]),
            included: u32::from_le_bytes([*e, *f, *g, *h]),
        };
        Some((extension, rest))
    }
}
