//! `tokenward audit` over what is no audit, what nobody trusted signed, and what is damaged.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::path::Path;

use tempfile::TempDir;
use tokenward_audit::{Config, Record, Store, Verdict};

use crate::tokenward;

/// Runs `tokenward audit`: exit code, standard output and standard error.
fn told(directory: &Path, arguments: &[&str]) -> (i32, String, String) {
    tokenward::run(directory, &[&["audit"], arguments].concat()).apart()
}

fn record(n: u8) -> Record {
    Record {
        time_ms: jiff::Timestamp::now().as_millisecond(),
        request_id: [n; 16],
        client_request_id: None,
        token: Some("a".to_owned()),
        user: Some("svc".to_owned()),
        on_behalf_of: None,
        client: IpAddr::V4(Ipv4Addr::LOCALHOST),
        method: "GET".to_owned(),
        url: format!("https://jira.example.com/rest/{n}"),
        line: None,
        verdict: Verdict::Deny,
        reason: "no-line".to_owned(),
        policy: "ab".repeat(32),
        request_bytes: None,
        decision_ns: 900,
        authenticated: true,
        nodes: Vec::new(),
        tried: Vec::new(),
        lacking: None,
        unread: None,
    }
}

/// A configuration with a signing key, and a store of three periods, each of twenty calls and closed.
fn made() -> TempDir {
    let directory = TempDir::new().unwrap();
    let root = directory.path();
    fs::create_dir(root.join("policies")).unwrap();
    let config = "[audit]\npath = 'audit'\nsigning_key = 'audit.key'\n";
    fs::write(root.join("tokenward.toml"), config).unwrap();
    assert_eq!(told(root, &["keygen", "audit.key"]).0, 0);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    for period in 0..3_u8 {
        let config = Config {
            signing_key: Some(root.join("audit.key")),
            ..Config::at(root.join("audit"))
        };
        let store = Store::open(config).unwrap();
        for n in 0..20 {
            runtime.block_on(store.append(record(period * 20 + n))).unwrap();
        }
        store.close().unwrap();
    }
    directory
}

#[test]
fn what_a_trusted_key_never_signed_is_not_sound() {
    let directory = made();
    let root = directory.path();
    let exported = told(root, &["export", "-o", "all.jsonl", "--proof", "all.proof"]);
    assert_eq!(exported.0, 0, "{}", exported.2);
    let trusted = ["verify", "--store", "all.proof", "--key", "audit.key.pub"];
    assert_eq!(told(root, &trusted).0, 0);
    let proof = fs::read(root.join("all.proof")).unwrap();
    let text = proof.windows(2).position(|window| window == b"\n\n").unwrap();
    let bare = [b"tokenward-audit-proof 1\n".as_slice(), &proof[text + 1..]].concat();
    fs::write(root.join("bare.proof"), bare).unwrap();
    let (code, out, _) = told(root, &["verify", "--store", "bare.proof"]);
    assert!(code == 0 && out.contains("Intact"), "{out}");
    let (code, out, err) = told(
        root,
        &["verify", "--store", "bare.proof", "--key", "audit.key.pub"],
    );
    assert_eq!(code, 1, "{out}{err}");
    assert!(
        out.contains("nothing is covered by a signature") && !out.contains("Intact"),
        "{out}"
    );
    // The configured key counts like one that is given.
    fs::remove_file(root.join("audit/HEADS")).unwrap();
    let (code, out, err) = told(root, &["verify"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains("nothing is covered by a signature"), "{out}");
}

#[test]
fn a_question_to_what_is_no_audit_is_an_error() {
    let directory = made();
    let root = directory.path();
    fs::create_dir(root.join("empty")).unwrap();
    fs::create_dir(root.join("other")).unwrap();
    fs::write(root.join("other/HEAD"), "ref: refs/heads/main\n").unwrap();
    let mut periods = fs::read_dir(root.join("audit"))
        .unwrap()
        .map(|entry| entry.unwrap().path());
    let period = periods.find(|path| path.is_dir()).unwrap();
    let period = period.to_str().unwrap();
    for place in ["empty", "other", period, "tokenward.toml", "/dev/null", "absent"] {
        for verb in ["verify", "list", "stats", "export"] {
            let (code, out, err) = told(root, &[verb, "--store", place]);
            assert_eq!(code, 3, "{verb} {place}: {out}{err}");
            assert!(
                err.contains(place) && out.is_empty(),
                "{verb} {place}: {out}{err}"
            );
            assert!(place == "absent" || err.contains("no audit at"), "{place}: {err}");
        }
    }
    // Where the proxy has not run yet, and where it had only begun.
    fs::write(root.join("tokenward.toml"), "[audit]\npath = 'empty'\n").unwrap();
    assert_eq!(told(root, &["list"]).0, 3);
    fs::write(root.join("empty/LOCK"), "").unwrap();
    assert_eq!(told(root, &["list"]).0, 0);
    let (code, out, _) = told(root, &["verify"]);
    assert!(code == 0 && out.contains("The audit is empty."), "{out}");
    // Nothing at all was ever signed there.
    let (code, out, _) = told(root, &["verify", "--key", "audit.key.pub"]);
    assert!(
        code == 1 && out.contains("nothing is covered by a signature"),
        "{out}"
    );
}

#[test]
fn an_answer_that_lacks_damaged_calls_says_so() {
    let directory = made();
    let root = directory.path();
    let mut periods: Vec<_> = fs::read_dir(root.join("audit"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.is_dir())
        .collect();
    // Their order is the chain's: there are fewer than ten.
    periods.sort();
    let file = periods.first().unwrap().join("db");
    let length = fs::metadata(&file).unwrap().len();
    for verb in ["list", "stats", "export"] {
        let (code, _, err) = told(root, &[verb]);
        assert!(code == 0 && !err.contains("damage"), "{verb}: {err}");
    }
    let handle = fs::File::options().write(true).open(&file).unwrap();
    handle.set_len(length / 2).unwrap();
    for verb in ["list", "stats", "export"] {
        let (code, out, err) = told(root, &[verb]);
        assert_eq!(code, 1, "{verb}: {err}");
        assert!(!out.is_empty(), "what is left is told");
        assert!(
            err.contains("are damaged or missing, and omitted") && err.contains("audit salvage"),
            "{verb}: {err}"
        );
    }
}
