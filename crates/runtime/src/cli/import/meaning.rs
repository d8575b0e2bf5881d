//! Finds lines whose meaning differs after the import, and proves each by a request.

use tokenward_compiler::BaseUrl;
use tokenward_compiler::analysis::{Analysis, Difference, Fault, Universe};
use tokenward_compiler::ir::{Program, TokenId};
use tokenward_compiler::{compile, source::SourceSet};

use super::extender::Cause;
use crate::authoring::edit::{self, NewToken};

/// A line with a different meaning.
#[derive(Debug)]
pub(super) struct Change {
    /// Index of the line in its token, from 0.
    pub(super) line: usize,
    pub(super) cause: Cause,
    pub(super) proof: Proof,
}

/// Evidence for the difference.
#[derive(Debug)]
pub(super) enum Proof {
    /// Requests, one of them at least: allowed here and not before, and the other way round.
    Requests {
        newly_allowed: Option<Example>,
        newly_denied: Option<Example>,
    },
    /// The comparison stopped for this reason, so the line may have a different meaning.
    Inconclusive(String),
}

/// A request that proves it.
#[derive(Debug)]
pub(super) struct Example {
    /// Method, target, and the body, if there is one.
    pub(super) request: String,
    /// A command that sends it.
    pub(super) curl: String,
}

/// Finds the changed meanings among a token's lines, taking the other lines into account: a line that another covers
/// with either meaning changes nothing. `quoted`: indexes of the lines in which the import put quotes around names, which
/// Extender had without them.
///
/// # Errors
/// A fault of the analysis.
pub(super) fn changes(
    (token, quoted): (&NewToken, &[usize]),
    base: &BaseUrl,
    universe: Universe,
) -> Result<Vec<Change>, Fault> {
    // One cause of one line after the other is undone, so that of two equal lines the second shows the difference.
    let mut lines = token.lines.clone();
    let mut steps = Vec::new();
    let mut states = vec![lines.clone()];
    for at in 0..lines.len() {
        let is_ours = |cause: &Cause| quoted.contains(&at) && matches!(cause, Cause::Quotes | Cause::Node);
        for cause in Cause::ALL.into_iter().filter(|cause| !is_ours(cause)) {
            let Some(line) = lines.get_mut(at) else { continue };
            if let Some(undone) = cause.undone(line) {
                *line = undone;
                steps.push((at, cause));
                states.push(lines.clone());
            }
        }
    }
    if steps.is_empty() {
        return Ok(Vec::new());
    }
    // Compile all states as tokens of one program.
    let Some(program) = program(token, &states, base) else {
        let inconclusive = |(line, cause)| Change {
            line,
            cause,
            proof: Proof::Inconclusive("the original line does not compile here".to_owned()),
        };
        return Ok(steps.into_iter().map(inconclusive).collect());
    };
    // Compare each state with the next: the difference is the effect of one cause.
    let mut analysis = Analysis::new(&program, &program, universe, Analysis::BUDGET)?;
    let ids: Vec<TokenId> = program.tokens().map(|(id, _)| id).collect();
    let mut changes = Vec::new();
    for ((line, cause), pair) in steps.into_iter().zip(ids.windows(2)) {
        let [here, before] = pair else { continue };
        let found = analysis.compare(Some(*before), Some(*here))?;
        let give_up = found
            .newly_allowed
            .inconclusive
            .or(found.newly_denied.inconclusive);
        let first = |difference: Difference| {
            difference.findings.into_iter().next().map(|finding| Example {
                curl: finding.witness.curl(base, user(token)),
                request: finding.witness.to_string(),
            })
        };
        let (newly_allowed, newly_denied) = (first(found.newly_allowed), first(found.newly_denied));
        let proof = match (&newly_allowed, &newly_denied, give_up) {
            (None, None, None) => continue,
            (None, None, Some(why)) => Proof::Inconclusive(why.to_string()),
            _ => Proof::Requests {
                newly_allowed,
                newly_denied,
            },
        };
        changes.push(Change { line, cause, proof });
    }
    Ok(changes)
}

