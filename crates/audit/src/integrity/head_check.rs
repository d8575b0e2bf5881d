//! Holding signed heads against the chain while it is verified.

use std::collections::BTreeMap;

use crate::format::chain::Hash;
use crate::integrity::findings::{Fault, Verified};
use crate::integrity::keys::PublicKey;
use crate::integrity::signed_head::{SignedHead, Signer};
use crate::model::entry::Sequence;

/// The heads that the chain has yet to reach, by sequence number.
#[derive(Debug, Default)]
pub(crate) struct HeadCheck {
    heads: BTreeMap<u64, Vec<SignedHead>>,
    keys: Vec<PublicKey>,
}

impl HeadCheck {
    /// All `heads`, to be signed by one of `keys` if there are any.
    pub(crate) fn of(heads: Vec<SignedHead>, keys: &[PublicKey]) -> Self {
        let mut by_place: BTreeMap<u64, Vec<SignedHead>> = BTreeMap::new();
        for head in heads {
            by_place.entry(head.last).or_default().push(head);
        }
        Self {
            heads: by_place,
            keys: keys.to_vec(),
        }
    }

    /// Checks the heads at `last`, with which a block of the chain ends. Returns their faults.
    pub(crate) fn meet(&mut self, last: u64, hash: Hash, done: &mut Verified) -> Vec<Fault> {
        let mut faults = Vec::new();
        for head in self.heads.remove(&last).unwrap_or_default() {
            match self.fault(&head) {
                Some(fault) => faults.push(fault),
                None if head.hash != hash => faults.push(Fault::OtherHead),
                None => {
                    done.heads += 1;
                    done.signed = Some((Sequence(last), head.time_ms));
                }
            }
        }
        faults
    }

    /// Checks the heads that the chain, which ended with `end`, did not reach. Heads of deleted periods, and of periods that a
    /// part of a store does not contain, are not faults.
    pub(crate) fn left(&mut self, end: u64, first: u64) -> Vec<(u64, Fault)> {
        let heads = std::mem::take(&mut self.heads).into_values().flatten();
        let faults = heads.filter_map(|head| {
            let fault = match self.fault(&head) {
                Some(fault) => fault,
                None if head.last > end => Fault::CutOff,
                None if head.last >= first => Fault::OtherHead,
                None => return None,
            };
            Some((head.last, fault))
        });
        faults.collect()
    }

    fn fault(&self, head: &SignedHead) -> Option<Fault> {
        if self.keys.is_empty() {
            return None;
        }
        match head.signer(&self.keys) {
            Signer::Known => None,
            Signer::Unknown => Some(Fault::UnknownKey),
            Signer::Nobody => Some(Fault::Forged),
        }
    }
}
