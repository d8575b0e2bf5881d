//! A program to bytes.

use std::collections::HashMap;

use sha2::{Digest, Sha256};

use super::{FORMAT, MAGIC, Section, bytes::Writer, regexp};
use crate::{
    ast::{Effect, Operator},
    ir::{Constraints, Lines, Matcher, Program, Rule, Rules, Token, UrlMatcher, Whole, index},
    json::{Kind, Path, Step},
    policy::Users,
};

/// The artifact of a program. A bound program is stored unbound.
#[must_use]
pub fn encode(program: &Program) -> Vec<u8> {
    let mut out = Writer::default();
    out.0.extend(MAGIC);
    out.0.extend(FORMAT.to_le_bytes());
    out.0.extend([0, 0]);
    let known = Known::of(&program.rules);
    section(&mut out, Section::Digest, |out| out.text(&program.digest));
    section(&mut out, Section::Lines, |out| lines(out, &program.lines));
    section(&mut out, Section::Values, |out| {
        out.list(&program.values, matcher)
    });
    section(&mut out, Section::Urls, |out| out.list(&program.urls, url));
    section(&mut out, Section::Names, |out| {
        out.list(&known.names.items, |out, name| out.text(name));
    });
    section(&mut out, Section::Paths, |out| {
        out.list(&known.paths.items, |out, it| path(out, it));
    });
    section(&mut out, Section::Constraints, |out| {
        out.list(&known.constraints.items, |out, it| constraints(out, it, &known));
    });
    section(&mut out, Section::Rules, |out| {
        out.list(&program.rules, |out, it| rule(out, it, &known));
    });
    section(&mut out, Section::Tokens, |out| out.list(&program.tokens, token));
    let check = Sha256::digest(&out.0);
    out.0.extend(check);
    out.0
}

fn section(out: &mut Writer, tag: Section, content: impl FnOnce(&mut Writer)) {
    let mut inner = Writer::default();
    content(&mut inner);
    out.u32(tag as u32);
    out.0.extend((inner.0.len() as u64).to_le_bytes());
    out.0.extend(inner.0);
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
    /// Whether it is new.
    fn add(&mut self, item: T) -> bool {
        let id = index(self.items.len());
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
        out.u64(place.end as u64);
        out.u32(place.file);
        out.u32(place.number);
        out.0.extend(place.digest.0);
    });
    out.0.extend(lines.texts().as_bytes());
}

pub(super) const NOTHING: u8 = 0;
pub(super) const EVERYTHING: u8 = 1;
pub(super) const GLOB: u8 = 2;
pub(super) const AUTOMATON: u8 = 3;

fn matcher(out: &mut Writer, matcher: &Matcher) {
    match matcher {
        Matcher::Nothing => out.u8(NOTHING),
        Matcher::Everything => out.u8(EVERYTHING),
        Matcher::Glob(code) => {
            out.u8(GLOB);
            out.bytes(code.as_bytes());
        }
        Matcher::Automaton(automaton) => {
            out.u8(AUTOMATON);
            out.bytes(&automaton.to_bytes());
        }
    }
}

pub(super) const BELOW: u8 = 0;
pub(super) const WHOLE_TREE: u8 = 1;
pub(super) const WHOLE_GLOB: u8 = 2;

fn url(out: &mut Writer, url: &UrlMatcher) {
    match url {
        UrlMatcher::Below(below) => {
            out.u8(BELOW);
            matcher(out, below);
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
    out.list(&it.params, |out, test| {
        out.u32(known.names.id(&test.name));
        operator(out, test.operator);
        out.u32(test.value.0);
    });
    out.bool(it.params_only);
    out.list(&it.nodes, |out, test| {
        out.u32(known.paths.id(&test.path));
        out.option(test.kind, kind);
        operator(out, test.operator);
        out.u32(test.value.0);
    });
    out.list(&it.members, |out, path| out.u32(known.paths.id(path)));
}

fn rule(out: &mut Writer, rule: &Rule, known: &Known<'_>) {
    out.u32(rule.line.0);
    out.bool(rule.effect == Effect::Forbid);
    out.u8(rule.methods.bits());
    out.u32(rule.url.0);
    out.u32(
        rule.constraints
            .as_deref()
            .map_or(NONE, |it| known.constraints.id(it)),
    );
}

fn operator(out: &mut Writer, operator: Operator) {
    out.u8(match operator {
        Operator::All => 0,
        Operator::AllOrAbsent => 1,
        Operator::None => 2,
    });
}

fn kind(out: &mut Writer, kind: Kind) {
    out.u8(match kind {
        Kind::String => 0,
        Kind::Number => 1,
        Kind::Boolean => 2,
        Kind::Null => 3,
    });
}

fn path(out: &mut Writer, path: &Path) {
    out.list(&path.0, |out, step| match step {
        Step::Each => out.u8(0),
        Step::Name(name) => {
            out.u8(1);
            out.text(name);
        }
    });
}

fn token(out: &mut Writer, token: &Token) {
    let it = &token.attributes;
    out.text(&it.name);
    out.option(
        match &it.users {
            Users::Named(users) => Some(users),
            Users::Any => None,
        },
        |out, users| out.list(users, |out, user| out.text(user)),
    );
    out.0.extend(it.secret_hash);
    out.option(it.previous, |out, (hash, until)| {
        out.0.extend(hash);
        out.i64(until);
    });
    out.option(it.expires, Writer::i64);
    out.list(&it.allowed_ips, |out, network| out.text(&network.to_string()));
    out.list(&it.on_behalf_of, |out, user| out.text(user));
    out.bool(it.revoked);
    out.option(it.owner.as_deref(), Writer::text);
    out.option(it.description.as_deref(), Writer::text);
    out.bool(it.mint);
    out.bool(it.unrestricted);
    out.list(&it.lint_allow, |out, code| out.text(code.as_str()));
    out.bool(it.secret_sealed);
    out.option(it.seal, |out, seal| {
        out.u8(seal.version.number());
        out.0.extend(seal.key);
        out.0.extend(seal.signature);
    });
    rules(out, &token.forbids);
    rules(out, &token.permits);
}

fn rules(out: &mut Writer, rules: &Rules) {
    out.list(&rules.included, |out, id| out.u32(id.0));
    out.list(&rules.own, |out, id| out.u32(id.0));
}
