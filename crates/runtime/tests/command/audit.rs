//! `tokenward audit` over a store whose calls are known, and over a running proxy.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;
use std::sync::LazyLock;

use serde_json::Value;
use tempfile::TempDir;
use tokenward_audit::{Config, End, Event, LineRef, Outcome, Reader, Record, Sequence, Store, Verdict};

use tokenward_testbed::Ran;

use crate::policy;
use crate::proxy::{call, listening, serve};
use crate::tokenward;

/// Runs `tokenward audit`.
fn run(directory: &Path, arguments: &[&str]) -> Ran {
    tokenward::run(directory, &[&["audit"], arguments].concat())
}

/// Runs `tokenward audit`, which must succeed, and returns its standard output.
#[track_caller]
fn fine(directory: &Path, arguments: &[&str]) -> String {
    tokenward::succeed(directory, &[&["audit"], arguments].concat())
}

const LINE: &str = "/rest/used";

/// Policies with two tokens, `a` with two lines, a configuration with a signing key, and seven calls of `a` and others.
fn made() -> TempDir {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    fs::create_dir(root.join("policies")).unwrap();
    let policies = policy::token("a", "ab", "", &format!("{LINE}\n/rest/unused"))
        + &policy::token("b", "cd", "", "/rest/other");
    fs::write(root.join("policies/ci.toml"), policies).unwrap();
    fs::write(
        root.join("tokenward.toml"),
        "[audit]\npath = 'audit'\nsigning_key = 'new/audit.key'\n",
    )
    .unwrap();
    assert!(fine(root, &["keygen", "new/audit.key"]).starts_with("tokenward-audit-public-key "));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    // Closed in between, so that not all blocks are compressed together.
    for calls in [1..=4_u8, 5..=7] {
        let store = Store::open(Config {
            signing_key: Some(root.join("new/audit.key")),
            ..Config::at(root.join("audit"))
        })
        .unwrap();
        for n in calls {
            runtime.block_on(store.append(record(n))).unwrap();
            if n < 7 {
                store.append_outcome(outcome(n)).unwrap();
            }
        }
        store.close().unwrap();
    }
    directory
}

/// Some minutes ago, to the second: a record's time is never far from when it is written.
static BASE: LazyLock<i64> = LazyLock::new(|| jiff::Timestamp::now().as_second() * 1000 - 8 * 60_000);

/// The time of the `n`th call.
fn time(n: u8) -> i64 {
    *BASE + i64::from(n) * 60_000
}

fn shown(ms: i64) -> String {
    format!("{:.3}", jiff::Timestamp::from_millisecond(ms).unwrap())
}

fn record(n: u8) -> Record {
    let digest = {
        use sha2::Digest;
        hex::encode(sha2::Sha256::digest(LINE))
            .chars()
            .take(16)
            .collect::<String>()
    };
    Record {
        time_ms: time(n),
        request_id: [n; 16],
        client_request_id: None,
        token: (n < 6).then(|| "a".to_owned()),
        user: Some(if n == 5 {
            "=1+1\u{202e}\u{1b}[2J".to_owned()
        } else {
            "svc".to_owned()
        }),
        on_behalf_of: None,
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        method: "GET".into(),
        url: format!("https://jira.example.com/rest/used?n={n}"),
        line: (n < 4).then(|| LineRef {
            file: "ci.toml".into(),
            number: 7,
            digest,
        }),
        verdict: match n {
            1..=3 => Verdict::Allow,
            4..=5 => Verdict::Deny,
            _ => Verdict::Refuse,
        },
        reason: if n < 4 { "line".into() } else { "no-line".into() },
        policy: "00".into(),
        nodes: Vec::new(),
        tried: Vec::new(),
        lacking: None,
        unread: None,
        request_bytes: None,
        decision_ns: 700,
        authenticated: n < 6,
    }
}

fn outcome(n: u8) -> Outcome {
    Outcome {
        request_id: [n; 16],
        status: Some(if n < 4 { 200 } else { 403 }),
        upstream_status: (n < 4).then_some(200),
        sent_bytes: 0,
        received_bytes: 10,
        total_us: 1000,
        upstream_us: None,
        end: End::Complete,
    }
}

fn json(line: &str) -> Value {
    serde_json::from_str(line).unwrap()
}

