//! Explains a finding to a reader: what widened, against which line, and the request that shows it best.
//!
//! The proof needs none of this. Everything said here is proved or tried by itself: a way of widening by a question about that
//! part of the lines, a telling request by asking both policies. What could not be settled within the budget is left out, and
//! the explanation is open.

mod excerpt;
mod likeness;
mod miss;
mod part;
mod telling;
mod text;
mod widened;
mod words;

use std::collections::HashSet;

use self::{likeness::likeness, part::Part, telling::Search, text::LineText, widened::Lines};
use super::{
    Exhausted,
    clauses::Ruled,
    comparison::Analysis,
    difference::{Cause, Finding},
    explanation::{Explanation, Nearest, QuotedLine, Widened},
    forwarding::Forwarding,
    side::Side,
    vocabulary::Vocabulary,
    witness::{Request, Said, ask},
};
use crate::ir::{LineId, TokenId};

/// Lines are alike from so many thousandths of their URLs on.
const ALIKE: usize = 600;
/// The share of the run's steps that a question may take: one of so many.
const SHARES: u64 = 64;
/// Permit lines by which a removed forbid line is looked at.
const PERMITS: usize = 4;

impl<'p> Analysis<'p> {
    /// Makes the analysis search for telling requests among the operations of a product.
    #[must_use]
    pub fn with_vocabulary(mut self, vocabulary: Vocabulary) -> Self {
        self.vocabulary = vocabulary;
        self
    }

    /// Explains a request that a token of the new program allows and one of the old program denies.
    ///
    /// Costs some dozens of small questions, of the steps that the run has left.
    pub fn explain(
        &mut self,
        (old, new): (Option<TokenId>, Option<TokenId>),
        finding: &Finding,
    ) -> Explanation {
        let (less, more) = self.sides(old, new);
        let mut explaining = Explaining {
            more,
            less,
            finding,
            analysis: self,
        };
        match finding.cause {
            Cause::Permit(line) => explaining.permit(line),
            Cause::Lifted(line) => explaining.lifted(line),
            Cause::Refused(line) => Explanation {
                widened: vec![Widened::Names(QuotedLine::of(explaining.less.program, line))],
                ..Explanation::default()
            },
            Cause::Unrestricted => explaining.unrestricted(),
        }
    }
}

struct Explaining<'a, 'p> {
    more: Side<'p>,
    less: Side<'p>,
    finding: &'a Finding,
    analysis: &'a mut Analysis<'p>,
}

