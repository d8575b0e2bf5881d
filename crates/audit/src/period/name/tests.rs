use super::*;

#[test]
fn days_are_named_and_read() {
    assert_eq!(Day::of(0).to_string(), "1970-01-01");
    assert_eq!(Day::of(-1).to_string(), "1969-12-31");
    assert_eq!(Day::of(1_795_478_400_000).to_string(), "2026-11-24");
    assert_eq!(
        Day::parse("2024-02-29").map(Day::start_ms),
        Some(1_709_164_800_000)
    );
    for bad in [
        "2023-02-29",
        "2026-13-01",
        "2026-1-01",
        "20260101",
        "2026-11-24-1",
        "",
    ] {
        assert_eq!(Day::parse(bad), None, "{bad}");
    }
}

#[test]
fn every_day_of_eight_centuries_is_read_back() {
    for n in -146_097..146_097 {
        assert_eq!(Day::parse(&Day(n).to_string()), Some(Day(n)));
    }
}

#[test]
fn periods_sort_as_the_chain_goes() {
    let names = [
        "2026-11-23",
        "2026-11-24.damaged-1",
        "2026-11-24.damaged-2",
        "2026-11-24",
        "2026-11-24.2",
        "2026-11-25",
    ];
    let mut periods: Vec<_> = names.iter().map(|n| Period::parse(n).unwrap()).collect();
    periods.reverse();
    periods.sort();
    assert_eq!(periods.iter().map(ToString::to_string).collect::<Vec<_>>(), names);
    for bad in [
        "LOCK",
        "2026-11-24.",
        "2026-11-24.1",
        "2026-11-24.02",
        "2026-11-24.damaged-",
        "2026-11-24.x",
    ] {
        assert_eq!(Period::parse(bad), None, "{bad}");
    }
}
