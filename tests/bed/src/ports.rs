//! Ports for a `tokenward` that is started as a command, which must be told them before it can bind them.

use std::fs::{self, File};
use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Mutex, PoisonError};

/// The first of the ports to try.
const FIRST: u32 = 20_000;
/// Linux hands out ports from here on (`net.ipv4.ip_local_port_range`).
const HANDED_OUT: u32 = 32_768;

/// Two free ports of 127.0.0.1. The system assigns only higher ports, so that no listener on "any port" and no client of
/// another test gets one between here and its use. No other test gets one either: each is locked until this process ends.
///
/// # Panics
/// None is left.
#[must_use]
pub fn free_ports() -> (u16, u16) {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let mut free = (FIRST..HANDED_OUT).filter_map(|_| {
        // Processes begin at different ports, so that they seldom meet.
        let at = process::id() * 2 + TRIED.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(FIRST + at % (HANDED_OUT - FIRST)).ok()?;
        let is_free = lock(port) && TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok();
        is_free.then_some(port)
    });
    (
        free.next().expect("a free port"),
        free.next().expect("a free port"),
    )
}

/// Locks a port for this process, by a file that all processes of tests know; `false` if another one has it.
fn lock(port: u16) -> bool {
    static LOCKED: Mutex<Vec<File>> = Mutex::new(Vec::new());
    let folder = std::env::temp_dir().join("tokenward-test-ports");
    // It may be there already. If it is another user's, no port can be locked: the bind alone decides then.
    let _ = fs::create_dir(&folder);
    let Ok(file) = File::options()
        .create(true)
        .truncate(false)
        .write(true)
        .open(folder.join(port.to_string()))
    else {
        return true;
    };
    let is_locked = file.try_lock().is_ok();
    if is_locked {
        LOCKED.lock().unwrap_or_else(PoisonError::into_inner).push(file);
    }
    is_locked
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_given_to_one_process_only() {
        let (first, second) = free_ports();
        assert_ne!(first, second);
        // The lock belongs to the open file: a second open, as in another process, does not get it.
        assert!(!lock(first) && !lock(second));
        assert!(TcpListener::bind((Ipv4Addr::LOCALHOST, first)).is_ok());
    }
}
