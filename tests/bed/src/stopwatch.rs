//! Time that something took on a machine that is busy with other work.

use std::collections::HashMap;
use std::fs;
use std::time::{Duration, Instant};

/// Measures a promised time ("within a second"), so that a busy machine does not break the promise: time in which a thread
/// was ready to run and had to wait for a processor is not counted.
///
/// Linux reports this time for each thread. It is summed over all threads of this process, and of other processes that take
/// part. On other systems all time counts.
#[derive(Debug)]
pub struct Stopwatch {
    begun: Instant,
    processes: Vec<u32>,
    // By process and thread.
    waited: HashMap<(u32, u32), Duration>,
}

impl Stopwatch {
    /// Starts to measure this process.
    #[must_use]
    pub fn start() -> Self {
        Self::with(&[])
    }

    /// Starts to measure this process together with the processes of these ids.
    #[must_use]
    pub fn with(others: &[u32]) -> Self {
        let mut processes = others.to_vec();
        processes.push(std::process::id());
        Self {
            waited: waited(&processes),
            processes,
            begun: Instant::now(),
        }
    }

    /// The time since the start, without the time of waiting for a processor.
    #[must_use]
    pub fn took(&self) -> Duration {
        let elapsed = self.begun.elapsed();
        let waits = waited(&self.processes).into_iter().map(|(thread, now)| {
            let before = self.waited.get(&thread).copied();
            now.saturating_sub(before.unwrap_or_default())
        });
        elapsed.saturating_sub(waits.sum())
    }
}

/// How long each thread of these processes has waited for a processor so far.
fn waited(processes: &[u32]) -> HashMap<(u32, u32), Duration> {
    let mut found = HashMap::new();
    for process in processes {
        let threads = fs::read_dir(format!("/proc/{process}/task"))
            .into_iter()
            .flatten();
        for thread in threads.flatten() {
            let name = thread.file_name();
            let number = name.to_str().and_then(|name| name.parse().ok());
            // Running and waiting time in nanoseconds, and the number of turns.
            let times = fs::read_to_string(thread.path().join("schedstat"));
            let waited = times.ok().and_then(|times| times.split(' ').nth(1)?.parse().ok());
            if let (Some(number), Some(nanoseconds)) = (number, waited) {
                found.insert((*process, number), Duration::from_nanos(nanoseconds));
            }
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sleeping_counts_and_waiting_for_a_processor_does_not() {
        let pause = Duration::from_millis(50);
        let watch = Stopwatch::start();
        std::thread::sleep(pause);
        assert!(watch.begun.elapsed() >= pause && watch.took() <= watch.begun.elapsed());
        // More threads than processors: most of them wait most of the time.
        let work = || {
            let begun = Instant::now();
            while begun.elapsed() < pause * 4 {
                std::hint::black_box(begun);
            }
            Stopwatch::took(&watch)
        };
        let threads = std::thread::available_parallelism().map_or(1, usize::from) * 4;
        let took: Vec<_> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(
            !cfg!(target_os = "linux") || took.iter().any(|took| *took < pause * 4),
            "{took:?}"
        );
    }
}
