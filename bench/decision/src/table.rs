//! The figures, to be read.

use crate::{
    LINES, QUESTIONS,
    measure::{Row, median},
};

/// Prints medians, and in brackets how many times as long as the first row it took: the median over rounds.
pub fn print(tokens: usize, rows: &[Row], left_out: impl Iterator<Item = &'static str>) {
    print!("\n{:<18}", format!("{tokens} × {LINES} lines"));
    for (question, _) in QUESTIONS {
        print!("{question:>22}");
    }
    println!("{:>12}", "ready in");
    for row in rows {
        print!("{:<18}", row.name);
        let first = rows.first().map(|row| &row.rounds);
        for (at, times) in row.rounds.iter().enumerate() {
            let base = first.and_then(|rounds| rounds.get(at)).into_iter().flatten();
            let ratio = median(times.iter().zip(base).map(|(time, base)| time / base));
            let ratio = format!("({ratio:.*}×)", usize::from(ratio < 10.0));
            print!("{:>12} {ratio:>9}", nanoseconds(median(times.iter().copied())));
        }
        println!("{:>12}", format!("{:.2?}", row.built));
    }
    for name in left_out {
        println!("{name:<18}{:>22}", "left out");
    }
}

fn nanoseconds(time: f64) -> String {
    match time {
        _ if time < 1e4 => format!("{time:.0} ns"),
        _ if time < 1e7 => format!("{:.0} µs", time / 1e3),
        _ => format!("{:.0} ms", time / 1e6),
    }
}
