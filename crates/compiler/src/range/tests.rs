use proptest::prelude::*;

use super::*;
use crate::ir::Matcher;

/// The maximum size of a range's automaton, in bytes.
const MOST: usize = 64 << 10;

fn matcher(bound: &str, side: Side) -> Matcher {
    Matcher::new(&Bound::parse(bound).unwrap().texts(side)).unwrap()
}

/// The plainest comparison: decimals as integers, scaled. `None` if the text is not a number of the form.
fn value(text: &str) -> Option<i128> {
    let unsigned = text.strip_prefix('-').unwrap_or(text);
    let (integer, fraction) = unsigned.split_once('.').unwrap_or((unsigned, "0"));
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let digits = unsigned.bytes().filter(u8::is_ascii_digit).count();
    if !is_digits(integer) || !is_digits(fraction) || digits > 15 {
        return None;
    }
    if integer.len() > 1 && integer.starts_with('0') {
        return None;
    }
    let scaled: i128 = format!("{integer}{fraction:0<15}").parse().unwrap();
    match text.starts_with('-') {
        true => (scaled != 0).then_some(-scaled),
        false => Some(scaled),
    }
}

fn is_on<T: PartialOrd>(side: Side, value: &T, bound: &T) -> bool {
    match side {
        Side::Below => value < bound,
        Side::UpTo => value <= bound,
        Side::From => value >= bound,
        Side::Above => value > bound,
    }
}

fn agrees(bound: &str, side: Side, matcher: &Matcher, text: &str) {
    let bound_value = value(bound).unwrap();
    let expected = value(text).is_some_and(|value| is_on(side, &value, &bound_value));
    assert_eq!(
        matcher.matches(text),
        expected,
        "{text} {} {bound}",
        side.as_str()
    );
}

const BOUNDS: &[&str] = &[
    "0",
    "0.0",
    "1",
    "9",
    "10",
    "11",
    "99",
    "100",
    "500",
    "-1",
    "-9",
    "-10",
    "-105",
    "0.5",
    "0.05",
    "0.50",
    "1.05",
    "-0.5",
    "-0.05",
    "-1.5",
    "-0.305",
    "9.99",
    "-9.99",
    "90.09",
    "-90.09",
    "0.101",
    "-0.101",
    "999999999999999",
    "-999999999999999",
    "100000000000000",
    "0.00000000000001",
    "-0.00000000000001",
    "9.99999999999999",
    "12345678.1234567",
    "-12345678.1234567",
    "99999999999999.9",
];

#[test]
fn numbers_of_small_shapes_are_compared_as_their_values_are() {
    let letters: Vec<char> = "-.0123590e+ ".chars().collect();
    let mut texts = vec![String::new()];
    let mut longest = texts.clone();
    for _ in 0..5 {
        longest = longest
            .iter()
            .flat_map(|text| letters.iter().map(move |letter| format!("{text}{letter}")))
            .collect();
        // Most of the longest texts are nothing like numbers.
        longest.retain(|text| !text.contains("--") && !text.contains("..") && !text.contains("  "));
        texts.extend(longest.iter().cloned());
    }
    for bound in BOUNDS {
        for side in Side::ALL {
            let matcher = matcher(bound, side);
            for text in &texts {
                agrees(bound, side, &matcher, text);
            }
        }
    }
}

#[test]
fn texts_that_are_almost_numbers_are_on_no_side() {
    let almost = [
        "5e2",
        "5E2",
        "+5",
        "05",
        "00",
        "-05",
        ".5",
        "5.",
        "-.5",
        "-0",
        "-0.0",
        "-0.000",
        "0x5",
        "5,0",
        " 5",
        "5 ",
        "٥",
        "５",
        "1_000",
        "1e0",
        "-",
        "",
        "NaN",
        "Infinity",
        "1000000000000000",
        "0.000000000000001",
        "1.000000000000000",
        "5\n",
        "--5",
    ];
    for bound in BOUNDS {
        for side in Side::ALL {
            let matcher = matcher(bound, side);
            for text in almost {
                assert!(!matcher.matches(text), "{text} {} {bound}", side.as_str());
            }
        }
    }
    for text in almost {
        assert_eq!(Bound::parse(text), None, "{text}");
    }
}

/// A number with up to sixteen digits.
fn number() -> impl Strategy<Value = String> {
    let integer = prop_oneof![Just("0".to_owned()), "[1-9][0-9]{0,3}", "[1-9][0-9]{0,14}"];
    let fraction = prop_oneof![
        Just(String::new()),
        "\\.[0-9]{1,3}",
        "\\.[0-9]{1,15}",
        "\\.0{1,9}[0-9]"
    ];
    ("-?", integer, fraction).prop_map(|(sign, integer, fraction)| format!("{sign}{integer}{fraction}"))
}

/// A number near another: some digits replaced, added or cut off.
fn near() -> impl Strategy<Value = (String, Vec<String>)> {
    let bound = number().prop_filter("a bound", |text| value(text).is_some());
    let changes = prop::collection::vec((any::<prop::sample::Index>(), "[0-9]", 0..5_u8), 24);
    (bound, changes, prop::collection::vec(number(), 12)).prop_map(|(bound, changes, mut texts)| {
        texts.extend(changes.into_iter().map(|(at, digit, change)| {
            let (start, end) = bound.split_at(at.index(bound.len() + 1));
            match change {
                0 => format!("{start}{digit}{end}"),
                1 => format!("{start}{digit}{}", end.get(1..).unwrap_or_default()),
                2 => start.to_owned(),
                3 => format!("{bound}{digit}"),
                _ => format!("-{start}{end}"),
            }
        }));
        texts.push(bound.clone());
        (bound, texts)
    })
}

