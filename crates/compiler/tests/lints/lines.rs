//! Lints of lines: each shows a request, and leaves alone what is meant.

use tokenward_compiler::{diagnostic::Code, lint::LintSet};

use super::support::{all, codes, file, found_as, head, is_allowed, policy};

#[test]
fn each_lint_of_a_line_shows_a_request_that_the_token_allows() {
    for (line, code, request) in [
        (
            "[get].*/rest/api/2/search",
            "TW0504",
            "GET /rest/x/rest/api/2/search",
        ),
        ("[get].*/rest/a|.*/rest/b", "TW0504", "GET /rest/x/rest/a"),
        ("[get](?i).*/rest/a", "TW0504", "GET /rest/x/rest/a"),
        (
            "[get]/rest/issue/KANBAN-1.*/comment",
            "TW0505",
            "GET /rest/issue/KANBAN-10/comment",
        ),
        (
            "[get]/rest/api/2/issue/KANBAN-1.*",
            "TW0505",
            "GET /rest/api/2/issue/KANBAN-10",
        ),
        (
            "[get]/rest/api/2/issue/KANBAN.*",
            "TW0505",
            "GET /rest/api/2/issue/KANBANX-1",
        ),
        ("[get]/rest/api/2/issue.*", "TW0505", "GET /rest/api/2/issues"),
        (
            "[get]/rest/api/2/(user|group).*",
            "TW0505",
            "GET /rest/api/2/users",
        ),
        (
            "[get]/rest/files/report.pdf",
            "TW0506",
            "GET /rest/files/reportxpdf",
        ),
        (
            "[get]/rest/x[QueryParam::file==a.pdf]",
            "TW0506",
            "GET /rest/x?file=axpdf",
        ),
        (
            "[get]/rest/api/2/search[QueryParam::jql==project = KANBAN.*]",
            "TW0507",
            "GET /rest/api/2/search?jql=project = KANBAN OR project = OTHER",
        ),
        (
            "[get]/rest/api/content/search[QueryParam::cql==space = DOC.*type = page]",
            "TW0507",
            "GET /rest/api/content/search?cql=space = DOC OR space = OTHERtype = page",
        ),
        (
            r"/rest/api/2/issue/KANBAN-\d+",
            "TW0508",
            "DELETE /rest/api/2/issue/KANBAN-0",
        ),
        ("[get].*", "TW0509", "GET /rest/a"),
        ("[get,post]/rest/.*", "TW0509", "GET /rest/a"),
    ] {
        let (found, _, program) = all(&policy(line), LintSet::Regular, None);
        let [one] = found.as_slice() else {
            panic!("{line}: {found:#?}");
        };
        let shown = &one.witness.as_ref().unwrap().request;
        assert_eq!((one.code.as_str(), shown.as_str()), (code, request), "{line}");
        assert!(is_allowed(&program, shown), "{line}: {shown}");
    }
}

#[test]
fn parts_without_effect_are_proved_to_have_none() {
    for (line, code, headline) in [
        (
            r"[get]/rest/api/2/issue/KANBAN-\d+|HR-\d+",
            "TW0510",
            r"no request can match the alternative `HR-\d+`",
        ),
        (
            "[get]/rest/a|/login",
            "TW0510",
            "no request can match the alternative `/login`",
        ),
        (
            "[post]/rest/a[JsonData::b:number==1|high]",
            "TW0510",
            "no value of this type matches the alternative `high`",
        ),
        (
            "[get,post]/rest/a[JsonData::b==c]",
            "TW0512",
            "this line permits no GET request: it tests the body, and GET has none",
        ),
    ] {
        let (found, ..) = all(&policy(line), LintSet::Regular, None);
        let [one] = found.as_slice() else {
            panic!("{line}: {found:#?}");
        };
        assert_eq!((one.code.as_str(), one.headline.as_str()), (code, headline));
    }
    let forbid = "[get,post]/rest/a\n![get,post]/rest/a[JsonData::b==c]";
    assert_eq!(codes(forbid, LintSet::Regular), ["TW0512"]);
}

