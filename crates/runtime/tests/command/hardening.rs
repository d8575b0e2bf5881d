//! What a running proxy enforces on itself, and that files which are swapped while it runs still open.

use std::fs::{self, File};
use std::io::Read;
use std::net::{Ipv4Addr, TcpListener};
use std::os::unix::fs::{FileExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::thread;

use landlock::{ABI, AccessFs, LandlockStatus, Ruleset, RulesetAttr};
use rcgen::{CertificateParams, KeyPair};
use tokenward_testbed::{Running, eventually};

use crate::policy::token;
use crate::proxy::listening;
use crate::tokenward::{succeed, tokenward};

/// A proxy whose files are in directories of their own, and its log.
struct Hardened {
    top: tempfile::TempDir,
    process: Running,
}

impl Hardened {
    /// Starts a proxy with this setting. Its policy, certificate and credentials are behind links.
    fn start(hardening: &str) -> Self {
        Self::start_before(hardening, "url = 'http://127.0.0.1:1'")
    }

    /// Starts a proxy before this upstream.
    fn start_before(hardening: &str, upstream: &str) -> Self {
        let top = tempfile::tempdir().unwrap();
        let at = |path: &str| top.path().join(path);
        for directory in ["etc", "state", "outside"] {
            fs::create_dir(at(directory)).unwrap();
        }
        release(&at("releases/1"), "one");
        point(&at("srv/current"), "../releases/1");
        renew(&at(""), "archive/a", 1);
        credentials(&at("users"), "..1", "one");
        point(&at("users/users.toml"), "..data/users.toml");
        let (_, tables) = listening();
        fs::write(
            at("etc/tokenward.toml"),
            format!(
                "policies = '../srv/current/policies'\n{}\n\
                 [server.tls]\ncertificate = '../live/a/fullchain.pem'\nkey = '../live/a/privkey.pem'\n\
                 [upstream]\n{upstream}\n\
                 [upstream.identity]\nmode = 'per-user'\ncredentials = '../users/users.toml'\n\
                 [audit]\npath = '../state/audit'\n",
                tables
                    .replace("[server]\n", &format!("[server]\nhardening = '{hardening}'\n"))
                    .replace("[admin]\n", "[admin]\nsecret_file = '../state/admin.secret'\n")
            ),
        )
        .unwrap();
        let log = File::create(at("log")).unwrap();
        let process = tokenward(at("etc"), &["serve"]).start_with_log(log);
        Self { top, process }
    }

    fn at(&self, path: &str) -> PathBuf {
        self.top.path().join(path)
    }

    fn log(&self) -> String {
        fs::read_to_string(self.at("log")).unwrap()
    }

    /// Waits until the log, from a position on, contains a text.
    fn logs_after(&self, from: usize, text: &str) -> String {
        eventually(text, || {
            let log = self.log();
            let line = log.get(from..)?.lines().find(|line| line.contains(text));
            line.map(str::to_owned)
        })
    }

    /// Does something, and waits until the log has a new line with this text.
    fn then_logs(&self, act: impl FnOnce(), text: &str) -> String {
        let from = self.log().len();
        act();
        self.logs_after(from, text)
    }

    /// A field of the process's status in `/proc`, of each of its threads.
    fn of_each_thread(&self, field: &str) -> Vec<String> {
        let tasks = fs::read_dir(format!("/proc/{}/task", self.process.id())).unwrap();
        let statuses = tasks.filter_map(|task| fs::read_to_string(task.unwrap().path().join("status")).ok());
        statuses
            .map(|status| {
                let value = status.lines().find_map(|line| line.strip_prefix(field));
                value.unwrap().trim_start_matches(':').trim().to_owned()
            })
            .collect()
    }
}

/// Points a link to a target at once, as deployments do: a new link, renamed over the old one.
fn point(link: &Path, target: &str) {
    fs::create_dir_all(link.parent().unwrap()).unwrap();
    let beside = link.with_file_name(".new-link");
    symlink(target, &beside).unwrap();
    fs::rename(beside, link).unwrap();
}

fn release(directory: &Path, name: &str) {
    fs::create_dir_all(directory.join("policies")).unwrap();
    let text = token(name, "01", "", "[get]/rest/x");
    fs::write(directory.join("policies/tokens.toml"), text).unwrap();
}

/// Renews the certificate as certbot does: new files in an archive, to which the links are then pointed.
fn renew(top: &Path, archive: &str, number: u32) {
    let key = KeyPair::generate().unwrap();
    let params = CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
    let certificate = params.self_signed(&key).unwrap();
    fs::create_dir_all(top.join(archive)).unwrap();
    for (name, text) in [("fullchain", certificate.pem()), ("privkey", key.serialize_pem())] {
        write_private(&top.join(archive).join(format!("{name}{number}.pem")), &text);
        let target = format!("../../{archive}/{name}{number}.pem");
        point(&top.join(format!("live/a/{name}.pem")), &target);
    }
}

/// Publishes a version of the credentials as Kubernetes does: a new directory, to which `..data` is then pointed.
fn credentials(directory: &Path, version: &str, token: &str) {
    fs::create_dir_all(directory.join(version)).unwrap();
    let text = format!("alice = {{ token = \"{token}\" }}\n");
    write_private(&directory.join(version).join("users.toml"), &text);
    point(&directory.join("..data"), version);
}

/// Writes a file that only its owner can read, as the proxy requires of secrets.
fn write_private(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o600)).unwrap();
}

