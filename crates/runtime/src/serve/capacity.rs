//! How many connections and calls the process can have at once, by its memory and by its file descriptors.
//!
//! A process without a free descriptor accepts no connection, reads no policy and opens no file of the audit: nobody
//! could revoke a token. So connections and calls together leave a part of the descriptors free. Memory bounds the calls,
//! since each keeps buffers for as long as it waits.

use std::fs;
use std::path::{Path, PathBuf};

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use tokenward_pdp::config::{Config, Limits};

/// Minimum number of connections, and of calls in progress.
const LEAST: usize = 16;
/// Memory for a call that waits for the upstream, or for a client that reads nothing.
const CALL_BYTES: u64 = 256 * 1024;
/// The part of the memory that calls may use: one in so many.
const OF_MEMORY: u64 = 4;
/// Descriptors that connections and calls leave for the policy, the audit, the operators' listeners and all else.
const RESERVED: u64 = 192;
/// The same as a part of all descriptors, if that is more: one in so many.
const OF_DESCRIPTORS: u64 = 8;
/// Number of descriptors to ask for. Linux allows no process more unless its administrator changes that.
const DESCRIPTORS: u64 = 1 << 20;
/// Minimum number of accepted connections that may wait for a place. Further ones wait in the system's queue.
const WAITING: usize = 64;

/// Sets the numbers of connections and calls that the configuration leaves open, and lowers those for which the process
/// has too few descriptors. The first call must come before the process is restricted: it reads the system's files.
/// Further calls change nothing.
pub(super) fn settle(config: &mut Config) {
    let descriptors = raised_descriptors();
    let limits = &mut config.limits;
    let before = (limits.max_connections, limits.max_calls);
    fit(limits, by_memory(memory()), descriptors);
    let lowered =
        before.0 != limits.max_connections || before.1.is_some_and(|calls| Some(calls) != limits.max_calls);
    if lowered {
        tracing::warn!(
            descriptors,
            max_connections = limits.max_connections,
            max_calls = limits.max_calls,
            "connections and calls are limited further, since the process may open few files; raise its limit (`ulimit -n`, `LimitNOFILE=`)"
        );
    }
}

/// Raises the process's limit of descriptors as far as the system allows, and gives it. Many systems allow 1,024 to a
/// process that does not ask for more.
fn raised_descriptors() -> u64 {
    let limit = getrlimit(Resource::Nofile);
    let current = limit.current.unwrap_or(u64::MAX);
    let wanted = limit.maximum.unwrap_or(DESCRIPTORS).min(DESCRIPTORS);
    if current >= wanted {
        return current;
    }
    let raised = Rlimit {
        current: Some(wanted),
        maximum: limit.maximum,
    };
    match setrlimit(Resource::Nofile, raised) {
        Ok(()) => wanted,
        Err(error) => {
            tracing::warn!(
                error = error.to_string(),
                descriptors = current,
                "cannot raise the limit of file descriptors"
            );
            current
        }
    }
}

/// Gives the number of accepted connections that may wait for a place.
pub(super) fn waiting(connections: usize) -> usize {
    WAITING.max(connections / 8)
}

/// Gives the number of idle connections to the upstream that are kept.
pub(super) fn idle(calls: usize) -> usize {
    calls / 4
}

/// Fits connections and calls into the descriptors. A connection needs one, and so do a call and an idle connection to the
/// upstream.
///
/// If the configuration sets no number of calls, there are as many as connections: a connection keeps its place during a
/// call, so that a token with half of the calls leaves half of the places to others.
fn fit(limits: &mut Limits, by_memory: usize, descriptors: u64) {
    let usable = descriptors.saturating_sub(RESERVED.max(descriptors / OF_DESCRIPTORS));
    let usable = usize::try_from(usable).unwrap_or(usize::MAX);
    // At most 9/8 of the connections and `WAITING` are accepted, and 5/4 are to the upstream.
    let most = usable.saturating_sub(WAITING) / 19 * 8;
    if limits.max_connections > most {
        limits.max_connections = most.max(LEAST);
        for of_network in [
            &mut limits.max_connections_per_client,
            &mut limits.max_connections_per_56,
            &mut limits.max_connections_per_48,
        ] {
            *of_network = limits.max_connections.div_ceil(2).min(*of_network);
        }
    }
    let accepted = limits
        .max_connections
        .saturating_add(waiting(limits.max_connections));
    let most = usable.saturating_sub(accepted) / 5 * 4;
    let calls = limits
        .max_calls
        .unwrap_or_else(|| limits.max_connections.min(by_memory));
    limits.max_calls = Some(calls.min(most).max(LEAST));
}

fn by_memory(memory: Option<u64>) -> usize {
    let calls = memory.map_or(u64::MAX, |bytes| bytes / OF_MEMORY / CALL_BYTES);
    usize::try_from(calls).unwrap_or(usize::MAX)
}

