//! The powers that lines give to tokens, whether the API is described or not.

use std::collections::HashMap;

use tokenward_compiler::analysis::Budget;
use tokenward_compiler::ask::{Question, Reach, who};
use tokenward_compiler::ir::LineId;
use tokenward_pdp::config::Config;
use tokenward_pdp::config::universe::universe;
use tokenward_pdp::forwarded::proxied;

use super::super::ask::{Policy, wrong};
use super::super::failure::Failure;
use super::super::progress::Progress;

/// All calls, those that only read, those that write, and those that delete.
const QUESTIONS: [&str; 4] = [
    "/.*",
    "[get,head,options]/.*",
    "[post,put,patch]/.*",
    "[delete]/.*",
];

/// The kinds of calls that one token may make.
#[derive(Debug, Default)]
pub(super) struct Power {
    pub(super) any: bool,
    pub(super) reads: bool,
    pub(super) writes: bool,
    pub(super) deletes: bool,
    /// A call that each line allows.
    pub(super) examples: HashMap<LineId, String>,
    /// A part of the answer was not settled.
    pub(super) is_open: bool,
}

/// The powers of all tokens, in their order.
pub(super) fn powers(policy: &Policy, (config, budget): (&Config, &Budget)) -> Result<Vec<Power>, Failure> {
    let tokens = policy.tokens();
    let mut powers: Vec<Power> = tokens.iter().map(|_| Power::default()).collect();
    let proxied = proxied(config)?;
    let upstream = &config.upstream;
    for (at, text) in QUESTIONS.into_iter().enumerate() {
        let question = Question::parse(text, &upstream.public_url, upstream.product.merges())
            .map_err(|error| wrong(&error))?
            .behind(proxied.clone());
        let mut progress = Progress::new("tokens checked");
        let told = |done, of| progress.tell(done, of);
        let found = who(
            &question,
            (&policy.program, tokens.as_slice()),
            (universe(config), budget),
            told,
        )
        .map_err(Failure::trouble)?;
        for (power, reach) in powers.iter_mut().zip(&found) {
            power.add(at, reach);
        }
    }
    Ok(powers)
}

impl Power {
    fn add(&mut self, question: usize, reach: &Reach) {
        let may = reach.may();
        match question {
            0 => {
                self.any = may;
                let ways = reach.ways.iter().filter(|way| !way.is_blocked());
                let examples = ways.filter_map(|way| Some((way.line?, way.request.decoded())));
                self.examples.extend(examples);
            }
            1 => self.reads = may,
            2 => self.writes = may,
            _ => self.deletes = may,
        }
        // If more lines may allow something was not settled, it matters only while none is known.
        self.is_open |= !may && reach.inconclusive.is_some();
    }
}
