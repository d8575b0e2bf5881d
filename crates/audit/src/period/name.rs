//! Names of periods: one UTC day each, `2026-11-24`; a second one of a day is `2026-11-24.2`. Earlier releases set damaged
//! ones aside, as `2026-11-24.damaged-1`.

use std::fmt;
use std::fs;
use std::io;
use std::path::Path;

/// Milliseconds of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

/// A UTC day, counted from 1970-01-01.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Day(pub(crate) i64);

impl Day {
    /// The day that `ms` since 1970 UTC falls on.
    pub(crate) fn of(ms: i64) -> Self {
        Self(ms.div_euclid(DAY_MS))
    }

    /// First millisecond of the day.
    pub(crate) fn start_ms(self) -> i64 {
        self.0.saturating_mul(DAY_MS)
    }

    // Civil date of a day count, after Howard Hinnant, "chrono-Compatible Low-Level Date
    // Algorithms": eras of 400 years that begin on March 1st.
    fn civil(self) -> (i64, i64, i64) {
        let z = self.0 + 719_468;
        let era = z.div_euclid(146_097);
        let of_era = z.rem_euclid(146_097);
        let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
        let of_year = of_era - (365 * year + year / 4 - year / 100);
        let month = (5 * of_year + 2) / 153;
        let day = of_year - (153 * month + 2) / 5 + 1;
        let month = if month < 10 { month + 3 } else { month - 9 };
        (year + era * 400 + i64::from(month <= 2), month, day)
    }

    fn from_civil(year: i64, month: i64, day: i64) -> Self {
        let year = if month <= 2 { year - 1 } else { year };
        let era = year.div_euclid(400);
        let of_era = year.rem_euclid(400);
        let shifted = if month > 2 { month - 3 } else { month + 9 };
        let of_year = (153 * shifted + 2) / 5 + day - 1;
        Self(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split('-');
        let (year, month, day) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = [year, month, day]
            .iter()
            .all(|p| p.bytes().all(|b| b.is_ascii_digit()));
        if parts.next().is_some() || !digits || (year.len(), month.len(), day.len()) != (4, 2, 2) {
            return None;
        }
        let found = Self::from_civil(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?);
        // `2026-02-31` would name another day than it gives.
        (found.to_string() == text).then_some(found)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (year, month, day) = self.civil();
        write!(f, "{year:04}-{month:02}-{day:02}")
    }
}

/// A period's name. Their order is that of the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Period {
    /// Day of the period.
    pub(crate) day: Day,
    /// Number of the period within the day, from 1.
    pub(crate) number: u32,
    /// Whether the period is in use or was set aside. Periods set aside are older.
    aside: Aside,
}

// In this order: periods that were set aside came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
enum Aside {
    Damaged(u32),
    InUse,
}

impl Period {
    /// The first period of `day`.
    pub(crate) fn first(day: Day) -> Self {
        Self {
            day,
            number: 1,
            aside: Aside::InUse,
        }
    }

    /// The name of the period that follows it on the same day; that of one set aside is free again.
    pub(crate) fn successor(self) -> Self {
        let number = if self.is_damaged() {
            self.number
        } else {
            self.number.saturating_add(1)
        };
        Self {
            number,
            aside: Aside::InUse,
            ..self
        }
    }

    /// Whether the period was set aside.
    pub(crate) fn is_damaged(self) -> bool {
        self.aside != Aside::InUse
    }

    /// Whether the period was not set aside.
    pub(crate) fn is_in_use(self) -> bool {
        !self.is_damaged()
    }

    /// Reads a directory's name; `None` if it is not a period's.
    pub(crate) fn parse(name: &str) -> Option<Self> {
        let (rest, aside) = match name.split_once(".damaged-") {
            Some((rest, n)) => (rest, Aside::Damaged(n.parse().ok()?)),
            None => (name, Aside::InUse),
        };
        let (day, number) = match rest.split_once('.') {
            Some((day, n)) => (day, n.parse().ok()?),
            None => (rest, 1),
        };
        let found = Self {
            day: Day::parse(day)?,
            number,
            aside,
        };
        (found.to_string() == name).then_some(found)
    }

    /// Lists the periods below `root`, in the order of the chain; empty if `root` does not exist.
    pub(crate) fn list(root: &Path) -> io::Result<Vec<Self>> {
        let entries = match fs::read_dir(root) {
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            other => other?,
        };
        let mut found = Vec::new();
        for entry in entries {
            found.extend(entry?.file_name().to_str().and_then(Self::parse));
        }
        found.sort_unstable();
        Ok(found)
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.day.fmt(f)?;
        if self.number != 1 {
            write!(f, ".{}", self.number)?;
        }
        match self.aside {
            Aside::Damaged(n) => write!(f, ".damaged-{n}"),
            Aside::InUse => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
