use super::*;

fn of(steps: Vec<Tally>) -> Option<Plot> {
    plot(&overview::Plot {
        begin_ms: 1_800_000_000_000,
        step_ms: 3_600_000,
        steps,
        failed_reloads_ms: vec![0, 1_800_000_000_000 + 3_600_000],
    })
}

#[test]
fn nothing_is_drawn_of_nothing() {
    assert!(of(Vec::new()).is_none());
}

#[test]
fn scales_are_round_and_bars_are_stacked() {
    let step = Tally {
        allowed: 6_000,
        denied: 60,
        refused: 60,
    };
    let plot = of(vec![step, Tally::default()]).unwrap();
    assert_eq!(plot.top, ("100".to_owned(), "50".to_owned()));
    assert_eq!((plot.low_top.0.as_str(), plot.finer.as_str()), ("2", "50"));
    assert_eq!(plot.area, "M360.0 100 L360.0 0.0L1080.0 100.0 L1080.0 100 Z");
    assert_eq!(plot.denied, "M72.0 100.0v-50.0h576.0v50.0z");
    assert_eq!(plot.refused, "M72.0 50.0v-50.0h576.0v50.0z");
    assert_eq!(plot.events, ["720.0"]);
    assert_eq!(
        plot.describes.0,
        "6,000 calls were allowed; at most 100 a minute, from 2027-01-15 08:00:00.000 UTC."
    );
}

#[test]
fn absurd_numbers_are_drawn_too() {
    let step = Tally {
        allowed: u64::MAX,
        denied: u64::MAX,
        refused: u64::MAX,
    };
    let plot = of(vec![step; 1_000]).unwrap();
    assert!(plot.rows.len() <= ROWS && !plot.area.contains("NaN") && !plot.area.contains("inf"));
}
