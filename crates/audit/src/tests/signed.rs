//! Signed heads: a chain that was cut short, or made anew, shows.

use std::fs;
use std::path::{Path, PathBuf};

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
        reader.proof_head(&[public(&key)]).into_bytes(),
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
    assert!(!found.is_empty() && found.iter().all(|(_, what)| *what == Fault::UnknownKey));
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
