//! Releases of Tokenward, as a manifest names the least one.

use std::fmt;
use std::str::FromStr;

/// A release: three numbers, compared from the first to the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Release(pub [u32; 3]);

/// The text is not a release.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("a release is three numbers, such as `0.1.0`")]
pub struct NotARelease;

impl FromStr for Release {
    type Err = NotARelease;

    fn from_str(text: &str) -> Result<Self, NotARelease> {
        let mut parts = text.split('.');
        let mut numbers = [0; 3];
        for number in &mut numbers {
            let part = parts.next().ok_or(NotARelease)?;
            let is_plain = part == "0" || !part.starts_with('0');
            if !is_plain || !part.bytes().all(|byte| byte.is_ascii_digit()) {
                return Err(NotARelease);
            }
            *number = part.parse().map_err(|_| NotARelease)?;
        }
        match parts.next() {
            None => Ok(Self(numbers)),
            Some(_) => Err(NotARelease),
        }
    }
}

impl fmt::Display for Release {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self([major, minor, patch]) = self;
        write!(f, "{major}.{minor}.{patch}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn releases_are_ordered_by_number() {
        let release = |text: &str| text.parse::<Release>();
        assert!(release("0.9.12").unwrap() < release("0.10.0").unwrap());
        assert_eq!(release("1.2.3").unwrap().to_string(), "1.2.3");
        for bad in [
            "",
            "1",
            "1.2",
            "1.2.3.4",
            "01.2.3",
            "1..3",
            "+1.2.3",
            "1.2.4294967296",
            "1.2.3-rc",
        ] {
            assert_eq!(release(bad), Err(NotARelease), "{bad}");
        }
    }
}
