use proptest::{collection::vec, prelude::*, sample::select};
use tokenward_compiler::{analysis, method::Method};

use crate::{generate, property, reference::Place, sets::Universe, small};

/// Two policies of one token, which have lines in common, and requests.
#[derive(Clone, Debug)]
pub struct Pair {
    /// The one.
    pub old: Written,
    /// The other.
    pub new: Written,
    /// Where the proxy stands.
    pub place: Place<'static>,
    /// The requests that the analysis is told there are.
    pub told: analysis::Universe,
    /// The kind of an invariant that the lines of the old policy make for the new one.
    pub demand: &'static str,
    /// The requests that are looked at.
    pub universe: Universe,
}

/// A policy as it is written.
#[derive(Clone, Debug)]
pub struct Written {
    /// The token's own lines.
    pub lines: Vec<String>,
    /// The lines of a set that it includes.
    pub set: Vec<String>,
    /// Whether it is unrestricted.
    pub unrestricted: bool,
}

/// A pair.
pub fn pair() -> impl Strategy<Value = Pair> {
    let told =
        (prop::bool::weighted(0.7), prop::bool::weighted(0.3)).prop_map(|(canonical_paths, get_body)| {
            analysis::Universe {
                canonical_paths,
                get_body,
            }
        });
    let demand = select(&["never", "only", "always"][..]);
    (written(), place(), told, demand, universe()).prop_map(|((old, new), place, told, demand, universe)| {
        Pair {
            old,
            new,
            place,
            told,
            demand,
            universe,
        }
    })
}

fn place() -> impl Strategy<Value = Place<'static>> {
    (select(property::BASES), prop::bool::weighted(0.2)).prop_map(|(base, merges)| Place { base, merges })
}

/// Two policies of mostly common lines, as a change has them, or without any; of many words, or of few, which meet oftener.
fn written() -> impl Strategy<Value = (Written, Written)> {
    let line = || prop_oneof![3 => generate::line(), 1 => small::line()];
    let lines = move |most| vec(line(), 0..most);
    let unrestricted = || prop::bool::weighted(0.08);
    let set = || prop_oneof![3 => Just(Vec::new()), 1 => lines(3)];
    let own = move || (lines(3), set(), unrestricted());
    // The common lines of the new policy may have another order. Order matters to the bodies that are refused.
    let common = lines(5).prop_flat_map(|common| {
        let moved = Just(common.clone()).prop_shuffle();
        (Just(common.clone()), prop_oneof![2 => Just(common), 1 => moved])
    });
    (common, own(), own(), any::<bool>()).prop_map(|((was, is), old, new, behind)| {
        let with =
            |common: Vec<String>, (own, set, unrestricted): (Vec<String>, Vec<String>, bool)| Written {
                lines: match behind {
                    true => [common, own].concat(),
                    false => [own, common].concat(),
                },
                set,
                unrestricted,
            };
        (with(was, old), with(is, new))
    })
}

/// Requests that generated lines may well match, in all combinations of their parts.
fn universe() -> impl Strategy<Value = Universe> {
    let methods = Just(generate::REQUEST_METHODS)
        .prop_map(|names| names.iter().map(|name| Method::from_token(name)).collect());
    let small_path = select(&["/a", "/b", "/aa", "/ab", "/a/b", "/a/"][..]).prop_map(str::to_owned);
    let path = prop_oneof![5 => generate::path(), 1 => small_path];
    let queries = vec(generate::query(), 1..6).prop_map(|mut queries| {
        queries.push(Vec::new());
        queries
    });
    (methods, vec(path, 1..16), queries, vec(generate::body(), 1..24)).prop_map(
        |(methods, paths, queries, bodies)| Universe {
            methods,
            paths,
            queries,
            bodies,
        },
    )
}
