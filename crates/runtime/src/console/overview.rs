//! The overview: the policy in force, the calls of a time, and what needs a person.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};
use tokenward_audit::{Filter, Page, Tally, Usage, Verdict};

use super::heavy::Console;
use super::line::{Repeated, used};
use super::range::Range;
use super::tokens::{TokenRow, rows};
use super::used::Used;
use crate::admin::{AdminError, AdminState};
use crate::call::now_ms;

/// Entries of each list.
pub(super) const LISTED: usize = 10;
/// A token that ends within so many milliseconds ends soon.
const SOON_MS: i64 = 30 * 86_400_000;
/// Calls that are read for a plot by minutes. If there are more, the plot has hours.
const READ: usize = 50_000;

/// The parameters of the overview.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Question {
    #[serde(default)]
    pub(super) range: Range,
}

/// The overview.
#[derive(Debug, Serialize)]
pub(super) struct Overview {
    pub(super) ready: bool,
    pub(super) policy: Policy,
    pub(super) range: Range,
    pub(super) since_ms: i64,
    pub(super) until_ms: i64,
    pub(super) total: Used,
    pub(super) plot: Plot,
    /// Tokens with the most calls.
    pub(super) tokens: Vec<Named>,
    /// Reasons of denials and refusals, the most frequent first.
    pub(super) reasons: Vec<Named>,
    /// Tokens that end soon, the next one first.
    pub(super) ending: Vec<TokenRow>,
    /// Active tokens without a call in the audit.
    pub(super) never_used: Vec<String>,
    /// Permit lines of active tokens without a call in the audit.
    pub(super) unused_lines: Vec<UnusedLine>,
    pub(super) unused_line_count: usize,
    pub(super) upstream: Vec<Upstream>,
    pub(super) audit: Audit,
    /// All tokens, for the page.
    #[serde(skip)]
    pub(super) rows: Vec<TokenRow>,
}

/// The policy in force, and the result of the last reload.
#[derive(Debug, Serialize)]
pub(super) struct Policy {
    pub(super) digest: String,
    pub(super) since_ms: i64,
    pub(super) tokens: usize,
    pub(super) reloads: u64,
    pub(super) reloads_failed: u64,
    /// Why the last reload failed; the policy in force is then an older one.
    pub(super) reload_failure: Option<String>,
    /// Tokens whose calls are refused, since one of their lines has an error.
    pub(super) tokens_refused: Vec<String>,
    /// Forbid lines without effect.
    pub(super) dead_forbid_lines: Vec<String>,
    pub(super) restart_needed: Option<String>,
    /// Tokens that are revoked by command, but not in a policy file.
    pub(super) revoked_not_in_policy: Vec<String>,
    pub(super) suspended: Vec<String>,
}

/// Calls by time.
#[derive(Debug, Serialize)]
pub(super) struct Plot {
    pub(super) step_ms: i64,
    pub(super) points: Vec<Point>,
}

/// The calls of one step.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub(super) struct Point {
    pub(super) at_ms: i64,
    pub(super) allowed: u64,
    pub(super) denied: u64,
    pub(super) refused: u64,
}

/// The calls of one token or reason.
#[derive(Debug, Serialize)]
pub(super) struct Named {
    pub(super) name: Option<String>,
    pub(super) used: Used,
}

/// A line that no call used.
#[derive(Debug, Serialize)]
pub(super) struct UnusedLine {
    pub(super) token: String,
    pub(super) file: String,
    pub(super) number: u32,
    pub(super) text: String,
}

/// One address of the upstream.
#[derive(Debug, Serialize)]
pub(super) struct Upstream {
    pub(super) address: String,
    pub(super) is_healthy: bool,
    pub(super) failures: u64,
}

/// The state of the audit.
#[derive(Debug, Serialize)]
pub(super) struct Audit {
    /// Why it cannot be written; absent if it can.
    pub(super) failing: Option<String>,
    pub(super) last: u64,
    /// The first recorded call that the counts include.
    pub(super) first_ms: Option<i64>,
}

/// Answers `GET /v1/overview`.
pub(super) async fn overview(
    state: Arc<AdminState>,
    console: &Console,
    range: Range,
) -> Result<Overview, AdminError> {
    let now = now_ms();
    let counts = console.counts(&state.audit, Some(range), now).await?;
    let ever = console.counts(&state.audit, None, now).await?;
    let plot = plot(&state, console, &counts, (range, now)).await?;
    let rows = rows(&state, &ever, now);
    let active: HashSet<&str> = rows
        .iter()
        .filter(|row| row.is_active())
        .map(|row| row.name.as_str())
        .collect();
    let mut ending: Vec<TokenRow> = rows
        .iter()
        .filter(|row| row.ends_before(now + SOON_MS))
        .cloned()
        .collect();
    ending.sort_by_key(|row| row.expires_ms);
    ending.truncate(LISTED);
    let never_used = rows.iter().filter(|row| row.is_active() && row.used.calls == 0);
    let never_used = never_used.map(|row| row.name.clone()).collect();
    let (unused_lines, unused_line_count) = unused_lines(&state, &ever, &active);
    Ok(Overview {
        ready: state.readiness.is_ready(),
        policy: policy(&state),
        range,
        since_ms: now - range.length_ms(),
        until_ms: now,
        total: Used::from(&counts.calls),
        plot,
        tokens: most(
            counts.tokens.iter().map(|(name, tally)| (name.clone(), tally)),
            Tally::all,
        ),
        reasons: most(
            counts
                .reasons
                .iter()
                .map(|(name, tally)| (Some(name.clone()), tally)),
            |tally| tally.denied + tally.refused,
        ),
        never_used,
        ending,
        unused_lines,
        unused_line_count,
        upstream: upstream(&state),
        audit: audit(&state, &ever),
        rows,
    })
}

