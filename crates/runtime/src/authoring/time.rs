//! Points in time as people give them.

use jiff::{SignedDuration, Timestamp};
use tokenward_pdp::config::parse_duration;

/// When a token ends: a time (`2027-06-30T12:00:00Z`), a day (`2027-06-30`, its begin in UTC) or from now (`90d`).
pub(crate) fn expiry(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    let time = absolute(text)
        .or_else(|| now.checked_add(signed(text)?).ok())
        .ok_or_else(|| format!("`{text}` is not a time; write 90d, 2027-06-30 or 2027-06-30T12:00:00Z"))?;
    if time <= now {
        return Err(format!("`{text}` is in the past; choose a later time"));
    }
    Ok(time)
}

/// A time gone by: as [`expiry`], but a duration counts back from now.
pub(crate) fn past(text: &str, now: Timestamp) -> Result<Timestamp, String> {
    absolute(text)
        .or_else(|| now.checked_sub(signed(text)?).ok())
        .ok_or_else(|| format!("`{text}` is not a time; write 2h (ago), 2027-06-30 or 2027-06-30T12:00:00Z"))
}

pub(crate) fn absolute(text: &str) -> Option<Timestamp> {
    text.parse().or_else(|_| format!("{text}T00:00:00Z").parse()).ok()
}

fn signed(text: &str) -> Option<SignedDuration> {
    parse_duration(text)?.try_into().ok()
}

/// The present time, milliseconds since 1970 UTC.
pub(crate) fn now_ms() -> i64 {
    Timestamp::now().as_millisecond()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_of_time() {
        let now: Timestamp = "2027-01-01T10:00:00Z".parse().unwrap();
        let ends = |text| expiry(text, now).map(|time| time.to_string());
        assert_eq!(ends("90d").as_deref(), Ok("2027-04-01T10:00:00Z"));
        assert_eq!(ends("2027-06-30").as_deref(), Ok("2027-06-30T00:00:00Z"));
        assert_eq!(
            ends("2027-06-30T12:00:00+02:00").as_deref(),
            Ok("2027-06-30T10:00:00Z")
        );
        assert_eq!(
            past("2h", now).map(|time| time.to_string()).as_deref(),
            Ok("2027-01-01T08:00:00Z")
        );
        assert_eq!(
            past("2026-12-31", now).map(|time| time.to_string()).as_deref(),
            Ok("2026-12-31T00:00:00Z")
        );
        for wrong in [
            "2026-06-30",
            "0d",
            "tomorrow",
            "",
            "2027-13-01",
            "2027-06-30T12:00:00",
        ] {
            assert!(expiry(wrong, now).is_err(), "{wrong}");
        }
    }
}
