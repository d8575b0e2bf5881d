//! How often, how many at a time, and with how large a body a token may call.

use std::{fmt, num::NonZeroU32, str::FromStr, time::Duration};

use crate::units;

/// The most calls of a rate, and of a burst.
const MOST: u32 = 1_000_000;
/// The longest time of a rate.
const LONGEST: Duration = Duration::from_secs(31 * 86_400);
/// The longest time in which a used-up burst may fill again.
const LONGEST_REFILL: Duration = Duration::from_secs(366 * 86_400);

/// The limits of a token, or those that the configuration sets for every token.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct CallLimits {
    /// The calls that are allowed in the long run; `None` for any number.
    pub rate: Option<Rate>,
    /// The calls that are allowed at once, before the rate counts; `None` for as many as the rate names.
    pub burst: Option<NonZeroU32>,
    /// The calls that may be in progress at a time; `None` for any number.
    pub concurrent: Option<NonZeroU32>,
    /// The largest body of a request, in bytes; `None` for any size.
    pub max_body: Option<u64>,
}

/// So many calls in so long. Shown, and read, as `600/1m`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    calls: NonZeroU32,
    per: Duration,
}

/// The text is not a rate.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a rate is a number of calls from 1 to {MOST}, `/`, and a duration of at most 31d, such as `600/1m`")]
pub struct NotARate {
    /// The rate that was most likely meant.
    pub near: Option<Rate>,
}

/// Reason why limits cannot be kept together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CallLimitsFault {
    /// A burst needs a rate to fill it again.
    #[error("`burst` without `rate`")]
    BurstAlone,
    /// The burst would take too long to fill again.
    #[error("at this rate, an exhausted burst takes more than 366 days to refill")]
    SlowBurst,
}

impl Rate {
    /// A rate of so many calls in so long; `None` if it is out of range, or the time is not of whole milliseconds.
    #[must_use]
    pub fn new(calls: u32, per: Duration) -> Option<Self> {
        let calls = NonZeroU32::new(calls).filter(|calls| calls.get() <= MOST)?;
        let is_whole = per.subsec_nanos().is_multiple_of(1_000_000);
        (!per.is_zero() && per <= LONGEST && is_whole).then_some(Self { calls, per })
    }

    /// The number of calls.
    #[must_use]
    pub fn calls(self) -> NonZeroU32 {
        self.calls
    }

    /// The time in which they are allowed.
    #[must_use]
    pub fn per(self) -> Duration {
        self.per
    }

    /// The time after which one more call is allowed; at least a nanosecond.
    #[must_use]
    pub fn interval(self) -> Duration {
        self.per / self.calls.get()
    }

    /// Whether it allows more calls in the long run than another.
    #[must_use]
    pub fn exceeds(self, other: Self) -> bool {
        let scaled = |one: Self, by: Self| u128::from(one.calls.get()) * by.per.as_millis();
        scaled(self, other) > scaled(other, self)
    }
}

impl CallLimits {
    /// No limits.
    pub const NONE: Self = Self {
        rate: None,
        burst: None,
        concurrent: None,
        max_body: None,
    };

    /// The burst: the one that is set, otherwise as many calls as the rate names; `None` without a rate.
    #[must_use]
    pub fn whole_burst(self) -> Option<NonZeroU32> {
        self.rate.map(|rate| self.burst.unwrap_or(rate.calls))
    }

    /// The limits that are set, and otherwise those of `other`.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            rate: self.rate.or(other.rate),
            // A burst belongs to its rate.
            burst: match self.rate {
                Some(_) => self.burst,
                None => other.burst,
            },
            concurrent: self.concurrent.or(other.concurrent),
            max_body: self.max_body.or(other.max_body),
        }
    }

    /// Checks what depends on more than one of them.
    ///
    /// # Errors
    /// There is a burst without a rate, or the burst would take more than a year to fill.
    pub fn check(self) -> Result<(), CallLimitsFault> {
        let Some(rate) = self.rate else {
            return self.burst.map_or(Ok(()), |_| Err(CallLimitsFault::BurstAlone));
        };
        let burst = self.burst.unwrap_or(rate.calls).get();
        let refill = rate.interval().checked_mul(burst);
        match refill {
            Some(refill) if refill <= LONGEST_REFILL => Ok(()),
            _ => Err(CallLimitsFault::SlowBurst),
        }
    }

    /// A burst, or a number of concurrent calls; `None` if it is out of range.
    #[must_use]
    pub fn count(number: i64) -> Option<NonZeroU32> {
        let number = u32::try_from(number).ok().filter(|number| *number <= MOST)?;
        NonZeroU32::new(number)
    }
}

impl fmt::Display for CallLimits {
    /// A part of a list, each limit after a comma; empty without limits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(rate) = self.rate {
            write!(f, ", rate {rate}")?;
        }
        if let Some(burst) = self.whole_burst() {
            write!(f, ", burst {burst}")?;
        }
        if let Some(concurrent) = self.concurrent {
            write!(f, ", concurrent {concurrent}")?;
        }
        match self.max_body {
            Some(bytes) => write!(f, ", max_body {}", units::shown_size(bytes)),
            None => Ok(()),
        }
    }
}

