//! Adds a token to a policy file: every byte that stood there stays, the change is whole or not at all, and two
//! editors at once lose nothing.
//!
//! Editors that come through here wait for each other at an advisory lock on the policy directory, which leaves no
//! lock file in git. Against others (a text editor, `git pull`) the file is compared with what was read immediately
//! before it is replaced; if it changed, nothing is written.

use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use tokenward_compiler::source::{ReadDirError, SourceSet, Span};
use toml_edit::{DocumentMut, Item, Value};

/// A token to be written.
#[derive(Clone, Debug)]
pub struct NewToken {
    /// Its name, unique in the policy directory.
    pub name: String,
    /// Who may use it.
    pub users: Users,
    /// `sha256:` and hex.
    pub secret_hash: String,
    /// When it ends; absent: never.
    pub expires: Option<Timestamp>,
    /// Whom to ask about it.
    pub owner: Option<String>,
    /// What it is for.
    pub description: Option<String>,
    /// From where it works; empty: from anywhere.
    pub allowed_ips: Vec<String>,
    /// Names of sets.
    pub include: Vec<String>,
    /// Its own lines.
    pub lines: Vec<String>,
    /// Whether it has no limits.
    pub unrestricted: bool,
}

/// Who may use a token.
#[derive(Clone, Debug)]
pub enum Users {
    /// These.
    Named(Vec<String>),
    /// Whoever has the secret names himself.
    Any,
}

/// Why a policy file was not changed.
#[derive(Debug, thiserror::Error)]
pub enum EditError {
    /// A file or directory.
    #[error("cannot {doing} `{}`: {source}", .path.display())]
    Io {
        /// What was tried.
        doing: &'static str,
        /// Where.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// There is no policy directory.
    #[error("there is no policy directory `{}`; make it, or name another configuration with --config", .0.display())]
    NoDirectory(PathBuf),
    /// The policy directory cannot be read.
    #[error(transparent)]
    ReadDir(#[from] ReadDirError),
    /// The file is not below the policy directory.
    #[error("`{}` is not below the policy directory `{}`; choose a file there, or name another configuration with --config", .file.display(), .directory.display())]
    Elsewhere {
        /// The file.
        file: PathBuf,
        /// The policy directory.
        directory: PathBuf,
    },
    /// Policies are not read from a file of this name.
    #[error("policies are not read from `{}`; choose a name that ends in .toml and does not begin with a dot", .0.display())]
    NotAPolicyFile(PathBuf),
    /// The file's text is no TOML.
    #[error("`{}` is no TOML, so nothing was added; `tokenward compile` says where it is wrong", .0.display())]
    NotToml(PathBuf),
    /// The file has `token` in a form that cannot be added to.
    #[error("`token` in `{}` is not a list of [[token]] sections; rewrite it so, or choose another file", .0.display())]
    NotSections(PathBuf),
    /// A token of that name exists.
    #[error("the name `{name}` is taken in `{file}`; choose another")]
    NameTaken {
        /// The name.
        name: String,
        /// Relative to the policy directory.
        file: String,
    },
    /// A text that no `'''` block can hold.
    #[error(
        "the line `{0}` cannot stand in a policy file: it has ''' or a line break in it; give one --limit for each line"
    )]
    NotALine(String),
    /// Another program wrote the file at the same moment.
    #[error("`{}` was changed by another program meanwhile, so nothing was written; run the command again", .0.display())]
    Changed(PathBuf),
}

/// One change under way: holds the policy directory's lock until it is dropped.
#[derive(Debug)]
pub struct Edit {
    /// Links resolved.
    path: PathBuf,
    /// Below the policy directory, with `/`.
    relative: String,
    before: Option<String>,
    sources: SourceSet,
    _lock: File,
}

/// A change that is worked out and not written.
#[derive(Debug)]
pub struct Prepared {
    edit: Edit,
    after: String,
}

impl Edit {
    /// Waits for other editors, then reads `directory` with all below it and `file` in it, which may be absent.
    ///
    /// # Errors
    /// The directory or the file cannot be read, or the file is no policy file of that directory.
    pub fn begin(directory: &Path, file: &Path) -> Result<Self, EditError> {
        let lock = File::open(directory).map_err(|error| match error.kind() {
            ErrorKind::NotFound => EditError::NoDirectory(directory.to_owned()),
            _ => io("open the policy directory", directory)(error),
        })?;
        lock.lock().map_err(io("lock the policy directory", directory))?;
        let root = fs::canonicalize(directory).map_err(io("find", directory))?;
        let path = resolve(file)?;
        let relative = relative(&root, &path).ok_or_else(|| EditError::Elsewhere {
            file: file.to_owned(),
            directory: directory.to_owned(),
        })?;
        if SourceSet::from_files([(relative.clone(), String::new())])
            .iter()
            .next()
            .is_none()
            || !relative.ends_with(".toml")
        {
            return Err(EditError::NotAPolicyFile(file.to_owned()));
        }
        Ok(Self {
            before: read(&path)?,
            path,
            relative,
            sources: SourceSet::read_dir(directory)?,
            _lock: lock,
        })
    }

    /// The names that tokens of the policy have, each with its file's path below the policy directory.
    #[must_use]
    pub fn names(&self) -> HashMap<String, String> {
        let sources = self.sources.iter();
        let names = sources.flat_map(|(_, source)| {
            let file = &source.path;
            names(&source.text)
                .into_iter()
                .map(move |name| (name, file.clone()))
        });
        names.collect()
    }

