//! The life of a token (docs/tokens.md): made, seen, used, rotated, revoked, by the command, beside a running proxy.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

use std::fs;
use std::path::Path;

use base64::Engine as _;
use serde_json::Value;
use tokenward_tests::{Call, Client, Proxy, Setup, Upstream, eventually, run};

const COMMENTS: &str = "/rest/api/2/issue/KANBAN-100/comment";

fn status(proxy: &Proxy, target: &str, secret: &str) -> u16 {
    let credentials = base64::engine::general_purpose::STANDARD.encode(format!("svc:{secret}"));
    let call = Call::get(target).header("Authorization", &format!("Basic {credentials}"));
    Client::connect(proxy.port()).send(&call).status
}

fn becomes(proxy: &Proxy, target: &str, secret: &str, expected: u16) {
    eventually("the change is in force", || {
        (status(proxy, target, secret) == expected).then_some(())
    });
}

fn policy(directory: &Path) -> String {
    fs::read_to_string(directory.join("policies/tokens.toml")).unwrap()
}

fn listed(proxy: &Proxy, name: &str) -> Value {
    let tokens = proxy.run(&["token", "list", "--json"]).json();
    let found = tokens.into_iter().find(|token| token["token"] == name);
    found.expect("the token is listed")
}

fn codes(token: &Value) -> Vec<&str> {
    let findings = token["findings"].as_array().unwrap();
    findings
        .iter()
        .map(|found| found["code"].as_str().unwrap())
        .collect()
}

const NEW: [&str; 11] = [
    "token",
    "new",
    "--name",
    "ci",
    "--user",
    "svc",
    "--limit",
    r"[get,post]/rest/api/2/issue/KANBAN-\d+/comment",
    "--file",
    "policies/tokens.toml",
    "--expires=90d",
];

#[test]
fn the_whole_life_of_one_token() {
    let upstream = Upstream::start();
    let setup = Setup::new(upstream.port()).section("[keys]\nsealing_keys = [\".tokenward/sealing.key\"]");
    let proxy = Proxy::start(&setup);
    let key = proxy.run(&["keys", "new", "sealing"]);
    assert!(key.ok().contains("sealing_keys = ["), "{}", key.out);

    // Made, seen, used.
    let first = proxy.run(&NEW).ok().to_owned();
    assert!(!policy(proxy.directory()).contains(&first));
    becomes(&proxy, COMMENTS, &first, 200);
    assert_eq!(proxy.run(&["token", "show", "ci", "--secret"]).ok(), first);
    let seen = listed(&proxy, "ci");
    assert_eq!(seen["state"], "active");
    assert!(seen["last_used"].is_string(), "{seen}");
    assert_eq!(codes(&seen), Vec::<&str>::new());
    let snippet = proxy.run(&["token", "snippet", "ci"]);
    assert!(
        snippet.ok().contains(&format!("-u 'svc:{first}'")),
        "{}",
        snippet.out
    );

    // Rotated: both work, and the list says who still shows the old one.
    let second = proxy
        .run(&["token", "rotate", "ci", "--overlap", "7d"])
        .ok()
        .to_owned();
    becomes(&proxy, COMMENTS, &second, 200);
    let waiting = listed(&proxy, "ci");
    assert_eq!(codes(&waiting), ["previous-secret"], "{waiting}");
    assert_eq!(status(&proxy, COMMENTS, &first), 200);
    let late = listed(&proxy, "ci");
    assert_eq!(codes(&late), ["previous-secret-in-use"]);
    assert_eq!(late["previous_use"]["calls"], 1);
    assert_eq!(late["previous_use"]["callers"][0]["user"], "svc");
    assert_eq!(late["previous_use"]["callers"][0]["client"], "127.0.0.1");
    let third = proxy
        .run(&["token", "rotate", "ci", "--overlap", "none"])
        .ok()
        .to_owned();
    becomes(&proxy, COMMENTS, &second, 401);
    assert_eq!(status(&proxy, COMMENTS, &third), 200);
    assert_eq!(status(&proxy, COMMENTS, &first), 401);
    assert_eq!(proxy.run(&["token", "show", "ci", "--secret"]).ok(), third);

    // Changed.
    let other = "/rest/api/2/project/KANBAN";
    assert_eq!(status(&proxy, other, &third), 403);
    let _ = proxy
        .run(&[
            "token",
            "set-limits",
            "ci",
            "--limit",
            "[get]/rest/api/2/project/KANBAN",
        ])
        .ok();
    becomes(&proxy, other, &third, 200);
    assert_eq!(status(&proxy, COMMENTS, &third), 403);
    let _ = proxy.run(&["token", "rename", "ci", "projects"]).ok();
    eventually("the audit has the new name", || {
        assert_eq!(status(&proxy, other, &third), 200);
        (proxy.audit().last()?.text("token") == "projects").then_some(())
    });

    // Revoked: at once, before any reload, and whatever the file says later.
    let before = policy(proxy.directory());
    let revoked = proxy.run(&["token", "revoke", "projects", "--json"]).json();
    assert_eq!(revoked[0]["proxy"], "revoked");
    assert_eq!(status(&proxy, other, &third), 401);
    assert!(policy(proxy.directory()).contains("revoked = true"));
    proxy.replace_policy_text(&before);
    eventually("the file is read again", || {
        (codes(&listed(&proxy, "projects")) == ["revoked-beside-file"]).then_some(())
    });
    assert_eq!(listed(&proxy, "projects")["state"], "revoked");
    let admin = fs::read_to_string(proxy.directory().join(".tokenward/admin.secret")).unwrap();
    let ready = Call::get("/readyz").header("Authorization", &format!("Bearer {}", admin.trim()));
    let ready = Client::connect(proxy.admin_port()).send(&ready);
    let ready: Value = serde_json::from_slice(&ready.body).unwrap();
    assert_eq!(ready["revoked_not_in_policy"], serde_json::json!(["projects"]));
    assert_eq!(status(&proxy, other, &third), 401);
    let proxy = Proxy::start_in(&setup, proxy.stop());
    assert_eq!(status(&proxy, other, &third), 401);
    assert_eq!(proxy.run(&["token", "revoke", "projects"]).code, 0);
    assert_eq!(codes(&listed(&proxy, "projects")), Vec::<&str>::new());
}

