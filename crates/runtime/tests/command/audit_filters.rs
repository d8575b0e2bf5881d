//! The filters of `tokenward audit`, and the formats of its export.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use tempfile::TempDir;
use tokenward_audit::{Config, End, Outcome, Record, Store, Verdict};
use tokenward_testbed::Ran;

use crate::policy;
use crate::tokenward;

fn run(directory: &Path, arguments: &[&str]) -> Ran {
    tokenward::run(directory, &[&["audit"], arguments].concat())
}

/// An audit of one call for each: the reason of its decision, its end and its status.
fn with_calls(calls: &[(&str, End, u16)]) -> TempDir {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    fs::create_dir(root.join("policies")).unwrap();
    fs::write(
        root.join("policies/ci.toml"),
        policy::token("builds", "ab", "", "/rest/a"),
    )
    .unwrap();
    fs::write(root.join("tokenward.toml"), "[audit]\npath = 'audit'\n").unwrap();
    let store = Store::open(Config::at(root.join("audit"))).unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let now = jiff::Timestamp::now().as_millisecond();
    for (n, (reason, end, status)) in (1_u8..).zip(calls) {
        let record = Record {
            time_ms: now,
            request_id: [n; 16],
            client_request_id: None,
            token: Some("builds".to_owned()),
            user: Some("svc".to_owned()),
            on_behalf_of: None,
            client: IpAddr::V4(Ipv4Addr::LOCALHOST),
            method: "GET".into(),
            url: format!("https://jira.example.com/{n}"),
            line: None,
            verdict: if *reason == "allowed" {
                Verdict::Allow
            } else {
                Verdict::Deny
            },
            reason: (*reason).to_owned(),
            policy: "00".into(),
            nodes: Vec::new(),
            tried: Vec::new(),
            lacking: None,
            unread: None,
            request_bytes: None,
            decision_ns: 1,
            authenticated: true,
        };
        runtime.block_on(store.append(record)).unwrap();
        let outcome = Outcome {
            request_id: [n; 16],
            status: Some(*status),
            upstream_status: None,
            sent_bytes: 0,
            received_bytes: 0,
            total_us: 1,
            upstream_us: None,
            end: *end,
        };
        store.append_outcome(outcome).unwrap();
    }
    store.close().unwrap();
    directory
}

/// The calls that a list with these filters shows, by their numbers.
#[track_caller]
fn listed(root: &Path, arguments: &[&str]) -> Vec<u64> {
    let ran = run(root, &[&["list", "--json", "--oldest-first"], arguments].concat());
    assert_eq!(ran.code, 0, "{arguments:?}: {}", ran.err);
    ran.json()
        .iter()
        .map(|call| call["sequence"].as_u64().unwrap())
        .collect()
}

#[test]
fn a_reason_that_the_client_got_after_the_decision_is_found() {
    let directory = with_calls(&[
        ("allowed", End::Complete, 200),
        ("allowed", End::UpstreamFailed, 502),
        ("allowed", End::Timeout, 504),
        ("allowed", End::ClientGone, 200),
        ("body-timeout", End::Complete, 408),
        ("no-line", End::Complete, 403),
    ]);
    let root = directory.path();
    let all = listed(root, &[]);
    let nth = |numbers: &[usize]| numbers.iter().map(|n| all[*n - 1]).collect::<Vec<_>>();
    for (reason, expected) in [
        ("allowed", &[1, 2, 3, 4][..]),
        ("upstream-unreachable", &[2]),
        ("upstream-failed", &[2]),
        ("upstream-timeout", &[3]),
        ("timeout", &[3]),
        ("client-gone", &[4]),
        ("body-timeout", &[5]),
        ("no-line", &[6]),
    ] {
        assert_eq!(listed(root, &["--reason", reason]), nth(expected), "{reason}");
    }
    for (status, expected) in [
        ("403", &[6][..]),
        ("4xx", &[5, 6]),
        ("5XX", &[2, 3]),
        ("3xx", &[]),
    ] {
        assert_eq!(listed(root, &["--status", status]), nth(expected), "{status}");
    }
    assert_eq!(
        listed(root, &["--status", "5xx", "--reason", "timeout"]),
        nth(&[3])
    );
    let ran = run(root, &["list", "--reason", "upstream-unreachable"]);
    assert!(
        ran.err
            .contains("does not distinguish this reason from upstream-broken and upstream-unauthorized"),
        "{}",
        ran.err
    );
}

