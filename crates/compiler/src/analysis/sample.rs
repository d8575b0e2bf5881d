//! Spells a request of a rule from the rule's form: cheap, and successful for most rules. Callers try the request first.

use super::{
    budget::Exhausted,
    cell::METHODS,
    clauses::Ruled,
    language::{Goal, LangId, Languages},
    prefilter,
    prover::Prover,
    witness::{Json, Request, RequestBody},
};
use crate::{
    ir::{Atom, Glob, Matcher},
    json::{Kind, Kinds, Step},
    method::Method,
};

/// A sample may take one of so many shares of the run's steps.
const SHARES: u64 = 64;
/// The beginning of all paths.
const ROOT: &str = "/";

impl<'p> Prover<'p> {
    /// A request that probably matches a permit line.
    pub(crate) fn sample(&mut self, ruled: Ruled<'p>) -> Option<Request> {
        self.languages.grant(SHARES);
        let path = text(prefilter::path(ruled)?, ROOT, &mut self.languages)?;
        self.sample_at(path, &[ruled])
    }

    /// Whether the path that the first matcher spells is one that all match.
    ///
    /// # Errors
    /// The work is spent.
    pub(super) fn spells_path(&mut self, matchers: &[&Matcher]) -> Result<bool, Exhausted> {
        let Some(first) = matchers.first() else {
            return Ok(false);
        };
        let path = match first {
            Matcher::Automaton(_) => {
                let language = self.languages.of(first)?;
                self.languages.walked(language, ROOT)?
            }
            _ => text(first, ROOT, &mut self.languages),
        };
        Ok(path
            .is_some_and(|path| self.is_path(&path) && matchers.iter().all(|matcher| matcher.matches(&path))))
    }

    /// Requests that may match two permit lines.
    pub(super) fn joint_samples(&mut self, one: Ruled<'p>, other: Ruled<'p>) -> Vec<Request> {
        let Some((ones, others)) = prefilter::path(one).zip(prefilter::path(other)) else {
            return Vec::new();
        };
        let mut paths = Vec::new();
        for (outer, inner) in [(ones, others), (others, ones)] {
            let Some(filling) = text(inner, ROOT, &mut self.languages) else {
                continue;
            };
            paths.push(filling.clone());
            let Matcher::Glob(code) = outer else { continue };
            for glob in code.globs().unwrap_or_default() {
                let anys = glob.atoms().iter().filter(|atom| **atom == Atom::Any).count();
                paths.extend((0..anys).filter_map(|any| spelt(&glob, ROOT, Some((any, &filling)))));
            }
        }
        paths.retain(|path| ones.matches(path) && others.matches(path));
        let samples = paths
            .into_iter()
            .filter_map(|path| self.sample_at(path, &[one, other]));
        samples.collect()
    }

