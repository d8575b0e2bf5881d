//! Stands for `bucket` without the proxy: there are no calls to count and there is no clock.

use std::num::NonZeroU32;
use std::time::Duration;

use tokenward_compiler::call_limits::Rate;

use super::level::Level;

/// No time passes.
#[derive(Clone, Debug, Default)]
pub(super) struct Clock {}

/// A rate that admits no call.
pub(super) struct Bucket;

impl Bucket {
    pub(super) fn new(_: Rate, _: NonZeroU32, _: &Clock) -> Self {
        Self
    }

    pub(super) fn after(_: &Self, _: Rate, _: NonZeroU32, _: &Clock) -> Self {
        Self
    }

    pub(super) fn has(&self, _: Rate, _: NonZeroU32) -> bool {
        true
    }

    pub(super) fn take(&self) -> Result<Level, (Level, Duration)> {
        let level = Level {
            burst: 0,
            window: Duration::MAX,
            left: 0,
            next: Duration::MAX,
        };
        Err((level, Duration::MAX))
    }
}
