//! The files that the command line names.

use std::collections::HashSet;
use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use tokenward_compiler::source::{Links, SourceKind, SourceSet, TESTS, limits};

use super::super::failure::Failure;
use super::super::settings::ConfigArg;
use super::change::Change;
use super::policy;
use crate::authoring::edit::Edit;
use crate::git;

/// Name of standard input, if none is given.
const STANDARD: &str = "stdin.toml";

/// Files that are formatted and proved together.
pub(super) struct Input {
    pub(super) sources: SourceSet,
    /// Paths of the files to format; the others only serve the proof.
    selected: HashSet<String>,
    place: Where,
}

enum Where {
    /// Files of a policy directory.
    Directory(PathBuf),
    /// A file by itself.
    Alone(PathBuf),
    /// Standard input.
    Standard,
}

impl Input {
    pub(super) fn is_standard(&self) -> bool {
        matches!(self.place, Where::Standard)
    }

    /// Whether the file at a path of the sources is to be formatted.
    pub(super) fn selects(&self, path: &str) -> bool {
        self.selected.contains(path)
    }

    /// Selects the file at a path of the sources, or all below it; whether there are any.
    fn select(&mut self, relative: &str) -> bool {
        let directory = format!("{relative}/");
        let is_here = |path: &str| relative.is_empty() || path == relative || path.starts_with(&directory);
        let paths = self.sources.iter().map(|(_, source)| source.path.as_str());
        let found: Vec<String> = paths.filter(|path| is_here(path)).map(str::to_owned).collect();
        let is_any = !found.is_empty();
        self.selected.extend(found);
        is_any
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
        let Some(file) = self.file(&change.path) else {
            return Ok(());
        };
        let directory = match &self.place {
            Where::Directory(directory) => directory.as_path(),
            _ => parent(&file),
        };
        let edit = Edit::of_file(directory, &file).map_err(unfit)?;
        let prepared = edit.replacing(&change.before, change.after.clone());
        Ok(prepared.and_then(|prepared| prepared.commit())?)
    }

