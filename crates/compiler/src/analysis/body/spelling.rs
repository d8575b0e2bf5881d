//! Spellings of a name that differ from it only in letter case, as the proxy compares names.

use crate::json::fold;

/// The most spellings that are tried.
const MOST: usize = 1024;
/// Texts that also one character stands for, such as `ﬁ`.
const LIGATURES: [&str; 5] = ["ff", "fi", "fl", "ss", "st"];

/// Other spellings of a name.
pub(super) struct Spellings {
    pub(super) names: Vec<String>,
    /// Whether there are no others.
    pub(super) are_all: bool,
}

impl Spellings {
    /// The spellings of a name, those that differ in few letters first.
    pub(super) fn of(name: &str) -> Self {
        let mut names = vec![String::new()];
        for char in name.chars() {
            let others = others(char);
            let before = names.len();
            for other in others {
                for at in 0..before {
                    let longer = names.get(at).map(|text| format!("{text}{other}"));
                    names.extend(longer.filter(|_| names.len() < MOST));
                }
            }
            names.iter_mut().take(before).for_each(|text| text.push(char));
        }
        let are_all = names.len() < MOST && name.is_ascii() && {
            let folded = name.to_ascii_lowercase();
            !LIGATURES.iter().any(|text| folded.contains(text))
        };
        names.retain(|other| is_variant(other, name));
        Self { names, are_all }
    }
}

/// Texts that servers may take for a character, which is not among them.
fn others(char: char) -> Vec<String> {
    // Characters outside ASCII that are equal to a letter of it but for their case.
    let strange = match char.to_ascii_lowercase() {
        'i' => "\u{130}\u{131}",
        'k' => "\u{212a}",
        's' => "\u{17f}",
        _ => "",
    };
    let plain = [char.to_uppercase().collect(), char.to_lowercase().collect()];
    let mut others: Vec<String> = plain
        .into_iter()
        .chain(strange.chars().map(String::from))
        .collect();
    others.retain(|other| !other.chars().eq([char]));
    others
}

/// Whether a name differs from another only in letter case.
pub(super) fn is_variant(name: &str, known: &str) -> bool {
    name != known && fold::key(name) == fold::key(known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spellings_of_a_name() {
        assert_eq!(Spellings::of("n").names, ["N"]);
        assert_eq!(Spellings::of("aB").names, ["AB", "ab", "Ab"]);
        assert_eq!(Spellings::of("k1").names, ["K1", "\u{212a}1"]);
        assert_eq!(Spellings::of("1-\u{65e5}").names, [""; 0]);
        assert!(Spellings::of("\u{df}").names.contains(&"SS".to_owned()));
        let all = |name: &str| Spellings::of(name).are_all;
        assert!(all("n") && all("account") && !all("class") && !all("\u{e9}") && !all(&"a".repeat(40)));
        for name in ["fields", "Straße", "I\u{307}d", "ǆ", "ς"] {
            assert!(!Spellings::of(name).names.is_empty(), "{name}");
        }
    }
}
