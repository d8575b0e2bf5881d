//! `--no-new-access`: whatever a policy allows beyond another, and nobody reviewed.

use std::time::{SystemTime, UNIX_EPOCH};

use tokenward_compiler::SourceMap;
use tokenward_compiler::analysis::{Analysis, Cause, Difference, Finding};
use tokenward_compiler::diagnostic::{Code, Diagnostic, Witness};
use tokenward_compiler::ir::{LineId, Program, Token, TokenId, Users};
use tokenward_compiler::source::{SourceSet, Span};
use tokenward_compiler::tokens::{Reviewed, ReviewedWhat, read_reviewed};

use super::super::diff::attributes::{Change, changes};
use super::super::diff::report::pairs;
use super::super::failure::Failure;
use super::super::place::Place;
use super::super::progress::Progress;
use super::super::universe::universe;
use crate::config::Config;

/// Adds to `diagnostics` what `new`, written as `source_map` says, allows beyond the policy at `base`.
pub(super) fn check(
    base: &str,
    (new, source_map): (&Program, &SourceMap),
    sources: &SourceSet,
    (config, budget): (&Config, u64),
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<(), Failure> {
    let old = Place::parse(base, config).load(config)?;
    let entries = read_reviewed(sources, diagnostics);
    let mut analysis = Analysis::new(&old, new, universe(config), budget).map_err(Failure::trouble)?;
    let mut gate = Gate {
        old: &old,
        new,
        source_map,
        needed: vec![false; entries.len()],
        entries: &entries,
        now: now(),
        diagnostics,
    };
    let mut progress = Progress::new("tokens compared");
    let pairs = pairs(&old, new);
    for (done, (before, after)) in pairs.iter().enumerate() {
        if let Some(after) = after {
            gate.token(&mut analysis, *before, *after)?;
        }
        progress.tell(done + 1, pairs.len());
    }
    gate.tell_stale();
    Ok(())
}

struct Gate<'a> {
    old: &'a Program,
    new: &'a Program,
    source_map: &'a SourceMap,
    entries: &'a [Reviewed],
    /// For each entry whether something needs it.
    needed: Vec<bool>,
    /// ms UTC
    now: i64,
    diagnostics: &'a mut Vec<Diagnostic>,
}

