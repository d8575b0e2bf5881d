//! A program to bytes.

use std::collections::HashMap;

use sha2::Digest as _;

use super::{
    bytes::Writer,
    format::{HEADER, LANGUAGE, Section},
    header::{Header, hasher},
    regexp,
    signature::{Signature, message},
};
use crate::{
    ast::Effect,
    call_limits::CallLimits,
    ir::{
        Automaton, Constraints, Lines, Matcher, NodeTest, ParamTest, Place, Program, Rule, Rules, Tables,
        Token, UrlMatcher, ValueMatcher, Whole, arena_index,
    },
    json::{Kinds, Path, Step},
    policy::{Attributes, Users},
    tokens::{KeyId, Seal},
};

/// The artifact of a program, not signed. A bound program is stored unbound.
#[must_use]
pub fn encode(program: &Program) -> Vec<u8> {
    artifact(program, |header| header)
}

/// The artifact of a program, signed with the key of this id: `sign` makes its Ed25519 signature of a message.
#[must_use]
pub fn encode_signed(program: &Program, key: KeyId, sign: impl FnOnce(&[u8]) -> [u8; 64]) -> Vec<u8> {
    artifact(program, |mut header| {
        // The message names the key, so that the key's id is signed too.
        let mut signature = Signature {
            key,
            ..Signature::NONE
        };
        header.signature = Some(signature);
        signature.signature = sign(&message(&header.signed_part()));
        header.signature = Some(signature);
        header
    })
}

fn artifact(program: &Program, finish: impl FnOnce(Header) -> Header) -> Vec<u8> {
    let mut out = vec![0; HEADER];
    let mut hash = hasher();
    sections(program, |bytes| {
        hash.update(bytes);
        out.extend_from_slice(bytes);
    });
    let header = finish(Header {
        language: LANGUAGE,
        digest: hash.finalize().into(),
        signature: None,
    });
    // INVARIANT: a header has that many bytes.
    for (to, from) in out.iter_mut().zip(header.write()) {
        *to = from;
    }
    out
}

/// Hands over the bytes of all sections, part by part.
fn sections(program: &Program, mut take: impl FnMut(&[u8])) {
    // Here and below every field is named, without `..`: what decides cannot be left out of the digest by oversight.
    let Program {
        tables:
            Tables {
                lines,
                rules,
                values,
                urls,
                // Made from the rules when the program is bound.
                questions: _,
                // A setting of the proxy.
                merges_body: _,
            },
        tokens,
        // Made again from the tokens.
        by_secret: _,
        // Made of the sections.
        digest: _,
        // The configuration's, and what follows from it.
        base: _,
        layout: _,
        // Only a proxy puts programs together, and it writes no artifacts.
        parts: _,
    } = program;
    let known = Known::of(rules);
    let mut section = |tag: Section, content: &dyn Fn(&mut Writer)| {
        let mut inner = Writer::default();
        content(&mut inner);
        take(&(tag as u32).to_le_bytes());
        take(&(inner.0.len() as u64).to_le_bytes());
        take(&inner.0);
    };
    section(Section::Lines, &|out| self::lines(out, lines));
    section(Section::Values, &|out| {
        out.list(values, |out, it| value(out, it, tables));
    });
    section(Section::Urls, &|out| {
        out.list(urls, |out, it| url(out, it, tables))
    });
    section(Section::Names, &|out| {
        out.list(&known.names.items, |out, name| out.text(name));
    });
    section(Section::Paths, &|out| {
        out.list(&known.paths.items, |out, it| path(out, it));
    });
    section(Section::Constraints, &|out| {
        out.list(&known.constraints.items, |out, it| constraints(out, it, &known));
    });
    section(Section::Rules, &|out| {
        out.list(rules, |out, it| rule(out, it, &known));
    });
    section(Section::Tokens, &|out| out.list(tokens, token));
}

/// What rules share, each once, in the order in which rules name it first.
#[derive(Default)]
struct Known<'p> {
    names: Once<&'p str>,
    paths: Once<&'p Path>,
    constraints: Once<&'p Constraints>,
}

