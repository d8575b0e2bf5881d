//! Changes policy files: adds tokens and edits their sections. All other bytes stay, a change is atomic, and concurrent
//! editors lose nothing.
//!
//! Editors that use this module wait for each other at an advisory lock on the policy directory, which leaves no lock
//! file in git. To detect other writers (a text editor, `git pull`), the file is compared with its earlier content
//! immediately before it is replaced. If it changed, nothing is written.

use std::collections::HashMap;
use std::fs::{self, File};
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use tokenward_compiler::diagnostic::nearest;
use tokenward_compiler::source::{Links, SourceKind, SourceSet, Span};

mod entry;
mod error;
mod section;

pub(crate) use entry::entry;
pub use entry::{NewToken, Users};
pub use error::EditError;
pub use section::{Change, Key};
pub(crate) use section::{Section, sections};

use crate::git;
use crate::ownership::{WriteError, write_version};

/// One change in progress. It holds the policy directory's lock until it is dropped.
#[derive(Debug)]
pub struct Edit {
    /// Path of the file, links resolved.
    path: PathBuf,
    /// Path below the policy directory, with `/`.
    relative: String,
    before: Option<String>,
    sources: SourceSet,
    _lock: File,
}

/// A prepared change that is not written yet.
#[derive(Debug)]
pub struct Prepared {
    edit: Edit,
    after: String,
}

impl Edit {
    /// Waits for other editors, then reads `directory` with all below it and `file` in it, which may be absent.
    ///
    /// # Errors
    /// The directory or the file cannot be read, or the file is not a policy file of that directory.
    pub fn begin(directory: &Path, file: &Path) -> Result<Self, EditError> {
        let lock = lock(directory)?;
        let root = fs::canonicalize(directory).map_err(io("find", directory))?;
        let path = resolve(file)?;
        let relative = relative(&root, &path).ok_or_else(|| EditError::Elsewhere {
            file: file.to_owned(),
            directory: directory.to_owned(),
        })?;
        let named = SourceSet::from_files([(relative.clone(), String::new())]);
        match named.iter().next().map(|(_, source)| source.kind) {
            Some(SourceKind::Tokens) => {}
            Some(SourceKind::Invariants | SourceKind::Reviewed) => {
                return Err(EditError::NotForTokens(file.to_owned()));
            }
            _ => return Err(EditError::NotAPolicyFile(file.to_owned())),
        }
        Self::of(lock, directory, path, relative)
    }

    /// Waits for other editors, then reads `directory` with all below it, and finds the file that has the token `name`.
    ///
    /// # Errors
    /// The directory cannot be read, or the token is missing or ambiguous.
    pub fn of_token(directory: &Path, name: &str) -> Result<Self, EditError> {
        let lock = lock(directory)?;
        let root = fs::canonicalize(directory).map_err(io("find", directory))?;
        let sources = SourceSet::read_dir(directory, Links::WithinDirectory)?;
        let mut found = Vec::new();
        let mut names = Vec::new();
        for (_, source) in sources
            .iter()
            .filter(|(_, source)| source.kind == SourceKind::Tokens)
        {
            for section in sections(&source.text).unwrap_or_default() {
                if section.name.as_deref() == Some(name) {
                    found.push(source.path.clone());
                }
                names.extend(section.name);
            }
        }
        match found.as_slice() {
            [relative] => {
                let path = resolve(&root.join(relative))?;
                Self::of(lock, directory, path, relative.clone())
            }
            [] => {
                // An unreadable file may be the one that has the token.
                for (_, source) in sources.iter() {
                    readable(&source.text, &root.join(&source.path))?;
                }
                Err(EditError::NoSuchToken {
                    name: name.to_owned(),
                    directory: directory.to_owned(),
                    near: nearest(name, names.iter().map(String::as_str)).map(str::to_owned),
                })
            }
            _ => Err(EditError::Ambiguous(name.to_owned())),
        }
    }

    /// Waits for other editors of `directory`, then reads any policy file in it.
    ///
    /// # Errors
    /// The directory or the file cannot be read, or git or a person left it half done.
    pub(crate) fn of_file(directory: &Path, file: &Path) -> Result<Self, EditError> {
        let lock = lock(directory)?;
        let path = resolve(file)?;
        refuse_half_done(directory)?;
        let before = read(&path)?;
        if git::has_conflict(before.as_deref().unwrap_or_default()) {
            return Err(EditError::Conflict(path));
        }
        Ok(Self {
            before,
            relative: String::new(),
            path,
            sources: SourceSet::default(),
            _lock: lock,
        })
    }

    fn of(lock: File, directory: &Path, path: PathBuf, relative: String) -> Result<Self, EditError> {
        let before = read(&path)?;
        refuse_half_done(directory)?;
        readable(before.as_deref().unwrap_or_default(), &path)?;
        Ok(Self {
            before,
            path,
            relative,
            sources: SourceSet::read_dir(directory, Links::WithinDirectory)?,
            _lock: lock,
        })
    }

