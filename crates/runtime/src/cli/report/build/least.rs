//! Least privilege: access that is allowed and was never used.

use std::collections::HashSet;

use super::super::gather::Gathered;
use super::super::page::{Least, LeastRow};
use super::super::shown::{day_of, grouped, text};
use super::super::usage::Usage;
use super::common::{Kind, in_words, link, reached};

/// Unused operations that a row names.
const NAMED: usize = 12;

/// The unused access of the tokens that work.
pub(super) fn least(gathered: &Gathered) -> Least {
    let usage = match &gathered.usage {
        Ok(usage) => usage,
        Err(why) => {
            return Least {
                unknown: why.clone(),
                period: String::new(),
                rows: Vec::new(),
            };
        }
    };
    let tokens = gathered.tokens.iter().enumerate();
    let active = tokens.filter(|(_, id)| {
        let token = gathered.policy.program.token(**id);
        gathered.policy.state(token) == "active"
    });
    let rows = active.map(|(at, _)| row(gathered, usage, at));
    // What needs a person comes first; otherwise the policy's order.
    let mut rows: Vec<LeastRow> = rows
        .filter(|row| row.never > 0 || !row.lines.is_empty() || row.elsewhere > 0)
        .collect();
    rows.sort_by_key(|row| std::cmp::Reverse((row.never_writes, row.never)));
    Least {
        unknown: String::new(),
        period: period(usage, rows.is_empty()),
        rows,
    }
}

fn period(usage: &Usage, is_empty: bool) -> String {
    let total = &usage.total;
    let calls = match (&total.first, &total.last) {
        (Some(first), Some(last)) => format!(
            "The audit has {} calls from {} to {}. What was not called in that time may still be needed, for example once a year.",
            grouped(total.calls),
            day_of(first),
            day_of(last)
        ),
        _ => "The audit has no calls of this time, so nothing was used.".to_owned(),
    };
    if is_empty {
        format!("{calls} Everything that the tokens are allowed was used.")
    } else {
        calls
    }
}

fn row(gathered: &Gathered, usage: &Usage, at: usize) -> LeastRow {
    let id = gathered.tokens.get(at).copied();
    let name = id.map_or("", |id| gathered.name(id));
    let all = gathered
        .api
        .as_ref()
        .map(|api| reached(api, at))
        .unwrap_or_default();
    let is_used = |operation: usize| usage.operation(name, Some(operation)).calls > 0;
    let used = all.iter().filter(|(operation, ..)| is_used(*operation)).count();
    // Deletions first, then writes, each in the order of the description.
    let unused = all.iter().filter(|(operation, ..)| !is_used(*operation));
    let mut writes: Vec<(Kind, String)> = unused
        .map(|(_, operation, _)| (Kind::of(operation), in_words(operation)))
        .filter(|(kind, _)| *kind != Kind::Read)
        .collect();
    writes.sort_by_key(|(kind, _)| *kind);
    LeastRow {
        link: link(gathered, at),
        allowed: all.len(),
        used,
        never: all.len() - used,
        never_writes: writes.len(),
        more: writes.len().saturating_sub(NAMED),
        listed: writes.into_iter().take(NAMED).map(|(_, name)| name).collect(),
        lines: lines(gathered, usage, at),
        elsewhere: match gathered.api {
            Some(_) => usage.operation(name, None).calls,
            None => 0,
        },
    }
}

/// The places of the permit lines without a call. A line that moved within its file is the same.
fn lines(gathered: &Gathered, usage: &Usage, at: usize) -> Vec<String> {
    let Some(id) = gathered.tokens.get(at) else {
        return Vec::new();
    };
    let mut seen = HashSet::new();
    let lines = gathered.policy.program.lines_of(*id);
    lines
        .filter(|(_, line)| !line.text.starts_with('!'))
        .filter(|(_, line)| usage.line(line.file, &line.digest.to_string()).is_none())
        .filter(|(id, _)| seen.insert(*id))
        .map(|(_, line)| text(&format!("{}:{}", line.file, line.number)))
        .collect()
}
