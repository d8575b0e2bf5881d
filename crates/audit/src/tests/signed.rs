//! Signed heads: a chain that was cut short, or made anew, shows.

use std::fs;
use std::path::{Path, PathBuf};

use tokenward_testbed::eventually;

use super::sample::{Clock, DAY, NOON, config, copy, open_with, record, stored};
use crate::{Config, Fault, OpenError, PublicKey, Reader, Sequence, SigningKey, Store};

fn key(root: &Path, name: &str) -> PathBuf {
    let path = root.join(name);
    SigningKey::generate(&path).unwrap();
    path
}

fn signing(root: &Path, key: &Path) -> Store {
    let config = Config {
        signing_key: Some(key.to_owned()),
        ..config(root)
    };
    open_with(config, &Clock::at(NOON))
}

fn public(key: &Path) -> PublicKey {
    SigningKey::read(key).unwrap().public()
}

/// What reading alone finds wrong with the store below `root`.
fn faults(root: &Path, keys: &[PublicKey]) -> Vec<(Option<Sequence>, Fault)> {
    let verified = Reader::open(&root.join("audit")).unwrap().verify(keys).unwrap();
    let findings = verified.findings.into_iter();
    findings.map(|f| (f.sequence, f.what)).collect()
}

#[test]
fn the_end_is_signed_when_the_store_is_closed() {
    let dir = tempfile::tempdir().unwrap();
    let key = key(dir.path(), "key");
    let store = signing(dir.path(), &key);
    let last = stored(&store, record(1, NOON));
    store.close().unwrap();
    let reader = Reader::open(&dir.path().join("audit")).unwrap();
    let verified = reader.verify(&[public(&key)]).unwrap();
    assert!(verified.is_sound());
    assert_eq!(verified.signed, Some((last, NOON)));
    assert!(verified.heads >= 1);
    // A proof carries the heads, and the key if it is given.
    let proof = [
        reader.proof_head(&[public(&key)]).unwrap().into_bytes(),
        reader.blocks(Sequence(0), None, usize::MAX).unwrap().bytes,
    ];
    let path = dir.path().join("proof");
    fs::write(&path, proof.concat()).unwrap();
    let elsewhere = Reader::open(&path).unwrap();
    assert_eq!(elsewhere.claimed_keys(), [public(&key)]);
    assert_eq!(elsewhere.verify(&[public(&key)]).unwrap(), verified);
}

#[test]
fn an_end_that_was_cut_off_shows() {
    let dir = tempfile::tempdir().unwrap();
    let key = key(dir.path(), "key");
    let store = signing(dir.path(), &key);
    stored(&store, record(1, NOON));
    store.close().unwrap();
    let earlier = dir.path().join("earlier");
    copy(&dir.path().join("audit"), &earlier.join("audit"));
    let store = signing(dir.path(), &key);
    let last = stored(&store, record(2, NOON));
    store.close().unwrap();
    // The store as it was, without the note that guards against accidents.
    fs::copy(dir.path().join("audit/HEADS"), earlier.join("audit/HEADS")).unwrap();
    fs::remove_file(earlier.join("audit/HEAD")).unwrap();
    assert_eq!(
        faults(&earlier, &[public(&key)]).last(),
        Some(&(Some(last), Fault::CutOff))
    );
    assert!(faults(dir.path(), &[public(&key)]).is_empty());
}

#[test]
fn a_chain_made_anew_shows() {
    let dir = tempfile::tempdir().unwrap();
    let key = key(dir.path(), "key");
    let store = signing(dir.path(), &key);
    stored(&store, record(1, NOON));
    store.close().unwrap();
    // Whoever can write the files makes another chain of the same length, but not its heads.
    let heads = fs::read(dir.path().join("audit/HEADS")).unwrap();
    fs::remove_dir_all(dir.path().join("audit")).unwrap();
    let store = open_with(config(dir.path()), &Clock::at(NOON));
    let last = stored(&store, record(9, NOON));
    store.close().unwrap();
    fs::write(dir.path().join("audit/HEADS"), &heads).unwrap();
    assert_eq!(
        faults(dir.path(), &[public(&key)]).last(),
        Some(&(Some(last), Fault::OtherHead))
    );
    // His own key is another.
    let other = self::key(dir.path(), "other");
    fs::remove_file(dir.path().join("audit/HEADS")).unwrap();
    signing(dir.path(), &other).close().unwrap();
    let found = faults(dir.path(), &[public(&key)]);
    let (vouched, by_another): (Vec<_>, Vec<_>) = found
        .into_iter()
        .partition(|(_, what)| *what == Fault::NoTrustedHead);
    assert_eq!(vouched.len(), 1);
    assert!(!by_another.is_empty() && by_another.iter().all(|(_, what)| *what == Fault::UnknownKey));
    assert!(faults(dir.path(), &[public(&key), public(&other)]).is_empty());
    // A signature that was moved to another place.
    let heads = String::from_utf8(heads).unwrap().replace(" 2 ", " 3 ");
    fs::write(dir.path().join("audit/HEADS"), heads).unwrap();
    assert!(faults(dir.path(), &[public(&key)]).contains(&(Some(Sequence(3)), Fault::Forged)));
}

