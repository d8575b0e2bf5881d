//! What the analysis shows is what the proxy does: witnesses sent to two running proxies, the old policy behind one, the new
//! behind the other.

#![expect(clippy::expect_used, clippy::panic, reason = "what fails here fails the test")]

use tokenward_compiler::{
    BaseUrl,
    analysis::{Analysis, Difference, Request, Universe},
    compile,
    ir::Program,
    source::SourceSet,
};
use tokenward_tests::{Call, Client, Proxy, Setup, TestToken, Upstream};

/// Lines before and after an edit.
const EDITS: &[(&[&str], &[&str])] = &[
    (&[r"[get]/rest/i/K-\d+"], &[r"[get]/rest/i/K-\d+.*"]),
    (&["[get]/rest/v/.*"], &["[get,delete]/rest/v/.*"]),
    (
        &["[post]/rest/f[JsonData::editable:boolean==false]"],
        &["[post]/rest/f"],
    ),
    (
        &["[post]/rest/f[JsonData::l[*]==a|b][JsonData::only]"],
        &["[post]/rest/f[JsonData::l[*]==a|c][JsonData::o?=x]"],
    ),
    (
        &["/rest/s[QueryParam::jql==project = A( AND .*)?][QueryParam::only]"],
        &[r"/rest/s[QueryParam::jql==project = A( AND status = \w+)?]"],
    ),
    (
        &["/rest/a/.*", "![delete]/rest/a/x"],
        &["/rest/a/.*", "!/rest/a/y/?"],
    ),
    (&[".*/rest/é.*"], &["/rest/[é ü].*"]),
    (
        &["/rest/n[QueryParam::a?=1]"],
        &["/rest/n[QueryParam::a!=2]", "!/rest/n[QueryParam::b!=3]"],
    ),
    (
        &["[post]/rest/p[JsonData::amount:number>0][JsonData::amount:number<=500]"],
        &["[post]/rest/p[JsonData::amount:number>0][JsonData::amount:number<501]"],
    ),
    (
        &["[get]/rest/w[QueryParam::d>=2018-01-01][QueryParam::d<2018-03-01]"],
        &["[get]/rest/w[QueryParam::d>=2018-01-01][QueryParam::d<=2018-03-01]"],
    ),
    (
        &["/rest/o[QueryParam::n?=.*]", "!/rest/o[QueryParam::n>500]"],
        &["/rest/o[QueryParam::n?=.*]", "!/rest/o[QueryParam::n>=500]"],
    ),
    (
        &["[post]/rest/r[JsonData::$:string==a]"],
        &["[post]/rest/r[JsonData::$:string|null==a]"],
    ),
    (
        &["[post]/rest/l[JsonData::$[*].name==a]"],
        &["[post]/rest/l[JsonData::$[*].name==a|b]"],
    ),
];

fn program(token: &TestToken, base: &str) -> Program {
    let file = ("t.toml".to_owned(), token.entry());
    let compilation = compile(&SourceSet::from_files([file]));
    let program = compilation
        .program
        .unwrap_or_else(|| panic!("{:?}", compilation.diagnostics));
    program
        .bind(&BaseUrl::parse(base).expect("a URL"))
        .expect("binds")
}

fn call(request: &Request, token: &TestToken) -> Call {
    let call = Call::new(request.method_name(), &request.target());
    let call = match request.body.content() {
        Some((media, text)) => call.header("Content-Type", media).body(text.as_bytes()),
        None => call,
    };
    call.bearer(token)
}

#[test]
fn the_proxy_does_what_witnesses_say() {
    let upstream = Upstream::start();
    let mut sent = 0;
    let tokens: Vec<(TestToken, TestToken)> = EDITS
        .iter()
        .enumerate()
        .map(|(at, (old, new))| {
            let token = TestToken::new(&format!("t{at}"), old);
            let after = token.limited_to(new);
            (token, after)
        })
        .collect();
    let setup = |side: fn(&(TestToken, TestToken)) -> &TestToken| {
        tokens
            .iter()
            .map(side)
            .fold(Setup::new(upstream.port()).endpoints("/*"), Setup::token)
    };
    let (before, after) = (
        Proxy::start(&setup(|pair| &pair.0)),
        Proxy::start(&setup(|pair| &pair.1)),
    );
    for (old, new) in &tokens {
        let base = format!("http://127.0.0.1:{}", before.port());
        let (one, other) = (program(old, &base), program(new, &base));
        let id = |program: &Program| program.tokens().next().map(|(id, _)| id);
        let mut analysis =
            Analysis::new(&one, &other, Universe::default(), Analysis::BUDGET).expect("starts");
        let comparison = analysis.compare(id(&one), id(&other)).expect("no fault");
        let mut send = |difference: &Difference, more: &Proxy, less: &Proxy| {
            for finding in &difference.findings {
                let said = [more, less].map(|proxy| {
                    let mut client = Client::connect(proxy.port());
                    client.send(&call(&finding.witness, old)).status
                });
                assert_eq!(said, [200, 403], "{}", finding.witness);
                sent += 1;
            }
        };
        send(&comparison.newly_allowed, &after, &before);
        send(&comparison.newly_denied, &before, &after);
        assert!(!comparison.is_equivalent(), "{}", new.entry());
    }
    assert!(sent >= EDITS.len(), "{sent}");
}
