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

#[test]
fn counts_of_tokens_are_taken_when_a_minute_ends() {
    let mut quotas = Quotas::new(1);
    let token = |quotas: &mut Quotas, now_ms| quotas.of(Refused::OverLimit, "a").admit(now_ms);
    assert!(token(&mut quotas, 0) && !token(&mut quotas, 1));
    assert_eq!(quotas.take_due(2, false), []);
    let counted = [Event::OverLimit {
        token: "a".into(),
        count: 1,
        from_ms: 1,
        to_ms: 1,
    }];
    assert_eq!(quotas.take_due(60_000, false), counted);
    // A count that could not be stored waits for the end of the minute, or of the store.
    for (now_ms, all) in [(60_001, true), (120_000, false)] {
        quotas.of(Refused::OverLimit, "a").over().restore(1, 1, 1);
        assert_eq!(quotas.take_due(60_001, false), []);
        assert_eq!(quotas.take_due(now_ms, all), counted);
    }
}
