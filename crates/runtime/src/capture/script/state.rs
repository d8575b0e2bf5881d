//! The state of a script that is followed.

use std::collections::{HashMap, HashSet};
use std::rc::Rc;

use tokenward_compiler::BaseUrl;
use tokenward_pdp::curl::Word;

use super::environment::Environment;
use crate::capture::call::Calls;
use crate::capture::shell::{Failed, Node};

/// Commands that are followed at most, with each run of a loop and a function.
pub(super) const MOST_STEPS: usize = 200_000;

/// Bytes of words that are put together at most.
pub(super) const MOST_BYTES: usize = 512 << 20;

/// The deepest nesting of functions and of scripts in texts.
pub(super) const DEEPEST: usize = 24;

/// A script that is followed.
pub(super) struct Script<'b> {
    pub(super) base: &'b BaseUrl,
    pub(super) out: Calls,
    pub(super) environment: Environment,
    pub(super) functions: HashMap<String, Rc<Node>>,
    pub(super) called: HashSet<String>,
    /// The input of the command, if its text is known; None within for no input.
    pub(super) input: Option<Input>,
    pub(super) depth: usize,
    pub(super) steps: usize,
    pub(super) bytes: usize,
    pub(super) noted: HashSet<String>,
    /// Texts that run when the script ends or gets a signal, with the variables and the line.
    pub(super) traps: Vec<(Word, Environment, usize)>,
}

/// The standard input of a command.
#[derive(Clone)]
pub(super) enum Input {
    Text(Word),
    /// The content of a file of this name.
    File(String),
    /// The output of another command.
    Piped,
}

impl<'b> Script<'b> {
    pub(super) fn new(base: &'b BaseUrl) -> Self {
        Self {
            base,
            out: Calls::default(),
            environment: Environment::default(),
            functions: HashMap::new(),
            called: HashSet::new(),
            input: None,
            depth: 0,
            steps: 0,
            bytes: 0,
            noted: HashSet::new(),
            traps: Vec::new(),
        }
    }

    pub(super) fn deeper(&mut self, line: usize) -> Result<(), Failed> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err((
                line,
                "functions or scripts in texts are nested too deeply here; write the calls one after another"
                    .to_owned(),
            ));
        }
        Ok(())
    }

    pub(super) fn note(&mut self, note: String) {
        if self.noted.insert(note.clone()) {
            self.out.notes.push(note);
        }
    }
}
