//! Walks a policy directory by opened directories rather than by names.
//!
//! A user who can write to the directory can replace a file by a link between a check of its name and its opening. So every
//! step opens a name below a directory that is already open, never follows a link, and then checks the opened file.

use std::collections::HashMap;
use std::env;
use std::ffi::CStr;
use std::fs::{self, File};
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use rustix::fs::{AtFlags, CWD, Dir, FileType, Mode, OFlags, fstat, openat, statat};

use super::error::{Files, Links, ReadDirError};
use crate::source::{SourceKind, is_hidden, is_nearly_read, limits};

const DIRECTORY: OFlags = OFlags::RDONLY
    .union(OFlags::DIRECTORY)
    .union(OFlags::NOFOLLOW)
    .union(OFlags::CLOEXEC);
/// Opening a pipe without a writer would otherwise block.
const FILE: OFlags = OFlags::RDONLY
    .union(OFlags::NOFOLLOW)
    .union(OFlags::NONBLOCK)
    .union(OFlags::NOCTTY)
    .union(OFlags::CLOEXEC);
/// What `gitdir:` lines have.
const MAX_GITDIR_BYTES: u64 = 64 << 10;

/// The policy files below a directory, in no order, and the time of the last change of one.
///
/// `before` is what an earlier reading found: the text of a file with the same bytes is shared with it. Bytes are compared,
/// never times or sizes alone, so that no change can be missed.
pub(super) fn files(
    directory: &Path,
    links: Links,
    before: &Files,
) -> Result<(Files, Option<SystemTime>), ReadDirError> {
    let (path, root) = match links {
        Links::Refuse => (directory.to_owned(), without_links(directory)?),
        Links::WithinDirectory => {
            let path = fs::canonicalize(directory).map_err(io_error(directory))?;
            let root = openat(CWD, &path, DIRECTORY, Mode::empty()).map_err(rustix_error(&path))?;
            (path, root)
        }
    };
    if is_submodule(&root) {
        return Err(ReadDirError::Repository(directory.to_owned()));
    }
    let mut walk = Walk {
        directory,
        resolved: &path,
        root: &root,
        links,
        before: before.iter().map(|(path, text)| (path.as_str(), text)).collect(),
        buffer: Vec::new(),
        latest: None,
        files: Vec::new(),
        entries: 0,
        bytes: 0,
    };
    let copy = root.try_clone().map_err(io_error(directory))?;
    walk.directory(&copy, "", 0)?;
    Ok((walk.files, walk.latest))
}

/// Opens a directory; an error if it, or one on the way to it, is a link.
///
/// For an absolute path outside the working directory, the way begins at the repository's top. If the path is in no repository,
/// only its last part counts: the system has links of its own, such as `/tmp` or `/var/run`.
fn without_links(directory: &Path) -> Result<OwnedFd, ReadDirError> {
    let below = env::current_dir()
        .ok()
        .and_then(|here| directory.strip_prefix(here).ok());
    let (start, parts) = match below {
        Some(below) => (Path::new("."), below),
        None if directory.is_absolute() => {
            let start = top(directory).or_else(|| directory.parent()).unwrap_or(directory);
            (start, directory.strip_prefix(start).unwrap_or(directory))
        }
        None => (Path::new("."), directory),
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC;
    let mut opened = openat(CWD, start, flags, Mode::empty()).map_err(rustix_error(start))?;
    let mut walked = PathBuf::new();
    for part in parts.components() {
        walked.push(part);
        let name: &Path = match &part {
            Component::Normal(name) => name.as_ref(),
            Component::ParentDir => Path::new(".."),
            Component::CurDir | Component::RootDir | Component::Prefix(_) => continue,
        };
        let stat = statat(&opened, name, AtFlags::SYMLINK_NOFOLLOW).map_err(rustix_error(&walked))?;
        if FileType::from_raw_mode(stat.st_mode) == FileType::Symlink {
            return Err(ReadDirError::Link(walked));
        }
        opened = openat(&opened, name, DIRECTORY, Mode::empty()).map_err(rustix_error(&walked))?;
    }
    Ok(opened)
}

/// The outermost repository on the way to an absolute path. A pull request can put another repository behind a link within it.
fn top(directory: &Path) -> Option<&Path> {
    let parents = directory.ancestors().skip(1);
    parents
        .filter(|parent| fs::symlink_metadata(parent.join(".git")).is_ok())
        .last()
}

/// Whether the directory is a submodule's work tree, by its file `.git`.
fn is_submodule(root: &OwnedFd) -> bool {
    let text = || {
        let file = File::from(openat(root, ".git", FILE, Mode::empty()).ok()?);
        let mut text = String::new();
        file.metadata().ok()?.is_file().then_some(())?;
        file.take(MAX_GITDIR_BYTES).read_to_string(&mut text).ok()?;
        Some(text)
    };
    text().is_some_and(|text| {
        text.strip_prefix("gitdir:")
            .is_some_and(|path| is_module_directory(Path::new(path.trim())))
    })
}

/// Whether git keeps a submodule's repository in this directory: `.git/modules/NAME`, or `worktrees/NAME/modules/NAME` where
/// the superproject is a linked work tree.
#[must_use]
pub fn is_module_directory(directory: &Path) -> bool {
    let parts: Vec<_> = directory.components().map(Component::as_os_str).collect();
    parts
        .windows(2)
        .any(|pair| matches!(pair, [git, modules] if *git == ".git" && *modules == "modules"))
        || parts.windows(3).any(
            |three| matches!(three, [trees, _, modules] if *trees == "worktrees" && *modules == "modules"),
        )
}

struct Walk<'a> {
    /// As it was named, for messages.
    directory: &'a Path,
    /// Links resolved, if they are followed.
    resolved: &'a Path,
    root: &'a OwnedFd,
    links: Links,
    before: HashMap<&'a str, &'a Arc<str>>,
    /// The bytes of one file at a time.
    buffer: Vec<u8>,
    /// The time of the last change of a file.
    latest: Option<SystemTime>,
    files: Files,
    entries: usize,
    bytes: u64,
}

