//! The end of a certificate's validity (RFC 5280 section 4.1.2.5).

use std::path::Path;

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

/// Time before its end at which a certificate should be renewed, in seconds.
const SOON: i64 = 14 * 24 * 60 * 60;

/// Whether a certificate can be used at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Expiry {
    /// It is valid for some time.
    Later(Timestamp),
    /// It should be renewed.
    Soon(Timestamp),
    /// It is not valid any more.
    Past(Timestamp),
    /// Its validity cannot be read.
    Unknown,
}

impl Expiry {
    /// Reads a certificate in DER.
    pub(crate) fn of(certificate: &[u8], now: Timestamp) -> Self {
        match not_after(certificate) {
            None => Self::Unknown,
            Some(end) if end <= now => Self::Past(end),
            Some(end) if end.as_second() - now.as_second() <= SOON => Self::Soon(end),
            Some(end) => Self::Later(end),
        }
    }

    /// Logs a certificate that is, or soon will be, invalid.
    pub(crate) fn log(self, certificate: &Path) {
        let certificate = certificate.display();
        match self {
            Self::Past(end) => tracing::error!(%certificate, %end, "certificate has expired; renew it"),
            Self::Soon(end) => tracing::warn!(%certificate, %end, "certificate expires soon; renew it"),
            Self::Later(_) | Self::Unknown => {}
        }
    }
}

const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const VERSION: u8 = 0xa0;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;

fn not_after(certificate: &[u8]) -> Option<Timestamp> {
    let (whole, _) = expect(certificate, SEQUENCE)?;
    let (mut fields, _) = expect(whole, SEQUENCE)?;
    if let Some((VERSION, _, rest)) = element(fields) {
        fields = rest;
    }
    // Serial number, signature algorithm, issuer.
    for tag in [INTEGER, SEQUENCE, SEQUENCE] {
        (_, fields) = expect(fields, tag)?;
    }
    let (validity, _) = expect(fields, SEQUENCE)?;
    let (_, _, rest) = element(validity)?;
    let (tag, text, _) = element(rest)?;
    time(tag, str::from_utf8(text).ok()?)
}

/// Parses `YYMMDDHHMMSSZ` or `YYYYMMDDHHMMSSZ`.
fn time(tag: u8, text: &str) -> Option<Timestamp> {
    let (year, rest) = match tag {
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i16 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let mut numbers = [0_i8; 5];
    let mut rest = rest;
    for number in &mut numbers {
        let (digits, after) = rest.split_at_checked(2)?;
        (*number, rest) = (digits.parse().ok()?, after);
    }
    let [month, day, hour, minute, second] = numbers;
    let civil = DateTime::new(year, month, day, hour, minute, second, 0).ok()?;
    Offset::UTC.to_timestamp(civil).ok().filter(|_| rest == "Z")
}

fn expect(bytes: &[u8], wanted: u8) -> Option<(&[u8], &[u8])> {
    let (tag, content, rest) = element(bytes)?;
    (tag == wanted).then_some((content, rest))
}

/// Splits the first element of DER into its tag, its content, and what follows it.
fn element(bytes: &[u8]) -> Option<(u8, &[u8], &[u8])> {
    let (&tag, rest) = bytes.split_first()?;
    let (&first, rest) = rest.split_first()?;
    let (length, rest) = match first {
        0..=0x7f => (usize::from(first), rest),
        0x81..=0x84 => {
            let (digits, rest) = rest.split_at_checked(usize::from(first - 0x80))?;
            let length = digits
                .iter()
                .fold(0, |length, &byte| (length << 8) | usize::from(byte));
            (length, rest)
        }
        _ => return None,
    };
    let (content, rest) = rest.split_at_checked(length)?;
    Some((tag, content, rest))
}

#[cfg(test)]
mod tests {
    use rcgen::{CertificateParams, KeyPair, date_time_ymd};

    use super::*;

    fn until(year: i32) -> Vec<u8> {
        let mut params = CertificateParams::new(vec!["a.test".to_owned()]).unwrap();
        params.not_before = date_time_ymd(1999, 1, 1);
        params.not_after = date_time_ymd(year, 3, 1);
        let key = KeyPair::generate().unwrap();
        params.self_signed(&key).unwrap().der().to_vec()
    }

    #[test]
    fn the_end_is_read_in_both_forms() {
        for year in [2000, 2049, 2050, 4096] {
            let end = format!("{year}-03-01T00:00:00Z").parse().unwrap();
            assert_eq!(not_after(&until(year)), Some(end), "{year}");
        }
    }

    #[test]
    fn it_is_past_soon_or_later() {
        let certificate = until(2030);
        let end = "2030-03-01T00:00:00Z".parse().unwrap();
        for (now, expected) in [
            ("2030-03-01T00:00:00Z", Expiry::Past(end)),
            ("2030-02-28T23:59:59Z", Expiry::Soon(end)),
            ("2030-02-15T00:00:00Z", Expiry::Soon(end)),
            ("2030-02-14T23:59:59Z", Expiry::Later(end)),
        ] {
            assert_eq!(Expiry::of(&certificate, now.parse().unwrap()), expected, "{now}");
        }
    }

    #[test]
    fn no_part_of_a_certificate_is_read_past_its_end() {
        let certificate = until(2030);
        for length in 0..certificate.len().min(200) {
            assert_eq!(not_after(&certificate[..length]), None, "{length}");
        }
    }
}