    fn sample_at(&mut self, path: String, rules: &[Ruled<'p>]) -> Option<Request> {
        if !self.is_path(&path) {
            return None;
        }
        // A value for each constraint that demands one; the other operators accept absence.
        let (mut query, mut body, mut has_body) = (Vec::new(), Json::Object(Vec::new()), false);
        for ruled in rules {
            for test in ruled
                .rule
                .params
                .iter()
                .filter(|test| test.operator.needs_value())
            {
                let value = text(ruled.program.value(test.value), "", &mut self.languages)?;
                // Rules may demand the same of a parameter: once is enough.
                let pair = (test.name.to_string(), value);
                if !query.contains(&pair) {
                    query.push(pair);
                }
            }
            for test in ruled.rule.nodes.iter().filter(|test| test.operator.needs_value()) {
                let value = self.value(ruled.program.value(test.value), test.kinds)?;
                put(&mut body, &test.path.0, value)?;
                has_body = true;
            }
        }
        // The first method that all rules have, and that may carry the body.
        let is_there = |method: &Method| rules.iter().all(|ruled| ruled.rule.methods.contains(*method));
        let bodiless = |method: &Method| matches!(method, Method::Get | Method::Head);
        let method = METHODS
            .into_iter()
            .find(|method| is_there(method) && !(has_body && bodiless(method)))?;
        Some(Request {
            method,
            path,
            query,
            body: if has_body {
                RequestBody::Json(body)
            } else {
                RequestBody::Absent
            },
        })
    }

    fn value(&mut self, matcher: &Matcher, kinds: Option<Kinds>) -> Option<Json> {
        if kinds.is_none_or(|kinds| kinds.has(Kind::String)) {
            return Some(Json::String(text(matcher, "", &mut self.languages)?));
        }
        let texts = kinds?.iter().flat_map(|kind| match kind {
            Kind::String => &[][..],
            Kind::Boolean => &["false", "true"],
            Kind::Null => &["null"],
            Kind::Number => &["1", "0", "10", "100", "5", "-1"],
        });
        let found = texts.into_iter().find(|text| matcher.matches(text))?;
        Some(Json::Literal((*found).to_owned()))
    }
}

impl Prover<'_> {
    /// Whether a request can have this path.
    pub(crate) fn is_path(&self, path: &str) -> bool {
        let is_in = |language| self.languages.has(language, path);
        is_in(LangId::ROOTED) && !(self.universe().canonical_paths && is_in(LangId::NO_PATH))
    }
}

/// A text that matches; for a glob, the readable one that it spells. `begin`: how all texts that are wanted begin.
fn text(matcher: &Matcher, begin: &'static str, languages: &mut Languages) -> Option<String> {
    match matcher {
        Matcher::Nothing => None,
        Matcher::Everything => Some(format!("{begin}a")),
        Matcher::Glob(code) => code.globs()?.iter().find_map(|glob| spelt(glob, begin, None)),
        Matcher::Automaton(_) => {
            let language = languages.of(matcher).ok()?;
            match languages.walked(language, begin).ok()? {
                Some(text) => Some(text),
                None => languages.text(&Goal::all([(language, true)])).ok().flatten(),
            }
        }
    }
}

/// A text of the glob, with `filling` in the place of one `.*`.
fn spelt(glob: &Glob, begin: &str, filling: Option<(usize, &str)>) -> Option<String> {
    let (mut text, mut any): (Vec<u8>, usize) = (Vec::new(), 0);
    for atom in glob.atoms() {
        match atom {
            Atom::Literal(literal) => text.extend(literal),
            Atom::Any => {
                match filling {
                    Some((at, filling)) if at == any => text.extend(filling.as_bytes()),
                    _ if text.is_empty() => text.extend(format!("{begin}a").into_bytes()),
                    _ => text.push(b'a'),
                }
                any += 1;
            }
            Atom::Run { set, min, max } => {
                let readable = (b'a'..=b'z')
                    .chain(b'0'..=b'9')
                    .chain(b'A'..=b'Z')
                    .chain(b' '..=b'~');
                let mut readable = readable.filter(|byte| set.contains(*byte));
                let byte = readable.next()?;
                let count = (*min).max(u32::from(*max != Some(0)));
                text.extend(std::iter::repeat_n(byte, count as usize));
            }
        }
    }
    String::from_utf8(text).ok()
}

/// Puts a value at a place that is reached through objects and arrays of one element.
fn put(at: &mut Json, path: &[Step], value: Json) -> Option<()> {
    let Some((step, rest)) = path.split_first() else {
        *at = value;
        return Some(());
    };
    let inner = match step {
        Step::Each => {
            if !matches!(at, Json::Array(_)) {
                *at = Json::Array(vec![Json::Object(Vec::new())]);
            }
            match at {
                Json::Array(elements) => elements.first_mut()?,
                _ => return None,
            }
        }
        Step::Name(name) => {
            let Json::Object(members) = at else { return None };
            if !members.iter().any(|(known, _)| known == name) {
                members.push((name.clone(), Json::Object(Vec::new())));
            }
            let (_, member) = members.iter_mut().find(|(known, _)| known == name)?;
            member
        }
    };
    put(inner, rest, value)
}
