//! Sets of lines: where they are defined and included, and their new names.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    ops::Range,
};

use tokenward_compiler::source::SourceKind;

use crate::{
    outline::{blocks, strings},
    workspace::Workspace,
};

/// The word that includes a set in a set.
const INCLUDE: &str = "@include";
/// Lines of sets that an explanation looks at.
const MOST_LINES: usize = 1_000;

/// A place that names a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Use {
    pub(crate) file: String,
    pub(crate) range: Range<usize>,
    pub(crate) name: String,
}

/// The sets of a policy.
#[derive(Debug, Default)]
pub(crate) struct Sets {
    /// The files of each set; more than one is an error of the policy.
    pub(crate) files: BTreeMap<String, Vec<String>>,
    pub(crate) uses: Vec<Use>,
    lines: HashMap<String, Vec<String>>,
}

impl Sets {
    /// Reads all files of a policy.
    pub(crate) fn of(workspace: &mut Workspace) -> Self {
        let mut sets = Self::default();
        let all = workspace.outlines();
        let sources = std::sync::Arc::clone(workspace.sources());
        for (_, source) in sources
            .iter()
            .filter(|(_, source)| source.kind == SourceKind::Limits)
        {
            let name = source.set_name().to_owned();
            sets.files
                .entry(name.clone())
                .or_default()
                .push(source.path.clone());
            let lines = source.body().lines().map(|line| line.trim().to_owned());
            sets.lines.insert(name, lines.collect());
        }
        for (path, kind, text, outline) in &all {
            match kind {
                SourceKind::Tokens => {
                    let includes = outline
                        .entries("include")
                        .filter(|(section, _)| section.name == "token");
                    for quoted in includes.flat_map(|(_, entry)| strings(text, entry.value.clone())) {
                        sets.add(path, text, quoted.inner);
                    }
                }
                SourceKind::Limits => {
                    for block in blocks(*kind, text, outline) {
                        for range in includes(text, block) {
                            sets.add(path, text, range);
                        }
                    }
                }
                _ => {}
            }
        }
        sets
    }

    fn add(&mut self, file: &str, text: &str, range: Range<usize>) {
        let name = text.get(range.clone()).unwrap_or_default().to_owned();
        self.uses.push(Use {
            file: file.to_owned(),
            range,
            name,
        });
    }

    /// The use at a byte of a file.
    pub(crate) fn use_at(&self, file: &str, at: usize) -> Option<&Use> {
        self.uses
            .iter()
            .find(|one| one.file == file && one.range.start <= at && at <= one.range.end)
    }

    /// The uses of a set.
    pub(crate) fn uses_of<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Use> {
        self.uses.iter().filter(move |one| one.name == name)
    }

    /// The forbid lines of some sets, with those that they include.
    pub(crate) fn forbids(&self, names: &[&str]) -> Vec<String> {
        let mut todo: Vec<&str> = names.to_vec();
        let (mut done, mut found) = (HashSet::new(), Vec::new());
        while let Some(name) = todo.pop() {
            if !done.insert(name) {
                continue;
            }
            for line in self.lines.get(name).into_iter().flatten() {
                if let Some(inner) = included(line) {
                    todo.push(inner);
                } else if line.starts_with('!') && found.len() < MOST_LINES {
                    found.push(line.clone());
                }
            }
        }
        found
    }
}

/// The name in a line `@include NAME`.
fn included(line: &str) -> Option<&str> {
    let name = line.strip_prefix(INCLUDE)?;
    name.starts_with([' ', '\t']).then(|| name.trim())
}

/// The names in the lines `@include NAME` of a block.
fn includes(text: &str, block: Range<usize>) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = block.start;
    for line in text.get(block).unwrap_or_default().split_inclusive('\n') {
        let name = included(line.trim_start_matches('\u{feff}').trim());
        if let Some(name) = name.filter(|name| !name.is_empty())
            && let Some(start) = line.rfind(name)
        {
            found.push(at + start..at + start + name.len());
        }
        at += line.len();
    }
    found
}

/// Reason why a set cannot have a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum NameFault {
    #[error("a set needs a name")]
    Empty,
    #[error(
        "`{0}` cannot be the name of a file; use letters, digits, `-`, `_` and `.`, with a letter or digit first"
    )]
    NoFile(String),
    #[error("there is a set `{0}` already; choose another name")]
    Taken(String),
    #[error("there is no set `{0}`, so it cannot be renamed; create `{0}.limits` first")]
    Absent(String),
    #[error("two files define the set `{0}`; remove one of them first")]
    Twice(String),
}

/// Checks the new name of a set.
pub(crate) fn check_name(sets: &Sets, old: &str, new: &str) -> Result<String, NameFault> {
    let new = new.trim();
    let new = new.strip_suffix(".limits").unwrap_or(new);
    if new.is_empty() {
        return Err(NameFault::Empty);
    }
    let is_plain = |character: char| character.is_alphanumeric() || "-_.".contains(character);
    if !new.starts_with(char::is_alphanumeric) || !new.chars().all(is_plain) || new.len() > 200 {
        return Err(NameFault::NoFile(new.to_owned()));
    }
    match sets.files.get(old).map(Vec::as_slice) {
        None | Some([]) => return Err(NameFault::Absent(old.to_owned())),
        Some([_]) => {}
        Some(_) => return Err(NameFault::Twice(old.to_owned())),
    }
    // File systems may not tell cases apart.
    let mut others = sets.files.keys().filter(|name| *name != old);
    if let Some(taken) = others.find(|name| name.to_lowercase() == new.to_lowercase()) {
        return Err(NameFault::Taken(taken.clone()));
    }
    Ok(new.to_owned())
}