impl<'p> Explaining<'_, 'p> {
    /// A permit line that allows more.
    fn permit(&mut self, line: LineId) -> Explanation {
        let permits = self.more.permits();
        let Some(at) = permits.iter().position(|ruled| ruled.rule.line == line) else {
            return Explanation::default();
        };
        let rules = permits.iter().filter(|ruled| ruled.rule.line == line);
        let rules: Vec<Ruled<'p>> = rules.copied().collect();
        let Some(rule) = rules.first().copied() else {
            return Explanation::default();
        };
        let theirs = self.less.permits();
        let nearest = self.nearest(rule, &theirs);
        let (widened, is_open) = self.widened(rule, nearest, &theirs);
        let before = permits.get(..at).unwrap_or_default();
        let search = Search {
            sources: rules.into_iter().map(|rule| vec![rule]).collect(),
            must_not: [&self.more.forbids(), &theirs, before].concat(),
            old: nearest,
            widened: &widened,
            merges: self.more.program.merges_body,
            forwarding: self.forwarding(),
        };
        let telling = self.telling(&search);
        let nearest = nearest.map(|nearest| Nearest {
            line: QuotedLine::of(nearest.program, nearest.rule.line),
            miss: miss::miss(
                nearest,
                &self.finding.witness,
                &mut self.analysis.prover.languages,
            ),
        });
        Explanation {
            widened,
            nearest,
            telling,
            is_open,
        }
    }

    /// A forbid line that the new side lacks.
    fn lifted(&mut self, line: LineId) -> Explanation {
        let theirs = self.less.forbids();
        let Some(forbid) = theirs.iter().find(|ruled| ruled.rule.line == line).copied() else {
            return Explanation::default();
        };
        let now = self.replacement(forbid);
        let widened = vec![Widened::Lifted {
            line: QuotedLine::of(self.less.program, line),
            now: now.map(|now| QuotedLine::of(now.program, now.rule.line)),
        }];
        let mut permits = self.more.permits();
        let allowed_by = self.finding.allowed_by;
        permits.sort_by_key(|ruled| Some(ruled.rule.line) != allowed_by);
        let sources = match allowed_by {
            None => vec![vec![forbid]],
            Some(_) => permits
                .into_iter()
                .take(PERMITS)
                .map(|permit| vec![permit, forbid])
                .collect(),
        };
        self.of_ways(widened, sources, self.more.forbids())
    }

    /// A token that became unrestricted.
    fn unrestricted(&mut self) -> Explanation {
        let widened = vec![Widened::Unrestricted];
        let must_not = [self.more.forbids(), self.less.permits()].concat();
        self.of_ways(widened, vec![Vec::new()], must_not)
    }

    /// Explains ways of widening that no line of the other side is compared with.
    fn of_ways(
        &mut self,
        widened: Vec<Widened>,
        sources: Vec<Vec<Ruled<'p>>>,
        must_not: Vec<Ruled<'p>>,
    ) -> Explanation {
        let search = Search {
            sources,
            must_not,
            old: None,
            widened: &widened,
            merges: self.more.program.merges_body,
            forwarding: self.forwarding(),
        };
        let telling = self.telling(&search);
        Explanation {
            telling,
            widened,
            ..Explanation::default()
        }
    }

    /// The permit line of the other side that is most like a line; of equals one that the new side lacks, then the first.
    fn nearest(&self, rule: Ruled<'p>, theirs: &[Ruled<'p>]) -> Option<Ruled<'p>> {
        let text = text(rule);
        let permits = self.more.permits();
        let kept: HashSet<&str> = permits.iter().map(|ruled| self::text(*ruled)).collect();
        let mut best = None;
        for ruled in theirs {
            let their = self::text(*ruled);
            let rank = (likeness(text, their), !kept.contains(their));
            if best.as_ref().is_none_or(|(_, most)| rank > *most) {
                best = Some((*ruled, rank));
            }
        }
        best.map(|(ruled, _)| ruled)
    }

    /// In what a permit line permits more than the nearest one.
    fn widened(
        &mut self,
        new: Ruled<'p>,
        nearest: Option<Ruled<'p>>,
        theirs: &[Ruled<'p>],
    ) -> (Vec<Widened>, bool) {
        let refused = ask(self.less.program, self.less.token, &self.finding.witness) == Said::Refuse;
        if refused {
            return (vec![Widened::Unrefused], false);
        }
        let Some(old) = nearest else {
            return (vec![Widened::NewLine], false);
        };
        let texts = (text(new), text(old));
        if texts.0 == texts.1 {
            return (vec![Widened::SameLine], false);
        }
        match self.is_version(new, old) {
            Ok(true) => {}
            Ok(false) => return (vec![Widened::NewLine], false),
            Err(Exhausted) => return (Vec::new(), true),
        }
        let lines = Lines {
            new,
            old,
            texts: (LineText::of(texts.0), LineText::of(texts.1)),
            permits: theirs,
            forbids: &self.more.forbids(),
        };
        let (mut widened, is_open) = lines.widened(&mut self.analysis.prover);
        if widened.is_empty() && !is_open {
            widened.push(Widened::NewLine);
        }
        (widened, is_open)
    }

    /// Whether a line seems to be another version of a line: their URLs are alike, or the one covers the other.
    fn is_version(&mut self, wide: Ruled<'p>, narrow: Ruled<'p>) -> Result<bool, Exhausted> {
        if likeness(text(wide), text(narrow)).url >= ALIKE {
            return Ok(true);
        }
        let (wide, narrow) = (Part::path(wide), Part::path(narrow));
        let prover = &mut self.analysis.prover;
        let beyond = prover.request_of(&[narrow.ruled()], &[wide.ruled()], (SHARES, None))?;
        Ok(beyond.is_none())
    }

    /// The new side's forbid line that seems to have taken the place of one that it lacks.
    fn replacement(&mut self, forbid: Ruled<'p>) -> Option<Ruled<'p>> {
        let theirs = self.less.forbids();
        let known: HashSet<&str> = theirs.iter().map(|ruled| text(*ruled)).collect();
        let forbids = self.more.forbids().into_iter();
        let new = forbids.filter(|ruled| !known.contains(text(*ruled)));
        let nearest = new.max_by_key(|ruled| likeness(text(*ruled), text(forbid)))?;
        self.is_version(forbid, nearest).ok()?.then_some(nearest)
    }

    /// The proxy that must forward the telling request; `None`: any request will do, since the proxy forwards none of the finding.
    fn forwarding(&self) -> Option<Forwarding<'p>> {
        let is_forwarded = self.finding.obstacles.is_empty();
        self.more.forwarding().filter(|_| is_forwarded)
    }

    /// The most telling request, if it tells more than the finding's.
    fn telling(&mut self, search: &Search<'_, 'p>) -> Option<Request> {
        let (more, less) = (self.more, self.less);
        let is_new = |request: &Request| {
            let allowed = matches!(ask(more.program, more.token, request), Said::Allow(_));
            allowed && matches!(ask(less.program, less.token, request), Said::Deny(_))
        };
        let Analysis {
            prover, vocabulary, ..
        } = &mut *self.analysis;
        let found = search.request(prover, vocabulary, is_new);
        found.filter(|request| !tells_the_same(request, &self.finding.witness))
    }
}

/// Whether two requests differ in the digits of their paths at most.
fn tells_the_same(one: &Request, other: &Request) -> bool {
    let shape = |path: &str| path.replace(|character: char| character.is_ascii_digit(), "0");
    one.method == other.method
        && one.query == other.query
        && one.body == other.body
        && shape(&one.path) == shape(&other.path)
}

/// The text of a rule's line.
fn text<'p>(ruled: Ruled<'p>) -> &'p str {
    ruled.program.line(ruled.rule.line).text
}

#[cfg(test)]
mod tests;
