//! Counts of calls, and the result of a verification, as JSON.

use serde::{Deserialize, Serialize};
use tokenward_audit::{PublicKey, Tally, Usage, Verified};
use tokenward_pdp::text::time;

/// Numbers of calls, grouped by token, line, reason and hour.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UsageReport {
    pub(crate) total: Counts,
    pub(crate) tokens: Vec<UsedBy<Option<String>>>,
    pub(crate) lines: Vec<UsedBy<LineName>>,
    pub(crate) reasons: Vec<UsedBy<String>>,
    /// Counts by the begin of the hour, RFC 3339.
    pub(crate) hours: Vec<UsedBy<String>>,
}

/// The calls of one token, line, reason or hour.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UsedBy<K> {
    pub(crate) name: K,
    #[serde(flatten)]
    pub(crate) counts: Counts,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LineName {
    pub(crate) file: String,
    pub(crate) number: u32,
    pub(crate) digest: String,
}

/// Counts of calls. Times are RFC 3339, and absent if there was no call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) calls: u64,
    pub(crate) allowed: u64,
    pub(crate) denied: u64,
    pub(crate) refused: u64,
    pub(crate) first: Option<String>,
    pub(crate) last: Option<String>,
}

impl From<Tally> for Counts {
    fn from(tally: Tally) -> Self {
        let any = tally.all() > 0;
        Self {
            calls: tally.all(),
            allowed: tally.allowed,
            denied: tally.denied,
            refused: tally.refused,
            first: any.then(|| time(tally.first_ms)),
            last: any.then(|| time(tally.last_ms)),
        }
    }
}

impl From<Usage> for UsageReport {
    fn from(usage: Usage) -> Self {
        fn named<K, N>(of: impl IntoIterator<Item = (K, Tally)>, name: impl Fn(K) -> N) -> Vec<UsedBy<N>> {
            of.into_iter()
                .map(|(key, tally)| UsedBy {
                    name: name(key),
                    counts: tally.into(),
                })
                .collect()
        }
        Self {
            total: usage.calls.into(),
            tokens: named(usage.tokens, |token| token),
            lines: named(usage.lines, |line| LineName {
                file: line.file,
                number: line.number,
                digest: line.digest,
            }),
            reasons: named(usage.reasons, |reason| reason),
            hours: named(usage.hours, time),
        }
    }
}

/// Result of verifying the audit.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct VerifyReport {
    pub(crate) sound: bool,
    pub(crate) entries: u64,
    pub(crate) blocks: u64,
    pub(crate) first: Option<u64>,
    pub(crate) last: Option<u64>,
    /// Hash of the last block, hexadecimal.
    pub(crate) head: Option<String>,
    /// The keys that signed heads were checked with, as `tokenward-audit-public-key HEX`.
    pub(crate) keys: Vec<String>,
    /// Number of signed heads that agree with the chain; below, the last of them.
    pub(crate) heads: u64,
    pub(crate) signed_last: Option<u64>,
    pub(crate) signed_time: Option<String>,
    pub(crate) findings: Vec<Finding>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Finding {
    pub(crate) sequence: Option<u64>,
    pub(crate) harmless: bool,
    /// Description in one sentence.
    pub(crate) text: String,
}

impl VerifyReport {
    /// Converts the result of a verification whose heads were checked with `keys`.
    pub(crate) fn of(verified: Verified, keys: &[PublicKey]) -> Self {
        Self {
            sound: verified.is_sound(),
            entries: verified.entries,
            blocks: verified.blocks,
            first: verified.first.map(|place| place.0),
            last: verified.last.map(|place| place.0),
            head: verified.head.map(hex::encode),
            keys: keys.iter().map(ToString::to_string).collect(),
            heads: verified.heads,
            signed_last: verified.signed.map(|(place, _)| place.0),
            signed_time: verified.signed.map(|(_, ms)| time(ms)),
            findings: verified
                .findings
                .iter()
                .map(|finding| Finding {
                    sequence: finding.sequence.map(|place| place.0),
                    harmless: finding.what.is_harmless(),
                    text: finding.to_string(),
                })
                .collect(),
        }
    }
}
