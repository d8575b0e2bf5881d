//! The answer to `never`, `only` and `always`: yes, or no with requests.

use tokenward_compiler::ask::{Breach, Demand, Question, Verdict};
use tokenward_compiler::ir::Program;

use super::listing::{Text, place};
use super::policy::Policy;

/// Requests of a token that the text lists at most; JSON has all.
const REQUESTS: usize = 20;

/// The answer as text.
pub(super) fn text((question, demand): (&Question, Demand), policy: &Policy, verdicts: &[Verdict]) -> String {
    let program = &policy.program;
    let mut out = Text::default();
    out.line(0, &summary((question, demand), program, verdicts));
    for verdict in verdicts.iter().filter(|verdict| !verdict.holds()) {
        let token = program.token(verdict.token);
        out.line(0, "");
        out.line(0, &token.name);
        for breach in verdict.breaches.iter().take(REQUESTS) {
            out.line(2, &cause(breach, program));
            out.request(4, (&breach.request, &breach.obstacles), (program, token));
        }
        if let Some(more @ 1..) = verdict.breaches.len().checked_sub(REQUESTS) {
            out.line(2, &format!("{more} more requests: --json lists all"));
        }
        if let Some(why) = verdict.inconclusive {
            let what = if verdict.breaches.is_empty() {
                "not settled"
            } else {
                "others: not settled"
            };
            out.line(2, &format!("{what}: {why}"));
        }
    }
    out.end()
}

fn summary((question, demand): (&Question, Demand), program: &Program, verdicts: &[Verdict]) -> String {
    let line = question.line();
    let broken = verdicts
        .iter()
        .filter(|verdict| !verdict.breaches.is_empty())
        .count();
    let open = verdicts
        .iter()
        .filter(|verdict| verdict.inconclusive.is_some())
        .count();
    let of = verdicts.len();
    let one = match verdicts {
        [verdict] => Some(format!("`{}`", program.token(verdict.token).name)),
        _ => None,
    };
    if broken > 0 {
        let who = one.unwrap_or_else(|| format!("{broken} of {of} tokens"));
        let does = match demand {
            Demand::Never => format!("may make requests that `{line}` matches"),
            Demand::Only => format!("may make requests that `{line}` does not match"),
            Demand::Always => format!("may not make all requests that `{line}` matches"),
        };
        let mut summary = format!("No: {who} {does}.");
        // What only a key or a setting prevents can begin without a change of the lines.
        let mut breaches = verdicts.iter().flat_map(|verdict| &verdict.breaches);
        if demand != Demand::Always && breaches.all(Breach::is_blocked) {
            summary.push_str(
                " The lines allow this, but as configured the proxy forwards none of these requests.",
            );
        }
        return summary;
    }
    if open > 0 {
        let who = one.unwrap_or_else(|| format!("{open} of {of} tokens"));
        return format!("Not settled for {who}: `{} {line}`.", demand.as_str());
    }
    let who = one.unwrap_or_else(|| match (demand, of) {
        (Demand::Never, of) => format!("none of {of} tokens"),
        (_, of) => format!("each of {of} tokens"),
    });
    let does = match (demand, of) {
        (Demand::Never, 1) => format!("may not make any request that `{line}` matches"),
        (Demand::Never, _) => format!("may make a request that `{line}` matches"),
        (Demand::Only, _) => format!("may make only requests that `{line}` matches"),
        (Demand::Always, _) => format!("may make every request that `{line}` matches"),
    };
    let lacks_key = |verdict: &Verdict| {
        let token = program.token(verdict.token);
        !(token.mint && token.escalate)
    };
    if demand == Demand::Always && verdicts.iter().any(lacks_key) {
        return format!(
            "Yes: {who} {does}. This is about lines: calls that need `mint` or `escalate` also need that key."
        );
    }
    format!("Yes: {who} {does}.")
}

fn cause(breach: &Breach, program: &Program) -> String {
    match (breach.is_allowed, breach.line) {
        (false, None) => "no line permits this request".to_owned(),
        (false, Some(line)) => format!("denied by {}", place(program, line)),
        (true, None) => "allowed by unrestricted = true".to_owned(),
        (true, Some(line)) => format!("allowed by {}", place(program, line)),
    }
}