impl<'p> Known<'p> {
    fn of(rules: &'p [Rule]) -> Self {
        let mut known = Self::default();
        for it in rules.iter().filter_map(|rule| rule.constraints.as_deref()) {
            if known.constraints.add(it) {
                it.params.iter().for_each(|test| {
                    known.names.add(&test.name);
                });
                it.paths().for_each(|path| {
                    known.paths.add(path);
                });
            }
        }
        known
    }
}

struct Once<T> {
    ids: HashMap<T, u32>,
    items: Vec<T>,
}

impl<T> Default for Once<T> {
    fn default() -> Self {
        Self {
            ids: HashMap::new(),
            items: Vec::new(),
        }
    }
}

impl<T: Copy + std::hash::Hash + Eq> Once<T> {
    /// Adds an item; returns whether it is new.
    fn add(&mut self, item: T) -> bool {
        let id = arena_index(self.items.len());
        let is_new = *self.ids.entry(item).or_insert(id) == id;
        if is_new {
            self.items.push(item);
        }
        is_new
    }

    fn id(&self, item: T) -> u32 {
        self.ids.get(&item).copied().unwrap_or(NONE)
    }
}

/// No constraints.
pub(super) const NONE: u32 = u32::MAX;

fn lines(out: &mut Writer, lines: &Lines) {
    out.list(lines.files(), |out, file| out.text(file));
    out.list(lines.places(), |out, place| {
        let Place {
            end,
            file,
            number,
            digest,
        } = place;
        out.u64(*end as u64);
        out.u32(*file);
        out.u32(*number);
        out.0.extend(digest.0);
    });
    out.0.extend(lines.texts().as_bytes());
}

pub(super) const NOTHING: u8 = 0;
pub(super) const EVERYTHING: u8 = 1;
pub(super) const GLOB: u8 = 2;
pub(super) const AUTOMATON: u8 = 3;

/// How artifacts have an automaton: its tables.
fn tables(out: &mut Writer, automaton: &Automaton) {
    out.bytes(&automaton.to_bytes());
}

/// A matcher. `automaton` writes its automaton, if it is one; so it does for the two functions below.
fn matcher(out: &mut Writer, matcher: &Matcher, automaton: impl FnOnce(&mut Writer, &Automaton)) {
    match matcher {
        Matcher::Nothing => out.u8(NOTHING),
        Matcher::Everything => out.u8(EVERYTHING),
        Matcher::Glob(code) => {
            out.u8(GLOB);
            out.bytes(code.as_bytes());
        }
        Matcher::Automaton(it) => {
            out.u8(AUTOMATON);
            automaton(out, it);
        }
    }
}

/// A value that names the base URL: the tree of its regexp.
pub(super) const OF_BASE: u8 = 4;

pub(super) fn value(out: &mut Writer, value: &ValueMatcher, automaton: impl FnOnce(&mut Writer, &Automaton)) {
    match value {
        ValueMatcher::Fixed(fixed) => matcher(out, fixed, automaton),
        ValueMatcher::Unbound(hir) | ValueMatcher::Bound(hir, _) => {
            out.u8(OF_BASE);
            regexp::encode(out, hir);
        }
    }
}

pub(super) const BELOW: u8 = 0;
pub(super) const WHOLE_TREE: u8 = 1;
pub(super) const WHOLE_GLOB: u8 = 2;

pub(super) fn url(out: &mut Writer, url: &UrlMatcher, automaton: impl FnOnce(&mut Writer, &Automaton)) {
    match url {
        UrlMatcher::Below(below) => {
            out.u8(BELOW);
            matcher(out, below, automaton);
        }
        UrlMatcher::Unbound(Whole::Tree(hir)) | UrlMatcher::Bound(Whole::Tree(hir), _) => {
            out.u8(WHOLE_TREE);
            regexp::encode(out, hir);
        }
        UrlMatcher::Unbound(Whole::Glob(code)) | UrlMatcher::Bound(Whole::Glob(code), _) => {
            out.u8(WHOLE_GLOB);
            out.bytes(code.as_bytes());
        }
    }
}

