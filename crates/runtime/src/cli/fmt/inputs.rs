//! The files that the command line names.

use std::fs;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tokenward_compiler::source::{Links, SourceKind, SourceSet};

use super::super::failure::Failure;
use super::super::settings::ConfigArg;
use super::change::Change;
use crate::authoring::edit::Edit;
use crate::git;

/// Name of standard input, if none is given.
const STANDARD: &str = "stdin.toml";

/// Files that are formatted and proved together.
pub(super) struct Input {
    pub(super) sources: SourceSet,
    place: Where,
}

enum Where {
    /// All files of a policy directory.
    Directory(PathBuf),
    /// One file of a policy directory, by its path below it.
    Within(PathBuf, String),
    /// A file by itself.
    Alone(PathBuf),
    /// Standard input, as the text of the file at this path of the sources.
    Standard(String),
}

impl Input {
    pub(super) fn is_standard(&self) -> bool {
        matches!(self.place, Where::Standard(_))
    }

    /// Whether the file at a path of the sources is to be formatted; the others of its directory only serve the proof.
    pub(super) fn selects(&self, path: &str) -> bool {
        match &self.place {
            Where::Within(_, file) | Where::Standard(file) => file == path,
            Where::Directory(_) | Where::Alone(_) => true,
        }
    }

    /// The text of an input of one file.
    pub(super) fn text(&self) -> String {
        let mut selected = self
            .sources
            .iter()
            .filter(|(_, source)| self.selects(&source.path));
        let first = selected.next();
        first.map_or_else(String::new, |(_, source)| source.text.to_string())
    }

    /// Writes a changed file, unless another program changed it since it was read.
    pub(super) fn write(&self, change: &Change) -> Result<(), Failure> {
        let file = match &self.place {
            Where::Directory(directory) | Where::Within(directory, _) => directory.join(&change.path),
            Where::Alone(file) => file.clone(),
            Where::Standard(_) => return Ok(()),
        };
        let directory = match &self.place {
            Where::Directory(directory) | Where::Within(directory, _) => directory.as_path(),
            _ => parent(&file),
        };
        let edit = Edit::of_file(directory, &file).map_err(unfit)?;
        let prepared = edit.replacing(&change.before, change.after.clone());
        Ok(prepared.and_then(|prepared| prepared.commit())?)
    }
}

/// A repository in the middle of a merge is not a finding about the format.
fn unfit(error: crate::authoring::edit::EditError) -> Failure {
    match Failure::from(error) {
        Failure::Findings(why) => Failure::Trouble(why),
        other => other,
    }
}

/// Reads what the command line names, otherwise the configuration's directory.
pub(super) fn read(paths: &[PathBuf], name: Option<&str>, config: &ConfigArg) -> Result<Vec<Input>, Failure> {
    if name.is_some() && !paths.iter().any(|path| is_standard(path)) {
        return Err(Failure::Usage(
            "`--stdin-name` names standard input; add the path `-`".to_owned(),
        ));
    }
    if paths.is_empty() {
        return Ok(vec![directory(&config.or_default()?.policies)?]);
    }
    let policies = policies(paths, config);
    let mut inputs = Vec::new();
    for path in paths {
        inputs.push(if is_standard(path) {
            standard(name.unwrap_or(STANDARD), policies.as_deref())?
        } else if path.is_dir() {
            directory(path)?
        } else {
            file(path, policies.as_deref())?
        });
    }
    Ok(inputs)
}

fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

/// The configuration's policy directory, if a file or standard input is named and there is such a directory.
fn policies(paths: &[PathBuf], config: &ConfigArg) -> Option<PathBuf> {
    if paths.iter().all(|path| path.is_dir()) {
        return None;
    }
    let has_file = config.is_named() || config.path().is_file();
    let directory = if has_file {
        config.or_default().ok()?.policies
    } else {
        crate::config::Config::default().policies
    };
    directory.is_dir().then_some(directory)
}

