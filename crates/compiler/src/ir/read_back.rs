//! Converts a layout back to a plain program: the optimiser's result in a form that can be proved equal to its input.

use std::sync::Arc;

use super::{
    Code, Constraints, Matcher, MatcherId, NodeTest, ParamTest, Program, Questions, Rule, RuleId, Rules,
    Tables, TokenId, UrlId, UrlMatcher, ValueMatcher, arena_index,
    asks::TextTest,
    entry::{Entry, PathTest},
    index::entries,
    questions::Slots,
};
use crate::{ast::Effect, json::Wanted};

/// The contents of a layout.
pub(crate) struct ReadBack {
    /// The plain program whose lines are those of the layout.
    pub(crate) program: Program,
    /// Pairs of matchers: the second must match everything that the first matches.
    pub(crate) guards: Vec<(Matcher, Matcher)>,
}

impl Program {
    /// What this program's layout says; `None` if it has no layout, or one that cannot be read.
    pub(crate) fn read_back(&self) -> Option<ReadBack> {
        let layout = self.layout.as_deref()?;
        let mut reader = Reader {
            program: self,
            rules: Vec::new(),
            urls: Vec::new(),
            values: Vec::new(),
            guards: Vec::new(),
        };
        let mut tokens = Vec::new();
        // The rules of each token come from its segments, not from the plain program.
        for (at, token) in self.tokens.iter().enumerate() {
            let mut lane = |effect| {
                let [included, own] = layout
                    .segments(at, effect)
                    .map(|(bytes, _)| reader.segment(bytes, effect));
                Some(Rules {
                    included: included?,
                    own: own?,
                })
            };
            if layout.is_unrestricted(TokenId(arena_index(at))) != token.unrestricted {
                return None;
            }
            let mut token = token.clone();
            (token.forbids, token.permits) = (lane(Effect::Forbid)?, lane(Effect::Permit)?);
            tokens.push(token);
        }
        // Everything that the layout does not store stays as it is.
        let program = Self {
            tokens: Arc::new(tokens),
            tables: Tables {
                rules: Arc::new(reader.rules),
                urls: Arc::new(reader.urls),
                values: Arc::new(reader.values),
                ..self.tables.clone()
            },
            layout: None,
            ..self.clone()
        };
        Some(ReadBack {
            program,
            guards: reader.guards,
        })
    }

    /// Whether the layout's indexes name each entry to every request that it matches.
    pub(crate) fn indexes_name_all(&self) -> bool {
        let Some(layout) = self.layout.as_deref() else {
            return true;
        };
        (0..self.tokens.len()).all(|token| {
            [Effect::Forbid, Effect::Permit].into_iter().all(|effect| {
                layout.segments(token, effect).into_iter().all(|(bytes, index)| {
                    index.is_none_or(|index| {
                        entries(bytes).all(|(at, entry)| index.names(self, effect, (at, &entry)))
                    })
                })
            })
        })
    }
}

struct Reader<'a> {
    program: &'a Program,
    rules: Vec<Rule>,
    urls: Vec<UrlMatcher>,
    values: Vec<ValueMatcher>,
    guards: Vec<(Matcher, Matcher)>,
}

impl Reader<'_> {
    fn segment(&mut self, bytes: &[u8], effect: Effect) -> Option<Vec<RuleId>> {
        entries(bytes)
            .map(|(_, entry)| self.rule(&entry, effect))
            .collect()
    }

    fn rule(&mut self, entry: &Entry<'_>, effect: Effect) -> Option<RuleId> {
        if !entry.is_probed_rightly() {
            return None;
        }
        let url = self.url(entry)?;
        let constraints = self.constraints(entry, effect)?;
        let rule = Rule {
            line: entry.line(),
            effect,
            methods: entry.methods(),
            url: UrlId(arena_index(self.urls.len())),
            constraints: constraints.shared(),
        };
        self.urls.push(url);
        let id = RuleId(arena_index(self.rules.len()));
        self.rules.push(rule);
        Some(id)
    }

    fn url(&mut self, entry: &Entry<'_>) -> Option<UrlMatcher> {
        let coded = |code: &[u8]| Code::from_bytes(code).map(Matcher::Glob);
        Some(match entry.path_test() {
            PathTest::Code(code) => UrlMatcher::Below(coded(code)?),
            PathTest::Everything => UrlMatcher::Below(Matcher::Everything),
            PathTest::Matcher(guard) => {
                let url = self.program.url(entry.url()).clone();
                if let (Some(guard), UrlMatcher::Below(matcher) | UrlMatcher::Bound(_, matcher)) =
                    (guard, &url)
                {
                    self.guards.push((matcher.clone(), coded(guard)?));
                }
                url
            }
        })
    }

    fn constraints(&mut self, entry: &Entry<'_>, effect: Effect) -> Option<Constraints> {
        let mut constraints = Constraints::default();
        let program = self.program;
        if let Some(asks) = entry.asks(program, effect) {
            constraints.params_only = asks.params_only;
            for test in asks.params().filter(|_| asks.query) {
                constraints.params.push(ParamTest {
                    name: str::from_utf8(test.name).ok()?.into(),
                    operator: test.operator,
                    value: self.value(test.value)?,
                });
            }
            if asks.json {
                let plain = asks.plain()?;
                // The entry has no paths of nodes, only questions. If these are the questions of the rule, its paths apply.
                if let Some(questions) = asks.questions()
                    && !are_of(questions, plain)
                {
                    return None;
                }
                let tests: Vec<_> = asks.nodes().collect();
                if tests.len() != plain.nodes.len() {
                    return None;
                }
                for (test, known) in tests.iter().zip(&plain.nodes) {
                    constraints.nodes.push(NodeTest {
                        path: known.path.clone(),
                        kinds: test.kinds,
                        operator: test.operator,
                        value: self.value(test.value)?,
                    });
                }
                constraints.members.clone_from(&plain.members);
            }
        }
        Some(constraints)
    }

    fn value(&mut self, test: TextTest<'_>) -> Option<MatcherId> {
        let id = MatcherId(arena_index(self.values.len()));
        self.values.push(ValueMatcher::Fixed(match test {
            TextTest::Code(code) => Code::from_bytes(code).map(Matcher::Glob)?,
            TextTest::Matcher(matcher) => matcher.clone(),
        }));
        Some(id)
    }
}

/// Whether these are the questions that a rule asks.
fn are_of(questions: &Questions, rule: &Rule) -> bool {
    let mut wanted = Wanted::new();
    let slots = Slots::ask(rule, false, &mut wanted);
    let written = |wanted: &Wanted<'_>, slots: &Slots| format!("{wanted:?} {slots:?}");
    written(&questions.wanted, &questions.slots) == written(&wanted, &slots)
}
