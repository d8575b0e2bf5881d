//! The audit store beside SQLite and an appended file: see README.md.

mod calls;
mod peers;
mod report;

use std::path::PathBuf;
use std::time::Duration;

use peers::Peer;
use report::Measured;

pub type Failure = Box<dyn std::error::Error + Send + Sync>;

/// Most records of one commit, as in the store.
const BATCH: usize = 8192;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let mut number = |default: u64| arguments.next().map_or(Ok(default), |text| text.parse());
    let appenders = number(4096)?;
    let seconds = Duration::from_secs(number(5)?);
    let rounds = number(3)?;
    // Below it, as what is made is removed again.
    let root = std::env::args()
        .nth(4)
        .map_or_else(std::env::temp_dir, PathBuf::from)
        .join("tokenward-audit-peers");
    let peers = [
        Peer::Nothing,
        Peer::Store,
        Peer::Sqlite { batch: BATCH },
        Peer::File { batch: BATCH },
        Peer::Sqlite { batch: 1 },
        Peer::File { batch: 1 },
    ];
    let sync = report::fdatasync(&root)?;
    let mut measured: Vec<Measured> = peers.iter().map(|peer| Measured::of(peer.name())).collect();
    for _ in 0..rounds {
        for (peer, measured) in peers.iter().zip(&mut measured) {
            let _ = std::fs::remove_dir_all(&root);
            std::fs::create_dir_all(&root)?;
            // Without group commit more appenders only wait longer, and hold the run up.
            let appenders = if peer.is_single() { appenders.min(16) } else { appenders };
            measured.add(peer.run(appenders, seconds, &root)?);
        }
    }
    let _ = std::fs::remove_dir_all(&root);
    println!("fdatasync of this disk, 4 KiB each: p50 {:?}, p99 {:?}", sync.0, sync.1);
    println!("{appenders} appenders (16 where each commits alone), {rounds} rounds of {seconds:?} each, alternating; the median round");
    report::print(measured);
    Ok(())
}
