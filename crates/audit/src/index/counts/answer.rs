//! Answering a counting query from the counts of a period.

use std::path::Path;

use super::chunk::Chunks;
use super::groups::{CallCount, GroupKey};
use crate::index::skipped::Skipped;
use crate::model::filter::Filter;
use crate::period::open::OpenPeriod;

/// Gives the groups of calls that `filter` wants to `each`, as far as the period at `path` has counts. Returns the runs that
/// are counted: no block in them has to be read.
pub(crate) fn answer(
    path: &Path,
    opened: &OpenPeriod,
    filter: &Filter,
    mut each: impl FnMut(&GroupKey<'_>, &CallCount),
) -> Skipped {
    let mut answered = Skipped::default();
    if !filter.is_of_groups() {
        return answered;
    }
    let mut chunks = Chunks::of(path).peekable();
    if chunks.peek().is_none() {
        return answered;
    }
    // Asked after the file was read: an open database has all blocks that are counted in it. A period that was read earlier, or
    // restored from a copy, may have fewer.
    let Ok(Some(end)) = opened.last() else {
        return answered;
    };
    for chunk in chunks.take_while(|chunk| chunk.last <= end.header.last()) {
        if let Ok(groups) = chunk.groups()
            && let Some(wanted) = wanted(groups, filter)
            && answered.push(chunk.first, chunk.last)
        {
            wanted.iter().for_each(|(common, sum)| each(common, sum));
        }
    }
    answered
}

/// The groups that `filter` wants; `None` if it wants only a part of one.
fn wanted<'c>(
    groups: Vec<(GroupKey<'c>, CallCount)>,
    filter: &Filter,
) -> Option<Vec<(GroupKey<'c>, CallCount)>> {
    let mut wanted = Vec::new();
    for (common, sum) in groups {
        if !filter.wants_group(&common) {
            continue;
        }
        if filter.is_when(sum.first_ms) && filter.is_when(sum.last_ms) {
            wanted.push((common, sum));
        } else if filter.may_be_when(sum.first_ms, sum.last_ms) {
            return None;
        }
    }
    Some(wanted)
}
