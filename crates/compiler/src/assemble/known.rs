//! What is known of the last policy: its files, and the parts that they were compiled to.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::ops::Range;
use std::sync::Arc;

use super::{part::Compiled, sets::Sets};
use crate::ir::{Part, Parts, Program, TokenId, arena_index, token_in};

/// The last policy that was put together.
#[derive(Debug, Default)]
pub(super) struct Known {
    pub(super) files: HashMap<String, File>,
    pub(super) sets: Sets,
    /// Files that no part has and that have no errors.
    pub(super) rest: BTreeMap<String, Arc<str>>,
    /// Parts by their numbers.
    compiled: Vec<Option<Arc<Compiled>>>,
    /// The parts of the tokens with these names.
    names: HashMap<String, u16>,
    by_secret: Arc<HashMap<[u8; 32], TokenId>>,
}

/// A file of tokens.
#[derive(Debug)]
pub(super) struct File {
    pub(super) path: Arc<str>,
    pub(super) text: Arc<str>,
    pub(super) pieces: Vec<Piece>,
}

/// A piece of a file, and the number of its part.
#[derive(Debug)]
pub(super) struct Piece {
    pub(super) range: Range<usize>,
    pub(super) lines_before: u32,
    pub(super) number: u16,
}

/// A policy whose pieces all have parts.
#[derive(Debug, Default)]
pub(super) struct Taken {
    pub(super) files: HashMap<String, File>,
    pub(super) compiled: Vec<Option<Arc<Compiled>>>,
    /// The numbers of the parts, in source order.
    pub(super) order: Vec<u16>,
    places: HashMap<u16, (Arc<str>, u32)>,
    new: Vec<u16>,
    /// Parts of the policy before that this one does not have.
    gone: Vec<(u16, Arc<Compiled>)>,
}

impl Known {
    /// The part with a number.
    pub(super) fn part(&self, number: u16) -> Option<&Compiled> {
        self.compiled.get(usize::from(number))?.as_deref()
    }

    /// Whether a part is as it would be compiled now.
    pub(super) fn is_usable(&self, number: u16, changed: &BTreeSet<String>) -> bool {
        self.part(number)
            .is_some_and(|part| changed.is_disjoint(&part.sets))
    }

    /// The tokens by their secrets; `None` if two have the same one.
    pub(super) fn by_secret_with(&self, taken: &Taken) -> Option<HashMap<[u8; 32], TokenId>> {
        let mut by_secret = HashMap::clone(&self.by_secret);
        for (_, compiled) in &taken.gone {
            for token in compiled.program.tokens.iter() {
                by_secret.remove(&token.secret_hash);
                if let Some((hash, _)) = token.previous {
                    by_secret.remove(&hash);
                }
            }
        }
        for (number, compiled) in taken.added() {
            add_secrets(&mut by_secret, number, &compiled.program)?;
        }
        Some(by_secret)
    }

    /// Checks that no two tokens have the same name.
    pub(super) fn check_names(&self, taken: &Taken) -> Option<()> {
        let gone: HashSet<u16> = taken.gone.iter().map(|(number, _)| *number).collect();
        let mut new = HashSet::new();
        for (_, compiled) in taken.added() {
            for token in compiled.program.tokens.iter() {
                let other = self
                    .names
                    .get(&token.name)
                    .filter(|number| !gone.contains(number));
                if other.is_some() || !new.insert(token.name.as_str()) {
                    return None;
                }
            }
        }
        Some(())
    }

    /// Remembers a policy that was put together.
    pub(super) fn take(&mut self, taken: Taken, sets: Sets, by_secret: Arc<HashMap<[u8; 32], TokenId>>) {
        for (_, compiled) in &taken.gone {
            for token in compiled.program.tokens.iter() {
                self.names.remove(&token.name);
            }
        }
        for (number, compiled) in taken.added() {
            let names = compiled.program.tokens.iter().map(|token| token.name.clone());
            self.names.extend(names.map(|name| (name, number)));
        }
        self.files = taken.files;
        self.compiled = taken.compiled;
        self.sets = sets;
        self.by_secret = by_secret;
    }
}

impl Taken {
    /// A policy that has these parts of the policy before, and no others yet.
    pub(super) fn new_with(kept: &HashSet<u16>, known: &Known) -> Self {
        let mut taken = Self::default();
        for (number, compiled) in (0..=u16::MAX).zip(&known.compiled) {
            let stays = kept.contains(&number);
            if let Some(compiled) = compiled.as_ref().filter(|_| !stays) {
                taken.gone.push((number, Arc::clone(compiled)));
            }
            taken.compiled.push(compiled.clone().filter(|_| stays));
        }
        taken
    }

    /// Adds a part with a free number.
    pub(super) fn add(&mut self, number: u16, compiled: Compiled) -> u16 {
        let at = usize::from(number);
        if self.compiled.len() <= at {
            self.compiled.resize(at + 1, None);
        }
        if let Some(place) = self.compiled.get_mut(at) {
            *place = Some(Arc::new(compiled));
        }
        self.new.push(number);
        number
    }

    /// Gives a part its place, after those that have one.
    pub(super) fn place(&mut self, number: u16, file: Arc<str>, lines_before: u32) {
        self.order.push(number);
        self.places.insert(number, (file, lines_before));
    }

    /// The parts that the policy before did not have.
    fn added(&self) -> impl Iterator<Item = (u16, &Arc<Compiled>)> {
        let numbers = self.new.iter();
        numbers.filter_map(|number| Some((*number, self.compiled.get(usize::from(*number))?.as_ref()?)))
    }

    /// The parts, as programs.
    pub(super) fn parts(&self) -> Parts<Program> {
        let numbered = (0..=u16::MAX).zip(&self.compiled).map(|(number, compiled)| {
            let (file, lines_before) = self.places.get(&number)?;
            Some(Part {
                program: Arc::clone(&compiled.as_ref()?.program),
                file: Arc::clone(file),
                lines_before: *lines_before,
            })
        });
        Parts {
            numbered: numbered.collect(),
            order: self.order.clone(),
        }
    }
}

/// Adds the secrets of a part. `None` if another token has one of them.
fn add_secrets(by_secret: &mut HashMap<[u8; 32], TokenId>, number: u16, program: &Program) -> Option<()> {
    for (at, token) in program.tokens.iter().enumerate() {
        let id = token_in(number, TokenId(arena_index(at)));
        let previous = token.previous.map(|(hash, _)| hash);
        for hash in std::iter::once(token.secret_hash).chain(previous) {
            if by_secret.insert(hash, id).is_some() {
                return None;
            }
        }
    }
    Some(())
}
