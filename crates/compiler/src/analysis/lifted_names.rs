//! Searches for requests that only one of two policies refuses because of their names.

use std::collections::{BTreeSet, HashSet};

use super::{
    Cause, Exhausted, Fault, Inconclusive,
    ambiguous::{Ambiguous, Wanted, own, spelled},
    clauses::Ruled,
    names::{NameClass, NameRefusals, Site, Spelling},
    parameters, prefilter,
    prover::{
        Prover,
        question::{Asked, Question},
    },
    refusal::Refusals,
    side::Side,
};
use crate::{
    decide::Constrained,
    json::{Path, Step},
};

/// Steps that a pair of lines counts for when their names are compared.
const STEPS_A_PAIR: usize = 20;
/// Steps that a name counts for when it is compared with those of a line.
const STEPS_A_NAME: usize = 10;

/// The result of a question about names.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Settled {
    /// A request was found.
    Found,
    /// There is no request.
    None,
    /// It is not known whether there is one.
    Open,
}

impl<'p> Prover<'p> {
    /// The lines of `less` that constrain names and that `more` lacks, except lines in whose place `more` has one that refuses all that
    /// they do. An invariant refuses nothing, so it lacks all of them.
    pub(super) fn lifted_names(&mut self, (more, less): (Side<'p>, Side<'p>)) -> Vec<Ruled<'p>> {
        let Some(proxy) = less.names() else {
            return Vec::new();
        };
        let (ours, mut theirs) = (more.refusing(), less.refusing());
        let mut kept = self.identity.also_in(&theirs, &ours).into_iter();
        theirs.retain(|_| !kept.next().unwrap_or_default());
        theirs.retain(|reader| !self.is_replaced(proxy, *reader, &ours));
        theirs
    }

    /// Whether one of the lines refuses all names that `reader` does, in all its requests.
    fn is_replaced(&mut self, proxy: &dyn NameRefusals, reader: Ruled<'p>, lines: &[Ruled<'p>]) -> bool {
        let url = self.identity.url(reader);
        let mut classes: Option<Vec<NameClass>> = None;
        for line in lines {
            let methods = reader.rule.methods.intersection(line.rule.methods);
            if url.is_none() || methods != reader.rule.methods || self.identity.url(*line) != url {
                continue;
            }
            let (mine, theirs) = (Constrained::of(reader.rule), Constrained::of(line.rule));
            let classes = classes.get_or_insert_with(|| proxy.classes(mine));
            let keys = keys(&proxy.classes(theirs));
            let is_own = |name: &Spelling| proxy.refuses(mine, name) && !proxy.refuses(theirs, name);
            if classes.iter().all(|class| is_covered(class, &keys)) && !spelled(&[*line]).iter().any(is_own) {
                return true;
            }
        }
        false
    }

    /// Adds a request for each of some lines of the side that allows less: one that this side refuses because of the line's names.
    pub(super) fn beyond_names(
        &mut self,
        strict: &[Ruled<'p>],
        (sources, forbids, explained): (&[Option<Ruled<'p>>], &[Ruled<'p>], &[Ruled<'p>]),
        asked: &mut Asked<'_, 'p>,
    ) -> Result<(), Fault> {
        let (more, less) = asked.sides;
        let Some(proxy) = less.names().filter(|_| !strict.is_empty()) else {
            return Ok(());
        };
        let readers = more.refusing();
        let mut shown = HashSet::new();
        for (at, reader) in strict.iter().enumerate() {
            // A line with `{USER}` has a rule for each user.
            if shown.contains(&reader.rule.line) {
                continue;
            }
            let steps = (sources.len() + readers.len()) * STEPS_A_PAIR;
            let Ok(near) = self
                .take_steps(steps)
                .map(|()| Near::new(proxy, *reader, &readers, asked))
            else {
                asked.difference.inconclusive = Some(Inconclusive::Budget);
                return Ok(());
            };
            let mut may_share = sources.to_vec();
            may_share.retain(|permit| permit.is_none_or(|permit| !prefilter::are_apart(permit, *reader)));
            for (number, permit) in may_share.iter().enumerate() {
                let left = (strict.len() - at) * may_share.len() - number;
                self.languages.grant(2 * left as u64);
                match self.name_beyond((*permit, &near), &[forbids, explained], asked)? {
                    Ok(Settled::Found) => {
                        shown.insert(reader.rule.line);
                        break;
                    }
                    Ok(Settled::None) => {}
                    Ok(Settled::Open) => {
                        asked.difference.inconclusive = Some(Inconclusive::AmbiguousNames);
                    }
                    Err(Exhausted) => asked.difference.inconclusive = Some(Inconclusive::Budget),
                }
            }
        }
        Ok(())
    }

    /// Looks for a request that a permit line allows and that the other side refuses because of a line's names.
    ///
    /// First each name that may show it is tried. If none does, it is proved that no other name can: one that no line contains,
    /// where no line refuses all names of its class.
    fn name_beyond(
        &mut self,
        (permit, near): (Option<Ruled<'p>>, &Near<'_, 'p>),
        must_not: &[&[Ruled<'p>]],
        asked: &mut Asked<'_, 'p>,
    ) -> Result<Result<Settled, Exhausted>, Fault> {
        let firsts = firsts(permit);
        let (more, _) = asked.sides;
        let names = match more.is_demand {
            false => near.spellings(&firsts),
            true => near.own(permit),
        };
        if self.take_steps(names.len() * STEPS_A_NAME).is_err() {
            return Ok(Err(Exhausted));
        }
        let ambiguous = |wanted| Ambiguous {
            reader: near.reader,
            wanted,
            others: &near.others,
            proxy: near.proxy,
        };
        let cause = Cause::Refused(near.reader.rule.line);
        let concrete = ambiguous(Wanted::Spelled(&names));
        let mut is_open = false;
        if !names.is_empty() {
            match self.look_at_names((permit, must_not, cause), &concrete, asked)? {
                Ok(Settled::Open) => is_open = true,
                Ok(Settled::None) => {}
                settled => return Ok(settled),
            }
        }
        // An invariant is about the names that it contains, as it is about bodies without names in another letter case.
        let classes: &[_] = if more.is_demand { &[] } else { &near.classes };
        for (class, covering) in classes {
            let unknown = ambiguous(Wanted::Unknown {
                site: &class.site,
                known: &near.known,
                firsts: &firsts,
                covering,
            });
            match self.look_at_names((permit, must_not, cause), &unknown, asked)? {
                Ok(Settled::None) => {}
                Ok(Settled::Found | Settled::Open) => is_open = true,
                Err(Exhausted) => return Ok(Err(Exhausted)),
            }
            if is_open {
                break;
            }
        }
        Ok(Ok(if is_open { Settled::Open } else { Settled::None }))
    }

    /// Whether there is a request with one of the wanted names. If these are known, it goes to the findings.
    fn look_at_names(
        &mut self,
        (permit, must_not, cause): (Option<Ruled<'p>>, &[&[Ruled<'p>]], Cause),
        ambiguous: &Ambiguous<'p, '_>,
        asked: &mut Asked<'_, 'p>,
    ) -> Result<Result<Settled, Exhausted>, Fault> {
        let question = Question {
            must: permit.into_iter().collect(),
            must_not: must_not.to_vec(),
            refused_for: None,
            ambiguous: Some(ambiguous),
            cause,
        };
        let allowing = [asked.sides.0].into_iter().filter(|side| !side.is_demand);
        let cell = question.cell(Refusals::by(allowing), asked.avoid);
        let witness = match cell.request(self.universe(), &mut self.languages) {
            Ok(witness) => witness,
            Err(Exhausted) => return Ok(Err(Exhausted)),
        };
        let Some(witness) = witness else {
            let was_passed_over = cell.passed_over.get();
            return Ok(Ok(if was_passed_over {
                Settled::Open
            } else {
                Settled::None
            }));
        };
        if matches!(ambiguous.wanted, Wanted::Unknown { .. }) {
            return Ok(Ok(Settled::Found));
        }
        let Some(found) = question.finding(witness, asked.sides)? else {
            return Ok(Ok(Settled::Open));
        };
        let found = self.forwarded(found, &question, asked)?;
        asked.difference.findings.push(found);
        Ok(Ok(Settled::Found))
    }
}

/// A line that refuses names, and the lines of the other side that may refuse them too.
struct Near<'a, 'p> {
    proxy: &'a dyn NameRefusals,
    reader: Ruled<'p>,
    others: Vec<Ruled<'p>>,
    /// The names that these lines contain.
    known: BTreeSet<String>,
    /// A name that means nothing to any of them.
    fresh: String,
    /// The classes of refused names, each with the positions of the other lines that refuse all of it.
    classes: Vec<(NameClass, Vec<usize>)>,
}

impl<'a, 'p> Near<'a, 'p> {
    fn new(
        proxy: &'a dyn NameRefusals,
        reader: Ruled<'p>,
        readers: &[Ruled<'p>],
        asked: &Asked<'_, 'p>,
    ) -> Self {
        let others: Vec<Ruled<'p>> = readers
            .iter()
            .copied()
            .filter(|other| !prefilter::are_apart(*other, reader))
            .collect();
        let known = known(others.iter().copied().chain([reader]));
        let means_something = |name: &str| {
            let spellings = [Spelling::Parameter(name.to_owned()), Spelling::of_root(name)];
            let lines = others.iter().chain([&reader]);
            let mut lines = lines.map(|ruled| Constrained::of(ruled.rule));
            (asked.avoid)(name)
                || lines.any(|line| spellings.iter().any(|spelling| proxy.refuses(line, spelling)))
        };
        let mut candidates = (0..1024).map(parameters::fresh);
        let fresh = candidates.find(|name| !means_something(name)).unwrap_or_default();
        let keys: Vec<HashSet<String>> = others
            .iter()
            .map(|other| keys(&proxy.classes(Constrained::of(other.rule))))
            .collect();
        let covering = |class: &NameClass| {
            let covering = keys.iter().zip(0..).filter(|(keys, _)| is_covered(class, keys));
            covering.map(|(_, at)| at).collect()
        };
        let classes = proxy.classes(Constrained::of(reader.rule));
        let classes = classes.into_iter().map(|class| (class.clone(), covering(&class)));
        Self {
            classes: classes.collect(),
            proxy,
            reader,
            known,
            fresh,
            others,
        }
    }

    /// The names that a permit line contains and this line refuses.
    fn own(&self, permit: Option<Ruled<'p>>) -> Vec<Spelling> {
        let line = Constrained::of(self.reader.rule);
        let mut names: Vec<Spelling> = permit.into_iter().flat_map(own).collect();
        names.retain(|spelling| self.proxy.refuses(line, spelling));
        names
    }

    /// The names that may show that the other side does not refuse all that this line does. `firsts`: the members of the root that may
    /// be objects.
    fn spellings(&self, firsts: &[String]) -> Vec<Spelling> {
        let line = Constrained::of(self.reader.rule);
        let mut names = self.proxy.spellings(line, &self.fresh);
        for (class, _) in &self.classes {
            let all = self.known.iter().chain([&self.fresh]);
            names.extend(all.flat_map(|name| at_site(&class.site, name, &self.fresh)));
        }
        let in_fresh = Path(vec![Step::Name(self.fresh.clone())]);
        let inner: Vec<Spelling> = names
            .iter()
            .filter_map(|spelling| match spelling {
                Spelling::Member { object, name } if *object == in_fresh => Some(name),
                _ => None,
            })
            .flat_map(|name| firsts.iter().map(move |first| (first, name)))
            .map(|(first, name)| Spelling::Member {
                object: Path(vec![Step::Name(first.clone())]),
                name: name.clone(),
            })
            .collect();
        names.extend(inner);
        let mut known = HashSet::new();
        names.retain(|spelling| known.insert(spelling.clone()) && self.proxy.refuses(line, spelling));
        names
    }
}

/// A name at a place.
fn at_site(site: &Site, name: &str, fresh: &str) -> Option<Spelling> {
    let name = name.to_owned();
    Some(match site {
        Site::Query => Spelling::Parameter(name),
        Site::Object(object) => Spelling::Member {
            object: object.clone(),
            name,
        },
        Site::Inner => Spelling::Member {
            object: Path(vec![Step::Name(fresh.to_owned())]),
            name,
        },
        Site::Beside(lacking) => Spelling::Beside {
            lacking: lacking.clone(),
            name,
        },
    })
}

/// The names that rules contain.
fn known<'p>(rules: impl Iterator<Item = Ruled<'p>>) -> BTreeSet<String> {
    let mut known = BTreeSet::new();
    for ruled in rules {
        known.extend(ruled.rule.params.iter().map(|test| test.name.to_string()));
        let steps = ruled.paths().flat_map(|path| &path.0);
        known.extend(steps.filter_map(|step| match step {
            Step::Name(name) => Some(name.clone()),
            Step::Each => None,
        }));
    }
    known
}

/// The members of the root that a line names.
fn firsts(permit: Option<Ruled<'_>>) -> Vec<String> {
    let paths = permit.into_iter().flat_map(Ruled::paths);
    let mut firsts: Vec<String> = paths
        .filter_map(|path| match path.0.first() {
            Some(Step::Name(name)) => Some(name.clone()),
            _ => None,
        })
        .collect();
    firsts.sort();
    firsts.dedup();
    firsts
}

fn keys(classes: &[NameClass]) -> HashSet<String> {
    classes.iter().map(|class| class.key.clone()).collect()
}

fn is_covered(class: &NameClass, keys: &HashSet<String>) -> bool {
    keys.contains(&class.key) || class.within.as_ref().is_some_and(|within| keys.contains(within))
}
