//! The program: a policy in the form that decides. Everything in it is shared: equal lines, patterns and paths stand
//! once, tokens hold indices.

mod asks;
mod automaton;
mod bounds;
mod code;
mod entry;
mod glob;
mod index;
mod layout;
mod lines;
mod listing;
mod matcher;
mod questions;
mod read_back;
mod sought;
mod whole;

pub(crate) use asks::{AskedNode, AskedParam, Asks};
pub use automaton::{Automaton, AutomatonError};
pub use code::Code;
pub use glob::{Atom, ByteSet, Glob};
pub(crate) use layout::{EFFECTS, Included, Layout, Match};
pub use lines::{Line, LineDigest};
pub(crate) use lines::{Lines, Place};
pub use matcher::{Matcher, PATTERN_LIMIT, UrlMatcher};
pub(crate) use questions::{Known, Questions, Slots};
pub(crate) use read_back::ReadBack;
pub(crate) use sought::Sought;
pub use whole::Whole;
pub(crate) use whole::{has_mark, marked};

use std::{collections::HashMap, net::IpAddr, sync::Arc};

pub use crate::policy::Users;
use crate::{
    ast::{Effect, Operator},
    base_url::BaseUrl,
    json::{Kind, Path},
    method::MethodSet,
    policy::Attributes,
};

/// Names a token of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct TokenId(pub(crate) u32);

/// Names a line of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LineId(pub(crate) u32);

/// Names a rule of a program.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RuleId(pub(crate) u32);

/// Names a matcher of values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MatcherId(pub(crate) u32);

/// Names a matcher of URLs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct UrlId(pub(crate) u32);

/// A compiled policy.
#[derive(Clone, Debug, Default)]
pub struct Program {
    pub(crate) tokens: Arc<Vec<Token>>,
    pub(crate) lines: Arc<Lines>,
    pub(crate) rules: Arc<Vec<Rule>>,
    pub(crate) values: Arc<Vec<Matcher>>,
    pub(crate) urls: Arc<Vec<UrlMatcher>>,
    pub(crate) by_secret: Arc<HashMap<[u8; 32], TokenId>>,
    pub(crate) digest: String,
    pub(crate) base: Option<BaseUrl>,
    pub(crate) merges_body: bool,
    /// What decisions read; present once the program is bound.
    pub(crate) layout: Option<Arc<Layout>>,
}

/// One token.
#[derive(Clone, Debug)]
pub struct Token {
    /// Whatever is not lines.
    pub attributes: Attributes,
    pub(crate) forbids: Rules,
    pub(crate) permits: Rules,
}

/// Lines of one effect, in the order of decision.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rules {
    /// Those of included sets.
    pub(crate) included: Vec<RuleId>,
    /// Those of the token itself.
    pub(crate) own: Vec<RuleId>,
}

impl Rules {
    pub(crate) fn iter(&self) -> impl Iterator<Item = RuleId> {
        self.included.iter().chain(&self.own).copied()
    }
}

impl std::ops::Deref for Token {
    type Target = Attributes;

    fn deref(&self) -> &Attributes {
        &self.attributes
    }
}

impl Token {
    pub(crate) fn rules(&self, effect: Effect) -> &Rules {
        match effect {
            Effect::Permit => &self.permits,
            Effect::Forbid => &self.forbids,
        }
    }

    /// Whether a call may come from `address`; a mapped IPv4 address counts as IPv4 (RFC 4291 section 2.5.5.2).
    #[must_use]
    pub fn allows_address(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        self.allowed_ips.is_empty() || self.allowed_ips.iter().any(|network| network.contains(&address))
    }
}

/// A line as it decides.
#[derive(Clone, Debug)]
pub struct Rule {
    pub(crate) line: LineId,
    pub(crate) effect: Effect,
    pub(crate) methods: MethodSet,
    pub(crate) url: UrlId,
    /// Those of most rules: none.
    pub(crate) constraints: Option<Arc<Constraints>>,
}

/// What a line asks of query and body.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Constraints {
    pub(crate) params: Vec<ParamTest>,
    pub(crate) params_only: bool,
    pub(crate) nodes: Vec<NodeTest>,
    pub(crate) members: Vec<Arc<Path>>,
}

/// A constraint on a parameter.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct ParamTest {
    pub(crate) name: Arc<str>,
    pub(crate) operator: Operator,
    pub(crate) value: MatcherId,
}

/// A constraint on a JSON node.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct NodeTest {
    pub(crate) path: Arc<Path>,
    pub(crate) kind: Option<Kind>,
    pub(crate) operator: Operator,
    pub(crate) value: MatcherId,
}