#[test]
fn a_filter_that_can_match_nothing_says_so() {
    let directory = with_calls(&[("no-line", End::Complete, 403)]);
    let root = directory.path();
    for verb in [&["list"][..], &["tail"], &["stats"], &["export"]] {
        for (filter, value, expected) in [
            (
                "--reason",
                "no-lines",
                "`no-lines` is not a reason; did you mean `no-line`?",
            ),
            (
                "--token",
                "build",
                "`build` is not a token of the policy; did you mean `builds`?",
            ),
            (
                "--line",
                "cj.toml",
                "`cj.toml` is not a file of the policy; did you mean `ci.toml`?",
            ),
            ("--line", "ci.toml:99", "`ci.toml:99` is not a line of the policy"),
        ] {
            let ran = run(root, &[verb, &[filter, value]].concat());
            // What an export wrote would be taken for the answer.
            let code = i32::from(verb == ["export"]);
            assert!(
                ran.code == code && ran.err.contains(expected),
                "{verb:?} {filter}: {}",
                ran.err
            );
        }
        // What can match, and does not, is no slip.
        for (filter, value) in [("--reason", "minting"), ("--token", "builds")] {
            let ran = run(root, &[verb, &[filter, value, "--since", "2020-01-01"]].concat());
            assert!(
                ran.code == 0 && !ran.err.contains("is not a"),
                "{verb:?} {filter}: {}",
                ran.err
            );
        }
    }
    for value in ["4x", "40", "1000", "-1", "0xx", "10xx", "forbidden"] {
        let ran = run(root, &["list", &format!("--status={value}")]);
        assert!(
            ran.code == 2 && ran.err.contains("such as 403"),
            "{value}: {}",
            ran.err
        );
    }
}

#[test]
fn an_export_is_what_its_name_says() {
    let directory = with_calls(&[("no-line", End::Complete, 403)]);
    let root = directory.path();
    let begins = |name: &str| {
        let bytes = fs::read(root.join(name)).unwrap();
        String::from_utf8_lossy(bytes.get(..4).unwrap()).into_owned()
    };
    for (arguments, name, expected) in [
        (&[][..], "a.jsonl", "{\"se"),
        (&[], "a.json", "{\"se"),
        (&[], "a.csv", "sequ"),
        (&[], "a.CSV", "sequ"),
        (&[], "a.parquet", "PAR1"),
        (&[], "a", "{\"se"),
        (&[], "a.log", "{\"se"),
        (&["--csv"], "b.txt", "sequ"),
        (&["--format", "csv"], "c.csv", "sequ"),
        (&["--format", "parquet"], "c.parquet", "PAR1"),
        (&["--json"], "c.ndjson", "{\"se"),
    ] {
        let ran = run(root, &[&["export", "-o", name], arguments].concat());
        assert_eq!(
            (ran.code, begins(name).as_str()),
            (0, expected),
            "{name}: {}",
            ran.err
        );
    }
    for (arguments, name, expected) in [
        (&["--json"][..], "x.csv", "is a file name for CSV"),
        (&["--csv"], "x.parquet", "is a file name for Parquet"),
        (&["--parquet"], "x.jsonl", "is a file name for JSON lines"),
        (&["--format", "json"], "x.parquet", "is a file name for Parquet"),
        (&[], "x.csv.gz", "calls cannot be exported as .gz"),
        (&["--csv"], "x.xlsx", "calls cannot be exported as .xlsx"),
    ] {
        let ran = run(root, &[&["export", "-o", name], arguments].concat());
        assert!(ran.code == 2 && ran.err.contains(expected), "{name}: {}", ran.err);
        assert!(!root.join(name).exists(), "{name}");
    }
    let ran = run(root, &["export", "--format", "parquet"]);
    assert!(
        ran.code == 2 && ran.err.contains("Parquet needs a file"),
        "{}",
        ran.err
    );
    // The same formats by the same name in a list, without the file.
    let csv = run(root, &["list", "--format", "csv"]);
    assert!(csv.code == 0 && csv.out.starts_with("sequence,"), "{}", csv.out);
    assert_eq!(
        run(root, &["list", "--format", "text"]).out,
        run(root, &["list"]).out
    );
}

#[test]
fn a_list_that_is_cut_says_so() {
    let directory = with_calls(&[("allowed", End::Complete, 200); 3]);
    let ran = run(directory.path(), &["list", "--limit", "2", "--json"]);
    assert_eq!((ran.code, ran.out.lines().count()), (0, 2), "{}", ran.err);
    assert!(ran.err.contains("the newest 2. There are more"), "{}", ran.err);
    let ran = run(directory.path(), &["list", "--limit", "3"]);
    assert!(!ran.err.contains("There are more"), "{}", ran.err);
}

#[test]
fn an_export_of_an_unknown_token_writes_no_file() {
    let directory = with_calls(&[("allowed", End::Complete, 200)]);
    let path = directory.path();
    let ran = run(path, &["export", "--token", "bulids", "-o", "calls.jsonl"]);
    assert_eq!(ran.code, 1, "{}", ran.err);
    assert!(ran.err.contains("did you mean `builds`?"), "{}", ran.err);
    assert!(!path.join("calls.jsonl").exists() && !path.join("calls.jsonl.partial").exists());
}