fn user(token: &NewToken) -> &str {
    match &token.users {
        edit::Users::Named(users) => users.first().map_or("USER", String::as_str),
        edit::Users::Any => "USER",
    }
}

/// A program with a token for each state of the lines, in their order.
fn program(token: &NewToken, states: &[Vec<String>], base: &BaseUrl) -> Option<Program> {
    let entries = states.iter().enumerate().map(|(at, lines)| {
        edit::entry(&NewToken {
            name: at.to_string(),
            secret_hash: format!("sha256:{at:064x}"),
            lines: lines.clone(),
            ..token.clone()
        })
        .ok()
    });
    let file: Option<Vec<String>> = entries.collect();
    let sources = SourceSet::from_files([("states.toml".to_owned(), file?.join("\n"))]);
    compile(&sources).program?.bind(base).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::authoring::edit::Users;

    fn of(lines: &[&str]) -> Vec<Change> {
        let token = NewToken {
            name: "t".to_owned(),
            users: Users::Named(vec!["svc".to_owned()]),
            secret_hash: String::new(),
            expires: None,
            owner: None,
            description: None,
            allowed_ips: Vec::new(),
            limits: tokenward_compiler::call_limits::CallLimits::NONE,
            include: Vec::new(),
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            unrestricted: false,
        };
        let base = BaseUrl::parse("https://jira.example.com/ctx").unwrap();
        changes((&token, &[]), &base, Universe::default()).unwrap()
    }

    fn shown(lines: &[&str]) -> Vec<String> {
        let show =
            |example: Option<Example>| example.map_or_else(|| "-".to_owned(), |example| example.request);
        of(lines)
            .into_iter()
            .map(|change| match change.proof {
                Proof::Requests {
                    newly_allowed,
                    newly_denied,
                } => format!(
                    "{} {}: {} | {}",
                    change.line,
                    change.cause.code(),
                    show(newly_allowed),
                    show(newly_denied)
                ),
                Proof::Inconclusive(why) => why,
            })
            .collect()
    }

    #[test]
    fn the_documented_lines_mean_what_they_did() {
        let lines = [
            ".*/rest/api/2/issue/JRA.*",
            "[post].*/rest/api/2/issue/KANBAN-100/comment.*",
            ".*/rest/api/2/issue/SCRUM-[1-2]{1}/comment.*",
            "[get].*/rest/api/2/filter/search[QueryParam::accountId==.*]",
            "[post].*/rest/api/2/filter[JsonData::editable==false][JsonData::favourite==false]",
        ];
        assert!(of(&lines).is_empty());
    }

    #[test]
    fn changes_come_with_requests() {
        assert_eq!(shown(&["[get]/rest/x"]), ["0 anchor: GET /rest/x | -"]);
        assert_eq!(
            shown(&["[get].*/rest/x", "![get].*x"]),
            ["1 forbid: - | GET /rest/x"]
        );
        assert_eq!(
            shown(&["[get]{BASE_URL}/rest/x"]),
            ["0 placeholder: GET /rest/x | -"]
        );
        let node = shown(&["[post].*/rest/x[JsonData::a.b==1]"]);
        assert_eq!(
            node,
            [
                r#"0 node-path: POST /rest/x with application/json: {"a": {"b": "1"}} | POST /rest/x with application/json: {"a.b": "1"}"#
            ]
        );
        let letters = shown(&[r"[get].*/rest/\p{Lower}"]);
        assert!(
            letters.len() == 1 && letters[0].starts_with("0 posix-class: GET /rest/%"),
            "{letters:?}"
        );
    }

    #[test]
    fn what_another_line_covers_is_no_change() {
        assert_eq!(shown(&["[get].*/rest/.*", "[get]/rest/x"]), [""; 0]);
        // Of two lines that cover each other, one is reported.
        assert_eq!(
            shown(&["[get]/rest/x", "[get]/rest/x"]),
            ["1 anchor: GET /rest/x | -"]
        );
    }
}
