//! `--no-new-access`: reports everything that a policy gives beyond another and that was not reviewed.

mod additions;
mod advice;
mod places;
mod reviews;

use std::path::{Path, PathBuf};

use tokenward_compiler::analysis::{Budget, Cause, Inconclusive, Obstacle};
use tokenward_compiler::diagnostic::{Code, Diagnostic, Severity, Witness};
use tokenward_compiler::earlier::{Direction, Rereading};
use tokenward_compiler::ir::{LineId, Program, TokenId};
use tokenward_compiler::source::Span;
use tokenward_compiler::tokens::ReviewedWhat;
use tokenward_pdp::compare::{Bound, Change, Example, Lines, Report, Standing, TokenReport};
use tokenward_pdp::side::Side;

use super::super::descriptions::LazyNames;
use super::super::failure::Failure;
use super::super::output;
use super::super::progress::Progress;
use super::super::settings::ConfigArg;
use super::super::side::{
    self, Ancestry, Command, Committed, Spec, Within, config_of, is_path, is_range, refuse_compiled,
};
use additions::{Additions, idle};
use advice::advice;
use places::Places;
use reviews::Reviews;

/// Arguments of the comparison with a base.
pub(super) struct Question<'a> {
    /// The base as the command line names it.
    pub(super) base: &'a str,
    pub(super) config: &'a ConfigArg,
    /// Value of `--old-config`.
    pub(super) old_config: Option<&'a Path>,
    /// The policy directory that the command line names, for both sides.
    pub(super) directory: Option<&'a Path>,
    /// Path of the new side's policy.
    pub(super) policies: &'a Path,
    /// Whether reviews of the new side count, in addition to those of the base.
    pub(super) accept_reviews: bool,
}

/// The base, ready to be compared with the new side.
pub(super) struct Base {
    old: Side,
    /// The commit of the work tree, if the base is another one.
    committed: Option<Committed>,
    accept_reviews: bool,
    places: Places,
}

impl Base {
    /// The commit of the work tree, which is judged as the work tree is, if the base is another one.
    pub(super) fn committed(&self) -> Option<&Committed> {
        self.committed.as_ref()
    }

    /// Reads the base and makes sure that the new side contains it.
    pub(super) fn read(question: &Question<'_>) -> Result<Self, Failure> {
        let base = question.base;
        // A range could hide commits that the new side lacks.
        if is_range(base) {
            return Err(Failure::Usage(format!(
                "`{base}` is a range, not a revision, and a merge base would hide changes that the branch lacks; name one revision, \
                 as in `--no-new-access main`"
            )));
        }
        refuse_compiled(question.policies)?;
        let directory = question.directory.filter(|path| path.is_dir());
        let command = Command {
            config: question.config,
            old_config: question.old_config,
            directory,
        };
        // A path needs no repository.
        let within = if is_path(base) {
            None
        } else {
            Within::discover(question.config, Some(question.policies))?
        };
        let mut committed = None;
        let (old, named) = match Spec::parse(base, within.as_ref())? {
            Spec::Here(path) => {
                let path: PathBuf = path;
                let side = side::here(&path, config_of(&path, &command)?)?;
                (side, path.display().to_string())
            }
            Spec::Revision(commit) => {
                let within = Within::required(within.as_ref())?;
                // The commit must be comparable with the work tree: same repository, no links, all of its commits
                // contained.
                within.refuse_linked_config()?;
                if !within.has(question.policies)? {
                    return Err(Failure::Trouble(format!(
                        "`{}` is not in the repository of `{base}`; name a directory as the base",
                        question.policies.display()
                    )));
                }
                within.refuse_unserved(question.config, question.policies)?;
                let side = side::at(within, &commit, &command)?;
                let head = within.head()?;
                within.check_ancestry(&commit, &head, Ancestry::Contains)?;
                if head.id == commit.id {
                    output::note(&format!(
                        "`{base}` is the commit that is checked out, so only changes that are not committed are compared; \
                         in CI name the target branch, or the commit before the push"
                    ));
                } else {
                    committed = Some(Committed::read(within, &head, &command)?);
                }
                let named = format!("{}:{}", commit.name, side.directory);
                (side, named)
            }
        };
        Ok(Self {
            old,
            committed,
            accept_reviews: question.accept_reviews,
            places: Places::new(question.config.path(), named),
        })
    }

