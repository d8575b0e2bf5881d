//! Failures of checks and comparisons.

use tokenward_compiler::diagnostic::render_text;
use tokenward_pdp::Unanswered;

use super::failure::Failure;
use super::output;

impl From<Unanswered> for Failure {
    /// Shows the errors of invariants on standard error.
    fn from(error: Unanswered) -> Self {
        match error {
            Unanswered::Rules(error) => error.into(),
            Unanswered::Policy(why) => Self::Findings(why),
            Unanswered::Proof(why) => Self::Trouble(why),
            Unanswered::Invariants(faulty) => {
                let text = render_text(&faulty.sources, &faulty.diagnostics, output::colours());
                output::note_raw(&text);
                Self::Findings(Unanswered::Invariants(faulty).to_string())
            }
        }
    }
}
