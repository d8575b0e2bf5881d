//! Files of tests.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use tokenward_compiler::source::{Links, SourceKind, SourceSet, limits};

use super::super::failure::Failure;
use super::policy::Policy;

/// The files that the command line names, otherwise the tests of the policy directory.
pub(super) fn read(paths: &[PathBuf], policy: &Policy) -> Result<SourceSet, Failure> {
    if paths.is_empty() {
        return match policy.sources() {
            Some((sources, _)) => Ok(sources.clone()),
            None => Err(Failure::Usage(format!(
                "`{}` is a compiled policy, which has no tests; name the files or the directory of the tests",
                policy.shown
            ))),
        };
    }
    let mut files = BTreeMap::new();
    for path in paths {
        if path.is_dir() {
            files.extend(of_directory(path)?);
        } else {
            files.insert(path.display().to_string(), of_file(path)?);
        }
    }
    Ok(SourceSet::of_kind(files, SourceKind::Tests))
}

/// The tests of a directory: those of the directories named `tests` in it, otherwise all of its `*.toml` files.
fn of_directory(path: &Path) -> Result<Vec<(String, String)>, Failure> {
    let sources = SourceSet::read_dir(path, Links::Refuse)
        .map_err(|error| Failure::Usage(error.to_string()))?
        .below(&path.to_string_lossy());
    let has_tests = sources.iter().any(|(_, source)| source.kind == SourceKind::Tests);
    let is_wanted = |kind| kind == SourceKind::Tests || !has_tests;
    let files = sources.iter().filter(|(_, source)| is_wanted(source.kind));
    Ok(files
        .map(|(_, source)| (sources.shown(&source.path), source.text.to_string()))
        .collect())
}

fn of_file(path: &Path) -> Result<String, Failure> {
    let refused = |why: &str| Failure::Usage(format!("cannot read the tests in `{}`: {why}", path.display()));
    let found = fs::metadata(path).map_err(|error| refused(&error.to_string()))?;
    // Opening a pipe would wait for a writer.
    if !found.is_file() {
        return Err(refused("it is not a regular file"));
    }
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(|error| refused(&error.to_string()))?;
    file.take(limits::FILE_BYTES + 1)
        .read_to_end(&mut bytes)
        .map_err(|error| refused(&error.to_string()))?;
    if bytes.len() as u64 > limits::FILE_BYTES {
        return Err(refused(&format!("it has more than {} bytes", limits::FILE_BYTES)));
    }
    String::from_utf8(bytes).map_err(|_| refused("it is not UTF-8"))
}

/// Writes a file that must not exist, and the directory that is to contain it if that is missing.
pub(super) fn write_new(text: &str, path: &Path) -> io::Result<()> {
    if let Some(directory) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        match fs::create_dir(directory) {
            Err(error) if error.kind() != io::ErrorKind::AlreadyExists => return Err(error),
            _ => {}
        }
    }
    let mut file = File::options().write(true).create_new(true).open(path)?;
    let written = file.write_all(text.as_bytes()).and_then(|()| file.sync_all());
    if written.is_err() {
        let _ = fs::remove_file(path);
    }
    written
}
