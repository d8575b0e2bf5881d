//! Checks the optimiser by the analysis: reads a laid-out program back, and proves that it allows the same requests as the
//! plain program, line by line in the same order.

use super::{
    Analysis, Budget, Comparison, Exhausted, Fault, Inconclusive, Request, Universe,
    language::{Goal, Languages},
};
use crate::ir::{Matcher, Program, ReadBack, Token, TokenId};

/// In what an optimised program is not proved to be the plain one: a bug.
#[derive(Debug, thiserror::Error)]
pub enum Deviation {
    /// The optimised program has other tokens, or lines in another order.
    #[error("the optimised program has different lines for `{token}`, or a different order of lines")]
    Lines {
        /// The token.
        token: String,
    },
    /// The optimised program decides this request otherwise.
    #[error("the optimised program decides differently for `{token}`: {request}")]
    Request {
        /// The token.
        token: String,
        /// The request.
        request: Box<Request>,
    },
    /// The proof is inconclusive.
    #[error("cannot prove that the optimised program decides the same for `{token}`: {why}")]
    Open {
        /// The token.
        token: String,
        /// The reason.
        why: Inconclusive,
    },
    /// An index hides a line from a path that it matches.
    #[error("an index of the optimised program omits a line that matches")]
    Index,
    /// A bug in the analysis.
    #[error(transparent)]
    Fault(#[from] Fault),
}

/// Proves that two bound programs of the same tokens allow the same requests by the same lines. `plain` is taken without
/// its layout, `optimised` as read from its layout. `progress` receives the numbers of tokens checked and of all tokens.
///
/// # Errors
/// The first [`Deviation`].
pub fn prove_optimised(
    plain: &Program,
    optimised: &Program,
    (universe, budget): (Universe, impl Into<Budget>),
    mut progress: impl FnMut(usize, usize),
) -> Result<(), Deviation> {
    if !optimised.indexes_name_all() {
        return Err(Deviation::Index);
    }
    let plain = plain.without_layout();
    let unreadable = || Deviation::Lines { token: String::new() };
    let ReadBack {
        program: read,
        guards,
    } = optimised.read_back().ok_or_else(unreadable)?;
    let budget = budget.into();
    check_guards(&guards, &budget)?;
    let mut analysis = Analysis::new(&plain, &read, universe, budget)?;
    let tokens = plain.tokens().count();
    if read.tokens().count() != tokens {
        let token = String::new();
        return Err(Deviation::Lines { token });
    }
    for (done, (of_plain, of_read)) in plain.tokens().zip(read.tokens()).enumerate() {
        check_token((&plain, of_plain), (&read, of_read), &mut analysis)?;
        progress(done + 1, tokens);
    }
    Ok(())
}

/// Proves that each guard matches everything that its matcher matches.
fn check_guards(guards: &[(Matcher, Matcher)], budget: &Budget) -> Result<(), Deviation> {
    let mut languages = Languages::new(budget).map_err(Fault::from)?;
    for (inner, guard) in guards {
        languages.grant(1);
        let goal = languages.of(inner).and_then(|inner| {
            let guard = languages.of(guard)?;
            languages.text(&Goal::all([(inner, true), (guard, false)]))
        });
        match goal {
            Ok(None) => {}
            Ok(Some(_)) => return Err(Deviation::Index),
            Err(Exhausted) => {
                let (token, why) = (String::new(), Inconclusive::Budget);
                return Err(Deviation::Open { token, why });
            }
        }
    }
    Ok(())
}

/// Proves that a token of the plain program and its counterpart allow the same requests by the same lines.
fn check_token(
    (plain, (id, token)): (&Program, (TokenId, &Token)),
    (read, (other, laid_out)): (&Program, (TokenId, &Token)),
    analysis: &mut Analysis<'_>,
) -> Result<(), Deviation> {
    let name = || token.name.clone();
    let lines = plain.lines_of(id).map(|(line, _)| line);
    if token.attributes != laid_out.attributes || !lines.eq(read.lines_of(other).map(|(line, _)| line)) {
        return Err(Deviation::Lines { token: name() });
    }
    let Comparison {
        newly_allowed,
        newly_denied,
    } = analysis.compare(Some(id), Some(other))?;
    for difference in [newly_allowed, newly_denied] {
        if let Some(found) = difference.findings.into_iter().next() {
            let request = Box::new(found.witness);
            return Err(Deviation::Request {
                token: name(),
                request,
            });
        }
        if let Some(why) = difference.inconclusive {
            return Err(Deviation::Open { token: name(), why });
        }
    }
    Ok(())
}
