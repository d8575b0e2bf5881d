//! Texts with edits.

use std::collections::BTreeMap;

use crate::{
    diagnostic::Edit,
    source::{SourceId, SourceSet},
};

/// The files with the edits made in them. Of edits that overlap, only the first is made.
#[must_use]
pub fn edited(sources: &SourceSet, edits: &[Edit]) -> SourceSet {
    let mut by_file: BTreeMap<SourceId, Vec<&Edit>> = BTreeMap::new();
    for edit in edits {
        by_file.entry(edit.span.source).or_default().push(edit);
    }
    let mut all = sources.clone();
    for (id, mut edits) in by_file {
        let Some(source) = sources.get(id) else { continue };
        edits.sort_by_key(|edit| edit.span);
        let (mut text, mut at) = (String::with_capacity(source.text.len()), 0);
        for edit in edits {
            // An edit that begins before the last one ended overlaps it.
            let Some(kept) = source.text.get(at..edit.span.start) else {
                continue;
            };
            if source.text.get(edit.span.start..edit.span.end).is_none() {
                continue;
            }
            text.push_str(kept);
            text.push_str(&edit.text);
            at = edit.span.end;
        }
        text.push_str(source.text.get(at..).unwrap_or_default());
        all = all.replaced(id, &text);
    }
    all
}

/// Whether two edits change the same text.
#[must_use]
pub fn overlap(one: &Edit, other: &Edit) -> bool {
    let (one, other) = (one.span, other.span);
    // Two insertions at one place would depend on their order, so touching counts.
    one.source == other.source && one.start <= other.end && other.start <= one.end
}
