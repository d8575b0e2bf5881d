//! The summary, the points to look at, and the table of all tokens.

use tokenward_compiler::ir::{Token, Users};

use super::super::gather::Gathered;
use super::super::page::{Fact, Look, Number, Row, State};
use super::super::shown::{counted, day, day_of, distance, grouped, text};
use super::common::{Kind, link, reached};

/// Tokens that a point lists.
const LISTED: usize = 12;
/// A token that ends within so many milliseconds ends soon.
const SOON_MS: i64 = 30 * 86_400_000;

/// One token, as the summary sees it.
struct Seen<'g> {
    at: usize,
    token: &'g Token,
    state: &'static str,
}

fn seen(gathered: &Gathered) -> Vec<Seen<'_>> {
    let tokens = gathered.tokens.iter().enumerate();
    tokens
        .map(|(at, id)| {
            let token = gathered.policy.program.token(*id);
            let state = gathered.policy.state(token);
            Seen { at, token, state }
        })
        .collect()
}

/// The numbers at the top.
pub(super) fn facts(gathered: &Gathered) -> Vec<Fact> {
    let all = seen(gathered);
    let active: Vec<&Seen<'_>> = all.iter().filter(|one| one.state == "active").collect();
    let power = |one: &Seen<'_>| gathered.powers.get(one.at);
    let count = |is: &dyn Fn(&Seen<'_>) -> bool| active.iter().filter(|one| is(one)).count();
    let writes = count(&|one| power(one).is_some_and(|power| power.writes));
    let deletes = count(&|one| power(one).is_some_and(|power| power.deletes));
    let endless = count(&|one| one.token.expires.is_none());
    let fact = |name, count: usize, note: String, target| Fact {
        name,
        value: grouped(u64::try_from(count).unwrap_or(u64::MAX)),
        note,
        target,
    };
    let mut facts = vec![
        fact("Tokens", all.len(), states(&all), "tokens"),
        fact("Can write", writes, of_active(active.len()), "tokens"),
        fact("Can delete", deletes, of_active(active.len()), "tokens"),
        fact("Never end", endless, of_active(active.len()), "tokens"),
    ];
    facts.push(match &gathered.usage {
        Ok(_) => {
            let unused = count(&|one| is_unused(gathered, one.token));
            fact("Never used", unused, of_active(active.len()), "least")
        }
        Err(_) => Fact {
            name: "Never used",
            value: "not known".to_owned(),
            note: "no audit was read".to_owned(),
            target: "least",
        },
    });
    facts.push(match &gathered.checked {
        Some(checked) => {
            let errors = match gathered.errors() {
                0 => "none is an error".to_owned(),
                count => counted(count, "error"),
            };
            let errors = if checked.findings.is_empty() {
                String::new()
            } else {
                errors
            };
            fact("Open findings", checked.findings.len(), errors, "findings")
        }
        None => Fact {
            name: "Open findings",
            value: "not known".to_owned(),
            note: "compiled policy".to_owned(),
            target: "findings",
        },
    });
    if let Some(api) = &gathered.api {
        let mut known = vec![false; api.operations().len()];
        for one in &active {
            for (operation, ..) in reached(api, one.at) {
                if let Some(known) = known.get_mut(operation) {
                    *known = true;
                }
            }
        }
        let count = known.iter().filter(|known| **known).count();
        let all = grouped(u64::try_from(known.len()).unwrap_or(u64::MAX));
        facts.push(fact("Operations in reach", count, format!("of {all}"), "picture"));
    }
    facts
}

fn of_active(count: usize) -> String {
    format!("of {count} active")
}

/// "all active", "1 expired, 2 revoked"
fn states(all: &[Seen<'_>]) -> String {
    let count = |state: &str| all.iter().filter(|one| one.state == state).count();
    let others = ["expired", "revoked"].map(|state| (count(state), state));
    let others: Vec<String> = others
        .iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, state)| format!("{count} {state}"))
        .collect();
    if others.is_empty() {
        "all active".to_owned()
    } else {
        others.join(", ")
    }
}

fn is_unused(gathered: &Gathered, token: &Token) -> bool {
    let usage = gathered.usage.as_ref();
    usage.is_ok_and(|usage| usage.token(&token.name).is_none())
}

