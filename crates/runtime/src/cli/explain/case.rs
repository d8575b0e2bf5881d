//! A denied request, with all that decided it.

use std::path::Path;

use tokenward_compiler::ir::Program;
use tokenward_pdp::config::Config;
use tokenward_pdp::explain::{Judge, Question, Report};

/// The parts of an answer about a denied request.
pub(super) struct Case<'c> {
    pub(super) judge: &'c Judge<'c>,
    pub(super) program: &'c Program,
    pub(super) question: &'c Question,
    pub(super) report: &'c Report,
    pub(super) config: &'c Config,
    /// The policy's directory or file.
    pub(super) place: &'c Path,
}
