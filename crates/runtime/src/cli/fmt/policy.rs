//! The policy that a file or a directory belongs to.

use std::ffi::OsStr;
use std::fs;
use std::io::Read as _;
use std::path::{Component, Path, PathBuf};

use tokenward_compiler::source::{SourceKind, limits};
use tokenward_pdp::config::Config;

use super::super::failure::Failure;
use super::super::settings::{CONFIG_FILE, ConfigArg};
use crate::config_file;

/// A place in a policy.
pub(super) struct Place {
    /// The policy's directory.
    pub(super) directory: PathBuf,
    /// Path below it, with `/` between its parts; empty for the directory itself.
    pub(super) relative: String,
}

/// The configuration's policy directory, if there is one.
///
/// # Errors
/// The configuration exists and does not load: which files belong together, and so which lines seals sign, is not known.
pub(super) fn configured(config: &ConfigArg) -> Result<Option<PathBuf>, Failure> {
    let has_file = config.is_named() || fs::symlink_metadata(config.path()).is_ok();
    let directory = if has_file {
        config.or_default()?.policies
    } else {
        Config::default().policies
    };
    Ok(directory.is_dir().then_some(directory))
}

/// The place of a file or directory in the configured policy, in that of the configuration above it, or in the policy that the
/// directories around it are. `None` for a file next to a configuration that names another directory.
pub(super) fn of(path: &Path, configured: Option<&Path>) -> Result<Option<Place>, Failure> {
    let whole = path
        .canonicalize()
        .map_err(|error| Failure::Usage(format!("cannot read `{}`: {error}", path.display())))?;
    if let Some(place) = configured.and_then(|directory| below(directory, &whole)) {
        return Ok(Some(place));
    }
    let is_directory = whole.is_dir();
    let nearest = if is_directory {
        whole.as_path()
    } else {
        whole.parent().unwrap_or(&whole)
    };
    let project = project(nearest);
    if let Some(file) = project
        .map(|directory| directory.join(CONFIG_FILE))
        .filter(|file| file.is_file())
        && let Some(place) = below(&config_file::load(&file)?.policies, &whole)
    {
        let root = place.directory.canonicalize().unwrap_or(place.directory);
        return Ok(Some(named(path, &whole, &root)));
    }
    if !is_directory && nearest.join(CONFIG_FILE).is_file() {
        return Ok(None);
    }
    Ok(Some(named(path, &whole, around(nearest, project))))
}

/// The place of a path without links below a directory.
fn below(directory: &Path, whole: &Path) -> Option<Place> {
    let root = directory.canonicalize().ok()?;
    Some(Place {
        directory: directory.to_owned(),
        relative: relative(whole.strip_prefix(&root).ok()?),
    })
}

fn relative(below: &Path) -> String {
    let parts: Vec<_> = below.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// The directory above that holds a configuration or a repository.
fn project(nearest: &Path) -> Option<&Path> {
    let mut above = nearest.ancestors().take(limits::DEPTH);
    above.find(|directory| directory.join(CONFIG_FILE).is_file() || directory.join(".git").exists())
}

/// The policy around a file that no configuration names: its topmost directory. `None` if no file next to it is a part of a policy.
pub(in super::super) fn without_configuration(directory: &Path) -> Option<&Path> {
    holds_policy(directory).then(|| around(directory, project(directory)))
}

/// The topmost directory of the policy around a directory: each directory above it that holds policy files belongs to it. Between them
/// may be some without such files, if they are in one project. The directory of a configuration does not belong to it.
fn around<'p>(nearest: &'p Path, project: Option<&Path>) -> &'p Path {
    let mut top = nearest;
    for directory in nearest.ancestors().take(limits::DEPTH) {
        if directory.join(CONFIG_FILE).is_file() {
            break;
        }
        if directory == nearest || holds_policy(directory) {
            top = directory;
        } else if project.is_none() {
            break;
        }
        if Some(directory) == project {
            break;
        }
    }
    top
}

/// Whether one of a directory's files is a part of a policy. Many tools have files whose names end in `.toml`.
fn holds_policy(directory: &Path) -> bool {
    let Ok(entries) = fs::read_dir(directory) else {
        return false;
    };
    let files = entries.flatten().filter(|entry| {
        let kind = entry.file_type();
        kind.is_ok_and(|kind| kind.is_file())
    });
    let mut kinds = files.filter_map(|entry| {
        let kind = SourceKind::of(&entry.file_name().to_string_lossy())?;
        Some((kind, entry.path()))
    });
    kinds.any(|(kind, file)| kind != SourceKind::Tokens || has_tokens(&file))
}

fn has_tokens(file: &Path) -> bool {
    let mut text = String::new();
    let read = fs::File::open(file).and_then(|file| file.take(limits::FILE_BYTES).read_to_string(&mut text));
    let root = text.parse::<toml::Table>();
    read.is_ok() && root.is_ok_and(|root| root.get("token").is_some_and(toml::Value::is_array))
}

/// A place, with the directory named as the path on the command line names it, if that is possible.
fn named(path: &Path, whole: &Path, root: &Path) -> Place {
    let relative = self::relative(whole.strip_prefix(root).unwrap_or(whole));
    let mut directory = path.to_owned();
    for _ in relative.split('/').filter(|part| !part.is_empty()) {
        match directory.components().next_back() {
            Some(Component::Normal(_)) => {
                directory.pop();
            }
            _ => directory.push(".."),
        }
    }
    if directory.as_os_str() == OsStr::new("") {
        directory.push(".");
    }
    let is_root = directory.canonicalize().is_ok_and(|directory| directory == root);
    Place {
        directory: if is_root { directory } else { root.to_owned() },
        relative,
    }
}
