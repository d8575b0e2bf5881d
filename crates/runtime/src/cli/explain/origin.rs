//! The commit and the author of the line that allows a request.

use std::path::Path;

use serde::Serialize;
use tokenward_pdp::explain::Report;
use tokenward_pdp::text::time;

use crate::git::{self, Author};

/// Where the line that decided comes from.
#[derive(Debug, Serialize)]
pub(super) struct Origin {
    /// Id of the commit that last changed the line; `null` if no commit has it.
    pub(super) commit: Option<String>,
    pub(super) author: Option<String>,
    pub(super) email: Option<String>,
    /// Time of the author's change, in UTC.
    pub(super) time: Option<String>,
    /// First line of the commit's message.
    pub(super) subject: Option<String>,
    /// The history ends at this commit, since the clone is shallow: the line may be older.
    pub(super) is_shallow: bool,
}

/// Finds the origin of the line that decided. `place` is the policy directory.
///
/// # Errors
/// There is none, for this reason.
pub(super) fn of(report: &Report, place: &Path) -> Result<Option<Origin>, String> {
    let Some(line) = &report.line else {
        return Ok(None);
    };
    if place.is_file() {
        return Err("the policy is a compiled file".to_owned());
    }
    match git::origin(&place.join(&line.file), line.number, &line.text) {
        Ok(Some(git::Origin::Commit(author))) => Ok(Some(Origin::from(author))),
        Ok(Some(git::Origin::Uncommitted)) => Ok(Some(Origin {
            commit: None,
            author: None,
            email: None,
            time: None,
            subject: None,
            is_shallow: false,
        })),
        Ok(None) => Err("the line's file is not in a git work tree, or was changed just now".to_owned()),
        Err(error) => Err(error.to_string()),
    }
}

impl From<Author> for Origin {
    fn from(author: Author) -> Self {
        Self {
            commit: Some(author.commit),
            author: Some(author.name),
            email: Some(author.email),
            time: Some(time(author.time.saturating_mul(1_000))),
            subject: Some(author.subject),
            is_shallow: author.is_boundary,
        }
    }
}
