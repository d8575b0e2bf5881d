//! Named sets: files of lines that tokens, and other sets, include.

use std::collections::{BTreeMap, HashSet};

use crate::{
    check::included_twice,
    diagnostic::{Code, Diagnostic, nearest},
    source::{SourceKind, SourceSet, Span},
    tokens::{At, split_lines},
};

/// A line of a set that takes in another: `@include jira-read`.
const INCLUDE: &str = "@include";
/// Sets within sets.
const MAX_DEPTH: usize = 32;

/// All sets by name.
pub(super) struct Sets<'a> {
    sets: BTreeMap<&'a str, Set>,
    used: HashSet<&'a str>,
}

struct Set {
    /// The start of its file.
    span: Span,
    items: Vec<Item>,
}

enum Item {
    Line(Span),
    Include(At<String>),
}

pub(super) fn read<'a>(sources: &'a SourceSet, diagnostics: &mut Vec<Diagnostic>) -> Sets<'a> {
    let mut sets: BTreeMap<&str, Set> = BTreeMap::new();
    for (id, source) in sources
        .iter()
        .filter(|(_, source)| source.kind == SourceKind::Limits)
    {
        let span = Span {
            source: id,
            start: 0,
            end: source.text.find('\n').unwrap_or(source.text.len()),
        };
        let start = source.text.len() - source.body().len();
        let items = split_lines(id, &source.text, start..source.text.len())
            .lines
            .into_iter()
            .map(|line| item(sources, line))
            .collect();
        if let Some(first) = sets.get(source.set_name()) {
            let headline = format!("two files define the set `{}`", source.set_name());
            diagnostics.push(
                Diagnostic::new(Code::DuplicateName, span, headline)
                    .related(first.span, "the other")
                    .help("a set's name is its file's, whatever the directory; rename one"),
            );
            continue;
        }
        sets.insert(source.set_name(), Set { span, items });
    }
    let sets = Sets {
        sets,
        used: HashSet::new(),
    };
    sets.check_includes(diagnostics);
    sets
}

fn item(sources: &SourceSet, line: Span) -> Item {
    match sources.text(line).strip_prefix(INCLUDE) {
        Some(name) if name.starts_with([' ', '\t']) => {
            let at = INCLUDE.len() + (name.len() - name.trim_start().len());
            Item::Include(At {
                value: name.trim().to_owned(),
                span: line.part(at..line.end - line.start),
            })
        }
        _ => Item::Line(line),
    }
}

/// Refuses an `@include` where it is none: as a regexp it would match nothing, and whoever wrote it believes that the set's
/// lines hold.
pub(super) fn refuse_include(sources: &SourceSet, line: Span) -> Result<(), Box<Diagnostic>> {
    let text = sources.text(line);
    let forbidden = text.strip_prefix('!').unwrap_or(text);
    if !forbidden.trim_start().starts_with(INCLUDE) {
        return Ok(());
    }
    let headline = "`@include` where it takes in nothing";
    Err(Box::new(Diagnostic::new(Code::LineSyntax, line, headline).help(
        "write `@include NAME` in a line of its own in a `*.limits` file; a token has the key `include`, and an invariant its own lines",
    )))
}

impl<'a> Sets<'a> {
    /// The lines of the named sets, each set once. The lines of an `@include` come before the lines after it.
    pub(super) fn lines_of(&mut self, names: &[At<String>], diagnostics: &mut Vec<Diagnostic>) -> Vec<Span> {
        let (mut lines, mut seen) = (Vec::new(), HashSet::new());
        for name in names {
            match self.sets.get_key_value(name.value.as_str()) {
                Some((&known, _)) => self.collect(known, &mut seen, &mut lines, 0),
                None => diagnostics.push(self.unknown(name)),
            }
        }
        self.used.extend(seen);
        lines
    }

