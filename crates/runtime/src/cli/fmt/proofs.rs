//! Finds the changes that can be proved, with few proofs: each compiles the policy twice.

use tokenward_compiler::format::Unproved;

use super::change::Change;

/// Failed proofs after which no group is split further.
const FAILURES: usize = 64;

/// Changes by the result of their proof.
#[derive(Default)]
pub(super) struct Sorted {
    pub(super) proved: Vec<Change>,
    pub(super) unproved: Vec<(Change, Unproved)>,
}

/// Proves all changes together. A group without a proof is split in halves, down to the single change that has none. What remains is
/// proved together once more. After many failures, the changes of a group without a proof are not told apart.
pub(super) fn sort(changes: Vec<Change>, mut prove: impl FnMut(&[Change]) -> Result<(), Unproved>) -> Sorted {
    let mut sorted = Sorted::default();
    let mut failures = 0;
    let mut groups = vec![changes];
    while let Some(mut group) = groups.pop() {
        if group.is_empty() {
            continue;
        }
        let Err(why) = prove(&group) else {
            sorted.proved.extend(group);
            continue;
        };
        failures += 1;
        if group.len() == 1 || failures > FAILURES {
            sorted.refuse(group, &why);
            continue;
        }
        let half = group.split_off(group.len() / 2);
        groups.extend([half, group]);
    }
    if failures > 0
        && !sorted.proved.is_empty()
        && let Err(why) = prove(&sorted.proved)
    {
        let rest = std::mem::take(&mut sorted.proved);
        sorted.refuse(rest, &why);
    }
    sorted
}

impl Sorted {
    fn refuse(&mut self, changes: Vec<Change>, why: &Unproved) {
        let refused = changes.into_iter().map(|change| (change, why.clone()));
        self.unproved.extend(refused);
    }
}

#[cfg(test)]
mod tests {
    use tokenward_compiler::format::Unproved;
    use tokenward_compiler::source::SourceSet;

    use super::{Change, sort};

    fn changes(count: usize) -> Vec<Change> {
        let files = (0..count).map(|at| (format!("{at:03}.toml"), String::new()));
        let sources = SourceSet::from_files(files);
        let change = |(id, source): (_, &tokenward_compiler::source::Source)| Change {
            id,
            path: source.path.clone(),
            before: String::new(),
            after: String::new(),
        };
        sources.iter().map(change).collect()
    }

    #[test]
    fn one_change_without_a_proof_is_found_with_few_proofs() {
        let mut proofs = 0;
        let sorted = sort(changes(800), |group| {
            proofs += 1;
            let is_bad = group.iter().any(|change| change.path == "123.toml");
            if is_bad { Err(Unproved::Program) } else { Ok(()) }
        });
        assert!(proofs < 25, "{proofs}");
        assert_eq!(sorted.proved.len(), 799);
        let refused: Vec<&str> = sorted.unproved.iter().map(|(one, _)| one.path.as_str()).collect();
        assert_eq!(refused, ["123.toml"]);
        let paths: Vec<&str> = sorted.proved.iter().map(|one| one.path.as_str()).collect();
        assert!(paths.is_sorted());
    }

    #[test]
    fn many_changes_without_a_proof_are_not_told_apart() {
        let mut proofs = 0;
        let sorted = sort(changes(800), |_| {
            proofs += 1;
            Err(Unproved::Program)
        });
        assert!(proofs < 100, "{proofs}");
        assert_eq!((sorted.proved.len(), sorted.unproved.len()), (0, 800));
    }

    #[test]
    fn changes_that_are_proved_only_apart_are_refused() {
        let sorted = sort(changes(2), |group| {
            if group.len() == 1 {
                Ok(())
            } else {
                Err(Unproved::Program)
            }
        });
        assert_eq!((sorted.proved.len(), sorted.unproved.len()), (0, 2));
    }
}
