use std::{cell::RefCell, collections::BTreeSet};

use tokenward_compiler::{decide::Media, method::Method};

use super::{
    language::Expressions,
    line::{Constraint, Line, Subject},
    nodes,
    pattern::{self, Bound, Folding},
    region::{Point, Product, Region, Universe, bits},
    test::{self, Ready},
};
use crate::reference::{Body, Json, MOST_NESTING, Place, Request};

/// A parameter of a query, and its value if it has one.
type Parameter = (String, Option<String>);

/// The lines of one token, as the policy's files have them.
#[derive(Clone, Debug)]
pub struct Policy {
    unrestricted: bool,
    user: String,
    lines: Vec<(Line, Written)>,
}

/// Where a line is written: file, and number from 1.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Written {
    /// The file's name.
    pub file: String,
    /// The line's number.
    pub number: u32,
}

/// The first part of a line that a request does not match, in the order URL, method, constraints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mismatch {
    /// The URL.
    Url,
    /// The method.
    Method,
    /// A constraint.
    Constraint,
}

/// What a policy makes of a universe.
#[derive(Clone, Debug)]
pub struct Verdicts {
    /// What it allows.
    pub allowed: Region,
    /// What a forbid line denies.
    pub forbidden: Region,
    /// What is refused: a body that is inspected has a name of which servers make different things.
    pub refused: Region,
    /// What the lines match, as an invariant counts them: nobody reads a body for it, so it refuses none.
    pub permitted: Region,
    /// What an upstream that merges bodies into parameters might read in two ways, by the names of some line.
    pub merged: Region,
    material: Material,
}

/// A line: whether it forbids, what it matches, and where it is written.
type Matched = (bool, Region, Written);
/// What is refused for a line, and where it is written.
type Refused = (Region, Written);

/// What verdicts are made of.
#[derive(Clone, Debug)]
struct Material {
    unrestricted: bool,
    lines: Vec<Matched>,
    every: Region,
    refused: Region,
    /// The same for each line that looks at bodies.
    refused_for: Vec<Refused>,
    merged: Region,
    /// The requests whose bodies have to be read, and the lines that want it.
    reading: Region,
    readers: BTreeSet<Written>,
}

impl Policy {
    /// The first token of the policy's files: `*.toml` with tokens, `*.limits` with sets.
    ///
    /// # Panics
    /// There is none, or a file cannot be read.
    #[must_use]
    pub fn read(files: &[(&str, &str)]) -> Self {
        Self::all(files).into_iter().next().expect("a token").1
    }

    /// Every token by its name.
    ///
    /// # Panics
    /// A file cannot be read.
    #[must_use]
    pub fn all(files: &[(&str, &str)]) -> Vec<(String, Self)> {
        let mut sorted: Vec<&(&str, &str)> = files.iter().collect();
        sorted.sort_unstable();
        let mut tokens = Vec::new();
        for (name, text) in sorted.into_iter().filter(|(name, _)| name.ends_with(".toml")) {
            let table: toml::Table = text.parse().expect("TOML");
            let Some(entries) = table.get("token").and_then(toml::Value::as_array) else {
                continue;
            };
            let mut starts = text.match_indices("limit_to").map(|(at, _)| at);
            for entry in entries {
                tokens.push(Self::of_entry(entry, (name, text), &mut starts, files));
            }
        }
        tokens
    }

    fn of_entry(
        entry: &toml::Value,
        (file, text): (&str, &str),
        starts: &mut impl Iterator<Item = usize>,
        files: &[(&str, &str)],
    ) -> (String, Self) {
        let key = |key: &str| entry.get(key).and_then(toml::Value::as_str).unwrap_or_default();
        let mut lines = Vec::new();
        let includes = entry.get("include").and_then(toml::Value::as_array);
        let mut seen = BTreeSet::new();
        for set in includes.into_iter().flatten().filter_map(toml::Value::as_str) {
            include(set, files, &mut seen, &mut lines);
        }
        if entry.get("limit_to").is_some() {
            // The text begins behind the quotes, on their line or, where a line ends there, on the next.
            let at = starts.next().expect("where its lines begin");
            let before = text.get(..at).unwrap_or_default().matches('\n').count();
            let opened = text
                .get(at..)
                .and_then(|rest| rest.split_once("'''"))
                .is_some_and(|(_, rest)| rest.starts_with('\n'));
            read(key("limit_to"), file, before + usize::from(opened), &mut lines);
        }
        let policy = Self {
            unrestricted: entry
                .get("unrestricted")
                .and_then(toml::Value::as_bool)
                .unwrap_or(false),
            user: key("user").to_owned(),
            lines,
        };
        (key("name").to_owned(), policy)
    }

