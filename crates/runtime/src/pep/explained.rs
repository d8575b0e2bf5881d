//! Explains how the running proxy would answer a request.

use tokenward_compiler::ir::Program;
use tokenward_pdp::explain::{Incomplete, Judge, Question, Report};

use super::Gate;
use crate::call::now_ms;

impl Gate {
    /// Explains how this proxy would answer a request now.
    ///
    /// # Errors
    /// The question lacks something that the answer depends on.
    pub(crate) fn explain(&self, question: &Question) -> Result<Report, Incomplete> {
        self.with_judge(|judge, program| judge.explain(program, question))
    }

    /// Gives the judge of this proxy's calls, and the active program.
    pub(crate) fn with_judge<T>(&self, ask: impl FnOnce(&Judge<'_>, &Program) -> T) -> T {
        let live = self.policies.current();
        let judge = Judge {
            rules: &self.rules,
            auth: &self.auth,
            lacks_identity: &|user| self.identities.headers(user).is_err(),
            cors_origins: &self.settings.cors_origins,
            inspect_bytes: self.settings.inspect_bytes,
            body_bytes: self.settings.pace.most,
            limits: self.limiter.each(),
            is_refused: &|token| live.refuses(token),
            is_revoked: &|secret| self.policies.revocations().has(secret),
            now_ms: now_ms(),
        };
        ask(&judge, live.program())
    }
}
