use tokenward_compiler::{
    BaseUrl, Compilation, compile,
    decide::{Media, nearest::Failed},
    ir::Program,
    method::Method,
    policy::Token,
    resolve_policy,
    source::{SourceSet, Span},
};

use super::pair::{Pair, Written};
use crate::{
    generate, living, property,
    reference::{self, Body, Outcome},
    sets::{Mismatch, Policy, Region, Universe, Verdicts},
};

/// Requests of a universe that are decided one by one.
const SAMPLES: usize = 24;

/// More lines than a token file has.
const SET_BEGINS: usize = 100;

/// One policy in all forms, and what it makes of the universe.
pub(super) struct Judged {
    pub(super) lines: Vec<String>,
    pub(super) file: String,
    pub(super) sources: SourceSet,
    pub(super) compilation: Compilation,
    pub(super) program: Program,
    token: Token,
    pub(super) sets: Policy,
    pub(super) verdicts: Verdicts,
}

impl Judged {
    pub(super) fn new(pair: &Pair, written: &Written) -> Self {
        let mut own = written.lines.clone();
        if own.is_empty() {
            own.push(living::NOTHING.to_owned());
        }
        let own = living::lines(&own, written.unrestricted);
        let set = match written.set.is_empty() {
            true => Vec::new(),
            false => living::lines(&written.set, written.unrestricted),
        };
        let mut file = generate::token_file(&own, written.unrestricted);
        // Numbers of lines name those of the set, too: they begin where the token's have ended.
        let limits = format!("{}{}\n", "# a set\n".repeat(SET_BEGINS), set.join("\n"));
        let mut files = Vec::new();
        if !set.is_empty() {
            file = file.replacen("user = ", "include = [\"s\"]\nuser = ", 1);
            files.push(("s.limits", limits.as_str()));
        }
        files.push(("t.toml", file.as_str()));
        let sources = SourceSet::from_files(
            files
                .iter()
                .map(|(name, text)| ((*name).to_owned(), (*text).to_owned())),
        );
        let compilation = compile(&sources);
        let sets = Policy::read(&files);
        let file = files
            .iter()
            .map(|(_, text)| text.trim_start_matches("# a set\n"))
            .collect();
        let lines = [set, own].concat();
        let program = compilation.program.as_ref().expect("what is generated compiles");
        let base = BaseUrl::parse(pair.place.base).expect("a base URL");
        let program = program
            .bind(&base)
            .expect("binds")
            .merging_body(pair.place.merges);
        let token = resolve_policy(&sources).tokens.remove(0);
        let verdicts = sets.verdicts(pair.place, &pair.universe);
        Self {
            lines,
            file,
            sources,
            compilation,
            program,
            token,
            sets,
            verdicts,
        }
    }

    /// The number of the line in which a span begins.
    pub(super) fn number(&self, span: Span) -> u32 {
        u32::try_from(self.sources.line_number(span)).expect("a number of a line")
    }

    /// Some requests of the universe are decided as the sets have it by the reference and by the program, by the same line.
    pub(super) fn decides_alike(&self, pair: &Pair) -> usize {
        let points = |region: &Region, count: usize| {
            let step = region.len() / count + 1;
            region.points().step_by(step).collect::<Vec<_>>()
        };
        let spread = (0..SAMPLES).map(|at| pair.universe.point(at * (pair.universe.len() / SAMPLES + 1)));
        let mut all: Vec<_> = spread.collect();
        for region in [
            &self.verdicts.allowed,
            &self.verdicts.forbidden,
            &self.verdicts.refused,
        ] {
            all.extend(points(region, SAMPLES / 4));
        }
        for point in &all {
            let request = pair.universe.request(*point);
            let line = self.verdicts.line(*point).map(|written| written.number);
            let expected = if self.verdicts.refused.has(*point) {
                (Outcome::Ambiguous, None)
            } else if self.verdicts.forbidden.has(*point) {
                (Outcome::Forbid(0), line)
            } else if self.verdicts.allowed.has(*point) {
                (Outcome::Allow(line.map(|_| 0)), line)
            } else {
                (Outcome::NoLine, None)
            };
            let reference = self.of_reference(pair, &request);
            let program = property::compiled(&self.program, &request);
            // Names that an upstream would merge are refused before a policy is asked.
            let is_merged = pair.place.merges && self.verdicts.merged.has(*point);
            let alike = same(reference, program) && (is_merged || same(expected, program));
            assert!(
                alike,
                "{}\n{:?}\n{request:?}\nby sets: {expected:?}\nreference: {reference:?}\nprogram: {program:?}",
                self.file, pair.place
            );
            if program.0 == Outcome::NoLine && !pair.place.merges {
                self.came_nearest(pair, &request);
            }
        }
        all.len()
    }

    /// What a denial says of the line that came nearest is so, by the sets.
    fn came_nearest(&self, pair: &Pair, request: &reference::Request) {
        let Some((number, failed)) = property::nearest(&self.program, request) else {
            return;
        };
        let found = self.sets.mismatch(pair.place, request, number);
        let is_so = match (&failed, found) {
            (Failed::Url, Some(Mismatch::Url))
            | (Failed::Body(_) | Failed::Constraint(..), Some(Mismatch::Constraint)) => true,
            (Failed::Method(methods), Some(Mismatch::Method)) => !methods.contains(request.method),
            _ => false,
        };
        assert!(
            is_so,
            "{}\n{request:?}\nline {number}: {failed:?}, by sets {found:?}",
            self.file
        );
    }

    fn of_reference(&self, pair: &Pair, request: &reference::Request) -> (Outcome, Option<u32>) {
        let outcome = reference::decide(&self.token, pair.place, request);
        let index = match outcome {
            Outcome::Allow(index) => index,
            Outcome::Forbid(index) => Some(index),
            Outcome::NoLine | Outcome::Ambiguous => None,
        };
        let line = index.and_then(|index| self.token.limits.get(index));
        (outcome, line.map(|limit| self.number(limit.span)))
    }

    /// What the sets make of one request: of a witness.
    pub(super) fn alone(&self, pair: &Pair, request: &reference::Request) -> (Universe, Verdicts) {
        let universe = Universe::of(request);
        let verdicts = self.sets.verdicts(pair.place, &universe);
        (universe, verdicts)
    }
}

fn same(one: (Outcome, Option<u32>), other: (Outcome, Option<u32>)) -> bool {
    std::mem::discriminant(&one.0) == std::mem::discriminant(&other.0) && one.1 == other.1
}

/// The requests that the analysis was told there are.
pub(super) fn possible(pair: &Pair) -> Region {
    Region::of(&pair.universe, |method, path, body| {
        let bodiless = matches!(method, Method::Get | Method::Head) && !pair.told.get_body;
        let canonical = !pair.told.canonical_paths || !path.chars().any(char::is_control);
        (!bodiless || *body == Body::Absent) && canonical && *body != Body::Opaque(Media::Json)
    })
}
