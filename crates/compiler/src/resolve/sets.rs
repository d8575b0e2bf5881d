//! Named sets: files of lines that tokens, and other sets, include.

mod circles;
mod graph;

use std::collections::{BTreeMap, HashMap, HashSet, hash_map::Entry};

use self::{
    circles::{circles, way},
    graph::{Graph, SetId},
};
use crate::{
    check::included_twice::{self, Include},
    diagnostic::{Code, Diagnostic, nearest},
    source::{SourceKind, SourceSet, Span},
    tokens::{At, split_lines},
};

/// A line of a set that takes in another: `@include jira-read`.
const INCLUDE: &str = "@include";
/// Comparisons of names that suggestions for misspelt names may take together: thousands of unknown names among thousands of sets are
/// no misspellings.
const COMPARISONS: usize = 200_000;

/// Sets of a circle for each of which it is reported, each time with the way; of a larger circle one is.
const EACH: usize = 16;
/// Names of a way that a finding shows.
const SHOWN: usize = 12;

/// All sets.
pub(super) struct Sets<'a> {
    /// In the order of their names.
    sets: Vec<Set<'a>>,
    ids: HashMap<&'a str, SetId>,
    graph: Graph,
    used: Vec<bool>,
    /// Sets that a misspelt name probably means: no token is said not to include them.
    meant: HashSet<&'a str>,
    /// Comparisons of names that are left for suggestions.
    comparisons: usize,
}

struct Set<'a> {
    name: &'a str,
    /// The start of its file.
    span: Span,
    items: Vec<Item<'a>>,
}

enum Item<'a> {
    Line(Span),
    /// The set, once all are known; `None`: there is none of this name.
    Include(Include<'a>, Option<SetId>),
}

pub(super) fn read<'a>(sources: &'a SourceSet, diagnostics: &mut Vec<Diagnostic>) -> Sets<'a> {
    let mut sets: BTreeMap<&str, Set<'a>> = BTreeMap::new();
    for (id, source) in sources
        .iter()
        .filter(|(_, source)| source.kind == SourceKind::Limits)
    {
        let span = Span {
            source: id,
            start: 0,
            end: source.text.find('\n').unwrap_or(source.text.len()),
        };
        if let Some(first) = sets.get(source.set_name()) {
            let headline = format!("two files define the set `{}`", source.set_name());
            diagnostics.push(
                Diagnostic::new(Code::DuplicateName, span, headline)
                    .related(first.span, "the other")
                    .help("the name of a set is the name of its file, in any directory; rename one of the files"),
            );
            continue;
        }
        let start = source.text.len() - source.body().len();
        let lines = split_lines(id, &source.text, start..source.text.len()).lines;
        let set = Set {
            name: source.set_name(),
            span,
            items: lines.into_iter().map(|line| item(sources, line)).collect(),
        };
        sets.insert(set.name, set);
    }
    Sets::new(sets.into_values().collect(), diagnostics)
}

fn item(sources: &SourceSet, line: Span) -> Item<'_> {
    match include_of(sources.text(line)) {
        Some(name) => {
            let length = line.end - line.start;
            let include = Include {
                name,
                span: line.part(length - name.len()..length),
            };
            Item::Include(include, None)
        }
        None => Item::Line(line),
    }
}

/// The name of the set that a line of a set includes; `None`: it is a limit line. The line has no surrounding blanks.
pub(crate) fn include_of(line: &str) -> Option<&str> {
    let name = line.strip_prefix(INCLUDE)?;
    name.starts_with([' ', '\t']).then(|| name.trim())
}

/// Refuses an `@include` where it is none: as a regexp it would match nothing, and whoever wrote it believes that the set's
/// lines hold.
pub(super) fn refuse_include(sources: &SourceSet, line: Span) -> Result<(), Box<Diagnostic>> {
    let text = sources.text(line);
    let forbidden = text.strip_prefix('!').unwrap_or(text);
    if !forbidden.trim_start().starts_with(INCLUDE) {
        return Ok(());
    }
    let headline = "`@include` cannot be used here";
    Err(Box::new(Diagnostic::new(Code::LineSyntax, line, headline).help(
        "write `@include NAME` in a line of its own in a `*.limits` file; a token has the key `include`, and an invariant its own lines",
    )))
}