fn directory(path: &Path) -> Result<Input, Failure> {
    let sources =
        SourceSet::read_dir(path, Links::Refuse).map_err(|error| Failure::Usage(error.to_string()))?;
    let sources = sources.below(&path.to_string_lossy());
    if sources.iter().next().is_none() {
        return Err(Failure::Usage(format!(
            "`{}` has no policy files; policies are `*.toml` and `*.limits` in it or below it",
            path.display()
        )));
    }
    for (_, source) in sources.iter() {
        refuse_conflict(&source.text, &sources.shown(&source.path))?;
    }
    Ok(Input {
        sources,
        place: Where::Directory(path.to_owned()),
    })
}

/// A file, with the policy that it belongs to if that is the configuration's.
fn file(path: &Path, policies: Option<&Path>) -> Result<Input, Failure> {
    let unreadable = |error: io::Error| Failure::Usage(format!("cannot read `{}`: {error}", path.display()));
    let text = fs::read_to_string(path).map_err(unreadable)?;
    let named = path
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    let kind = kind_of(&named)?;
    if let Some((directory, sources, relative)) = within(path, policies)? {
        return Ok(Input {
            sources,
            place: Where::Within(directory.to_owned(), relative),
        });
    }
    refuse_conflict(&text, &path.to_string_lossy())?;
    Ok(Input {
        sources: SourceSet::single(path.to_string_lossy().into_owned(), &text, kind),
        place: Where::Alone(path.to_owned()),
    })
}

/// The policy that a file is in, with the file's path below its directory, if it is the configuration's.
fn within<'d>(
    path: &Path,
    policies: Option<&'d Path>,
) -> Result<Option<(&'d Path, SourceSet, String)>, Failure> {
    let Some(directory) = policies else {
        return Ok(None);
    };
    let (Ok(root), Ok(whole)) = (directory.canonicalize(), path.canonicalize()) else {
        return Ok(None);
    };
    let Ok(below) = whole.strip_prefix(&root) else {
        return Ok(None);
    };
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    let relative = parts.join("/");
    let Input { sources, .. } = self::directory(directory)?;
    let is_there = sources.iter().any(|(_, source)| source.path == relative);
    Ok(is_there.then_some((directory, sources, relative)))
}

/// Standard input. If its name is that of a file of the policy, it is formatted and proved together with the other files.
fn standard(name: &str, policies: Option<&Path>) -> Result<Input, Failure> {
    let file = Path::new(name).file_name().unwrap_or_default();
    let kind = kind_of(&file.to_string_lossy())?;
    let mut text = String::new();
    io::stdin()
        .lock()
        .read_to_string(&mut text)
        .map_err(|error| Failure::Usage(format!("cannot read standard input: {error}")))?;
    refuse_conflict(&text, "-")?;
    if let Some((_, sources, relative)) = within(Path::new(name), policies)? {
        let found = sources.iter().find(|(_, source)| source.path == relative);
        if let Some(id) = found.map(|(id, _)| id) {
            return Ok(Input {
                sources: sources.replaced(id, &text),
                place: Where::Standard(relative),
            });
        }
    }
    Ok(Input {
        sources: SourceSet::single(name.to_owned(), &text, kind),
        place: Where::Standard(name.to_owned()),
    })
}

fn kind_of(name: &str) -> Result<SourceKind, Failure> {
    SourceKind::of(name).ok_or_else(|| {
        Failure::Usage(format!(
            "`{name}` is not the name of a policy file; policies are `*.toml` and `*.limits`"
        ))
    })
}

/// The marks of a conflict would be lines of a set.
fn refuse_conflict(text: &str, shown: &str) -> Result<(), Failure> {
    if git::has_conflict(text) {
        return Err(Failure::Usage(format!(
            "`{shown}` has conflict markers (<<<<<<<); resolve the conflict and run the command again"
        )));
    }
    Ok(())
}

fn parent(file: &Path) -> &Path {
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    }
}