    fn collect(&self, name: &'a str, seen: &mut HashSet<&'a str>, lines: &mut Vec<Span>, depth: usize) {
        if depth > MAX_DEPTH || !seen.insert(name) {
            return;
        }
        for item in self.sets.get(name).iter().flat_map(|set| &set.items) {
            match item {
                Item::Line(line) => lines.push(*line),
                Item::Include(include) => {
                    if let Some((&known, _)) = self.sets.get_key_value(include.value.as_str()) {
                        self.collect(known, seen, lines, depth + 1);
                    }
                }
            }
        }
    }

    /// The redundant names, each with the name that already includes its set.
    pub(super) fn included_twice<'b>(
        &self,
        names: &'b [At<String>],
    ) -> Vec<(&'b At<String>, &'b At<String>)> {
        let known = names
            .iter()
            .enumerate()
            .filter(|(_, name)| self.sets.contains_key(name.value.as_str()));
        let twice = known.filter_map(|(at, name)| {
            let other = names.iter().enumerate().find(|(other, by)| {
                let same = by.value == name.value;
                *other != at
                    && if same {
                        *other < at
                    } else {
                        self.way(&by.value, &name.value).is_some()
                    }
            });
            other.map(|(_, by)| (name, by))
        });
        twice.collect()
    }

    /// The lines of sets that no token reached.
    pub(super) fn unused(&self, diagnostics: &mut Vec<Diagnostic>) -> Vec<Span> {
        let unused = self.sets.iter().filter(|(name, _)| !self.used.contains(*name));
        unused
            .flat_map(|(name, set)| {
                let headline = format!("no token includes the set `{name}`");
                diagnostics.push(Diagnostic::new(Code::UnusedSet, set.span, headline));
                set.items.iter().filter_map(|item| match item {
                    Item::Line(line) => Some(*line),
                    Item::Include(_) => None,
                })
            })
            .collect()
    }

    fn unknown(&self, name: &At<String>) -> Diagnostic {
        let diagnostic = Diagnostic::new(
            Code::UnknownSet,
            name.span,
            format!("there is no set `{}`", name.value),
        );
        match nearest(&name.value, self.sets.keys().copied()) {
            Some(near) => diagnostic.help(format!("did you mean `{near}`?")),
            None => diagnostic.help(format!(
                "a set is a file: `{}.limits` in the policy directory",
                name.value
            )),
        }
    }

    /// Names that lead nowhere, and circles, found once a set, not once a token.
    fn check_includes(&self, diagnostics: &mut Vec<Diagnostic>) {
        for (&name, set) in &self.sets {
            let includes: Vec<At<String>> = set
                .items
                .iter()
                .filter_map(|item| match item {
                    Item::Include(include) => Some(include.clone()),
                    Item::Line(_) => None,
                })
                .collect();
            included_twice::check(&self.included_twice(&includes), diagnostics);
            for include in &includes {
                if !self.sets.contains_key(include.value.as_str()) {
                    diagnostics.push(self.unknown(include));
                } else if let Some(circle) = self.way(&include.value, name) {
                    let headline = format!("the set `{name}` includes itself: {}", circle.join(" → "));
                    diagnostics.push(
                        Diagnostic::new(Code::IncludeCycle, include.span, headline)
                            .help("take one of the includes out"),
                    );
                }
            }
        }
    }

    /// The names on the way of includes from `from` to `to`, both included.
    fn way<'b>(&'b self, from: &'b str, to: &str) -> Option<Vec<&'b str>> {
        let mut seen = HashSet::from([from]);
        let mut open = vec![vec![from]];
        while let Some(way) = open.pop() {
            let last = *way.last()?;
            if last == to {
                return Some(std::iter::once(last).chain(way).collect());
            }
            for item in self.sets.get(last).iter().flat_map(|set| &set.items) {
                if let Item::Include(include) = item
                    && seen.insert(&include.value)
                {
                    open.push(way.iter().copied().chain([include.value.as_str()]).collect());
                }
            }
        }
        None
    }
}
