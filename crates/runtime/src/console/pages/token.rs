//! The page of one token, and the one that revokes it.

use actix_web::{HttpResponse, web};
use serde::Deserialize;
use tokenward_console::views::chrome::Notice;
use tokenward_console::views::parts::{Finding, Line, Listed, Tally, Tone};
use tokenward_console::views::token::{Address, Denial, Operation, Revocation, Revoke, Token, TokenLine};
use tokenward_console::{grouped, links, pages};
use tokenward_pdp::config::Role;
use tokenward_pdp::plural::plural;

use super::super::address;
use super::super::analyses::Judged;
use super::super::call::CallRow;
use super::super::line::LineShown;
use super::super::snippet::snippets;
use super::super::token::{TokenShown, token};
use super::moments::{place, tally, users, verdict};
use super::tokens::state;
use super::visit::{Visit, go_to};
use crate::admin::AdminError;
use crate::call::now_ms;

const DAY_MS: i64 = 86_400_000;
/// Operations that the page lists.
const OPERATIONS: usize = 200;

/// The form that revokes a token.
#[derive(Deserialize)]
pub(super) struct Form {
    #[serde(default)]
    csrf: String,
    #[serde(default)]
    reason: String,
}

/// The result of an action that led to the page.
#[derive(Debug, Default, Deserialize)]
struct Question {
    #[serde(default)]
    done: String,
}

/// Shows a token.
pub(super) async fn show(visit: Visit, name: web::Path<String>) -> HttpResponse {
    let it = token(visit.state.clone(), &visit.console, name.into_inner()).await;
    let view = match it {
        Ok(it) => Ok(view(&visit, it).await),
        Err(error) => Err(error),
    };
    match (view, visit.query::<Question>()) {
        (Ok(view), Ok(question)) if question.done == "revoked" && view.state.text == "revoked" => {
            let notice = Notice {
                is_failure: false,
                text: format!("`{}` is revoked.", view.name),
                details: vec![
                    "It works no longer, and its calls in progress were ended.".to_owned(),
                    "Set `revoked = true` in its policy file too, so that the file says the same.".to_owned(),
                ],
            };
            visit.page_after(notice, &view, pages::token)
        }
        (view, _) => visit.page(view, pages::token),
    }
}

async fn view(visit: &Visit, it: TokenShown) -> Token {
    let (snippets, snippet_note) = snippets(&visit.state, &visit.console, &it.row.name).await;
    let last = it.addresses.all.first();
    let revocation = revocation(visit, &it);
    Token {
        state: state(it.row.state),
        users: users(it.row.users.as_deref()),
        on_behalf_of: it.on_behalf_of.join(", "),
        allowed_from: it.allowed_ips.join(", "),
        limits: limits(&it),
        is_unrestricted: it.row.unrestricted,
        last_ms: it.row.used.last_ms,
        last_client: last.map(|address| address.address.clone()),
        calls: Some(tally(&it.row.used)),
        period: "the whole audit".to_owned(),
        since: String::new(),
        ends_ms: it.row.expires_ms,
        place: None,
        made: None,
        findings: findings(&it),
        lines: it.line.iter().map(|own| line(own, &it.judged)).collect(),
        reach: reach(&it.judged),
        operations: operations(&it.judged),
        denials: denials(it.failures),
        addresses: Some(addresses(&it.addresses)),
        snippets,
        snippet_note,
        revocation,
        purpose: it.row.description.unwrap_or_default(),
        owner: it.row.owner.unwrap_or_default(),
        name: it.row.name,
    }
}