    /// Path of the file, links resolved.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The names that tokens of the policy have, each with its file's path below the policy directory.
    #[must_use]
    pub fn names(&self) -> HashMap<String, String> {
        let sources = self.sources.iter();
        let names = sources.flat_map(|(_, source)| {
            let file = &source.path;
            let sections = sections(&source.text).unwrap_or_default();
            let names = sections.into_iter().filter_map(|section| section.name);
            names.map(move |name| (name, file.clone()))
        });
        names.collect()
    }

    /// Prepares the file with `token` appended.
    ///
    /// # Errors
    /// The name is taken, or the token or the file has a form that does not allow it.
    pub fn with_token(self, token: &NewToken) -> Result<Prepared, EditError> {
        self.with_tokens(std::slice::from_ref(token))
    }

    /// Prepares the file with `tokens` appended, in their order.
    ///
    /// # Errors
    /// A name is taken, or a token or the file has a form that does not allow it.
    pub fn with_tokens(self, tokens: &[NewToken]) -> Result<Prepared, EditError> {
        let taken = self.names();
        if let Some((name, file)) = tokens.iter().find_map(|token| taken.get_key_value(&token.name)) {
            return Err(EditError::NameTaken {
                name: name.clone(),
                file: file.clone(),
            });
        }
        let before = self.before.as_deref().unwrap_or_default();
        sections(before).map_err(|unfit| unfit.at(&self.path))?;
        let entries: Result<Vec<String>, EditError> = tokens.iter().map(entry).collect();
        let after = appended(before, &entries?.join("\n"));
        Ok(Prepared { edit: self, after })
    }

    /// Prepares the file with another text, if it still has the text `before`.
    ///
    /// # Errors
    /// Another program changed the file.
    pub(crate) fn replacing(self, before: &str, after: String) -> Result<Prepared, EditError> {
        if self.before.as_deref() != Some(before) {
            return Err(EditError::Changed(self.path));
        }
        Ok(Prepared { edit: self, after })
    }

    /// Prepares the file without a change, for changes to be made in it.
    #[must_use]
    pub fn unchanged(self) -> Prepared {
        let after = self.before.clone().unwrap_or_default();
        Prepared { edit: self, after }
    }
}

impl Prepared {
    /// Gives the policy after the change, so that the compiler can check it before anything is written.
    #[must_use]
    pub fn sources(&self) -> SourceSet {
        let others = self
            .edit
            .sources
            .iter()
            .filter(|(_, source)| source.path != self.edit.relative);
        let others = others.map(|(_, source)| (source.path.clone(), source.text.clone()));
        SourceSet::sharing(others.chain([(self.edit.relative.clone(), self.after.as_str().into())]))
    }

    /// Makes the changes in the section of the token `name`, one after the other.
    ///
    /// # Errors
    /// The file has no such token, the new name is taken, or a line cannot be written to a file.
    pub fn with(mut self, name: &str, changes: &[Change]) -> Result<Self, EditError> {
        let mut name = name.to_owned();
        for change in changes {
            if let Change::Text(Key::Name, new) = change
                && let Some(file) = self.edit.names().remove(new)
            {
                return Err(EditError::NameTaken {
                    name: new.clone(),
                    file,
                });
            }
            self.after = self.section(&name)?.with(&self.after, change)?;
            if let Change::Text(Key::Name, new) = change {
                name.clone_from(new);
            }
        }
        self.section(&name)?;
        Ok(self)
    }

    /// Gives the section of the token `name` after the change.
    pub(crate) fn section(&self, name: &str) -> Result<Section, EditError> {
        let sections = sections(&self.after).map_err(|unfit| unfit.at(&self.edit.path))?;
        let mut named = sections
            .into_iter()
            .filter(|section| section.name.as_deref() == Some(name));
        match (named.next(), named.next()) {
            (Some(section), None) => Ok(section),
            (Some(_), Some(_)) => Err(EditError::Ambiguous(name.to_owned())),
            (None, _) => Err(EditError::NoSuchToken {
                name: name.to_owned(),
                directory: self.edit.path.clone(),
                near: None,
            }),
        }
    }

    /// Returns a predicate: whether a span of [`Prepared::sources`] is in the section of one of the named tokens.
    pub(crate) fn sections_of(&self, names: &[&str]) -> impl Fn(&SourceSet, Span) -> bool {
        let all = sections(&self.after).unwrap_or_default();
        let named = all
            .into_iter()
            .filter(|section| section.name.as_deref().is_some_and(|name| names.contains(&name)));
        let ranges: Vec<_> = named.map(|section| section.range).collect();
        let file = self.edit.relative.clone();
        move |sources, place| {
            sources
                .get(place.source)
                .is_some_and(|source| source.path == file)
                && ranges.iter().any(|range| range.contains(&place.start))
        }
    }