#[test]
fn typographic_quotes_in_a_value_are_part_of_it() {
    for (value, instead) in [
        ("project = “KANBAN”", "write `project = \"KANBAN\"`"),
        ("project = „KANBAN“", "write `project = \"KANBAN\"`"),
    ] {
        let sources = policy(&format!("[get]/rest/a[QueryParam::jql=={value}]"));
        let (found, ..) = all(&sources, LintSet::Regular, None);
        let quotes = found.iter().find(|one| one.code == Code::DoubtfulValue).unwrap();
        assert!(quotes.help.as_ref().unwrap().starts_with(instead), "{quotes:?}");
    }
    let accented = r"[get]/rest/a[QueryParam::name==l’été «x»]";
    assert!(!codes(accented, LintSet::Regular).contains(&"TW0123"));
}

#[test]
fn the_pedantic_set_has_more() {
    for (lines, code) in [
        (r"[get]/rest/api/2/issue/KANBAN-\d+|/rest/api/2/search", "TW0511"),
        ("[get,post,delete]/rest/x/[^/]+\n![delete]/rest/x/.*", "TW0514"),
        ("[post]/rest/api/2/issue[JsonData::fields.labels==bot]", "TW0515"),
    ] {
        assert_eq!(codes(lines, LintSet::Regular), [""; 0], "{lines}");
        assert_eq!(codes(lines, LintSet::None), [""; 0], "{lines}");
        let (found, ..) = all(&policy(lines), LintSet::Pedantic, None);
        let found: Vec<_> = found.iter().filter(|one| one.code != Code::ForbidAlias).collect();
        assert_eq!(found.len(), 1, "{lines}: {found:#?}");
        assert_eq!(found[0].code.as_str(), code);
        assert!(found[0].witness.is_some(), "{lines}");
    }
    let any = file(&format!(
        "{}limit_to = '[get]/rest/a'\n",
        head().replace("user = \"svc-ci\"", "any_user = true")
    ));
    let (found, ..) = all(&any, LintSet::Pedantic, None);
    assert_eq!(
        found.iter().map(|one| one.code).collect::<Vec<_>>(),
        [Code::AnyUser]
    );
}

#[test]
fn what_is_meant_is_left_alone() {
    for line in [
        "[get]/rest/api/2/(serverInfo|myself)",
        r"[get]/rest/api/2/issue/KANBAN-\d+(/comment)?",
        r"[get]/rest/agile/1\.0/board/\d+",
        "[get]/rest/api/2/issue/KANBAN-.*",
        "[get]/rest/api/2/issue/KANBAN-1(/.*)?",
        "[get]/rest/api/2/project/.*",
        r"[get]/rest/api/2/search[QueryParam::jql==project = KANBAN( AND status = \w+)?]",
        "[get]/rest/api/2/filter/search[QueryParam::accountId==.*]",
        "[get]/rest/api/2/x[QueryParam::expand?=names.*]",
        "/rest/api/2/myself",
        "[get]/rest/a|/rest/b",
        "[get,post]/rest/a[JsonData::b?=c]",
        // Whatever goes beyond is forbidden.
        "/rest/api/2/x/.*\n![delete]/rest/api/2/x/.*",
        "[get]/rest/api/2/user.*\n!/rest/api/2/user[^/].*",
        // All that the `.*` adds is there in any case.
        "[get]/rest/api/.*\n!/rest/api/2/user/.*",
    ] {
        let found = codes(line, LintSet::Regular);
        let others: Vec<_> = found.iter().filter(|code| **code != "TW0104").collect();
        assert!(others.is_empty(), "{line}: {others:?}");
    }
}

#[test]
fn an_alias_of_a_forbidden_name_is_shown_if_the_token_allows_it() {
    let shown = |lines: &str| {
        let (found, _, program) = all(&policy(lines), LintSet::Regular, None);
        let alias = found.iter().find(|one| one.code == Code::ForbidAlias).unwrap();
        let request = alias.witness.as_ref().map(|witness| witness.request.clone());
        assert!(request.iter().all(|request| is_allowed(&program, request)));
        request
    };
    let wide = "[get]/rest/api/2/issue/.*\n!/rest/api/2/issue/SECRET-\\d+";
    assert_eq!(shown(wide).unwrap(), "GET /rest/api/2/issue/10001");
    let narrow = "[get]/rest/api/2/issue/[A-Z]+-\\d+\n!/rest/api/2/issue/SECRET-\\d+";
    assert_eq!(shown(narrow), None);
}