#[test]
fn heads_are_signed_at_intervals_and_outlive_their_periods() {
    let dir = tempfile::tempdir().unwrap();
    let key = key(dir.path(), "key");
    let clock = Clock::at(NOON);
    let config = Config {
        signing_key: Some(key.clone()),
        signing_interval: std::time::Duration::ZERO,
        retention_days: Some(1),
        ..config(dir.path())
    };
    let store = open_with(config, &clock);
    for n in 1..=5 {
        clock.set(NOON + i64::from(n) * DAY);
        stored(&store, record(n, NOON + i64::from(n) * DAY));
    }
    store.close().unwrap();
    let heads = fs::read_to_string(dir.path().join("audit/HEADS")).unwrap();
    assert!(heads.lines().count() >= 5, "{heads}");
    assert!(!dir.path().join("audit/2026-11-25").exists());
    assert_eq!(faults(dir.path(), &[public(&key)]), []);
}

#[test]
fn a_key_that_is_none_stops_opening() {
    let dir = tempfile::tempdir().unwrap();
    let wrong = dir.path().join("wrong");
    fs::write(&wrong, "no key").unwrap();
    let config = Config {
        signing_key: Some(wrong),
        ..config(dir.path())
    };
    assert!(matches!(Store::open(config), Err(OpenError::Key(_))));
}

#[test]
fn a_chain_that_no_trusted_key_signed_is_not_vouched_for() {
    let dir = tempfile::tempdir().unwrap();
    let key = key(dir.path(), "key");
    let trusted = [public(&key)];
    // Signed by nobody, and empty but for what opening writes.
    open_with(config(dir.path()), &Clock::at(NOON)).close().unwrap();
    assert_eq!(faults(dir.path(), &trusted), [(None, Fault::NoTrustedHead)]);
    assert_eq!(faults(dir.path(), &[]), []);
    // From the next start on there is a head, even while the store is open.
    let store = signing(dir.path(), &key);
    stored(&store, record(1, NOON));
    // The writer signs after it has answered.
    eventually("a head is signed", || {
        faults(dir.path(), &trusted).is_empty().then_some(())
    });
    stored(&store, record(2, NOON));
    store.close().unwrap();
    assert_eq!(faults(dir.path(), &trusted), []);
    let audit = dir.path().join("audit");
    // A proof without its lines.
    let reader = Reader::open(&audit).unwrap();
    let bytes = reader.blocks(Sequence(0), None, usize::MAX).unwrap().bytes;
    let proof = [b"tokenward-audit-proof 1\n\n".as_slice(), &bytes].concat();
    fs::write(dir.path().join("proof"), proof).unwrap();
    let proof = Reader::open(&dir.path().join("proof")).unwrap();
    assert!(proof.verify(&[]).unwrap().is_sound());
    let verified = proof.verify(&trusted).unwrap();
    let [found] = verified.findings.try_into().unwrap();
    assert_eq!(found.what, Fault::NoTrustedHead);
    assert!(
        found.to_string().starts_with("nothing is covered by a signature"),
        "{found}"
    );
    // Its last period, and all that tells of it, are gone.
    for gone in ["HEAD", "HEADS"] {
        fs::remove_file(audit.join(gone)).unwrap();
    }
    fs::remove_dir_all(audit.join("2026-11-24.2")).unwrap();
    assert_eq!(faults(dir.path(), &[]), []);
    assert_eq!(faults(dir.path(), &trusted), [(None, Fault::NoTrustedHead)]);
    // The heads cannot be read: no file, but a directory.
    fs::create_dir(audit.join("HEADS")).unwrap();
    let found = faults(dir.path(), &trusted);
    assert!(matches!(
        &found[..],
        [(None, Fault::NoHeads(_)), (None, Fault::NoTrustedHead)]
    ));
    assert!(Reader::open(&audit).unwrap().proof_head(&trusted).is_err());
}

#[test]
fn a_proof_of_calls_that_are_not_signed_yet_begins_with_the_last_head() {
    let dir = tempfile::tempdir().unwrap();
    let key = key(dir.path(), "key");
    let config = Config {
        signing_key: Some(key.clone()),
        ..config(dir.path())
    };
    let clock = Clock::at(NOON);
    let store = open_with(config, &clock);
    stored(&store, record(1, NOON));
    clock.set(NOON + 1_000);
    stored(&store, record(2, NOON + 1_000));
    let reader = store.reader();
    let head = reader.proof_head(&[]).unwrap();
    let blocks = reader
        .blocks(Sequence(0), Some(NOON + 1_000), usize::MAX)
        .unwrap();
    let path = dir.path().join("proof");
    fs::write(&path, [head.as_bytes(), &blocks.bytes].concat()).unwrap();
    let verified = Reader::open(&path).unwrap().verify(&[public(&key)]).unwrap();
    assert_eq!(verified.findings, []);
    assert!(
        verified
            .signed
            .is_some_and(|(place, _)| Some(place) < verified.last)
    );
}
