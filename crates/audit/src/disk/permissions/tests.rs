use super::*;
use crate::{Config, Exposed, KeyError, Reader, SigningKey, Store};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn a_store_and_its_copy_are_their_owners() {
    let dir = tempfile::tempdir().unwrap();
    let (root, copy) = (dir.path().join("above/audit"), dir.path().join("copy"));
    let store = Store::open(Config::at(&root)).unwrap();
    assert_eq!(store.opened().warnings, [""; 0]);
    store.close().unwrap();
    Reader::open(&root).unwrap().copy(&copy).unwrap();
    assert_eq!((mode(&root), mode(&copy)), (0o700, 0o700));
    // One that the operator opened to others stays so, and is told.
    fs::set_permissions(&root, fs::Permissions::from_mode(0o750)).unwrap();
    let store = Store::open(Config::at(&root)).unwrap();
    let warnings = store.opened().warnings.join("");
    assert!(warnings.contains("(mode 750); run `chmod 700`"), "{warnings}");
    assert_eq!(mode(&root), 0o750);
}

#[test]
fn a_signing_key_that_others_read_is_none() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("new/audit.key");
    SigningKey::generate(&path).unwrap();
    assert!(SigningKey::read(&path).is_ok());
    for open in [0o660, 0o604, 0o644] {
        fs::set_permissions(&path, fs::Permissions::from_mode(open)).unwrap();
        let read = SigningKey::read(&path);
        assert!(
            matches!(read, Err(KeyError::Open { exposed: Exposed::Mode(mode), .. }) if mode == open),
            "{read:?}"
        );
    }
}
