use super::run::Kind;
use super::*;

/// The words as one text, gaps in angle brackets.
fn told(line: &str) -> String {
    let words = words(line).unwrap();
    let show = |runs: &[Run]| {
        let mut out = String::new();
        for run in runs {
            match run.kind {
                Kind::Exact => out.push_str(&run.text),
                Kind::Any => out.push_str(&format!("<{}>", run.text)),
                Kind::Word => out.push_str(&format!(" {} ", run.text)),
            }
        }
        out.split_whitespace().collect::<Vec<_>>().join(" ")
    };
    let never = if words.is_forbid { "never: " } else { "" };
    let mut out = format!("{never}{} {}", words.methods, show(&words.path));
    for clause in &words.clauses {
        out.push_str(&format!("\n{}", show(&clause.runs)));
    }
    out
}

#[test]
fn lines_without_regexps() {
    let lines = [
        r"[get]/rest/api/2/issue/KANBAN-\d+(/comment)?",
        r"[get]/rest/api/2/(serverInfo|myself)",
        r"![delete,put]/rest/.*",
        r"{BASE_URL}/rest/api/2/user/{USER}/[A-Z]{2,5}",
        r"[get]/search[QueryParam::jql==project = KANBAN( AND status = \w+)?][QueryParam::maxResults?=\d{1,3}][QueryParam::only]",
        r"[post]/rest/api/2/filter[JsonData::editable:boolean==false][JsonData::only]",
        r"[post]/pay[JsonData::amount<=500][JsonData::note!=.*secret.*]",
    ];
    insta::assert_snapshot!(lines.map(told).join("\n\n"), @r"
    Read (GET) /rest/api/2/issue/KANBAN-<number> (optionally /comment )

    Read (GET) /rest/api/2/ ( serverInfo or myself )

    never: Replace (PUT) or delete (DELETE) /rest/<anything>

    Any method <address of the API>/rest/api/2/user/<the token's user>/<2 to 5 capital letters>

    Read (GET) /search
    The query parameter jql must be present, and be project = KANBAN (optionally AND status = <word> )
    The query parameter maxResults may be absent; otherwise it must be <1 to 3 digits>
    No query parameters other than jql or maxResults

    Create or submit (POST) /rest/api/2/filter
    In the JSON body, editable must be present, and be a boolean: false
    No members of the JSON body other than editable

    Create or submit (POST) /pay
    In the JSON body, amount must be present, and be at most 500
    In the JSON body, note must not be <anything>secret<anything>
    ");
}

#[test]
fn a_pattern_without_words_is_shown_itself() {
    insta::assert_snapshot!(told(r"[get]/a/(?i:b)"), @"Read (GET) text that matches /a/(?i:b)");
}
