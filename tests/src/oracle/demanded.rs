use tokenward_compiler::{BaseUrl, analysis::Analysis, invariants::Invariants, source::SourceSet};

use super::{
    Tally,
    judged::{Judged, possible},
    pair::Pair,
};
use crate::{
    sets::{Region, Verdicts},
    witness,
};

/// The lines of the one policy as an invariant of the other: what is proved holds of every request of the universe, and a request
/// that breaks it does.
pub(super) fn hold(pair: &Pair, demand: &Judged, policy: &Judged) -> Tally {
    let is_idle = demand.lines.iter().all(|line| line.starts_with('!'));
    // An invariant is of no user.
    if is_idle || demand.lines.iter().any(|line| line.contains("{USER}")) {
        return Tally::default();
    }
    let text = format!(
        "[[{}]]\nname = \"i\"\nlines = '''\n{}\n'''\n",
        pair.demand,
        demand.lines.join("\n")
    );
    let sources = SourceSet::from_files([("invariants.toml".to_owned(), text.clone())]);
    let base = BaseUrl::parse(pair.place.base).expect("a base URL");
    let mut wrong = Vec::new();
    let invariants = Invariants::read(&sources, &base, pair.place.merges, &mut wrong).expect("binds");
    let invariants = invariants.unwrap_or_else(|| panic!("{wrong:?}\n{text}"));
    let broken = invariants.broken_by(&policy.program, (pair.told, Analysis::BUDGET), &|_, _| true);
    let broken = broken.unwrap_or_else(|fault| panic!("{fault}\n{text}\n{}", policy.file));
    let mut tally = Tally {
        questions: 1,
        ..Tally::default()
    };
    let merged = |demand: &Verdicts, policy: &Verdicts| demand.merged.union(&policy.merged);
    for found in &broken {
        tally.inconclusive += usize::from(found.inconclusive.is_some());
        let Some(shown) = &found.witness else { continue };
        let request = witness::as_reference(shown);
        let ((universe, asked), (_, said)) = (demand.alone(pair, &request), policy.alone(pair, &request));
        let breaks = breaking(pair.demand, &asked.permitted, &said);
        let at = universe.point(0);
        assert!(
            (pair.place.merges && merged(&asked, &said).has(at)) || breaks.has(at),
            "by sets, {shown} breaks no {} (permitted {}, refused {}, allowed {}, refused {}) {:?} {:?}\n{}\n{text}",
            pair.demand,
            asked.permitted.has(at),
            asked.refused.has(at),
            said.allowed.has(at),
            said.refused.has(at),
            pair.told,
            pair.place,
            policy.file
        );
        tally.witnesses += 1;
    }
    if broken.is_empty() {
        let mut breaks = breaking(pair.demand, &demand.verdicts.permitted, &policy.verdicts);
        if pair.demand == "always" {
            breaks = breaks.minus(&policy.verdicts.refused);
        }
        if pair.place.merges {
            breaks = breaks.minus(&merged(&demand.verdicts, &policy.verdicts));
        }
        breaks = breaks.intersection(&possible(pair));
        assert!(
            breaks.is_empty(),
            "{} is proved, and broken by {:?} {:?}\n{}\n{text}",
            pair.demand,
            breaks.first().map(|point| pair.universe.request(point)),
            pair.place,
            policy.file
        );
    }
    tally
}

/// The requests that break an invariant of a kind. `asked`: those that its lines match.
fn breaking(kind: &str, asked: &Region, said: &Verdicts) -> Region {
    match kind {
        "never" => said.allowed.intersection(asked),
        "only" => said.allowed.minus(asked),
        _ => asked.minus(&said.allowed),
    }
}
