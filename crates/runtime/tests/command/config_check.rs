//! `tokenward config check`, and the errors of a start, which are reported at once.

use std::fs;
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use rcgen::{CertificateParams, KeyPair, date_time_ymd};
use serde_json::Value;
use tempfile::TempDir;
use tokenward_testbed::free_ports;

use crate::policy::token;
use crate::proxy::listening;
use crate::tokenward::{run, tokenward};

const TLS: &str = "[server.tls]\ncertificate = 'tls.pem'\nkey = 'tls.key'\n";

/// A policy and a configuration with these tables. Nothing in it is wrong.
fn configured(more: &str) -> TempDir {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    fs::create_dir(path.join("policies")).unwrap();
    fs::write(
        path.join("policies/ci.toml"),
        token("one", "01", "", "[get]/rest/x"),
    )
    .unwrap();
    let (address, tables) = listening();
    let scheme = if more.contains("[server.tls]") {
        "https"
    } else {
        "http"
    };
    let tables = format!("{tables}{more}\n[upstream]\npublic_url = '{scheme}://{address}'\n");
    fs::write(path.join("tokenward.toml"), tables).unwrap();
    directory
}

/// Writes a certificate that is valid until a year, and its key.
fn certify(directory: &Path, year: i32) {
    let key = KeyPair::generate().unwrap();
    let mut params = CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
    params.not_after = date_time_ymd(year, 1, 1);
    let certificate = params.self_signed(&key).unwrap();
    fs::write(directory.join("tls.pem"), certificate.pem()).unwrap();
    let path = directory.join("tls.key");
    fs::write(&path, key.serialize_pem()).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o640)).unwrap();
}

/// Runs the check; the exit code, and the items whose result is not `ok` or `skipped`, with their details.
fn check(directory: &Path, more: &[&str]) -> (i32, Vec<(String, String)>) {
    let arguments = [&["config", "check", "--json"], more].concat();
    let ran = run(directory, &arguments);
    let items = ran
        .out
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap());
    let wrong = items.filter(|item| item["result"] != "ok" && item["result"] != "skipped");
    let text = |item: &Value, name: &str| item[name].as_str().unwrap().to_owned();
    let wrong = wrong.map(|item| (text(&item, "item"), text(&item, "detail")));
    (ran.code, wrong.collect())
}

/// Checks that exactly one item is wrong, and for this reason.
#[track_caller]
fn is_wrong(directory: &Path, more: &[&str], subject: &str, detail: &str) {
    let (code, wrong) = check(directory, more);
    assert_eq!(code, 1, "{wrong:?}");
    let is_it = matches!(wrong.as_slice(), [(item, found)] if item == subject && found.contains(detail));
    assert!(is_it, "{wrong:?}");
}

#[test]
fn what_is_right_is_0_with_one_line_an_item() {
    let directory = configured(TLS);
    certify(directory.path(), 2400);
    let ran = run(directory.path(), &["config", "check"]);
    assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
    for text in [
        "ok          policy             policies: 1 token",
        "tls.pem, valid until 2400-01-01T00:00:00Z",
        "is free",
        "skipped     upstream           http://127.0.0.1:8090: not asked",
    ] {
        assert!(ran.out.contains(text), "{text}: {}", ran.out);
    }
    assert!(
        !directory.path().join(".tokenward").exists(),
        "the check changes nothing"
    );
}