fn constraints(out: &mut Writer, it: &Constraints, known: &Known<'_>) {
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
            value,
        } = test;
        out.u32(known.names.id(name));
        out.u8(operator.number());
        out.u32(value.0);
    });
    out.bool(*params_only);
    out.list(nodes, |out, test| {
        let NodeTest {
            path,
            kinds,
            operator,
            value,
        } = test;
        out.u32(known.paths.id(path));
        out.u8(kinds.map_or(0, Kinds::bits));
        out.u8(operator.number());
        out.u32(value.0);
    });
    out.list(members, |out, path| out.u32(known.paths.id(path)));
}

fn rule(out: &mut Writer, rule: &Rule, known: &Known<'_>) {
    let Rule {
        line,
        effect,
        methods,
        url,
        constraints,
    } = rule;
    out.u32(line.0);
    out.bool(*effect == Effect::Forbid);
    out.u8(methods.bits());
    out.u32(url.0);
    out.u32(constraints.as_deref().map_or(NONE, |it| known.constraints.id(it)));
}

pub(super) fn path(out: &mut Writer, path: &Path) {
    out.list(&path.0, |out, step| match step {
        Step::Each => out.u8(0),
        Step::Name(name) => {
            out.u8(1);
            out.text(name);
        }
    });
}

fn token(out: &mut Writer, token: &Token) {
    let Token {
        attributes,
        forbids,
        permits,
    } = token;
    self::attributes(out, attributes);
    rules(out, forbids);
    rules(out, permits);
}

pub(super) fn attributes(out: &mut Writer, attributes: &Attributes) {
    let Attributes {
        name,
        users,
        secret_hash,
        previous,
        expires,
        allowed_ips,
        on_behalf_of,
        revoked,
        owner,
        description,
        mint,
        escalate,
        limits,
        unrestricted,
        lint_allow,
        secret_sealed,
        seal,
    } = attributes;
    out.text(name);
    out.option(
        match users {
            Users::Named(users) => Some(users),
            Users::Any => None,
        },
        |out, users| out.list(users, |out, user| out.text(user)),
    );
    out.0.extend(secret_hash);
    out.option(*previous, |out, (hash, until)| {
        out.0.extend(hash);
        out.i64(until);
    });
    out.option(*expires, Writer::i64);
    out.list(allowed_ips, |out, network| out.text(&network.to_string()));
    out.list(on_behalf_of, |out, user| out.text(user));
    out.bool(*revoked);
    out.option(owner.as_deref(), Writer::text);
    out.option(description.as_deref(), Writer::text);
    out.bool(*mint);
    out.bool(*escalate);
    call_limits(out, *limits);
    out.bool(*unrestricted);
    out.list(lint_allow, |out, code| out.text(code.as_str()));
    out.bool(*secret_sealed);
    out.option(*seal, |out, seal| {
        let Seal {
            version,
            key,
            signature,
        } = seal;
        out.u8(version.number());
        out.0.extend(key);
        out.0.extend(signature);
    });
}

fn call_limits(out: &mut Writer, limits: CallLimits) {
    let CallLimits {
        rate,
        burst,
        concurrent,
        max_body,
    } = limits;
    out.option(rate, |out, rate| {
        out.u32(rate.calls().get());
        // The milliseconds of a rate fit, since its time is bounded.
        out.u64(u64::try_from(rate.per().as_millis()).unwrap_or(u64::MAX));
    });
    out.option(burst, |out, burst| out.u32(burst.get()));
    out.option(concurrent, |out, concurrent| out.u32(concurrent.get()));
    out.option(max_body, Writer::u64);
}

fn rules(out: &mut Writer, rules: &Rules) {
    let Rules { included, own } = rules;
    out.list(included, |out, id| out.u32(id.0));
    out.list(own, |out, id| out.u32(id.0));
}
