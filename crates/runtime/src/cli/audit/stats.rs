//! `tokenward audit stats`: how often tokens and lines were used, and which never were.

use std::collections::HashSet;

use serde::Serialize;
use tokenward_pdp::config::Config;

use super::policy;
use super::table::shown;
use super::which::{Place, Which};
use super::{Failure, output};
use crate::audit_json::{Counts, LineName, UsageReport, UsedBy};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

/// The usage, and the parts of the policy that were never used.
#[derive(Serialize)]
struct Stats {
    #[serde(flatten)]
    usage: UsageReport,
    /// Unused parts; absent if the policy cannot be read.
    unused: Option<Unused>,
}

#[derive(Serialize)]
struct Unused {
    tokens: Vec<String>,
    lines: Vec<UnusedLine>,
}

#[derive(Serialize)]
struct UnusedLine {
    #[serde(flatten)]
    name: LineName,
    text: String,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.place.config()?;
    let filter = args.which.filter(&config)?;
    let source = args.place.source(&config)?;
    let usage = source.usage(&filter)?;
    if usage.total.calls == 0 {
        args.which.note_unknown(&config);
    }
    let unused = unused(&usage, &config)
        .inspect_err(|why| {
            output::note(&format!("Unused tokens and lines cannot be shown: {why}"));
        })
        .ok();
    let stats = Stats { usage, unused };
    if args.json {
        let json = serde_json::to_string(&stats).map_err(Failure::trouble)?;
        output::print_document(&format!("{json}\n"))?;
    } else {
        output::print(&text(&stats))?;
    }
    source.tell_lacking()
}

/// Finds the tokens and lines of the policy without a call. A line is identified by its text, so one that moved within
/// its file counts as used.
fn unused(usage: &UsageReport, config: &Config) -> Result<Unused, String> {
    let program = policy::program(config)?;
    let tokens: HashSet<&str> = usage.tokens.iter().filter_map(|u| u.name.as_deref()).collect();
    let lines: HashSet<(&str, &str)> = usage
        .lines
        .iter()
        .map(|used| (used.name.file.as_str(), used.name.digest.as_str()))
        .collect();
    let mut unused_tokens: Vec<String> = program
        .tokens()
        .filter(|(_, token)| !token.revoked && !tokens.contains(token.name.as_str()))
        .map(|(_, token)| token.name.clone())
        .collect();
    unused_tokens.sort_unstable();
    let unused_lines = policy::lines(&program)
        .into_iter()
        .filter(|line| !lines.contains(&(line.file, line.digest.to_string().as_str())));
    Ok(Unused {
        tokens: unused_tokens,
        lines: unused_lines
            .map(|line| UnusedLine {
                name: LineName {
                    file: line.file.to_owned(),
                    number: line.number,
                    digest: line.digest.to_string(),
                },
                text: line.text.to_owned(),
            })
            .collect(),
    })
}

fn text(stats: &Stats) -> String {
    let usage = &stats.usage;
    let mut out = String::new();
    let line_name = |line: &LineName| format!("{}:{}", line.file, line.number);
    section(&mut out, "TOKEN", &usage.tokens, |token| {
        token.clone().unwrap_or_else(|| "(none)".to_owned())
    });
    section(&mut out, "LINE", &usage.lines, line_name);
    section(&mut out, "REASON", &usage.reasons, String::clone);
    section(&mut out, "HOUR", &usage.hours, String::clone);
    let all = UsedBy {
        name: "all".to_owned(),
        counts: usage.total.clone(),
    };
    section(&mut out, "TOTAL", &[all], String::clone);
    if let Some(unused) = &stats.unused {
        out.push_str("\nNEVER USED\n");
        for token in &unused.tokens {
            out.push_str(&format!("token {}\n", shown(token)));
        }
        for line in &unused.lines {
            out.push_str(&format!(
                "line {}  {}\n",
                shown(&line_name(&line.name)),
                shown(&line.text)
            ));
        }
        if unused.tokens.is_empty() && unused.lines.is_empty() {
            out.push_str("none: every token and every line was used\n");
        }
    }
    out
}

fn section<K>(out: &mut String, what: &str, used: &[UsedBy<K>], name: impl Fn(&K) -> String) {
    if used.is_empty() {
        return;
    }
    if !out.is_empty() {
        out.push('\n');
    }
    let names: Vec<String> = used.iter().map(|used| shown(&name(&used.name))).collect();
    let width = names.iter().map(|name| name.chars().count()).fold(24, usize::max);
    let counts = ["CALLS", "ALLOWED", "DENIED", "REFUSED"].map(|name| format!("{name:>9}"));
    out.push_str(&format!("{what:width$}{}  LAST USED\n", counts.concat()));
    for (name, UsedBy { counts, .. }) in names.iter().zip(used) {
        let Counts {
            calls,
            allowed,
            denied,
            refused,
            ..
        } = counts;
        let last = counts.last.as_deref().unwrap_or("-");
        out.push_str(&format!(
            "{name:width$}{calls:>9}{allowed:>9}{denied:>9}{refused:>9}  {last}\n"
        ));
    }
}
