use proptest::prelude::*;

use super::*;
use crate::testing::{NOW, Signer, manifest};

fn entry(hash: u8) -> Revocation {
    Revocation {
        fleet: "main".parse().unwrap(),
        hash: [hash; 32],
        revoked: NOW,
        by: "console".parse().unwrap(),
    }
}

fn bytes(signer: &Signer, entry: &Revocation) -> Vec<u8> {
    entry.signed(signer.public().id(), |body| signer.sign(body))
}

#[test]
fn an_entry_counts_by_its_signature_and_fleet() {
    let (one, two) = (Signer::new(1), Signer::new(2));
    let fleet = "main".parse().unwrap();
    let signed = bytes(&one, &entry(1));
    let read = |bytes: &[u8], keys: &[VerifyingKey]| Revocation::read(bytes, &fleet, keys);
    assert_eq!(read(&signed, &[two.public(), one.public()]), Ok(entry(1)));
    assert!(matches!(
        read(&signed, &[two.public()]),
        Err(RevocationError::Signature(SignatureError::Stranger(_)))
    ));
    let forged = entry(1).signed(one.public().id(), |body| two.sign(body));
    assert!(matches!(
        read(&forged, &[one.public()]),
        Err(RevocationError::Signature(SignatureError::Wrong(_)))
    ));
    let other = Revocation {
        fleet: "other".parse().unwrap(),
        ..entry(1)
    };
    assert!(matches!(
        read(&bytes(&one, &other), &[one.public()]),
        Err(RevocationError::OtherFleet(_))
    ));
    // A signature for a manifest is none for a revocation.
    let manifest = one.manifest(&manifest(1));
    assert!(matches!(
        read(&manifest, &[one.public()]),
        Err(RevocationError::Malformed(_))
    ));
}

proptest! {
    #[test]
    fn no_byte_of_an_entry_can_be_changed(at in 0_usize..1_000, byte in any::<u8>()) {
        let signer = Signer::new(1);
        let signed = bytes(&signer, &entry(1));
        let mut changed = signed.clone();
        let at = at % changed.len();
        changed[at] = byte;
        prop_assume!(changed != signed);
        let fleet = "main".parse().unwrap();
        prop_assert!(Revocation::read(&changed, &fleet, &[signer.public()]).is_err());
    }

    /// A follower that stops anywhere knows exactly the heads up to there; repeated entries change nothing.
    #[test]
    fn a_head_is_known_with_all_before_it(hashes in proptest::collection::vec(0_u8..20, 0..40), stop in 0_usize..40) {
        let stop = stop.min(hashes.len());
        let (mut all, mut some) = (Revocations::default(), Revocations::default());
        let mut heads = Vec::new();
        for (index, hash) in hashes.iter().enumerate() {
            let is_new = all.apply(&entry(*hash));
            prop_assert_eq!(is_new, !hashes[..index].contains(hash));
            heads.push(all.head());
            if index < stop {
                some.apply(&entry(*hash));
            }
        }
        prop_assert!(some.knows(&Revocations::first()));
        for (index, head) in heads.iter().enumerate() {
            prop_assert!(all.knows(head));
            let lacks = hashes[..=index].iter().any(|hash| !some.has(&[*hash; 32]));
            prop_assert_eq!(some.knows(head), !lacks, "at {}", index);
        }
    }
}
