//! All lines of a token side by side: what a decision reads, in the order in which it reads.
//!
//! A *segment* is the entries of one list of rules. A token's *lane* for an effect is two segments, that of its included
//! sets and that of its own lines; tokens with equal includes share the former. An entry is a header of 16 bytes (line,
//! rule, URL matcher, methods, flags, length of the code) and the code of its URL glob, if it has one.

use std::{collections::HashMap, ops::ControlFlow};

use super::{LineId, Matcher, Program, Rule, RuleId, TokenId, UrlId, UrlMatcher, code, index::Index};
use crate::{
    ast::Effect,
    method::{Method, MethodSet},
};

const HEADER: usize = 16;
/// The rule has constraints.
const CONSTRAINED: u8 = 1;
/// The entry's code is the whole URL test.
const CODED: u8 = 2;
/// Every URL matches.
const EVERYTHING: u8 = 4;

/// The layout of a program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Layout {
    pub(super) code: Vec<u8>,
    pub(super) lanes: Vec<Lanes>,
    pub(super) indexes: Vec<Index>,
}

/// The lanes of a token.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Lanes {
    pub(crate) forbids: Lane,
    pub(crate) permits: Lane,
}

/// The entries of one effect, those of included sets first.
pub(crate) type Lane = [Segment; 2];

/// Consecutive entries in the code.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Segment {
    pub(crate) start: u32,
    pub(crate) end: u32,
    /// Which index helps to find entries, if any does.
    pub(crate) index: u32,
}

impl Default for Segment {
    fn default() -> Self {
        Self {
            start: 0,
            end: 0,
            index: Self::UNINDEXED,
        }
    }
}

impl Segment {
    /// No index.
    pub(crate) const UNINDEXED: u32 = u32::MAX;
}

/// A line whose methods and URL match.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Match {
    pub(crate) line: LineId,
    pub(crate) rule: RuleId,
    /// Whether the rule has constraints that are still to be held against the request.
    pub(crate) constrained: bool,
}

/// An entry, read from the code.
#[derive(Clone, Copy, Debug)]
pub(super) struct Entry<'c> {
    line: LineId,
    rule: RuleId,
    url: UrlId,
    methods: MethodSet,
    flags: u8,
    glob: &'c [u8],
}

impl<'c> Entry<'c> {
    /// The entry at the start of `code`, and what follows it.
    fn split(code: &'c [u8]) -> Option<(Self, &'c [u8])> {
        let (header, rest) = code.split_first_chunk::<HEADER>()?;
        let [
            l0,
            l1,
            l2,
            l3,
            r0,
            r1,
            r2,
            r3,
            u0,
            u1,
            u2,
            u3,
            methods,
            flags,
            n0,
            n1,
        ] = *header;
        let (glob, rest) = rest.split_at_checked(usize::from(u16::from_le_bytes([n0, n1])))?;
        let entry = Self {
            line: LineId(u32::from_le_bytes([l0, l1, l2, l3])),
            rule: RuleId(u32::from_le_bytes([r0, r1, r2, r3])),
            url: UrlId(u32::from_le_bytes([u0, u1, u2, u3])),
            methods: MethodSet::from_bits(methods),
            flags,
            glob,
        };
        Some((entry, rest))
    }

    /// The code of the URL test, for an index to find literals in.
    pub(super) fn glob(&self) -> Option<&'c [u8]> {
        (self.flags & CODED != 0).then_some(self.glob)
    }

    fn matches(&self, program: &Program, method: Method, path: &str) -> bool {
        self.methods.contains(method)
            && match self.flags & (CODED | EVERYTHING) {
                CODED => code::matches(self.glob, path.as_bytes()),
                EVERYTHING => true,
                _ => program.url(self.url).matches(path),
            }
    }

    fn found(&self) -> Match {
        Match {
            line: self.line,
            rule: self.rule,
            constrained: self.flags & CONSTRAINED != 0,
        }
    }
}

impl Layout {
    /// Adds the entries of these rules as a segment.
    pub(crate) fn add(&mut self, program: &Program, rules: &[RuleId]) -> Segment {
        let start = super::index(self.code.len());
        for id in rules {
            if let Some(rule) = program.rule(*id) {
                self.push(*id, rule, program.url(rule.url));
            }
        }
        Segment {
            start,
            end: super::index(self.code.len()),
            index: Segment::UNINDEXED,
        }
    }

