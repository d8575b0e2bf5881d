//! Why a repository could not answer.

use std::io;
use std::path::PathBuf;

use super::entry_kind::EntryKind;

/// Why git, or a repository, did not give an answer. Every message says what to do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum GitError {
    /// No directory of `PATH` has it.
    #[error("git is not installed; install it, or add its directory to PATH")]
    NotInstalled,
    /// The system refused to run it, or its pipe broke.
    #[error("cannot run git: {0}")]
    Run(#[source] io::Error),
    /// It reported an error.
    #[error("git {verb} failed: {said}")]
    Failed {
        /// The subcommand.
        verb: &'static str,
        /// Its message, shortened.
        said: String,
    },
    /// It gave no output for too long.
    #[error("git {verb} gave no output for {seconds} seconds; run `git fsck` to check the repository")]
    Slow {
        /// The subcommand.
        verb: &'static str,
        /// How long it was waited for.
        seconds: u64,
    },
    /// It gave more output than a repository of any size in use.
    #[error("git {verb} gave more than {limit} bytes; run `git fsck` to check the repository")]
    TooMuch {
        /// The subcommand.
        verb: &'static str,
        /// Bytes.
        limit: u64,
    },
    /// A path that git has to know cannot be read.
    #[error("cannot read `{}`: {source}", .path.display())]
    Io {
        /// The path.
        path: PathBuf,
        /// The system's error.
        source: io::Error,
    },
    /// The directory is in no repository.
    #[error("`{}` is not in a git repository; name a directory instead of a revision", .0.display())]
    NoRepository(PathBuf),
    /// `.git` exists and is not a repository.
    #[error("`{}` is not a git directory ({why}); repair it or remove it", .path.display())]
    Broken {
        /// `.git`, or the directory that it names.
        path: PathBuf,
        /// What is missing.
        why: &'static str,
    },
    /// `.git` is a symbolic link.
    #[error("`{}` is a symbolic link; replace it by a file with the line `gitdir: PATH`", .0.display())]
    LinkedDirectory(PathBuf),
    /// A directory with the files of a bare repository.
    #[error(
        "`{}` looks like a bare git repository (HEAD, objects, refs); remove these entries, or use a work tree",
        .0.display()
    )]
    LooksBare(PathBuf),
    /// Somebody else could have planted it.
    #[error(
        "`{}` belongs to another user (id {owner}); run as that user, or, if you trust it, run `git config --global --add \
         safe.directory {}`", .path.display(), .top.display()
    )]
    Foreign {
        /// What belongs to the other user.
        path: PathBuf,
        /// The work tree.
        top: PathBuf,
        /// The other user's id.
        owner: u32,
    },
    /// A path of another place.
    #[error("`{}` is not in the work tree `{}`; name a directory in it", .path.display(), .top.display())]
    Outside {
        /// The path.
        path: PathBuf,
        /// The work tree.
        top: PathBuf,
    },
    /// A submodule, or a repository within the repository.
    #[error("`{}` is a repository of its own, such as a submodule; commit its files here instead", .0.display())]
    Nested(PathBuf),
    /// A form of revision that is refused, or is not one.
    #[error("`{revision}` is not a revision that can be used here: {why}")]
    NotARevision {
        /// As given.
        revision: String,
        /// Which form it has, and what to write.
        why: &'static str,
    },
    /// Nothing has this name.
    #[error("there is no revision `{revision}` in this clone; {hint}")]
    Unknown {
        /// As given.
        revision: String,
        /// What to do.
        hint: String,
    },
    /// Several things have this name.
    #[error("`{revision}` is ambiguous: {}; write the one you mean in full", .meanings.join(", "))]
    Ambiguous {
        /// As given.
        revision: String,
        /// Each thing that has the name, in full.
        meanings: Vec<String>,
    },
    /// A shallow clone lacks the commits that the answer depends on.
    #[error(
        "this clone is shallow, so {what}; run `git fetch --unshallow`, or clone with full history (`fetch-depth: 0`, \
         `GIT_DEPTH: 0`)"
    )]
    Shallow {
        /// What cannot be answered.
        what: String,
    },
    /// The promised objects are not here, and are not fetched.
    #[error(
        "object {0} is missing from this clone; if it is a partial clone, clone it again without `--filter`, otherwise run \
         `git fsck`"
    )]
    Missing(String),
    /// An object is not the one that its name stands for.
    #[error("object {id} is damaged ({why}); run `git fsck`, then clone the repository again")]
    Corrupt {
        /// Its name.
        id: String,
        /// How it shows.
        why: &'static str,
    },
    /// Two histories without a common commit.
    #[error("`{0}` and `{1}` have no common ancestor; name the revision to compare with instead of `...`")]
    Unrelated(String, String),
    /// Two histories with several best common commits.
    #[error("`{0}` and `{1}` have several common ancestors ({2}); name one of them instead of `...`")]
    ManyBases(String, String, String),
    /// A revision lacks the directory.
    #[error("there is no directory `{path}` at `{revision}`; check the path, or name another revision")]
    NoDirectory {
        /// With `/`, from the repository's top.
        path: String,
        /// As given.
        revision: String,
    },
    /// A link, a submodule or an entry that no file system takes.
    #[error("`{path}` at `{revision}` is {kind}; replace it by {}", .kind.cure())]
    Unfit {
        /// With `/`, from the repository's top.
        path: String,
        /// As given.
        revision: String,
        /// What it is.
        kind: EntryKind,
    },
    /// A file that is too large.
    #[error("`{path}` at `{revision}` has more than {limit} bytes; make the file smaller")]
    TooLarge {
        /// With `/`.
        path: String,
        /// As given.
        revision: String,
        /// Bytes.
        limit: u64,
    },
    /// More entries, levels or bytes than a policy has.
    #[error("`{path}` at `{revision}` has more than {limit}; split the directory")]
    TooMany {
        /// With `/`.
        path: String,
        /// As given.
        revision: String,
        /// Number and noun.
        limit: String,
    },
    /// A file that is not text.
    #[error("`{path}` at `{revision}` is not UTF-8 (byte {offset}); save it as UTF-8")]
    NotUtf8 {
        /// With `/`.
        path: String,
        /// As given.
        revision: String,
        /// The first byte that is not UTF-8.
        offset: usize,
    },
}
