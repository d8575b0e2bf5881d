//! Manifests that were decided, so that the same bytes are not judged at each look at the source.

use std::time::{Duration, Instant};

/// Interval at which a policy that this configuration does not admit is compiled again: some of its bounds depend on the time.
const AGAIN: Duration = Duration::from_secs(60);

/// A manifest that was decided. It is not judged again while the source has the same bytes.
pub(super) struct Decided {
    bytes: Vec<u8>,
    /// When it is judged again all the same.
    again: Option<Instant>,
}

impl Decided {
    /// A decision that nothing changes.
    pub(super) fn finally(bytes: &[u8]) -> Self {
        Self {
            bytes: bytes.to_vec(),
            again: None,
        }
    }

    /// A decision that time may change.
    pub(super) fn for_now(bytes: &[u8], now: Instant) -> Self {
        Self {
            again: Some(now + AGAIN),
            ..Self::finally(bytes)
        }
    }

    /// Whether these bytes are decided.
    pub(super) fn holds_for(&self, bytes: &[u8], now: Instant) -> bool {
        self.bytes == bytes && self.again.is_none_or(|again| now < again)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_time_may_change_is_decided_again_and_other_bytes_always() {
        let now = Instant::now();
        let (soon, later) = (now + AGAIN - Duration::from_millis(1), now + AGAIN);
        let decided = Decided::finally(b"1");
        assert!(decided.holds_for(b"1", later) && !decided.holds_for(b"2", now));
        let decided = Decided::for_now(b"1", now);
        assert!(decided.holds_for(b"1", soon) && !decided.holds_for(b"1", later));
        assert!(!decided.holds_for(b"2", now));
    }
}
