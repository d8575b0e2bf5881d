//! Decides which reviews count. Those of the base do, since the author of a change could not write them together with
//! it. With `--accept-reviews`, those of the new side do too.

use std::collections::HashSet;

use tokenward_compiler::diagnostic::{Code, Diagnostic};
use tokenward_compiler::tokens::{Reviewed, ReviewedWhat, read_reviewed};
use tokenward_pdp::side::Side;

use super::super::super::failure::Failure;
use super::super::super::reviews::operations::Review;
use super::super::super::reviews::{self, counts, of_operation};

pub(super) struct Reviews {
    /// Reviews of the base.
    accepted: Vec<Reviewed>,
    /// Reviews of the new side, each with whether a change needs it.
    own: Vec<(Reviewed, bool)>,
    accept: bool,
    /// The tokens whose reviews do not count.
    withheld: HashSet<String>,
    /// ms UTC
    now: i64,
}

impl Reviews {
    pub(super) fn read(
        (old, new): (&Side, &Side),
        accept: bool,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<Self, Failure> {
        let accepted = reviews::read(&old.sources, &old.name)?;
        let own = read_reviewed(&new.sources, diagnostics);
        Ok(Self {
            accepted,
            own: own.into_iter().map(|entry| (entry, false)).collect(),
            accept,
            withheld: HashSet::new(),
            now: reviews::now(),
        })
    }

    /// Whether the change was reviewed.
    pub(super) fn has(&self, what: &ReviewedWhat) -> bool {
        let is_withheld = what.token().is_some_and(|token| self.withheld.contains(token));
        !is_withheld && self.counting().any(|entry| entry.what == *what)
    }

    /// Whether anything was reviewed of a token of this name.
    pub(super) fn name(&self, token: &str) -> bool {
        self.counting().any(|entry| entry.what.token() == Some(token))
    }

    /// From now on no review of the token counts.
    pub(super) fn withhold(&mut self, token: &str) {
        self.withheld.insert(token.to_owned());
    }

    /// The new side's reviews of operations.
    pub(super) fn of_operations(&self) -> Vec<Review<'_>> {
        self.own
            .iter()
            .filter_map(|(entry, _)| of_operation(entry))
            .collect()
    }

    fn counting(&self) -> impl Iterator<Item = &Reviewed> {
        let own = self.own.iter().map(|(entry, _)| entry);
        let own = own.filter(|_| self.accept);
        let all = self.accepted.iter().chain(own);
        all.filter(|entry| counts(entry, self.now))
    }

    /// Whether the change was reviewed. Also marks the entries about it as needed, so that they are not reported as
    /// stale.
    pub(super) fn need(&mut self, what: &ReviewedWhat) -> bool {
        for (entry, needed) in &mut self.own {
            *needed |= entry.what == *what;
        }
        self.has(what)
    }

    /// Reports the new side's entries that do not count, and those that no change needs.
    /// `idle`: those of operations that count for nothing.
    pub(super) fn tell(&self, idle: &[(Review<'_>, String)], diagnostics: &mut Vec<Diagnostic>) {
        for (entry, needed) in &self.own {
            let is_accepted = self.accept || self.accepted.iter().any(|other| other.covers(entry));
            if !is_accepted {
                let headline = format!("the base does not have this review of {}", entry.what);
                let found = Diagnostic::new(Code::UnacceptedReview, entry.span, headline);
                diagnostics.push(found.help(
                    "ask an owner to approve the change, then run the command in CI with --accept-reviews",
                ));
            }
            let operation = of_operation(entry);
            let idle = idle.iter().find(|(review, _)| Some(*review) == operation);
            // `tokenward reach --against` judges whether operations need reviews.
            let headline = if let Some((_, why)) = idle {
                format!("this review counts for nothing: {why}")
            } else if !needed && operation.is_none() {
                format!("no new access needs this review of {}", entry.what)
            } else if !counts(entry, self.now) {
                "this review has expired".to_owned()
            } else {
                continue;
            };
            let found = Diagnostic::new(Code::StaleReview, entry.span, headline);
            diagnostics.push(found.help("remove it, or review the access again and set a new `until`"));
        }
    }
}