/// Whether the memory that a process can write contains a text.
fn memory_contains(process: u32, text: &str) -> bool {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).unwrap();
    let memory = File::open(format!("/proc/{process}/mem")).unwrap();
    let writable = maps.lines().filter(|line| line.contains(" rw"));
    let mut ranges = writable.filter_map(|line| line.split(' ').next()?.split_once('-'));
    ranges.any(|(from, to)| {
        let [from, to] = [from, to].map(|digits| u64::from_str_radix(digits, 16).unwrap());
        let mut bytes = vec![0; usize::try_from(to - from).unwrap()];
        // A range that was given back since is not read.
        let read = memory.read_exact_at(&mut bytes, from);
        read.is_ok() && memchr::memmem::find(&bytes, text.as_bytes()).is_some()
    })
}

/// The kernel's version of Landlock, found by restricting a thread that then ends.
fn landlock_of_this_kernel() -> ABI {
    let status = thread::spawn(|| {
        let ruleset = Ruleset::default().handle_access(AccessFs::Execute).unwrap();
        ruleset.create().unwrap().restrict_self().unwrap().landlock
    });
    match status.join().unwrap() {
        LandlockStatus::Available { effective_abi, .. } => effective_abi,
        LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => ABI::Unsupported,
    }
}

#[test]
fn the_log_says_what_this_kernel_enforces() {
    let proxy = Hardened::start("best-effort");
    let line = proxy.logs_after(0, "hardening: ");
    let (holds, missing) = line.split_once("missing=").unwrap_or((&line, ""));
    for text in ["no new privileges", "no core dumps", "not dumpable"] {
        assert!(holds.contains(text), "{text}: {line}");
    }
    let has = landlock_of_this_kernel();
    for (text, least) in [
        ("files (Landlock)", ABI::V1),
        ("TCP ports (Landlock)", ABI::V4),
        ("signals and abstract sockets (Landlock)", ABI::V6),
    ] {
        let said = if has >= least { holds } else { missing };
        assert!(said.contains(text), "{text}: {line}");
    }
    assert_eq!(line.contains("fully enforced"), has >= ABI::V6, "{line}");
    assert!(line.contains("/state\"") && line.contains("/releases"), "{line}");
}

#[test]
fn every_thread_is_restricted() {
    let proxy = Hardened::start("best-effort");
    proxy.logs_after(0, "serving");
    // Workers start after the first line that says so.
    eventually("all threads have started", || {
        (proxy.of_each_thread("NoNewPrivs").len() >= 8).then_some(())
    });
    let flags = proxy.of_each_thread("NoNewPrivs");
    assert!(flags.iter().all(|flag| flag == "1"), "{flags:?}");
    let limits = fs::read_to_string(format!("/proc/{}/limits", proxy.process.id())).unwrap();
    let core = limits
        .lines()
        .find(|line| line.starts_with("Max core file size"))
        .unwrap();
    assert_eq!(
        core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(),
        ["0", "0"]
    );
}

#[test]
fn swapped_links_and_renewed_files_still_open() {
    let proxy = Hardened::start("best-effort");
    proxy.logs_after(0, "serving");
    release(&proxy.at("releases/2"), "two");
    proxy.then_logs(
        || point(&proxy.at("srv/current"), "../releases/2"),
        "policy replaced",
    );
    // The directory itself is replaced by another one of its name.
    release(&proxy.at("releases/2/next"), "three");
    let rename = || {
        fs::rename(proxy.at("releases/2/policies"), proxy.at("releases/2/before")).unwrap();
        fs::rename(
            proxy.at("releases/2/next/policies"),
            proxy.at("releases/2/policies"),
        )
        .unwrap();
    };
    proxy.then_logs(rename, "policy replaced");
    for number in [2, 3] {
        proxy.then_logs(
            || renew(&proxy.at(""), "archive/a", number),
            "certificate replaced",
        );
    }
    for (version, secret) in [("..2", "two"), ("..3", "three")] {
        proxy.then_logs(
            || credentials(&proxy.at("users"), version, secret),
            "upstream credentials replaced",
        );
    }
    assert!(
        !proxy.log().contains("the hardening of this process"),
        "{}",
        proxy.log()
    );
    // What the proxy writes: a revocation, by the command, and the audit at its end.
    succeed(proxy.at("etc"), &["token", "revoke", "three"]);
    assert!(
        fs::read_to_string(proxy.at("state/audit.revoked"))
            .unwrap()
            .contains("sha256:")
    );
    let mut proxy = proxy;
    proxy.process.stop();
}

