//! Generated pairs of policies, each judged in every way (`tokenward_tests::oracle`).
//!
//! A pair is drawn from a seed and its number, so one that fails fails again: `PROPTEST_RNG_SEED=… TOKENWARD_FIRST_PAIR=…`.

#![expect(clippy::expect_used, reason = "what fails here fails the test")]

use std::{
    sync::atomic::{AtomicUsize, Ordering},
    thread,
    time::{Instant, SystemTime},
};

use proptest::{
    strategy::{Strategy, ValueTree},
    test_runner::{Config, RngAlgorithm, TestRng, TestRunner},
};
use tokenward_tests::oracle::{self, Tally};

#[test]
fn pairs_are_judged_alike_in_every_way() {
    let began = Instant::now();
    let seed = number("PROPTEST_RNG_SEED").unwrap_or_else(|| {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH);
        now.map_or(0, |now| now.as_secs())
    });
    let first = count("TOKENWARD_FIRST_PAIR", 0);
    let end = first + count("TOKENWARD_PAIRS", 200);
    let next = AtomicUsize::new(first);
    let judge = || {
        let mut tally = Tally::default();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= end {
                return tally;
            }
            let _named = Named { seed, at };
            tally = tally.and(oracle::judge(&drawn(seed, at, oracle::pair())));
        }
    };
    let workers = thread::available_parallelism().map_or(1, usize::from);
    let tally = thread::scope(|scope| {
        let handles: Vec<_> = (0..workers).map(|_| scope.spawn(judge)).collect();
        let tallies = handles.into_iter().map(|handle| match handle.join() {
            Ok(tally) => tally,
            Err(panic) => std::panic::resume_unwind(panic),
        });
        tallies.fold(Tally::default(), Tally::and)
    });
    println!("seed {seed}, {:.0} s: {tally:?}", began.elapsed().as_secs_f64());
    // Fewer than one of 10,000 questions is left open.
    assert!(tally.inconclusive * 10_000 <= tally.questions, "{tally:?}");
}

/// Names the pair that a panic interrupts.
struct Named {
    seed: u64,
    at: usize,
}

impl Drop for Named {
    fn drop(&mut self) {
        if thread::panicking() {
            eprintln!(
                "PROPTEST_RNG_SEED={} TOKENWARD_FIRST_PAIR={} TOKENWARD_PAIRS=1 draws the pair again",
                self.seed, self.at
            );
        }
    }
}

fn drawn<T: std::fmt::Debug>(seed: u64, at: usize, strategy: impl Strategy<Value = T>) -> T {
    let mut bytes = [0; 32];
    for (byte, from) in bytes
        .iter_mut()
        .zip(seed.to_le_bytes().into_iter().chain(at.to_le_bytes()))
    {
        *byte = from;
    }
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    strategy.new_tree(&mut runner).expect("generates").current()
}

fn number(name: &str) -> Option<u64> {
    std::env::var(name).ok()?.parse().ok()
}

fn count(name: &str, otherwise: usize) -> usize {
    number(name)
        .and_then(|number| usize::try_from(number).ok())
        .unwrap_or(otherwise)
}

/// Pairs in front of products that merge query and body are held against the proxy's own judgement of names.
#[test]
fn names_are_compared_as_the_proxy_judges_them() {
    let seed = number("PROPTEST_RNG_SEED").unwrap_or(0);
    let first = count("TOKENWARD_FIRST_PAIR", 0);
    let mut tally = Tally::default();
    // A pair takes as long as a hundred of those without merged names.
    for at in first..first + (count("TOKENWARD_PAIRS", 1_600) / 160).max(1) {
        let _named = Named { seed, at };
        tally = tally.and(oracle::judge_names(&drawn(seed, at, oracle::name_pair())).unwrap_or_default());
    }
    println!("seed {seed}: {tally:?}");
    assert!(tally.inconclusive * 20 <= tally.questions, "{tally:?}");
}
