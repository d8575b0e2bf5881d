//! Proves what lints suspect: a request that `decide` itself allows, or that no request exists.

use regex_syntax::hir::Hir;

use super::{
    branches::branches,
    suspect::{Claim, Mend},
    variants::Compiled,
};
use crate::{
    analysis::{Budget, Fault, Prover, Request, Ruled, Served, Side, Universe, allows, token_allows},
    ast::Effect,
    bind::bind_url,
    ir::{LineId, Matcher, Program, RuleId, TokenId, UrlMatcher, Whole},
    parse::parse_line,
    regexp::Anchor,
    source::Span,
};

/// The answer to a suspicion.
pub(super) enum Proved {
    /// It is right; a request shows it, unless the claim is that none exists.
    Yes(Option<Box<Request>>),
    No,
    /// The budget is spent.
    Open,
}

/// Proves suspicions about the lines of a program.
pub(super) struct Proofs<'p> {
    pub(super) program: &'p Program,
    pub(super) variants: &'p Compiled,
    pub(super) prover: Prover<'p>,
    /// Proves corrected lines, with a budget of its own: a corrected line that is not proved is not shown, and leaves nothing open.
    mends: Prover<'p>,
    /// The matcher of the served paths; `None`: all.
    pub(super) endpoints: Option<Matcher>,
    /// The line of all that is served.
    pub(super) served_line: String,
    /// The line whose alternatives were looked at last, and for each whether a path matches it.
    alive: Option<(LineId, Vec<Option<bool>>)>,
}

/// Steps that a trial of one request counts for.
const STEPS_A_TRIAL: usize = 300;

impl<'p> Proofs<'p> {
    pub(super) fn new(
        program: &'p Program,
        variants: &'p Compiled,
        served_line: String,
        (universe, served, budget): (Universe, &Served, &Budget),
    ) -> Result<Self, Fault> {
        Ok(Self {
            program,
            variants,
            prover: Prover::new(universe, budget.clone())?.with_samples_first(),
            mends: Prover::new(universe, budget.share(1))?,
            endpoints: served.matcher()?,
            served_line,
            alive: None,
        })
    }

    pub(super) fn begin_token(&self) {
        self.prover.begin_token();
        self.mends.begin_token();
    }

