//! The clocks of the system, and the release of this process.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use rustix::time::{ClockId, clock_gettime};
use tokenward_fleet::freshness::Clocks;
use tokenward_fleet::release::Release;

/// Both clocks now.
pub(super) fn clocks() -> Clocks {
    let boot = clock_gettime(ClockId::Boottime);
    let seconds = u64::try_from(boot.tv_sec).unwrap_or_default();
    let nanoseconds = u32::try_from(boot.tv_nsec).unwrap_or_default();
    Clocks {
        boot: Duration::new(seconds, nanoseconds),
        wall: SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default(),
    }
}

/// The present time, milliseconds since 1970 UTC.
pub(crate) fn now_ms() -> i64 {
    i64::try_from(clocks().wall.as_millis()).unwrap_or(i64::MAX)
}

/// The release of this process.
pub(crate) fn own_release() -> Release {
    // INVARIANT: the version of the package is three numbers; a test holds it.
    env!("CARGO_PKG_VERSION").parse().unwrap_or(Release([0; 3]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_release_is_that_of_the_package() {
        assert_eq!(own_release().to_string(), env!("CARGO_PKG_VERSION"));
    }
}
