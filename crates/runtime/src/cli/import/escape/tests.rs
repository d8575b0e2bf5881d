use std::collections::HashMap;

use jiff::Timestamp;
use tokenward_compiler::analysis::{Analysis, Universe};
use tokenward_compiler::{BaseUrl, compile};
use tokenward_pdp::config::Config;

use super::super::conversion::{Options, convert};
use super::super::export::{Broken, Exported};
use super::{Escaped, escaped, policy};

/// Lines that Extender allowed and that are refused here: each with the line that the import writes, and one that says the same in
/// other words, written by hand.
const REWRITTEN: &[(&str, &str, &str)] = &[
    // What looks like a constraint.
    (
        "[get].*/rest/x[QueryParm::a==b]",
        r"[get].*/rest/x[QueryParm\:\:a\=\=b]",
        r"[get].*/rest/x(Q|u|e|r|y|P|a|m|\x3A|\x3D|b)",
    ),
    (
        "[get].*/rest/x[Header:a]",
        r"[get].*/rest/x[Header\:a]",
        r"[get].*/rest/x(H|e|a|d|r|\x3A)",
    ),
    (
        "[get].*/rest/x[amount<500]",
        r"[get].*/rest/x[amount\x3C500]",
        r"[get].*/rest/x(a|m|o|u|n|t|\x3C|5|0)",
    ),
    (
        "[get].*/rest/x[expand=names]",
        r"[get].*/rest/x[expand\=names]",
        r"[get].*/rest/x(e|x|p|a|n|d|\x3D|m|s)",
    ),
    (
        "[get].*/rest/x[amount >= 500]",
        r"[get].*/rest/x[amount \x3E\= 500]",
        r"[get].*/rest/x(a|m|o|u|n|t|\x20|\x3E|\x3D|5|0)",
    ),
    (
        "[get].*/rest/x[fields.key!=A]",
        r"[get].*/rest/x[fields.key\!\=A]",
        r"[get].*/rest/x(f|i|e|l|d|s|\.|k|y|\x21|\x3D|A)",
    ),
    (
        "[get].*/rest/x(foo::y)",
        r"[get].*/rest/x(foo\:\:y)",
        r"[get].*/rest/xfoo\x3A\x3Ay",
    ),
    // What looks like a list of methods: a class, so that the line begins with one letter and matches nothing.
    ("[gett].*/rest/x", r"[\x67ett].*/rest/x", r"(g|e|t).*/rest/x"),
    ("[GET POST].*", r"[\x47ET POST].*", r"(G|E|T|\x20|P|O|S).*"),
    ("[any].*", r"[\x61ny].*", "(a|n|y).*"),
    ("[*].*", r"[\x2A].*", r"\*.*"),
    (
        "[http]s?://.*/rest/x",
        r"[\x68ttp]s?://.*/rest/x",
        "(h|t|p)s?://.*/rest/x",
    ),
    ("[!delete].*", r"[\!delete].*", r"(\x21|d|e|l|t).*"),
    ("[get][post].*", r"[get][\x70ost].*", "[get](p|o|s|t).*"),
    ("[get]!.*", r"[get]\x21.*", "[get][!].*"),
    ("!!.*", r"\x21\x21.*", r"\x21\x21.*"),
    ("!rest/x", r"\x21rest/x", "[!]rest/x"),
    ("get .*", r"\x67et\x{20}.*", r"(?:g)et\x20.*"),
    ("@include x", r"\x40include\x{20}x", r"(?:@)include\x20x"),
    // Text that no URL has.
    (
        "[get].*/rest/x y",
        r"[get].*/rest/x\x{20}y",
        r"[get].*/rest/x\x20y",
    ),
    (
        "[get].*/rest/x\ty",
        r"[get].*/rest/x\x{9}y",
        r"[get].*/rest/x\x09y",
    ),
    ("[get] .*/rest/x", r"[get]\x20.*/rest/x", r"[get]\x{20}.*/rest/x"),
    ("[get]\t.*/rest/x", r"[get]\x09.*/rest/x", r"[get]\x{9}.*/rest/x"),
    (
        "[get].*/rest/x [QueryParam::a==b]",
        r"[get].*/rest/x\x20[QueryParam::a==b]",
        r"[get].*/rest/x\x{20}[QueryParam::a==b]",
    ),
    (
        "[get].*/rest/x\t[JsonData::a==b]",
        r"[get].*/rest/x\x09[JsonData::a==b]",
        r"[get].*/rest/x\x{9}[JsonData::a==b]",
    ),
    (
        "[get].*/rest/x # y",
        r"[get].*/rest/x\x{20}[#]\x{20}y",
        r"[get].*/rest/x\x20\#\x20y",
    ),
    (
        "[get].*/rest/x%20y",
        "[get].*/rest/x[%]20y",
        r"[get].*/rest/x\x2520y",
    ),
    (
        "[get].*/rest/x%2Fy",
        "[get].*/rest/x[%]2Fy",
        r"[get].*/rest/x\x252Fy",
    ),
    (
        r"[get].*/rest/x\?a=b",
        "[get].*/rest/x[?]a=b",
        r"[get].*/rest/x\x3Fa=b",
    ),
    (
        "[get].*/rest/search?jql=.*",
        "[get].*/rest/search{0,1}jql=.*",
        "[get].*/rest/searc(h|)jql=.*",
    ),
    (
        "[get].*/rest/x.*?jql=.*",
        r"[get].*/rest/x.*\x6Aql=.*",
        "[get].*/rest/x(.*)jql=(.*)",
    ),
    (
        "[get].*/rest/x\u{a0}y",
        r"[get].*/rest/x\x{a0}y",
        r"[get].*/rest/x\u00A0y",
    ),
    (
        "[get].*/rest/x\u{200b}y",
        r"[get].*/rest/x\x{200b}y",
        r"[get].*/rest/x\u200By",
    ),
    ("[get].*/rest/x%", "[get].*/rest/x[%]", r"[get].*/rest/x\x25"),
    ("[get].*/rest/x#y", "[get].*/rest/x[#]y", r"[get].*/rest/x\#y"),
    (
        "[get].*/rest/x&a=b",
        "[get].*/rest/x[&]a=b",
        r"[get].*/rest/x\x26a=b",
    ),
    (
        "[get].*/rest/x,/y",
        "[get].*/rest/x[,]/y",
        r"[get].*/rest/x\x2C/y",
    ),
    ("[get].*/rest/?/x", "[get].*/rest/{0,1}/x", "[get].*/rest(/|//)x"),
    (
        "[get].*/rest/../x",
        "[get].*/rest/(?:.)./x",
        "[get].*/rest/.{2}/x",
    ),
    ("[get].*/rest/...", "[get].*/rest/(?:.)..", "[get].*/rest/.{3}"),
    (
        "[get].*/rest/x||/rest/y",
        "[get].*/rest/x|(?:)|/rest/y",
        "[get].*/rest/x",
    ),
    (
        "[get].*/rest/HR\u{2013}1",
        r"[get].*/rest/HR\x{2013}1",
        r"[get].*/rest/HR\u20131",
    ),
    (
        "[get].*/rest/\u{430}dmin",
        r"[get].*/rest/\x{430}dmin",
        r"[get].*/rest/\u0430dmin",
    ),
    (
        "[get].*/rest/x.*QueryParam::a==b",
        r"[get].*/rest/x.*QueryParam\:\:a==b",
        r"[get].*/rest/x.*QueryParam\x3A\x3Aa\x3D\x3Db",
    ),
    (
        "[get].*/rest/x.*QueryParam.a==b",
        r"[get].*/rest/x.*QueryParam.a\x3D=b",
        r"[get].*/rest/x.*QueryParam.a\x3D{2}b",
    ),
    (
        "[get].*/rest/[!2]",
        r"[get].*/rest/[\x212]",
        r"[get].*/rest/(\x21|2)",
    ),
    ("[^delete].*", r"[^\x64elete].*", r"[^delt\x64].*"),
    ("[-head].*", r"[-\x68ead].*", "(-|h|e|a|d).*"),
    ("[p\u{430}tch].*", "[\\x70\u{430}tch].*", "(p|\u{430}|t|c|h).*"),
    ("[get]|.*/x", "[get](?:)|.*/x", "[get].*/x"),
    // What other languages write for a part of a path.
    ("[get].*/rest/*", "[get].*/rest(?:/)*", "[get].*/rest/{0,}"),
    ("[get].*/rest/*/x", "[get].*/rest(?:/)*/x", "[get].*/rest/{1,}x"),
    (r"[get].*/rest\/*", "[get].*/rest(?:/)*", "[get].*/rest/{0,}"),
    (
        "[get].*/rest/:key",
        r"[get].*/rest/\:key",
        r"[get].*/rest/\x3Akey",
    ),
    (
        "[get].*/rest/<key>",
        "[get].*/rest/[<]key>",
        r"[get].*/rest/\x3Ckey\x3E",
    ),
    // Anchors within: nothing can match.
    (
        "[get].*/rest/a^b",
        "[get].*/rest/a[a&&b]b",
        "[get].*/rest/a[c&&d]b",
    ),
    (
        "[get].*/rest/a$b",
        "[get].*/rest/a[a&&b]b",
        "[get].*/rest/a[c&&d]b",
    ),
    (
        "[get].*/rest/(x|^y)",
        "[get].*/rest/(x|[a&&b]y)",
        "[get].*/rest/x",
    ),
    ("[get](?m)^.*/rest/x$", "[get]^.*/rest/x$", "[get].*/rest/x"),
    ("[get](?im).*/rest/x", "[get](?i).*/rest/x", "[get](?i:.*/rest/x)"),
    (
        r"[get].*/rest/x\Qa.b*\E/y",
        r"[get].*/rest/xa\x2Eb\x2A/y",
        r"[get].*/rest/xa[.]b[*]/y",
    ),
    // Values.
    (
        "[get].*/x[QueryParam::a== b]",
        r"[get].*/x[QueryParam::a==\x{20}b]",
        r"[get].*/x[QueryParam::a==\x20b]",
    ),
    (
        "[get].*/x[QueryParam::a==\tb]",
        r"[get].*/x[QueryParam::a==\x{9}b]",
        r"[get].*/x[QueryParam::a==\x09b]",
    ),
    (
        "[get].*/x[QueryParam::a===b]",
        "[get].*/x[QueryParam::a==[=]b]",
        r"[get].*/x[QueryParam::a==\x3Db]",
    ),
    (
        "[get].*/x[QueryParam::a==<b]",
        "[get].*/x[QueryParam::a==[<]b]",
        r"[get].*/x[QueryParam::a==\x3Cb]",
    ),
    (
        "[get].*/x[QueryParam::a==>b]",
        "[get].*/x[QueryParam::a==[>]b]",
        r"[get].*/x[QueryParam::a==\x3Eb]",
    ),
    (
        "[get].*/x[QueryParam::a==%20b]",
        "[get].*/x[QueryParam::a==[%]20b]",
        r"[get].*/x[QueryParam::a==\x2520b]",
    ),
    (
        "[get].*/x[QueryParam::a==b\u{a0}c]",
        r"[get].*/x[QueryParam::a==b\x{a0}c]",
        r"[get].*/x[QueryParam::a==b\u00A0c]",
    ),
    (
        "[get].*/x[QueryParam::a==b^c|d]",
        "[get].*/x[QueryParam::a==b[a&&b]c|d]",
        "[get].*/x[QueryParam::a==d]",
    ),
    (
        "[get].*/x[QueryParam::a==b&QueryParam::c==d]",
        r"[get].*/x[QueryParam::a==b&QueryParam\:\:c==d]",
        r"[get].*/x[QueryParam::a==b&QueryParam\x3A\x3Ac\x3D\x3Dd]",
    ),
    (
        "[get].*/x[QueryParam::a==b&queryparam:c==d]",
        r"[get].*/x[QueryParam::a==b&queryparam\x3Ac==d]",
        r"[get].*/x[QueryParam::a==b&queryparam\x3Ac\x3D\x3Dd]",
    ),
    (
        "[get].*/x[QueryParam::a==/b/i]",
        "[get].*/x[QueryParam::a==[/]b/i]",
        r"[get].*/x[QueryParam::a==\x2Fb\x2Fi]",
    ),
    (
        "[get].*/x[QueryParam::a==1..9]",
        "[get].*/x[QueryParam::a==1(?:.).9]",
        "[get].*/x[QueryParam::a==1.{2}9]",
    ),
    (
        "[get].*/x[QueryParam::a==b+AND+c]",
        "[get].*/x[QueryParam::a==b{1,}AND+c]",
        "[get].*/x[QueryParam::a==bb*AND+c]",
    ),
    (
        "[get].*/x[QueryParam::a==\u{430}dmin]",
        r"[get].*/x[QueryParam::a==\x{430}dmin]",
        r"[get].*/x[QueryParam::a==\u0430dmin]",
    ),
    // Names.
    (
        "[get].*/x[QueryParam::a*==b]",
        r#"[get].*/x[QueryParam::"a*"==b]"#,
        r#"[get].*/x[QueryParam::"a*"==[b]]"#,
    ),
    (
        "[post].*/x[JsonData::/a/b==c]",
        r#"[post].*/x[JsonData::"/a/b"==c]"#,
        r#"[post].*/x[JsonData::"/a/b"==[c]]"#,
    ),
    (
        "[get].*/x[QueryParam::a ==b]",
        r#"[get].*/x[QueryParam::"a "==b]"#,
        r#"[get].*/x[QueryParam::"a "==[b]]"#,
    ),
    (
        "[get].*/x[QueryParam:: a==b]",
        r#"[get].*/x[QueryParam::" a"==b]"#,
        r#"[get].*/x[QueryParam::" a"==[b]]"#,
    ),
    (
        "[get].*/x[QueryParam::f[]==b]",
        r#"[get].*/x[QueryParam::"f[]"==b]"#,
        r#"[get].*/x[QueryParam::"f[]"==[b]]"#,
    ),
    (
        "[get].*/x[QueryParam::f[n]==b]",
        r#"[get].*/x[QueryParam::"f[n]"==b]"#,
        r#"[get].*/x[QueryParam::"f[n]"==[b]]"#,
    ),
    (
        "[get].*/x[QueryParam::a:b==c]",
        r#"[get].*/x[QueryParam::"a:b"==c]"#,
        r#"[get].*/x[QueryParam::"a:b"==[c]]"#,
    ),
    (
        "[get].*/x[QueryParam::a?==c]",
        r#"[get].*/x[QueryParam::"a?"==c]"#,
        r#"[get].*/x[QueryParam::"a?"==[c]]"#,
    ),
    (
        "[get].*/x[QueryParam::a<==c]",
        r#"[get].*/x[QueryParam::"a<"==c]"#,
        r#"[get].*/x[QueryParam::"a<"==[c]]"#,
    ),
    (
        "[get].*/x[QueryParam::==c]",
        r#"[get].*/x[QueryParam::""==c]"#,
        r#"[get].*/x[QueryParam::""==[c]]"#,
    ),
    (
        "[post].*/x[JsonData::a b==c]",
        r#"[post].*/x[JsonData::"a b"==c]"#,
        r#"[post].*/x[JsonData::"a b"==[c]]"#,
    ),
    (
        "[post].*/x[JsonData::a:b==c]",
        r#"[post].*/x[JsonData::"a:b"==c]"#,
        r#"[post].*/x[JsonData::"a:b"==[c]]"#,
    ),
    (
        "[post].*/x[JsonData::\u{430}dmin==c]",
        "[post].*/x[JsonData::\"\u{430}dmin\"==c]",
        "[post].*/x[JsonData::\"\u{430}dmin\"==[c]]",
    ),
];

