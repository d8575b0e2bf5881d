//! The part of the page about one token.

use std::collections::{BTreeMap, HashMap, HashSet};

use tokenward_compiler::ir::{LineId, Token, Users};
use tokenward_compiler::reach::{Cell, Extent};
use tokenward_openapi::Operation;

use super::super::gather::{Api, Gathered};
use super::super::page::{LineRow, OperationRow, TokenPart};
use super::super::powers::Power;
use super::super::shown::{anchor, counted, day, day_of, distance, grouped, text};
use super::super::usage::Used;
use super::common::{Kind, group, in_words, reached};
use crate::authoring::words::{joined, words};

/// Operations and lines that all tokens together list.
const LISTED: usize = 6_000;
/// A token lists at least so many, and at most so many.
const LEAST: usize = 20;
const MOST: usize = 200;

/// One part for each token.
pub(super) fn parts(gathered: &Gathered) -> Vec<TokenPart> {
    let count = gathered.tokens.len().max(1);
    let listed = (LISTED / count).clamp(LEAST, MOST);
    (0..gathered.tokens.len())
        .filter_map(|at| part(gathered, at, listed))
        .collect()
}

fn part(gathered: &Gathered, at: usize, listed: usize) -> Option<TokenPart> {
    let id = *gathered.tokens.get(at)?;
    let token = gathered.policy.program.token(id);
    let (operations, folded) = match &gathered.api {
        Some(api) => operations(gathered, api, (at, token), listed),
        None => (Vec::new(), String::new()),
    };
    Some(TokenPart {
        anchor: anchor(at),
        name: text(&token.name),
        state: gathered.policy.state(token),
        purpose: text(token.description.as_deref().unwrap_or_default()),
        facts: facts(gathered, token),
        warnings: warnings(gathered, (at, token)),
        summary: summary(gathered, (at, token)),
        operations,
        folded,
        lines: lines(gathered, at, listed),
    })
}

/// Who, from where, until when, and how often.
fn facts(gathered: &Gathered, token: &Token) -> Vec<(&'static str, String, String)> {
    let none = String::new;
    let owner = token.owner.as_deref().map_or_else(|| "none".to_owned(), text);
    let (users, note) = match &token.users {
        Users::Any => ("any user".to_owned(), "the caller chooses".to_owned()),
        Users::Named(users) => (text(&users.join(", ")), none()),
    };
    let mut facts = vec![("Owner", owner, none()), ("Calls as user", users, note)];
    if !token.on_behalf_of.is_empty() {
        facts.push(("On behalf of", text(&token.on_behalf_of.join(", ")), none()));
    }
    facts.push(match token.expires {
        None => ("Ends", "never".to_owned(), none()),
        Some(expires) => ("Ends", day(expires), distance(expires, gathered.at_ms)),
    });
    let counts = gathered.usage.as_ref().ok().map(|usage| usage.token(&token.name));
    facts.push(match counts {
        None => ("Last use", "not known".to_owned(), "no audit was read".to_owned()),
        Some(None) => ("Last use", "never".to_owned(), none()),
        Some(Some(counts)) => (
            "Last use",
            counts.last.as_deref().map_or_else(none, day_of),
            format!(
                "{} calls, {} denied",
                grouped(counts.calls),
                grouped(counts.denied + counts.refused)
            ),
        ),
    });
    let networks: Vec<String> = token.allowed_ips.iter().map(ToString::to_string).collect();
    facts.push((
        "From addresses",
        if networks.is_empty() {
            "any".to_owned()
        } else {
            text(&networks.join(", "))
        },
        none(),
    ));
    let place = place(gathered, token);
    if !place.is_empty() {
        facts.push(("Defined in", place, none()));
    }
    facts
}

/// The file and line of the token's name.
fn place(gathered: &Gathered, token: &Token) -> String {
    let checked = gathered.checked.as_ref();
    let place = checked.and_then(|checked| checked.places.get(&token.name));
    place.map_or_else(String::new, |place| text(place))
}

