//! What it costs to compare two versions of a policy of which a few lines have changed.
//!
//!     cargo run --release -p tokenward-compiler --example difference -- [tokens] [lines]
//!
//! One token in twenty has one line changed: a line loses its constraint or, without one, its end.

#![allow(clippy::panic, reason = "a program that measures may fail like this")]

#[allow(dead_code, unreachable_pub, reason = "each program that measures uses a part")]
#[path = "../benches/corpus/mod.rs"]
mod corpus;

use std::time::{Duration, Instant};

use corpus::{LINES, ask, policy};
use tokenward_compiler::{
    analysis::{Analysis, Universe},
    source::SourceSet,
};

/// Every so many tokens one is changed.
const CHANGED: usize = 20;

fn main() {
    let mut arguments = std::env::args().skip(1).map(|argument| {
        argument
            .parse()
            .unwrap_or_else(|_| panic!("usage: difference [tokens] [lines]"))
    });
    let tokens: usize = arguments.next().unwrap_or(1_000);
    let lines: usize = arguments.next().unwrap_or(LINES);

    let mut token = 0;
    let changed = policy(tokens, lines)
        .into_iter()
        .map(|(name, text)| (name, change(&text, lines, &mut token)));
    let old = ask::program(tokens, lines);
    let new = ask::bound(&ask::compiled(&SourceSet::from_files(changed)));

    let begin = Instant::now();
    let mut analysis = Analysis::new(&old, &new, Universe::default(), Analysis::BUDGET)
        .unwrap_or_else(|fault| panic!("{fault}"));
    let (mut differ, mut wider, mut inconclusive) = (0, 0, 0);
    let mut longest = Duration::ZERO;
    for id in ask::ids(&old) {
        let begin = Instant::now();
        let comparison = analysis
            .compare(Some(id), Some(id))
            .unwrap_or_else(|fault| panic!("{fault}"));
        longest = longest.max(begin.elapsed());
        differ += usize::from(!comparison.is_equivalent());
        wider += usize::from(!comparison.newly_allowed.is_none());
        inconclusive += usize::from(comparison.newly_allowed.inconclusive.is_some());
    }
    println!(
        "{tokens} tokens of {lines} lines: {differ} differ, {wider} allow more, {inconclusive} inconclusive"
    );
    println!("compared in {:.3?}, the longest {longest:.3?}", begin.elapsed());
}

/// The text with a line of every [`CHANGED`]th token changed, another each time.
fn change(text: &str, lines: usize, token: &mut usize) -> String {
    let (mut out, mut at) = (String::new(), None);
    for line in text.lines() {
        let changed = token.is_multiple_of(CHANGED) && at == Some(*token / CHANGED % lines);
        match line
            .split_once("[QueryParam")
            .or_else(|| line.split_once("[JsonData"))
        {
            Some((url, _)) if changed => out.push_str(url),
            None if changed => out.push_str(&format!("{line}.*")),
            _ => out.push_str(line),
        }
        out.push('\n');
        at = match line {
            "limit_to = '''" => Some(0),
            "'''" => {
                *token += 1;
                None
            }
            _ => at.map(|at| at + 1),
        };
    }
    out
}
