//! The summary of a step of GitHub Actions.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::path::PathBuf;

use super::failure::Failure;

/// Names the file to which GitHub's runner wants the summary of a step appended.
const STEP_SUMMARY: &str = "GITHUB_STEP_SUMMARY";

/// Appends Markdown to the summary, if the command runs in a step.
pub(super) fn append(markdown: &str) -> Result<(), Failure> {
    let Some(file) = std::env::var_os(STEP_SUMMARY).filter(|file| !file.is_empty()) else {
        return Ok(());
    };
    let file = PathBuf::from(file);
    let written = OpenOptions::new()
        .create(true)
        .append(true)
        .open(&file)
        .and_then(|mut file| file.write_all(markdown.as_bytes()));
    written.map_err(|error| {
        Failure::Trouble(format!(
            "cannot write the summary of the step to `{}`: {error}",
            file.display()
        ))
    })
}