impl Walk<'_> {
    /// Reads the entries of an opened directory, whose path below the policy directory is empty or ends with `/`.
    fn directory(&mut self, opened: &OwnedFd, prefix: &str, depth: usize) -> Result<(), ReadDirError> {
        let path = self.directory.join(prefix.trim_end_matches('/'));
        if depth > limits::DEPTH {
            return Err(ReadDirError::TooDeep(path));
        }
        for entry in Dir::read_from(opened).map_err(rustix_error(&path))? {
            let entry = entry.map_err(rustix_error(&path))?;
            let name = entry.file_name();
            if matches!(name.to_bytes(), b"." | b"..") {
                continue;
            }
            self.entries += 1;
            if self.entries > limits::ENTRIES {
                return Err(self.too_much(format!("{} entries", limits::ENTRIES)));
            }
            if depth > 0 && name.to_bytes() == b".git" {
                return Err(ReadDirError::Repository(path));
            }
            match name.to_str() {
                Ok(text) if is_hidden(text) => {}
                Ok(text) => self.entry((opened, name), &format!("{prefix}{text}"), depth)?,
                Err(_) => self.unnamed((opened, name), prefix)?,
            }
        }
        Ok(())
    }

    /// Refuses an entry whose name is not UTF-8 if it could be part of the policy: what is not read must not pass as right. A
    /// directory or a link could lead to policy files.
    fn unnamed(&self, (parent, name): (&OwnedFd, &CStr), prefix: &str) -> Result<(), ReadDirError> {
        let lossy = name.to_string_lossy();
        if is_hidden(&lossy) {
            return Ok(());
        }
        let relative = format!("{prefix}{lossy}");
        let path = self.directory.join(&relative);
        let stat = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(rustix_error(&path))?;
        let leads_on = matches!(
            FileType::from_raw_mode(stat.st_mode),
            FileType::Directory | FileType::Symlink
        );
        if leads_on || SourceKind::of(&relative).is_some() {
            return Err(ReadDirError::NameNotUtf8(path));
        }
        Ok(())
    }

    fn entry(
        &mut self,
        (parent, name): (&OwnedFd, &CStr),
        relative: &str,
        depth: usize,
    ) -> Result<(), ReadDirError> {
        let path = self.directory.join(relative);
        let is_policy = SourceKind::of(relative).is_some();
        let stat = statat(parent, name, AtFlags::SYMLINK_NOFOLLOW).map_err(rustix_error(&path))?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::Symlink => self.link(relative, depth),
            FileType::Directory => {
                let opened = openat(parent, name, DIRECTORY, Mode::empty()).map_err(rustix_error(&path))?;
                self.directory(&opened, &format!("{relative}/"), depth + 1)
            }
            _ if is_policy => {
                let opened = openat(parent, name, FILE, Mode::empty()).map_err(rustix_error(&path))?;
                self.file(opened, relative)
            }
            _ => {
                // Its name is enough to report it.
                if is_nearly_read(relative) {
                    self.files.push((relative.to_owned(), Arc::from("")));
                }
                Ok(())
            }
        }
    }

    /// Follows a link, if it may be followed and leads to a policy file or a directory.
    fn link(&mut self, relative: &str, depth: usize) -> Result<(), ReadDirError> {
        let path = self.directory.join(relative);
        if self.links == Links::Refuse {
            return Err(ReadDirError::Link(path));
        }
        let is_policy = SourceKind::of(relative).is_some();
        let target = match fs::canonicalize(self.resolved.join(relative)) {
            Ok(target) => target,
            // A link that leads nowhere matters only if it claims to be a policy file.
            Err(_) if !is_policy => return Ok(()),
            Err(source) => return Err(ReadDirError::Io { path, source }),
        };
        let is_directory = target.is_dir();
        if !is_directory && !is_policy {
            return Ok(());
        }
        let Ok(below) = target.strip_prefix(self.resolved) else {
            return Err(ReadDirError::LinkOutside(path));
        };
        let opened = self.open(below, if is_directory { DIRECTORY } else { FILE })?;
        if is_directory {
            self.directory(&opened, &format!("{relative}/"), depth + 1)
        } else {
            self.file(opened, relative)
        }
    }

    /// Opens a path below the policy directory, part by part: a part that has become a link is an error.
    fn open(&self, below: &Path, flags: OFlags) -> Result<OwnedFd, ReadDirError> {
        let path = self.directory.join(below);
        let mut opened = self.root.try_clone().map_err(io_error(&path))?;
        let mut parts = below.iter().peekable();
        while let Some(part) = parts.next() {
            let flags = if parts.peek().is_some() { DIRECTORY } else { flags };
            opened = openat(&opened, part, flags, Mode::empty()).map_err(rustix_error(&path))?;
        }
        Ok(opened)
    }

    /// Reads an opened policy file.
    fn file(&mut self, opened: OwnedFd, relative: &str) -> Result<(), ReadDirError> {
        let path = self.directory.join(relative);
        let stat = fstat(&opened).map_err(rustix_error(&path))?;
        if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
            let source = io::Error::new(io::ErrorKind::InvalidInput, "not a regular file");
            return Err(ReadDirError::Io { path, source });
        }
        self.buffer.clear();
        let size = u64::try_from(stat.st_size).unwrap_or(0);
        let room = size.min(limits::FILE_BYTES) + 1;
        self.buffer.reserve(usize::try_from(room).unwrap_or(0));
        let file = File::from(opened);
        let read = (&file).take(limits::FILE_BYTES + 1).read_to_end(&mut self.buffer);
        read.map_err(io_error(&path))?;
        // After the reading, so that no change before its end is missed.
        let changed = file.metadata().and_then(|metadata| metadata.modified());
        self.latest = self.latest.max(changed.ok());
        let length = self.buffer.len() as u64;
        if length > limits::FILE_BYTES {
            return Err(ReadDirError::TooLarge {
                path,
                given: size.max(length),
                limit: limits::FILE_BYTES,
            });
        }
        self.bytes += length;
        if self.bytes > limits::TOTAL_BYTES {
            return Err(self.too_much(format!("{} bytes of policy files", limits::TOTAL_BYTES)));
        }
        let text = self.text(relative, path)?;
        self.files.push((relative.to_owned(), text));
        Ok(())
    }

    /// The text of the bytes in the buffer: that of the earlier reading, if it is the same.
    fn text(&self, relative: &str, path: PathBuf) -> Result<Arc<str>, ReadDirError> {
        if let Some(known) = self.before.get(relative)
            && known.as_bytes() == self.buffer
        {
            return Ok(Arc::clone(known));
        }
        if is_utf32(&self.buffer) {
            return Err(ReadDirError::Utf32(path));
        }
        if is_utf16(&self.buffer) {
            return Err(ReadDirError::Utf16(path));
        }
        let text = std::str::from_utf8(&self.buffer).map_err(|error| ReadDirError::NotUtf8 {
            path,
            offset: error.valid_up_to(),
        })?;
        Ok(Arc::from(text))
    }

    fn too_much(&self, limit: String) -> ReadDirError {
        ReadDirError::TooMuch {
            path: self.directory.to_owned(),
            limit,
        }
    }
}