/// Gives the memory that the process may use, in bytes: that of its control group, or of the machine.
fn memory() -> Option<u64> {
    let own = fs::read_to_string("/proc/self/cgroup").unwrap_or_default();
    let groups = limits_of(&own, Path::new("/sys/fs/cgroup"));
    let machine = fs::read_to_string("/proc/meminfo").ok();
    let machine = machine.as_deref().and_then(machine_total);
    let groups = groups.filter_map(|file| fs::read_to_string(file).ok()?.trim().parse().ok());
    groups.chain(machine).min()
}

/// Lists the files that may limit a process with this `/proc/self/cgroup`: those of its groups and of all groups around
/// these. A group within a container may appear as the root.
fn limits_of(own: &str, root: &Path) -> impl Iterator<Item = PathBuf> {
    let groups = own.lines().filter_map(|line| {
        let (_, rest) = line.split_once(':')?;
        let (controllers, group) = rest.split_once(':')?;
        let (base, file) = match controllers {
            "" => (root.to_owned(), "memory.max"),
            _ if controllers.split(',').any(|name| name == "memory") => {
                (root.join("memory"), "memory.limit_in_bytes")
            }
            _ => return None,
        };
        let group = base.join(group.trim_start_matches('/'));
        let around = group.ancestors().take_while(|path| path.starts_with(&base));
        Some(around.map(|path| path.join(file)).collect::<Vec<_>>())
    });
    groups.collect::<Vec<_>>().into_iter().flatten()
}

/// Reads the machine's memory in bytes from `/proc/meminfo`.
fn machine_total(text: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fitted(connections: usize, calls: Option<usize>, descriptors: u64) -> Limits {
        let mut limits = Limits {
            max_connections: connections,
            max_calls: calls,
            ..Limits::default()
        };
        fit(&mut limits, 5000, descriptors);
        limits
    }

    #[test]
    fn connections_and_calls_leave_descriptors_free() {
        for descriptors in [400, 1024, 4096, 20_000, 65_536, 1 << 20] {
            for (connections, calls) in [(4096, None), (1_000_000, Some(1_000_000)), (100, Some(100))] {
                let limits = fitted(connections, calls, descriptors);
                let (connections, calls) = (limits.max_connections, limits.max_calls.unwrap());
                let used = connections + waiting(connections) + calls + idle(calls);
                let free = descriptors.checked_sub(used as u64).unwrap();
                assert!(
                    free >= RESERVED && free >= descriptors / OF_DESCRIPTORS,
                    "{connections} {calls} of {descriptors}"
                );
                assert!(
                    connections >= 50 && calls >= 50,
                    "{connections} {calls} of {descriptors}"
                );
            }
        }
        let limits = fitted(4096, None, u64::MAX);
        assert_eq!((limits.max_connections, limits.max_calls), (4096, Some(4096)));
        let limits = fitted(100_000, None, u64::MAX);
        assert_eq!(limits.max_calls, Some(5000), "by memory");
        let limits = fitted(100, None, 0);
        assert_eq!((limits.max_connections, limits.max_calls), (LEAST, Some(LEAST)));
    }

    #[test]
    fn no_address_has_all_of_few_connections() {
        let limits = fitted(4096, None, 400);
        assert!(limits.max_connections_per_48 <= limits.max_connections.div_ceil(2));
        assert!(limits.max_connections_per_client <= limits.max_connections.div_ceil(2));
        // What fits stays as it was configured.
        let limits = fitted(100, None, 20_000);
        assert_eq!(limits.max_connections_per_client, 512);
    }

    #[test]
    fn calls_are_bounded_by_memory() {
        assert_eq!(by_memory(None), usize::MAX);
        assert_eq!(by_memory(Some(1 << 30)), 1024);
        assert_eq!(by_memory(Some(1 << 10)), 0);
    }

    #[test]
    fn the_memory_is_that_of_the_groups_around_the_process() {
        let files = |own: &str| -> Vec<String> {
            limits_of(own, Path::new("/c"))
                .map(|path| path.display().to_string())
                .collect()
        };
        assert_eq!(
            files("0::/a/b\n"),
            ["/c/a/b/memory.max", "/c/a/memory.max", "/c/memory.max"]
        );
        assert_eq!(files("0::/\n"), ["/c/memory.max"]);
        assert_eq!(
            files("12:cpu:/x\n4:hugetlb,memory:/d\n"),
            [
                "/c/memory/d/memory.limit_in_bytes",
                "/c/memory/memory.limit_in_bytes"
            ]
        );
        assert_eq!(files("nonsense"), [""; 0]);
        assert_eq!(
            machine_total("MemFree: 1 kB\nMemTotal:       24 kB\n"),
            Some(24 * 1024)
        );
        assert_eq!(machine_total("MemTotal: many"), None);
    }
}
