use super::*;

fn chain() -> Chain {
    Chain {
        next: 8,
        hash: [9; 32],
    }
}

#[test]
fn a_head_is_read_back_and_no_other_is_taken_for_it() {
    let dir = tempfile::tempdir().unwrap();
    let key = SigningKey::generate(&dir.path().join("a")).unwrap();
    let other = SigningKey::generate(&dir.path().join("b")).unwrap();
    let line = key.sign(&chain(), 5).to_string();
    let [head] = parse(&format!("half a li\n{line}\n")).try_into().unwrap();
    assert_eq!((head.last, head.time_ms, head.hash), (7, 5, [9; 32]));
    assert_eq!(head.signer(&[other.public(), key.public()]), Signer::Known);
    assert_eq!(head.signer(&[other.public()]), Signer::Unknown);
    let later = SignedHead { time_ms: 6, ..head };
    assert_eq!(later.signer(&[key.public()]), Signer::Nobody);
}
