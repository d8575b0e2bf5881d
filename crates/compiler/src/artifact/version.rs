//! The version of a policy: SHA-256 of everything in its program that decides, token by token, in their order.
//!
//! It does not depend on how the program is stored, so that it is the same for a program that was compiled as a whole, for one
//! that was put together from parts, and for one that was read from an artifact. Most of a token's share does not depend on
//! its place either: its lines are numbered from its first one, and that number is added last. So a reload computes only the
//! shares of what changed.

use std::{collections::HashMap, thread};

use sha2::{Digest as _, Sha256};

use super::{
    bytes::Writer,
    encode::{self, attributes, path},
    header::hasher,
};
use crate::{
    ast::Effect,
    ir::{
        Automaton, Constraints, LineId, Lines, Matcher, MatcherId, NodeTest, ParamTest, Program, Rule,
        RuleId, Rules, Token, ValueMatcher,
    },
    json::Kinds,
};

/// Tokens for which a further thread is worthwhile.
const WORTHWHILE: usize = 512;
/// Maximum number of threads.
const THREADS: usize = 8;

/// The share of one token in a version.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Share {
    /// SHA-256 of the token and its lines, without the place of the first of its own lines.
    content: [u8; 32],
    /// The first of its own lines.
    first: Option<LineId>,
}

/// The shares of a program's tokens, in their order.
pub(crate) fn shares(program: &Program) -> Vec<Share> {
    let known = Known::of(program);
    let tokens = program.tokens.as_slice();
    let threads = thread::available_parallelism()
        .map_or(1, usize::from)
        .min(THREADS);
    let each = tokens.len().div_ceil(threads).max(WORTHWHILE);
    if tokens.len() <= each {
        return shares_of(&known, tokens);
    }
    // The result does not depend on the number of threads: each share is of one token, and they are put together in order.
    thread::scope(|scope| {
        let parts = tokens.chunks(each);
        let working: Vec<_> = parts
            .map(|part| (part, scope.spawn(|| shares_of(&known, part))))
            .collect();
        let shares = working
            .into_iter()
            .flat_map(|(part, working)| working.join().unwrap_or_else(|_| shares_of(&known, part)));
        shares.collect()
    })
}

fn shares_of(known: &Known<'_>, tokens: &[Token]) -> Vec<Share> {
    let mut out = Writer::default();
    tokens
        .iter()
        .map(|token| {
            out.0.clear();
            share(known, token, &mut out)
        })
        .collect()
}

/// The version of a program with these shares, in hexadecimal. `place` gives the file and the number of a line.
pub(crate) fn version<'s>(shares: impl Iterator<Item = (&'s Share, Option<(&'s str, u32)>)>) -> String {
    let mut out = Writer::default();
    let mut last = None;
    for (share, place) in shares {
        out.0.extend(share.content);
        out.option(place, |out, (file, number)| {
            // Most tokens are in the file of the one before.
            out.option((last != Some(file)).then_some(file), Writer::text);
            out.u32(number);
            last = Some(file);
        });
    }
    hex::encode(hasher().chain_update(out.0).finalize())
}

/// The version of a program, in hexadecimal.
pub(crate) fn digest(program: &Program) -> String {
    let shares = shares(program);
    version(shares.iter().map(|share| (share, share.place(program))))
}

impl Share {
    /// The file and the number of the first of the token's own lines.
    pub(crate) fn place<'p>(&self, program: &'p Program) -> Option<(&'p str, u32)> {
        let line = program.lines.get(self.first?);
        Some((line.file, line.number))
    }
}

/// What tokens share, each hashed once.
struct Known<'p> {
    program: &'p Program,
    /// The lists of rules of included sets. Most tokens that include anything include what others do.
    lists: HashMap<&'p [RuleId], [u8; 32]>,
    /// The automata of values: tokens share most of them.
    values: Vec<Option<[u8; 32]>>,
}

impl<'p> Known<'p> {
    fn of(program: &'p Program) -> Self {
        let values = program.values.iter().map(|value| match value {
            ValueMatcher::Fixed(Matcher::Automaton(automaton)) => Some(hash(automaton)),
            _ => None,
        });
        let mut known = Self {
            program,
            lists: HashMap::new(),
            values: values.collect(),
        };
        let mut rules = HashMap::new();
        let lists = program.tokens.iter().flat_map(|token| {
            let sets = [&token.forbids.included, &token.permits.included];
            sets.into_iter().filter(|list| !list.is_empty())
        });
        for list in lists {
            if !known.lists.contains_key(list.as_slice()) {
                let hash = known.list(list, &mut rules);
                known.lists.insert(list, hash);
            }
        }
        known
    }