    /// What the policy makes of each request of the universe.
    #[must_use]
    pub fn verdicts(&self, place: Place<'_>, universe: &Universe) -> Verdicts {
        let asked: Vec<(&Line, Asks)> = self
            .lines
            .iter()
            .map(|(line, _)| (line, self.asks(line, place, universe)))
            .collect();
        let regions = asked.iter().map(|(line, asks)| asks.region(line, universe));
        let written = self
            .lines
            .iter()
            .map(|(line, written)| (line.forbids, written.clone()));
        let lines: Vec<Matched> = regions
            .zip(written)
            .map(|(region, (forbids, written))| (forbids, region, written))
            .collect();
        let read = bits(&universe.bodies, |body| {
            matches!(body, Body::Json(_) | Body::Broken)
        });
        let mut reading = Region::empty(universe);
        let (methods, paths) = (
            vec![true; universe.methods.len()],
            vec![true; universe.paths.len()],
        );
        let queries = vec![true; universe.queries.len()];
        reading.add(&Product {
            methods: &methods,
            paths: &paths,
            queries: &queries,
            bodies: read,
        });
        let readers = self.lines.iter().filter(|(line, _)| reads(line, place));
        let refused_for = refused(&asked, &lines, place, universe);
        let refused = refused_for.iter();
        Verdicts::of(Material {
            unrestricted: self.unrestricted,
            refused: refused.fold(Region::empty(universe), |all, (region, _)| all.union(region)),
            refused_for,
            merged: merged(&asked, universe),
            lines,
            every: Region::full(universe),
            reading,
            readers: readers.map(|(_, written)| written.clone()).collect(),
        })
    }

    /// What keeps a request from the line of this number; `None` if nothing does, or if there is no such line.
    #[must_use]
    pub fn mismatch(&self, place: Place<'_>, request: &Request, number: u32) -> Option<Mismatch> {
        let (line, _) = self.lines.iter().find(|(_, written)| written.number == number)?;
        let universe = Universe::of(request);
        let asks = self.asks(line, place, &universe);
        match (asks.paths.contains(&true), asks.methods.contains(&true)) {
            (false, _) => Some(Mismatch::Url),
            (true, false) => Some(Mismatch::Method),
            (true, true) => asks
                .region(line, &universe)
                .is_empty()
                .then_some(Mismatch::Constraint),
        }
    }

    /// What the line asks of each part of a request.
    fn asks(&self, line: &Line, place: Place<'_>, universe: &Universe) -> Asks {
        let methods = universe.methods.iter().map(|method| match &line.methods {
            Some(methods) => methods.contains(method),
            // Seven methods; a forbid line errs on the side of denying.
            None => line.forbids || *method != Method::Other,
        });
        let mut asks = Asks {
            methods: methods.collect(),
            paths: self.paths(line, place, universe),
            queries: vec![true; universe.queries.len()],
            bodies: bits(&universe.bodies, |body| readable(body).is_some()),
        };
        for constraint in &line.constraints {
            self.narrow(&mut asks, (line, constraint), place, universe);
        }
        asks
    }