/// Properties of the token that need a look, and its findings.
fn warnings(gathered: &Gathered, (at, token): (usize, &Token)) -> Vec<(String, String)> {
    let keys = [
        (
            token.unrestricted,
            "Unrestricted.",
            "It can make every call that no line forbids.",
        ),
        (
            token.mint,
            "May create credentials.",
            "Credentials that it creates are not limited by this policy.",
        ),
        (
            token.escalate,
            "May grant rights.",
            "It can give users more rights in the API.",
        ),
    ];
    let keys = keys.into_iter().filter(|(is, ..)| *is);
    let mut all: Vec<(String, String)> = keys
        .map(|(_, what, why)| (what.to_owned(), why.to_owned()))
        .collect();
    if let Some(checked) = &gathered.checked {
        let own = checked.of_tokens.get(at).into_iter().flatten();
        let own = own.filter_map(|found| checked.findings.get(*found));
        all.extend(own.map(|found| (format!("{}.", found.code), text(&format!("{}.", found.headline)))));
    }
    all
}

/// One sentence.
fn summary(gathered: &Gathered, (at, token): (usize, &Token)) -> String {
    let state = match gathered.policy.state(token) {
        "active" => "",
        "expired" => "The token has expired, so it can do nothing. If it had not: ",
        _ => "The token is revoked, so it can do nothing. If it were not: ",
    };
    let Some(api) = &gathered.api else {
        let power = gathered.powers.get(at);
        return format!("{state}{}", by_lines(power));
    };
    let all = reached(api, at);
    if all.is_empty() {
        let beyond = match gathered.powers.get(at) {
            Some(power) if power.any => "Its lines allow calls that the description does not have.",
            _ => "Its lines allow no call.",
        };
        return format!("{state}It reaches none of the described operations. {beyond}");
    }
    let count = |kind: Kind| {
        all.iter()
            .filter(|(_, operation, _)| Kind::of(operation) == kind)
            .count()
    };
    let kinds = [
        (count(Kind::Read), "reads", "read"),
        (count(Kind::Write), "writes", "write"),
        (count(Kind::Delete), "deletes", "delete"),
    ];
    let kinds: Vec<String> = kinds
        .iter()
        .filter(|(count, ..)| *count > 0)
        .map(|(count, one, many)| format!("{count} that {}", if *count == 1 { one } else { many }))
        .collect();
    let total = grouped(u64::try_from(api.operations().len()).unwrap_or(u64::MAX));
    let whole = all
        .iter()
        .filter(|(.., cell)| cell.extent == Extent::Full)
        .count();
    let extent = match whole {
        0 => "each in part".to_owned(),
        whole if whole == all.len() => "each with all its calls".to_owned(),
        whole => format!("{whole} of them with all their calls"),
    };
    format!(
        "{state}It reaches {} of {total}, {extent}: {}.",
        counted(all.len(), "operation"),
        joined(&kinds, "and")
    )
}

/// The powers of a token if no operations are known.
fn by_lines(power: Option<&Power>) -> String {
    let Some(power) = power else {
        return String::new();
    };
    let can = [
        (power.reads, "read"),
        (power.writes, "write"),
        (power.deletes, "delete"),
    ];
    let can: Vec<String> = can
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, verb)| (*verb).to_owned())
        .collect();
    if can.is_empty() {
        return "Its lines allow no call.".to_owned();
    }
    format!("It can {}, as far as these lines allow.", joined(&can, "and"))
}

/// The operations of a token: what deletes and writes first. The second text names those that are not listed, by group.
fn operations(
    gathered: &Gathered,
    api: &Api,
    (at, token): (usize, &Token),
    listed: usize,
) -> (Vec<OperationRow>, String) {
    let mut all = reached(api, at);
    all.sort_by_key(|(number, operation, _)| (Kind::of(operation), *number));
    let rest = all.split_off(all.len().min(listed));
    let rows = all.iter().map(|(number, operation, cell)| {
        let used = gathered.usage.as_ref().ok();
        let used = used.map(|usage| usage.operation(&token.name, Some(*number)));
        operation_row(operation, cell, used.unwrap_or_default())
    });
    let mut groups: BTreeMap<String, usize> = BTreeMap::new();
    for (_, operation, _) in &rest {
        *groups.entry(group(operation)).or_default() += 1;
    }
    let groups: Vec<String> = groups
        .iter()
        .map(|(name, count)| format!("{count} of {name}"))
        .collect();
    let folded = if groups.is_empty() {
        String::new()
    } else {
        format!(
            "And {} more: {}. `tokenward reach --token` lists all.",
            counted(rest.len(), "operation"),
            groups.join(", ")
        )
    };
    (rows.collect(), folded)
}