#[test]
fn a_revocation_without_a_proxy_waits_for_the_next() {
    let upstream = Upstream::start();
    let setup = Setup::new(upstream.port());
    let proxy = Proxy::start(&setup);
    let secret = proxy.run(&NEW).ok().to_owned();
    becomes(&proxy, COMMENTS, &secret, 200);
    let before = policy(proxy.directory());
    let directory = proxy.stop();
    let revoked = run(directory.path(), &["token", "revoke", "ci", "--json"]).json();
    assert_eq!(revoked[0]["proxy"], "kept");
    fs::write(directory.path().join("policies/tokens.toml"), before).unwrap();
    let proxy = Proxy::start_in(&setup, directory);
    assert_eq!(status(&proxy, COMMENTS, &secret), 401);
}

/// What the switch to secure mode asks for, and that nothing of a token can be changed after it.
#[test]
fn secure_mode_lets_nothing_be_changed() {
    let upstream = Upstream::start();
    let standard = Setup::new(upstream.port()).section("[keys]\nsealing_keys = [\".tokenward/sealing.key\"]");
    let proxy = Proxy::start(&standard);
    let _ = proxy.run(&["keys", "new", "sealing"]).ok();
    let old = proxy.run(&NEW).ok().to_owned();
    becomes(&proxy, COMMENTS, &old, 200);
    let made = proxy.run(&["keys", "new", "signing", "--json"]).json();
    let public = made[0]["public_key"].as_str().unwrap().to_owned();
    let keys = |public: &str, signing: &str| {
        format!("[keys]\nsigning_key = \".tokenward/{signing}.key\"\npublic_keys = [{public}]")
    };
    let secure = Setup::new(upstream.port())
        .top("mode = \"secure\"")
        .section(&keys(&format!("\"{public}\""), "signing"));

    // The running proxy keeps its mode, and says what waits.
    let quiet = proxy.log().len();
    secure.write_configuration(proxy.directory());
    eventually("the log says that the mode waits", || {
        let said = proxy.log();
        said.get(quiet..)?
            .contains("stay in force until a restart")
            .then_some(())
    });
    assert_eq!(status(&proxy, COMMENTS, &old), 200);
    let directory = proxy.stop();
    let path = directory.path();

    // Unsealed tokens keep it from starting; a sealed one has nothing by which its secret could be read.
    let refused = run(path, &["serve"]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains("TW0402"), "{}", refused.err);
    assert_eq!(run(path, &["compile", "--check"]).code, 1);
    assert!(policy(path).contains("secret_sealed"));
    let _ = run(path, &["token", "seal", "--all"]).ok();
    assert!(!policy(path).contains("secret_sealed"), "{}", policy(path));
    assert_eq!(run(path, &["compile", "--check"]).code, 0);

    let proxy = Proxy::start_in(&secure, directory);
    let path = proxy.directory().to_owned();
    assert_eq!(status(&proxy, COMMENTS, &old), 200);
    let mut new = NEW;
    new[3] = "second";
    let second = proxy.run(&new).ok().to_owned();
    becomes(&proxy, COMMENTS, &second, 200);
    for refused in [
        &["token", "rotate", "ci"][..],
        &["token", "rename", "ci", "other"],
        &["token", "set-limits", "ci", "--limit", "/rest/.*"],
        &["token", "show", "ci", "--secret"],
    ] {
        let ended = proxy.run(refused);
        assert_eq!(
            (ended.code, ended.out.as_str()),
            (2, ""),
            "{refused:?}: {}",
            ended.err
        );
        assert!(ended.err.contains("secure"), "{}", ended.err);
    }
    let snippet = proxy.run(&["token", "snippet", "second"]);
    assert!(
        snippet.ok().contains("-u 'svc:'\"$TOKENWARD_TOKEN\""),
        "{}",
        snippet.out
    );

    // Whatever is changed by hand is not loaded: the policy before stays.
    let good = policy(&path);
    let other = "/rest/api/2/project/KANBAN";
    for (what, with, code) in [
        (
            r"KANBAN-\d+/comment",
            r"KANBAN-\d+/comment|/rest/api/2/project/KANBAN",
            "TW0401",
        ),
        // Permit lines in a token that may do everything are an error of their own.
        ("limit_to = ", "unrestricted = true\nlimit_to = ", "TW0028"),
        ("user = \"svc\"", "any_user = true", "TW0401"),
        ("seal = \"v2:", "#seal = \"v2:", "TW0401"),
    ] {
        assert!(good.contains(what));
        let quiet = proxy.log().len();
        proxy.replace_policy_text(&good.replacen(what, with, 1));
        eventually("the log says why", || {
            proxy.log().get(quiet..)?.contains(code).then_some(())
        });
        assert_eq!(status(&proxy, other, &old), 403, "{what}");
        assert_eq!(status(&proxy, COMMENTS, &old), 200);
        assert_eq!(
            proxy.run(&["token", "seal", "second", "ci"]).code,
            i32::from(!with.starts_with('#')),
            "{what}"
        );
        proxy.replace_policy_text(&good);
        eventually("the policy compiles again", || {
            proxy
                .log()
                .get(quiet..)?
                .contains("the policy compiles again")
                .then_some(())
        });
    }

    // A revocation needs no key.
    let _ = proxy.run(&["token", "revoke", "second"]).ok();
    assert_eq!(status(&proxy, COMMENTS, &second), 401);
    assert_eq!(run(&path, &["compile", "--check"]).code, 0);

    // Keys are changed while both are accepted.
    let made = proxy
        .run(&["keys", "new", "signing", ".tokenward/next.key", "--json"])
        .json();
    let next = made[0]["public_key"].as_str().unwrap().to_owned();
    let directory = proxy.stop();
    let path = directory.path().to_owned();
    Setup::new(upstream.port())
        .top("mode = \"secure\"")
        .section(&keys(&format!("\"{public}\", \"{next}\""), "next"))
        .write_configuration(&path);
    assert_eq!(run(&path, &["compile", "--check"]).code, 0);
    let sealed = run(&path, &["token", "seal", "--all", "--json"]).json();
    assert_eq!(sealed[0]["changed"], true);
    let last = Setup::new(upstream.port())
        .top("mode = \"secure\"")
        .section(&keys(&format!("\"{next}\""), "next"));
    last.write_configuration(&path);
    assert_eq!(run(&path, &["compile", "--check"]).code, 0);

    // An artifact that nobody signed is not even written.
    let unsigned = run(&path, &["compile", "-o", "policy.twp"]);
    assert_eq!((unsigned.code, path.join("policy.twp").exists()), (2, false));
    assert!(unsigned.err.contains("--sign"), "{}", unsigned.err);
    let made = run(&path, &["keys", "new", "artifact", "--json"]).json();
    let signer = made[0]["public_key"].as_str().unwrap().to_owned();
    let of_artifact = |public: &str, signing: &str| {
        let artifact =
            format!("artifact_key = \".tokenward/artifact.key\"\nartifact_public_keys = [\"{signer}\"]");
        Setup::new(upstream.port())
            .top("mode = \"secure\"\npolicies = \"policy.twp\"")
            .section(&format!(
                "{}\n{artifact}",
                keys(&format!("\"{public}\""), signing)
            ))
    };
    let signed = of_artifact(&next, "next");
    signed.write_configuration(&path);
    let artifact = run(&path, &["compile", "-o", "policy.twp", "policies"]);
    assert_eq!(artifact.code, 0, "{}", artifact.err);
    let proxy = Proxy::start_in(&signed, directory);
    assert_eq!(status(&proxy, COMMENTS, &old), 200);

    // One that is not signed changes nothing while the proxy runs, and keeps it from starting.
    let quiet = proxy.log().len();
    Setup::new(upstream.port()).write_configuration(&path);
    let unsigned = run(&path, &["compile", "-o", "policy.twp", "policies"]);
    signed.write_configuration(&path);
    assert_eq!(unsigned.code, 0, "{}", unsigned.err);
    eventually("the log says that it is not signed", || {
        proxy
            .log()
            .get(quiet..)?
            .contains("it is not signed")
            .then_some(())
    });
    assert_eq!(status(&proxy, COMMENTS, &old), 200);
    let directory = proxy.stop();
    let refused = run(&path, &["serve"]);
    assert_eq!(refused.code, 1, "{}", refused.err);
    assert!(refused.err.contains("it is not signed"), "{}", refused.err);

    // Artifacts carry the seals, too.
    let artifact = run(&path, &["compile", "-o", "policy.twp", "policies"]);
    assert_eq!(artifact.code, 0, "{}", artifact.err);
    of_artifact(&public, "signing").write_configuration(&path);
    let stranger = run(&path, &["serve"]);
    assert_eq!(stranger.code, 1, "{}", stranger.err);
    assert!(
        stranger.err.contains("a key that is not accepted here"),
        "{}",
        stranger.err
    );
    drop(directory);
}