#[test]
fn calls_are_found_by_every_filter() {
    let directory = made();
    let root = directory.path();
    let fifth = shown(time(5));
    for (filter, count) in [
        (&["--token", "a"][..], 5),
        (&["--user", "svc"], 6),
        (&["--client", "127.0.0.1"], 7),
        (&["--method", "GET"], 7),
        (&["--method", "get"], 7),
        (&["--client", "::ffff:127.0.0.1"], 7),
        (&["--line", "policies/ci.toml:7"], 3),
        (&["--line", "./policies/../policies/ci.toml"], 3),
        (&["--url", r"\?n=[12]$"], 2),
        (&["--decision", "refuse"], 2),
        (&["--reason", "line"], 3),
        (&["--line", "ci.toml:7"], 3),
        (&["--line", "ci.toml:8"], 0),
        (&["--status", "403"], 3),
        (&["--since", &fifth], 3),
        (&["--until", &fifth, "--token", "a"], 4),
        (&["--on-behalf-of", "alice"], 0),
    ] {
        let arguments = [&["list", "--json"], filter].concat();
        assert_eq!(fine(root, &arguments).lines().count(), count, "{filter:?}");
    }
    let wrong = run(root, &["list", "--url", "a("]);
    assert_eq!(wrong.code, 2);
    assert!(
        wrong.err.contains("`a(` is not a regular expression"),
        "{}",
        wrong.err
    );
}

#[test]
fn one_call_is_shown_whole() {
    let directory = made();
    let root = directory.path();
    let shown = fine(root, &["show", &"03".repeat(16)]);
    assert!(shown.contains("outcome.status          200\n"), "{shown}");
    assert!(
        shown.contains(&format!("line.text               {LINE}\n")),
        "{shown}"
    );
    let hostile = fine(root, &["list", "--json", "--status", "403", "--token", "a"]);
    let place = json(hostile.lines().next().unwrap())["sequence"].to_string();
    let shown = fine(root, &["show", &place]);
    assert!(
        shown.contains("user                    =1+1\\u{202e}\\u{1b}[2J\n"),
        "{shown}"
    );
    assert_eq!(
        json(&fine(root, &["show", &place, "--json"]))["user"],
        "=1+1\u{202e}\u{1b}[2J"
    );
    assert_eq!(run(root, &["show", &"0f".repeat(16)]).code, 1);
    assert_eq!(run(root, &["show", "nonsense"]).code, 2);
}

#[test]
fn stats_tell_what_was_used_and_what_was_not() {
    let directory = made();
    let root = directory.path();
    let stats = json(&fine(root, &["stats", "--json"]));
    assert_eq!(stats["total"]["calls"], 7);
    let of_a = &stats["tokens"][1];
    assert_eq!(
        (&of_a["name"], &of_a["calls"], &of_a["denied"]),
        (&"a".into(), &5.into(), &2.into())
    );
    assert_eq!(of_a["last"], shown(time(5)));
    let hour = time(1).div_euclid(3_600_000) * 3_600_000;
    assert_eq!(stats["hours"][0]["name"], shown(hour));
    let hours = stats["hours"].as_array().unwrap().iter();
    assert_eq!(hours.map(|hour| hour["calls"].as_u64().unwrap()).sum::<u64>(), 7);
    assert_eq!(stats["unused"]["tokens"], serde_json::json!(["b"]));
    let lines = stats["unused"]["lines"].as_array().unwrap();
    let texts: Vec<_> = lines.iter().map(|line| line["text"].as_str().unwrap()).collect();
    assert_eq!(texts, ["/rest/unused", "/rest/other"]);
    let text = fine(root, &["stats", "--token", "a"]);
    assert!(
        text.contains("NEVER USED\ntoken b\nline ci.toml:8  /rest/unused\n"),
        "{text}"
    );
    // Where the policy is wrong, the rest is told all the same.
    fs::write(root.join("policies/ci.toml"), "[[token]]").unwrap();
    let stats = run(root, &["stats"]);
    assert_eq!(stats.code, 0);
    assert!(
        stats.err.contains("does not compile") && stats.out.contains("TOTAL"),
        "{}",
        stats.err
    );
}