    /// The file at a path of the sources.
    fn file(&self, path: &str) -> Option<PathBuf> {
        match &self.place {
            Where::Directory(directory) => Some(directory.join(path)),
            Where::Alone(file) => Some(file.clone()),
            Where::Standard => None,
        }
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
    let policies = policy::configured(config)?;
    let mut inputs = Vec::new();
    for path in paths {
        if !is_standard(path) {
            add(&mut inputs, path, policies.as_deref())?;
        } else if !inputs.iter().any(Input::is_standard) {
            inputs.push(standard(name.unwrap_or(STANDARD), policies.as_deref())?);
        }
    }
    Ok(without_repetitions(inputs))
}

fn is_standard(path: &Path) -> bool {
    path == Path::new("-")
}

/// Adds a file or a directory to the input of its policy.
fn add(inputs: &mut Vec<Input>, path: &Path, policies: Option<&Path>) -> Result<(), Failure> {
    let is_directory = check(path)?;
    let Some(place) = policy::of(path, policies)? else {
        inputs.push(alone(path)?);
        return Ok(());
    };
    let root = place.directory.canonicalize().ok();
    let is_root = |input: &&mut Input| match &input.place {
        Where::Directory(directory) => root.is_some() && directory.canonicalize().ok() == root,
        _ => false,
    };
    if let Some(input) = inputs.iter_mut().find(is_root)
        && input.select(&place.relative)
    {
        return Ok(());
    }
    let mut input = directory(&place.directory)?;
    input.selected.clear();
    if input.select(&place.relative) {
        inputs.push(input);
    } else if is_directory {
        return Err(no_files(path));
    } else {
        inputs.push(alone(path)?);
    }
    Ok(())
}

/// Whether a path is a directory.
///
/// # Errors
/// It is neither a directory nor a policy file of acceptable size. A policy has no links, and opening a pipe would wait for a writer.
fn check(path: &Path) -> Result<bool, Failure> {
    let refused = |why: &str| Err(Failure::Usage(format!("cannot read `{}`: {why}", path.display())));
    // Without a slash at the end, which would follow a link.
    let plain: PathBuf = path.components().collect();
    let found = match fs::symlink_metadata(plain) {
        Ok(found) => found,
        Err(error) => return refused(&error.to_string()),
    };
    if found.is_symlink() {
        return refused("it is a link, and policies have no links; name the file that it leads to");
    }
    if found.is_dir() {
        return Ok(true);
    }
    kind_of(&path.file_name().unwrap_or_default().to_string_lossy())?;
    if !found.is_file() {
        return refused("not a regular file");
    }
    if found.len() > limits::FILE_BYTES {
        return refused(&format!("it has more than {} bytes", limits::FILE_BYTES));
    }
    Ok(false)
}

/// Each file once, although several paths lead to it.
fn without_repetitions(inputs: Vec<Input>) -> Vec<Input> {
    let mut seen = HashSet::new();
    let mut all = Vec::new();
    for mut input in inputs {
        let mut selected = std::mem::take(&mut input.selected);
        selected.retain(|path| {
            let file = input.file(path);
            file.is_none_or(|file| seen.insert(file.canonicalize().unwrap_or(file)))
        });
        if !selected.is_empty() {
            all.push(Input { selected, ..input });
        }
    }
    all
}

fn directory(path: &Path) -> Result<Input, Failure> {
    let sources =
        SourceSet::read_dir(path, Links::Refuse).map_err(|error| Failure::Usage(error.to_string()))?;
    let sources = sources.below(&path.to_string_lossy());
    if sources.iter().next().is_none() {
        return Err(no_files(path));
    }
    for (_, source) in sources.iter() {
        refuse_conflict(&source.text, &sources.shown(&source.path))?;
    }
    let paths = sources.iter().map(|(_, source)| source.path.clone());
    Ok(Input {
        selected: paths.collect(),
        sources,
        place: Where::Directory(path.to_owned()),
    })
}

fn no_files(path: &Path) -> Failure {
    Failure::Usage(format!(
        "`{}` has no policy files; policies are `*.toml` and `*.limits` in it or below it",
        path.display()
    ))
}

/// A file by itself.
fn alone(path: &Path) -> Result<Input, Failure> {
    let shown = path.to_string_lossy().into_owned();
    let text = File::open(path).and_then(read_whole);
    let text = text.map_err(|error| Failure::Usage(format!("cannot read `{shown}`: {error}")))?;
    let mut kind = kind_of(&path.file_name().unwrap_or_default().to_string_lossy())?;
    if path
        .parent()
        .is_some_and(|parent| parent.iter().any(|part| part == TESTS))
    {
        kind = SourceKind::Tests;
    }
    refuse_conflict(&text, &shown)?;
    Ok(Input {
        sources: SourceSet::single(shown.clone(), &text, kind),
        selected: HashSet::from([shown]),
        place: Where::Alone(path.to_owned()),
    })
}

/// Reads a text that is not larger than a file of a policy.
fn read_whole(from: impl Read) -> io::Result<String> {
    let mut text = String::new();
    from.take(limits::FILE_BYTES + 1).read_to_string(&mut text)?;
    if text.len() as u64 > limits::FILE_BYTES {
        let why = format!("it has more than {} bytes", limits::FILE_BYTES);
        return Err(io::Error::new(io::ErrorKind::InvalidData, why));
    }
    Ok(text)
}

/// Standard input. If its name is that of a file of the policy, it is formatted and proved together with the other files.
fn standard(name: &str, policies: Option<&Path>) -> Result<Input, Failure> {
    let file = Path::new(name).file_name().unwrap_or_default();
    let kind = kind_of(&file.to_string_lossy())?;
    let text = read_whole(io::stdin().lock())
        .map_err(|error| Failure::Usage(format!("cannot read standard input: {error}")))?;
    refuse_conflict(&text, "-")?;
    let is_file = fs::symlink_metadata(name).is_ok_and(|found| found.is_file());
    let place = if is_file {
        policy::of(Path::new(name), policies)?
    } else {
        None
    };
    if let Some(place) = place {
        let Input { sources, .. } = directory(&place.directory)?;
        let found = sources.iter().find(|(_, source)| source.path == place.relative);
        if let Some(id) = found.map(|(id, _)| id) {
            return Ok(Input {
                sources: sources.replaced(id, &text),
                selected: HashSet::from([place.relative]),
                place: Where::Standard,
            });
        }
    }
    Ok(Input {
        sources: SourceSet::single(name.to_owned(), &text, kind),
        selected: HashSet::from([name.to_owned()]),
        place: Where::Standard,
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
