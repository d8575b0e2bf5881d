//! Edits as people make them, each with what a reviewer reads of it.

use crate::{
    BaseUrl,
    analysis::{Analysis, Explanation, Finding, Operation, Universe, Vocabulary, Widened},
    compile,
    ir::{Program, TokenId},
    method::Method,
    source::SourceSet,
};

fn program(keys: &str, lines: &str) -> Program {
    let limits = match lines {
        "" => String::new(),
        lines => format!("limit_to = '''\n{lines}\n'''\n"),
    };
    let file = format!(
        "[[token]]\nname = \"t\"\nsecret_hash = \"sha256:{}\"\n{keys}\n{limits}",
        "11".repeat(32)
    );
    let compilation = compile(&SourceSet::from_files([("t.toml".to_owned(), file)]));
    let program = compilation
        .program
        .unwrap_or_else(|| panic!("{:?}", compilation.diagnostics));
    program.bind(&BaseUrl::parse("https://h").unwrap()).unwrap()
}

/// Each newly allowed request with its explanation.
fn all_explained(
    (old, new): (&Program, &Program),
    vocabulary: Vocabulary,
    budget: u64,
) -> Vec<(Finding, Explanation)> {
    let token = |program: &Program| program.tokens().next().map(|(id, _)| id);
    let pair: (Option<TokenId>, Option<TokenId>) = (token(old), token(new));
    let mut proving = Analysis::new(old, new, Universe::default(), Analysis::BUDGET).unwrap();
    let findings = proving.compare(pair.0, pair.1).unwrap().newly_allowed.findings;
    let mut analysis = Analysis::new(old, new, Universe::default(), budget)
        .unwrap()
        .with_vocabulary(vocabulary);
    let explain = |finding: Finding| {
        let explanation = analysis.explain(pair, &finding);
        (finding, explanation)
    };
    findings.into_iter().map(explain).collect()
}

/// What a reviewer reads: the ways, the nearest line, the shortest and the most telling request.
fn read(found: &[(Finding, Explanation)]) -> String {
    let quote = |text: &str| format!("`{text}`");
    let mut out = String::new();
    for (finding, explanation) in found {
        let words = explanation.widened_words(&quote).unwrap_or_default();
        out.push_str(&format!("{words}\n"));
        if let Some(nearest) = &explanation.nearest {
            out.push_str(&format!(
                "  near {}\n",
                nearest.words(finding.witness.method, &quote)
            ));
        }
        out.push_str(&format!("  {}\n", finding.witness));
        if let Some(telling) = &explanation.telling {
            out.push_str(&format!("  {}\n", telling.decoded()));
        }
    }
    out
}

#[track_caller]
fn check(old: &str, new: &str, expected: &str) {
    let user = "user = \"u\"";
    let (old_program, new_program) = (program(user, old), program(user, new));
    let found = all_explained(
        (&old_program, &new_program),
        Vocabulary::default(),
        Analysis::BUDGET,
    );
    assert_eq!(read(&found), expected, "{old}\n{new}");
}

#[test]
fn a_dropped_method_list_names_the_methods() {
    check(
        r"[get,post]/rest/api/2/issue/KANBAN-\d+",
        r"/rest/api/2/issue/KANBAN-\d+.*",
        r"methods + PUT, PATCH, DELETE, HEAD, OPTIONS; path from `\d+` to `\d+.*`
  near `t.toml:6: [get,post]/rest/api/2/issue/KANBAN-\d+`; its path fails at `a`
  GET /rest/api/2/issue/KANBAN-0a
  DELETE /rest/api/2/issue/KANBAN-1
",
    );
}

#[test]
fn a_missing_boundary_names_the_path() {
    check(
        r"[get]/rest/api/2/issue/KANBAN-\d+",
        r"[get]/rest/api/2/issue/KANBAN-\d+.*",
        r"path from `\d+` to `\d+.*`
  near `t.toml:6: [get]/rest/api/2/issue/KANBAN-\d+`; its path fails at `a`
  GET /rest/api/2/issue/KANBAN-0a
  GET /rest/api/2/issue/KANBAN-1/comment
",
    );
}