    /// Works out the file with `token` at its end.
    ///
    /// # Errors
    /// The name is taken, or the token or the file has a form that does not allow it.
    pub fn with_token(self, token: &NewToken) -> Result<Prepared, EditError> {
        self.with_tokens(std::slice::from_ref(token))
    }

    /// Works out the file with `tokens` at its end, in their order.
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
        let document: DocumentMut = before
            .parse()
            .map_err(|_| EditError::NotToml(self.path.clone()))?;
        if !matches!(document.get("token"), None | Some(Item::ArrayOfTables(_))) {
            return Err(EditError::NotSections(self.path));
        }
        let entries: Result<Vec<String>, EditError> = tokens.iter().map(entry).collect();
        let after = appended(before, &entries?.join("\n"));
        Ok(Prepared { edit: self, after })
    }
}

impl Prepared {
    /// The policy as it will be, for the compiler to judge before anything is written.
    #[must_use]
    pub fn sources(&self) -> SourceSet {
        let others = self
            .edit
            .sources
            .iter()
            .filter(|(_, source)| source.path != self.edit.relative);
        let others = others.map(|(_, source)| (source.path.clone(), source.text.clone()));
        SourceSet::from_files(others.chain([(self.edit.relative.clone(), self.after.clone())]))
    }

    /// Whether a place in [`Prepared::sources`] is in the new entry.
    #[must_use]
    pub fn is_new(&self, sources: &SourceSet, place: Span) -> bool {
        let start = self.edit.before.as_ref().map_or(0, String::len);
        sources
            .get(place.source)
            .is_some_and(|source| source.path == self.edit.relative)
            && place.start >= start
    }

    /// Replaces the file in one step, its permissions kept, and waits until that is on disk.
    ///
    /// # Errors
    /// The file changed since it was read, or cannot be written; then it is as it was.
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
            // It may never have been made; the first error is the one to tell.
            let _ = fs::remove_file(&temporary);
        }
        written?;
        let directory = path.parent().unwrap_or(path);
        let synced = File::open(directory).and_then(|directory| directory.sync_all());
        synced.map_err(io("bring to disk", directory))
    }
}

/// The `[[token]]` section, with `\n` at each line's end.
///
/// # Errors
/// [`EditError::NotALine`].
pub(crate) fn entry(token: &NewToken) -> Result<String, EditError> {
    let mut text = "[[token]]\n".to_owned();
    let mut key = |name: &str, value: String| text.push_str(&format!("{name} = {value}\n"));
    key("name", quoted(&token.name));
    match &token.users {
        Users::Any => key("any_user", "true".to_owned()),
        Users::Named(names) => match names.as_slice() {
            [name] => key("user", quoted(name)),
            names => key("users", list(names)),
        },
    }
    key("secret_hash", quoted(&token.secret_hash));
    if let Some(expires) = token.expires {
        key("expires", format!("{expires:.0}"));
    }
    if let Some(owner) = &token.owner {
        key("owner", quoted(owner));
    }
    if let Some(description) = &token.description {
        key("description", quoted(description));
    }
    if !token.allowed_ips.is_empty() {
        key("allowed_ips", list(&token.allowed_ips));
    }
    if !token.include.is_empty() {
        key("include", list(&token.include));
    }
    if token.unrestricted {
        key("unrestricted", "true".to_owned());
    }
    if !token.lines.is_empty() {
        let unfit = |line: &&String| line.contains("'''") || line.contains(char::is_control);
        if let Some(line) = token.lines.iter().find(unfit) {
            return Err(EditError::NotALine(line.clone()));
        }
        key("limit_to", format!("'''\n{}\n'''", token.lines.join("\n")));
    }
    Ok(text)
}

/// A TOML string, escaped as it needs.
fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn list(texts: &[String]) -> String {
    let quoted: Vec<String> = texts.iter().map(|text| self::quoted(text)).collect();
    format!("[{}]", quoted.join(", "))
}

/// `before` and, after one empty line, `entry`, with the line ends that `before` has.
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

/// The token names of a file; none where it is no TOML, which the compiler will say.
fn names(text: &str) -> Vec<String> {
    let Ok(document) = text.parse::<DocumentMut>() else {
        return Vec::new();
    };
    let tokens = document.get("token").and_then(Item::as_array_of_tables);
    let names = tokens
        .into_iter()
        .flatten()
        .filter_map(|token| token.get("name")?.as_str().map(str::to_owned));
    names.collect()
}

/// The file itself behind links, or where it will be in its directory.
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

/// In the same directory, so that the rename is one step; with a leading dot, so that no policy is read from it.
fn temporary_beside(path: &Path) -> PathBuf {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    path.with_file_name(format!(".{name}.tokenward-{}", std::process::id()))
}

fn write_new(temporary: &Path, text: &str, model: &Path) -> Result<(), EditError> {
    let failed = |error| io("write", temporary)(error);
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(temporary)
        .map_err(failed)?;
    if let Ok(metadata) = fs::metadata(model) {
        file.set_permissions(metadata.permissions()).map_err(failed)?;
    }
    file.write_all(text.as_bytes()).map_err(failed)?;
    file.sync_all().map_err(failed)
}

fn io(doing: &'static str, path: &Path) -> impl FnOnce(io::Error) -> EditError {
    let path = path.to_owned();
    move |source| EditError::Io { doing, path, source }
}

#[cfg(test)]
mod tests;
