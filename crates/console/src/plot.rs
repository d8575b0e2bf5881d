//! The plot of calls over time, as the paths of an SVG. Texts are not part of it: axes are HTML.

use std::fmt::Write;

use crate::shown;
use crate::views::overview;
use crate::views::parts::Tally;

/// Width and height of the drawing, stretched by the page.
const WIDTH: f64 = 1440.0;
const HEIGHT: f64 = 100.0;
/// Most rows of the table behind a plot.
const ROWS: usize = 24;
/// Longest span whose labels are times of day.
const DAY_MS: i64 = 86_400_000;

/// A plot, ready to be shown.
pub(crate) struct Plot {
    /// Area and edge of the allowed calls.
    pub(crate) area: String,
    pub(crate) edge: String,
    /// Bars of denied and refused calls.
    pub(crate) denied: String,
    pub(crate) refused: String,
    /// Highest value, half of it: calls a minute.
    pub(crate) top: (String, String),
    /// The same for the bars.
    pub(crate) low_top: (String, String),
    /// How many times finer the scale of the bars is; empty if it is not.
    pub(crate) finer: String,
    /// Labels of the axis of time.
    pub(crate) labels: Vec<Label>,
    /// Positions of events.
    pub(crate) events: Vec<String>,
    /// Sentences for people who do not see the plot.
    pub(crate) describes: (String, String),
    /// The table behind it: begin and numbers.
    pub(crate) rows: Vec<(i64, Tally)>,
}

/// A label of the axis of time.
pub(crate) struct Label {
    pub(crate) ms: i64,
    /// `day-minute`, `minute` or `month-day`.
    pub(crate) form: &'static str,
    /// Whether narrow screens leave it out.
    pub(crate) is_optional: bool,
}

impl AsRef<Self> for Label {
    fn as_ref(&self) -> &Self {
        self
    }
}

/// Calls a minute of a step.
fn rate(count: u64, step_ms: i64) -> f64 {
    // Numbers of calls are far below the 2^52 up to which this is exact.
    let minutes = minutes(step_ms);
    as_f64(count) / minutes
}

fn minutes(step_ms: i64) -> f64 {
    as_f64(step_ms.max(1).unsigned_abs()) / 60_000.0
}

/// A number as a position: exact to 2^52, and beyond a plot needs no more.
fn as_f64(count: u64) -> f64 {
    u32::try_from(count).map_or_else(
        |_| f64::from(u32::try_from(count >> 20).unwrap_or(u32::MAX)) * 1_048_576.0,
        f64::from,
    )
}

/// The next round value above: 1, 2 or 5 times a power of ten.
fn round(value: f64) -> f64 {
    let mut power = 0.001;
    while power < 1e15 {
        for step in [1.0, 2.0, 5.0] {
            if value <= step * power {
                return step * power;
            }
        }
        power *= 10.0;
    }
    power
}

/// A number on an axis: `160`, `0.5`.
fn tick(value: f64) -> String {
    match value {
        value if value >= 1000.0 => shown::grouped(format!("{value:.0}")),
        value if value >= 10.0 || value.fract() == 0.0 => format!("{value:.0}"),
        value => format!("{value:.3}")
            .trim_end_matches('0')
            .trim_end_matches('.')
            .to_owned(),
    }
}

/// Makes the plot; `None` if there is nothing to draw.
pub(crate) fn plot(plot: &overview::Plot) -> Option<Plot> {
    let count = u32::try_from(plot.steps.len()).ok().filter(|&count| count > 0)?;
    let highest = |of: &dyn Fn(&Tally) -> u64| plot.steps.iter().map(of).max().unwrap_or(0);
    let top = round(rate(highest(&|step| step.allowed), plot.step_ms).max(0.01));
    let low = round(
        rate(
            highest(&|step| step.denied.saturating_add(step.refused)),
            plot.step_ms,
        )
        .max(0.01),
    );
    let width = WIDTH / f64::from(count);
    let mut drawn = Drawn::default();
    for (step, number) in plot.steps.iter().zip(0_u32..) {
        let x = width * f64::from(number);
        let up = |count, top: f64| HEIGHT * rate(count, plot.step_ms) / top;
        drawn.point(x + width / 2.0, HEIGHT - up(step.allowed, top));
        let (denied, refused) = (up(step.denied, low), up(step.refused, low));
        drawn.bars((x + width * 0.1, width * 0.8), denied, refused);
    }
    let span_ms = plot.step_ms.saturating_mul(i64::from(count));
    let finer = top / low;
    Some(Plot {
        area: format!(
            "M{:.1} {HEIGHT} {} L{:.1} {HEIGHT} Z",
            width / 2.0,
            drawn.line,
            WIDTH - width / 2.0
        ),
        edge: drawn.line.replacen('L', "M", 1),
        denied: drawn.denied,
        refused: drawn.refused,
        top: (tick(top), tick(top / 2.0)),
        low_top: (tick(low), tick(low / 2.0)),
        finer: if finer >= 1.5 {
            tick(finer.round())
        } else {
            String::new()
        },
        labels: labels(plot.begin_ms, span_ms),
        events: events(plot, span_ms),
        describes: describes(plot),
        rows: rows(plot),
    })
}

