//! Suggests a known name for a misspelt one.

/// Bytes of the longest name that anything is suggested for.
const LONGEST: usize = 256;

/// The name among `known` nearest to `given`, if it is close enough for a misspelling.
///
/// Cost: quadratic in the length of each name that is about as long as `given`; names that are not, or that are longer than any
/// that people write, cost nothing.
pub fn nearest<'a>(given: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    if given.len() > LONGEST {
        return None;
    }
    let given = given.to_lowercase();
    let characters = given.chars().count();
    known
        .into_iter()
        .filter_map(|name| {
            let most = name.len().max(given.len()) / 3;
            let folded = (name.len() <= LONGEST).then(|| name.to_lowercase())?;
            // Each character that one has more than the other is an edit.
            if folded.chars().count().abs_diff(characters) > most {
                return None;
            }
            let distance = strsim::damerau_levenshtein(&given, &folded);
            (distance <= most).then_some((distance, name))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_of_megabytes_is_near_nothing_and_costs_nothing() {
        let long = "n".repeat(64 << 20);
        assert_eq!(nearest(&long, ["name", "user"]), None);
        assert_eq!(nearest("name", [long.as_str()]), None);
        assert_eq!(nearest("nmae", ["user", "name"]), Some("name"));
        assert_eq!(nearest("ÄRGER", ["ärge", "other"]), Some("ärge"));
        assert_eq!(nearest("a", ["name"]), None);
    }
}
