//! Scratch.
#![allow(missing_docs, unused, reason = "scratch")]
use std::fmt::Write as _;
use tokenward_compiler::{
    BaseUrl,
    analysis::{Analysis, Budget, Served, Universe},
    compile, findings,
    source::SourceSet,
};
const LINES: &str = r"[get]/rest/api/2/(serverInfo|myself|field)
[get]/rest/api/2/project/{key}
[get]/rest/api/2/search[QueryParam::jql==project ?= ?{key}]
[get]/rest/api/2/issue/{key}-[0-9]+
[post]/rest/api/2/issue/{key}-[0-9]+/attachments
[get]/rest/agile/1\.0/board/{key}/issue
[post]/rest/api/2/issue/{key}-100/comment.*
[post]/rest/api/2/filter[JsonData::editable:boolean==false]
[put]/rest/api/2/issue/{key}-[0-9]+[JsonData::summary==ci]
!/rest/api/2/issue/{key}-666
";
#[test]
fn zz() {
    for (count, same) in [
        (100, true),
        (200, true),
        (400, true),
        (800, true),
        (100, false),
        (400, false),
    ] {
        let mut text = String::new();
        for at in 0..count {
            let user = if same { "svc".to_owned() } else { format!("u{at}") };
            let _ = write!(
                text,
                "[[token]]\nname = \"t{at}\"\nuser = \"{user}\"\nsecret_hash = \"sha256:{at:064x}\"\nexpires = 2030-01-01T00:00:00Z\nlimit_to = '''\n{}'''\n",
                LINES.replace("{key}", &format!("K{at}"))
            );
        }
        let compilation = compile(&SourceSet::from_files([("a.toml".to_owned(), text)]));
        let program = compilation
            .program
            .unwrap()
            .bind(&BaseUrl::parse("https://jira.example.com").unwrap())
            .unwrap();
        let served = Served::everything();
        let budget = Budget::new(Analysis::BUDGET);
        let began = std::time::Instant::now();
        let mut last = 0;
        let found = findings::find(
            &program,
            &compilation.source_map,
            &compilation.diagnostics,
            (Universe::default(), &served, &budget),
            |_, _| {
                last = budget.spent();
            },
        )
        .unwrap();
        println!(
            "{count} {same}: {} steps in tokens {last}, open {}, found {}, {:?}",
            budget.spent(),
            found.inconclusive,
            found.diagnostics.len(),
            began.elapsed()
        );
    }
}