    fn push(&mut self, id: RuleId, rule: &Rule, url: &UrlMatcher) {
        let asks =
            !rule.params.is_empty() || rule.params_only || !rule.nodes.is_empty() || !rule.members.is_empty();
        let mut flags = if asks { CONSTRAINED } else { 0 };
        let mut glob: &[u8] = &[];
        match url {
            UrlMatcher::Below(Matcher::Everything) | UrlMatcher::Bound(_, Matcher::Everything) => {
                flags |= EVERYTHING
            }
            UrlMatcher::Below(Matcher::Glob(code)) | UrlMatcher::Bound(_, Matcher::Glob(code))
                if u16::try_from(code.as_bytes().len()).is_ok() =>
            {
                flags |= CODED;
                glob = code.as_bytes();
            }
            _ => {}
        }
        self.code.extend(rule.line.0.to_le_bytes());
        self.code.extend(id.0.to_le_bytes());
        self.code.extend(rule.url.0.to_le_bytes());
        self.code.extend([rule.methods.bits(), flags]);
        // Checked above; a longer one is no inline code.
        self.code
            .extend(u16::try_from(glob.len()).unwrap_or(0).to_le_bytes());
        self.code.extend(glob);
    }

    pub(crate) fn set_lanes(&mut self, lanes: Vec<Lanes>) {
        self.lanes = lanes;
    }

    /// With an index for each segment that profits from one.
    pub(crate) fn indexed(mut self) -> Self {
        let mut known: HashMap<u32, u32> = HashMap::new();
        let (mut lanes, mut indexes) = (std::mem::take(&mut self.lanes), Vec::new());
        let segments = lanes
            .iter_mut()
            .flat_map(|lanes| lanes.forbids.iter_mut().chain(&mut lanes.permits));
        for segment in segments.filter(|segment| segment.start < segment.end) {
            segment.index =
                *known
                    .entry(segment.start)
                    .or_insert_with(|| match Index::new(&self, *segment) {
                        Some(index) => {
                            indexes.push(index);
                            super::index(indexes.len() - 1)
                        }
                        None => Segment::UNINDEXED,
                    });
        }
        Self {
            lanes,
            indexes,
            ..self
        }
    }

    pub(super) fn bytes(&self, segment: Segment) -> &[u8] {
        self.code
            .get(segment.start as usize..segment.end as usize)
            .unwrap_or_default()
    }

    /// Every entry of a segment with its offset in it.
    pub(super) fn entries(&self, segment: Segment) -> impl Iterator<Item = (u32, Entry<'_>)> {
        let bytes = self.bytes(segment);
        let mut rest = bytes;
        std::iter::from_fn(move || {
            let at = bytes.len() - rest.len();
            let (entry, behind) = Entry::split(rest)?;
            rest = behind;
            Some((super::index(at), entry))
        })
    }

    /// Calls back for each line of a token, of one effect, whose methods and URL match, in the order of decision.
    pub(crate) fn each<B>(
        &self,
        program: &Program,
        (token, effect): (TokenId, Effect),
        (method, path): (Method, &str),
        mut found: impl FnMut(Match) -> ControlFlow<B>,
    ) -> ControlFlow<B> {
        let Some(lanes) = self.lanes.get(token.0 as usize) else {
            return ControlFlow::Continue(());
        };
        let lane = if effect == Effect::Forbid {
            &lanes.forbids
        } else {
            &lanes.permits
        };
        for segment in lane {
            let bytes = self.bytes(*segment);
            let index = self.indexes.get(segment.index as usize);
            match index.and_then(|index| index.candidates(path.as_bytes())) {
                Some(candidates) => {
                    for at in candidates.offsets() {
                        let entry = bytes.get(*at as usize..).and_then(Entry::split);
                        if let Some((entry, _)) =
                            entry.filter(|(entry, _)| entry.matches(program, method, path))
                        {
                            found(entry.found())?;
                        }
                    }
                }
                None => {
                    let mut rest = bytes;
                    while let Some((entry, behind)) = Entry::split(rest) {
                        rest = behind;
                        if entry.matches(program, method, path) {
                            found(entry.found())?;
                        }
                    }
                }
            }
        }
        ControlFlow::Continue(())
    }
}
