//! Counting calls by their common properties.

use std::collections::HashSet;
use std::hash::Hasher;
use std::sync::Arc;

use hashbrown::HashTable;

use crate::format::decode::RecordView;
use crate::format::text_table::Fnv;
use crate::model::filter::Filter;
use crate::model::record::{Record, RecordRef, Verdict};

const HOUR_MS: i64 = 3_600_000;

/// The begin of the hour that `ms` falls in, both in milliseconds since 1970 UTC.
pub(crate) fn hour_of(ms: i64) -> i64 {
    ms.div_euclid(HOUR_MS).saturating_mul(HOUR_MS)
}

/// The common properties of a group of calls, texts not copied. Keys are ordered as in a chunk.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct GroupKey<'c> {
    pub(crate) token: Option<&'c str>,
    /// File, number and digest.
    pub(crate) line: Option<(&'c str, u32, &'c str)>,
    pub(crate) reason: &'c str,
    pub(crate) verdict: Verdict,
    /// Begin of the hour, see [`hour_of`].
    pub(crate) hour: i64,
}

impl<'c> From<&'c Record> for GroupKey<'c> {
    fn from(record: &'c Record) -> Self {
        Self::from(&RecordRef::from(record))
    }
}

impl<'c> From<&RecordRef<'c>> for GroupKey<'c> {
    fn from(r: &RecordRef<'c>) -> Self {
        Self {
            token: r.token,
            line: r.line.map(|line| (line.file, line.number, line.digest)),
            reason: r.reason,
            verdict: r.verdict,
            hour: hour_of(r.time_ms),
        }
    }
}

impl<'c> From<&RecordView<'c>> for GroupKey<'c> {
    fn from(r: &RecordView<'c>) -> Self {
        Self {
            token: r.token,
            line: r.line,
            reason: r.reason,
            verdict: r.verdict,
            hour: hour_of(r.time_ms),
        }
    }
}

impl Filter {
    /// Whether calls of this group are wanted, apart from their times.
    pub(crate) fn wants_group(&self, group: &GroupKey<'_>) -> bool {
        let token = self.token.as_deref();
        token.is_none_or(|wanted| group.token == Some(wanted))
            && self.verdict.is_none_or(|v| group.verdict == v)
            && self.reason.as_deref().is_none_or(|r| group.reason == r)
            && self.line.as_ref().is_none_or(|(file, number)| {
                group
                    .line
                    .is_some_and(|(f, n, _)| f == file && number.is_none_or(|m| n == m))
            })
    }
}

impl GroupKey<'_> {
    fn hash(&self) -> u64 {
        let mut hasher = Fnv::default();
        let (file, number, digest) = self.line.unwrap_or_default();
        for text in [self.token.unwrap_or_default(), file, digest, self.reason] {
            hasher.write(text.as_bytes());
        }
        let verdict: u64 = match self.verdict {
            Verdict::Allow => 0,
            Verdict::Deny => 1,
            Verdict::Refuse => 2,
        };
        let rest = u64::from(number) ^ verdict << 32 ^ self.hour.cast_unsigned().rotate_left(34);
        hasher.write(&rest.to_le_bytes());
        hasher.finish()
    }
}

/// How many calls, and when the first and the last of them was, milliseconds since 1970 UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CallCount {
    pub(crate) count: u64,
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
}

impl CallCount {
    const NONE: Self = Self {
        count: 0,
        first_ms: i64::MAX,
        last_ms: i64::MIN,
    };
}

/// Groups of calls, and how many each has.
#[derive(Debug, Default)]
pub(crate) struct Groups {
    // Their numbers, by hash.
    index: HashTable<usize>,
    groups: Vec<Group>,
    // Each text of theirs once: a group costs some hundred bytes.
    texts: HashSet<Arc<str>>,
    text_bytes: usize,
}

#[derive(Debug)]
struct Group {
    hash: u64,
    token: Option<Arc<str>>,
    line: Option<(Arc<str>, u32, Arc<str>)>,
    reason: Arc<str>,
    verdict: Verdict,
    hour: i64,
    sum: CallCount,
}

impl Group {
    fn common(&self) -> GroupKey<'_> {
        let line = self.line.as_ref();
        GroupKey {
            token: self.token.as_deref(),
            line: line.map(|(file, number, digest)| (&**file, *number, &**digest)),
            reason: &self.reason,
            verdict: self.verdict,
            hour: self.hour,
        }
    }
}

impl Groups {
    /// The number of a group, which has no calls yet if it is new.
    pub(crate) fn number(&mut self, common: &GroupKey<'_>) -> usize {
        let hash = common.hash();
        let groups = &self.groups;
        let found = self
            .index
            .find(hash, |n| groups.get(*n).is_some_and(|g| g.common() == *common));
        if let Some(n) = found {
            return *n;
        }
        let group = Group {
            hash,
            token: common.token.map(|text| self.text(text)),
            line: (common.line).map(|(file, number, digest)| (self.text(file), number, self.text(digest))),
            reason: self.text(common.reason),
            verdict: common.verdict,
            hour: common.hour,
            sum: CallCount::NONE,
        };
        let n = self.groups.len();
        self.groups.push(group);
        let groups = &self.groups;
        self.index
            .insert_unique(hash, n, |n| groups.get(*n).map_or(0, |group| group.hash));
        n
    }

    fn text(&mut self, text: &str) -> Arc<str> {
        if let Some(known) = self.texts.get(text) {
            return Arc::clone(known);
        }
        let new: Arc<str> = text.into();
        self.texts.insert(Arc::clone(&new));
        self.text_bytes = self.text_bytes.saturating_add(text.len());
        new
    }

    /// Counts a call of the group of this number, that was at `ms`.
    pub(crate) fn add(&mut self, number: usize, ms: i64) {
        if let Some(Group { sum, .. }) = self.groups.get_mut(number) {
            sum.count = sum.count.saturating_add(1);
            sum.first_ms = sum.first_ms.min(ms);
            sum.last_ms = sum.last_ms.max(ms);
        }
    }

    /// Counts a call.
    pub(crate) fn count(&mut self, common: &GroupKey<'_>, ms: i64) {
        let number = self.number(common);
        self.add(number, ms);
    }

    /// How many groups there are, those without calls too.
    pub(crate) fn len(&self) -> usize {
        self.groups.len()
    }

    /// Bytes of their texts.
    pub(crate) fn text_bytes(&self) -> usize {
        self.text_bytes
    }

    /// Each group that has calls, in the order of their first ones.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (GroupKey<'_>, CallCount)> {
        let groups = self.groups.iter().filter(|group| group.sum.count > 0);
        groups.map(|group| (group.common(), group.sum))
    }

    /// Forgets all, keeping the memory.
    pub(crate) fn clear(&mut self) {
        self.index.clear();
        self.groups.clear();
        self.texts.clear();
        self.text_bytes = 0;
    }
}