    /// The hash of a list; `rules` are those of the rules of other lists.
    fn list(&self, list: &[RuleId], rules: &mut HashMap<RuleId, [u8; 32]>) -> [u8; 32] {
        let mut hash = Sha256::new();
        for id in list {
            let of_rule = rules.entry(*id).or_insert_with(|| {
                let mut out = Writer::default();
                if let Some(it) = self.program.rule(*id) {
                    rule(self, it, &mut out);
                    place(&self.program.lines, it.line, None, &mut out);
                }
                Sha256::digest(&out.0).into()
            });
            hash.update(of_rule);
        }
        hash.finalize().into()
    }
}

fn hash(automaton: &Automaton) -> [u8; 32] {
    Sha256::digest(automaton.to_bytes()).into()
}

// Here and below every field is named, without `..`: what decides cannot be left out of the version by oversight.

fn share(known: &Known<'_>, token: &Token, out: &mut Writer) -> Share {
    let Token {
        attributes: it,
        forbids,
        permits,
    } = token;
    attributes(out, it);
    let own = forbids.own.iter().chain(&permits.own);
    let lines = own.filter_map(|id| known.program.rule(*id)).map(|rule| rule.line);
    let first = lines.min_by_key(|line| known.program.lines.get(*line).number);
    rules(known, forbids, first, out);
    rules(known, permits, first, out);
    Share {
        content: Sha256::digest(&out.0).into(),
        first,
    }
}

fn rules(known: &Known<'_>, rules: &Rules, first: Option<LineId>, out: &mut Writer) {
    let Rules { included, own } = rules;
    out.option(known.lists.get(included.as_slice()), |out, hash| {
        out.0.extend(hash)
    });
    out.list(own, |out, id| {
        if let Some(it) = known.program.rule(*id) {
            rule(known, it, out);
            place(&known.program.lines, it.line, first, out);
        }
    });
}

/// The place of a line: from the token's first line in the file of that line, and otherwise as it is.
fn place(lines: &Lines, line: LineId, first: Option<LineId>, out: &mut Writer) {
    let line = lines.get(line);
    let first = first.map(|first| lines.get(first));
    let elsewhere = first.is_none_or(|first| first.file != line.file);
    out.option(elsewhere.then_some(line.file), Writer::text);
    let from = first.filter(|_| !elsewhere).map_or(0, |first| first.number);
    out.u32(line.number.wrapping_sub(from));
}

fn rule(known: &Known<'_>, rule: &Rule, out: &mut Writer) {
    let Rule {
        line,
        effect,
        methods,
        url: id,
        constraints: it,
    } = rule;
    let line = known.program.lines.get(*line);
    out.text(line.text);
    out.0.extend(line.digest.0);
    out.bool(*effect == Effect::Forbid);
    out.u8(methods.bits());
    encode::url(out, known.program.url(*id), |out, automaton| {
        out.0.extend(hash(automaton));
    });
    out.option(it.as_deref(), |out, it| constraints(known, it, out));
}

fn constraints(known: &Known<'_>, it: &Constraints, out: &mut Writer) {
    let Constraints {
        params,
        params_only,
        nodes,
        members,
    } = it;
    out.list(params, |out, test| {
        let ParamTest {
            name,
            operator,
            value: id,
        } = test;
        out.text(name);
        out.u8(operator.number());
        value(known, *id, out);
    });
    out.bool(*params_only);
    out.list(nodes, |out, test| {
        let NodeTest {
            path: it,
            kinds,
            operator,
            value: id,
        } = test;
        path(out, it);
        out.u8(kinds.map_or(0, Kinds::bits));
        out.u8(operator.number());
        value(known, *id, out);
    });
    out.list(members, |out, it| path(out, it));
}

fn value(known: &Known<'_>, id: MatcherId, out: &mut Writer) {
    let at = id.0 as usize;
    match known.program.values.get(at) {
        Some(value) => encode::value(out, value, |out, automaton| {
            let shared = known.values.get(at).copied().flatten();
            out.0.extend(shared.unwrap_or_else(|| hash(automaton)));
        }),
        // As it decides.
        None => out.u8(encode::NOTHING),
    }
}