    /// Adds a finding to `diagnostics` for everything that `new` gives beyond the base and that was not reviewed. `reread`: lines
    /// by which only the upgrade of Tokenward gives more; `bound` is the program that has them.
    pub(super) fn check(
        &self,
        (new, bound_new): (&Side, &Program),
        reread: &[Rereading],
        (budget, names): (&Budget, &LazyNames),
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Result<(), Failure> {
        let old = &self.old;
        let bound = Bound::new(old, new)?;
        let mut lines = Lines::new(&bound, budget)?;
        let mut progress = Progress::new("tokens compared");
        let report = Report::new((old, new), (&bound, &mut lines), budget, |done, of| {
            progress.tell(done, of)
        })?;
        let reviews = Reviews::read((old, new), self.accept_reviews, diagnostics)?;
        let mut gate = Gate {
            old,
            new,
            reviews,
            places: &self.places,
            diagnostics,
            additions: Additions::default(),
        };
        gate.settings(&report);
        for token in &report.tokens {
            gate.token(token, &report, &mut lines)?;
        }
        for one in reread {
            gate.reread(one, bound_new);
        }
        // The proofs come first: explanations take steps of the same budget.
        gate.additions.explain(gate.diagnostics, &mut lines);
        gate.additions.name(gate.diagnostics, &bound, names)?;
        let reviewed = gate.reviews.of_operations();
        let idle = idle(&reviewed, names, (bound_new, new, budget))?;
        gate.reviews.tell(&idle, gate.diagnostics);
        Ok(())
    }
}

struct Gate<'a> {
    old: &'a Side,
    new: &'a Side,
    reviews: Reviews,
    places: &'a Places,
    diagnostics: &'a mut Vec<Diagnostic>,
    additions: Additions,
}

