use super::*;

/// 2027-01-15 08:00 UTC
const NOON: i64 = 1_800_000_000_000;

#[test]
fn numbers_are_grouped_and_shares_rounded() {
    assert_eq!(grouped(1_234_567), "1,234,567");
    assert_eq!(share(285, 118_204), "0.24 %");
    assert_eq!(share(1, 3), "33.3 %");
    assert_eq!(share(3, 3), "100 %");
    assert_eq!(share(1, u64::MAX), "under 0.01 %");
    assert_eq!((share(0, 3), share(1, 0)), ("0.00 %".to_owned(), String::new()));
    assert_eq!(share(u64::MAX, u64::MAX), "100 %");
}

#[test]
fn lengths_of_time_keep_three_digits() {
    let texts = [41, 5_160, 35_210, 1_204_000].map(millis);
    assert_eq!(texts, ["0.041", "5.16", "35.2", "1,204"]);
}

#[test]
fn times_are_shorter_the_older_they_are() {
    let ago = |ms| short(NOON - ms, NOON);
    assert_eq!(ago(8_000), "07:59:52");
    assert_eq!(ago(9 * HOUR), "14 Jan 23:00");
    assert_eq!(ago(300 * DAY), "21 Mar 2026");
    assert_eq!(full(NOON), "2027-01-15 08:00:00.000 UTC");
    assert_eq!(machine(NOON).as_deref(), Some("2027-01-15T08:00:00.000Z"));
}

#[test]
fn absurd_times_are_shown_as_numbers() {
    assert_eq!(full(i64::MAX), i64::MAX.to_string());
    assert_eq!(machine(i64::MIN), None);
    assert!(!short(i64::MIN, i64::MAX).is_empty());
    assert!(!distance(i64::MAX, i64::MIN).is_empty());
}

#[test]
fn distances_have_one_unit() {
    let texts = [29 * DAY, DAY, 19 * HOUR, -26 * MINUTE, -8 * SECOND, 0].map(|ms| distance(NOON + ms, NOON));
    assert_eq!(
        texts,
        [
            "in 29 days",
            "in 1 day",
            "in 19 h",
            "26 min ago",
            "8 s ago",
            "now"
        ]
    );
}
