//! All lines of a token side by side: what a decision reads, in the order in which it reads.
//!
//! A *segment* is the entries of one list of rules. A token's *block* is a header and the segments of its own lines,
//! forbid lines first. Included sets have segments of their own, since tokens share them; the header names those.
//! Entries are what [`entry`] says.

use std::ops::ControlFlow;

use super::{Asks, LineId, Program, Questions, RuleId, TokenId, entry, entry::Entry, index::Index};
use crate::{ast::Effect, decide::Param, method::Method};

/// Two [`Lane`]s: forbid lines, permit lines.
const HEADER: usize = 2 * LANE;
/// Length of its own segment, index of that segment, included segment: 4 bytes each, LE.
const LANE: usize = 12;
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
    /// Where each token's block begins.
    blocks: Vec<u32>,
    included: Vec<Segment>,
    indexes: Vec<Index>,
    pub(super) questions: Vec<Questions>,
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

/// A line whose methods and URL match, and what it asks beyond them.
pub(crate) struct Match<'p> {
    pub(crate) line: LineId,
    pub(crate) asks: Option<Asks<'p>>,
}

impl Layout {
    /// With room for so many tokens and rules, as rules mostly are.
    pub(crate) fn with_room(tokens: usize, rules: usize) -> Self {
        Self {
            code: Vec::with_capacity(tokens * HEADER + rules * USUAL),
            blocks: Vec::with_capacity(tokens),
            ..Self::default()
        }
    }

    /// Adds the segment of an included set. `question` gives the id of what a rule asks of bodies.
    pub(crate) fn include(
        &mut self,
        program: &Program,
        (effect, rules): (Effect, &[RuleId]),
        question: impl FnMut(RuleId) -> Option<u32>,
    ) -> Included {
        let start = self.here();
        self.add(program, rules, question);
        self.included.push(Segment {
            start,
            end: self.here(),
            index: NONE,
            effect,
        });
        Included(Some(super::index(self.included.len() - 1)))
    }

    /// Adds the block of the next token: for each effect, forbid first, what it includes and its own rules.
    pub(crate) fn push(
        &mut self,
        program: &Program,
        lanes: [(Included, &[RuleId]); 2],
        mut question: impl FnMut(RuleId) -> Option<u32>,
    ) {
        let block = self.code.len();
        self.blocks.push(self.here());
        self.code.resize(block + HEADER, 0);
        for (lane, (included, rules)) in lanes.into_iter().enumerate() {
            let start = self.code.len();
            self.add(program, rules, &mut question);
            let length = super::index(self.code.len() - start);
            let at = block + lane * LANE;
            self.write(at, length);
            self.write(at + 4, NONE);
            self.write(at + 8, included.0.unwrap_or(NONE));
        }
    }

    fn add(&mut self, program: &Program, rules: &[RuleId], mut question: impl FnMut(RuleId) -> Option<u32>) {
        for id in rules {
            if let Some(rule) = program.rule(*id) {
                entry::write(&mut self.code, program, (*id, rule), question(*id));
            }
        }
    }

    /// Whether every place in the code has a number.
    pub(crate) fn fits(&self) -> bool {
        u32::try_from(self.code.len()).is_ok()
    }

    pub(crate) fn with_questions(self, questions: Vec<Questions>) -> Self {
        Self { questions, ..self }
    }

    /// With an index for each segment that profits from one.
    pub(crate) fn indexed(mut self, program: &Program) -> Self {
        for at in 0..self.included.len() {
            let Some(segment) = self.included.get(at).copied() else {
                continue;
            };
            let index = self.index_of(program, segment);
            if let Some(segment) = self.included.get_mut(at) {
                segment.index = index;
            }
        }
        for token in 0..self.blocks.len() {
            for (lane, effect) in EFFECTS.into_iter().enumerate() {
                let Some((own, _)) = self.lane(token, effect) else {
                    continue;
                };
                let index = self.index_of(program, own);
                let block = self.blocks.get(token).map_or(0, |block| *block as usize);
                self.write(block + lane * LANE + 4, index);
            }
        }
        self
    }

    fn index_of(&mut self, program: &Program, segment: Segment) -> u32 {
        match Index::new(program, segment.effect, self.bytes(segment)) {
            Some(index) => {
                self.indexes.push(index);
                super::index(self.indexes.len() - 1)
            }
            None => NONE,
        }
    }

    fn here(&self) -> u32 {
        super::index(self.code.len())
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

    /// The lines of a token, of one effect: its own segment, and that of what it includes.
    fn lane(&self, token: usize, effect: Effect) -> Option<(Segment, Option<Segment>)> {
        let block = *self.blocks.get(token)?;
        let header = self.code.get(block as usize..)?.first_chunk::<HEADER>()?;
        let (forbids, permits) = header.split_at(LANE);
        let start = block + super::index(HEADER);
        let (start, lane) = match effect {
            Effect::Forbid => (start, Lane::read(forbids)),
            Effect::Permit => (start + Lane::read(forbids).length, Lane::read(permits)),
        };
        let own = Segment {
            start,
            end: start + lane.length,
            index: lane.index,
            effect,
        };
        Some((own, self.included.get(lane.included as usize).copied()))
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
        program: &'p Program,
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
            let mut hold = |entry: Entry<'p>| {
                if !entry.permits_method(sought.method) {
                    return ControlFlow::Continue(());
                }
                let matches = match last {
                    Some((url, matches)) if url == entry.url() => matches,
                    _ => entry.matches_path(program, sought.path),
                };
                last = Some((entry.url(), matches));
                if !matches {
                    return ControlFlow::Continue(());
                }
                found(Match {
                    line: entry.line(),
                    asks: entry.asks(program, effect),
                })
            };
            match index.and_then(|index| index.candidates(sought)) {
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

impl std::fmt::Display for Layout {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(
            f,
            "laid out in {} bytes, {} included segments, {} indexes, {} kinds of questions of bodies",
            self.code.len(),
            self.included.len(),
            self.indexes.len(),
            self.questions.len()
        )
    }
}

/// What of a request finds lines.
#[derive(Clone, Copy)]
pub(crate) struct Sought<'r> {
    pub(crate) method: Method,
    pub(crate) path: &'r str,
    pub(crate) query: &'r [Param<'r>],
}

#[derive(Clone, Copy)]
struct Lane {
    length: u32,
    index: u32,
    included: u32,
}

impl Lane {
    fn read(bytes: &[u8]) -> Self {
        let ([length, index, included], _) = bytes.as_chunks::<4>() else {
            return Self {
                length: 0,
                index: NONE,
                included: NONE,
            };
        };
        Self {
            length: u32::from_le_bytes(*length),
            index: u32::from_le_bytes(*index),
            included: u32::from_le_bytes(*included),
        }
    }
}
