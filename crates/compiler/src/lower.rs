//! From the resolved policy to the program: equal things become one thing, patterns become matchers.

use std::{
    collections::{HashMap, hash_map::Entry},
    rc::Rc,
    sync::Arc,
};

use regex_syntax::hir::Hir;
use sha2::{Digest, Sha256};

use crate::{
    ast::Effect,
    diagnostic::{Code, Diagnostic},
    ir::{
        AutomatonError, Constraints, Line, LineDigest, LineId, Lines, Matcher, MatcherId, NodeTest,
        PATTERN_LIMIT, ParamTest, Program, Rule, RuleId, Rules, Tables, Token, TokenId, UrlId, UrlMatcher,
        ValueMatcher, Whole, arena_index, has_mark,
    },
    policy::{self, Limit, Pattern},
    range::Side,
    regexp::Anchor,
    source::{SourceSet, Span},
    source_map::SourceMap,
};

/// The result of lowering.
pub(crate) struct Lowered {
    /// The program of all tokens, unbound.
    pub(crate) program: Program,
    /// The spans of the program's lines and tokens.
    pub(crate) source_map: SourceMap,
    /// Findings of this stage, unsorted.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Lowers resolved tokens, taking one at a time. Patterns past their size limit become diagnostics, and match nothing.
pub(crate) fn lower(tokens: impl IntoIterator<Item = policy::Token>, sources: &SourceSet) -> Lowered {
    let mut lowering = Lowering::new(sources);
    for token in tokens {
        lowering.add(&token);
    }
    lowering.finish()
}

/// Lowers lines that no token has: a program without tokens, for what is to be said of its lines.
pub(crate) fn lower_lines(lines: &[Rc<Limit>], sources: &SourceSet) -> Lowered {
    let mut lowering = Lowering::new(sources);
    for line in lines {
        lowering.rule(line);
    }
    lowering.finish()
}

/// The program so far, and the tables that find its lines and patterns again.
struct Lowering<'a> {
    sources: &'a SourceSet,
    tokens: Vec<Token>,
    by_secret: HashMap<[u8; 32], TokenId>,
    /// Rules of lines that tokens share, by the address of the line, which is kept so that no other gets it.
    shared: HashMap<*const Limit, (Rc<Limit>, RuleId)>,
    lines_known: HashMap<Span, LineId>,
    lines: Lines,
    rules: Vec<Rule>,
    values: Interned<(Option<Side>, String), ValueMatcher>,
    urls: Interned<(Anchor, String), UrlMatcher>,
    source_map: SourceMap,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Lowering<'a> {
    fn new(sources: &'a SourceSet) -> Self {
        Self {
            sources,
            tokens: Vec::new(),
            by_secret: HashMap::new(),
            shared: HashMap::new(),
            lines_known: HashMap::new(),
            lines: Lines::default(),
            rules: Vec::new(),
            values: Interned::new(),
            urls: Interned::new(),
            source_map: SourceMap::default(),
            diagnostics: Vec::new(),
        }
    }

    fn add(&mut self, token: &policy::Token) {
        let id = TokenId(arena_index(self.tokens.len()));
        self.by_secret.insert(token.attributes.secret_hash, id);
        if let Some((hash, _)) = token.attributes.previous {
            self.by_secret.insert(hash, id);
        }
        let (included, own) = token
            .limits
            .split_at_checked(token.included)
            .unwrap_or((&[], &token.limits));
        let mut rules = |effect| {
            let mut of = |limits: &[Rc<Limit>]| {
                let limits = limits.iter().filter(|limit| limit.effect == effect);
                limits.map(|limit| self.rule(limit)).collect()
            };
            Rules {
                included: of(included),
                own: of(own),
            }
        };
        let (forbids, permits) = (rules(Effect::Forbid), rules(Effect::Permit));
        self.source_map.tokens.push(token.span);
        self.tokens.push(Token {
            attributes: token.attributes.clone(),
            forbids,
            permits,
        });
    }

    fn finish(self) -> Lowered {
        let program = Program {
            tables: Tables {
                lines: Arc::new(self.lines),
                rules: Arc::new(self.rules),
                values: Arc::new(self.values.items),
                urls: Arc::new(self.urls.items),
                ..Tables::default()
            },
            tokens: Arc::new(self.tokens),
            by_secret: Arc::new(self.by_secret),
            // The digest covers the whole program, so it is computed once compiling has succeeded.
            digest: String::new(),
            base: None,
            layout: None,
            parts: None,
        };
        Lowered {
            program,
            source_map: self.source_map,
            diagnostics: self.diagnostics,
        }
    }

