//! Requests that are made to be slow: what they cost is not their size times that of the policy.

use tokenward_compiler::{
    BaseUrl, compile,
    decide::{Body, Constrained, Decision, Media, Request, constrained, constrains, decide},
    ir::{Program, TokenId},
    json,
    method::Method,
    source::SourceSet,
};

use super::in_time;

/// A program of one token with lines of its own, and with those of a set.
fn program(own: impl Iterator<Item = String>, set: impl Iterator<Item = String>) -> Program {
    let own: String = own.map(|line| line + "\n").collect();
    let set: String = set.map(|line| line + "\n").collect();
    let token = format!(
        "[[token]]\nname = \"t\"\nuser = \"u\"\nsecret_hash = \"sha256:{:064x}\"\ninclude = [\"s\"]\nlimit_to = '''\n{own}'''\n",
        1
    );
    let files = [("a.toml".to_owned(), token), ("s.limits".to_owned(), set)];
    let base = BaseUrl::parse("https://jira.example.com").unwrap();
    let program = compile(&SourceSet::from_files(files)).program.unwrap();
    program.bind(&base).unwrap()
}

/// A call with a body.
fn issue(token: TokenId, body: Body<'_>) -> Request<'_> {
    Request {
        token,
        method: Method::Post,
        path: "/rest/issue",
        query: &[],
        body,
    }
}

#[test]
fn lines_of_other_urls_are_not_asked_what_they_constrain() {
    let line = |at: usize| format!("/rest/other/{at}[QueryParam::q{at}==x][JsonData::n{at}==x]");
    let own = "/rest/own[QueryParam::own==x]".to_owned();
    let bound = program((1_000..2_000).map(line).chain([own]), (0..1_000).map(line));
    for program in [bound.without_layout(), bound] {
        let (id, _) = program.tokens().next().unwrap();
        let asked = |path: &'static str| {
            let calls = std::cell::Cell::new(0);
            let count = |_: Constrained<'_>| {
                calls.set(calls.get() + 1);
                false
            };
            assert!(!constrains(&program, (id, Method::Get, path), count));
            let found = constrained(&program, (id, Method::Get, path));
            assert_eq!(found.len(), calls.get());
            calls.get()
        };
        let paths = ["/rest/none", "/rest/own", "/rest/other/7", "/rest/other/1007"];
        assert_eq!(paths.map(asked), [0, 1, 1, 1]);
    }
}

#[test]
fn members_times_names_is_not_what_a_body_costs() {
    let lines =
        (0..3_000).map(|at| format!("[post]/rest/issue[JsonData::items[*].n{at}==x][JsonData::m{at}==x]"));
    let program = program(lines, std::iter::once("[get]/rest/issue".to_owned()));
    let (id, _) = program.tokens().next().unwrap();
    let members: String = (0..400_000).map(|at| format!(",\"k{at}\":{at}")).collect();
    let elements = "{},1,[],".repeat(100_000);
    let text = format!("{{\"items\":[{elements}{{}}]{members}}}");
    in_time(|| {
        let Decision::NeedsBody(wanted) = decide(&program, &issue(id, Body::Unread(Media::Json))) else {
            panic!("the body decides");
        };
        let nodes = json::read(text.as_bytes(), &wanted).unwrap();
        let decision = decide(&program, &issue(id, Body::Read(&nodes)));
        assert!(matches!(decision, Decision::Deny(_)));
    });
}