fn operation_row(operation: &Operation, cell: &Cell, used: Used) -> OperationRow {
    let kind = Kind::of(operation);
    let is_part = cell.extent == Extent::Part;
    let shown = |request: Option<&tokenward_compiler::analysis::Request>| {
        request.map_or_else(String::new, |request| text(&request.decoded()))
    };
    let deprecated = if operation.deprecated { " (deprecated)" } else { "" };
    OperationRow {
        kind: match kind {
            Kind::Read => "read",
            Kind::Write => "write",
            Kind::Delete => "delete",
        },
        is_delete: kind == Kind::Delete,
        is_write: kind == Kind::Write,
        words: format!("{}{deprecated}", in_words(operation)),
        call: text(&operation.name()),
        extent: extent(cell),
        example: if is_part {
            shown(cell.inside())
        } else {
            String::new()
        },
        outside: if is_part {
            shown(cell.outside.as_ref())
        } else {
            String::new()
        },
        calls: grouped(used.calls),
        is_unused: used.calls == 0,
        last: day(used.last_ms),
    }
}

fn extent(cell: &Cell) -> String {
    if cell.extent != Extent::Part {
        return "all calls".to_owned();
    }
    let because = cell.because;
    let reasons = [
        (because.path, "only certain paths"),
        (because.condition, "under conditions on the query or the body"),
        (because.forbid, "but for calls that a line forbids"),
    ];
    let reasons: Vec<&str> = reasons
        .iter()
        .filter(|(is, _)| *is)
        .map(|(_, reason)| *reason)
        .collect();
    if reasons.is_empty() {
        "some calls".to_owned()
    } else {
        format!("some calls: {}", reasons.join(", "))
    }
}

/// The lines of a token, in the order of decision; each once.
fn lines(gathered: &Gathered, at: usize, listed: usize) -> Vec<LineRow> {
    let Some(id) = gathered.tokens.get(at) else {
        return Vec::new();
    };
    let reach = operations_of_lines(gathered, at);
    let power = gathered.powers.get(at);
    let mut seen = HashSet::new();
    let lines = gathered.policy.program.lines_of(*id);
    lines
        .filter(|(line, _)| seen.insert(*line))
        .take(listed)
        .map(|(line, shown)| {
            let is_forbid = shown.text.starts_with('!');
            let used = gathered.usage.as_ref().ok();
            let used = used.and_then(|usage| usage.line(shown.file, &shown.digest.to_string()));
            let example = power.and_then(|power| power.examples.get(&line));
            LineRow {
                is_forbid,
                place: text(&format!("{}:{}", shown.file, shown.number)),
                text: text(shown.text),
                words: words(shown.text),
                example: example.map_or_else(String::new, |example| text(example)),
                reach: match (&gathered.api, is_forbid) {
                    (Some(_), false) => in_reach(reach.get(&line).copied().unwrap_or_default()),
                    _ => String::new(),
                },
                calls: grouped(used.map_or(0, |counts| counts.calls)),
                is_unused: used.is_none(),
                last: used
                    .and_then(|counts| counts.last.as_deref())
                    .map_or_else(String::new, day_of),
            }
        })
        .collect()
}

/// The numbers of operations that each permit line reaches wholly, and in part.
fn operations_of_lines(gathered: &Gathered, at: usize) -> HashMap<LineId, (usize, usize)> {
    let mut counts: HashMap<LineId, (usize, usize)> = HashMap::new();
    let Some(api) = &gathered.api else { return counts };
    let Some(own) = api.reached(at) else { return counts };
    for (_, _, cell) in reached(api, at) {
        for hit in &cell.hits {
            let lines: HashSet<LineId> = hit.class.into_iter().flat_map(|class| own.lines(class)).collect();
            for line in lines {
                let (whole, part) = counts.entry(line).or_default();
                *if hit.is_whole { whole } else { part } += 1;
            }
        }
    }
    counts
}

fn in_reach((whole, part): (usize, usize)) -> String {
    match (whole, part) {
        (0, 0) => "reaches no described operation".to_owned(),
        (whole, 0) => format!("reaches {}", counted(whole, "operation")),
        (0, part) => format!("reaches {} in part", counted(part, "operation")),
        (whole, part) => format!("reaches {}, and {part} in part", counted(whole, "operation")),
    }
}
