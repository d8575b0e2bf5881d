//! Asks the kernel for the restrictions, and reports which of them it enforces.

use std::fs;
use std::os::fd::OwnedFd;
use std::path::Path;

use landlock::{
    ABI, Access, AccessFs, AccessNet, BitFlags, CompatLevel, Compatible, LandlockStatus, NetPort,
    PathBeneath, Ruleset, RulesetAttr, RulesetCreated, RulesetCreatedAttr, RulesetError, Scope,
};
use rustix::fs::{CWD, Mode, OFlags, openat};
use rustix::process::{DumpableBehavior, Resource, Rlimit, set_dumpable_behavior, setrlimit};
use rustix::thread::set_no_new_privs;

use super::grants::Grants;

/// The newest interface of Landlock whose restrictions are requested. A newer one may deny accesses that nobody has tested
/// with the proxy.
const TESTED: ABI = ABI::V7;

/// Names of the restrictions, for the log, each with the first interface of Landlock that has it.
const FILES: (&str, ABI) = ("files (Landlock)", ABI::V1);
const PORTS: (&str, ABI) = ("TCP ports (Landlock)", ABI::V4);
const SCOPES: (&str, ABI) = ("signals and abstract sockets (Landlock)", ABI::V6);

/// The restrictions that hold, and those that do not.
#[derive(Debug, Default)]
pub(super) struct Held {
    /// Names of the enforced restrictions.
    pub(super) holds: Vec<String>,
    /// Names of the others, each with its reason.
    pub(super) missing: Vec<String>,
    /// Whether the access to files is restricted.
    pub(super) files: bool,
}

impl Held {
    fn note(&mut self, name: &str, result: Result<(), String>) {
        match result {
            Ok(()) => self.holds.push(name.to_owned()),
            Err(why) => self.missing.push(format!("{name}: {why}")),
        }
    }
}

/// Restricts the process. What fails is reported, and the rest is still done.
pub(super) fn restrict(grants: &Grants) -> Held {
    let mut held = Held::default();
    let text = |error: rustix::io::Errno| error.to_string();
    held.note("no new privileges", set_no_new_privs(true).map_err(text));
    let none = Rlimit {
        current: Some(0),
        maximum: Some(0),
    };
    held.note("no core dumps", setrlimit(Resource::Core, none).map_err(text));
    // Others of the same user can then neither trace the process nor read its memory.
    let undumpable = set_dumpable_behavior(DumpableBehavior::NotDumpable);
    held.note("not dumpable", undumpable.map_err(text));
    landlock(grants, &mut held);
    held
}

fn landlock(grants: &Grants, held: &mut Held) {
    let wanted = [(FILES, !grants.writes_root), (PORTS, true), (SCOPES, true)];
    // Before the restriction, which closes `/proc` too.
    let threads = other_threads();
    let version = match enforce(grants) {
        Ok(LandlockStatus::Available { effective_abi, .. }) => Ok(effective_abi),
        Ok(LandlockStatus::NotEnabled) => {
            Err("Landlock is not enabled in this kernel (boot option `lsm=`)".to_owned())
        }
        Ok(_) => Err("this kernel has no Landlock, or a filter of system calls forbids it".to_owned()),
        Err(error) => Err(error.to_string()),
    };
    for ((name, least), possible) in wanted {
        let result = match &version {
            _ if !possible => {
                Err("[audit] path, or the missing [admin] secret_file, is directly below `/`; give it a directory of its own".to_owned())
            }
            Err(why) => Err(why.clone()),
            Ok(has) if *has < least => Err(format!(
                "this kernel's Landlock is of version {}, not {}",
                *has as i32, least as i32
            )),
            Ok(_) if threads > 0 => Err(format!("{threads} threads were started before")),
            Ok(_) => Ok(()),
        };
        held.files |= name == FILES.0 && result.is_ok();
        held.note(name, result);
    }
}

/// Returns the reason why this kernel cannot enforce all restrictions, if there is one. Restricts only a thread that then ends.
pub(super) fn unsupported() -> Option<String> {
    let probe = std::thread::spawn(|| {
        let ruleset = Ruleset::default()
            .set_compatibility(CompatLevel::BestEffort)
            .handle_access(AccessFs::Execute)?;
        Ok::<_, RulesetError>(ruleset.create()?.restrict_self()?.landlock)
    });
    let needed = SCOPES.1;
    match probe.join() {
        Ok(Ok(LandlockStatus::Available { effective_abi, .. })) if effective_abi >= needed => None,
        Ok(Ok(LandlockStatus::Available { effective_abi, .. })) => Some(format!(
            "this kernel's Landlock is of version {}, not {}",
            effective_abi as i32, needed as i32
        )),
        Ok(Ok(LandlockStatus::NotEnabled)) => {
            Some("Landlock is not enabled in this kernel (boot option `lsm=`)".to_owned())
        }
        Ok(Ok(_)) => Some("this kernel has no Landlock, or a filter of system calls forbids it".to_owned()),
        Ok(Err(error)) => Some(error.to_string()),
        Err(_) => Some("the kernel could not be asked".to_owned()),
    }
}

/// Enforces as much as this kernel can; returns its version of Landlock.
fn enforce(grants: &Grants) -> Result<LandlockStatus, RulesetError> {
    let mut ruleset = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessNet::from_all(TESTED))?
        .scope(Scope::from_all(TESTED))?;
    if !grants.writes_root {
        ruleset = ruleset.handle_access(AccessFs::from_all(TESTED))?;
    }
    let mut created = ruleset.create()?;
    if !grants.writes_root {
        created = files(created, grants)?;
    }
    for port in &grants.bind {
        created = created.add_rule(NetPort::new(*port, AccessNet::BindTcp))?;
    }
    for port in &grants.connect {
        created = created.add_rule(NetPort::new(*port, AccessNet::ConnectTcp))?;
    }
    Ok(created.restrict_self()?.landlock)
}

