//! The engines in turn: a batch each, again and again.

use std::{hint::black_box, time::Duration};

use cpu_time::ThreadTime;

use crate::{
    corpus::{Call, Kind, LINES, call},
    engine::{Engine, Failure},
};

/// How often each engine has its turn; medians are taken over these.
const ROUNDS: usize = 9;
/// What a turn is to last, of the processor's time; slow engines answer one call all the same.
const TURN: Duration = Duration::from_millis(30);
/// Different tokens whose calls are asked in turn, at most.
const VISITED: usize = 4096;
/// Calls whose answers are compared before anything is measured.
const COMPARED: usize = 40;

/// An engine and what came out.
pub struct Row {
    pub name: &'static str,
    engine: Box<dyn Engine>,
    /// How long it took to make the engine ready.
    pub built: Duration,
    /// For each question, nanoseconds a decision in each round.
    pub rounds: Vec<Vec<f64>>,
}

impl Row {
    pub fn new(name: &'static str, engine: Box<dyn Engine>, built: Duration) -> Self {
        Self {
            name,
            engine,
            built,
            rounds: Vec::new(),
        }
    }

    /// Asks so many calls, from the `from`th on; nanoseconds a call.
    fn turn(&mut self, calls: &[Call], from: usize, count: usize) -> Result<f64, Failure> {
        let start = ThreadTime::now();
        for call in calls.iter().cycle().skip(from).take(count) {
            let allowed = self.engine.allowed(black_box(call))?;
            if allowed != call.allowed {
                return Err(format!("{}: {} for {call:?}", self.name, verdict(allowed)).into());
            }
        }
        Ok(start.elapsed().as_secs_f64() * 1e9 / count as f64)
    }
}

fn verdict(allowed: bool) -> &'static str {
    if allowed { "allows" } else { "denies" }
}

/// Puts one question to all engines. Every answer is held against what the generator says.
pub fn ask_all(rows: &mut [Row], tokens: usize, kinds: &[Kind]) -> Result<(), Failure> {
    let visited = tokens.min(VISITED);
    let calls: Vec<Call> = (0..visited)
        // 997 is prime: every token once, far from the one before.
        .map(|at| (at * (tokens / visited) * 997) % tokens)
        .enumerate()
        .filter_map(|(at, token)| Some(call(token, LINES, *kinds.get(at % kinds.len())?)))
        .collect();
    let mut counts = Vec::new();
    for row in rows.iter_mut() {
        let first = row.turn(&calls, 0, COMPARED.min(calls.len() * 2))?;
        counts.push(((TURN.as_secs_f64() * 1e9 / first) as usize).max(1));
        row.rounds.push(Vec::new());
    }
    for round in 0..ROUNDS {
        for (row, count) in rows.iter_mut().zip(&counts) {
            let time = row.turn(&calls, (round * count) % calls.len(), *count)?;
            row.rounds.last_mut().ok_or("a row without rounds")?.push(time);
        }
    }
    Ok(())
}

/// The middle one.
pub fn median(numbers: impl IntoIterator<Item = f64>) -> f64 {
    let mut numbers: Vec<f64> = numbers.into_iter().collect();
    numbers.sort_by(f64::total_cmp);
    numbers.get(numbers.len() / 2).copied().unwrap_or(f64::NAN)
}