/// Whether a text was saved as UTF-32: by its byte-order mark, or because three of each four bytes are NUL.
pub(super) fn is_utf32(bytes: &[u8]) -> bool {
    let nul_but_at = |offset: usize| {
        let mut characters = bytes.chunks_exact(4).take(32);
        bytes.len() > 3
            && characters.all(|four| {
                let mut others = four.iter().enumerate().filter(|(at, _)| *at != offset);
                others.all(|(_, byte)| *byte == 0)
            })
    };
    let marks: [&[u8]; 2] = [&[0xff, 0xfe, 0, 0], &[0, 0, 0xfe, 0xff]];
    marks.iter().any(|mark| bytes.starts_with(mark)) || nul_but_at(0) || nul_but_at(3)
}

/// Whether a text was saved as UTF-16: by its byte-order mark, or because every second byte is NUL.
pub(super) fn is_utf16(bytes: &[u8]) -> bool {
    let nul_at = |offset: usize| {
        let mut every_second = bytes.iter().skip(offset).step_by(2).take(32);
        bytes.len() > 3 && every_second.all(|byte| *byte == 0)
    };
    bytes.starts_with(&[0xff, 0xfe]) || bytes.starts_with(&[0xfe, 0xff]) || nul_at(0) || nul_at(1)
}

fn io_error(path: &Path) -> impl FnOnce(io::Error) -> ReadDirError + use<> {
    let path = path.to_owned();
    move |source| ReadDirError::Io { path, source }
}

fn rustix_error(path: &Path) -> impl FnOnce(rustix::io::Errno) -> ReadDirError + use<> {
    let path = path.to_owned();
    move |error| ReadDirError::Io {
        path,
        source: error.into(),
    }
}
