//! The program: a policy in the form that decides.

use std::{collections::HashMap, ops::Deref, sync::Arc};

use super::{
    id::{LineId, RuleId, TokenId},
    layout::Layout,
    lines::Line,
    parts::{Parts, Within, token_in},
    rule::{Rule, Rules},
    tables::Tables,
    token::Token,
};
use crate::{ast::Effect, base_url::BaseUrl};

/// A compiled policy.
#[derive(Clone, Debug, Default)]
pub struct Program {
    pub(crate) tables: Tables,
    pub(crate) tokens: Arc<Vec<Token>>,
    pub(crate) by_secret: Arc<HashMap<[u8; 32], TokenId>>,
    pub(crate) digest: String,
    pub(crate) base: Option<BaseUrl>,
    /// What decisions read; present once the program is bound.
    pub(crate) layout: Option<Arc<Layout>>,
    /// The parts of a program that was put together. It has no tables, tokens and layout of its own: what reads these asks
    /// the parts.
    pub(crate) parts: Option<Arc<Parts<Self>>>,
}

impl Deref for Program {
    type Target = Tables;

    fn deref(&self) -> &Tables {
        &self.tables
    }
}

impl Program {
    /// The program that permits nobody anything.
    #[must_use]
    pub fn empty() -> Self {
        Self::default()
    }

    /// The token whose secret, or whose secret before a rotation, has this SHA-256. Whether the latter still counts is
    /// the caller's to judge, who has a clock. Constant time in the number of tokens.
    #[must_use]
    pub fn token_by_secret_hash(&self, hash: &[u8; 32]) -> Option<TokenId> {
        self.by_secret.get(hash).copied()
    }

    /// The token of an id that this program, or one bound from it, gave.
    ///
    /// An id of another program may name another token, or the empty one, which permits nothing.
    #[must_use]
    pub fn token(&self, id: TokenId) -> &Token {
        static NOBODY: std::sync::LazyLock<Token> = std::sync::LazyLock::new(Token::nobody);
        let found = match &self.parts {
            None => self.tokens.get(id.0 as usize),
            Some(parts) => parts
                .of_token(id)
                .and_then(|within| within.program.tokens.get(within.token.0 as usize)),
        };
        found.unwrap_or(&NOBODY)
    }

    /// Every token with its id, in source order.
    pub fn tokens(&self) -> impl Iterator<Item = (TokenId, &Token)> {
        let whole = (0..).map(TokenId).zip(self.tokens.iter());
        let parts = self.parts.iter().flat_map(|parts| parts.each());
        whole.chain(parts.flat_map(|(number, part)| {
            let ids = (0..).map(move |at| token_in(number, TokenId(at)));
            ids.zip(part.program.tokens.iter())
        }))
    }

    /// The line of an id that this program gave.
    #[must_use]
    pub fn line(&self, id: LineId) -> Line<'_> {
        let Some((part, id)) = self.parts.as_ref().and_then(|parts| parts.of_line(id)) else {
            return self.lines.get(id);
        };
        let line = part.program.lines.get(id);
        let before = if line.file == &*part.file {
            part.lines_before
        } else {
            0
        };
        Line {
            number: line.number.saturating_add(before),
            ..line
        }
    }

    /// The program that decides requests of a token, if that is a part of this one.
    #[inline]
    pub(crate) fn within(&self, token: TokenId) -> Option<Within<'_, Self>> {
        self.parts.as_ref()?.of_token(token)
    }

    /// The lines of a token in the order of decision, forbid lines first.
    pub fn lines_of(&self, id: TokenId) -> impl Iterator<Item = (LineId, Line<'_>)> {
        let token = self.token(id);
        // Rules are numbered within the part that has the token.
        let within = self.within(id);
        let owner = within.as_ref().map_or(self, |within| within.program);
        let rules = token.forbids.iter().chain(token.permits.iter());
        let lines = rules.filter_map(|id| owner.rule(id)).map(|rule| rule.line);
        lines.map(move |line| {
            let line = within.as_ref().map_or(line, |within| within.line(line));
            (line, self.line(line))
        })
    }

    /// The policy's version, in hexadecimal: SHA-256 of everything in the program that decides, token by token, so programs that
    /// decide differently have different digests. Settings of the configuration, such as the base URL, are not part of it, nor
    /// is how the program is stored.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The base URL that the program is bound to.
    #[must_use]
    pub fn base(&self) -> Option<&BaseUrl> {
        self.base.as_ref()
    }

    /// Sets whether the upstream merges members of JSON bodies into the query's parameters (Rails, Grape), or
    /// does not.
    #[must_use]
    pub fn merging_body(mut self, merges: bool) -> Self {
        self.tables.merges_body = merges;
        self
    }

    /// Removes the results of the passes: the program is slower, and by test equal in every decision.
    #[must_use]
    pub fn without_layout(&self) -> Self {
        Self {
            layout: None,
            ..self.clone()
        }
    }

    /// A program with one token, of this rule.
    pub(crate) fn of_rule(&self, rule: &Rule) -> (Self, TokenId) {
        let program = Self {
            tables: Tables {
                rules: Arc::new(vec![rule.clone()]),
                ..self.tables.clone()
            },
            layout: None,
            digest: String::new(),
            ..self.clone()
        };
        match rule.effect {
            Effect::Permit => program.of_rules(vec![RuleId(0)], Vec::new()),
            Effect::Forbid => program.of_rules(Vec::new(), vec![RuleId(0)]),
        }
    }

    /// A program with one token, of these rules.
    pub(crate) fn of_rules(&self, permits: Vec<RuleId>, forbids: Vec<RuleId>) -> (Self, TokenId) {
        let own = |own| Rules {
            included: Vec::new(),
            own,
        };
        let token = Token {
            permits: own(permits),
            forbids: own(forbids),
            ..Token::nobody()
        };
        let program = Self {
            tokens: Arc::new(vec![token]),
            layout: None,
            parts: None,
            digest: String::new(),
            ..self.clone()
        };
        (program, TokenId(0))
    }
}
