use super::*;

#[test]
fn the_reserve_is_given_up_when_space_is_short_and_made_again() {
    let dir = tempfile::tempdir().unwrap();
    let reserve = dir.path().join("RESERVE");
    let mut space = Space::new(dir.path(), 1 << 20);
    assert_eq!(reserve.metadata().unwrap().len(), 1 << 20);
    assert!(space.check().unwrap());
    // As if the disk were fuller than any.
    space.margin = u64::MAX;
    assert!(!space.check().unwrap());
    assert!(!reserve.exists());
    space.margin = MARGIN;
    assert!(space.check().unwrap());
    assert!(reserve.exists());
    // One left by an earlier process is known.
    let mut space = Space {
        margin: u64::MAX,
        ..Space::new(dir.path(), 1 << 20)
    };
    assert!(!space.check().unwrap());
    assert!(!reserve.exists());
}

#[test]
fn a_reserve_that_a_crash_left_empty_is_made_whole() {
    let dir = tempfile::tempdir().unwrap();
    let reserve = dir.path().join("RESERVE");
    fs::write(&reserve, "").unwrap();
    assert!(Space::new(dir.path(), 1 << 20).check().unwrap());
    assert_eq!(reserve.metadata().unwrap().len(), 1 << 20);
}

#[test]
fn none_is_made_where_none_is_wanted() {
    let dir = tempfile::tempdir().unwrap();
    assert!(Space::new(dir.path(), 0).check().unwrap());
    assert!(!dir.path().join("RESERVE").exists());
}