    fn paths(&self, line: &Line, place: Place<'_>, universe: &Universe) -> Vec<bool> {
        let folding = match line.forbids {
            true => Folding::Every,
            false => Folding::Written,
        };
        let anchored = is_anchored(&line.url);
        with_expressions(|expressions| {
            let language = pattern::language(&line.url, folding, self.bound(place), expressions);
            let mut matches = |path: &String| {
                let text = match anchored {
                    true => path.clone(),
                    false => format!("{}{path}", place.base),
                };
                match line.forbids {
                    false => expressions.has(language, &text),
                    true => endings(&text).iter().any(|text| expressions.has(language, text)),
                }
            };
            universe.paths.iter().map(&mut matches).collect()
        })
    }

    /// Takes out what does not meet a constraint.
    fn narrow(
        &self,
        asks: &mut Asks,
        (line, constraint): (&Line, &Constraint),
        place: Place<'_>,
        universe: &Universe,
    ) {
        let narrow_queries = |asks: &mut Asks, meets: &mut dyn FnMut(&[Parameter]) -> bool| {
            for (kept, query) in asks.queries.iter_mut().zip(&universe.queries) {
                *kept = *kept && meets(query);
            }
        };
        let narrow_bodies = |asks: &mut Asks, meets: &mut dyn FnMut(&Json) -> bool| {
            asks.bodies &= bits(&universe.bodies, |body| {
                readable(body).is_some_and(|json| meets(&json))
            });
        };
        with_expressions(|expressions| match constraint {
            Constraint::OnlyParameters => {
                let names = test::parameters(line);
                narrow_queries(asks, &mut |query| {
                    query.iter().all(|(name, _)| names.contains(name.as_str()))
                });
            }
            Constraint::OnlyMembers(path) => {
                let names = test::members(line, path);
                narrow_bodies(asks, &mut |json| nodes::has_only(json, path, &names));
            }
            Constraint::Test(subject, test) => {
                let ready = Ready::new(test, self.bound(place), expressions);
                match subject {
                    Subject::Parameter(name) => narrow_queries(asks, &mut |query| {
                        ready.of_parameters((name, query), line.forbids, expressions)
                    }),
                    Subject::Node(path, kinds) => narrow_bodies(asks, &mut |json| {
                        ready.of_nodes((path, kinds, json), line.forbids, expressions)
                    }),
                }
            }
        });
    }

    fn bound<'b>(&'b self, place: Place<'b>) -> Bound<'b> {
        Bound {
            base: place.base,
            user: &self.user,
        }
    }
}

/// What a line asks of each part of a request; of bodies, of those that can be read.
struct Asks {
    methods: Vec<bool>,
    paths: Vec<bool>,
    queries: Vec<bool>,
    bodies: u64,
}

impl Asks {
    fn product<'a>(&'a self, queries: &'a [bool], bodies: u64) -> Product<'a> {
        Product {
            methods: &self.methods,
            paths: &self.paths,
            queries,
            bodies,
        }
    }

    /// What the line matches.
    fn region(&self, line: &Line, universe: &Universe) -> Region {
        let every = vec![true; universe.queries.len()];
        let forms = bits(&universe.bodies, is_form);
        let unreadable = bits(&universe.bodies, |body| readable(body).is_none()) & !forms;
        let tests_body = line.constraints.iter().any(|constraint| !of_query(constraint));
        let mut region = Region::empty(universe);
        region.add(&self.product(&self.queries, self.bodies));
        if !tests_body || line.forbids {
            region.add(&self.product(&self.queries, unreadable));
        }
        // A form adds to the parameters, and nobody reads it.
        if line.constraints.is_empty() || line.forbids {
            region.add(&self.product(&every, forms));
        }
        region
    }
}

/// The JSON that a body is judged by. An absent one is an empty object.
fn readable(body: &Body) -> Option<Json> {
    match body {
        Body::Absent => Some(Json::Object(Vec::new())),
        Body::Json(json) if json.nesting() <= MOST_NESTING => Some(json.clone()),
        Body::Json(_) | Body::Broken | Body::Opaque(_) => None,
    }
}