/// The points that a person should look at.
pub(super) fn looks(gathered: &Gathered) -> Vec<Look> {
    let all = seen(gathered);
    let now = gathered.at_ms;
    let active = |one: &Seen<'_>| one.state == "active";
    let mut looks = Vec::new();
    let mut look = |what: &dyn Fn(usize) -> String, is: &dyn Fn(&Seen<'_>) -> bool, advice: &'static str| {
        let found: Vec<&Seen<'_>> = all.iter().filter(|one| is(one)).collect();
        if found.is_empty() {
            return;
        }
        looks.push(Look {
            what: what(found.len()),
            links: found
                .iter()
                .take(LISTED)
                .map(|one| link(gathered, one.at))
                .collect(),
            more: found.len().saturating_sub(LISTED),
            advice,
        });
    };
    let tokens = |count: usize, one: &str, many: &str| match count {
        1 => format!("1 token {one}:"),
        count => format!("{count} tokens {many}:"),
    };
    look(
        &|count| tokens(count, "is unrestricted", "are unrestricted"),
        &|one| active(one) && one.token.unrestricted,
        "It can make every call that no line forbids.",
    );
    look(
        &|count| tokens(count, "may create credentials", "may create credentials"),
        &|one| active(one) && one.token.mint,
        "Credentials that it creates are not limited by this policy.",
    );
    look(
        &|count| tokens(count, "may grant rights", "may grant rights"),
        &|one| active(one) && one.token.escalate,
        "It can give users more rights in the API.",
    );
    look(
        &|count| tokens(count, "works for any user", "work for any user"),
        &|one| active(one) && one.token.users == Users::Any,
        "Its holder chooses the user.",
    );
    look(
        &|count| tokens(count, "can delete", "can delete"),
        &|one| active(one) && gathered.powers.get(one.at).is_some_and(|power| power.deletes),
        "Deletions cannot be undone.",
    );
    look(
        &|count| tokens(count, "never ends", "never end"),
        &|one| active(one) && one.token.expires.is_none(),
        "A leaked secret works until somebody revokes it.",
    );
    look(
        &|count| tokens(count, "ends within 30 days", "end within 30 days"),
        &|one| {
            let expires = one.token.expires;
            active(one) && expires.is_some_and(|expires| expires.saturating_sub(now) < SOON_MS)
        },
        "Rotate them in time, or let them end.",
    );
    look(
        &|count| tokens(count, "was never used", "were never used"),
        &|one| active(one) && is_unused(gathered, one.token),
        "The audit has no call with them. Ask the owner, and revoke what nobody needs.",
    );
    look(
        &|count| tokens(count, "has no owner", "have no owner"),
        &|one| active(one) && one.token.owner.is_none(),
        "Nobody is responsible for them.",
    );
    look(
        &|count| tokens(count, "has expired", "have expired"),
        &|one| one.state == "expired",
        "They no longer work; remove them from the policy.",
    );
    looks
}

/// The table of all tokens.
pub(super) fn rows(gathered: &Gathered) -> Vec<Row> {
    seen(gathered).iter().map(|one| row(gathered, one)).collect()
}

fn row(gathered: &Gathered, one: &Seen<'_>) -> Row {
    let [reads, writes, deletes] = numbers(gathered, one.at);
    let findings = gathered
        .checked
        .as_ref()
        .and_then(|checked| checked.of_tokens.get(one.at));
    Row {
        link: link(gathered, one.at),
        purpose: text(one.token.description.as_deref().unwrap_or_default()),
        owner: one.token.owner.as_deref().map_or_else(|| "none".to_owned(), text),
        reads,
        writes,
        deletes,
        ends: ends(gathered.at_ms, one),
        used: used(gathered, one),
        findings: findings.map_or(0, Vec::len),
    }
}

/// The numbers of operations that a token reaches, by kind; without a description, whether it can make such calls.
fn numbers(gathered: &Gathered, at: usize) -> [Number; 3] {
    let Some(api) = &gathered.api else {
        let power = gathered.powers.get(at);
        let is = |of: &dyn Fn(&super::super::powers::Power) -> bool| power.is_some_and(of);
        return [
            Number::yes(is(&|power| power.reads), false),
            Number::yes(is(&|power| power.writes), false),
            Number::yes(is(&|power| power.deletes), true),
        ];
    };
    let all = reached(api, at);
    [Kind::Read, Kind::Write, Kind::Delete].map(|kind| {
        let own = all.iter().filter(|(_, operation, _)| Kind::of(operation) == kind);
        Number::of(own.count(), kind == Kind::Delete)
    })
}

fn ends(now_ms: i64, one: &Seen<'_>) -> State {
    match (one.state, one.token.expires) {
        ("revoked", _) => State::calm("revoked"),
        (_, None) => State::warning("never"),
        ("expired", Some(expires)) => State::warning(format!("expired {}", day(expires))),
        (_, Some(expires)) if expires.saturating_sub(now_ms) < SOON_MS => {
            State::warning(format!("{}, {}", day(expires), distance(expires, now_ms)))
        }
        (_, Some(expires)) => State::calm(day(expires)),
    }
}

fn used(gathered: &Gathered, one: &Seen<'_>) -> State {
    let Ok(usage) = &gathered.usage else {
        return State::calm("not known");
    };
    let last = usage
        .token(&one.token.name)
        .and_then(|counts| counts.last.as_deref());
    match (last, one.state) {
        (Some(last), _) => State::calm(day_of(last)),
        (None, "active") => State::warning("never"),
        (None, _) => State::calm("never"),
    }
}
