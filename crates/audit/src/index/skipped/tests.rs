use super::*;

#[test]
fn they_are_passed_over_either_way() {
    let mut runs = Skipped::default();
    assert!(runs.push(10, 19) && runs.push(30, 34) && runs.push(35, 39));
    assert!(!runs.push(39, 50));
    assert_eq!(runs, Skipped(vec![(10, 19), (30, 39)]));
    let forward = [5, 10, 15, 19, 20, 29, 30, 40].map(|at| runs.forward(at));
    assert_eq!(forward, [5, 20, 20, 20, 20, 29, 40, 40]);
    // To look before 20 is to look at 19 first.
    let backward = [5, 10, 11, 20, 21, 30, 31, 40, 41].map(|at| runs.backward(at));
    assert_eq!(backward, [5, 10, 10, 10, 21, 30, 30, 30, 41]);
    assert_eq!(
        (Skipped::default().forward(7), Skipped::default().backward(7)),
        (7, 7)
    );
}

#[test]
fn what_is_in_either_is_joined() {
    let a = Skipped(vec![(10, 19), (30, 39), (60, 61)]);
    let b = Skipped(vec![(1, 4), (15, 34), (40, 45), (50, 52)]);
    let joined = Skipped(vec![(1, 4), (10, 45), (50, 52), (60, 61)]);
    assert_eq!(a.clone().joined(b.clone()), joined);
    assert_eq!(b.joined(a.clone()), joined);
    assert_eq!(a.clone().joined(Skipped::default()), a);
}