#[test]
fn a_path_with_another_context_is_written_without_it() {
    for context in ["jira", "jira/context"] {
        let sources = policy(&format!("[get]/{context}/rest/api/2/myself"));
        let (found, ..) = all(&sources, LintSet::Regular, None);
        let [one] = found.as_slice() else {
            panic!("{found:#?}");
        };
        let help = one.help.as_deref().unwrap_or_default();
        assert_eq!(one.code, Code::EmptyLine);
        let is_one = help.ends_with("write `[get]/rest/api/2/myself`");
        assert_eq!(is_one, context == "jira", "{help}");
    }
}

#[test]
fn the_path_of_a_list_is_spelt_anew_however_it_is_quoted() {
    for (path, starred) in [
        ("\"labels\"", "labels[*]"),
        ("fields.\"labels\"", "fields.labels[*]"),
        ("\"a.b\".labels", "\"a.b\".labels[*]"),
        ("\"x:=labels\".labels", "\"x:=labels\".labels[*]"),
    ] {
        let found = found_as(
            &format!("[put]/rest/api/2/issue/A[JsonData::{path}==bot]"),
            Code::SingleForList,
        );
        let help = format!("write `[put]/rest/api/2/issue/A[JsonData::{starred}==bot]`");
        assert_eq!(found.help, Some(help), "{path}");
    }
}

#[test]
fn a_forbid_line_is_avoidable_with_all_its_permit_lines() {
    let permits = |names: &[&str]| {
        let lines = names.iter().map(|name| format!("/rest/api/2/issue/{name}\n"));
        format!(
            "{}![delete]/rest/api/2/issue/.*",
            lines.collect::<Vec<_>>().concat()
        )
    };
    let methods = "[get,head,post,put,patch,options]/rest/api/2/issue";
    let two = found_as(&permits(&["A", "B"]), Code::AvoidableForbid);
    let help = two.help.unwrap();
    assert!(
        help.ends_with(&format!("methods: `{methods}/A`, `{methods}/B`")),
        "{help}"
    );
    assert_eq!(
        two.primary.text,
        "the request that is shown is denied by this line alone"
    );
    assert_eq!(two.witness.unwrap().request, "DELETE /rest/api/2/issue/A");
    let five = found_as(&permits(&["A", "B", "C", "D", "E"]), Code::AvoidableForbid);
    let help = five.help.unwrap();
    assert!(help.ends_with("/C` and 2 more lines"), "{help}");
    // What another line denies too is not shown.
    let other = format!("{}\n!/rest/api/2/issue/A", permits(&["A", "B"]));
    let found = found_as(&other, Code::AvoidableForbid);
    assert_eq!(found.witness.unwrap().request, "DELETE /rest/api/2/issue/B");
}

#[test]
fn other_spellings_of_any_text_hide_nothing() {
    let issue = "[get]/rest/api/2/issue/KANBAN-1";
    let below = format!("write `{issue}(/.*)?`");
    let search = "write `[get]/rest/api/2/search`".to_owned();
    for (line, code, help) in [
        (format!("{issue}.*$"), "TW0505", format!("write `{issue}(/.*)?$`")),
        (format!("{issue}.*?"), "TW0505", below.clone()),
        (format!("{issue}(.*)"), "TW0505", below.clone()),
        (format!("{issue}(?:.*)?"), "TW0505", below),
        (format!("{issue}.+"), "TW0505", format!("write `{issue}/.*`")),
        ("[get]^.*/rest/api/2/search".to_owned(), "TW0504", search.clone()),
        ("[get].*?/rest/api/2/search".to_owned(), "TW0504", search.clone()),
        ("[get](.*)/rest/api/2/search".to_owned(), "TW0504", search),
    ] {
        let (found, _, program) = all(&policy(&line), LintSet::Regular, None);
        let [one] = found.as_slice() else {
            panic!("{line}: {found:#?}");
        };
        assert_eq!(
            (one.code.as_str(), one.help.as_ref()),
            (code, Some(&help)),
            "{line}"
        );
        let shown = &one.witness.as_ref().unwrap().request;
        assert!(is_allowed(&program, shown), "{line}: {shown}");
    }
    for (line, headline) in [
        (
            "[get].+",
            "this line allows every GET request that the proxy serves",
        ),
        (
            "[get]/rest/.+",
            "this line allows every GET request below the paths that the proxy serves",
        ),
    ] {
        let (found, ..) = all(&policy(line), LintSet::Regular, None);
        let [one] = found.as_slice() else {
            panic!("{line}: {found:#?}");
        };
        assert_eq!((one.code.as_str(), one.headline.as_str()), ("TW0509", headline));
    }
}