fn limits(it: &TokenShown) -> String {
    let limits = &it.limits;
    let texts = [
        limits.rate.as_ref().map(|rate| format!("{rate} calls")),
        limits.concurrent.map(|calls| format!("{calls} at a time")),
        limits
            .max_body
            .map(|bytes| format!("bodies of {bytes} bytes at most")),
    ];
    texts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What the token reaches, in a sentence.
fn reach(judged: &Judged) -> Option<String> {
    if !judged.is_computed {
        return Some(
            "The operations that it reaches and the findings of its lines are being computed. Reload the page in a moment."
                .to_owned(),
        );
    }
    let Some(reach) = &judged.reach else {
        return (!judged.missing.is_empty()).then(|| judged.missing.join(" "));
    };
    let all = reach.full + reach.part;
    let mut text = match all {
        0 => format!(
            "It reaches none of the {} operations that the API describes.",
            grouped(reach.described)
        ),
        _ => format!(
            "It reaches {} of {} operations that the API describes: {} fully, {} in part; {} of them write.",
            grouped(all),
            grouped(reach.described),
            grouped(reach.full),
            grouped(reach.part),
            grouped(reach.writes),
        ),
    };
    if !reach.is_settled {
        text.push_str(
            " This was not settled in the time that a page may take: run `tokenward reach --token`.",
        );
    }
    for why in &judged.missing {
        text.push(' ');
        text.push_str(why);
    }
    Some(text)
}

fn operations(judged: &Judged) -> Listed<Operation> {
    let Some(reach) = &judged.reach else {
        return Listed::default();
    };
    let rows = reach.operations.iter().take(OPERATIONS).map(|one| Operation {
        name: one.name.clone(),
        call: one.call.clone(),
        extent: if one.is_full { "all calls" } else { "in part" }.to_owned(),
    });
    Listed {
        rows: rows.collect(),
        total: (reach.full + reach.part) as u64,
    }
}

fn reach_of(line: &LineShown, judged: &Judged) -> String {
    let Some(reach) = &judged.reach else {
        return String::new();
    };
    let key = (line.file.clone(), line.number);
    let count = |count: usize| format!("{} {}", grouped(count), plural(count, "operation"));
    match reach.of_lines.get(&key) {
        None => String::new(),
        Some((0, 0)) => "reaches no described operation".to_owned(),
        Some((whole, 0)) => format!("reaches {}", count(*whole)),
        Some((0, part)) => format!("reaches {} in part", count(*part)),
        Some((whole, part)) => format!("reaches {}, and {} in part", count(*whole), grouped(*part)),
    }
}

fn line(line: &LineShown, judged: &Judged) -> TokenLine {
    TokenLine {
        place: place(&line.file, line.number),
        line: Line::new(line.text.clone()),
        forbids: line.is_forbid,
        words: line.words.clone().unwrap_or_default(),
        reach: reach_of(line, judged),
        calls: Some(line.used.calls),
        is_searchable: line.is_searchable,
        last_ms: line.used.last_ms,
    }
}

/// What a person should look at.
fn findings(it: &TokenShown) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut find = |tone, title: &str, text: &str| {
        findings.push(Finding {
            tone,
            title: title.to_owned(),
            text: text.to_owned(),
            code: None,
            place: None,
        });
    };
    if it.row.unrestricted {
        find(
            Tone::Warn,
            "Unrestricted.",
            "It may make every call that no line forbids. List the calls that it needs, and remove `unrestricted`.",
        );
    }
    if it.row.is_active() && it.row.expires_ms.is_none() {
        find(
            Tone::Warn,
            "Never ends.",
            "Add `expires` to its entry, and rotate its secret before that.",
        );
    }
    if let Some(expires) = it.row.expires_ms.filter(|_| it.row.is_active()) {
        let days = (expires - now_ms()) / DAY_MS;
        if days < 30 {
            let title = match days {
                0 => "Ends within a day.".to_owned(),
                1 => "Ends in 1 day.".to_owned(),
                days => format!("Ends in {days} days."),
            };
            find(
                Tone::Warn,
                &title,
                "Give its entry a later `expires`, or rotate it: `tokenward token rotate`.",
            );
        }
    }
    if it.row.is_active() && it.row.used.calls == 0 {
        find(
            Tone::Plain,
            "Never used.",
            "The audit has no call with it. Ask its owner whether it is needed.",
        );
    }
    for (is, title, text) in [
        (
            it.row.mint,
            "May call endpoints that issue credentials.",
            "`mint = true` in its entry allows it.",
        ),
        (
            it.row.escalate,
            "May call endpoints that grant rights.",
            "`escalate = true` in its entry allows it.",
        ),
    ] {
        if is {
            find(Tone::Plain, title, text);
        }
    }
    findings.extend(it.judged.findings.iter().map(|found| Finding {
        tone: Tone::Warn,
        title: sentence(&found.message),
        text: sentence(&found.help),
        code: Some(found.code.clone()),
        place: Some(place(&found.file, found.number)),
    }));
    findings
}

