//! The proxy's reading and the analysis's languages agree: nothing that the proxy forwards is outside them, and what they leave
//! out is refused.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use proptest::prelude::*;
use tokenward_compiler::analysis::{Analysis, RequestBody, Universe};
use tokenward_compiler::ir::Program;
use tokenward_compiler::method::Method;
use tokenward_compiler::source::SourceSet;
use tokenward_compiler::{BaseUrl, compile};

use super::*;
use crate::request::{Class, Product, Relax};

fn config(product: Product, endpoints: &[&str]) -> Config {
    let mut config = Config::default();
    config.upstream.product = product;
    config.upstream.public_url = BaseUrl::parse("https://a.example/ctx").unwrap();
    config.upstream.endpoints = endpoints.iter().map(|path| (*path).to_owned()).collect();
    config.relax = product.relax();
    config
}

fn judge(config: &Config) -> Judge {
    Judge::of(config).unwrap()
}

fn get(path: &str) -> Request {
    of(Method::Get, path, &[])
}

fn of(method: Method, path: &str, query: &[(&str, &str)]) -> Request {
    let pair = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    Request {
        method,
        path: path.to_owned(),
        query: query.iter().map(pair).collect(),
        body: RequestBody::Absent,
    }
}

/// The refusals of paths, by the names of their settings.
const PATHS: [&str; 8] = [
    "control_character",
    "nul",
    "backslash",
    "encoded_slash",
    "double_encoding",
    "semicolon",
    "dot_segment",
    "empty_segment",
];

/// Paths of dots, blanks, separators and their look-alikes, and of characters that are refused.
fn paths() -> impl Strategy<Value = String> {
    let any_of = |pieces: &[&'static str]| prop::sample::select(pieces.to_vec());
    let piece = prop_oneof![
        4 => any_of(&["/"]),
        4 => any_of(&[".", ".", ".", "..", "\u{ff0e}", "\u{2025}"]),
        2 => any_of(&[" ", "\u{a0}", "\u{ad}", "\u{200b}", "\u{feff}", "\u{180e}"]),
        1 => any_of(&["\u{ff0f}", "\u{ff1b}", "\u{ff3c}", ";", "\\"]),
        1 => any_of(&["%", "%2F", "%2f", "%41", "%u", "u0041", "2F", "0041"]),
        1 => any_of(&["a", "é", "\0", "\u{1}", "\u{85}", "\u{301}", "\n"]),
    ];
    prop::collection::vec(piece, 0..7).prop_map(|pieces| format!("/{}", pieces.concat()))
}

/// A target whose path the proxy decodes to this text, if it accepts it at all.
fn target(path: &str, relax: &Relax) -> String {
    let parts: Vec<String> = match relax.encoded_slash {
        true => path.split("%2F").map(encoded).collect(),
        false => vec![encoded(path)],
    };
    format!("/ctx{}", parts.join("%2F"))
}

fn encoded(text: &str) -> String {
    let one = |byte: u8| match byte {
        b'/' => "/".to_owned(),
        byte => format!("%{byte:02X}"),
    };
    text.bytes().map(one).collect()
}

fn is_read(judge: &Judge, target: &str) -> bool {
    let raw = RawHead {
        method: "GET",
        target: target.as_bytes(),
        version: Version::Http11,
        headers: &[(b"host", b"a.example")],
        authority: None,
        body: Framing::None,
    };
    rehearsed(&judge.rules, (true, true), &raw).is_ok()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    /// Of every path the language says what the proxy does, whatever is relaxed.
    #[test]
    fn paths_are_refused_as_the_proxy_refuses_them(path in paths(), relaxed in any::<prop::sample::Index>()) {
        static ALL: LazyLock<Vec<(Config, Judge, Proxied)>> = LazyLock::new(|| {
            relaxations().into_iter().map(|names| {
                let mut config = config(Product::Jira, &["/*"]);
                for name in PATHS {
                    config.relax.set(name, names.contains(&name));
                }
                let proxied = proxied(&config).unwrap();
                (config.clone(), judge(&config), proxied)
            }).collect()
        });
        let (config, judge, proxied) = relaxed.get(&ALL);
        prop_assert_eq!(is_read(judge, &target(&path, &config.relax)), proxied.has_path(&path), "{:?} {:?}", path, config.relax);
    }
}

/// Nothing, each refusal, all but each, all, and pairs that depend on each other.
fn relaxations() -> Vec<Vec<&'static str>> {
    let all_but = |left: &str| PATHS.into_iter().filter(|name| *name != left).collect::<Vec<_>>();
    let mut sets = vec![
        Vec::new(),
        PATHS.to_vec(),
        vec!["encoded_slash", "double_encoding"],
        vec!["encoded_slash", "empty_segment"],
        vec!["backslash", "semicolon"],
    ];
    sets.extend(PATHS.map(|name| vec![name]));
    sets.extend(PATHS.map(all_but));
    sets
}

