use proptest::prelude::*;

use super::*;

fn at(boot: u64, wall: u64) -> Clocks {
    Clocks {
        boot: Duration::from_secs(boot),
        wall: Duration::from_secs(wall),
    }
}

const fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn serves(freshness: &Freshness, now: Clocks) -> bool {
    matches!(freshness.state(&now), State::Fresh { .. })
}

#[test]
fn nothing_is_served_before_the_first_proof() {
    let mut freshness = Freshness::new(seconds(10));
    assert_eq!(freshness.state(&at(0, 0)), State::Unproven);
    freshness.sending([1; 16], at(5, 1_005));
    assert_eq!(freshness.state(&at(5, 1_005)), State::Unproven);
    assert!(!freshness.proven(&[2; 16]), "it was not sent from here");
    assert!(freshness.proven(&[1; 16]));
    assert!(!freshness.proven(&[1; 16]), "a nonce counts once");
    assert!(serves(&freshness, at(5, 1_005)));
}

#[test]
fn the_age_runs_from_the_sending() {
    let mut freshness = Freshness::new(seconds(10));
    freshness.sending([1; 16], at(0, 1_000));
    // The acknowledgement took eleven seconds: it proves nothing that is young enough.
    assert!(freshness.proven(&[1; 16]));
    assert_eq!(freshness.state(&at(11, 1_011)), State::Stale { age: seconds(11) });
}

#[test]
fn the_clock_that_shows_more_counts() {
    let mut freshness = Freshness::new(seconds(10));
    freshness.sending([1; 16], at(100, 1_000));
    assert!(freshness.proven(&[1; 16]));
    assert!(serves(&freshness, at(110, 1_010)));
    assert!(!serves(&freshness, at(111, 1_000)), "the wall clock stands");
    assert!(
        !serves(&freshness, at(111, 5)),
        "the wall clock was set back a day"
    );
    assert!(!serves(&freshness, at(100, 1_011)), "the machine slept");
    assert!(
        !serves(&freshness, at(101, 90_000)),
        "the wall clock was set forward a day"
    );
}

#[test]
fn an_older_proof_does_not_replace_a_younger_one() {
    let mut freshness = Freshness::new(seconds(10));
    freshness.sending([1; 16], at(0, 0));
    freshness.sending([2; 16], at(9, 9));
    assert!(freshness.proven(&[2; 16]));
    assert!(!freshness.proven(&[1; 16]));
    assert!(serves(&freshness, at(19, 19)));
}

#[test]
fn the_proofs_in_flight_are_bounded() {
    let mut freshness = Freshness::new(seconds(10));
    for number in 0..200 {
        freshness.sending([number; 16], at(u64::from(number), 0));
    }
    assert_eq!(freshness.sent.len(), MOST_IN_FLIGHT);
    assert!(!freshness.proven(&[0; 16]));
    assert!(freshness.proven(&[199; 16]));
}

#[test]
fn expiry_does_not_wait_for_a_clock_that_was_set_back() {
    let mut clock = ExpiryClock::new(at(0, 1_000), seconds(900));
    assert_eq!(clock.now(at(10, 1_010)), seconds(1_010));
    assert_eq!(clock.now(at(20, 5)), seconds(1_020), "set back");
    assert_eq!(clock.now(at(20, 5)), seconds(1_020));
    assert_eq!(clock.now(at(21, 9_000)), seconds(9_000), "set forward");
    assert_eq!(clock.now(at(22, 1_022)), seconds(9_001), "and back");
    // A machine without the right time knows at least when its manifest was issued.
    assert_eq!(
        ExpiryClock::new(at(0, 0), seconds(900)).now(at(1, 1)),
        seconds(901)
    );
}

#[test]
fn the_moment_of_expiry_comes_by_either_clock() {
    let expiry = Expiry::at(seconds(1_100), seconds(1_000), &at(50, 1_000));
    assert!(!expiry.has_come(&at(149, 1_099)));
    assert!(expiry.has_come(&at(150, 5)), "the wall clock was set back");
    assert!(expiry.has_come(&at(60, 1_100)), "the machine slept");
    // One that has passed already.
    assert!(Expiry::at(seconds(900), seconds(1_000), &at(50, 1_000)).has_come(&at(50, 1_000)));
}

proptest! {
    /// Whatever the clocks show, a proxy serves only within the bound of the boot-time clock since a sending that was proven.
    #[test]
    fn the_bound_holds(steps in proptest::collection::vec((0_u64..20, -100_000_i64..100_000, any::<bool>(), any::<bool>()), 1..60)) {
        let mut freshness = Freshness::new(seconds(30));
        let (mut boot, mut last, mut number) = (0_u64, None, 0_u8);
        for (passed, wall, sends, answers) in steps {
            boot += passed;
            let now = at(boot, 1_000_000_u64.saturating_add_signed(wall));
            if sends {
                number = number.wrapping_add(1);
                freshness.sending([number; 16], now);
                if answers && freshness.proven(&[number; 16]) {
                    last = Some(boot);
                }
            }
            if serves(&freshness, now) {
                prop_assert!(last.is_some_and(|last| boot - last <= 30));
            }
        }
    }

    /// The clock of expiry never goes back, and never lags behind the boot-time clock.
    #[test]
    fn the_clock_of_expiry_rises(steps in proptest::collection::vec((0_u64..1_000, 0_u64..3_000_000), 1..60)) {
        let mut clock = ExpiryClock::new(at(0, 1_000_000), seconds(0));
        let (mut boot, mut last) = (0, seconds(1_000_000));
        for (passed, wall) in steps {
            boot += passed;
            let now = clock.now(at(boot, wall));
            prop_assert!(now >= last + seconds(passed) && now >= seconds(wall));
            last = now;
        }
    }
}
