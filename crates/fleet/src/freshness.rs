//! Time: the age of a proxy's last proof, and the time that manifests expire by (SEMANTICS section 8).
//!
//! A proof is a nonce that the proxy appends to the stream of revocations and manifests, acknowledged by a quorum, with all
//! entries before it applied. Its age runs from the sending. Neither clock alone is trusted: the wall clock can be set back, and
//! the boot-time clock is the only one that runs while the machine sleeps, if the kernel has it.

#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::time::Duration;

/// A nonce of a proof.
pub type Nonce = [u8; 16];

/// Proofs in flight that are remembered. A proof whose sending was forgotten proves nothing.
pub const MOST_IN_FLIGHT: usize = 64;

/// Both clocks at one moment.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Clocks {
    /// Time since the machine started, including sleep.
    pub boot: Duration,
    /// Time since 1970 UTC.
    pub wall: Duration,
}

impl Clocks {
    /// The time from an earlier moment, by the clock that shows more.
    fn since(&self, earlier: &Self) -> Duration {
        let boot = self.boot.saturating_sub(earlier.boot);
        boot.max(self.wall.saturating_sub(earlier.wall))
    }
}

/// The age of a proxy's last proof, and whether it may serve.
#[derive(Clone, Debug)]
pub struct Freshness {
    most: Duration,
    sent: VecDeque<(Nonce, Clocks)>,
    proof: Option<Clocks>,
}

/// Whether a proxy may serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// It had no proof yet. It serves nothing.
    Unproven,
    /// Its proof is young enough.
    Fresh {
        /// Age of the proof.
        age: Duration,
    },
    /// Its proof is too old. It serves nothing.
    Stale {
        /// Age of the proof.
        age: Duration,
    },
}

impl Freshness {
    /// Begins without a proof. Proofs hold for `most`.
    #[must_use]
    pub fn new(most: Duration) -> Self {
        Self {
            most,
            sent: VecDeque::new(),
            proof: None,
        }
    }

    /// Notes that a nonce is about to be sent. Call this before the sending: the age must never be too small.
    pub fn sending(&mut self, nonce: Nonce, now: Clocks) {
        if self.sent.len() == MOST_IN_FLIGHT {
            self.sent.pop_front();
        }
        self.sent.push_back((nonce, now));
    }

    /// Notes that a nonce was acknowledged, and that all entries before it are applied. Returns whether it is a proof: a nonce
    /// counts once, and only if this proxy sent it.
    pub fn proven(&mut self, nonce: &Nonce) -> bool {
        let Some(at) = self.sent.iter().position(|(sent, _)| sent == nonce) else {
            return false;
        };
        // What was sent earlier would prove less.
        let Some((_, clocks)) = self.sent.drain(..=at).next_back() else {
            return false;
        };
        self.proof = Some(clocks);
        true
    }

    /// Whether the proxy may serve now.
    #[must_use]
    pub fn state(&self, now: &Clocks) -> State {
        let Some(proof) = &self.proof else {
            return State::Unproven;
        };
        let age = now.since(proof);
        if age <= self.most {
            State::Fresh { age }
        } else {
            State::Stale { age }
        }
    }
}

/// A wall clock that is not set back while the process runs.
#[derive(Clone, Copy, Debug)]
pub struct ExpiryClock {
    latest: Clocks,
}

impl ExpiryClock {
    /// Begins now. `least` is a time that is certainly past, such as a manifest's issue: a wall clock before it is wrong.
    #[must_use]
    pub fn new(now: Clocks, least: Duration) -> Self {
        Self {
            latest: Clocks {
                wall: now.wall.max(least),
                ..now
            },
        }
    }

    /// Raises the clock to a time that is certainly past.
    pub fn at_least(&mut self, least: Duration) {
        self.latest.wall = self.latest.wall.max(least);
    }

    /// The time since 1970 UTC: the wall clock, or what passed since the last look if that is later.
    pub fn now(&mut self, clocks: Clocks) -> Duration {
        let passed = clocks.boot.saturating_sub(self.latest.boot);
        let wall = clocks.wall.max(self.latest.wall.saturating_add(passed));
        self.latest = Clocks {
            boot: clocks.boot.max(self.latest.boot),
            wall,
        };
        wall
    }
}

/// The moment at which a manifest expires, by both clocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Expiry {
    boot: Duration,
    wall: Duration,
}

impl Expiry {
    /// The moment `expires` after 1970 UTC. `now` is the present by [`ExpiryClock::now`].
    #[must_use]
    pub fn at(expires: Duration, now: Duration, clocks: &Clocks) -> Self {
        Self {
            boot: clocks.boot.saturating_add(expires.saturating_sub(now)),
            wall: expires,
        }
    }

    /// Whether the moment has come by either clock.
    #[must_use]
    pub fn has_come(&self, clocks: &Clocks) -> bool {
        clocks.boot >= self.boot || clocks.wall >= self.wall
    }
}
