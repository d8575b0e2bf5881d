//! What a round measured, and the table of medians.

use std::fs::File;
use std::io::Write;
use std::path::Path;
use std::time::{Duration, Instant};

use crate::Failure;

/// One round of one peer.
#[derive(Clone)]
pub struct Round {
    pub took: Duration,
    pub cpu: Duration,
    /// How long each record was waited for, sorted.
    pub waits: Vec<Duration>,
    pub disk_bytes: u64,
}

impl Round {
    fn per_second(&self) -> f64 {
        self.waits.len() as f64 / self.took.as_secs_f64()
    }

    fn wait(&self, thousandths: usize) -> Duration {
        self.waits
            .get(self.waits.len() * thousandths / 1000)
            .copied()
            .unwrap_or_default()
    }
}

/// The rounds of one peer.
pub struct Measured {
    name: &'static str,
    rounds: Vec<Round>,
}

impl Measured {
    pub fn of(name: &'static str) -> Self {
        Self {
            name,
            rounds: Vec::new(),
        }
    }

    pub fn add(&mut self, round: Round) {
        self.rounds.push(round);
    }
}

/// Median and 99th percentile of the disk's own answer to a small write.
pub fn fdatasync(root: &Path) -> Result<(Duration, Duration), Failure> {
    std::fs::create_dir_all(root)?;
    let mut file = File::create(root.join("sync"))?;
    let mut times = Vec::new();
    for _ in 0..500 {
        file.write_all(&[7; 4096])?;
        let begun = Instant::now();
        file.sync_data()?;
        times.push(begun.elapsed());
    }
    times.sort_unstable();
    let at = |n: usize| times.get(n).copied().unwrap_or_default();
    Ok((at(250), at(495)))
}

/// Rounds in the order of their speed, the first peer's processor time taken off the others'.
pub fn print(measured: Vec<Measured>) {
    let mut alone = None;
    println!("                            calls/s   wait p50   wait p99   cpu/call  of it its own  disk/call");
    for mut peer in measured {
        peer.rounds
            .sort_by(|a, b| a.per_second().total_cmp(&b.per_second()));
        let Some(round) = peer.rounds.get(peer.rounds.len() / 2) else {
            continue;
        };
        let calls = round.waits.len().max(1) as f64;
        let cpu = round.cpu.as_secs_f64() * 1e6 / calls;
        let own = cpu - *alone.get_or_insert(cpu);
        println!(
            "{:26} {:>8.0} {:>8.2}ms {:>8.2}ms {:>8.2}us {:>12.2}us {:>8.0} B",
            peer.name,
            round.per_second(),
            round.wait(500).as_secs_f64() * 1e3,
            round.wait(990).as_secs_f64() * 1e3,
            cpu,
            own,
            round.disk_bytes as f64 / calls,
        );
    }
}