/// Commands of many processes at once, each on the same file.
#[test]
fn many_commands_at_once_lose_nothing() {
    let setup = Setup::new(1);
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path();
    fs::create_dir(path.join("policies")).unwrap();
    setup.write_configuration(path);
    let make = |name: &str| {
        let mut new = NEW;
        new[3] = name;
        run(path, &new).ok().to_owned()
    };
    let names: Vec<String> = (0..4).map(|number| format!("t{number}")).collect();
    for name in &names {
        make(name);
    }
    std::thread::scope(|scope| {
        scope.spawn(|| run(path, &["token", "rename", "t0", "renamed"]).ok().to_owned());
        scope.spawn(|| run(path, &["token", "revoke", "t1"]).ok().to_owned());
        scope.spawn(|| run(path, &["token", "rotate", "t2"]).ok().to_owned());
        scope.spawn(|| {
            run(path, &["token", "set-limits", "t3", "--limit", "/rest/new"])
                .ok()
                .to_owned()
        });
        for number in 0..4 {
            scope.spawn(move || make(&format!("new{number}")));
        }
    });
    let listed = run(path, &["token", "list", "--json"]).json();
    let of = |name: &str| listed.iter().find(|token| token["token"] == name).expect("there");
    assert_eq!(listed.len(), 8);
    assert_eq!(of("renamed")["state"], "active");
    assert_eq!(of("t1")["state"], "revoked");
    assert!(of("t2")["previous_until"].is_string());
    let shown = run(path, &["token", "show", "t3", "--json"]).json();
    assert_eq!(shown[0]["limits"][0]["text"], "/rest/new");
}