/// Resolving a name reads files of the system, and loads libraries.
#[test]
fn an_upstream_is_called_by_its_name() {
    let upstream = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    upstream.set_nonblocking(true).unwrap();
    let port = upstream.local_addr().unwrap().port();
    let keys = format!("url = 'http://localhost:{port}'\nhealth_path = '/status'\nhealth_interval = '1s'");
    let proxy = Hardened::start_before("best-effort", &keys);
    proxy.logs_after(0, "serving");
    let (mut called, _) = eventually("the upstream is asked for its health", || upstream.accept().ok());
    called.set_nonblocking(false).unwrap();
    let mut head = [0; 11];
    called.read_exact(&mut head).unwrap();
    assert_eq!(&head, b"GET /status");
}

/// Three threads that were started after the restriction, each with a file that was moved out of its reach.
#[test]
fn a_file_that_was_moved_outside_names_the_hardening() {
    if landlock_of_this_kernel() == ABI::Unsupported {
        // Then nothing is restricted, as the log says.
        return;
    }
    let proxy = Hardened::start("best-effort");
    proxy.logs_after(0, "serving");
    let blamed = "the hardening of this process may be the cause";
    release(&proxy.at("outside/policies-of-elsewhere"), "two");
    let act = || point(&proxy.at("srv/current"), "../outside/policies-of-elsewhere");
    let line = proxy.then_logs(act, "policy not replaced");
    assert!(
        line.contains(blamed) && line.contains("restart the proxy"),
        "{line}"
    );
    let line = proxy.then_logs(
        || renew(&proxy.at(""), "outside/archive", 9),
        "cannot load the changed certificate",
    );
    assert!(line.contains(blamed), "{line}");
    fs::write(proxy.at("outside/users.toml"), "alice = { token = \"x\" }\n").unwrap();
    let line = proxy.then_logs(
        || point(&proxy.at("users/users.toml"), "../outside/users.toml"),
        "cannot load the changed upstream credentials",
    );
    assert!(line.contains(blamed), "{line}");
    // What comes back is taken up again.
    release(&proxy.at("releases/3"), "three");
    proxy.then_logs(
        || point(&proxy.at("srv/current"), "../releases/3"),
        "policy replaced",
    );
}

#[test]
fn hardening_can_be_off() {
    let proxy = Hardened::start("off");
    proxy.logs_after(0, "serving");
    assert!(proxy.log().contains("hardening: disabled"), "{}", proxy.log());
    let ours = fs::read_to_string("/proc/self/status").unwrap();
    let ours = ours
        .lines()
        .find_map(|line| line.strip_prefix("NoNewPrivs:"))
        .unwrap()
        .trim();
    assert!(proxy.of_each_thread("NoNewPrivs").iter().all(|flag| flag == ours));
    release(&proxy.at("outside/policies-of-elsewhere"), "two");
    let act = || point(&proxy.at("srv/current"), "../outside/policies-of-elsewhere");
    proxy.then_logs(act, "policy replaced");
}

#[test]
fn what_is_required_and_not_enforced_keeps_the_proxy_from_starting() {
    let mut proxy = Hardened::start("required");
    if landlock_of_this_kernel() >= ABI::V6 {
        proxy.logs_after(0, "serving");
    } else {
        let ran = proxy.process.wait();
        assert_eq!(ran.code, 3, "{}", proxy.log());
        assert!(
            proxy.log().contains("does not enforce all of it"),
            "{}",
            proxy.log()
        );
    }
}

/// The text of the file, its parsed values and the header values that were made of them are overwritten.
#[test]
fn replaced_credentials_are_no_longer_in_memory() {
    const BEFORE: &str = "f1c2-the-credential-before-the-change";
    const AFTER: &str = "a7d9-the-credential-after-the-change";
    // A process that is not dumpable shows its memory to root only.
    let proxy = Hardened::start("off");
    let changed = "upstream credentials replaced";
    proxy.logs_after(0, "serving");
    proxy.then_logs(|| credentials(&proxy.at("users"), "..2", BEFORE), changed);
    let process = proxy.process.id();
    assert!(memory_contains(process, BEFORE), "the credential in use is found");
    proxy.then_logs(|| credentials(&proxy.at("users"), "..3", AFTER), changed);
    eventually("the credential before is overwritten", || {
        (!memory_contains(process, BEFORE)).then_some(())
    });
    assert!(memory_contains(process, AFTER), "the credential in use is found");
}