impl Gate<'_> {
    fn token(
        &mut self,
        analysis: &mut Analysis<'_>,
        before: Option<TokenId>,
        after: TokenId,
    ) -> Result<(), Failure> {
        let (old, new) = (self.old, self.new);
        let token = new.token(after);
        let all = analysis
            .unreviewed((before, Some(after)), &[], &[])
            .map_err(Failure::trouble)?;
        if !all.is_none() {
            let left = self.review(token, &all);
            let unreviewed = match left {
                None => Difference::default(),
                Some((permits, lifted)) if permits.is_empty() && lifted.is_empty() => all,
                Some((permits, lifted)) => analysis
                    .unreviewed((before, Some(after)), &permits, &lifted)
                    .map_err(Failure::trouble)?,
            };
            for finding in &unreviewed.findings {
                self.tell(token, after, finding);
            }
            if let Some(why) = unreviewed.inconclusive {
                let headline = format!(
                    "whether `{}` allows more than before could not be settled: {why}",
                    token.name
                );
                self.push(Diagnostic::new(Code::NewAccess, self.place(after), headline));
            }
        }
        let beside = before.map_or_else(Vec::new, |before| changes(old.token(before), token));
        for change in beside.iter().filter(|change| change.widens) {
            self.change(token, after, change);
        }
        Ok(())
    }

    /// The lines of a token, new and old, that were reviewed; `None` if all of it was. Entries that something needs are
    /// marked.
    fn review(&mut self, token: &Token, all: &Difference) -> Option<(Vec<LineId>, Vec<LineId>)> {
        let (mut permits, mut lifted) = (Vec::new(), Vec::new());
        for (entry, needed) in self.entries.iter().zip(&mut self.needed) {
            if entry.token.value != token.name {
                continue;
            }
            let text = match &entry.what {
                ReviewedWhat::Line(text) => text,
                ReviewedWhat::Key(key, value) if key == "unrestricted" && value == "true" => {
                    let is = all
                        .findings
                        .iter()
                        .any(|finding| finding.cause == Cause::Unrestricted);
                    *needed |= is;
                    if is && counts(entry, self.now) {
                        return None;
                    }
                    continue;
                }
                ReviewedWhat::Key(..) => continue,
            };
            let is = |finding: &Finding| match finding.cause {
                Cause::Permit(line) => self.new.line(line).text == *text,
                Cause::Lifted(line) => self.old.line(line).text == *text,
                Cause::Unrestricted => false,
            };
            *needed |= all.inconclusive.is_some() || all.findings.iter().any(is);
            if counts(entry, self.now) {
                let of_token = self.new.lines_of(token);
                permits.extend(of_token.filter(|(_, line)| line.text == *text).map(|(id, _)| id));
                let causes = all.findings.iter().filter_map(|finding| match finding.cause {
                    Cause::Lifted(line) if self.old.line(line).text == *text => Some(line),
                    _ => None,
                });
                lifted.extend(causes);
            }
        }
        Some((permits, lifted))
    }

    fn tell(&mut self, token: &Token, id: TokenId, finding: &Finding) {
        let request = finding.witness.to_string();
        let user = match &token.users {
            Users::Named(users) => users.first().map_or("USER", String::as_str),
            Users::Any => "USER",
        };
        let curl = self.new.base().map(|base| finding.witness.curl(base, user));
        let (place, headline, entry) = match finding.cause {
            Cause::Permit(line) => (
                self.source_map.line(line),
                format!("`{}` newly allows what this line matches", token.name),
                format!("line = '{}'", self.new.line(line).text),
            ),
            Cause::Lifted(line) => {
                let text = self.old.line(line).text;
                (
                    None,
                    format!("`{}` newly allows what `{text}` forbade", token.name),
                    format!("line = '{text}'"),
                )
            }
            Cause::Unrestricted => (
                None,
                format!("`{}` is newly unrestricted", token.name),
                "key = \"unrestricted\", value = \"true\"".to_owned(),
            ),
        };
        let place = place.unwrap_or_else(|| self.place(id));
        self.push(
            Diagnostic::new(Code::NewAccess, place, headline)
                .witness(Witness {
                    request,
                    curl: curl.unwrap_or_default(),
                })
                .help(advice(token, &entry)),
        );
    }

    fn change(&mut self, token: &Token, id: TokenId, change: &Change) {
        for (entry, needed) in self.entries.iter().zip(&mut self.needed) {
            let what = ReviewedWhat::Key(change.key.to_owned(), change.new.clone());
            if entry.token.value == token.name && entry.what == what {
                *needed = true;
                if counts(entry, self.now) {
                    return;
                }
            }
        }
        let headline = format!(
            "`{}` lets more in: `{}` was {} and is {}",
            token.name, change.key, change.old, change.new
        );
        let entry = format!("key = \"{}\", value = \"{}\"", change.key, change.new);
        self.push(Diagnostic::new(Code::NewAccess, self.place(id), headline).help(advice(token, &entry)));
    }

    fn tell_stale(&mut self) {
        for (entry, needed) in self.entries.iter().zip(&self.needed) {
            let headline = if !needed {
                format!(
                    "nothing that `{}` newly allows needs this review",
                    entry.token.value
                )
            } else if !counts(entry, self.now) {
                "this review has ended".to_owned()
            } else {
                continue;
            };
            let diagnostic = Diagnostic::new(Code::StaleReview, entry.span, headline);
            self.diagnostics
                .push(diagnostic.help("take it out, or look again and give it a new `until`"));
        }
    }

    fn place(&self, id: TokenId) -> Span {
        // INVARIANT: every token of a program that was just compiled has its place.
        self.source_map.token(id).unwrap_or_else(Span::nowhere)
    }

    fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }
}

fn advice(token: &Token, entry: &str) -> String {
    format!(
        "if that is right: [[reviewed]] in reviewed.toml, with token = \"{}\", {entry}, why = \"…\"",
        token.name
    )
}

fn counts(entry: &Reviewed, now: i64) -> bool {
    entry.until.is_none_or(|until| now < until)
}

/// ms UTC; a clock before 1970 counts as 1970.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}
