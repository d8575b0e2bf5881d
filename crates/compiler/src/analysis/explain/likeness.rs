//! How alike two lines are as texts: an edited line is most like the line that it was.

/// How alike two lines are: of their URLs, then of their constraints, each in thousandths.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Likeness {
    pub(super) url: usize,
    constraints: usize,
}

/// Compares two lines, without their methods.
pub(super) fn likeness(one: &str, other: &str) -> Likeness {
    let ((url, constraints), (their_url, their_constraints)) = (parts(one), parts(other));
    Likeness {
        url: alike(url, their_url),
        constraints: alike(constraints, their_constraints),
    }
}

/// The share of two texts that their beginning and their end have in common.
fn alike(one: &str, other: &str) -> usize {
    let shorter = one.len().min(other.len());
    let before = one
        .bytes()
        .zip(other.bytes())
        .take_while(|(one, other)| one == other)
        .count();
    let behind = one.bytes().rev().zip(other.bytes().rev());
    let behind = behind
        .take_while(|(one, other)| one == other)
        .count()
        .min(shorter - before);
    2_000 * (before + behind) / (one.len() + other.len()).max(1)
}

/// The URL of a line, and its constraints.
fn parts(line: &str) -> (&str, &str) {
    let line = line.trim_start_matches(['!', ' ', '\t']);
    let is_method = |character: char| character.is_ascii_alphabetic() || ",| ".contains(character);
    let methods = line.strip_prefix('[').and_then(|list| list.split_once(']'));
    let behind = methods.filter(|(list, _)| list.chars().all(is_method));
    let line = behind.map_or(line, |(_, behind)| behind.trim_start());
    let begins = ["[QueryParam::", "[JsonData::"]
        .into_iter()
        .filter_map(|part| line.find(part));
    line.split_at_checked(begins.min().unwrap_or(line.len()))
        .unwrap_or((line, ""))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_edited_line_is_most_like_the_line_that_it_was() {
        for (new, old, other) in [
            (
                "/rest/api/2/search",
                "/rest/api/2/search[QueryParam::jql==a]",
                "/rest/api/2/serverInfo",
            ),
            (
                "[get]/search[QueryParam::jql==project = B.*]",
                "[get]/search[QueryParam::jql==project = B]",
                "[get]/search[QueryParam::jql==project = A]",
            ),
            ("/issue/K-[0-9]+.*", "[get,put]/issue/K-[0-9]+", "/issue/L"),
            ("![delete]/a/.*", "![delete]/.*", "!/b"),
        ] {
            assert!(likeness(new, old) > likeness(new, other), "{new}");
        }
        assert_eq!(
            likeness("[get]/a", "!/a"),
            Likeness {
                url: 1_000,
                constraints: 0
            }
        );
    }
}
