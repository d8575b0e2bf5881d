use super::*;

#[test]
fn keys_stay_what_they_are_on_disk() {
    assert_eq!(key(1, 0, b"ci-token-7"), 10_956_494_424_922_650_780);
    let mut summary = BloomFilter::new(3);
    for n in 0..200_u64 {
        summary.add(key(2, n, b"user"));
    }
    let again = BloomFilter::decode(&summary.encode()).unwrap();
    assert!((0..200).all(|n| again.may_have(key(2, n, b"user"))));
    let wrongly = (200..10_200)
        .filter(|n| again.may_have(key(2, *n, b"user")))
        .count();
    assert!(wrongly < 60, "{wrongly} of 10,000");
    let mut changed = summary.encode();
    changed[100] ^= 1;
    assert!(BloomFilter::decode(&changed).is_none());
}
