//! What verifying found: counts, the end of the chain, and each thing that is wrong with it.

use crate::model::entry::Sequence;

/// What verifying found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Verified {
    /// Number of entries whose block is sound and correctly linked.
    pub entries: u64,
    /// Blocks that are.
    pub blocks: u64,
    /// First and last entry there is.
    pub first: Option<Sequence>,
    /// Last entry of the chain.
    pub last: Option<Sequence>,
    /// Hash of the last block. If you note it elsewhere, you can see later whether the end was cut off.
    pub head: Option<[u8; 32]>,
    /// Signed heads that agree with the chain, and are by a key that was given, if any was.
    pub heads: u64,
    /// Last entry that a trusted head covers, and the time when that head was signed.
    pub signed: Option<(Sequence, i64)>,
    /// Faults, in the order of the chain; empty if there is none.
    pub findings: Vec<Finding>,
}

/// One thing that is wrong with the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Name of the period; empty of what concerns all.
    pub period: String,
    /// Sequence number of the first entry concerned, if known.
    pub sequence: Option<Sequence>,
    /// Kind of the fault.
    pub what: Fault,
}

/// Kinds of faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fault {
    /// A block's content is not what its hash was made of.
    Changed,
    /// A block does not continue the one before it: a block between them is missing or was changed, or blocks were reordered.
    Broken,
    /// Entries before this one are missing, although a whole run of blocks would be sound.
    Missing,
    /// The store does not begin at its first entry, and no cut by retention explains why.
    MissingStart,
    /// The store ends before the last entry that is known to have been written.
    CutOff,
    /// A block cannot be read at all.
    Unreadable(String),
    /// The period was set aside, or does not open; its sound blocks were searched for.
    Damaged(String),
    /// A Bloom filter hides this entry from queries.
    Hidden,
    /// Queries with times do not find this entry, because it is out of time order.
    Misdated,
    /// The counts that begin with this entry differ from the calls.
    Miscounted,
    /// A signed head belongs to another chain.
    OtherHead,
    /// The signature of a head does not hold.
    Forged,
    /// A head is signed by a key that is not among those given.
    UnknownKey,
    /// The signed heads cannot be read.
    NoHeads(String),
    /// No head on the chain is signed by one of the given keys: the chain may be another one, or cut off anywhere.
    NoTrustedHead,
    /// Blocks of a commit that failed, and was answered so, are on disk nevertheless. Harmless.
    Unconfirmed,
}

impl Fault {
    /// Whether the fault shows neither tampering nor loss.
    pub fn is_harmless(&self) -> bool {
        matches!(self, Self::Unconfirmed)
    }
}

impl std::fmt::Display for Finding {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.what {
            Fault::NoHeads(why) => return write!(f, "cannot read the file HEADS: {why}"),
            Fault::NoTrustedHead => {
                return f.write_str(
                    "nothing is covered by a signature: this chain has no head signed by a trusted key; it may be another chain, or its end may be missing; if signing was configured only now, the proxy signs at its next start",
                );
            }
            _ => write!(f, "period {}", self.period)?,
        }
        if let Some(sequence) = self.sequence {
            write!(f, ", entry {sequence}")?;
        }
        match &self.what {
            Fault::Changed => f.write_str(": changed after it was written"),
            Fault::Broken => {
                f.write_str(": does not continue the entry before it; something was removed or reordered")
            }
            Fault::Missing => f.write_str(": entries before it are missing"),
            Fault::MissingStart => {
                f.write_str(": the entries before it are missing, and no retention record explains this")
            }
            Fault::CutOff => f.write_str(": was written but is missing; the end was cut off"),
            Fault::Unreadable(why) => write!(f, ": cannot be read: {why}"),
            Fault::Damaged(why) => write!(f, ": damaged, searched for intact blocks: {why}"),
            Fault::Hidden => f.write_str(
                ": hidden from queries by the period's file `summaries`; delete that file to see it",
            ),
            Fault::Misdated => f.write_str(
                ": queries with times do not search for it here: its directory was renamed, or its file `untimely` is missing",
            ),
            Fault::Miscounted => f.write_str(
                ": calls from here on are miscounted by the period's file `sums`; delete that file to count them correctly",
            ),
            Fault::OtherHead => f.write_str(": a signed head shows that the chain was different up to here"),
            Fault::Forged => f.write_str(": the signature of the head is wrong"),
            Fault::UnknownKey => {
                f.write_str(": the head is signed by another key; specify trusted keys with `--key`")
            }
            // Said above.
            Fault::NoHeads(_) | Fault::NoTrustedHead => Ok(()),
            Fault::Unconfirmed => f.write_str(": was reported as not written, but exists; harmless"),
        }
    }
}

impl Verified {
    /// Whether nothing was tampered with or lost, as far as the findings show.
    pub fn is_sound(&self) -> bool {
        self.findings.iter().all(|f| f.what.is_harmless())
    }
}
