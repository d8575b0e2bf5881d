use super::*;

#[test]
fn a_minute_has_one_quota_though_clocks_differ() {
    let mut quota = Quota::new(2);
    // Two threads read the clock around a minute's end, and come in the other order.
    assert!(quota.admit(59_999) && quota.admit(60_000));
    assert!(quota.admit(59_999));
    assert!(!quota.admit(60_000) && !quota.admit(59_999) && !quota.admit(60_001));
    assert!(quota.admit(120_000));
    // A clock that was set back further begins anew.
    assert!(quota.admit(1));
}
