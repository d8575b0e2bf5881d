//! Proofs that no request matches some rules and none of some others.

use std::collections::BTreeMap;

use super::{Certificates, Numbered, closed::Wish};
use crate::{
    analysis::budget::Exhausted,
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
        self.work.grant(SHARES);
        // Methods that the same rules name have one proof.
        let mut alike: BTreeMap<Vec<usize>, u8> = BTreeMap::new();
        let can_be = |method: &Method| {
            let mut with_url = must.iter().chain(&reader);
            with_url.all(|(_, ruled)| ruled.rule.methods.contains(*method))
        };
        for method in METHODS.into_iter().filter(can_be) {
            let names =
                |(at, (_, ruled)): (usize, &Numbered<'_>)| ruled.rule.methods.contains(method).then_some(at);
            let named = not.iter().enumerate().filter_map(names).collect();
            *alike.entry(named).or_default() |= MethodSet::EMPTY.with(method).bits();
        }
        let mut cases = Vec::new();
        for (named, methods) in alike {
            match self.case((must, reader), not, &named)? {
                Some((uses, closed)) => cases.push((methods, uses, closed)),
                None => return Ok(None),
            }
        }
        Ok(Some(cases))
    }

    /// Which rules of those at these positions exclude all requests, and by which closed sets.
    fn case(
        &mut self,
        (must, reader): (&[Numbered<'p>], Option<Numbered<'p>>),
        not: &[Numbered<'p>],
        named: &[usize],
    ) -> Result<Option<Exclusion>, Exhausted> {
        let with_url = || must.iter().chain(&reader);
        let urls: Vec<Option<u32>> = with_url().map(|(_, ruled)| self.identity.url(*ruled)).collect();
        let mut usable: Vec<(usize, Wish, Vec<usize>)> = Vec::new();
        for at in named.iter().copied() {
            let Some(other) = not.get(at).copied() else {
                continue;
            };
            let Some(mut cited) = self.follows(must, other)? else {
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