impl<'a> Sets<'a> {
    /// `sets`: in the order of their names. Names that lead nowhere, and circles, are found once a set, not once a token.
    fn new(mut sets: Vec<Set<'a>>, diagnostics: &mut Vec<Diagnostic>) -> Self {
        let ids: HashMap<&str, SetId> = sets.iter().map(|set| set.name).zip(SetId::all()).collect();
        for item in sets.iter_mut().flat_map(|set| &mut set.items) {
            if let Item::Include(include, id) = item {
                *id = ids.get(include.name).copied();
            }
        }
        let graph = Graph::new(
            sets.iter()
                .map(|set| set.includes().filter_map(|(_, id)| id).collect()),
        );
        let mut all = Self {
            used: vec![false; sets.len()],
            meant: HashSet::new(),
            sets,
            ids,
            graph,
            comparisons: COMPARISONS,
        };
        for at in 0..all.sets.len() {
            let set = all.sets.get(at).into_iter();
            let includes: Vec<_> = set.flat_map(Set::includes).collect();
            for (include, _) in includes.iter().filter(|(_, id)| id.is_none()) {
                diagnostics.push(all.unknown(*include));
            }
            all.check_repeated(&includes, diagnostics);
        }
        all.check_circles(diagnostics);
        all
    }

    /// The lines of the named sets, each set once. The lines of an `@include` come before the lines after it.
    pub(super) fn lines_of(&mut self, names: &[At<String>], diagnostics: &mut Vec<Diagnostic>) -> Vec<Span> {
        let mut lines = Vec::new();
        self.graph.forget_visits();
        for name in names {
            match self.ids.get(name.value.as_str()) {
                Some(id) => self.collect(*id, &mut lines),
                None => diagnostics.push(self.unknown(Include::of(name))),
            }
        }
        lines
    }

    /// Adds the lines of a set, unless it was visited. A loop, since sets may include each other as deep as policies have them.
    fn collect(&mut self, id: SetId, lines: &mut Vec<Span>) {
        let mut open = vec![(id, 0)];
        while let Some((id, at)) = open.pop() {
            if at == 0 {
                if !self.graph.visit(id) {
                    continue;
                }
                if let Some(used) = self.used.get_mut(id.index()) {
                    *used = true;
                }
            }
            let items = self.sets.get(id.index()).map_or(&[][..], |set| &set.items);
            for (at, item) in items.iter().enumerate().skip(at) {
                match item {
                    Item::Line(line) => lines.push(*line),
                    Item::Include(_, None) => {}
                    Item::Include(_, Some(inner)) => {
                        // The inner set first, and then the rest of this one.
                        open.extend([(id, at + 1), (*inner, 0)]);
                        break;
                    }
                }
            }
        }
    }

    /// Reports the names among `includes` whose sets another one includes.
    pub(super) fn check_twice(&mut self, names: &[At<String>], diagnostics: &mut Vec<Diagnostic>) {
        let id = |name: &At<String>| self.ids.get(name.value.as_str()).copied();
        let includes: Vec<_> = names.iter().map(|name| (Include::of(name), id(name))).collect();
        self.check_repeated(&includes, diagnostics);
    }