fn sentence(text: &str) -> String {
    match text.trim_end_matches('.') {
        "" => String::new(),
        text => format!("{}.", tokenward_pdp::text::capital(text)),
    }
}

/// The last denials. Alike ones are folded.
fn denials(rows: Vec<CallRow>) -> Listed<Denial> {
    let mut denials: Vec<Denial> = Vec::new();
    for row in rows {
        let alike = denials
            .iter_mut()
            .find(|one| one.method == row.method && one.path == row.url && one.reason == row.reason);
        if let Some(alike) = alike {
            alike.alike += 1;
            continue;
        }
        let (part, story) = match row.lacking {
            Some((condition, found)) => {
                let part = match condition.as_str() {
                    "url" => "Path",
                    method if method.starts_with("method") => "Method",
                    body if body.starts_with("Json") => "Body",
                    _ => "Query",
                };
                (
                    part.to_owned(),
                    format!("`{condition}` failed: the request has {found}."),
                )
            }
            None => (
                String::new(),
                format!("{}.", tokenward_pdp::text::capital(&row.reason.replace('-', " "))),
            ),
        };
        denials.push(Denial {
            sequence: row.sequence,
            at_ms: row.time_ms,
            verdict: verdict(row.verdict),
            reason: row.reason,
            method: row.method,
            path: row.url,
            client: row.client,
            alike: 0,
            part,
            story,
        });
    }
    Listed::all(denials)
}

fn addresses(all: &address::Addresses) -> Listed<Address> {
    let now = now_ms();
    let rows = all.all.iter().take(50).map(|one| Address {
        address: one.address.clone(),
        // Older calls may have come from it before.
        is_new: !all.has_older && now - one.first_ms < DAY_MS && all.all.len() > 1,
        calls: Tally {
            allowed: one.used.allowed,
            denied: one.used.denied,
            refused: one.used.refused,
        },
        first_ms: one.first_ms,
        last_ms: one.last_ms,
    });
    Listed {
        rows: rows.collect(),
        total: all.all.len() as u64,
    }
}

fn revocation(visit: &Visit, it: &TokenShown) -> Revocation {
    let impossible = match it.row.state {
        "revoked" => Some("It is revoked.".to_owned()),
        _ => visit.caller.may(Role::Revoker).err().map(|error| {
            let text = error.to_string();
            format!(
                "{}.",
                tokenward_pdp::text::capital(text.split("; nothing").next().unwrap_or_default())
            )
        }),
    };
    let last = match it.row.used.calls {
        0 => "The audit has no call with it.".to_owned(),
        1 => "The audit has 1 call with it.".to_owned(),
        calls => format!("The audit has {calls} calls with it."),
    };
    Revocation {
        impossible,
        consequences: vec![
            "It stops working at once, and its calls in progress are ended.".to_owned(),
            last,
            "This cannot be undone. Whoever needs the access needs a new token.".to_owned(),
            "The policy file is not changed: set `revoked = true` there too.".to_owned(),
        ],
        reason: String::new(),
        reason_error: None,
    }
}

/// Asks whether to revoke a token.
pub(super) async fn ask(visit: Visit, name: web::Path<String>) -> HttpResponse {
    let view = asked(&visit, name.into_inner()).await;
    visit.page(view, pages::revoke)
}

async fn asked(visit: &Visit, name: String) -> Result<Revoke, AdminError> {
    let it = token(visit.state.clone(), &visit.console, name).await?;
    Ok(Revoke {
        revocation: revocation(visit, &it),
        name: it.row.name,
    })
}

/// Revokes a token.
pub(super) async fn revoke(visit: Visit, name: web::Path<String>, form: web::Form<Form>) -> HttpResponse {
    let name = name.into_inner();
    if let Err(error) = visit.acts(&form.csrf, Role::Revoker) {
        return visit.page(Err(error), pages::revoke);
    }
    let reason = form.reason.trim();
    if reason.is_empty() {
        let view = asked(&visit, name).await.map(|view| Revoke {
            revocation: Revocation {
                reason_error: Some("Give a reason: the audit records it.".to_owned()),
                ..view.revocation
            },
            ..view
        });
        return visit.page(view, pages::revoke);
    }
    match visit.state.revoke_token(&visit.caller, &name, reason).await {
        Ok(_) => go_to(&format!("{}?done=revoked", links::token(&name))),
        Err(error) => visit.page(Err(error), pages::revoke),
    }
}
