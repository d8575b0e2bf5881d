//! What unsaved lines of a token would change.

use super::review::{Outcome, Witness};

/// The effect of unsaved lines, against the policy in force.
#[derive(Clone, Debug, Default)]
pub struct Effect {
    /// The result.
    pub result: Outcome,
    /// Whether the policy in force has no such token, so that everything is newly allowed.
    pub is_new: bool,
    /// Example requests, newly allowed ones first.
    pub witnesses: Vec<Witness>,
    /// Number of further example requests.
    pub more: u64,
    /// Operations newly reached.
    pub operations: Vec<String>,
    /// Questions that were not settled, one sentence each.
    pub open: Vec<String>,
}

impl Effect {
    /// Words of the stamp.
    #[must_use]
    pub fn stamp(&self) -> &'static str {
        match self.result {
            Outcome::More if self.is_new => "Allows",
            Outcome::Same if self.is_new => "Nothing",
            result => result.stamp(),
        }
    }

    /// Class of the band.
    #[must_use]
    pub fn class(&self) -> &'static str {
        match self.result {
            Outcome::More if self.is_new => "plain",
            result => result.class(),
        }
    }

    /// The result in a sentence.
    #[must_use]
    pub fn summary(&self) -> &'static str {
        match (self.result, self.is_new) {
            (Outcome::More, true) => "The token may make requests such as these",
            (_, true) if self.result != Outcome::Open => "The token may make no request",
            (Outcome::More, _) => "The change allows requests that are denied now",
            (Outcome::Less, _) => "The change denies requests that are allowed now, and allows no others",
            (Outcome::Same, _) => "The change allows and denies the same requests as now",
            (Outcome::Open, _) => "It was not settled whether the change allows more",
        }
    }

    /// What the result is based on, in a sentence.
    #[must_use]
    pub fn details(&self) -> &'static str {
        match (self.result, self.is_new) {
            (Outcome::Open, _) => {
                "Not settled counts as more. `tokenward diff` may take more time for the proof."
            }
            (_, true) => "Computed over all possible requests: one example for each line.",
            _ => "Compared with the policy in force, over all possible requests.",
        }
    }
}
