//! How hard a secret that somebody else made is to guess: an estimate, on the low side.

/// Bits that a secret must have at least.
pub const REQUIRED: f64 = 128.0;

/// The estimated strength in bits.
///
/// Each character counts as one chosen from the kinds of characters in the text (digits, lower-case and capital
/// letters, others; only hexadecimal digits count as sixteen). A text of only letters may consist of words, so each
/// letter counts two bits, which is more than English has (Shannon, "Prediction and Entropy of Printed English", 1951).
/// A repetition of four characters or more counts as one reference to its first occurrence; so does a run of neighbours
/// (`abcd`, `9876`, `aaaa`).
#[must_use]
pub fn bits(secret: &str) -> f64 {
    let characters: Vec<char> = secret.chars().collect();
    let each = per_character(&characters);
    let (mut at, mut bits) = (0, 0.0);
    while let Some(rest) = characters.get(at..).filter(|rest| !rest.is_empty()) {
        let skipped = run(rest).max(repeated(&characters, at));
        if skipped >= 4 {
            // A reference consists of a position, or a way to continue, and a length.
            bits += each + (count(at + 2) * count(skipped)).log2();
            at += skipped;
        } else {
            bits += each;
            at += 1;
        }
    }
    bits
}

fn per_character(characters: &[char]) -> f64 {
    let any = |is: &dyn Fn(&char) -> bool| characters.iter().any(is);
    let all = |is: &dyn Fn(&char) -> bool| characters.iter().all(is);
    if all(&|c| c.is_alphabetic() || c.is_whitespace()) {
        return 2.0;
    }
    let lower_hex = all(&|c| c.is_ascii_digit() || ('a'..='f').contains(c));
    if lower_hex || all(&|c| c.is_ascii_digit() || ('A'..='F').contains(c)) {
        return if all(&char::is_ascii_digit) {
            10.0_f64.log2()
        } else {
            4.0
        };
    }
    let kinds = [
        (any(&char::is_ascii_digit), 10.0),
        (any(&char::is_ascii_lowercase), 26.0),
        (any(&char::is_ascii_uppercase), 26.0),
        (any(&|c| !c.is_ascii_alphanumeric()), 8.0),
    ];
    let size: f64 = kinds.iter().filter(|(has, _)| *has).map(|(_, size)| size).sum();
    size.log2()
}

/// How many characters from the first on go on in steps of the same size, 0 or one up or down.
fn run(rest: &[char]) -> usize {
    let steps: Vec<i64> = rest
        .windows(2)
        .map_while(|pair| match pair {
            [a, b] => Some(i64::from(u32::from(*b)) - i64::from(u32::from(*a))),
            _ => None,
        })
        .collect();
    match steps.first() {
        Some(step) if step.abs() <= 1 => 1 + steps.iter().take_while(|next| *next == step).count(),
        _ => 1,
    }
}

/// The longest text from `at` on that stood there before. Quadratic, of a text whose length the caller bounds.
fn repeated(characters: &[char], at: usize) -> usize {
    let common = |from: usize| {
        let (before, here) = (characters.iter().skip(from), characters.iter().skip(at));
        before.zip(here).take_while(|(a, b)| a == b).count()
    };
    (0..at).map(common).max().unwrap_or(0)
}

fn count(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn made_secrets_are_strong() {
        for _ in 0..200 {
            let secret = crate::secret::Secret::generate(getrandom::fill).unwrap();
            assert!(bits(secret.expose()) >= REQUIRED, "{}", bits(secret.expose()));
            // Extender's secrets have 32 characters.
            let bare = secret.expose().get(4..36).unwrap();
            assert!(bits(bare) >= REQUIRED, "{bare} {}", bits(bare));
        }
        assert!(
            bits("9f86d081884c7d659a2feaa0c55ad015") >= 120.0,
            "a random 128-bit number in hex"
        );
    }

    #[test]
    fn weak_secrets_are_weak() {
        for weak in [
            "",
            "secret",
            "password123",
            "correct horse battery staple",
            "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1",
            "abcdefghijklmnopqrstuvwxyz0123456789",
            "changeme-changeme-changeme-changeme-1",
            "12345678901234567890123456789012",
            "2018-11-05T10:00:00Z",
        ] {
            assert!(bits(weak) < REQUIRED, "{weak}: {}", bits(weak));
        }
    }
}