/// What a line with matching method, URL and query inspects, and finds names in that have several readings. A body is not inspected
/// for a permit line if one before it permits the request whatever the body says, nor for any if a forbid line does.
fn refused(
    asked: &[(&Line, Asks)],
    lines: &[Matched],
    place: Place<'_>,
    universe: &Universe,
) -> Vec<Refused> {
    let mut refused = Vec::new();
    let (mut permitted, mut forbidden) = (Region::empty(universe), Region::empty(universe));
    for ((line, asks), (_, region, written)) in asked.iter().zip(lines) {
        let paths = test::paths(line);
        if !reads(line, place) {
            match line.forbids {
                true => forbidden = forbidden.union(region),
                false => permitted = permitted.union(region),
            }
            continue;
        }
        let ambiguous = bits(&universe.bodies, |body| match body {
            Body::Json(json) => json.nesting() <= MOST_NESTING && nodes::is_ambiguous(json, &paths),
            _ => false,
        });
        let mut inspected = Region::empty(universe);
        inspected.add(&asks.product(&asks.queries, ambiguous));
        if !line.forbids {
            inspected = inspected.minus(&permitted);
        }
        refused.push((inspected, written.clone()));
    }
    for (region, _) in &mut refused {
        *region = region.minus(&forbidden);
    }
    refused
}

/// Where names of a line with matching method and URL meet names of the other side, or the same side has them in another spelling.
/// That is more than is refused: a name counts by what stands before its first bracket.
fn merged(asked: &[(&Line, Asks)], universe: &Universe) -> Region {
    let mut merged = Region::empty(universe);
    let every = vec![true; universe.queries.len()];
    for (line, asks) in asked {
        let names = test::first_names(line);
        let only = |constraint: &Constraint| {
            matches!(
                constraint,
                Constraint::OnlyParameters | Constraint::OnlyMembers(_)
            )
        };
        let any = line.constraints.iter().any(only);
        let touches = |name: &str| any || names.contains(test::first_name(name));
        let queries = universe
            .queries
            .iter()
            .map(|query| query.iter().any(|(name, _)| touches(name)));
        let bodies = bits(&universe.bodies, |body| match body {
            Body::Json(Json::Object(members)) if readable(body).is_some() => {
                members.iter().any(|(name, _)| touches(name))
            }
            Body::Json(_) | Body::Broken => !line.constraints.is_empty(),
            Body::Absent | Body::Opaque(_) => false,
        });
        merged.add(&asks.product(&queries.collect::<Vec<bool>>(), u64::MAX));
        merged.add(&asks.product(&every, bodies));
    }
    merged.intersection(&Region::full(universe))
}

impl Verdicts {
    fn of(material: Material) -> Self {
        let none = material.every.minus(&material.every);
        let union = |forbids: bool| {
            let regions = material.lines.iter().filter(|(kind, ..)| *kind == forbids);
            regions.fold(none.clone(), |all, (_, region, _)| all.union(region))
        };
        let forbidden = union(true);
        let permitted = match material.unrestricted {
            true => material.every.clone(),
            false => union(false),
        };
        let permitted = permitted.minus(&forbidden);
        Self {
            allowed: permitted.minus(&material.refused),
            forbidden,
            refused: material.refused.clone(),
            permitted,
            merged: material.merged.clone(),
            material,
        }
    }

    /// What the line of this number matches.
    #[must_use]
    pub fn of_line(&self, number: u32) -> Option<&Region> {
        let mut lines = self.material.lines.iter();
        lines
            .find(|(_, _, written)| written.number == number)
            .map(|(_, region, _)| region)
    }

    /// What is refused for the line of this number; `None` if it looks at no bodies.
    #[must_use]
    pub fn refused_for(&self, number: u32) -> Option<&Region> {
        let mut refused = self.material.refused_for.iter();
        refused
            .find(|(_, written)| written.number == number)
            .map(|(region, _)| region)
    }

    /// The same without the line of this number, but for what is refused.
    #[must_use]
    pub fn without(&self, number: u32) -> Self {
        let mut material = self.material.clone();
        material.lines.retain(|(_, _, written)| written.number != number);
        Self::of(material)
    }