impl Gate<'_> {
    /// Reports a line by which an upgrade gives a token more, unless that was reviewed or is new access in any case.
    fn reread(&mut self, one: &Rereading, program: &Program) {
        if one.direction == Direction::Open {
            let mut found = one.diagnostic(program);
            found.code = Code::OpenComparison;
            found.severity = Severity::Error;
            return self.push(found.help("simplify the patterns, or use a larger --budget"));
        }
        let (token, text) = (program.token(one.token).name.clone(), one.text.clone());
        let what = if one.is_permit {
            ReviewedWhat::Line { token, text }
        } else {
            ReviewedWhat::Lifted { token, text }
        };
        let is_access = |code| matches!(code, Code::NewAccess | Code::LatentAccess);
        let is_known = |found: &Diagnostic| is_access(found.code) && found.primary.span == one.line;
        if self.reviews.need(&what) || self.diagnostics.iter().any(is_known) {
            return;
        }
        let mut found = one.diagnostic(program);
        found.severity = Severity::Error;
        let write = found
            .help
            .take()
            .map_or_else(String::new, |help| format!("{help}; "));
        self.push(found.help(format!("{write}{}", advice(&what))));
    }

    /// Reports changes outside tokens: settings, invariants, sets.
    fn settings(&mut self, report: &Report) {
        for change in &report.configuration {
            let Some(code) = change.widens else { continue };
            let what = ReviewedWhat::Setting {
                key: change.key.clone(),
                value: change.new.clone(),
            };
            let gives = if change.is_certain { "gives" } else { "may give" };
            let headline = format!(
                "the setting `{}` {gives} more: it was {} and is now {}",
                change.key, change.old, change.new
            );
            let found = Diagnostic::new(code, Span::nowhere(), headline);
            self.find(&what, found.elsewhere(self.places.setting(&change.key)));
        }
        for lost in &report.invariants {
            let change = &lost.change;
            let place = lost.place.unwrap_or_else(Span::nowhere);
            let headline = if lost.place.is_some() {
                format!("the invariant `{}` was changed", change.key)
            } else {
                format!("the invariant `{}` was removed", change.key)
            };
            let mut found = Diagnostic::new(Code::LostInvariant, place, headline);
            if lost.place.is_none() {
                found = found.elsewhere(self.places.of_base(&self.old.sources, lost.was));
            }
            self.find(&invariant(change), found);
        }
        for grown in &report.sets {
            let change = &grown.change;
            let headline = format!(
                "the set `{}`, which no token includes, grew: it had {} and now has {}",
                change.key, change.old, change.new
            );
            let found = Diagnostic::new(Code::GrownSet, grown.place, headline);
            self.push(found.help("review the set now: a later `include` would apply all its lines"));
        }
    }

    fn token(&mut self, token: &TokenReport, report: &Report, lines: &mut Lines<'_>) -> Result<(), Failure> {
        let Some(after) = token.after else { return Ok(()) };
        self.taken_name(token, after);
        for change in &token.changes {
            self.key(token, after, change);
        }
        self.breaches(token, after, report);
        if token.newly_allowed.is_none() {
            return Ok(());
        }
        if self.is_reviewed_whole(token) {
            self.lifted(token, after);
            return Ok(());
        }
        let (permits, lifted) = self.reviewed_lines(token, after);
        let left;
        let unreviewed = if permits.is_empty() && lifted.is_empty() {
            &token.newly_allowed
        } else {
            left = lines.beyond(&token.before, after, (&permits, &lifted))?;
            &left
        };
        for example in &unreviewed.examples {
            self.line(token, after, (example, &permits));
        }
        if let Some(why) = unreviewed.inconclusive {
            self.settle(token, after, why);
        }
        Ok(())
    }

    /// Of a renamed token: its credentials need reviews if the name has any, since those were not written for this token.
    /// Until then none of them counts for it. It is found when it takes the name, as the next change would not show it.
    fn taken_name(&mut self, token: &TokenReport, after: TokenId) {
        if !self.reviews.name(&token.name) {
            return;
        }
        let credentials = token.strange_credentials.iter();
        let unreviewed: Vec<&Change> = credentials
            .filter(|change| !self.reviews.need(&key(token, change)))
            .collect();
        if unreviewed.is_empty() {
            return;
        }
        self.reviews.withhold(&token.name);
        for change in unreviewed {
            let is_told = |known: &Change| known.key == change.key && known.widens.is_some();
            if token.changes.iter().any(is_told) {
                continue;
            }
            let headline = format!(
                "`{}` would inherit the reviews of its new name: `{}` of that name was {} and is now {}",
                token.name, change.key, change.old, change.new
            );
            let found = Diagnostic::new(Code::NewCredential, self.place(after), headline);
            self.push(found.help(advice(&key(token, change))));
        }
    }

    fn settle(&mut self, token: &TokenReport, after: TokenId, why: Inconclusive) {
        let headline = format!(
            "whether `{}` allows more than before could not be settled",
            token.name
        );
        self.open(after, headline, why);
    }

    /// Reports a key that gives a token more.
    fn key(&mut self, token: &TokenReport, after: TokenId, change: &Change) {
        let Some(code) = change.widens else { return };
        let headline = if code == Code::FreedToken {
            format!(
                "`{}` is no longer selected by the base's invariant {}",
                token.name, change.old
            )
        } else {
            format!(
                "`{}` gives more: `{}` was {} and is now {}",
                token.name, change.key, change.old, change.new
            )
        };
        let mut found = Diagnostic::new(code, self.place(after), headline);
        let examples = token.newly_allowed.examples.iter();
        let mut examples = examples.filter(|example| example.cause == Cause::Unrestricted);
        let example = examples.next().filter(|_| code == Code::NewUnrestricted);
        if let Some(example) = example {
            found = found.witness(witness(example));
        }
        let at = self.diagnostics.len();
        self.find(&key(token, change), found);
        if let Some(example) = example.filter(|_| self.diagnostics.len() > at) {
            self.additions.leave_unnamed(at, after, (example, &[]));
        }
    }

    /// Reports invariants of the base that the token breaks, unless a review covers the removal of the invariant.
    fn breaches(&mut self, token: &TokenReport, after: TokenId, report: &Report) {
        for breach in &token.breaches {
            let name = &breach.found.invariant;
            let ended = report.invariants.iter().find(|lost| lost.change.key == *name);
            if ended.is_some_and(|lost| self.reviews.has(&invariant(&lost.change))) {
                continue;
            }
            if let Some(why) = breach
                .found
                .inconclusive
                .filter(|_| breach.found.witness.is_none())
            {
                let headline = format!(
                    "whether `{}` keeps the base's invariant `{name}` could not be settled",
                    token.name
                );
                self.open(after, headline, why);
                continue;
            }
            let kind = breach.found.kind.as_str();
            let mut headline = format!("`{}` breaks the base's invariant `{name}` (`{kind}`)", token.name);
            headline.push_str(&forwarded_only(&breach.found.obstacles));
            let place = breach.found.line.and_then(|line| self.new.source_map.line(line));
            let mut found = Diagnostic::new(
                Code::FreedToken,
                place.unwrap_or_else(|| self.place(after)),
                headline,
            );
            if let Some(request) = &breach.found.witness {
                found = found.witness(request.sent_by(breach.curl.clone()));
            }
            self.find(&key(token, &breach.change), found);
        }
    }

    /// Whether a review of `unrestricted` covers all requests that the token newly allows.
    fn is_reviewed_whole(&self, token: &TokenReport) -> bool {
        let changes = token.changes.iter();
        let mut unrestricted = changes.filter(|change| change.widens == Some(Code::NewUnrestricted));
        unrestricted.any(|change| self.reviews.has(&key(token, change)))
    }

    /// Reports lifted forbid lines of a token that was reviewed as unrestricted: forbid lines apply to such a token
    /// too.
    fn lifted(&mut self, token: &TokenReport, after: TokenId) {
        for example in &token.newly_allowed.examples {
            let what = self.what(token, example);
            let is_lifted = |what: &ReviewedWhat| matches!(what, ReviewedWhat::Lifted { .. });
            if let Some(what) = what.filter(is_lifted)
                && !self.reviews.need(&what)
            {
                self.line(token, after, (example, &[]));
            }
        }
        if let Some(why) = token.newly_allowed.inconclusive {
            self.settle(token, after, why);
        }
    }

    /// Lists reviewed lines: permit lines of the new policy, and lifted forbid lines of the old one.
    fn reviewed_lines(&mut self, token: &TokenReport, after: TokenId) -> (Vec<LineId>, Vec<LineId>) {
        let (new, old) = (&self.new.program, &self.old.program);
        // A review that an inconclusive comparison may need is not reported as stale.
        let open = token.newly_allowed.inconclusive.is_some();
        let needed: Vec<ReviewedWhat> = token
            .newly_allowed
            .examples
            .iter()
            .filter_map(|example| self.what(token, example))
            .collect();
        let mut permits = Vec::new();
        for (id, line) in new.lines_of(after) {
            let text = line.text.to_owned();
            let what = ReviewedWhat::Line {
                token: token.name.clone(),
                text,
            };
            if (open || needed.contains(&what)) && self.reviews.need(&what) || self.reviews.has(&what) {
                permits.push(id);
            }
        }
        let mut lifted = Vec::new();
        for before in &token.before {
            for (id, line) in old.lines_of(*before) {
                let what = ReviewedWhat::Lifted {
                    token: token.name.clone(),
                    text: line.text.to_owned(),
                };
                if (open || needed.contains(&what)) && self.reviews.need(&what) {
                    lifted.push(id);
                }
            }
        }
        (permits, lifted)
    }

    /// The review that an example requires. `None` for an unrestricted token, since the review of its key covers it.
    fn what(&self, token: &TokenReport, example: &Example) -> Option<ReviewedWhat> {
        let token = token.name.clone();
        match example.cause {
            Cause::Permit(line) => Some(ReviewedWhat::Line {
                token,
                text: self.new.program.line(line).text.to_owned(),
            }),
            Cause::Lifted(line) | Cause::Refused(line) => Some(ReviewedWhat::Lifted {
                token,
                text: self.old.program.line(line).text.to_owned(),
            }),
            Cause::Unrestricted => None,
        }
    }

    /// Reports a line by which a token allows more. `reviewed`: the permit lines that were reviewed.
    fn line(&mut self, token: &TokenReport, after: TokenId, (example, reviewed): (&Example, &[LineId])) {
        let Some(what) = self.what(token, example) else {
            return;
        };
        let (mut code, place, mut headline) = match example.cause {
            Cause::Permit(line) => (
                Code::NewAccess,
                self.new.source_map.line(line),
                format!("`{}` newly allows requests that this line matches", token.name),
            ),
            Cause::Lifted(line) => {
                let text = self.old.program.line(line).text;
                let headline = format!("`{}` newly allows requests that `{text}` forbade", token.name);
                (Code::LiftedForbid, None, headline)
            }
            Cause::Refused(line) => {
                let text = self.old.program.line(line).text;
                let headline = format!(
                    "`{}` newly allows names that the proxy refused because of `{text}`",
                    token.name
                );
                (Code::LiftedNames, None, headline)
            }
            Cause::Unrestricted => return,
        };
        if example.is_latent() {
            code = Code::LatentAccess;
        }
        headline.push_str(&forwarded_only(&example.obstacles));
        let place = place.unwrap_or_else(|| self.place(after));
        let found = Diagnostic::new(code, place, headline).witness(witness(example));
        let at = self.diagnostics.len();
        self.additions.leave_unnamed(at, after, (example, reviewed));
        // Of a new token everything is new.
        if token.standing != Standing::New {
            self.additions.leave_unexplained(at, example.proved(), after);
        }
        self.push(found.help(advice(&what)));
    }

    fn open(&mut self, after: TokenId, headline: String, why: Inconclusive) {
        let found = Diagnostic::new(
            Code::OpenComparison,
            self.place(after),
            format!("{headline}: {why}"),
        );
        self.push(found.help("simplify the patterns, or use a larger --budget"));
    }

    /// Adds a finding unless the change was reviewed.
    fn find(&mut self, what: &ReviewedWhat, found: Diagnostic) {
        if !self.reviews.need(what) {
            self.push(found.help(advice(what)));
        }
    }

    fn place(&self, id: TokenId) -> Span {
        self.new.source_map.token(id).unwrap_or_else(Span::nowhere)
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

fn key(token: &TokenReport, change: &Change) -> ReviewedWhat {
    ReviewedWhat::Key {
        token: token.name.clone(),
        key: change.key.clone(),
        value: change.new.clone(),
    }
}

fn invariant(change: &Change) -> ReviewedWhat {
    ReviewedWhat::Invariant {
        name: change.key.clone(),
        value: change.new.clone(),
    }
}

/// A clause about what keeps the proxy from forwarding a request; empty if nothing does.
fn forwarded_only(obstacles: &[Obstacle]) -> String {
    match obstacles {
        [] => String::new(),
        obstacles => format!("; the proxy forwards them {}", Obstacle::describe(obstacles)),
    }
}

fn witness(example: &Example) -> Witness {
    example.request.sent_by(example.curl.clone())
}
