//! The requests that findings show are ones that the proxy forwards as configured; what it does not forward is said of the rest.

#![expect(clippy::unwrap_used, clippy::panic, reason = "what fails here fails the test")]

#[path = "forwarded/toy.rs"]
mod toy;

use tokenward_compiler::{
    BaseUrl,
    analysis::{Analysis, Difference, Obstacle, Universe},
    compile,
    diagnostic::Code,
    invariants::Invariants,
    ir::Program,
    source::SourceSet,
};
use toy::proxied;

fn source(keys: &str, lines: &str) -> SourceSet {
    SourceSet::from_files([("t.toml".to_owned(), token(keys, lines))])
}

fn token(keys: &str, lines: &str) -> String {
    let hash = "11".repeat(32);
    format!(
        "[[token]]\nname = 't'\nuser = 'u'\nsecret_hash = 'sha256:{hash}'\n{keys}\nlimit_to = '''\n{lines}\n'''\n"
    )
}

fn base() -> BaseUrl {
    BaseUrl::parse("https://h").unwrap()
}

fn program(keys: &str, lines: &str) -> Program {
    let compilation = compile(&source(keys, lines));
    let program = compilation.program.as_ref();
    program
        .unwrap_or_else(|| panic!("{:?}", compilation.diagnostics))
        .bind(&base())
        .unwrap()
}

fn newly_allowed(keys: &str, old: &str, new: &str) -> Difference {
    let (old, new, proxied) = (program("", old), program(keys, new), proxied());
    let first = |program: &Program| program.tokens().next().map(|(id, _)| id);
    let analysis = Analysis::new(&old, &new, Universe::default(), Analysis::BUDGET).unwrap();
    let mut analysis = analysis.behind(&proxied, &proxied);
    analysis.compare(first(&old), first(&new)).unwrap().newly_allowed
}

/// Each finding: its request, and what keeps the proxy from forwarding it.
fn said(keys: &str, old: &str, new: &str) -> String {
    let found = newly_allowed(keys, old, new);
    assert_eq!(found.inconclusive, None, "{new}");
    let one = found.findings.iter().map(|finding| {
        format!("{} {}", finding.witness, Obstacle::describe(&finding.obstacles))
            .trim_end()
            .to_owned()
    });
    one.collect::<Vec<_>>().join("\n")
}

#[test]
fn a_request_that_is_forwarded_is_preferred() {
    assert_eq!(said("", "/rest/a", "/.*"), "GET /rest/");
    assert_eq!(said("", "/rest/a", "/rest/pat.*"), "GET /rest/pata");
    assert_eq!(
        said("", "/rest/x", "/rest/pat/.*\n/rest/pa."),
        "GET /rest/pat/ only with `mint = true`\nGET /rest/paa"
    );
}

#[test]
fn what_no_configuration_at_hand_forwards_is_said() {
    assert_eq!(
        said("", "/rest/a", "/rest/pat/.*"),
        "GET /rest/pat/ only with `mint = true`"
    );
    assert_eq!(said("mint = true", "/rest/a", "/rest/pat/.*"), "GET /rest/pat/");
    assert_eq!(
        said("", "/rest/a", "/secure/.*"),
        "GET /secure/ only with another `upstream.endpoints`"
    );
    assert_eq!(
        said("", "/rest/a", "/rest/b[QueryParam::jwt==a]"),
        "GET /rest/b?jwt=a only with another `upstream.accepted_names`"
    );
}

#[test]
fn a_lifted_forbid_line_is_no_other() {
    let (old, new) = ("/rest/.*\n!/rest/pat.*", "/rest/.*");
    assert_eq!(said("", old, new), "GET /rest/pata");
    let (old, new) = ("/rest/.*\n!/rest/pat/.*", "/rest/.*");
    assert_eq!(said("", old, new), "GET /rest/pat/ only with `mint = true`");
}

#[test]
fn a_lifted_forbid_line_is_asked_of_every_permit_line() {
    let permits = "[post]/rest/pat/a\n[delete]/rest/x/.*";
    let with = |forbid: &str| format!("{permits}\n{forbid}");
    assert_eq!(said("", &with("!/rest/.*"), permits), "DELETE /rest/x/");
    let first = "POST /rest/pat/a only with `mint = true`";
    assert_eq!(said("", &with("!/rest/pat/.*"), permits), first);
    // A new line without a request that is forwarded hides none of a lifted line.
    let wider = "[post]/rest/pat/a|/rest/x/a";
    let found = said("", "[post]/rest/x/a\n!/rest/x/.*", wider);
    assert_eq!(found, format!("{first}\nPOST /rest/x/a"));
}