impl Constraints {
    /// For a rule: nothing, where there are none.
    pub(crate) fn shared(self) -> Option<Arc<Self>> {
        (self != Self::default()).then(|| Arc::new(self))
    }

    /// Where in the body it looks: the paths of its nodes, then those of its `only`.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        let nodes = self.nodes.iter().map(|test| &*test.path);
        nodes.chain(self.members.iter().map(|path| &**path))
    }
}

impl std::ops::Deref for Rule {
    type Target = Constraints;

    fn deref(&self) -> &Constraints {
        static NONE: Constraints = Constraints {
            params: Vec::new(),
            params_only: false,
            nodes: Vec::new(),
            members: Vec::new(),
        };
        self.constraints.as_deref().unwrap_or(&NONE)
    }
}

impl Rule {
    /// Whether it says anything of the query.
    pub(crate) fn asks_query(&self) -> bool {
        !self.params.is_empty() || self.params_only
    }

    /// Whether it says anything of the body.
    pub(crate) fn asks_json(&self) -> bool {
        !self.nodes.is_empty() || !self.members.is_empty()
    }

    /// Whether it leaves no members of the body's root but those that it names.
    pub(crate) fn has_root_only(&self) -> bool {
        self.members.iter().any(|path| path.0.is_empty())
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
        self.tokens.get(id.0 as usize).unwrap_or(&NOBODY)
    }

    /// Every token with its id, in source order.
    pub fn tokens(&self) -> impl Iterator<Item = (TokenId, &Token)> {
        (0..).map(TokenId).zip(self.tokens.iter())
    }

    /// The line of an id that this program gave.
    #[must_use]
    pub fn line(&self, id: LineId) -> Line<'_> {
        self.lines.get(id)
    }

    /// The lines of a token in the order of decision, forbid lines first.
    pub fn lines_of<'p>(&'p self, token: &'p Token) -> impl Iterator<Item = (LineId, Line<'p>)> {
        let rules = token
            .forbids
            .iter()
            .chain(token.permits.iter())
            .filter_map(|id| self.rule(id));
        rules.map(|rule| (rule.line, self.line(rule.line)))
    }

    /// The policy's version, in hexadecimal: SHA-256 of everything in the program that decides, as its artifact has it, so
    /// programs that decide differently have different digests. What the configuration adds, the base URL above all, is no
    /// part of it.
    #[must_use]
    pub fn digest(&self) -> &str {
        &self.digest
    }

    /// The base URL that the program is bound to.
    #[must_use]
    pub fn base(&self) -> Option<&BaseUrl> {
        self.base.as_ref()
    }

    /// This program for an upstream that merges members of JSON bodies into the query's parameters (Rails, Grape), or
    /// does not.
    #[must_use]
    pub fn merging_body(mut self, merges: bool) -> Self {
        self.merges_body = merges;
        self
    }

    /// This program without what the passes added: slower, and by test equal in every decision.
    #[must_use]
    pub fn without_layout(&self) -> Self {
        Self {
            layout: None,
            ..self.clone()
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
            digest: String::new(),
            ..self.clone()
        };
        (program, TokenId(0))
    }

    pub(crate) fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.rules.get(id.0 as usize)
    }

    pub(crate) fn value(&self, id: MatcherId) -> &Matcher {
        self.values.get(id.0 as usize).unwrap_or(&Matcher::Nothing)
    }

    pub(crate) fn url(&self, id: UrlId) -> &UrlMatcher {
        self.urls.get(id.0 as usize).unwrap_or(&UrlMatcher::NOTHING)
    }
}

impl Token {
    fn nobody() -> Self {
        Self {
            attributes: Attributes {
                name: String::new(),
                users: Users::Named(Vec::new()),
                secret_hash: [0; 32],
                previous: None,
                expires: Some(i64::MIN),
                allowed_ips: Vec::new(),
                on_behalf_of: Vec::new(),
                revoked: true,
                owner: None,
                description: None,
                mint: false,
                unrestricted: false,
                lint_allow: Vec::new(),
                secret_sealed: false,
                seal: None,
            },
            forbids: Rules::default(),
            permits: Rules::default(),
        }
    }
}

/// An index type for each arena, made where things are added.
pub(crate) fn index(at: usize) -> u32 {
    // INVARIANT: an arena has fewer entries than its sources have bytes, and those are bounded far below 2^32.
    u32::try_from(at).unwrap_or(u32::MAX)
}