    fn check_repeated(
        &mut self,
        includes: &[(Include<'_>, Option<SetId>)],
        diagnostics: &mut Vec<Diagnostic>,
    ) {
        let (mut known, mut twice) = (Vec::with_capacity(includes.len()), Vec::new());
        let mut seen = HashMap::with_capacity(includes.len());
        for (include, id) in includes {
            let Some(id) = *id else { continue };
            match seen.entry(id) {
                Entry::Vacant(place) => {
                    place.insert(*include);
                    known.push((id, *include));
                }
                Entry::Occupied(first) => twice.push((*include, *first.get())),
            }
        }
        let roots: Vec<SetId> = known.iter().map(|(id, _)| *id).collect();
        match self.graph.reached_by(&roots) {
            Some(reached) => {
                let by_another = known.iter().zip(reached).filter_map(|((_, name), by)| {
                    let (_, by) = known.get(by?)?;
                    Some((*name, *by))
                });
                twice.extend(by_another);
            }
            None => diagnostics.extend(known.first().map(|(_, first)| included_twice::unsettled(*first))),
        }
        included_twice::check(&twice, diagnostics);
    }

    /// The lines of sets that no token reached.
    pub(super) fn unused(&self, diagnostics: &mut Vec<Diagnostic>) -> Vec<Span> {
        let unused = self.sets.iter().zip(&self.used).filter(|(_, used)| !**used);
        unused
            .flat_map(|(set, _)| {
                if !self.meant.contains(set.name) {
                    let headline = format!("no token includes the set `{}`", set.name);
                    diagnostics.push(Diagnostic::new(Code::UnusedSet, set.span, headline));
                }
                set.items.iter().filter_map(|item| match item {
                    Item::Line(line) => Some(*line),
                    Item::Include(..) => None,
                })
            })
            .collect()
    }

    /// Reports each set of a small circle, and one of each large circle.
    fn check_circles(&self, diagnostics: &mut Vec<Diagnostic>) {
        for circle in circles(&self.graph) {
            let few = circle.len() <= EACH;
            let within: HashSet<SetId> = circle.iter().copied().collect();
            for id in circle.into_iter().take(if few { EACH } else { 1 }) {
                let includes = self.sets.get(id.index()).into_iter().flat_map(Set::includes);
                let leading = includes.filter_map(|(include, inner)| {
                    let inner = inner.filter(|inner| within.contains(inner))?;
                    Some((include, way(&self.graph, (inner, id), &within)?))
                });
                for (include, way) in leading.take(if few { usize::MAX } else { 1 }) {
                    diagnostics.push(self.circle(include, id, &way));
                }
            }
        }
    }

    /// `way`: from the included set to the one that includes it.
    fn circle(&self, include: Include<'_>, id: SetId, way: &[SetId]) -> Diagnostic {
        let name = |id: &SetId| self.sets.get(id.index()).map_or("", |set| set.name);
        let mut names: Vec<&str> = std::iter::once(&id).chain(way).map(name).collect();
        let left = names.len().saturating_sub(SHOWN);
        let more = format!("({left} more)");
        if left > 1 {
            names.splice(SHOWN - 1..names.len() - 1, [more.as_str()]);
        }
        let headline = format!("the set `{}` includes itself: {}", name(&id), names.join(" → "));
        Diagnostic::new(Code::IncludeCycle, include.span, headline).help("remove one of the includes")
    }

    fn unknown(&mut self, include: Include<'_>) -> Diagnostic {
        let headline = format!("there is no set `{}`", include.name);
        let diagnostic = Diagnostic::new(Code::UnknownSet, include.span, headline);
        // The name of a set is that of its file, without the suffix.
        let stem = include.name.strip_suffix(".limits");
        if let Some((stem, _)) = stem.and_then(|stem| self.ids.get_key_value(stem)) {
            self.meant.insert(stem);
            return diagnostic
                .help(format!("write the name of the set without its suffix: `{stem}`"))
                .fix(include.span, include.written(stem));
        }
        let near = self.comparisons.checked_sub(self.sets.len()).and_then(|left| {
            self.comparisons = left;
            nearest(include.name, self.sets.iter().map(|set| set.name))
        });
        self.meant.extend(near);
        match near {
            Some(near) => diagnostic
                .help(format!("did you mean `{near}`?"))
                .fix(include.span, include.written(near)),
            None => diagnostic.help(format!(
                "a set is a file: `{}.limits` in the policy directory",
                stem.unwrap_or(include.name)
            )),
        }
    }
}

impl<'a> Set<'a> {
    fn includes(&self) -> impl Iterator<Item = (Include<'a>, Option<SetId>)> {
        self.items.iter().filter_map(|item| match item {
            Item::Include(include, id) => Some((*include, *id)),
            Item::Line(_) => None,
        })
    }
}