    pub(super) fn ruled(&self, rule: RuleId) -> Option<Ruled<'p>> {
        let program = self.program;
        program.rule(rule).map(|rule| Ruled { program, rule })
    }

    /// Settles a claim about a rule of a token.
    pub(super) fn prove(&mut self, (token, id): (TokenId, RuleId), claim: &Claim) -> Proved {
        if self.prover.take_steps(STEPS_A_TRIAL).is_err() {
            return Proved::Open;
        }
        match claim {
            Claim::Beyond { narrower, example } => self.beyond((token, id), narrower, example),
            Claim::Allows(line) => self.allows((token, id), line),
            Claim::Nothing(line) => self.nothing(line),
            Claim::Everything(line) => self.everything((token, id), line),
            Claim::DeadAlternative(number) => match self.ruled(id) {
                Some(ruled) => self.dead_alternative(ruled, *number),
                None => Proved::No,
            },
        }
    }

    /// Whether a mend gives no access: its permit lines are within the line, or its forbid lines contain it.
    pub(super) fn gives_nothing(&mut self, mend: &Mend) -> bool {
        let variants = self.variants;
        let Some(before) = variants.rule(&mend.before) else {
            return false;
        };
        mend.after.iter().all(|line| {
            variants.rule(line).is_some_and(|after| match mend.effect {
                Effect::Permit => self.is_within(after, before),
                Effect::Forbid => self.is_within(before, after),
            })
        })
    }

    /// Whether it is proved that one rule matches no request that the other does not.
    fn is_within(&mut self, part: Ruled<'p>, whole: Ruled<'p>) -> bool {
        self.mends.is_within(part, whole) || matches!(self.mends.request(&[part], &[whole]), Ok(None))
    }

    fn beyond(&mut self, (token, id): (TokenId, RuleId), narrower: &str, example: &str) -> Proved {
        let variants = self.variants;
        let (Some(ruled), Some(narrow)) = (self.ruled(id), variants.rule(narrower)) else {
            return Proved::No;
        };
        let narrow_id = variants.id(narrower);
        let is_beyond = |request: &Request| {
            narrow_id.is_some_and(|id| !allows(variants.program(), vec![id], Vec::new(), request))
        };
        if let Some(request) = variants.rule(example).and_then(|rule| self.prover.sample(rule))
            && is_beyond(&request)
            && self.is_allowed((token, id), &request)
        {
            return Proved::Yes(Some(Box::new(request)));
        }
        let found = self.search(token, &[ruled], &[narrow]);
        self.tried(found, (token, id), is_beyond)
    }

    fn allows(&mut self, (token, id): (TokenId, RuleId), line: &str) -> Proved {
        let (Some(ruled), Some(part)) = (self.ruled(id), self.variants.rule(line)) else {
            return Proved::No;
        };
        if let Some(request) = self.prover.sample(part)
            && self.is_allowed((token, id), &request)
        {
            return Proved::Yes(Some(Box::new(request)));
        }
        let found = self.search(token, &[ruled, part], &[]);
        self.tried(found, (token, id), |_| true)
    }

    fn nothing(&mut self, line: &str) -> Proved {
        let Some(part) = self.variants.rule(line) else {
            return Proved::No;
        };
        match self.prover.request(&[part], &[]) {
            Ok(None) => Proved::Yes(None),
            Ok(Some(_)) => Proved::No,
            Err(_) => Proved::Open,
        }
    }

    fn everything(&mut self, (token, id): (TokenId, RuleId), line: &str) -> Proved {
        let (Some(ruled), Some(all)) = (self.ruled(id), self.variants.rule(line)) else {
            return Proved::No;
        };
        // Hardly any line matches all, so one request is tried first.
        let Some(sample) = self.prover.sample(all) else {
            return Proved::No;
        };
        if !allows(self.program, vec![id], Vec::new(), &sample) {
            return Proved::No;
        }
        match self.prover.request(&[all], &[ruled]) {
            Ok(None) if self.is_allowed((token, id), &sample) => Proved::Yes(Some(Box::new(sample))),
            Ok(None) => {
                let found = self.search(token, &[ruled], &[]);
                self.tried(found, (token, id), |_| true)
            }
            Ok(Some(_)) => Proved::No,
            Err(_) => Proved::Open,
        }
    }

    /// A request that matches some rules and none of some others, that is served, and that no line of the token forbids.
    pub(super) fn search(
        &mut self,
        token: TokenId,
        must: &[Ruled<'p>],
        must_not: &[Ruled<'p>],
    ) -> Result<Option<Request>, Proved> {
        let served = self.variants.rule(&self.served_line);
        let must: Vec<Ruled<'p>> = must.iter().copied().chain(served).collect();
        let forbids = Side::of(self.program, token).forbids();
        let must_not: Vec<Ruled<'p>> = must_not.iter().copied().chain(forbids).collect();
        self.prover.request(&must, &must_not).map_err(|_| Proved::Open)
    }

    /// Tries a request that was found on the program.
    fn tried(
        &mut self,
        found: Result<Option<Request>, Proved>,
        of: (TokenId, RuleId),
        holds: impl Fn(&Request) -> bool,
    ) -> Proved {
        match found {
            Ok(Some(request)) if holds(&request) && self.is_allowed(of, &request) => {
                Proved::Yes(Some(Box::new(request)))
            }
            // The proxy refuses the request's body for another line of the token.
            Ok(Some(_)) => Proved::Open,
            Ok(None) => Proved::No,
            Err(open) => open,
        }
    }

    /// Whether the proxy serves a request, the line matches it, and the token allows it.
    pub(super) fn is_allowed(&self, (token, id): (TokenId, RuleId), request: &Request) -> bool {
        self.is_served(request)
            && allows(self.program, vec![id], Vec::new(), request)
            && token_allows(self.program, token, request)
    }

    pub(super) fn is_served(&self, request: &Request) -> bool {
        let mut endpoints = self.endpoints.iter();
        endpoints.all(|endpoints| endpoints.matches(&request.path))
    }
}

impl Proofs<'_> {
    /// Whether no served path matches an alternative of the URL, and some path matches another.
    fn dead_alternative(&mut self, ruled: Ruled<'_>, number: usize) -> Proved {
        let line = ruled.rule.line;
        let alive = match self.alive.take() {
            Some((known, alive)) if known == line => alive,
            _ => self.alternatives(self.program.line(line).text),
        };
        let answer = match alive.get(number) {
            Some(Some(false)) if alive.contains(&Some(true)) => Proved::Yes(None),
            // If all are dead, the line is, and that is another finding.
            Some(Some(_)) => Proved::No,
            Some(None) | None => Proved::Open,
        };
        self.alive = Some((line, alive));
        answer
    }

    /// For each alternative of a line's URL whether a served path matches it; `None` past the budget.
    fn alternatives(&mut self, text: &str) -> Vec<Option<bool>> {
        let nowhere = Span {
            start: 0,
            end: text.len(),
            ..Span::nowhere()
        };
        let Ok(syntax) = parse_line(text, nowhere) else {
            return Vec::new();
        };
        let url = text.get(syntax.url.span.start..syntax.url.span.end);
        let branches = branches(&syntax, url.unwrap_or_default());
        branches.iter().map(|branch| self.is_alive(branch)).collect()
    }

    fn is_alive(&mut self, (_, hir, anchor): &(Span, Hir, Anchor)) -> Option<bool> {
        self.prover.take_steps(STEPS_A_TRIAL).ok()?;
        let url = match anchor {
            Anchor::Below => UrlMatcher::Below(Matcher::new(hir).ok()?),
            Anchor::Whole => bind_url(&UrlMatcher::Unbound(Whole::new(hir)), self.program.base()?).ok()?,
        };
        let (UrlMatcher::Below(url) | UrlMatcher::Bound(_, url)) = &url else {
            return None;
        };
        let both: Vec<&Matcher> = std::iter::once(url).chain(&self.endpoints).collect();
        self.prover.has_path(&both).ok()
    }
}