/// Those with the most calls.
fn most<'t>(
    of: impl Iterator<Item = (Option<String>, &'t Tally)>,
    count: impl Fn(&Tally) -> u64,
) -> Vec<Named> {
    let mut all: Vec<_> = of.filter(|(_, tally)| count(tally) > 0).collect();
    all.sort_by_key(|(_, tally)| std::cmp::Reverse(count(tally)));
    let first = all.into_iter().take(LISTED);
    first
        .map(|(name, tally)| Named {
            name,
            used: Used::from(tally),
        })
        .collect()
}

/// The policy in force.
pub(super) fn policy(state: &AdminState) -> Policy {
    let live = state.policies.current();
    let reloads = state.policies.status();
    Policy {
        digest: live.program().digest().to_owned(),
        since_ms: ms(live.since()),
        tokens: live.program().tokens().count(),
        reloads: reloads.succeeded,
        reloads_failed: reloads.failed,
        reload_failure: reloads.failure,
        tokens_refused: live.refused(),
        dead_forbid_lines: reloads.dead,
        restart_needed: reloads.waiting,
        revoked_not_in_policy: state.policies.revoked_beside_policy(),
        suspended: state.policies.suspended(),
    }
}

fn ms(time: SystemTime) -> i64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

fn upstream(state: &AdminState) -> Vec<Upstream> {
    let now = Instant::now();
    let all = state.upstream.all().iter();
    all.map(|address| Upstream {
        address: address.authority().to_owned(),
        is_healthy: address.is_open(now),
        failures: address.failures(),
    })
    .collect()
}

fn audit(state: &AdminState, ever: &Usage) -> Audit {
    let stats = state.audit.stats();
    Audit {
        failing: stats.failing.map(|failing| failing.to_string()),
        last: stats.last.0,
        first_ms: (ever.calls.all() > 0).then_some(ever.calls.first_ms),
    }
}

/// The permit lines that no recorded call used, each once, and their number.
fn unused_lines(state: &AdminState, ever: &Usage, active: &HashSet<&str>) -> (Vec<UnusedLine>, usize) {
    let live = state.policies.current();
    let program = live.program();
    let repeated = Repeated::of(program);
    let (mut seen, mut lines, mut count) = (HashSet::new(), Vec::new(), 0);
    for (id, token) in program
        .tokens()
        .filter(|(_, token)| active.contains(token.name.as_str()))
    {
        for (line, shown) in program.lines_of(id) {
            let digest = shown.digest.to_string();
            let at = (shown.file, shown.number, digest.as_str());
            if shown.text.starts_with('!') || !seen.insert(line) || used(ever, &repeated, at).calls > 0 {
                continue;
            }
            count += 1;
            if lines.len() < LISTED {
                lines.push(UnusedLine {
                    token: token.name.clone(),
                    file: shown.file.to_owned(),
                    number: shown.number,
                    text: shown.text.to_owned(),
                });
            }
        }
    }
    (lines, count)
}

/// The calls by steps of time. The audit's counts have hours; for shorter steps, calls are read.
async fn plot(
    state: &AdminState,
    console: &Console,
    counts: &Usage,
    (range, now): (Range, i64),
) -> Result<Plot, AdminError> {
    let since = now - range.length_ms();
    if range == Range::Hour && counts.calls.all() <= READ as u64 {
        let reader = state.audit.reader();
        let filter = Filter {
            since_ms: Some(since),
            ..Filter::default()
        };
        let page = Page {
            limit: READ,
            ..Page::default()
        };
        let entries = console.heavy(move || Ok(reader.query(&filter, page)?)).await?;
        let mut points = steps(since, now, range.step_ms());
        for entry in entries {
            let point = points.range_mut(..=entry.record.time_ms).next_back();
            let Some((_, point)) = point else { continue };
            *match entry.record.verdict {
                Verdict::Allow => &mut point.allowed,
                Verdict::Deny => &mut point.denied,
                Verdict::Refuse => &mut point.refused,
            } += 1;
        }
        return Ok(Plot {
            step_ms: range.step_ms(),
            points: points.into_values().collect(),
        });
    }
    let step = range.step_ms().max(Range::Day.step_ms());
    let mut points = steps(since, now, step);
    for (hour, tally) in &counts.hours {
        if let Some((_, point)) = points.range_mut(..=hour).next_back() {
            point.allowed += tally.allowed;
            point.denied += tally.denied;
            point.refused += tally.refused;
        }
    }
    Ok(Plot {
        step_ms: step,
        points: points.into_values().collect(),
    })
}

/// Empty steps of a time, by their begin.
fn steps(since: i64, until: i64, step: i64) -> BTreeMap<i64, Point> {
    let first = since - since.rem_euclid(step);
    let begins = (0..).map(|n| first + n * step).take_while(|at| *at < until);
    begins
        .map(|at_ms| {
            let point = Point {
                at_ms,
                ..Point::default()
            };
            (at_ms, point)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_cover_the_whole_time() {
        let step = Range::Day.step_ms();
        let points = steps(step / 2, step * 3 + 1, step);
        assert_eq!(
            points.keys().copied().collect::<Vec<_>>(),
            [0, step, 2 * step, 3 * step]
        );
        assert!(steps(5, 5, step).len() == 1 && steps(0, 0, step).is_empty());
    }
}