#[test]
fn endpoints_are_served_as_the_proxy_serves_them() {
    let paths = [
        "/",
        "/rest/",
        "/rest/a",
        "/rest",
        "/restx/a",
        "/issues.json",
        "/issues.xml/",
        "/issues",
        "/.json",
        "/a/.xml",
        "/a.json/b",
        "/a.JSON",
        "/api/v4/x",
        "/x/rest/a",
        "/.tokenward/self",
        "/login",
    ];
    for product in Product::ALL {
        for endpoints in [&[][..], &["/login", "/x/*"], &["/*"]] {
            let config = config(product, endpoints);
            let (judge, proxied) = (judge(&config), proxied(&config).unwrap());
            for path in paths {
                let is = judge.obstacles(Asked::anyone(), &get(path)).is_empty();
                assert_eq!(proxied.has_path(path), is, "{product:?} {endpoints:?} {path}");
            }
        }
    }
}

/// Each product with everything served.
static PRODUCTS: LazyLock<Vec<(Product, Judge, Proxied)>> = LazyLock::new(|| {
    let of = |product| {
        let config = config(product, &["/*"]);
        (product, judge(&config), proxied(&config).unwrap())
    };
    Product::ALL.into_iter().map(of).collect()
});

/// A path that a call's pattern may cover, in a spelling that these numbers choose.
fn spelt(pattern: &str, mut choices: impl FnMut(usize) -> usize) -> String {
    const PLAIN: [&str; 8] = ["x", "2", "a.b", "_", "latest", "7.json", "a b", "S"];
    const ENDS: [&str; 8] = ["", "", "", ".json", " ", "...", "!x", ":y z"];
    const BETWEEN: [&str; 6] = ["/", "/", "/", "/", "/.../", "/ /"];
    let mut path = String::new();
    if choices(8) == 0 {
        path.push_str("/s/a/_");
    }
    for segment in pattern.split('/').filter(|segment| !segment.is_empty()) {
        let count = match segment {
            "**" => choices(3),
            "{v?}" => choices(2),
            _ => 1,
        };
        for _ in 0..count {
            path.push_str(BETWEEN[choices(BETWEEN.len())]);
            match segment {
                "*" | "**" | "{v?}" => path.push_str(PLAIN[choices(PLAIN.len())]),
                name if choices(3) == 0 => path.push_str(&name.to_uppercase()),
                name => path.push_str(name),
            }
            path.push_str(ENDS[choices(ENDS.len())]);
        }
    }
    path.push_str(["", "", "/", "/x"][choices(4)]);
    path
}

/// The patterns of calls that the proxy recognises a request by; `None` if it does not read the request.
fn recognised(judge: &Judge, method: Method, path: &str) -> Option<BTreeSet<&'static str>> {
    let target = format!("/ctx{}", of(method, path, &[]).target());
    let raw = RawHead {
        method: of(method, path, &[]).method_name(),
        target: target.as_bytes(),
        version: Version::Http11,
        headers: &[(b"host", b"a.example")],
        authority: None,
        body: Framing::None,
    };
    let canonical = rehearsed(&judge.rules, (true, true), &raw).ok()?;
    Some(
        judge
            .rules
            .needing(&canonical)
            .into_iter()
            .map(|(path, _)| path)
            .collect(),
    )
}

const METHODS: [Method; 8] = [
    Method::Get,
    Method::Post,
    Method::Put,
    Method::Delete,
    Method::Patch,
    Method::Head,
    Method::Options,
    Method::Other,
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    /// In printable ASCII a call's language is that of the proxy; in other characters it has no path that the proxy does not
    /// recognise.
    #[test]
    fn calls_are_recognised_as_the_proxy_recognises_them(
        product in 0..Product::ALL.len(),
        call in any::<prop::sample::Index>(),
        numbers in prop::collection::vec(any::<prop::sample::Index>(), 40),
        method in prop::sample::select(METHODS.to_vec()),
        cut in prop::bool::weighted(0.3),
        odd in prop::option::weighted(0.2, prop::sample::select(vec!["\u{ff0f}", "\u{ff50}", "é", "?", "#", "\u{301}", "\u{fe30}"])),
    ) {
        let (product, judge, proxied) = &PRODUCTS[product];
        let calls: Vec<_> = product.calls().filter(|group| group.class != Class::Plain).flat_map(|group| group.calls).collect();
        let call = call.get(&calls);
        let mut numbers = numbers.into_iter();
        let mut path = spelt(call.path(), |most| numbers.next().map_or(0, |number| number.index(most)));
        if cut {
            let places: Vec<usize> = path.char_indices().map(|(at, _)| at).skip(1).collect();
            if let (false, Some(number)) = (places.is_empty(), numbers.next()) {
                path.remove(*number.get(&places));
            }
        }
        if let Some(odd) = odd {
            let places: Vec<usize> = path.char_indices().map(|(at, _)| at).skip(1).collect();
            let at = numbers.next().map_or(path.len(), |number| *number.get(&places));
            path.insert_str(at, odd);
        }
        if let Some(found) = recognised(judge, method, &path) {
            let is = |pattern: &str| proxied.is_call(pattern, &path).unwrap();
            if call.has(method) && is(call.path()) {
                prop_assert!(found.contains(call.path()), "{} {:?} {:?}", call.path(), method, path);
            }
            for pattern in found.iter().filter(|_| odd.is_none()) {
                prop_assert!(is(pattern), "{} {:?}", pattern, path);
            }
        }
    }
}

