use super::*;

#[test]
fn keys_are_made_once_and_read_back() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("audit.key");
    let key = SigningKey::generate(&path).unwrap();
    let public = PublicKey::read(&dir.path().join("audit.key.pub")).unwrap();
    assert_eq!(key.public(), public);
    assert_eq!(SigningKey::read(&path).unwrap().public(), public);
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(&path).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert!(matches!(SigningKey::generate(&path), Err(KeyError::Io { .. })));
    let wrong = SigningKey::read(&dir.path().join("audit.key.pub")).unwrap_err();
    assert!(wrong.to_string().contains("is not a signing key"), "{wrong}");
    let secret = fs::read_to_string(&path).unwrap();
    assert!(!format!("{key:?}").contains(secret.split_whitespace().last().unwrap()));
}
