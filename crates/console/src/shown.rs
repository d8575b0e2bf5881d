//! Numbers, times and lengths of time as texts.

use std::fmt::Display;

use jiff::Timestamp;

const SECOND: i64 = 1_000;
const MINUTE: i64 = 60 * SECOND;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// `4,211`
#[must_use]
pub fn grouped(count: impl Display) -> String {
    let digits = count.to_string();
    let mut out = String::with_capacity(digits.len() + digits.len() / 3);
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// A share as `0.24 %`; empty without a whole.
pub(crate) fn share(part: u64, whole: u64) -> String {
    if whole == 0 {
        return String::new();
    }
    // Parts of ten thousand, rounded.
    let (part, whole) = (u128::from(part), u128::from(whole));
    let tenths = (part * 20_000 + whole) / (whole * 2);
    match tenths {
        0 if part > 0 => "under 0.01 %".to_owned(),
        10_000 => "100 %".to_owned(),
        tenths if tenths >= 1_000 => format!("{}.{} %", tenths / 100, tenths % 100 / 10),
        tenths => format!("{}.{:02} %", tenths / 100, tenths % 100),
    }
}

/// Microseconds as milliseconds: `0.041`, `5.16`, `35.2`, `1,204`.
pub(crate) fn millis(us: u64) -> String {
    match us {
        0..1_000 => format!("{}.{:03}", us / 1_000, us % 1_000),
        1_000..10_000 => format!("{}.{:02}", us / 1_000, us % 1_000 / 10),
        10_000..1_000_000 => format!("{}.{}", us / 1_000, us % 1_000 / 100),
        _ => grouped(us / 1_000),
    }
}

fn formatted(ms: i64, format: &str) -> String {
    let time = Timestamp::from_millisecond(ms);
    time.map_or_else(|_| ms.to_string(), |time| time.strftime(format).to_string())
}

/// RFC 3339 to the millisecond, for `datetime`; `None` for times that have no date.
pub(crate) fn machine(ms: i64) -> Option<String> {
    let time = Timestamp::from_millisecond(ms).ok()?;
    // HTML has years of four digits.
    let has_year = (-62_167_219_200_000..253_402_300_800_000).contains(&time.as_millisecond());
    has_year.then(|| formatted(ms, "%Y-%m-%dT%H:%M:%S.%3fZ"))
}

/// `2027-03-04 14:31:58.441 UTC`
pub(crate) fn full(ms: i64) -> String {
    formatted(ms, "%Y-%m-%d %H:%M:%S.%3f UTC")
}

/// `4 Mar 2027 14:27:03.118`
pub(crate) fn exact(ms: i64) -> String {
    formatted(ms, "%-d %b %Y %H:%M:%S.%3f")
}

/// A time that is shorter the older it is: `14:31:58`, `3 Mar 16:02`, `2 Apr 2026`.
pub(crate) fn short(ms: i64, now_ms: i64) -> String {
    let age = now_ms.saturating_sub(ms).saturating_abs();
    let format = match age {
        ..DAY if formatted(ms, "%j") == formatted(now_ms, "%j") => "%H:%M:%S",
        _ if age < 200 * DAY => "%-d %b %H:%M",
        _ => "%-d %b %Y",
    };
    formatted(ms, format)
}

/// `2 Apr 2027`
pub(crate) fn day(ms: i64) -> String {
    formatted(ms, "%-d %b %Y")
}

/// "in 29 days", "26 min ago"
pub(crate) fn distance(ms: i64, now_ms: i64) -> String {
    let length = ms.saturating_sub(now_ms).saturating_abs();
    let (count, unit) = match length {
        _ if length < SECOND => return "now".to_owned(),
        _ if length < MINUTE => (length / SECOND, "s"),
        _ if length < HOUR => (length / MINUTE, "min"),
        _ if length < DAY => (length / HOUR, "h"),
        _ if length < 2 * DAY => (1, "day"),
        _ => (length / DAY, "days"),
    };
    let count = grouped(count);
    match ms > now_ms {
        true => format!("in {count} {unit}"),
        false => format!("{count} {unit} ago"),
    }
}

/// A time to the second: `14:27:03`, `3 Mar 16:02:11`, `2 Apr 2026 10:11:00`.
pub(crate) fn stamp(ms: i64, now_ms: i64) -> String {
    let age = now_ms.saturating_sub(ms).saturating_abs();
    let format = match age {
        ..DAY if formatted(ms, "%j") == formatted(now_ms, "%j") => "%H:%M:%S",
        _ if age < 200 * DAY => "%-d %b %H:%M:%S",
        _ => "%-d %b %Y %H:%M:%S",
    };
    formatted(ms, format)
}

/// Label of an axis, in one of the forms of [`crate::plot::Label`].
pub(crate) fn axis(ms: i64, form: &str) -> String {
    match form {
        "day-minute" => formatted(ms, "%-d %b %H:%M"),
        "minute" => formatted(ms, "%H:%M"),
        _ => formatted(ms, "%-d %b"),
    }
}

#[cfg(test)]
mod tests;