    fn rule(&mut self, limit: &Rc<Limit>) -> RuleId {
        if let Some((_, id)) = self.shared.get(&Rc::as_ptr(limit)) {
            return *id;
        }
        // Patterns become matchers, each once.
        let params = limit
            .params
            .iter()
            .map(|param| ParamTest {
                name: param.name.as_str().into(),
                operator: param.operator,
                value: self.value(&param.pattern, limit.span),
            })
            .collect();
        let nodes = limit
            .nodes
            .iter()
            .map(|node| NodeTest {
                path: Arc::new(node.path.clone()),
                kinds: node.kinds,
                operator: node.operator,
                value: self.value(&node.pattern, limit.span),
            })
            .collect();
        let constraints = Constraints {
            params,
            params_only: limit.params_only,
            nodes,
            members: limit.members.iter().cloned().map(Arc::new).collect(),
        };
        // The rule itself is small: it refers to its line, URL and constraints.
        let rule = Rule {
            line: self.line(limit.span),
            effect: limit.effect,
            methods: limit.methods,
            url: self.url(limit),
            constraints: constraints.shared(),
        };
        let id = RuleId(arena_index(self.rules.len()));
        self.rules.push(rule);
        // More than this token holds the line: the resolver does, for the next token that includes its set.
        if Rc::strong_count(limit) > 1 {
            self.shared.insert(Rc::as_ptr(limit), (Rc::clone(limit), id));
        }
        id
    }

    fn line(&mut self, span: Span) -> LineId {
        if let Some(id) = self.lines_known.get(&span) {
            return *id;
        }
        let text = self.sources.text(span);
        let digest: [u8; 32] = Sha256::digest(text).into();
        let file = self.sources.get(span.source).map(|source| source.path.as_str());
        let id = self.lines.push(Line {
            file: file.unwrap_or_default(),
            number: arena_index(self.sources.line_number(span)),
            text,
            digest: LineDigest(digest.first_chunk().copied().unwrap_or_default()),
        });
        self.source_map.lines.push(span);
        self.lines_known.insert(span, id);
        id
    }

    fn value(&mut self, pattern: &Pattern, line: Span) -> MatcherId {
        // A regexp can have the text of a bound.
        let key = (pattern.side, pattern.text.clone());
        MatcherId(self.values.get(key, || {
            // As of whole URLs, the size is known only roughly before binding.
            let matcher = matcher(&pattern.hir, line, &mut self.diagnostics);
            if has_mark(&pattern.hir) {
                ValueMatcher::Unbound(Box::new(pattern.hir.clone()))
            } else {
                ValueMatcher::Fixed(matcher)
            }
        }))
    }

    fn url(&mut self, limit: &Limit) -> UrlId {
        let (hir, line, diagnostics) = (&limit.url.hir, limit.span, &mut self.diagnostics);
        UrlId(
            self.urls
                .get((limit.anchor, limit.url.text.clone()), || match limit.anchor {
                    Anchor::Below => UrlMatcher::Below(matcher(hir, line, diagnostics)),
                    Anchor::Whole => {
                        // The size is known only roughly before binding, but a pattern that is too large now will not get smaller.
                        matcher(hir, line, diagnostics);
                        UrlMatcher::Unbound(Whole::new(hir))
                    }
                }),
        )
    }
}

/// Items that are stored once and found again by a key.
struct Interned<K, T> {
    keys: HashMap<K, u32>,
    items: Vec<T>,
}

impl<K: std::hash::Hash + Eq, T> Interned<K, T> {
    fn new() -> Self {
        Self {
            keys: HashMap::new(),
            items: Vec::new(),
        }
    }

    fn get(&mut self, key: K, make: impl FnOnce() -> T) -> u32 {
        match self.keys.entry(key) {
            Entry::Occupied(known) => *known.get(),
            Entry::Vacant(place) => {
                let id = *place.insert(arena_index(self.items.len()));
                self.items.push(make());
                id
            }
        }
    }
}

fn matcher(hir: &Hir, line: Span, diagnostics: &mut Vec<Diagnostic>) -> Matcher {
    Matcher::new(hir).unwrap_or_else(|error| {
        let headline = match error {
            AutomatonError::TooLarge { .. } => {
                format!("a regexp of this line needs more than {PATTERN_LIMIT} bytes")
            }
            AutomatonError::Unsupported(_) => error.to_string(),
        };
        diagnostics.push(
            Diagnostic::new(Code::TooLarge, line, headline)
                .help("reduce the counts of repetitions, or replace `.{1,1000}` by `.+`"),
        );
        Matcher::Nothing
    })
}
