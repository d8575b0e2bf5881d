//! Writes the files that fixes change, or shows the changes.

use std::path::Path;

use tokenward_compiler::source::SourceSet;

use crate::authoring::edit::Edit;
use crate::cli::Failure;
use crate::cli::fmt::show_change;

/// The changed files: their paths, and their texts before and after.
fn changed<'s>(
    before: &'s SourceSet,
    after: &'s SourceSet,
) -> impl Iterator<Item = (&'s str, &'s str, &'s str)> {
    let both = before.iter().zip(after.iter());
    both.filter(|((_, old), (_, new))| old.text != new.text)
        .map(|((_, old), (_, new))| (old.path.as_str(), &*old.text, &*new.text))
}

/// Shows the changes as a unified diff; returns the number of files.
pub(super) fn show(before: &SourceSet, after: &SourceSet) -> Result<usize, Failure> {
    let mut count = 0;
    for (path, old, new) in changed(before, after) {
        show_change(&before.shown(path), old, new)?;
        count += 1;
    }
    Ok(count)
}

/// Replaces the changed files, each atomically, unless another program changed one meanwhile; returns their number.
pub(super) fn write(directory: &Path, before: &SourceSet, after: &SourceSet) -> Result<usize, Failure> {
    let all = changed(before, after).count();
    for (count, (path, old, new)) in changed(before, after).enumerate() {
        let written = Edit::of_file(directory, &directory.join(path))
            .and_then(|edit| edit.replacing(old, new.to_owned()))
            .and_then(|prepared| prepared.commit());
        written.map_err(|error| {
            let done = match count {
                0 => String::from("; nothing was written"),
                count => format!("; {count} of {all} files were written"),
            };
            Failure::Trouble(format!("cannot fix `{}`: {error}{done}", before.shown(path)))
        })?;
    }
    Ok(all)
}
