use std::{cell::RefCell, collections::BTreeSet};

use tokenward_compiler::decide::Media;

use super::{
    chars,
    language::{Expressions, Id},
    line::{Constraint, Line, Subject},
    nodes,
    pattern::{self, Bound},
    region::{Point, Product, Region, Universe, bits},
    test::{self, Ready},
};
use crate::reference::{Body, Json, Place};

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

/// What a policy makes of a universe.
#[derive(Clone, Debug)]
pub struct Verdicts {
    /// What it allows.
    pub allowed: Region,
    /// What a forbid line denies.
    pub forbidden: Region,
    /// What is refused: a body that is inspected has a name of which servers make different things.
    pub refused: Region,
    lines: Vec<(bool, Region, Written)>,
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
        let lines: Vec<(bool, Region, Written)> = self
            .lines
            .iter()
            .map(|(line, written)| (line.forbids, self.region(line, place, universe), written.clone()))
            .collect();
        let union = |forbids: bool, start: Region| {
            let regions = lines.iter().filter(|(kind, ..)| *kind == forbids);
            regions.fold(start, |all, (_, region, _)| all.union(region))
        };
        let permitted = union(
            false,
            match self.unrestricted {
                true => Region::full(universe),
                false => Region::empty(universe),
            },
        );
        let forbidden = union(true, Region::empty(universe));
        let refused = self.refused(place, universe);
        Verdicts {
            allowed: permitted.minus(&forbidden).minus(&refused),
            forbidden,
            refused,
            lines,
        }
    }

    fn region(&self, line: &Line, place: Place<'_>, universe: &Universe) -> Region {
        let asks = self.asks(line, place, universe);
        let json = |body: &Body| match body {
            Body::Absent => Some(Json::Object(Vec::new())),
            Body::Json(json) => Some(json.clone()),
            Body::Broken | Body::Opaque(_) => None,
        };
        let tests_body = line.constraints.iter().any(|constraint| !of_query(constraint));
        let readable = bits(&universe.bodies, |body| match json(body) {
            Some(json) => self.body_meets(line, &json, place),
            None => !tests_body || line.forbids,
        });
        let mut region = Region::empty(universe);
        let forms = bits(&universe.bodies, is_form);
        let product = |queries: &[bool], bodies: u64, region: &mut Region| {
            region.add(&Product {
                methods: &asks.methods,
                paths: &asks.paths,
                queries,
                bodies,
            });
        };
        product(&asks.queries, readable & !forms, &mut region);
        // A form adds to the parameters, and nobody reads it.
        let every = vec![true; universe.queries.len()];
        if line.constraints.is_empty() || line.forbids {
            product(&every, forms, &mut region);
        }
        region
    }

    /// The methods, paths and queries that the line asks for.
    fn asks(&self, line: &Line, place: Place<'_>, universe: &Universe) -> Asks {
        let methods = universe.methods.iter().map(|method| match &line.methods {
            Some(methods) => methods.contains(method),
            // Seven methods; a forbid line errs on the side of denying.
            None => line.forbids || *method != tokenward_compiler::method::Method::Other,
        });
        let (bound, url) = (self.bound(place), line.url.as_str());
        let paths = with_language(url, bound, |expressions, language| {
            let matches = |path: &String| {
                let text = match is_anchored(url) {
                    true => path.clone(),
                    false => format!("{}{path}", place.base),
                };
                match line.forbids {
                    false => expressions.has(
                        language,
                        &text.chars().map(|char| [char].into()).collect::<Vec<_>>(),
                    ),
                    true => endings(&text).iter().any(|text| {
                        let spelled: Vec<_> = text.chars().map(chars::cases).collect();
                        expressions.has(language, &spelled)
                    }),
                }
            };
            universe.paths.iter().map(matches).collect()
        });
        let queries = universe
            .queries
            .iter()
            .map(|query| self.query_meets(line, query, place));
        Asks {
            methods: methods.collect(),
            paths,
            queries: queries.collect(),
        }
    }

    fn query_meets(&self, line: &Line, query: &[(String, Option<String>)], place: Place<'_>) -> bool {
        line.constraints.iter().all(|constraint| match constraint {
            Constraint::OnlyParameters => {
                let names = test::parameters(line);
                query.iter().all(|(name, _)| names.contains(name.as_str()))
            }
            Constraint::Test(Subject::Parameter(name), test) => with_expressions(|expressions| {
                let ready = Ready::new(test, self.bound(place), expressions);
                ready.of_parameters((name, query), line.forbids, expressions)
            }),
            _ => true,
        })
    }

    fn body_meets(&self, line: &Line, json: &Json, place: Place<'_>) -> bool {
        line.constraints.iter().all(|constraint| match constraint {
            Constraint::OnlyMembers(path) => {
                nodes::has_only(json, path, &test::members(line, path)) == Some(true)
            }
            Constraint::Test(Subject::Node(path, kinds), test) => with_expressions(|expressions| {
                let ready = Ready::new(test, self.bound(place), expressions);
                ready.of_nodes((path, kinds, json), line.forbids, expressions)
            }),
            _ => true,
        })
    }

    /// What a line with matching method, URL and query inspects, and finds names in that have several readings.
    fn refused(&self, place: Place<'_>, universe: &Universe) -> Region {
        let mut refused = Region::empty(universe);
        for (line, _) in &self.lines {
            let paths = test::paths(line);
            if paths.is_empty() {
                continue;
            }
            let ambiguous = bits(&universe.bodies, |body| match body {
                Body::Json(json) => nodes::is_ambiguous(json, &paths),
                _ => false,
            });
            let Asks {
                methods,
                paths,
                queries,
            } = self.asks(line, place, universe);
            refused.add(&Product {
                methods: &methods,
                paths: &paths,
                queries: &queries,
                bodies: ambiguous,
            });
        }
        refused
    }

    fn bound<'b>(&'b self, place: Place<'b>) -> Bound<'b> {
        Bound {
            base: place.base,
            user: &self.user,
        }
    }
}

struct Asks {
    methods: Vec<bool>,
    paths: Vec<bool>,
    queries: Vec<bool>,
}

impl Verdicts {
    /// The line that decides a request: the first forbid line that has it, otherwise the first permit line.
    #[must_use]
    pub fn line(&self, point: Point) -> Option<&Written> {
        let first = |forbids: bool| {
            let own = self
                .lines
                .iter()
                .find(|(kind, region, _)| *kind == forbids && region.has(point));
            own.map(|(_, _, written)| written)
        };
        first(true).or_else(|| first(false))
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

/// A text, and the same without a final `/` and without `.json` or `.xml`, as often as it has one.
fn endings(text: &str) -> Vec<String> {
    let mut texts = vec![text.to_owned()];
    let mut left = text;
    loop {
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
}

/// A regexp's language in the expressions that all of a thread share.
fn with_language<T>(text: &str, bound: Bound<'_>, then: impl FnOnce(&mut Expressions, Id) -> T) -> T {
    with_expressions(|expressions| {
        let language = pattern::language(text, bound, expressions);
        then(expressions, language)
    })
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