/// Lines that no line here means the same as, or none that is written without a decision.
const REFUSED: &[&str] = &[
    // As Extender has them they match something that a whole match cannot say without a decision.
    "[get](.*^|/)https://jira.example.com/jira/rest/x",
    "[get](.*^|/)https://jira.example.com/jira/rest/x[QueryParam::f[]==b]",
    "!x|(.*^|/)https://jira.example.com/jira/rest/x",
    // An escape would be part of the name.
    "[get].*/x[QueryParam::a\u{a0}b==c]",
    // No line of Extender: Java refuses the regexp, or the line has no operator.
    "[get].*/rest/(x",
    "[get].*/rest/{key}",
    "[get].*/x[QueryParam::a=b]",
    "[get].*/x[QueryParam::a=b][QueryParam::c==d]",
    // Features without an equivalent.
    "[get].*/(?!admin).*",
    "[get].*/(?<=x)y",
    r"[get].*/(a)\1",
    "[get].*/a*+b",
    // Nothing to do.
    "[get].*/rest/x",
    "[get]^.*/rest/x$",
];

fn same(line: &str) -> Option<String> {
    match escaped(line, false)? {
        Escaped::Same(text) => Some(text),
        Escaped::Other => None,
    }
}

#[test]
fn what_is_refused_here_is_rewritten_with_the_same_meaning() {
    let base = BaseUrl::parse("https://jira.example.com/jira").unwrap();
    let mut wrong = Vec::new();
    for (line, expected, words) in REWRITTEN {
        let text = same(line);
        if text.as_deref() != Some(*expected) {
            wrong.push(format!("{line:?}\n  => {text:?}"));
            continue;
        }
        let program = |line: &str| {
            compile(&policy(line).1)
                .program
                .map(|program| program.bind(&base).unwrap())
        };
        let (Some(one), Some(other)) = (program(expected), program(words)) else {
            wrong.push(format!("{line:?}: {words:?} does not compile"));
            continue;
        };
        let token = |program: &tokenward_compiler::ir::Program| program.tokens().next().map(|(id, _)| id);
        let mut analysis = Analysis::new(&one, &other, Universe::default(), Analysis::BUDGET).unwrap();
        let compared = analysis.compare(token(&one), token(&other)).unwrap();
        if !compared.is_equivalent() {
            wrong.push(format!(
                "{line:?}: {expected:?} and {words:?} differ: {compared:?}"
            ));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The whole import of such a line reports both forms, writes the escaped one, and finds no changed meaning in it.
#[test]
fn what_is_rewritten_is_reported() {
    let config = Config::default();
    let options = Options {
        new_secrets: true,
        allow_unrestricted: false,
        pass_unknown: false,
        encoded_slash: config.relax.encoded_slash,
        now: Timestamp::UNIX_EPOCH,
    };
    let token = |(at, (line, ..)): (usize, &(&str, &str, &str))| {
        Ok(Exported {
            label: format!("t{at}"),
            user: Some("svc".to_owned()),
            secret: None,
            lines: vec![(*line).to_owned()],
            allowed_ips: Vec::new(),
            expires: None,
            description: "imported".to_owned(),
            unknown: Vec::new(),
        })
    };
    let tokens: Vec<Result<Exported, Broken>> = REWRITTEN.iter().enumerate().map(token).collect();
    let report = convert(tokens, &HashMap::new(), &config, options).unwrap();
    assert!(report.broken.is_empty(), "{:?}", report.broken);
    for (imported, (line, expected, _)) in report.imported.iter().zip(REWRITTEN) {
        let said = format!("`{line}` is written as `{expected}`, which has the same meaning");
        let decisions = &imported.decisions;
        assert!(
            decisions.iter().any(|decision| decision.starts_with(&said)),
            "{decisions:?}"
        );
        assert_eq!(imported.token.lines, [*expected]);
        assert!(imported.changes.is_empty(), "{line}: {:?}", imported.changes);
    }
}

#[test]
fn what_has_no_equivalent_is_left() {
    for line in REFUSED {
        assert_eq!(same(line), None, "{line}");
    }
}

#[test]
fn a_relaxed_slash_is_left() {
    let line = "[get].*/projects/a%2Fb";
    assert!(escaped(line, true).is_none());
    assert_eq!(same(line).as_deref(), Some("[get].*/projects/a[%]2Fb"));
}