#[derive(Default)]
struct Drawn {
    line: String,
    denied: String,
    refused: String,
}

impl Drawn {
    fn point(&mut self, x: f64, y: f64) {
        // Writing to a text cannot fail.
        let _ = write!(self.line, "L{x:.1} {y:.1}");
    }

    /// Denied calls, and refused ones on top of them. A single call is at least a visible line.
    fn bars(&mut self, (x, width): (f64, f64), denied: f64, refused: f64) {
        let least = |height: f64| if height > 0.0 { height.max(1.5) } else { 0.0 };
        let (denied, refused) = (least(denied), least(refused));
        let bar = |path: &mut String, bottom: f64, height: f64| {
            if height > 0.0 {
                let _ = write!(path, "M{x:.1} {bottom:.1}v-{height:.1}h{width:.1}v{height:.1}z");
            }
        };
        bar(&mut self.denied, HEIGHT, denied);
        bar(&mut self.refused, HEIGHT - denied, refused);
    }
}

fn labels(begin_ms: i64, span_ms: i64) -> Vec<Label> {
    let form = |part| match (span_ms > DAY_MS, part) {
        (true, _) => "month-day",
        (false, 0) => "day-minute",
        (false, _) => "minute",
    };
    (0..=6)
        .map(|part| Label {
            ms: begin_ms.saturating_add((span_ms / 6).saturating_mul(part)),
            form: form(part),
            is_optional: part % 2 == 1,
        })
        .collect()
}

fn events(plot: &overview::Plot, span_ms: i64) -> Vec<String> {
    let begin = plot.begin_ms;
    let within = plot
        .failed_reloads_ms
        .iter()
        .filter(|&&at| at >= begin && at <= begin.saturating_add(span_ms));
    let at = |at: &i64| {
        let (from, span) = (
            at.saturating_sub(begin).unsigned_abs(),
            span_ms.max(1).unsigned_abs(),
        );
        format!("{:.1}", WIDTH * as_f64(from) / as_f64(span))
    };
    within.take(100).map(at).collect()
}

/// Sentences with the total and the highest step.
fn describes(plot: &overview::Plot) -> (String, String) {
    let sentence = |of: &dyn Fn(&Tally) -> u64, name: &str| {
        let all = plot.steps.iter().map(of).fold(0_u64, u64::saturating_add);
        let most = plot.steps.iter().zip(0_i64..).max_by_key(|(step, _)| of(step));
        let (count, at) = most.map_or((0, 0), |(step, number)| (of(step), number));
        let begin = plot.begin_ms.saturating_add(plot.step_ms.saturating_mul(at));
        match all {
            0 => format!("No call was {name}."),
            _ => format!(
                "{} calls were {name}; at most {} a minute, from {}.",
                shown::grouped(all),
                tick((rate(count, plot.step_ms) * 10.0).ceil() / 10.0),
                shown::full(begin)
            ),
        }
    };
    (
        sentence(&|step| step.allowed, "allowed"),
        sentence(
            &|step| step.denied.saturating_add(step.refused),
            "denied or refused",
        ),
    )
}

/// At most [`ROWS`] rows, each the sum of some steps.
fn rows(plot: &overview::Plot) -> Vec<(i64, Tally)> {
    let each = plot.steps.len().div_ceil(ROWS).max(1);
    let length = plot
        .step_ms
        .saturating_mul(i64::try_from(each).unwrap_or(i64::MAX));
    let sums = plot.steps.chunks(each).map(|steps| {
        steps.iter().fold(Tally::default(), |sum, step| Tally {
            allowed: sum.allowed.saturating_add(step.allowed),
            denied: sum.denied.saturating_add(step.denied),
            refused: sum.refused.saturating_add(step.refused),
        })
    });
    sums.zip(0_i64..)
        .map(|(sum, number)| (plot.begin_ms.saturating_add(length.saturating_mul(number)), sum))
        .collect()
}

#[cfg(test)]
mod tests;
