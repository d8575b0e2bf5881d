//! The list of tokens.

use actix_web::HttpResponse;
use serde::Deserialize;
use tokenward_console::pages;
use tokenward_console::views::parts::{State, Tone};
use tokenward_console::views::tokens::{self as view, Sort, Tokens};

use super::super::draft;
use super::super::tokens::{TokenRow, tokens};
use super::moments::{tally, users};
use super::visit::Visit;
use crate::admin::AdminError;

/// Tokens of a page.
const OF_PAGE: usize = 100;

/// States of tokens, and their meaning for the list.
const STATES: [&str; 5] = ["active", "expired", "revoked", "suspended", "refused"];

/// The parameters of the page.
#[derive(Debug, Default, Deserialize)]
struct Question {
    #[serde(default)]
    q: String,
    #[serde(default)]
    state: String,
    #[serde(default)]
    sort: String,
    #[serde(default)]
    page: Option<usize>,
}

/// Shows the page.
pub(super) async fn show(visit: Visit) -> HttpResponse {
    visit.page(list(&visit).await, pages::tokens)
}

async fn list(visit: &Visit) -> Result<Tokens, AdminError> {
    let question: Question = visit.query()?;
    let mut rows = tokens(&visit.state, &visit.console).await?;
    let total = rows.len() as u64;
    let sort = Sort::from_word(&question.sort).unwrap_or_default();
    rows.retain(|row| matches(row, &question));
    sorted(&mut rows, sort);
    let matching = rows.len();
    let pages = matching.div_ceil(OF_PAGE).max(1);
    let page = question.page.unwrap_or(1).clamp(1, pages);
    let shown = rows.into_iter().skip((page - 1) * OF_PAGE).take(OF_PAGE);
    Ok(Tokens {
        query: question.q,
        state: question.state,
        states: STATES.map(|state| (state.to_owned(), state.to_owned())).to_vec(),
        sort,
        rows: shown.map(row).collect(),
        matching: matching as u64,
        total,
        page: (page as u64, pages as u64),
        period: "the whole audit".to_owned(),
        since: String::new(),
        usage_unknown: None,
        no_new_token: draft::impossible(&visit.state),
    })
}

fn matches(row: &TokenRow, question: &Question) -> bool {
    let wanted = question.q.trim().to_lowercase();
    let has = |text: &str| text.to_lowercase().contains(&wanted);
    let texts = [&row.owner, &row.description]
        .into_iter()
        .flatten()
        .chain([&row.name]);
    let users = row.users.iter().flatten();
    (question.state.is_empty() || question.state == row.state)
        && (wanted.is_empty() || texts.chain(users).any(|text| has(text)))
}

/// Sorts tokens, which are in the order of their names.
fn sorted(rows: &mut [TokenRow], sort: Sort) {
    use std::cmp::Reverse;
    match sort {
        Sort::Name => {}
        Sort::Calls => rows.sort_by_key(|row| Reverse(row.used.calls)),
        Sort::Denied => rows.sort_by_key(|row| Reverse(row.used.denied + row.used.refused)),
        Sort::LastUse => rows.sort_by_key(|row| Reverse(row.used.last_ms)),
        Sort::Ends => rows.sort_by_key(|row| row.expires_ms.unwrap_or(i64::MAX)),
        Sort::Owner => rows.sort_by(|a, b| a.owner.cmp(&b.owner)),
    }
}

fn row(row: TokenRow) -> view::TokenRow {
    view::TokenRow {
        users: users(row.users.as_deref()),
        state: state(row.state),
        calls: Some(tally(&row.used)),
        last_ms: row.used.last_ms,
        ends_ms: row.expires_ms,
        findings: 0,
        purpose: row.description.unwrap_or_default(),
        owner: row.owner.unwrap_or_default(),
        name: row.name,
    }
}

/// The state of a token.
pub(super) fn state(word: &str) -> State {
    let (tone, detail) = match word {
        "active" => (Tone::Good, ""),
        "suspended" => (Tone::Warn, "A policy file that is not TOML seems to revoke it."),
        "refused" => (
            Tone::Warn,
            "One of its lines has an error, so all its calls are refused.",
        ),
        _ => (Tone::Bad, ""),
    };
    State {
        tone,
        text: word.to_owned(),
        detail: detail.to_owned(),
    }
}
