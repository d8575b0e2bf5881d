//! The constraints of a rule beyond its method and URL, read from the rule or from its entry in the layout.

use super::{LineId, Matcher, MatcherId, NodeTest, ParamTest, Questions, Rule, RuleId, Tables, code};
use crate::{
    ast::{Effect, Operator},
    json::Kinds,
};

/// The constraints of one rule.
#[derive(Clone, Copy)]
pub(crate) struct Asks<'p> {
    pub(crate) tables: &'p Tables,
    pub(crate) effect: Effect,
    pub(crate) line: LineId,
    pub(crate) rule: RuleId,
    /// Whether the rule has constraints on the query.
    pub(crate) query: bool,
    /// No parameters but those that it names.
    pub(crate) params_only: bool,
    /// Whether the rule has constraints on the body.
    pub(crate) json: bool,
    /// The tests as bytes of the entry; `None`: the rule has them.
    pub(super) tests: Option<&'p [u8]>,
}

/// A constraint on a parameter.
#[derive(Clone, Copy)]
pub(crate) struct AskedParam<'p> {
    pub(crate) name: &'p [u8],
    pub(crate) operator: Operator,
    pub(crate) value: TextTest<'p>,
}

/// A constraint on a node. On which, the questions say.
#[derive(Clone, Copy)]
pub(crate) struct AskedNode<'p> {
    pub(crate) kinds: Option<Kinds>,
    pub(crate) operator: Operator,
    pub(crate) value: TextTest<'p>,
}

/// A whole-match test of a text.
#[derive(Clone, Copy)]
pub(crate) enum TextTest<'p> {
    Code(&'p [u8]),
    Matcher(&'p Matcher),
}

impl TextTest<'_> {
    pub(crate) fn matches(self, text: &str) -> bool {
        match self {
            Self::Code(code) => code::matches(code, text.as_bytes()),
            Self::Matcher(matcher) => matcher.matches(text),
        }
    }
}

impl<'p> Asks<'p> {
    /// The constraints of a rule, read from the rule itself.
    pub(crate) fn of_rule(tables: &'p Tables, id: RuleId, rule: &Rule) -> Option<Self> {
        (rule.asks_query() || rule.asks_json()).then_some(Self {
            tables,
            effect: rule.effect,
            line: rule.line,
            rule: id,
            query: rule.asks_query(),
            params_only: rule.params_only,
            json: rule.asks_json(),
            tests: None,
        })
    }

    /// The rule, which may be far from the entry.
    pub(crate) fn plain(&self) -> Option<&'p Rule> {
        self.tables.rule(self.rule)
    }

    pub(crate) fn params(&self) -> Params<'p> {
        match self.tests {
            Some(tests) => {
                let (left, bytes) = split_params(tests);
                Params::Laid(self.tables, left, bytes)
            }
            None => Params::Plain(
                self.tables,
                self.plain().map_or(&[][..], |rule| &rule.params).iter(),
            ),
        }
    }

    pub(crate) fn nodes(&self) -> Nodes<'p> {
        match self.laid_nodes() {
            Some((_, bytes)) => Nodes::Laid(self.tables, bytes),
            None => Nodes::Plain(
                self.tables,
                self.plain().map_or(&[][..], |rule| &rule.nodes).iter(),
            ),
        }
    }

    /// What its constraints on the body ask, if that was worked out when the program was laid out.
    pub(crate) fn questions(&self) -> Option<&'p Questions> {
        let (id, _) = self.laid_nodes()?;
        self.tables.questions.get(id as usize)
    }

    fn laid_nodes(&self) -> Option<(u32, &'p [u8])> {
        self.tests.filter(|_| self.json)?;
        let Params::Laid(_, _, behind) = self.params().at_end() else {
            return None;
        };
        split_questions(behind)
    }
}

/// Constraints on parameters, in order.
#[derive(Clone)]
pub(crate) enum Params<'p> {
    Plain(&'p Tables, std::slice::Iter<'p, ParamTest>),
    /// The number of tests, and the bytes from the first of them on.
    Laid(&'p Tables, u8, &'p [u8]),
}

