//! Proofs that no request matches some rules and none of some others.

use std::collections::BTreeMap;

use super::{Certificates, Numbered, closed::Wish, excluded::contradict, lacks_body};
use crate::{
    analysis::budget::Exhausted,
    ir::Rule,
    json::{Path, Step},
    method::{Method, MethodSet},
};

/// A proof as it is written: for some methods, which rules it needs, and which closed sets.
pub(super) type Case = (u8, Vec<usize>, Vec<usize>);
/// Positions of rules that together exclude all requests, and of the closed sets that show it.
type Exclusion = (Vec<usize>, Vec<usize>);

/// A proof may take one of so many shares of the steps that are left.
const SHARES: u64 = 16;
/// Every method.
const METHODS: [Method; 8] = crate::analysis::cell::METHODS;

impl<'p> Certificates<'p> {
    /// The proof that no request matches all of `must` and none of `not`, and the method and URL of `reader`, which looks at the
    /// body. `twin`: one of `not` that is built like one of `must`.
    pub(super) fn proof(
        &mut self,
        (must, reader): (&[Numbered<'p>], Option<Numbered<'p>>),
        not: &[Numbered<'p>],
        twin: Option<usize>,
    ) -> Result<Option<Vec<Case>>, Exhausted> {
        if let Some(at) = twin {
            return Ok(Some(vec![(MethodSet::ALL.bits(), vec![at], Vec::new())]));
        }
        if contradict(must, &mut self.work)? {
            return Ok(Some(Vec::new()));
        }
        self.work.grant(SHARES);
        // Methods that the same rules may match have one proof.
        let mut alike: BTreeMap<(bool, Vec<usize>), u8> = BTreeMap::new();
        for method in METHODS {
            let bodiless = !self.bodies && lacks_body(method);
            let may_match = |(_, ruled): &Numbered<'_>| {
                ruled.rule.methods.contains(method) && !(bodiless && needs_body(ruled.rule))
            };
            if bodiless && reader.is_some() || !must.iter().chain(&reader).all(may_match) {
                continue;
            }
            let others = not.iter().enumerate();
            let named = others.filter(|(_, other)| may_match(other)).map(|(at, _)| at);
            let methods = alike.entry((bodiless, named.collect())).or_default();
            *methods |= MethodSet::EMPTY.with(method).bits();
        }
        let mut cases = Vec::new();
        for ((bodiless, named), methods) in alike {
            match self.case((must, reader), not, (&named, bodiless))? {
                Some((uses, closed)) => cases.push((methods, uses, closed)),
                None => return Ok(None),
            }
        }
        Ok(Some(cases))
    }

    /// Which rules of those at these positions exclude all requests, and by which closed sets. `bodiless`: of requests without a body,
    /// of which these rules need none.
    fn case(
        &mut self,
        (must, reader): (&[Numbered<'p>], Option<Numbered<'p>>),
        not: &[Numbered<'p>],
        (named, bodiless): (&[usize], bool),
    ) -> Result<Option<Exclusion>, Exhausted> {
        let with_url = || must.iter().chain(&reader);
        let urls: Vec<Option<u32>> = with_url().map(|(_, ruled)| self.identity.url(*ruled)).collect();
        let mut usable: Vec<(usize, Wish, Vec<usize>)> = Vec::new();
        for at in named.iter().copied() {
            let Some(other) = not.get(at).copied() else {
                continue;
            };
            let Some(mut cited) = self.follows(must, other, bodiless)? else {
                continue;
            };
            cited.sort_unstable();
            cited.dedup();
            let number = self.identity.url(other.1);
            if number.is_some() && urls.contains(&number) {
                return Ok(Some((vec![at], cited)));
            }
            usable.push((at, (url(other), false), cited));
        }
        let wishes: Vec<Wish> = with_url().map(|one| (url(*one), true)).collect();
        let wishes: Vec<Wish> = wishes
            .into_iter()
            .chain(usable.iter().map(|(_, wish, _)| *wish))
            .collect();
        let Some((mut closed, needed)) = self.closed.exclude(true, &wishes, &mut self.work)? else {
            return Ok(None);
        };
        let mut uses = Vec::new();
        for (at, _, cited) in usable.into_iter().filter(|(_, wish, _)| needed.contains(wish)) {
            uses.push(at);
            closed.extend(cited);
        }
        closed.sort_unstable();
        closed.dedup();
        Ok(Some((uses, closed)))
    }
}

fn url((side, ruled): Numbered<'_>) -> (usize, bool, u32) {
    (side, true, ruled.rule.url.0)
}

/// Whether a rule matches no request without a body, which counts as an empty object.
fn needs_body(rule: &Rule) -> bool {
    let needs = |path: &Path, value: bool| match path.0.first() {
        Some(Step::Name(_)) => value,
        Some(Step::Each) | None => !rule.forbids(),
    };
    let mut nodes = rule.nodes.iter();
    nodes.any(|test| needs(&test.path, test.operator.needs_value()))
        || rule
            .members
            .iter()
            .any(|path| path.0.first() == Some(&Step::Each))
}