#[test]
fn each_wrong_thing_is_named_with_its_cause() {
    let directory = configured(TLS);
    let path = directory.path();
    is_wrong_pair(path);
    certify(path, 2020);
    is_wrong(path, &[], "certificate", "has expired on 2020-01-01");
    certify(path, 2400);
    fs::set_permissions(path.join("tls.key"), fs::Permissions::from_mode(0o644)).unwrap();
    is_wrong(path, &[], "certificate key", "mode 644");
    certify(path, 2400);
    fs::write(path.join("policies/ci.toml"), token("one", "01", "", "/rest/(")).unwrap();
    is_wrong(path, &[], "policy", "1 error, the first at policies/ci.toml:");
    fs::write(path.join("policies/ci.toml"), token("one", "01", "", "/rest/x")).unwrap();
    fs::create_dir(path.join(".tokenward")).unwrap();
    fs::write(path.join(".tokenward/audit.revoked"), "sha256:00\n").unwrap();
    is_wrong(path, &[], "revocations", "audit.revoked:1");
    fs::remove_file(path.join(".tokenward/audit.revoked")).unwrap();
    assert_eq!(check(path, &[]), (0, Vec::new()));
}

#[test]
fn what_serve_would_refuse_of_a_policy_is_wrong() {
    let directory = configured("");
    let path = directory.path();
    let dead = token("one", "01", "", "![post]/secure/x\n/rest/x");
    fs::write(path.join("policies/ci.toml"), dead).unwrap();
    is_wrong(
        path,
        &[],
        "policy",
        "1 forbid line without effect, so calls of `one`",
    );
}

#[test]
fn a_user_without_credentials_is_wrong() {
    let directory = configured("[upstream.identity]\nmode = 'per-user'\ncredentials = 'users'\n");
    let path = directory.path();
    let users = |text: &str| {
        fs::write(path.join("users"), text).unwrap();
        fs::set_permissions(path.join("users"), fs::Permissions::from_mode(0o600)).unwrap();
    };
    users("# nobody yet\n");
    is_wrong(path, &[], "identity", "there are no credentials for `svc`");
    users("svc = { token = 'abc' }\n");
    assert_eq!(check(path, &[]), (0, Vec::new()));
}

/// A key of another certificate.
fn is_wrong_pair(path: &Path) {
    certify(path, 2400);
    let certificate = fs::read(path.join("tls.pem")).unwrap();
    certify(path, 2400);
    fs::write(path.join("tls.pem"), certificate).unwrap();
    is_wrong(path, &[], "certificate", "tls.pem");
}

#[test]
fn a_port_of_another_process_is_wrong_and_one_of_the_proxy_is_not() {
    let directory = configured("");
    let path = directory.path();
    let text = fs::read_to_string(path.join("tokenward.toml")).unwrap();
    let address = text.split('\'').nth(1).unwrap();
    let other = TcpListener::bind(address).unwrap();
    is_wrong(path, &[], "[server] listen", "in use by another process");
    drop(other);
    let _process = tokenward(path, &["serve"]).start();
    assert_eq!(run(path, &["health", "--wait", "20s"]).code, 0);
    assert_eq!(check(path, &[]), (0, Vec::new()));
}

#[test]
fn the_upstream_is_asked_on_demand() {
    let (port, _) = free_ports();
    let directory = configured("");
    let path = directory.path();
    let text = fs::read_to_string(path.join("tokenward.toml")).unwrap();
    fs::write(
        path.join("tokenward.toml"),
        format!("{text}url = 'http://127.0.0.1:{port}'\n"),
    )
    .unwrap();
    assert_eq!(check(path, &[]).0, 0);
    let address = format!("127.0.0.1:{port}: ");
    is_wrong(path, &["--ask-upstream"], "upstream", &address);
}

#[test]
fn a_start_reports_all_errors_at_once() {
    let directory = configured(TLS);
    let path = directory.path();
    fs::create_dir(path.join(".tokenward")).unwrap();
    fs::write(path.join(".tokenward/admin.secret"), "short\n").unwrap();
    fs::write(path.join(".tokenward/audit.revoked"), "sha256:00\n").unwrap();
    let ran = run(path, &["serve"]);
    assert_eq!(ran.code, 3);
    for text in ["for 3 reasons", "tls.pem", "admin.secret", "audit.revoked:1"] {
        assert!(ran.err.contains(text), "{text}: {}", ran.err);
    }
}
