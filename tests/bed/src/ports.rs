//! Ports for a `tokenward` that is started as a command, which must be told them before it can bind them.

use std::net::{Ipv4Addr, TcpListener};
use std::process;
use std::sync::atomic::{AtomicU32, Ordering};

/// The first of the ports to try.
const FIRST: u32 = 20_000;
/// Linux hands out ports from here on (`net.ipv4.ip_local_port_range`).
const HANDED_OUT: u32 = 32_768;

/// Two free ports of 127.0.0.1. Those that the system hands out begin above them, so that no listener on "any port" and no
/// client of another test gets one between here and its use; processes begin at ports of their own, and none is given twice.
///
/// # Panics
/// None is left.
#[must_use]
pub fn free_ports() -> (u16, u16) {
    static TRIED: AtomicU32 = AtomicU32::new(0);
    let mut free = (FIRST..HANDED_OUT).filter_map(|_| {
        let at = process::id() * 2 + TRIED.fetch_add(1, Ordering::Relaxed);
        let port = u16::try_from(FIRST + at % (HANDED_OUT - FIRST)).ok()?;
        TcpListener::bind((Ipv4Addr::LOCALHOST, port))
            .is_ok()
            .then_some(port)
    });
    (
        free.next().expect("a free port"),
        free.next().expect("a free port"),
    )
}
