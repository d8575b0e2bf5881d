//! The answer to "which tokens may": each token with its lines, their conditions and an example.

use tokenward_compiler::ask::{Extent, Reach, Way};
use tokenward_pdp::forwarded::not_forwarded;
use tokenward_pdp::plural::plural;

use super::asked::{Asked, Blocked};
use super::listing::{Text, caller, place};
use super::policy::Policy;

/// Lines of a token that the text lists at most, and forbid lines; JSON has all.
const LINES: usize = 20;

/// The answer as text.
pub(super) fn text(asked: &Asked, policy: &Policy, (reaches, blocked): (&[Reach], &[Blocked])) -> String {
    let mut out = Text::default();
    out.line(0, &summary(asked, policy, (reaches, blocked)));
    for reach in reaches.iter().filter(|reach| !reach.ways.is_empty()) {
        token(&mut out, asked, policy, reach);
    }
    let program = &policy.program;
    for reach in reaches.iter().filter(|reach| reach.ways.is_empty()) {
        if let Some(why) = reach.inconclusive {
            out.line(0, "");
            let name = &program.token(reach.token).name;
            out.line(0, &format!("{name}: not settled: {why}"));
        }
    }
    for one in blocked {
        out.line(0, "");
        let name = &program.token(one.token).name;
        out.line(
            0,
            &format!("{name}: may not, although its lines allow it: {}", one.why),
        );
    }
    out.end()
}

/// The answer in one sentence, with the count first.
fn summary(asked: &Asked, policy: &Policy, (reaches, blocked): (&[Reach], &[Blocked])) -> String {
    let program = &policy.program;
    let may: Vec<&Reach> = reaches.iter().filter(|reach| reach.may()).collect();
    let open = reaches
        .iter()
        .filter(|reach| !reach.may() && reach.inconclusive.is_some())
        .count();
    let of = reaches.len() + blocked.len();
    let what = asked.may();
    let one = match (reaches, blocked) {
        ([reach], []) => Some(format!("`{}`", program.token(reach.token).name)),
        ([], [blocked]) => Some(format!("`{}`", program.token(blocked.token).name)),
        _ => None,
    };
    let mut summary = match (one, may.len()) {
        (Some(one), 0) if open == 0 => format!("No: {one} may not {what}."),
        (Some(one), 0) => format!("Not settled: it is not known whether {one} may {what}."),
        (Some(one), _) => format!("Yes: {one} may {what}."),
        (None, 0) if open == 0 => format!("No token may {what} ({of} tokens were checked)."),
        (None, 0) => format!("Not settled: it is not known whether {open} of {of} tokens may {what}."),
        (None, count) => format!("{count} of {of} tokens may {what}."),
    };
    let mut states = may
        .iter()
        .map(|reach| policy.state(program.token(reach.token)))
        .filter(|state| *state != "active");
    let first = states.next();
    match (first, states.count(), may.len()) {
        (None, ..) => {}
        (Some(state), 0, 1) => summary.push_str(&format!(" It is {state}.")),
        (Some(state), 0, _) => summary.push_str(&format!(" One of them is {state}.")),
        (_, more, _) => summary.push_str(&format!(" {} of them are revoked or expired.", more + 1)),
    }
    if open > 0 && !may.is_empty() {
        summary.push_str(&format!(" {open} more could not be settled."));
    }
    let unsent = reaches.iter().filter(|reach| reach.is_blocked()).count();
    if unsent > 0 {
        let lines = match (reaches.len(), unsent) {
            (1, _) => "Its lines allow some".to_owned(),
            (_, count) => format!("The lines of {count} {} allow some", plural(count, "token")),
        };
        summary.push_str(&format!(
            " {lines}, but as configured the proxy forwards none of these."
        ));
    }
    summary
}

fn token(out: &mut Text, asked: &Asked, policy: &Policy, reach: &Reach) {
    let program = &policy.program;
    let token = program.token(reach.token);
    out.line(0, "");
    let state = match policy.state(token) {
        "active" => "",
        "revoked" => ", revoked",
        _ => ", expired",
    };
    out.line(0, &format!("{}: {}{state}", token.name, asked.extent(reach)));
    for way in reach.ways.iter().take(LINES) {
        let line = way
            .line
            .map_or_else(|| "unrestricted = true".to_owned(), |line| place(program, line));
        out.line(2, &line);
        conditions(out, way);
        out.request(4, (&way.request, &way.obstacles), (program, token));
    }
    more(out, reach.ways.len(), "lines");
    for line in reach.exceptions.iter().take(LINES) {
        out.line(
            2,
            &format!("except what this line matches: {}", place(program, *line)),
        );
    }
    more(out, reach.exceptions.len(), "forbid lines");
    if let Extent::Part(denied) = &reach.extent {
        let why = not_forwarded(&reach.denied_obstacles).map_or_else(String::new, |why| format!("; {why}"));
        let denied = denied.decoded();
        out.line(2, &format!("not allowed, for example: {denied}{why}"));
    }
    if let Some(why) = reach.inconclusive {
        out.line(2, &format!("other lines: not settled: {why}"));
    }
    out.line(2, &format!("caller: {}", caller(token).join("; ")));
}

fn more(out: &mut Text, count: usize, what: &str) {
    if let Some(more @ 1..) = count.checked_sub(LINES) {
        out.line(2, &format!("{more} more {what}: --json lists all"));
    }
}

fn conditions(out: &mut Text, way: &Way) {
    for (at, condition) in way.conditions.iter().enumerate() {
        let word = if at == 0 { "if" } else { "and" };
        out.line(4, &format!("{word} {}", condition.text));
    }
}