fn files(mut created: RulesetCreated, grants: &Grants) -> Result<RulesetCreated, RulesetError> {
    // Nothing is ever executed, in no directory.
    let read = AccessFs::ReadFile | AccessFs::ReadDir;
    let write = read
        | AccessFs::WriteFile
        | AccessFs::Truncate
        | AccessFs::MakeReg
        | AccessFs::MakeDir
        | AccessFs::RemoveFile
        | AccessFs::RemoveDir;
    for (paths, access) in [(&grants.read, read), (&grants.write, write)] {
        for path in paths {
            // A path that has vanished since is not granted.
            if let Some((opened, access)) = opened(path, access) {
                created = created.add_rule(PathBeneath::new(opened, access))?;
            }
        }
    }
    Ok(created)
}

/// Opens a path for a rule, with the rights that its kind can have.
fn opened(path: &Path, access: BitFlags<AccessFs>) -> Option<(OwnedFd, BitFlags<AccessFs>)> {
    let opened = openat(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty()).ok()?;
    let access = if path.is_dir() {
        access
    } else {
        access & AccessFs::from_file(TESTED)
    };
    Some((opened, access))
}

/// Number of threads besides this one. They are not restricted.
fn other_threads() -> usize {
    fs::read_dir("/proc/self/task").map_or(0, |tasks| tasks.count().saturating_sub(1))
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::fs::File;
    use std::io::ErrorKind;
    use std::net::{Ipv4Addr, TcpListener, TcpStream};
    use std::process::Command;
    use std::thread;

    use super::*;

    fn kind<T>(result: std::io::Result<T>) -> Option<ErrorKind> {
        result.err().map(|error| error.kind())
    }

    /// The restriction is for one thread and those that it starts, so the other tests of this process go on without it.
    fn on_a_restricted_thread(grants: &Grants, check: impl FnOnce(ABI) + Send) {
        thread::scope(|scope| {
            let checked = scope.spawn(|| match enforce(grants).unwrap() {
                LandlockStatus::Available { effective_abi, .. } => check(effective_abi),
                // What this kernel cannot do is reported, and the test of the log checks the report.
                LandlockStatus::NotEnabled | LandlockStatus::NotImplemented => {}
            });
            checked.join().unwrap();
        });
    }

    #[test]
    fn threads_that_were_started_before_are_reported() {
        let held = thread::scope(|scope| {
            // This test runs on a thread besides the one that is restricted.
            let restricted = scope.spawn(|| {
                let mut held = Held::default();
                landlock(&Grants::default(), &mut held);
                held
            });
            restricted.join().unwrap()
        });
        assert_eq!((held.holds.len(), held.missing.len()), (0, 3), "{held:?}");
        assert!(!held.files);
        let reason = held.missing.first().unwrap();
        assert!(
            reason.contains("threads were started before") || reason.contains("Landlock"),
            "{reason}"
        );
    }

    #[test]
    fn granted_files_and_ports_only_are_reached() {
        let folder = tempfile::tempdir().unwrap();
        let [read, write, other] = ["read", "write", "other"].map(|name| folder.path().join(name));
        for directory in [&read, &write, &other] {
            fs::create_dir(directory).unwrap();
            fs::write(directory.join("file"), "x").unwrap();
        }
        let (granted, denied) = (
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(),
            TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap(),
        );
        let [granted, denied] = [granted.local_addr().unwrap(), denied.local_addr().unwrap()];
        let grants = Grants {
            read: BTreeSet::from([read.clone()]),
            write: BTreeSet::from([write.clone()]),
            writes_root: false,
            bind: BTreeSet::from([0]),
            connect: BTreeSet::from([granted.port()]),
        };
        on_a_restricted_thread(&grants, |has| {
            const DENIED: Option<ErrorKind> = Some(ErrorKind::PermissionDenied);
            assert_eq!(fs::read_to_string(read.join("file")).unwrap(), "x");
            assert_eq!(kind(fs::read_dir(&read)), None);
            assert_eq!(kind(fs::write(read.join("file"), "y")), DENIED);
            assert_eq!(kind(fs::write(read.join("new"), "y")), DENIED);
            assert_eq!(kind(fs::remove_file(read.join("file"))), DENIED);

            fs::write(write.join("file"), "y").unwrap();
            fs::create_dir(write.join("day")).unwrap();
            fs::write(write.join("day/new"), "y").unwrap();
            fs::rename(write.join("day/new"), write.join("day/renamed")).unwrap();
            fs::remove_dir_all(write.join("day")).unwrap();
            assert_eq!(
                kind(std::os::unix::fs::symlink("file", write.join("link"))),
                DENIED
            );

            assert_eq!(kind(File::open(other.join("file"))), DENIED);
            assert_eq!(kind(fs::read_dir(&other)), DENIED);
            assert_eq!(
                kind(Command::new("/bin/true").status()),
                DENIED,
                "nothing is executed"
            );
            // Threads that are started later inherit it.
            let inherited = thread::spawn(move || kind(File::open(other.join("file"))));
            assert_eq!(inherited.join().unwrap(), DENIED);
            if has >= PORTS.1 {
                assert_eq!(kind(TcpStream::connect(granted)), None);
                assert_eq!(kind(TcpStream::connect(denied)), DENIED);
                assert_eq!(kind(TcpListener::bind((Ipv4Addr::LOCALHOST, 0))), None);
                assert_eq!(
                    kind(TcpListener::bind((Ipv4Addr::LOCALHOST, granted.port()))),
                    DENIED
                );
            }
        });
    }
}
