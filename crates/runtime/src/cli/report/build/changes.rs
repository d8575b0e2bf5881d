//! The changes since a base.

use tokenward_compiler::analysis::Request;
use tokenward_compiler::ir::TokenId;
use tokenward_pdp::compare::render_text::{beyond_tokens, summary, verdict, wider};
use tokenward_pdp::compare::{Change, Direction, Example, Standing, TokenReport};
use tokenward_pdp::forwarded::not_forwarded;
use tokenward_pdp::text::capital;

use super::super::gather::{Compared, Gathered};
use super::super::page::{CallChange, Changes, KeyChange, TokenChange};
use super::super::shown::{anchor, text};
use super::common::in_words;

/// The changes.
pub(super) fn changes(gathered: &Gathered, compared: &Compared) -> Changes {
    let report = &compared.report;
    let describe = |request: &Request| {
        let api = gathered.api.as_ref()?;
        let at = api.catalogue.operation_of(request.method, &request.path)?;
        api.operations().get(at).map(in_words)
    };
    Changes {
        base: text(&compared.base),
        summary: capital(&summary(report)),
        is_more: report.widens(),
        beyond: beyond_tokens(report)
            .map(|(title, changes)| (capital(title), changes.into_iter().map(key_change).collect()))
            .collect(),
        tokens: report
            .tokens
            .iter()
            .map(|token| token_change(gathered, token, &describe))
            .collect(),
    }
}

fn token_change(
    gathered: &Gathered,
    token: &TokenReport,
    describe: &dyn Fn(&Request) -> Option<String>,
) -> TokenChange {
    let mut calls = Vec::new();
    for (direction, is_allowed) in [(&token.newly_allowed, true), (&token.newly_denied, false)] {
        for example in &direction.examples {
            calls.push(call_change(token, example, is_allowed, describe));
        }
    }
    let broken = token.breaches.iter().filter_map(|breach| {
        let witness = breach.found.witness.as_ref()?;
        Some(CallChange {
            is_allowed: true,
            operation: describe(witness).unwrap_or_default(),
            call: witness.decoded(),
            by: text(&format!(
                "This breaks the earlier invariant `{}`.",
                breach.found.invariant
            )),
            note: String::new(),
        })
    });
    calls.extend(broken);
    TokenChange {
        name: text(&token.name),
        anchor: token
            .after
            .and_then(|after| anchor_of(gathered, after, &token.name)),
        verdict: verdict(token),
        is_more: token.widens(),
        keys: token.changes.iter().map(key_change).collect(),
        calls,
        open: open(token),
    }
}

/// The part of the page about a token of the new side, which is the page's own policy.
fn anchor_of(gathered: &Gathered, after: TokenId, name: &str) -> Option<String> {
    let at = gathered.tokens.iter().position(|token| *token == after)?;
    (gathered.name(after) == name).then(|| anchor(at))
}

fn call_change(
    token: &TokenReport,
    example: &Example,
    is_allowed: bool,
    describe: &dyn Fn(&Request) -> Option<String>,
) -> CallChange {
    // A request that readers know says more than the shortest one.
    let request = example.telling().map_or(&example.request, |(request, _)| request);
    let line = example.allowing_line();
    let place = line.map_or_else(
        || "`unrestricted = true`".to_owned(),
        |line| format!("{}:{}: {}", line.file, line.number, line.text),
    );
    let by = if is_allowed {
        "Allowed by"
    } else {
        "It was allowed by"
    };
    let denied = match (&example.denied_by, token.standing) {
        (Some(line), Standing::Kept) => {
            let denied = if is_allowed {
                "it was denied by"
            } else {
                "now denied by"
            };
            format!("; {denied} {}:{}: {}", line.file, line.number, line.text)
        }
        _ => String::new(),
    };
    CallChange {
        is_allowed,
        operation: describe(request).unwrap_or_default(),
        call: request.decoded(),
        by: text(&format!("{by} {place}{denied}.")),
        note: not_forwarded(&example.obstacles)
            .map_or_else(String::new, |why| text(&capital(&format!("{why}.")))),
    }
}

fn open(token: &TokenReport) -> Vec<String> {
    let of = |direction: &Direction, what: &str| {
        direction
            .inconclusive
            .map(|why| text(&format!("Whether more is {what}: {why}.")))
    };
    let breaches = token.breaches.iter().filter_map(|breach| {
        let why = breach.found.inconclusive?;
        Some(text(&format!(
            "Whether the earlier invariant `{}` holds: {why}.",
            breach.found.invariant
        )))
    });
    of(&token.newly_allowed, "allowed")
        .into_iter()
        .chain(of(&token.newly_denied, "denied"))
        .chain(breaches)
        .collect()
}

fn key_change(change: &Change) -> KeyChange {
    KeyChange {
        key: text(&change.key),
        old: text(&change.old),
        new: text(&change.new),
        wider: match wider(change) {
            Some("wider") => "more access",
            Some(_) => "may be more access",
            None => "",
        },
    }
}
