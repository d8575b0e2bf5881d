//! What a question that counts takes from the sums of a period.

use std::path::Path;

use super::chunk::Chunks;
use super::groups::{CallCount, GroupKey};
use crate::index::skipped::Skipped;
use crate::model::filter::Filter;
use crate::period::open::OpenPeriod;

/// Gives the groups of calls that `filter` wants to `each`, as far as the sums of the period at `path` tell, and where these
/// calls, and others that are not wanted, stand: no block there has to be read.
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
    let mut chapters = Chunks::of(path).peekable();
    if chapters.peek().is_none() {
        return answered;
    }
    // Asked after the file was read: an open database has all blocks that it tells of. One that was read before, or that was
    // put back from a copy, may have fewer.
    let Ok(Some(end)) = opened.last() else {
        return answered;
    };
    for chapter in chapters.take_while(|chapter| chapter.last <= end.header.last()) {
        if let Ok(groups) = chapter.groups()
            && let Some(wanted) = wanted(groups, filter)
            && answered.push(chapter.first, chapter.last)
        {
            wanted.iter().for_each(|(common, sum)| each(common, sum));
        }
    }
    answered
}

/// The groups that `filter` wants; `None` where it wants a part of one.
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