#[test]
fn another_project_tells_most() {
    check(
        r"[get]/rest/api/2/issue/KANBAN-\d+",
        "[get]/rest/api/2/issue/.*",
        r"path from `/KANBAN-\d+` to `/.*`
  near `t.toml:6: [get]/rest/api/2/issue/KANBAN-\d+`; the path ends too early for it
  GET /rest/api/2/issue/
  GET /rest/api/2/issue/HR-1
",
    );
}

#[test]
fn an_opened_query_tells_by_another_clause() {
    check(
        "[get]/rest/api/2/search[QueryParam::jql==project = KANBAN]",
        "[get]/rest/api/2/search[QueryParam::jql==project = KANBAN.*]",
        "parameter `jql` from `project = KANBAN` to `project = KANBAN.*`
  near `t.toml:6: [get]/rest/api/2/search[QueryParam::jql==project = KANBAN]`; its constraint `QueryParam::jql==` fails
  GET /rest/api/2/search?jql=project%20%3D%20KANBANa
  GET /rest/api/2/search?jql=project = KANBAN OR project = HR
",
    );
}

#[test]
fn a_telling_query_is_a_whole_one() {
    check(
        "[get]/rest/s[QueryParam::jql==project = A( AND status = [a-z]+)?]",
        "[get]/rest/s[QueryParam::jql==project = A( AND .*)?]",
        "parameter `jql` from `project = A( AND status = [a-z]+)?` to `project = A( AND .*)?`
  near `t.toml:6: [get]/rest/s[QueryParam::jql==project = A( AND status = [a-z]+)?]`; its constraint `QueryParam::jql==` fails
  GET /rest/s?jql=project%20%3D%20A%20AND%20
  GET /rest/s?jql=project = A AND a = a OR project = HR
",
    );
}

#[test]
fn operators_are_shown_if_they_matter() {
    check(
        "[get]/rest/user[QueryParam::username==bob]",
        "[get]/rest/user[QueryParam::username?=bob]",
        "parameter `username` from `==bob` to `?=bob`
  near `t.toml:6: [get]/rest/user[QueryParam::username==bob]`; its constraint `QueryParam::username==` fails
  GET /rest/user
",
    );
}

