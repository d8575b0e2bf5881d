//! The id of a request.

use std::fmt;

use http::{HeaderName, HeaderValue};
use tokenward_pdp::buffers::shared;
use tokenward_pdp::text::put_hex;

use super::random;

/// The header with the proxy's id of a request, sent to the client and to the upstream.
pub(crate) const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// The proxy's id of a request: 48 bits of milliseconds since 1970, then 80 random ones; shown as 32 hexadecimal
/// digits.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct RequestId([u8; 16]);

impl RequestId {
    /// Makes a new id.
    pub(crate) fn new(time_ms: i64) -> Self {
        let mut bytes = [0; 16];
        let (time, random) = bytes.split_at_mut(6);
        for (byte, time) in time.iter_mut().zip(time_ms.to_be_bytes().into_iter().skip(2)) {
            *byte = time;
        }
        // Without randomness ids of the same millisecond would be equal, but still valid.
        random::fill(random);
        Self(bytes)
    }

    /// Gives the id's 32 digits.
    pub(crate) fn digits(&self) -> [u8; 32] {
        let mut digits = [b'0'; 32];
        put_hex(&self.0, &mut digits);
        digits
    }

    /// Gives the id's bytes, as in the audit.
    pub(crate) fn bytes(self) -> [u8; 16] {
        self.0
    }

    /// Gives the id as a header's value.
    pub(crate) fn header(&self) -> HeaderValue {
        // Hexadecimal digits are always a valid header value.
        HeaderValue::from_maybe_shared(shared(&self.digits()))
            .unwrap_or_else(|_| HeaderValue::from_static("-"))
    }
}

impl From<[u8; 16]> for RequestId {
    fn from(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(std::str::from_utf8(&self.digits()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_are_ordered_by_time_and_differ() {
        let early = RequestId::new(0x0102_0304_0506);
        let late = RequestId::new(0x0102_0304_0507);
        assert!(early.to_string().starts_with("010203040506"), "{early}");
        assert!(early.to_string() < late.to_string());
        assert_ne!(early, RequestId::new(0x0102_0304_0506));
    }
}
