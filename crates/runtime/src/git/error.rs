//! Reasons why git could not answer a query.

use std::io;
use std::path::PathBuf;

use super::entry_kind::EntryKind;

/// Reason why git, or a repository, did not answer a query. Every message says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    /// No directory of `PATH` contains git.
    #[error(
        "git is not installed; install it, or add its directory to PATH (directories in the repository are not searched)"
    )]
    NotInstalled,
    /// The system refused to run git, or git's pipe broke.
    #[error("cannot run git: {0}")]
    Run(#[source] io::Error),
    /// git reported an error.
    #[error("git {verb} failed: {said}")]
    Failed {
        /// The git subcommand.
        verb: &'static str,
        /// The error message, shortened.
        said: String,
    },
    /// git gave no output for too long.
    #[error("git {verb} produced no output for {seconds} seconds; run `git fsck` to check the repository")]
    Slow {
        /// The git subcommand.
        verb: &'static str,
        /// Time that git was silent.
        seconds: u64,
    },
    /// git gave more output than any real repository needs.
    #[error("git {verb} produced more than {limit} bytes; run `git fsck` to check the repository")]
    TooMuch {
        /// The git subcommand.
        verb: &'static str,
        /// Limit in bytes.
        limit: u64,
    },
    /// A path that git needs cannot be read.
    #[error("cannot read `{}`: {source}", .path.display())]
    Io {
        /// Path of the file or directory.
        path: PathBuf,
        /// Error of the operating system.
        source: io::Error,
    },
    /// The directory is not in a repository.
    #[error("`{}` is not in a git repository; name a directory instead of a revision", .0.display())]
    NoRepository(PathBuf),
    /// `.git` exists but is not a repository.
    #[error("`{}` is not a git directory ({why}); repair it or remove it", .path.display())]
    Broken {
        /// `.git`, or the directory that it names.
        path: PathBuf,
        /// The missing part.
        why: &'static str,
    },
    /// `.git` is a symbolic link.
    #[error("`{}` is a symbolic link; replace it by a file with the line `gitdir: PATH`", .0.display())]
    LinkedDirectory(PathBuf),
    /// A directory contains the files of a bare repository.
    #[error(
        "`{}` looks like a bare git repository (HEAD, objects, refs); remove these entries, or use a work tree",
        .0.display()
    )]
    LooksBare(PathBuf),
    /// Another user owns the path, and could have planted it.
    #[error(
        "`{}` belongs to another user (id {owner}); run as that user, or, if you trust it, run `git config --global --add \
         safe.directory {}`", .path.display(), .top.display()
    )]
    Foreign {
        /// Path that the other user owns.
        path: PathBuf,
        /// Path of the work tree.
        top: PathBuf,
        /// User id of the owner.
        owner: u32,
    },
    /// A path is outside of the work tree.
    #[error("`{}` is not in the work tree `{}`; name a directory in it", .path.display(), .top.display())]
    Outside {
        /// Path of the file or directory.
        path: PathBuf,
        /// Path of the work tree.
        top: PathBuf,
    },
    /// A path leads into a submodule, or into a repository within the repository.
    #[error("`{}` is a repository of its own, such as a submodule; commit its files here instead", .0.display())]
    Nested(PathBuf),
    /// The text is not a revision, or has a form of revision that is refused.
    #[error("`{revision}` is not a revision that can be used here: {why}")]
    NotARevision {
        /// The revision, as given.
        revision: String,
        /// Explains its form, and the form to use instead.
        why: &'static str,
    },
    /// No object has this name.
    #[error("no revision `{revision}` in this clone; {hint}")]
    Unknown {
        /// The revision, as given.
        revision: String,
        /// Advice to the user.
        hint: String,
    },
    /// Several objects or refs have this name.
    #[error("`{revision}` is ambiguous: {}; write the one you mean in full", .meanings.join(", "))]
    Ambiguous {
        /// The revision, as given.
        revision: String,
        /// Each of the meanings, in full.
        meanings: Vec<String>,
    },
    /// A shallow clone lacks the commits that the answer depends on.
    #[error(
        "this clone is shallow, so {what}; run `git fetch --unshallow`, or clone with full history (`fetch-depth: 0`, \
         `GIT_DEPTH: 0`)"
    )]
    Shallow {
        /// The query that cannot be answered.
        what: String,
    },
    /// A promised object is missing from the clone; git is not allowed to fetch it.
    #[error(
        "object {0} is missing from this clone; if it is a partial clone, clone it again without `--filter`, otherwise run \
         `git fsck`"
    )]
    Missing(String),
    /// The content of an object does not match its id.
    #[error("object {id} is damaged ({why}); run `git fsck`, then clone the repository again")]
    Corrupt {
        /// Id of the object.
        id: String,
        /// Description of the damage.
        why: &'static str,
    },
    /// Two histories have no common commit.
    #[error("`{0}` and `{1}` have no common ancestor; name the revision to compare with instead of `...`")]
    Unrelated(String, String),
    /// Two histories have several best common commits.
    #[error("`{0}` and `{1}` have several common ancestors ({2}); name one of them instead of `...`")]
    ManyBases(String, String, String),
    /// A revision lacks the directory.
    #[error("no directory `{path}` at `{revision}`; check the path, or name another revision")]
    NoDirectory {
        /// Path from the repository's top, with `/`.
        path: String,
        /// The revision, as given.
        revision: String,
    },
    /// An entry is a link, a submodule, or one that no file system can store.
    #[error("`{path}` at `{revision}` is {kind}; replace it by {}", .kind.cure())]
    Unfit {
        /// Path from the repository's top, with `/`.
        path: String,
        /// The revision, as given.
        revision: String,
        /// Kind of the entry.
        kind: EntryKind,
    },
    /// A file whose checkout differs from what the revision contains.
    #[error(
        "`{path}` at `{revision}` has the attribute `{attribute}`, so that a checkout differs from what git stores; remove the \
         attribute for this file from `.gitattributes`"
    )]
    Converted {
        /// Path from the repository's top, with `/`.
        path: String,
        /// The revision, as given.
        revision: String,
        /// Name of the attribute.
        attribute: String,
    },
    /// A file that is too large.
    #[error("`{path}` at `{revision}` has more than {limit} bytes; make the file smaller")]
    TooLarge {
        /// Path from the repository's top, with `/`.
        path: String,
        /// The revision, as given.
        revision: String,
        /// Limit in bytes.
        limit: u64,
    },
    /// A directory has more entries, levels or bytes than a policy may have.
    #[error("`{path}` at `{revision}` has more than {limit}; split the directory")]
    TooMany {
        /// Path from the repository's top, with `/`.
        path: String,
        /// The revision, as given.
        revision: String,
        /// Limit, as a number and a noun.
        limit: String,
    },
    /// A file is not text.
    #[error("`{path}` at `{revision}` is not UTF-8 (byte {offset}); save it as UTF-8")]
    NotUtf8 {
        /// Path from the repository's top, with `/`.
        path: String,
        /// The revision, as given.
        revision: String,
        /// Offset of the first byte that is not UTF-8.
        offset: usize,
    },
    /// The name of a policy file, a directory or a link is not text.
    #[error("the name of `{path}` at `{revision}` is not UTF-8; rename it")]
    NameNotUtf8 {
        /// Path from the repository's top, with `/`, and with U+FFFD in the place of what is not UTF-8.
        path: String,
        /// The revision, as given.
        revision: String,
    },
}
