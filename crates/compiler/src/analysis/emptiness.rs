//! Whether a pattern matches any URL at all.

use regex_syntax::hir::{Hir, HirKind, Repetition};

use super::{
    budget::Exhausted,
    language::{Goal, LangId},
    prover::Prover,
};
use crate::{
    ir::{Matcher, Whole, has_mark, marked},
    regexp::BASE_URL_MARK,
};

impl Prover<'_> {
    /// Whether some path matches all of these matchers.
    ///
    /// # Errors
    /// The budget is spent.
    pub(crate) fn has_path(&mut self, matchers: &[&Matcher]) -> Result<bool, Exhausted> {
        self.languages.grant(1);
        // A start asks this of every forbid line, and most spell a path by their form.
        if self.spells_path(matchers)? {
            return Ok(true);
        }
        let mut goal = vec![(LangId::ROOTED, true)];
        if self.universe().canonical_paths {
            goal.push((LangId::NO_PATH, false));
        }
        for matcher in matchers {
            goal.push((self.languages.of(matcher)?, true));
        }
        Ok(self.languages.text(&Goal::all(goal))?.is_some())
    }

    /// Whether a pattern of whole URLs matches some URL, whatever the public URL is.
    ///
    /// # Errors
    /// The budget is spent.
    pub(crate) fn has_url(&mut self, whole: &Whole) -> Result<bool, Exhausted> {
        self.languages.grant(1);
        let matcher = match whole {
            Whole::Glob(code) => Matcher::Glob(code.clone()),
            Whole::Tree(hir) if has_mark(hir) => {
                Matcher::new(&with_any_base(hir, 0).ok_or(Exhausted)?).map_err(|_| Exhausted)?
            }
            Whole::Tree(hir) => Matcher::new(hir).map_err(|_| Exhausted)?,
        };
        let pattern = self.languages.of(&matcher)?;
        let goal = Goal::all([(pattern, true), (LangId::URL, true)]);
        Ok(self.languages.text(&goal)?.is_some())
    }
}

/// The pattern with any base URL in the place of its mark: more than one base URL gives, so that "none" still holds.
fn with_any_base(hir: &Hir, depth: usize) -> Option<Hir> {
    // Patterns are nested less deep: see `MAX_NESTING`.
    if depth > 200 {
        return None;
    }
    let inner = |hir: &Hir| with_any_base(hir, depth + 1);
    Some(match hir.kind() {
        HirKind::Literal(literal) => match marked(&literal.0) {
            Some(text) => {
                let any = regex_syntax::parse("https?://[^/?#]+(?:/[A-Za-z0-9._~-]+)*").ok()?;
                let mut parts = Vec::new();
                for (at, part) in text.split(BASE_URL_MARK).enumerate() {
                    if at > 0 {
                        parts.push(any.clone());
                    }
                    parts.push(Hir::literal(part.as_bytes().to_vec()));
                }
                Hir::concat(parts)
            }
            None => hir.clone(),
        },
        HirKind::Repetition(repetition) => Hir::repetition(Repetition {
            sub: Box::new(inner(&repetition.sub)?),
            ..repetition.clone()
        }),
        HirKind::Concat(parts) => Hir::concat(parts.iter().map(inner).collect::<Option<_>>()?),
        HirKind::Alternation(parts) => Hir::alternation(parts.iter().map(inner).collect::<Option<_>>()?),
        HirKind::Capture(_) | HirKind::Empty | HirKind::Class(_) | HirKind::Look(_) => hir.clone(),
    })
}