impl Params<'_> {
    fn at_end(mut self) -> Self {
        while self.next().is_some() {}
        self
    }
}

impl<'p> Iterator for Params<'p> {
    type Item = AskedParam<'p>;

    fn next(&mut self) -> Option<AskedParam<'p>> {
        match self {
            Self::Plain(tables, tests) => tests.next().map(|test| AskedParam {
                name: test.name.as_bytes(),
                operator: test.operator,
                value: TextTest::Matcher(tables.value(test.value)),
            }),
            Self::Laid(tables, left, bytes) => {
                *left = left.checked_sub(1)?;
                let (test, rest) = split_param(bytes, tables)?;
                *bytes = rest;
                Some(test)
            }
        }
    }
}

/// Constraints on nodes, in order.
pub(crate) enum Nodes<'p> {
    Plain(&'p Tables, std::slice::Iter<'p, NodeTest>),
    Laid(&'p Tables, &'p [u8]),
}

impl<'p> Iterator for Nodes<'p> {
    type Item = AskedNode<'p>;

    fn next(&mut self) -> Option<AskedNode<'p>> {
        match self {
            Self::Plain(tables, tests) => tests.next().map(|test| AskedNode {
                kinds: test.kinds,
                operator: test.operator,
                value: TextTest::Matcher(tables.value(test.value)),
            }),
            Self::Laid(tables, bytes) => {
                let (test, rest) = split_node(bytes, tables)?;
                *bytes = rest;
                Some(test)
            }
        }
    }
}

/// How many tests of parameters there are, and the bytes from the first of them on.
fn split_params(tests: &[u8]) -> (u8, &[u8]) {
    tests
        .split_first()
        .map_or((0, &[]), |(count, rest)| (*count, rest))
}

/// Splits the first test of a parameter from the bytes.
fn split_param<'p>(tests: &'p [u8], tables: &'p Tables) -> Option<(AskedParam<'p>, &'p [u8])> {
    let (operator, rest) = tests.split_first()?;
    let (name, rest) = split_text(rest)?;
    let (value, rest) = split_value(rest, tables)?;
    let operator = operator_of_byte(*operator);
    Some((
        AskedParam {
            name,
            operator,
            value,
        },
        rest,
    ))
}

/// The number of the questions that the tests of nodes refer to, and the bytes from the first test on.
fn split_questions(tests: &[u8]) -> Option<(u32, &[u8])> {
    let (questions, rest) = tests.split_first_chunk()?;
    Some((u32::from_le_bytes(*questions), rest))
}

/// Splits the first test of a node from the bytes.
fn split_node<'p>(tests: &'p [u8], tables: &'p Tables) -> Option<(AskedNode<'p>, &'p [u8])> {
    let ([kinds, operator], rest) = tests.split_first_chunk()?;
    let (value, rest) = split_value(rest, tables)?;
    let (kinds, operator) = (Kinds::from_bits(*kinds), operator_of_byte(*operator));
    Some((
        AskedNode {
            kinds,
            operator,
            value,
        },
        rest,
    ))
}

fn split_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk()?;
    rest.split_at_checked(usize::from(u16::from_le_bytes(*length)))
}

fn split_value<'p>(bytes: &'p [u8], tables: &'p Tables) -> Option<(TextTest<'p>, &'p [u8])> {
    match bytes.split_first()? {
        (0, rest) => split_text(rest).map(|(code, rest)| (TextTest::Code(code), rest)),
        (_, rest) => {
            let (id, rest) = rest.split_first_chunk()?;
            let id = MatcherId(u32::from_le_bytes(*id));
            Some((TextTest::Matcher(tables.value(id)), rest))
        }
    }
}

fn operator_of_byte(byte: u8) -> Operator {
    // A layout contains only numbers of operators.
    Operator::numbered(byte).unwrap_or(Operator::None)
}
