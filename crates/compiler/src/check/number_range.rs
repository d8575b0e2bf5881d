//! The regexp of a range of numbers.

/// A group that matches the numbers from `low` to `high` in decimal, without zeros before them.
pub(super) fn regexp(low: u64, high: u64) -> String {
    let mut parts = Vec::new();
    let mut from = low;
    while from <= high {
        // The largest run of numbers with the same first digits, and any last ones: 120 to 129, 200 to 999.
        let to = run(from, high);
        parts.push(part(from, to));
        match to.checked_add(1) {
            Some(next) => from = next,
            None => break,
        }
    }
    format!("(?:{})", parts.join("|"))
}

/// The last number of the largest run that begins at `from`: its last digits are all from 0 to 9, and the one before them rises.
fn run(from: u64, high: u64) -> u64 {
    let mut best = from;
    let mut unit: u64 = 1;
    while let Some(end) = unit.checked_mul(10) {
        // Within a run, the number of digits stays, and `unit` divides the first number.
        let digit = from / unit % 10;
        if !from.is_multiple_of(unit) || (from == 0 && unit > 1) {
            break;
        }
        for last in digit..=9 {
            let first = (from - digit * unit).checked_add(last * unit);
            match first.and_then(|first| first.checked_add(unit - 1)) {
                Some(to) if to <= high => best = best.max(to),
                _ => break,
            }
        }
        unit = end;
    }
    best
}

/// The regexp of a run: `1[2-4][0-9]`.
fn part(from: u64, to: u64) -> String {
    let (low, high) = (from.to_string(), to.to_string());
    let digits = low.bytes().zip(high.bytes());
    digits
        .map(|(low, high)| match (char::from(low), char::from(high)) {
            (low, high) if low == high => low.to_string(),
            (low, high) => format!("[{low}-{high}]"),
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use regex_automata::nfa::thompson::pikevm::PikeVM;

    use super::regexp;

    #[test]
    fn ranges_are_short() {
        assert_eq!(regexp(1, 100), "(?:[1-9]|[1-9][0-9]|100)");
        assert_eq!(regexp(1, 50), "(?:[1-9]|[1-4][0-9]|50)");
        assert_eq!(
            regexp(0, 255),
            "(?:[0-9]|[1-9][0-9]|1[0-9][0-9]|2[0-4][0-9]|25[0-5])"
        );
        assert_eq!(
            regexp(120, 3_999),
            "(?:1[2-9][0-9]|[2-9][0-9][0-9]|[1-3][0-9][0-9][0-9])"
        );
    }

    #[test]
    fn a_range_matches_its_numbers_and_no_others() {
        for low in [0, 1, 7, 9, 10, 11, 42, 99, 100, 101, 119, 980] {
            for high in [9, 10, 12, 50, 99, 100, 101, 255, 999, 1_000, 1_010] {
                if low >= high {
                    continue;
                }
                let matcher = PikeVM::new(&format!("^{}$", regexp(low, high))).unwrap();
                let mut cache = matcher.create_cache();
                let mut is_match = |text: &str| matcher.is_match(&mut cache, text);
                for number in 0..1_200 {
                    let is_within = low <= number && number <= high;
                    assert_eq!(
                        is_match(&number.to_string()),
                        is_within,
                        "{number} in {low} to {high}"
                    );
                }
                assert!(!is_match("") && !is_match("007"));
            }
        }
    }

    #[test]
    fn large_ranges_end() {
        assert!(regexp(0, u64::MAX).ends_with(')'));
        assert!(regexp(u64::MAX - 1, u64::MAX).starts_with("(?:"));
    }
}
