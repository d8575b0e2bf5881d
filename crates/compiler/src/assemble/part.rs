//! Compiles parts, each by itself, on several threads.

use std::collections::BTreeSet;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::{sets::Sets, terms::Terms};
use crate::{
    artifact, compile_within,
    findings::{DeadLine, dead_here},
    ir::{MOST_IN_PART, Program},
    source::SourceSet,
    tokens,
};

/// A piece of a file that has to be compiled.
#[derive(Debug)]
pub(super) struct Job {
    path: String,
    text: Arc<str>,
    range: Range<usize>,
    /// The sets that its tokens include, and those that these include.
    sets: BTreeSet<String>,
    /// The lines of these sets.
    copied: usize,
}

/// A compiled part.
#[derive(Debug)]
pub(super) struct Compiled {
    pub(super) program: Arc<Program>,
    pub(super) sets: BTreeSet<String>,
    /// The lines of these sets, which the part has for itself.
    pub(super) copied: usize,
    pub(super) shares: Vec<artifact::Share>,
    pub(super) revoked: Vec<[u8; 32]>,
    pub(super) dead: Vec<DeadLine>,
    /// The lines of sets that its tokens include, counted for each token.
    pub(super) included: usize,
}

impl Job {
    pub(super) fn new(path: &str, text: &Arc<str>, range: Range<usize>) -> Self {
        Self {
            path: path.to_owned(),
            text: Arc::clone(text),
            range,
            sets: BTreeSet::new(),
            copied: 0,
        }
    }

    fn text(&self) -> &str {
        self.text.get(self.range.clone()).unwrap_or_default()
    }

    /// Finds out which sets its tokens include. Returns the number of their lines.
    pub(super) fn find_sets(&mut self, sets: &Sets) -> usize {
        // A quoted key can spell it with an escape.
        if !self.text().contains("include") && !self.text().contains('\\') {
            return 0;
        }
        let own = SourceSet::sharing([(self.path.clone(), self.text().into())]);
        let definitions = own
            .iter()
            .flat_map(|(id, source)| tokens::read(id, source, &mut Vec::new()));
        let names = definitions.flat_map(|token| token.include).map(|name| name.value);
        self.sets = sets.reached_from(names);
        self.copied = sets.lines_in(&self.sets);
        self.copied
    }

    /// The part; `None` if it has an error, or more lines than a part can have.
    fn compile(&self, sets: &Sets, terms: Terms<'_>) -> Option<Compiled> {
        let own = (self.path.clone(), Arc::from(self.text()));
        let files = std::iter::once(own).chain(sets.files_of(&self.sets));
        let sources = SourceSet::sharing(files);
        let compilation = compile_within(&sources, terms.mode, terms.ceiling, terms.now_ms);
        let program = compilation.program?.bind(terms.base).ok()?;
        let program = program.merging_body(terms.merges);
        if program.tokens.len() > MOST_IN_PART || program.lines.places().len() > MOST_IN_PART {
            return None;
        }
        let included = program.tokens.iter();
        let included = included.map(|token| token.forbids.included.len() + token.permits.included.len());
        Some(Compiled {
            sets: self.sets.clone(),
            copied: self.copied,
            shares: artifact::shares(&program),
            revoked: compilation.revoked,
            dead: dead_here(&program, terms.universe, terms.served),
            included: included.sum(),
            program: Arc::new(program),
        })
    }
}

/// Compiles all jobs; `None` if one of them fails. The result is in the order of the jobs, whatever the number of threads.
pub(super) fn compile_all(
    jobs: &[Job],
    sets: &Sets,
    terms: Terms<'_>,
    threads: usize,
) -> Option<Vec<Compiled>> {
    let (next, failed) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        let mut done = Vec::new();
        while !failed.load(Ordering::Relaxed) {
            let at = next.fetch_add(1, Ordering::Relaxed);
            let Some(job) = jobs.get(at) else { break };
            match job.compile(sets, terms) {
                Some(compiled) => done.push((at, compiled)),
                None => failed.store(true, Ordering::Relaxed),
            }
        }
        done
    };
    let mut done = thread::scope(|scope| {
        let others = threads.min(jobs.len()).saturating_sub(1);
        let others: Vec<_> = (0..others).map(|_| scope.spawn(work)).collect();
        let mut done = work();
        for other in others {
            // A thread that ended otherwise leaves its job undone, which the count below shows.
            done.extend(other.join().unwrap_or_default());
        }
        done
    });
    if done.len() != jobs.len() {
        return None;
    }
    done.sort_by_key(|(at, _)| *at);
    Some(done.into_iter().map(|(_, compiled)| compiled).collect())
}
