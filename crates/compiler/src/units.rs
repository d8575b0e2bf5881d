//! Durations and sizes, as configurations and policies write them.

use std::time::Duration;

/// The units of a duration, in milliseconds, the longest first.
const DURATIONS: [(&str, u64); 5] = [
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];
/// The units of a size, in bytes, the largest first.
const SIZES: [(&str, u64); 4] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10), ("B", 1)];

/// The largest size that a setting may have: 64 GiB.
pub const LARGEST_SIZE: u64 = 64 << 30;

/// The longest duration: ten years.
const LONGEST: Duration = Duration::from_secs(3660 * 86_400);

/// Reads a duration such as `30s`: a whole number and `ms`, `s`, `m`, `h` or `d`; `None` if the text is not a duration, is
/// zero, or exceeds ten years.
#[must_use]
pub fn duration(text: &str) -> Option<Duration> {
    let (number, unit) = parts(text)?;
    let total = Duration::from_millis(number.checked_mul(of(&DURATIONS, unit)?)?);
    (!total.is_zero() && total <= LONGEST).then_some(total)
}

/// Reads a size such as `1MiB`, in bytes: a whole number and `B`, `KiB`, `MiB` or `GiB`; `None` if the text is not a size, or
/// exceeds 64 bits.
#[must_use]
pub fn size(text: &str) -> Option<u64> {
    let (number, unit) = parts(text)?;
    number.checked_mul(of(&SIZES, unit.trim_start())?)
}

/// Formats a duration of whole milliseconds, in the longest unit that divides it.
#[must_use]
pub fn shown_duration(duration: Duration) -> String {
    shown(
        u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        &DURATIONS,
        "ms",
    )
}

/// Formats a size in the largest unit that divides it.
#[must_use]
pub fn shown_size(bytes: u64) -> String {
    shown(bytes, &SIZES, "B")
}

fn parts(text: &str) -> Option<(u64, &str)> {
    let (number, unit) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
    Some((number.parse().ok()?, unit))
}

fn of(units: &[(&str, u64)], name: &str) -> Option<u64> {
    units
        .iter()
        .find(|(unit, _)| *unit == name)
        .map(|(_, factor)| *factor)
}

fn shown(amount: u64, units: &[(&str, u64)], smallest: &str) -> String {
    let unit = units.iter().find(|(_, factor)| amount.is_multiple_of(*factor));
    unit.map_or_else(
        || format!("{amount}{smallest}"),
        |(name, factor)| format!("{}{name}", amount / factor),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_unit_is_read_and_written() {
        for (text, milliseconds) in [
            ("1ms", 1),
            ("90s", 90_000),
            ("1m", 60_000),
            ("2h", 7_200_000),
            ("3660d", 316_224_000_000),
        ] {
            let read = duration(text).unwrap();
            assert_eq!(read, Duration::from_millis(milliseconds), "{text}");
            assert_eq!(shown_duration(read), text);
        }
        for (text, bytes) in [
            ("1B", 1),
            ("3KiB", 3 << 10),
            ("1MiB", 1 << 20),
            ("64GiB", 64 << 30),
        ] {
            assert_eq!(size(text), Some(bytes), "{text}");
            assert_eq!(shown_size(bytes), text);
        }
        assert_eq!(duration("60s").map(shown_duration).as_deref(), Some("1m"));
    }

    #[test]
    fn other_texts_are_none() {
        for text in [
            "",
            "m",
            "0m",
            "-1m",
            "+1m",
            "1",
            "1 m",
            "1min",
            "1M",
            "1.5h",
            "3661d",
            "99999999999999999999d",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
        for text in [
            "",
            "B",
            "1",
            "-1B",
            "1KB",
            "1kib",
            "1.5MiB",
            "18446744073709551615GiB",
        ] {
            assert_eq!(size(text), None, "{text}");
        }
    }
}