    /// Path of the file, links resolved.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.edit.path
    }

    /// Gives the file's text after the change.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.after
    }

    /// Replaces the file atomically, keeps its owner, group, mode, ACL and extended attributes, and waits until it is on disk.
    ///
    /// # Errors
    /// The file changed since it was read, cannot be written, or cannot keep one of its attributes. It is unchanged then.
    pub fn commit(self) -> Result<(), EditError> {
        let Self { edit, after } = self;
        let path = &edit.path;
        let temporary = temporary_beside(path);
        let written = write_new(&temporary, &after, path).and_then(|()| {
            if read(path)? != edit.before {
                return Err(EditError::Changed(path.clone()));
            }
            fs::rename(&temporary, path).map_err(io("replace", path))
        });
        if written.is_err() {
            // The temporary file may not exist. The first error is the one to report.
            let _ = fs::remove_file(&temporary);
        }
        written?;
        let directory = path.parent().unwrap_or(path);
        let synced = File::open(directory).and_then(|directory| directory.sync_all());
        synced.map_err(io("bring to disk", directory))
    }
}

/// Opens the directory, and locks it against other editors until it is dropped.
fn lock(directory: &Path) -> Result<File, EditError> {
    let lock = File::open(directory).map_err(|error| match error.kind() {
        ErrorKind::NotFound => EditError::NoDirectory(directory.to_owned()),
        _ => io("open the policy directory", directory)(error),
    })?;
    if !directory.is_dir() {
        return Err(EditError::Compiled(directory.to_owned()));
    }
    lock.lock().map_err(io("lock the policy directory", directory))?;
    Ok(lock)
}

/// Refuses a repository with an operation in progress, whose end would overwrite the change or conflict with it.
fn refuse_half_done(directory: &Path) -> Result<(), EditError> {
    let directory = fs::canonicalize(directory).map_err(io("find", directory))?;
    match git::half_done(&directory) {
        None => Ok(()),
        Some(git::HalfDone {
            repository,
            what,
            command,
        }) => Err(EditError::HalfDone {
            repository,
            what,
            command,
        }),
    }
}

/// Refuses a file that git, or a person, left half done, since nothing can be found in it.
fn readable(text: &str, path: &Path) -> Result<(), EditError> {
    if git::has_conflict(text) {
        return Err(EditError::Conflict(path.to_owned()));
    }
    if path.extension().is_some_and(|extension| extension == "toml") {
        sections(text).map_err(|unfit| unfit.at(path))?;
    }
    Ok(())
}

/// Appends `entry` to `before` after one empty line, with the line ends of `before`.
fn appended(before: &str, entry: &str) -> String {
    let end = if before.contains("\r\n") { "\r\n" } else { "\n" };
    let gap = if before.is_empty() {
        ""
    } else if before.ends_with('\n') {
        end
    } else {
        &end.repeat(2)
    };
    format!("{before}{gap}{}", entry.replace('\n', end))
}

/// Resolves links to the file itself, or gives the path that a new file will have in its directory.
fn resolve(file: &Path) -> Result<PathBuf, EditError> {
    match fs::canonicalize(file) {
        Ok(path) => return Ok(path),
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(io("find", file)(error)),
        Err(_) => {}
    }
    let directory = file
        .parent()
        .filter(|parent| !parent.as_os_str().is_empty())
        .unwrap_or(Path::new("."));
    let directory = fs::canonicalize(directory).map_err(io("find the directory of", file))?;
    match file.file_name() {
        Some(name) => Ok(directory.join(name)),
        None => Err(EditError::NotAPolicyFile(file.to_owned())),
    }
}

fn relative(root: &Path, path: &Path) -> Option<String> {
    let parts: Option<Vec<&str>> = path
        .strip_prefix(root)
        .ok()?
        .iter()
        .map(|part| part.to_str())
        .collect();
    Some(parts?.join("/"))
}

fn read(path: &Path) -> Result<Option<String>, EditError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(io("read", path)(error)),
    }
}

/// Path of the temporary file. It is in the same directory, so that the rename is atomic; its leading dot keeps it from
/// being read as a policy.
fn temporary_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.tokenward-{}", std::process::id()))
}

fn write_new(temporary: &Path, text: &str, model: &Path) -> Result<(), EditError> {
    write_version(temporary, text.as_bytes(), model).map_err(|error| match error {
        WriteError::Io(error) => io("write", temporary)(error),
        source @ WriteError::NotKept { .. } => EditError::NotKept {
            path: model.to_owned(),
            source,
        },
    })
}

fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> EditError {
    let path = path.to_owned();
    move |source| EditError::Io { doing, path, source }
}

#[cfg(test)]
mod tests;
