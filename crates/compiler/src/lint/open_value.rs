//! TW0507: `jql==project = KANBAN.*` also matches `project = KANBAN OR project = HR`.

use super::{
    line::Line,
    suspect::{Claim, Suspect},
};
use crate::{
    ast::{Operator, Subject, Test},
    check::pieces::{Kind, Piece},
    diagnostic::Code,
    json::Step,
};

/// Names of queries in a language with `OR`.
const QUERIES: [&str; 2] = ["jql", "cql"];
/// Names that have such queries in some APIs: a comparison within the value says so.
const MAYBE: [&str; 6] = ["q", "query", "filter", "search", "where", "condition"];

pub(super) fn check(line: &Line<'_>, found: &mut Vec<Suspect>) {
    for constraint in &line.syntax.constraints {
        let Test::Values {
            operator: Operator::All | Operator::AllOrAbsent,
            pattern,
            ..
        } = &constraint.test
        else {
            continue;
        };
        let pieces = line.pieces(pattern);
        let text = line.slice(pattern.span);
        let name = last_name(&constraint.subject);
        if !is_query(&name, text) {
            continue;
        }
        let Some((at, open)) = open_end(&pieces) else {
            continue;
        };
        let field = if name == "cql" { "space" } else { "project" };
        let more = match at {
            0 => format!("{field} = OTHER OR "),
            _ => format!(" OR {field} = OTHER"),
        };
        let mut example = text.to_owned();
        if example.get(open.clone()).is_none() {
            continue;
        }
        example.replace_range(open.clone(), &more);
        found.push(Suspect {
            code: Code::OpenValue,
            span: pattern.span.part(open),
            headline: format!(
                "conditions can be added here: the value may contain `{}`",
                more.trim()
            ),
            help: "write what may stand here, such as `( AND status = \\w+)?`, or end the value here"
                .to_owned(),
            claim: Claim::Allows(line.compilable(line.with(pattern.span, &example))),
            mend: None,
            fixes: Vec::new(),
        });
    }
}

fn last_name(subject: &Subject) -> String {
    let name = match subject {
        Subject::Query(name) => name.as_str(),
        Subject::Json(path) => match path.0.last() {
            Some(Step::Name(name)) => name,
            _ => "",
        },
    };
    name.to_ascii_lowercase()
}

fn is_query(name: &str, text: &str) -> bool {
    QUERIES.contains(&name)
        || MAYBE.contains(&name) && [" = ", "=", "~", " in "].iter().any(|sign| text.contains(sign))
}

/// The first `.*` or `.+`, if the value has other text too: where any text may be, nobody believes that there is a condition.
fn open_end(pieces: &[Piece]) -> Option<(usize, std::ops::Range<usize>)> {
    let is_text = |piece: &&Piece| matches!(piece.kind, Kind::Character(one) if one.is_alphanumeric());
    if pieces.iter().filter(is_text).count() < 2 {
        return None;
    }
    pieces.windows(2).enumerate().find_map(|(at, pair)| match pair {
        [dot, sign] if dot.is('.') && (sign.is('*') || sign.is('+')) => {
            Some((at, dot.range.start..sign.range.end))
        }
        _ => None,
    })
}
