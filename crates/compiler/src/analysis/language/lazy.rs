//! Searches for texts with as few machines as the answer needs.
//!
//! A search begins with what the text must be in. The text that it finds is tried on all else: if that accepts it too, it is
//! the answer, since a shortest text of fewer demands that meets all of them is a shortest text of all. Otherwise a demand
//! that it misses joins the search. "No text" of a part of the demands is "no text" of all. So of a thousand lines only
//! those take part that a proof rests on.
//!
//! If many do, the machines of those that must refuse are combined in pairs, as long as the union does not grow.

use std::cmp::Reverse;

use super::{Goal, LangId, Languages, Literal, Machine, MachineId, Shared};
use crate::analysis::{
    budget::Exhausted,
    product::{Alphabet, Wish, rank, shortest},
};

/// Demands that join a search one by one; after these, twice as many join each time.
const ONE_BY_ONE: usize = 8;
/// Refusing machines that take part each by itself.
const APART: usize = 6;
/// Combinations of alternatives that are searched one after the other.
const SPLIT: usize = 256;
/// Steps that a test of a text counts for.
const STEPS_A_TEST: usize = 20;

/// A demand: one of these alternatives.
type Entry = Vec<Vec<Literal>>;

impl Languages {
    pub(super) fn search(&mut self, goal: &Goal) -> Result<Option<String>, Exhausted> {
        let Some(text) = self.shortest(&goal.0, (Alphabet::Bytes, SPLIT))? else {
            return Ok(None);
        };
        let is_readable = text.bytes().all(|byte| byte.is_ascii_graphic() || byte == b' ');
        let readable = match is_readable {
            true => None,
            false => self.shortest(&goal.0, (Alphabet::Printable, SPLIT))?,
        };
        Ok(Some(readable.unwrap_or(text)))
    }

    /// The shortest text, the most readable of those.
    fn shortest(
        &mut self,
        entries: &[Entry],
        (alphabet, split): (Alphabet, usize),
    ) -> Result<Option<String>, Exhausted> {
        // A union that the text must be in: each of its parts by itself, since tuples of all parts are many.
        let is_union = |entry: &&Entry| {
            entry.len() > 1
                && entry.len() <= split
                && entry
                    .iter()
                    .all(|literals| matches!(literals.as_slice(), [(_, true)]))
        };
        let Some(union) = entries
            .iter()
            .filter(is_union)
            .max_by_key(|entry| Reverse(entry.len()))
        else {
            return self.lazily(entries, alphabet);
        };
        let mut best: Option<String> = None;
        for literals in union {
            let parts: Vec<Entry> = entries
                .iter()
                .map(|entry| match std::ptr::eq(entry, union) {
                    true => vec![literals.clone()],
                    false => entry.clone(),
                })
                .collect();
            if let Some(text) = self.shortest(&parts, (alphabet, split / union.len()))?
                && best.as_ref().is_none_or(|best| order(&text) < order(best))
            {
                best = Some(text);
            }
        }
        Ok(best)
    }

    fn lazily(&mut self, entries: &[Entry], alphabet: Alphabet) -> Result<Option<String>, Exhausted> {
        // What the text must be in restricts it most.
        let mut active: Vec<bool> = entries
            .iter()
            .map(|entry| matches!(entry.as_slice(), [literals] if literals.iter().all(|(_, wanted)| *wanted)))
            .collect();
        let mut joined = 0;
        loop {
            let Some(text) = self.of_active(entries, &active, alphabet)? else {
                return Ok(None);
            };
            self.work.take(entries.len() * STEPS_A_TEST)?;
            let missed = |(at, entry): (usize, &Entry)| {
                (active.get(at) == Some(&false) && !self.holds(entry, &text)).then_some(at)
            };
            let missed: Vec<usize> = entries.iter().enumerate().filter_map(missed).collect();
            // The one that refuses most, as far as its form shows: it may refuse for the others too.
            let first = missed
                .iter()
                .copied()
                .min_by_key(|at| self.fixed(entries.get(*at)));
            let Some(first) = first else {
                return Ok(Some(text));
            };
            joined += 1;
            let more = 1_usize.checked_shl(u32::try_from(joined / ONE_BY_ONE).unwrap_or(u32::MAX));
            let more = if joined < ONE_BY_ONE {
                0
            } else {
                more.unwrap_or(usize::MAX)
            };
            // Similar lines are often next to each other.
            let near = (first..entries.len()).chain(0..first);
            let near = near.filter(|at| active.get(*at) == Some(&false)).take(more);
            let joining: Vec<usize> = [first]
                .into_iter()
                .chain(missed.into_iter().take(more))
                .chain(near)
                .collect();
            for at in joining {
                if let Some(active) = active.get_mut(at) {
                    *active = true;
                }
            }
        }
    }