    /// The line that decides a request: the first forbid line that has it, otherwise the first permit line. A forbid line that
    /// needs no body decides before one that does, since the body is not read then.
    #[must_use]
    pub fn line(&self, point: Point) -> Option<&Written> {
        let reads = self.material.reading.has(point);
        let is_early = |written: &Written| !reads || !self.material.readers.contains(written);
        let own = |forbids: bool| {
            let lines = self.material.lines.iter();
            let lines = lines.filter(move |(kind, region, _)| *kind == forbids && region.has(point));
            lines.map(|(_, _, written)| written)
        };
        let early = own(true).find(|written| is_early(written));
        early.or_else(|| own(true).next()).or_else(|| own(false).next())
    }
}

fn include(
    name: &str,
    files: &[(&str, &str)],
    seen: &mut BTreeSet<String>,
    lines: &mut Vec<(Line, Written)>,
) {
    if !seen.insert(name.to_owned()) {
        return;
    }
    let file = format!("{name}.limits");
    let found = files
        .iter()
        .find(|(known, _)| *known == file || known.ends_with(&format!("/{file}")));
    let (file, text) = found.expect("the set that is included");
    for (at, line) in text.split('\n').enumerate() {
        match line.trim().strip_prefix("@include") {
            Some(inner) => include(inner.trim(), files, seen, lines),
            None => read(line, file, at, lines),
        }
    }
}

fn read(text: &str, file: &str, before: usize, lines: &mut Vec<(Line, Written)>) {
    for (at, line) in text.split('\n').enumerate() {
        let number = u32::try_from(before + at + 1).expect("a number of a line");
        if let Some(line) = Line::read(line) {
            lines.push((
                line,
                Written {
                    file: file.to_owned(),
                    number,
                },
            ));
        }
    }
}

fn of_query(constraint: &Constraint) -> bool {
    matches!(
        constraint,
        Constraint::OnlyParameters | Constraint::Test(Subject::Parameter(_), _)
    )
}

/// Whether the body is inspected for the line: where members become parameters, for a condition on these, too.
fn reads(line: &Line, place: Place<'_>) -> bool {
    line.constraints
        .iter()
        .any(|constraint| place.merges || !of_query(constraint))
}

fn is_form(body: &Body) -> bool {
    matches!(body, Body::Opaque(Media::Form | Media::Multipart))
}

/// Whether the URL's regexp begins with `/`: behind inline flags, and `^`.
fn is_anchored(mut url: &str) -> bool {
    loop {
        let flags = url.strip_prefix("(?").and_then(|rest| rest.split_once(')'));
        let flags = flags.filter(|(flags, _)| {
            flags
                .chars()
                .all(|flag| flag.is_ascii_alphabetic() || flag == '-')
        });
        match (url.strip_prefix('^'), flags) {
            (Some(rest), _) | (None, Some((_, rest))) => url = rest,
            (None, None) => return url.starts_with('/'),
        }
    }
}

/// A text, and the same without a final `/` and without `.json` or `.xml`, in either order: two of them are cut at most.
fn endings(text: &str) -> Vec<String> {
    let mut texts = vec![text.to_owned()];
    let mut left = text;
    while texts.len() < 3 {
        let ending = ["/", ".json", ".xml"].into_iter().find(|ending| {
            let start = left
                .len()
                .checked_sub(ending.len())
                .and_then(|start| left.get(start..));
            start.is_some_and(|end| end.eq_ignore_ascii_case(ending))
        });
        let Some(ending) = ending else { return texts };
        left = left.get(..left.len() - ending.len()).unwrap_or_default();
        texts.push(left.to_owned());
    }
    texts
}

/// Policies have many regexps in common, and so derivatives; they are forgotten before they take much memory.
fn with_expressions<T>(then: impl FnOnce(&mut Expressions) -> T) -> T {
    thread_local! {
        static EXPRESSIONS: RefCell<Expressions> = RefCell::default();
    }
    EXPRESSIONS.with_borrow_mut(|expressions| {
        if expressions.is_large() {
            *expressions = Expressions::default();
        }
        then(expressions)
    })
}
