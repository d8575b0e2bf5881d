//! The `Date` of answers, formatted once a second.

use std::cell::RefCell;

use http::HeaderValue;
use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;

/// The text of the current second. Each worker has its own.
#[derive(Debug, Default)]
pub(super) struct DateCache(RefCell<Option<(i64, HeaderValue)>>);

impl DateCache {
    /// Gives the current time as a `Date` (RFC 9110 section 6.6.1); `None` if the clock is outside of its range.
    pub(super) fn now(&self) -> Option<HeaderValue> {
        self.at(Timestamp::now())
    }

    fn at(&self, time: Timestamp) -> Option<HeaderValue> {
        let second = time.as_second();
        let mut cached = self.0.borrow_mut();
        if cached.as_ref().is_none_or(|(cached, _)| *cached != second) {
            let text = DateTimePrinter::new().timestamp_to_rfc9110_string(&time).ok()?;
            *cached = Some((second, HeaderValue::from_str(&text).ok()?));
        }
        cached.as_ref().map(|(_, value)| value.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_second_has_its_own_date_also_when_the_clock_goes_back() {
        let dates = DateCache::default();
        for (millisecond, expected) in [
            (784_111_777_000, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (784_111_777_999, "Sun, 06 Nov 1994 08:49:37 GMT"),
            (784_111_778_000, "Sun, 06 Nov 1994 08:49:38 GMT"),
            (784_111_777_000, "Sun, 06 Nov 1994 08:49:37 GMT"),
        ] {
            let time = Timestamp::from_millisecond(millisecond).unwrap();
            assert_eq!(dates.at(time).unwrap(), expected);
        }
    }
}