#[test]
fn an_export_is_verified_elsewhere() {
    let directory = made();
    let root = directory.path();
    let csv = fine(root, &["export", "--csv"]);
    assert_eq!(csv.lines().count(), 8);
    assert!(csv.contains(r#","'=1+1\u{202e}\u{1b}[2J","#), "{csv}");
    fine(
        root,
        &["export", "--token", "a", "-o", "a.jsonl", "--proof", "a.proof"],
    );
    assert_eq!(
        run(root, &["export", "-o", "a.jsonl"]).code,
        3,
        "nothing is overwritten"
    );
    // Elsewhere: nothing but the files.
    let elsewhere = TempDir::new().unwrap();
    for name in ["a.jsonl", "a.proof", "audit.key.pub"] {
        let from = if name == "audit.key.pub" { "new" } else { "." };
        fs::copy(root.join(from).join(name), elsewhere.path().join(name)).unwrap();
    }
    let there = elsewhere.path();
    let verify = [
        "verify",
        "--store",
        "a.proof",
        "--key",
        "audit.key.pub",
        "--export",
        "a.jsonl",
    ];
    let sound = run(there, &verify);
    assert_eq!(sound.code, 0, "{}{}", sound.out, sound.err);
    assert!(
        sound.out.contains("signed heads") && sound.out.contains("Intact"),
        "{}",
        sound.out
    );
    assert!(
        sound.err.contains("has 5 calls, the same as in the audit."),
        "{}",
        sound.err
    );
    let claimed = run(there, &["verify", "--store", "a.proof"]);
    assert!(claimed.err.contains("itself names its key"), "{}", claimed.err);
    // A call of the export is changed; then one of the proof.
    let export = fs::read_to_string(there.join("a.jsonl")).unwrap();
    fs::write(there.join("a.jsonl"), export.replace("n=3", "n=9")).unwrap();
    let changed = run(there, &verify);
    assert_eq!(changed.code, 1);
    assert!(
        changed
            .err
            .contains("has 2 calls before entry 6, which differs from the audit"),
        "{}",
        changed.err
    );
    let mut proof = fs::read(there.join("a.proof")).unwrap();
    let length = proof.len();
    proof[length - 300] ^= 1;
    fs::write(there.join("a.proof"), proof).unwrap();
    let changed = run(
        there,
        &["verify", "--store", "a.proof", "--key", "audit.key.pub", "--json"],
    );
    assert_eq!(changed.code, 1);
    assert_eq!(json(&changed.out)["sound"], false);
}

#[test]
fn what_was_cut_off_shows_and_what_is_left_is_saved() {
    let directory = made();
    let root = directory.path();
    assert!(fine(root, &["verify"]).contains("Intact"));
    fine(root, &["backup", "backup"]);
    assert_eq!(run(root, &["backup", "backup"]).code, 2, "nothing is overwritten");
    let listed = fine(root, &["list", "--json"]);
    assert_eq!(fine(root, &["list", "--json", "--store", "backup"]), listed);
    // A period without its last blocks: what a backup was made of before them, and the heads of today.
    let periods = fs::read_dir(root.join("audit")).unwrap();
    let mut periods: Vec<_> = periods
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.join("db").exists())
        .collect();
    periods.sort();
    let calls = |period: &Path, file: &str| {
        fine(root, &["salvage", period.to_str().unwrap(), "-o", file]);
        fs::read_to_string(root.join(file)).unwrap().lines().count()
    };
    let all = (periods.iter().enumerate()).map(|(n, period)| calls(period, &format!("{n}.jsonl")));
    assert_eq!(all.sum::<usize>(), 7);
    let period = periods.pop().unwrap();
    let mut bytes = fs::read(period.join("db")).unwrap();
    let begins = |window: &[u8]| window == b"TWAB" || window == b"TWAS";
    let last = bytes.windows(4).rposition(begins).unwrap();
    bytes.truncate(last);
    fs::write(period.join("db"), bytes).unwrap();
    let cut = run(root, &["verify"]);
    assert_eq!(cut.code, 1, "{}", cut.out);
    assert!(cut.out.contains("the end was cut off"), "{}", cut.out);
    // Nothing is left of it, and so it is said.
    let nothing = run(root, &["salvage", period.to_str().unwrap(), "-o", "rest.jsonl"]);
    assert_eq!(nothing.code, 1, "{}", nothing.err);
    assert!(!root.join("rest.jsonl").exists());
    assert_eq!(run(root, &["salvage", "nowhere", "-o", "x"]).code, 2);
}

#[test]
fn every_verb_works_while_the_proxy_runs() {
    let directory = made();
    let root = directory.path();
    let (address, tables) = listening();
    let config = fs::read_to_string(root.join("tokenward.toml")).unwrap();
    fs::write(root.join("tokenward.toml"), config + &tables).unwrap();
    let serving = serve(root);
    call(address, "/rest/live");

    let live = ["--url", "/rest/live", "--json"];
    let listed = fine(root, &[&["list"][..], &live].concat());
    let id = json(&listed)["request_id"].as_str().unwrap().to_owned();
    assert!(fine(root, &["show", &id]).contains("/rest/live"));
    assert_eq!(json(&fine(root, &["stats", "--json"]))["total"]["calls"], 8);
    // Opened by `made` twice, and by the proxy: the call that had no outcome will never have one.
    assert_eq!(fine(root, &["events"]).matches("opened").count(), 3);
    let seventh = ["--url", r"\?n=7$"];
    assert_eq!(
        json(&fine(root, &[&["list", "--json"][..], &seventh].concat()))["outcome"]["end"],
        "lost"
    );
    assert!(fine(root, &[&["list"][..], &seventh].concat()).contains("refuse    lost"));
    let verified = fine(root, &["verify"]);
    assert!(
        verified.contains("Intact") && verified.contains("signed heads"),
        "{verified}"
    );
    fine(root, &["export", "-o", "all.jsonl", "--proof", "all.proof"]);
    assert_eq!(
        fs::read_to_string(root.join("all.jsonl"))
            .unwrap()
            .lines()
            .count(),
        8
    );
    let elsewhere = [
        "verify",
        "--store",
        "all.proof",
        "--key",
        "new/audit.key.pub",
        "--export",
        "all.jsonl",
    ];
    assert!(fine(root, &elsewhere).contains("Intact"));
    fine(root, &["backup", "backup"]);
    assert_eq!(fine(root, &["export", "--store", "backup"]).lines().count(), 8);
    // The files themselves answer too.
    assert_eq!(fine(root, &["export", "--store", "audit"]).lines().count(), 8);
    // Whoever trusts another key is told.
    fine(root, &["keygen", "other.key"]);
    let other = run(root, &["verify", "--key", "other.key.pub"]);
    assert_eq!(other.code, 1, "{}", other.err);
    assert!(
        other
            .err
            .contains("the proxy signs with a key that is not trusted here: tokenward-audit-public-key "),
        "{}",
        other.err
    );
    drop(serving);
    assert!(fine(root, &["verify"]).contains("Intact"), "killed, and sound");
}

#[test]
fn outsiders_past_their_quota_leave_no_entry() {
    let directory = made();
    let root = directory.path();
    let (address, tables) = listening();
    let quota = "[audit]\npath = 'outside'\noutsiders_per_minute = 2\n";
    fs::write(root.join("tokenward.toml"), quota.to_owned() + &tables).unwrap();
    let mut serving = serve(root);
    for _ in 0..40 {
        call(address, "/rest/outside");
    }
    serving.stop();
    let store = Reader::open(&root.join("outside")).unwrap();
    // It was opened; of two minutes at most two calls, their ends, and the count of the others.
    let last = store.last().unwrap();
    assert!(last <= Sequence(1 + 2 * (2 + 2 + 1)), "{last}");
    let counted = store.events(0, i64::MAX).unwrap();
    let counted = counted.iter().filter_map(|(_, event)| match event {
        Event::Counted { count, .. } => Some(*count),
        _ => None,
    });
    let counted: u64 = counted.sum();
    assert!(counted >= 40 - 4);
    let told = fine(root, &["events", "--json"]);
    let told: Vec<Value> = told.lines().map(json).collect();
    assert_eq!(told[0]["kind"], "opened");
    let outsiders = told.iter().filter(|event| event["kind"] == "outsiders");
    assert_eq!(
        outsiders
            .map(|event| event["count"].as_u64().unwrap())
            .sum::<u64>(),
        counted
    );
    assert!(fine(root, &["events"]).contains("were counted but not recorded"));
    assert_eq!(fine(root, &["events", "--since", "2090-01-01"]), "");
}
