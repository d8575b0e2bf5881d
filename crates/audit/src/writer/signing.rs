//! Signing of the chain's end, if the store has a key for it.

use std::io;

use crate::format::chain::Chain;
use crate::integrity::heads_file::HeadsFile;

/// Whether heads are signed.
pub(super) enum Signing {
    /// No key is configured, or the file of heads could not be written.
    Off,
    /// Heads are signed, into this file.
    On(Box<HeadsFile>),
}

impl Signing {
    /// Signs the end of `chain` if that is due, or if no later one follows (`finally`). After an error nothing is signed any
    /// more: one that lasts would fill the chain with its reports.
    pub(super) fn sign(&mut self, chain: &Chain, now_ms: i64, finally: bool) -> io::Result<()> {
        let Self::On(heads) = self else { return Ok(()) };
        let signed = heads.sign(chain, now_ms, finally);
        if signed.is_err() {
            *self = Self::Off;
        }
        signed
    }
}