#[test]
fn removed_constraints_are_named() {
    check(
        "[get]/rest/api/2/search[QueryParam::jql==project = KANBAN]",
        "[get]/rest/api/2/search",
        "parameter `jql` is no longer restricted to `project = KANBAN`
  near `t.toml:6: [get]/rest/api/2/search[QueryParam::jql==project = KANBAN]`; its constraint `QueryParam::jql==` fails
  GET /rest/api/2/search
  GET /rest/api/2/search?jql=project = HR
",
    );
    check(
        "[post]/rest/api/2/filter[JsonData::editable:boolean==false][JsonData::favourite:boolean==false]",
        "[post]/rest/api/2/filter[JsonData::favourite:boolean==false]",
        "JSON `editable` is no longer restricted to `:boolean==false`
  near `t.toml:6: [post]/rest/api/2/filter[JsonData::editable:boolean==false][JsonData::favourite:boolean==false]`; its constraint `JsonData::editable:boolean==` fails
  POST /rest/api/2/filter with application/json: {\"favourite\": false}
  POST /rest/api/2/filter with application/json: {\"favourite\": false, \"editable\": true}
",
    );
    check(
        "[get]/rest/a[QueryParam::only][QueryParam::n==1]",
        "[get]/rest/a[QueryParam::n==1]",
        "any other parameters
  near `t.toml:6: [get]/rest/a[QueryParam::only][QueryParam::n==1]`; its constraint `QueryParam::only` fails
  GET /rest/a?n=1&x=
",
    );
}

/// The ways in which each newly allowed request is, one in a line.
fn ways(old: &str, new: &str) -> String {
    let user = "user = \"u\"";
    let (old, new) = (program(user, old), program(user, new));
    let found = all_explained((&old, &new), Vocabulary::default(), Analysis::BUDGET);
    let quote = |text: &str| format!("`{text}`");
    let ways = found
        .iter()
        .map(|(_, explanation)| explanation.widened_words(&quote));
    ways.map(Option::unwrap_or_default).collect::<Vec<_>>().join("\n")
}

#[test]
fn what_another_line_permitted_is_not_said_to_be_new() {
    for (old, new, expected) in [
        // DELETE is as old as GET; what is new is the path.
        (
            "[get]/rest/a\n[delete]/rest/a",
            "[get,delete]/rest/a.*",
            "path from `/a` to `/a.*`",
        ),
        (
            "[get]/rest/issue/a\n[get]/rest/issue/b",
            "[get,put]/rest/issue/a\n[get]/rest/issue/b",
            "methods + PUT",
        ),
        // The other line permitted DELETE of one path, and this line permits it of all.
        (
            "[get]/rest/a.*[QueryParam::x==1]\n[delete]/rest/a",
            "[get,delete]/rest/a.*[QueryParam::x==1|2]",
            "methods + DELETE; parameter `x` from `1` to `1|2`",
        ),
        // The forbid line denies what would be new of the path.
        (
            "[get]/rest/issue/a[QueryParam::x==1]",
            "[get]/rest/issue/(a|b)\n!/rest/issue/b",
            "parameter `x` is no longer restricted to `1`",
        ),
    ] {
        assert_eq!(ways(old, new), expected, "{old}\n{new}");
    }
}

#[test]
fn a_constraint_that_moved_is_not_said_to_be_removed() {
    assert_eq!(
        ways(
            "[put]/rest/issue[JsonData::labels[*]==a|b]",
            "[put]/rest/issue[JsonData::labels==a|b|c]"
        ),
        "JSON `labels[*]==a|b` is now `labels==a|b|c`"
    );
    assert_eq!(
        ways(
            "[get]/rest/a[QueryParam::only][QueryParam::n==1][QueryParam::m==2]",
            "[get]/rest/a[QueryParam::only][QueryParam::n==1]"
        ),
        "parameter `m` is no longer required; it was restricted to `2`"
    );
}

#[test]
fn widened_json_and_ranges_are_named() {
    check(
        "[post]/rest/worklog[JsonData::seconds:number<=3600]",
        "[post]/rest/worklog[JsonData::seconds:number<=90000000]",
        "JSON `seconds` from `:number<=3600` to `:number<=90000000`
  near `t.toml:6: [post]/rest/worklog[JsonData::seconds:number<=3600]`; its constraint `JsonData::seconds:number<=` fails
  POST /rest/worklog with application/json: {\"seconds\": 3601}
  POST /rest/worklog with application/json: {\"seconds\": 1000000}
",
    );
}

#[test]
fn a_removed_forbid_line_is_named_with_its_place() {
    check(
        "/rest/api/2/issue/KANBAN-[0-9]+\n![delete].*",
        "/rest/api/2/issue/KANBAN-[0-9]+",
        "forbid line removed: `t.toml:7: ![delete].*`
  DELETE /rest/api/2/issue/KANBAN-0
",
    );
    check(
        "/rest/api/2/issue/KANBAN-[0-9]+(/comment)?\n![delete].*",
        "/rest/api/2/issue/KANBAN-[0-9]+(/comment)?\n![delete].*/comment",
        "forbid line narrowed: `t.toml:7: ![delete].*` is now `t.toml:7: ![delete].*/comment`
  DELETE /rest/api/2/issue/KANBAN-0
",
    );
}

#[test]
fn a_removed_forbid_line_shows_its_most_harmful_request() {
    check(
        "/rest/api/2/.*\n!/rest/api/2/.*",
        "/rest/api/2/.*",
        "forbid line removed: `t.toml:7: !/rest/api/2/.*`
  GET /rest/api/2/
  DELETE /rest/api/2/project/HR
",
    );
}

#[test]
fn a_token_that_became_unrestricted_is_named() {
    let (old, new) = (
        program("user = \"u\"", "[get]/rest/api/2/issue/KANBAN-1"),
        program("user = \"u\"\nunrestricted = true", ""),
    );
    let found = all_explained((&old, &new), Vocabulary::default(), Analysis::BUDGET);
    assert_eq!(
        read(&found),
        "the token became unrestricted\n  GET /\n  DELETE /rest/api/2/project/HR\n"
    );
    const OWN: &[Operation] = &[Operation {
        method: Method::Delete,
        path: "/api/v4/projects/1",
    }];
    let found = all_explained((&old, &new), Vocabulary::of(OWN), Analysis::BUDGET);
    assert!(read(&found).ends_with("  DELETE /api/v4/projects/1\n"));
}

#[test]
fn a_line_without_a_like_is_new() {
    check(
        "[get]/rest/api/2/myself",
        "[get]/rest/api/2/myself\n[get]/rest/agile/1[.]0/board",
        "new line
  near `t.toml:6: [get]/rest/api/2/myself`; its path fails at `gile/1.0/board`
  GET /rest/agile/1.0/board
",
    );
}

#[test]
fn the_nearest_line_is_the_edited_one() {
    check(
        "[get]/s[QueryParam::jql==project = A]\n[get]/s[QueryParam::jql==project = B]\n[get]/t",
        "[get]/s[QueryParam::jql==project = A]\n[get]/s[QueryParam::jql==project = B|x]\n[get]/t",
        "parameter `jql` from `project = B` to `project = B|x`
  near `t.toml:7: [get]/s[QueryParam::jql==project = B]`; its constraint `QueryParam::jql==` fails
  GET /s?jql=x
",
    );
}

#[test]
fn the_same_line_of_another_user_says_so() {
    let lines = "[get]/rest/user/{USER}";
    let (old, new) = (program("user = \"u\"", lines), program("user = \"v\"", lines));
    let found = all_explained((&old, &new), Vocabulary::default(), Analysis::BUDGET);
    assert_eq!(
        found.first().map(|(_, explanation)| &explanation.widened),
        Some(&vec![Widened::SameLine])
    );
}

/// What the budget did not settle is never said, and that it is open is.
#[test]
fn without_a_budget_the_explanation_is_open() {
    let user = "user = \"u\"";
    let (old, new) = (
        program(user, "[get]/rest/api/a"),
        program(user, "/rest/api/(a|b.*c)"),
    );
    let found = all_explained((&old, &new), Vocabulary::default(), 0);
    let (_, explanation) = found.first().unwrap();
    assert!(explanation.is_open && explanation.telling.is_none());
    let words = explanation.widened_words(&|text| text.to_owned()).unwrap();
    assert!(
        words.starts_with("methods + POST, PUT, PATCH, DELETE, HEAD, OPTIONS; more may have widened"),
        "{words}"
    );
}

/// Every telling request is one that the new policy allows and the old one denies, whatever the edit.
#[test]
fn telling_requests_are_in_the_difference() {
    let user = "user = \"u\"";
    let lines = [
        "/rest/api/2/issue/KANBAN-\\d+.*",
        "[get,delete]/rest/.*",
        ".*/comment/.*",
        "[post,put]/rest/api/2/filter[JsonData::owner==bob]",
        "[get]/rest/api/2/search[QueryParam::jql==project in [(]A, B[)]( AND .*)?]",
        "/rest/api/2/issue/[A-Z]+-1\n![delete,put].*",
        "[get]/rest/api/2/user[QueryParam::username!=admin]",
    ];
    for old in lines {
        for new in lines {
            let (old, new) = (program(user, old), program(user, new));
            for (_, explanation) in all_explained((&old, &new), Vocabulary::default(), Analysis::BUDGET) {
                let Some(telling) = explanation.telling else {
                    continue;
                };
                let allows = |program: &Program| {
                    let (token, _) = program.tokens().next().unwrap();
                    crate::analysis::token_allows(program, token, &telling)
                };
                assert!(allows(&new) && !allows(&old), "{telling}");
            }
        }
    }
}
