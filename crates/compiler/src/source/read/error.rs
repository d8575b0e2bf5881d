//! Settings and errors of reading a policy directory.

use std::{
    io,
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::source::limits;
use crate::visible::visible;

/// The symbolic links of a policy directory that are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// No links, including those on the way to the directory: a review of the files would not show a link's target, and git
    /// reads a link as a text.
    Refuse,
    /// Links that lead to a file or directory below the policy directory, such as the `..data` of a Kubernetes ConfigMap.
    /// The directory itself can be a link.
    WithinDirectory,
}

/// Why a policy directory could not be read.
#[derive(Debug, thiserror::Error)]
pub enum ReadDirError {
    /// The path does not lead to a directory.
    #[error("the policy directory `{}` is not a directory; specify the directory that contains the `*.toml` files", shown(.0))]
    NotADirectory(PathBuf),
    /// The file system refused.
    #[error("cannot read `{}`: {source}", shown(.path))]
    Io {
        /// The path that was being read.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// The path is a link, and links are not followed.
    #[error(
        "`{}` is a symbolic link, which a policy directory cannot contain or be; replace it by a copy of the file or directory that it points to", shown(.0)
    )]
    Link(PathBuf),
    /// A link that leads to another place.
    #[error("`{}` is a symbolic link to a place outside the policy directory; move the file or directory into it", shown(.0))]
    LinkOutside(PathBuf),
    /// A submodule, or another repository.
    #[error("`{}` is a git repository of its own, such as a submodule; replace it by the files that it contains", shown(.0))]
    Repository(PathBuf),
    /// Not text.
    #[error("`{}` is not UTF-8 (byte {offset}); save it as UTF-8", shown(.path))]
    NotUtf8 {
        /// The file.
        path: PathBuf,
        /// First byte that is not UTF-8.
        offset: usize,
    },
    /// A policy file, a directory or a link whose name is not text. The path has U+FFFD in the place of what is not.
    #[error("the name of `{}` is not UTF-8; rename it", shown(.0))]
    NameNotUtf8(PathBuf),
    /// Text in another encoding, as some editors of Windows save it.
    #[error("`{}` is UTF-16; save it as UTF-8", shown(.0))]
    Utf16(PathBuf),
    /// Text in an encoding of four bytes a character.
    #[error("`{}` is UTF-32; save it as UTF-8", shown(.0))]
    Utf32(PathBuf),
    /// Larger than any policy.
    #[error("`{}` has {given} bytes, more than the maximum of {limit} for a policy file", shown(.path))]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// The file's size in bytes.
        given: u64,
        /// The limit in bytes.
        limit: u64,
    },
    /// Directories nested without end, usually a loop of symbolic links.
    #[error("`{}` is more than {} directories deep; check for a loop of links", shown(.0), limits::DEPTH)]
    TooDeep(PathBuf),
    /// More entries or bytes than any policy.
    #[error("`{}` has more than {limit}; move files that are not part of the policy elsewhere", shown(.path))]
    TooMuch {
        /// The directory.
        path: PathBuf,
        /// Number and noun.
        limit: String,
    },
    /// Every reading saw another state.
    #[error("`{}` changed repeatedly while it was read; try again", shown(.0))]
    Unsteady(PathBuf),
}

/// Names and texts, in order.
pub(super) type Files = Vec<(String, Arc<str>)>;

/// A path for a message: a file name can contain line ends and escape sequences.
fn shown(path: &Path) -> String {
    visible(&path.to_string_lossy())
}