proptest! {
    #[test]
    fn numbers_near_a_bound_are_compared_as_their_values_are((bound, texts) in near()) {
        for side in Side::ALL {
            let matcher = matcher(&bound, side);
            for text in &texts {
                agrees(&bound, side, &matcher, text);
            }
        }
    }

    #[test]
    fn the_two_sides_of_a_bound_have_every_number_once((bound, texts) in near()) {
        for side in [Side::Below, Side::UpTo] {
            let (one, other) = (matcher(&bound, side), matcher(&bound, side.opposite()));
            for text in &texts {
                prop_assert_eq!(u8::from(one.matches(text)) + u8::from(other.matches(text)), u8::from(value(text).is_some()));
            }
        }
    }
}

/// All texts of the form, from year 0 to 9999, with days that exist and days that do not.
fn dates() -> impl Iterator<Item = (String, bool)> {
    (0..=9999_u32).flat_map(|year| {
        let leap = year.is_multiple_of(4) && !year.is_multiple_of(100) || year.is_multiple_of(400);
        let lengths = [
            31,
            if leap { 29 } else { 28 },
            31,
            30,
            31,
            30,
            31,
            31,
            30,
            31,
            30,
            31,
        ];
        (0..=13_usize).flat_map(move |month| {
            let length = month
                .checked_sub(1)
                .and_then(|month| lengths.get(month))
                .copied()
                .unwrap_or(0);
            // All days at the borders of a month.
            [0, 1, 2, 9, 10, 15, 27, 28, 29, 30, 31, 32, 99]
                .into_iter()
                .map(move |day| {
                    (
                        format!("{year:04}-{month:02}-{day:02}"),
                        (1..=length).contains(&day),
                    )
                })
        })
    })
}

#[test]
fn dates_exist_and_are_in_order() {
    let bounds = [
        "0000-01-01",
        "0000-02-29",
        "1900-02-28",
        "1999-12-31",
        "2000-02-29",
        "2018-01-01",
        "2019-10-09",
        "9999-12-31",
    ];
    let dates: Vec<(String, bool)> = dates().collect();
    for (text, exists) in &dates {
        assert_eq!(Date::parse(text).is_some(), *exists, "{text}");
    }
    for bound in bounds {
        for side in Side::ALL {
            let matcher = matcher(bound, side);
            for (text, exists) in &dates {
                // Dates of this form are in the order of their texts.
                let expected = *exists && is_on(side, &text.as_str(), &bound);
                assert_eq!(
                    matcher.matches(text),
                    expected,
                    "{text} {} {bound}",
                    side.as_str()
                );
            }
        }
    }
}

#[test]
fn texts_that_are_almost_dates_are_on_no_side() {
    let almost = [
        "2018-1-01",
        "2018-01-1",
        "18-01-01",
        "02018-01-01",
        "2018/01/01",
        "20180101",
        "2018-01-01T00:00:00Z",
        "2018-01-01 ",
        " 2018-01-01",
        "2018-02-29",
        "1900-02-29",
        "2018-13-01",
        "2018-00-01",
        "2018-01-00",
        "2018-01-32",
        "2018-W01-1",
        "２０18-01-01",
        "-2018-01-01",
        "2018-01",
        "2018",
        "",
    ];
    for side in Side::ALL {
        let matcher = matcher("2018-01-01", side);
        for text in almost {
            assert!(!matcher.matches(text), "{text}");
        }
    }
    // A plain number is a bound of another kind.
    for text in almost
        .into_iter()
        .filter(|text| !["2018", "20180101"].contains(text))
    {
        assert_eq!(Bound::parse(text), None, "{text}");
    }
}

#[test]
fn automata_of_ranges_are_small() {
    let bounds = BOUNDS
        .iter()
        .chain(&["0000-02-29", "1904-02-29", "2018-01-01", "9999-12-31"]);
    for bound in bounds {
        for side in Side::ALL {
            let size = match matcher(bound, side) {
                Matcher::Automaton(automaton) => automaton.memory_usage(),
                _ => 0,
            };
            assert!(size <= MOST, "{} {bound} takes {size} bytes", side.as_str());
        }
    }
}

#[test]
fn examples_are_on_their_side() {
    for bound in BOUNDS
        .iter()
        .chain(&["2018-01-01", "2020-02-29", "0000-01-01", "9999-12-31"])
    {
        for side in Side::ALL {
            let matcher = matcher(bound, side);
            let near = Bound::parse(bound).unwrap().near(side);
            assert!(
                near.iter().all(|text| matcher.matches(text)),
                "{near:?} {} {bound}",
                side.as_str()
            );
            let is_last = matches!(
                (*bound, side),
                ("0000-01-01", Side::Below) | ("9999-12-31", Side::Above)
            );
            let is_longest = matches!(
                (*bound, side),
                ("999999999999999", Side::Above) | ("-999999999999999", Side::Below)
            );
            assert_eq!(
                near.is_empty(),
                is_last || is_longest,
                "{} {bound}",
                side.as_str()
            );
        }
    }
}