    fn fixed(&self, entry: Option<&Entry>) -> usize {
        let literals = entry.into_iter().flatten().flatten();
        let languages = literals.filter_map(|(id, _)| self.languages.get(id.0 as usize));
        languages.map(|language| language.fixed).sum()
    }

    fn holds(&self, entry: &Entry, text: &str) -> bool {
        entry.iter().any(|literals| {
            let mut literals = literals.iter();
            literals.all(|(id, wanted)| self.has(*id, text) == *wanted)
        })
    }

    /// The shortest text that meets the active demands.
    fn of_active(
        &mut self,
        entries: &[Entry],
        active: &[bool],
        alphabet: Alphabet,
    ) -> Result<Option<String>, Exhausted> {
        let mut machines: Vec<MachineId> = vec![self.machine_id(LangId::UTF8)?];
        let mut wish: Wish = vec![vec![vec![(0, true)]]];
        let mut refusing = Vec::new();
        let mut place = |machine: MachineId| match machines.iter().position(|known| *known == machine) {
            Some(at) => at,
            None => {
                machines.push(machine);
                machines.len() - 1
            }
        };
        for (entry, _) in entries.iter().zip(active).filter(|(_, active)| **active) {
            if let [literals] = entry.as_slice()
                && let [(id, false)] = literals.as_slice()
            {
                refusing.push(self.machine_id(*id)?);
                continue;
            }
            let mut alternatives = Vec::new();
            for literals in entry {
                let mut all = Vec::new();
                for (id, wanted) in literals {
                    all.push((place(self.machine_id(*id)?), *wanted));
                }
                alternatives.push(all);
            }
            wish.push(alternatives);
        }
        for machine in self.united(refusing)? {
            wish.push(vec![vec![(place(machine), false)]]);
        }
        let machines: Vec<Shared> = machines
            .iter()
            .filter_map(|id| self.machines.get(id.0).cloned())
            .collect();
        let machines: Vec<&Machine> = machines.iter().map(|machine| &**machine).collect();
        let found = shortest(&machines, &wish, (alphabet, &mut self.work, &mut self.visited))?;
        // UTF-8 is among the machines: nothing is lost here.
        Ok(found.and_then(|text| String::from_utf8(text).ok()))
    }

    /// Fewer machines that together accept the same.
    fn united(&mut self, mut machines: Vec<MachineId>) -> Result<Vec<MachineId>, Exhausted> {
        machines.sort_unstable();
        machines.dedup();
        while machines.len() > APART {
            let before = machines.len();
            let mut united = Vec::with_capacity(before);
            for pair in machines.chunks(2) {
                match pair {
                    [one, other] => match self.union(*one, *other)? {
                        Some(union) => united.push(union),
                        None => united.extend([*one, *other]),
                    },
                    rest => united.extend(rest),
                }
            }
            machines = united;
            if machines.len() == before {
                break;
            }
        }
        Ok(machines)
    }

    fn union(&mut self, one: MachineId, other: MachineId) -> Result<Option<MachineId>, Exhausted> {
        if let Some(known) = self.unions.get(&(one, other)) {
            return Ok(*known);
        }
        let (Some(first), Some(second)) = (
            self.machines.get(one.0).cloned(),
            self.machines.get(other.0).cloned(),
        ) else {
            return Ok(None);
        };
        // Unions of words grow by their letters; others may grow by a product.
        let most = 2 * (first.states() + second.states()) + 16;
        let union = first.or(&second, most, &mut self.work)?;
        let union = union.map(|union| self.add_machine(union));
        self.unions.insert((one, other), union);
        Ok(union)
    }
}

/// The order of texts: the shorter, then the one of the more readable bytes.
fn order(text: &str) -> (usize, Vec<usize>) {
    (text.len(), text.bytes().map(rank).collect())
}
