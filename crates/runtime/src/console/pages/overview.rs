//! The first page.

use actix_web::HttpResponse;
use serde::Deserialize;
use tokenward_console::pages;
use tokenward_console::views::overview::{
    Busy, Ending, FailedReload, Overview, Plot, Range, Reason, UnusedLine, UnusedToken,
};
use tokenward_console::views::parts::{Line, Listed, State, Tone, Verdict};
use tokenward_pdp::config::Mode;

use super::super::overview::{self as gathered, overview};
use super::super::range;
use super::super::tokens::TokenRow;
use super::super::used::Used;
use super::moments::{place, tally};
use super::visit::Visit;
use crate::admin::{AdminError, AdminState};

/// The parameters of the page.
#[derive(Debug, Default, Deserialize)]
pub(super) struct Question {
    #[serde(default)]
    range: String,
}

/// Shows the page.
pub(super) async fn show(visit: Visit) -> HttpResponse {
    visit.page(view(&visit).await, pages::overview)
}

async fn view(visit: &Visit) -> Result<Overview, AdminError> {
    let question: Question = visit.query()?;
    let range = Range::from_word(&question.range).unwrap_or_default();
    let asked = match range {
        Range::Hour => range::Range::Hour,
        Range::Day => range::Range::Day,
        Range::Month => range::Range::Month,
    };
    let it = overview(visit.state.clone(), &visit.console, asked).await?;
    let failed_at = visit.chrome().failed_reload_ms;
    let live = visit.state.policies.current();
    let program = live.program();
    Ok(Overview {
        failed_reload: it.policy.reload_failure.clone().map(|reason| FailedReload {
            at_ms: failed_at.unwrap_or_default(),
            reason: Some(reason),
            ..FailedReload::default()
        }),
        range,
        calls: tally(&it.total),
        p99_us: None,
        tokens: it.policy.tokens as u64,
        lines: program
            .tokens()
            .map(|(id, _)| program.lines_of(id).count() as u64)
            .sum(),
        mode: mode(&visit.state).to_owned(),
        upstream: upstream(&it),
        audit: audit(&it),
        plot: plot(&it),
        reasons: Listed::all(it.reasons.iter().filter_map(reason).collect()),
        busiest: Listed::all(it.tokens.iter().filter_map(|one| busy(one, &it.rows)).collect()),
        ending: Listed::all(it.ending.iter().map(ending).collect()),
        unused_tokens: unused_tokens(&it),
        unused_lines: unused_lines(&it),
        new_addresses: None,
        audit_since_ms: it.audit.first_ms,
    })
}

pub(super) fn mode(state: &AdminState) -> &'static str {
    match state.config.mode {
        Mode::Standard => "standard",
        Mode::Secure(_) => "secure",
    }
}

fn upstream(it: &gathered::Overview) -> State {
    let all = it.upstream.len();
    let healthy = it.upstream.iter().filter(|address| address.is_healthy).count();
    let (tone, text) = match healthy {
        0 => (Tone::Bad, "not reached"),
        healthy if healthy < all => (Tone::Warn, "partly reached"),
        _ => (Tone::Good, "reached"),
    };
    let addresses: Vec<String> = it
        .upstream
        .iter()
        .map(|address| match address.failures {
            0 => address.address.clone(),
            1 => format!("{} (1 failed connection)", address.address),
            failures => format!("{} ({failures} failed connections)", address.address),
        })
        .collect();
    State {
        tone,
        text: text.to_owned(),
        detail: addresses.join(", "),
    }
}

fn audit(it: &gathered::Overview) -> State {
    match &it.audit.failing {
        None => State {
            tone: Tone::Good,
            text: "records".to_owned(),
            detail: format!("entry {}", it.audit.last),
        },
        Some(why) => State {
            tone: Tone::Bad,
            text: "cannot record".to_owned(),
            detail: why.clone(),
        },
    }
}

fn plot(it: &gathered::Overview) -> Option<Plot> {
    let first = it.plot.points.first()?;
    (it.total.calls > 0).then(|| Plot {
        begin_ms: first.at_ms,
        step_ms: it.plot.step_ms,
        steps: it
            .plot
            .points
            .iter()
            .map(|point| {
                tally(&Used {
                    allowed: point.allowed,
                    denied: point.denied,
                    refused: point.refused,
                    ..Used::default()
                })
            })
            .collect(),
        failed_reloads_ms: Vec::new(),
    })
}

fn reason(one: &gathered::Named) -> Option<Reason> {
    let code = one.name.clone()?;
    Some(Reason {
        words: code.replace('-', " "),
        code,
        verdict: match one.used.denied >= one.used.refused {
            true => Verdict::Deny,
            false => Verdict::Refuse,
        },
        calls: one.used.denied + one.used.refused,
    })
}

fn busy(one: &gathered::Named, rows: &[TokenRow]) -> Option<Busy> {
    let token = one.name.clone()?;
    let owner = rows
        .iter()
        .find(|row| row.name == token)
        .and_then(|row| row.owner.clone());
    Some(Busy {
        owner: owner.unwrap_or_default(),
        token,
        calls: tally(&one.used),
        last_ms: one.used.last_ms.unwrap_or_default(),
    })
}

fn ending(row: &TokenRow) -> Ending {
    Ending {
        token: row.name.clone(),
        owner: row.owner.clone().unwrap_or_default(),
        ends_ms: row.expires_ms.unwrap_or_default(),
        calls: row.used.calls,
    }
}

fn unused_tokens(it: &gathered::Overview) -> Listed<UnusedToken> {
    let unused = it.rows.iter().filter(|row| it.never_used.contains(&row.name));
    let rows = unused.take(gathered::LISTED).map(|row| UnusedToken {
        token: row.name.clone(),
        owner: row.owner.clone().unwrap_or_default(),
        place: None,
    });
    Listed {
        rows: rows.collect(),
        total: it.never_used.len() as u64,
    }
}

fn unused_lines(it: &gathered::Overview) -> Listed<UnusedLine> {
    let rows = it.unused_lines.iter().map(|line| UnusedLine {
        place: place(&line.file, line.number),
        line: Line::new(line.text.clone()),
        token_is_unused: it.never_used.contains(&line.token),
        token: line.token.clone(),
    });
    Listed {
        rows: rows.collect(),
        total: it.unused_line_count as u64,
    }
}