impl fmt::Display for Rate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.calls, units::shown_duration(self.per))
    }
}

impl FromStr for Rate {
    type Err = NotARate;

    fn from_str(text: &str) -> Result<Self, NotARate> {
        read(text).ok_or_else(|| NotARate { near: near(text) })
    }
}

fn read(text: &str) -> Option<Rate> {
    let (calls, per) = text.split_once('/')?;
    // Only digits: `parse` alone would also accept `+600`.
    let calls = calls.bytes().all(|byte| byte.is_ascii_digit()).then_some(calls)?;
    Rate::new(calls.parse().ok()?, units::duration(per)?)
}

/// Finds the rate that was meant by `600/m`, `600 / 1m`, `600/min`, `600/1 minute` or `600 per minute`.
fn near(text: &str) -> Option<Rate> {
    let text = text
        .to_lowercase()
        .replace("per", "/")
        .replace(char::is_whitespace, "");
    let (calls, per) = text.split_once('/')?;
    let at = per.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = per.split_at_checked(at)?;
    let number = if number.is_empty() { "1" } else { number };
    let unit = match unit.strip_suffix('s').filter(|unit| *unit != "m").unwrap_or(unit) {
        "" | "sec" | "second" => "s",
        "m" | "min" | "minute" => "m",
        "h" | "hr" | "hour" => "h",
        "d" | "day" => "d",
        _ => return None,
    };
    read(&format!("{calls}/{number}{unit}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(text: &str) -> Rate {
        text.parse().unwrap_or_else(|error| panic!("{text}: {error}"))
    }

    fn with(text: &str, burst: Option<i64>) -> CallLimits {
        CallLimits {
            rate: Some(rate(text)),
            burst: burst.map(|burst| CallLimits::count(burst).unwrap()),
            ..CallLimits::NONE
        }
    }

    #[test]
    fn a_rate_is_read_and_written() {
        for text in ["1/1ms", "600/1m", "1000000/1s", "1/31d", "10/90s", "5/2h"] {
            assert_eq!(rate(text).to_string(), text);
        }
        assert_eq!(rate("600/60s"), rate("600/1m"));
        assert_eq!(rate("600/1m").interval(), Duration::from_millis(100));
        assert_eq!(rate("1000000/1ms").interval(), Duration::from_nanos(1));
    }

    #[test]
    fn what_is_no_rate_is_refused_with_the_nearest() {
        for (text, near) in [
            ("600/m", Some("600/1m")),
            ("600 / 1m", Some("600/1m")),
            ("600/min", Some("600/1m")),
            ("600/1minute", Some("600/1m")),
            ("600 per 5 minutes", Some("600/5m")),
            ("10/second", Some("10/1s")),
            ("10/s", Some("10/1s")),
            ("600", None),
            ("", None),
            ("/", None),
            ("/1m", None),
            ("600/", None),
            ("0/1m", None),
            ("600/0m", None),
            ("-600/1m", None),
            ("+600/1m", None),
            ("600/-1m", None),
            ("6e2/1m", None),
            ("600.5/1m", None),
            ("1000001/1s", None),
            ("4294967297/1s", None),
            ("99999999999999999999/1s", None),
            ("1/32d", None),
            ("1/99999999999999999999d", None),
            ("600/1m/1s", None),
            ("٦٠٠/1m", None),
            ("600/1w", None),
            ("600/ms", None),
        ] {
            let error = text.parse::<Rate>().unwrap_err();
            assert_eq!(error.near.map(|near| near.to_string()).as_deref(), near, "{text}");
        }
    }

    #[test]
    fn rates_are_compared_by_what_they_allow_in_the_long_run() {
        assert!(rate("601/1m").exceeds(rate("10/1s")) && !rate("10/1s").exceeds(rate("601/1m")));
        assert!(!rate("600/1m").exceeds(rate("10/1s")) && !rate("10/1s").exceeds(rate("600/1m")));
        assert!(rate("1000000/1ms").exceeds(rate("1/31d")));
    }

    #[test]
    fn a_burst_belongs_to_a_rate_that_fills_it_within_a_year() {
        let alone = CallLimits {
            burst: CallLimits::count(1),
            ..CallLimits::NONE
        };
        assert_eq!(alone.check(), Err(CallLimitsFault::BurstAlone));
        assert_eq!(with("1/1d", Some(367)).check(), Err(CallLimitsFault::SlowBurst));
        assert_eq!(
            with("1/31d", Some(1_000_000)).check(),
            Err(CallLimitsFault::SlowBurst)
        );
        assert_eq!(with("1/1d", Some(366)).check(), Ok(()));
        assert_eq!(with("1/31d", None).check(), Ok(()));
        assert_eq!(CallLimits::NONE.check(), Ok(()));
        assert_eq!(with("600/1m", None).whole_burst(), NonZeroU32::new(600));
        assert_eq!(with("600/1m", Some(5)).whole_burst(), NonZeroU32::new(5));
        for number in [0, -1, i64::MIN, 1_000_001, i64::MAX] {
            assert_eq!(CallLimits::count(number), None, "{number}");
        }
    }
}