#[test]
fn a_body_that_was_refused_is_asked_of_every_reader() {
    let reader = |path: &str| format!("[post]{path}[JsonData::n==x]");
    let (pat, x, all) = (reader("/rest/pat/a"), reader("/rest/x/a"), "[post]/rest/.*");
    let old = format!("{pat}\n{x}\n{all}");
    assert!(said("", &old, all).starts_with("POST /rest/x/a"));
    let (old, new) = (format!("{pat}\n{all}"), format!("{all}\n{pat}"));
    assert!(said("", &old, &new).ends_with("only with `mint = true`"));
}

#[test]
fn a_spelling_that_only_the_proxy_knows_is_not_settled() {
    let found = newly_allowed("", "/rest/a", r"/rest/\x{ff50}at/.*");
    let [finding] = found.findings.as_slice() else {
        panic!("{found:?}")
    };
    assert!(!Obstacle::are_certain(&finding.obstacles), "{finding:?}");
    // One path of that spelling is left out by itself.
    assert_eq!(said("", "/rest/a", r"/rest/(\x{ff50}at/a|b)"), "GET /rest/b");
}

#[test]
fn no_difference_is_one_for_every_configuration() {
    let (old, new) = (
        "/rest/.*\n/secure/[a-z]*",
        "/secure/[a-c]*|/secure/[d-z]*\n/rest/.*",
    );
    assert!(newly_allowed("", old, old).is_none());
    assert!(newly_allowed("", old, new).is_none());
    // Equal in what the proxy serves, and not in their lines.
    assert_eq!(newly_allowed("", new, old).findings.len(), 1);
}

/// The codes and headlines of the findings about an invariant.
fn proved(keys: &str, lines: &str, invariant: &str) -> Vec<(Code, String)> {
    let files = [
        ("t.toml".to_owned(), token(keys, lines)),
        ("invariants.toml".to_owned(), invariant.to_owned()),
    ];
    let sources = SourceSet::from_files(files);
    let compilation = compile(&sources);
    let program = compilation.program.as_ref().unwrap().bind(&base()).unwrap();
    let invariants = Invariants::read(&sources, &base(), false, &mut Vec::new());
    let invariants = invariants.unwrap().unwrap().behind(proxied());
    let asked = (Universe::default(), Analysis::BUDGET);
    let proof = invariants
        .prove(&program, &compilation.source_map, asked, |_, _| {})
        .unwrap();
    let found = proof.diagnostics.into_iter();
    found.map(|found| (found.code, found.headline)).collect()
}

#[test]
fn an_invariant_that_only_a_key_keeps_is_a_warning() {
    let never = "[[never]]\nname = 'n'\nlines = '/rest/pat/.*'\n";
    let latent = "`t` allows a request that `n` excludes; the proxy forwards it only with `mint = true`";
    assert_eq!(
        proved("", "/rest/.*", never),
        [(Code::LatentBreach, latent.to_owned())]
    );
    let broken = "`t` allows a request that `n` excludes";
    let found = proved("mint = true", "/rest/.*", never);
    assert_eq!(found, [(Code::BrokenInvariant, broken.to_owned())]);
    assert_eq!(proved("mint = true", "/rest/.*\n!/rest/pat/.*", never), []);
}

#[test]
fn only_and_always_are_judged_as_configured() {
    let only = "[[only]]\nname = 'o'\nlines = '/rest/a.*'\n";
    let found = proved("", "/rest/a.*\n/secure/.*", only);
    assert_eq!(
        found.iter().map(|(code, _)| *code).collect::<Vec<_>>(),
        [Code::LatentBreach]
    );
    let found = proved("", "/rest/.*", only);
    assert_eq!(
        found.iter().map(|(code, _)| *code).collect::<Vec<_>>(),
        [Code::BrokenInvariant]
    );
    // A call that is required and denied is an error, also if the proxy does not serve it.
    let always = "[[always]]\nname = 'a'\nlines = '[get]/secure/a'\n";
    let found = proved("", "/rest/.*", always);
    assert_eq!(
        found.iter().map(|(code, _)| *code).collect::<Vec<_>>(),
        [Code::BrokenInvariant]
    );
}
