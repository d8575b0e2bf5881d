use super::*;

#[test]
fn names_of_one_hash_are_told_apart() {
    let mut set = Set::default();
    for name in ["a", "b", "c"] {
        assert!(!set.contains(7, name));
        assert!(set.insert(7, name.into()));
    }
    for name in ["a", "b", "c"] {
        assert!(set.contains(7, name));
        assert!(!set.insert(7, name.into()));
    }
    assert!(!set.contains(7, "d"));
    assert!(!set.contains(8, "a"));
}

#[test]
fn a_large_object_knows_its_names_and_an_inner_one_its_own() {
    let mut names = Names::new();
    let mut outer = names.open();
    for at in 0..3 * SMALL {
        assert!(names.add(&mut outer, format!("n{at}").into()));
    }
    let mut inner = names.open();
    assert!(names.add(&mut inner, "n1".into()));
    assert!(!names.contains(inner, "n2"));
    names.close(inner);
    for at in 0..3 * SMALL {
        assert!(names.contains(outer, &format!("n{at}")));
        assert!(!names.add(&mut outer, format!("n{at}").into()));
    }
    assert!(!names.contains(outer, "n"));
}
