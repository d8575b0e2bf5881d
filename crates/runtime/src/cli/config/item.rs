//! One checked thing, and its result.

use std::fmt::Display;

/// One thing that the configuration names or demands, and what the check found.
pub(super) struct Item {
    pub(super) subject: &'static str,
    pub(super) result: Result,
}

/// The result of a check, with a detail in one line.
pub(super) enum Result {
    Right(String),
    /// It is not needed, or is checked only on demand.
    Skipped(String),
    Wrong(String),
    /// It could not be checked.
    NotChecked(String),
}

impl Result {
    /// Name in the output.
    pub(super) fn name(&self) -> &'static str {
        match self {
            Self::Right(_) => "ok",
            Self::Skipped(_) => "skipped",
            Self::Wrong(_) => "wrong",
            Self::NotChecked(_) => "not checked",
        }
    }

    /// What was found.
    pub(super) fn detail(&self) -> &str {
        match self {
            Self::Right(detail) | Self::Skipped(detail) | Self::Wrong(detail) | Self::NotChecked(detail) => {
                detail
            }
        }
    }

    /// Takes a value's description or an error.
    pub(super) fn of(found: std::result::Result<impl Into<String>, impl Display>) -> Self {
        match found {
            Ok(detail) => Self::Right(detail.into()),
            Err(error) => Self::Wrong(error.to_string()),
        }
    }
}

pub(super) fn item(subject: &'static str, result: Result) -> Item {
    Item { subject, result }
}