const LINES: [&str; 16] = [
    ".*",
    "/rest/.*",
    "/rest/pat/.*",
    "/rest/p.*",
    "[post]/rest/api/2/user.*",
    "[get]/rest/api/[0-9]/(user|myself)",
    "/secure/.*",
    "/rest/api/2/search[QueryParam::jql==a.*]",
    "/rest/api/2/search[QueryParam::jwt?=.*]",
    "/rest/x[QueryParam::sudo==a]",
    "/issues.*",
    "/users/[0-9]+.json",
    "/api/v4/projects/.*",
    "!/rest/pat/.*",
    "![delete].*",
    "!.*\\.xml",
];

fn requests() -> Vec<Request> {
    let paths = [
        "/",
        "/rest/a",
        "/rest/pat/a",
        "/rest/pat",
        "/rest/pata",
        "/rest/api/2/user",
        "/rest/api/2/users",
        "/rest/api/2/myself",
        "/secure/a",
        "/rest/api/2/search",
        "/rest/x",
        "/issues.json",
        "/issues",
        "/issues.xml",
        "/users/7.json",
        "/users/7",
        "/api/v4/projects/1",
        "/api/v4/projects/1/hooks",
        "/REST/pat/a",
        "/rest/\u{ff50}at/a",
        "/rest/. .",
        "/rest/a b",
    ];
    let queries: [&[(&str, &str)]; 5] = [
        &[],
        &[("jql", "ab")],
        &[("jwt", "a")],
        &[("sudo", "a")],
        &[("jql", "a"), ("jql[]", "a")],
    ];
    let methods = [Method::Get, Method::Post, Method::Delete, Method::Other];
    let all = paths.into_iter().flat_map(|path| {
        let by_query = queries.into_iter();
        by_query.flat_map(move |query| methods.map(|method| of(method, path, query)))
    });
    all.collect()
}

fn program(config: &Config, keys: &str, lines: &[&str]) -> Program {
    let (hash, lines) = ("11".repeat(32), lines.join("\n"));
    let file = format!(
        "[[token]]\nname = 't'\nuser = 'u'\nsecret_hash = 'sha256:{hash}'\n{keys}\nlimit_to = '''\n/rest/always\n{lines}\n'''\n"
    );
    let program = compile(&SourceSet::from_files([("t.toml".to_owned(), file)]))
        .program
        .unwrap();
    let bound = program.bind(&config.upstream.public_url).unwrap();
    bound.merging_body(config.upstream.product.merges())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    /// A request that is shown is forwarded; and if the proxy forwards one of many requests that only the new policy allows, one
    /// is shown.
    #[test]
    fn what_is_shown_is_forwarded_and_what_is_forwarded_is_shown(
        product in prop::sample::select(Product::ALL.to_vec()),
        old in prop::collection::vec(prop::sample::select(LINES.to_vec()), 0..3),
        new in prop::collection::vec(prop::sample::select(LINES.to_vec()), 1..4),
        keys in prop::sample::select(vec!["", "mint = true", "escalate = true"]),
    ) {
        let config = config(product, &[]);
        let (old, new) = (program(&config, keys, &old), program(&config, keys, &new));
        let (judge, proxied) = (judge(&config), proxied(&config).unwrap());
        let token = |program: &Program| program.tokens().next().map(|(id, _)| id);
        let mut analysis = Analysis::new(&old, &new, Universe::default(), Analysis::BUDGET).unwrap().behind(&proxied, &proxied);
        let found = analysis.compare(token(&old), token(&new)).unwrap().newly_allowed;
        let asked = |program| Asked::token(program, token(program).unwrap());
        for finding in &found.findings {
            let obstacles = judge.obstacles(asked(&new), &finding.witness);
            prop_assert_eq!(obstacles.is_empty(), finding.obstacles.is_empty(), "{} {:?}", finding.witness, obstacles);
        }
        let denies = vec![Obstacle::Refused("no-line".to_owned())];
        let is_new = |request: &Request| {
            judge.obstacles(asked(&new), request).is_empty() && judge.obstacles(asked(&old), request) == denies
        };
        if let Some(request) = requests().iter().find(|request| is_new(request)) {
            let is_shown = found.findings.iter().any(|finding| !Obstacle::are_certain(&finding.obstacles));
            prop_assert!(is_shown || found.inconclusive.is_some(), "{} {:?}", request, found);
        }
    }
}
