//! Where to look: files below a directory, and whatever git ever had.

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read, Write as _};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::thread;

/// Bytes of a file that are looked at: more than any script, log or dump that a person commits.
const MAX_BYTES: u64 = 256 << 20;

/// What could not be looked at, and why.
pub(super) type Skipped = (String, String);

/// Gives each file at or below `path` to `each`, in order of names. Links are not followed, and git's own directory is
/// left to [`history`].
pub(super) fn files(path: &Path, skipped: &mut Vec<Skipped>, each: &mut impl FnMut(&Path, &[u8])) {
    let mut left = vec![path.to_owned()];
    while let Some(path) = left.pop() {
        let result = match fs::symlink_metadata(&path) {
            Ok(metadata) if metadata.is_dir() => entries(&path).map(|entries| left.extend(entries)),
            Ok(metadata) if metadata.is_file() => {
                content(&path, metadata.len()).map(|bytes| each(&path, &bytes))
            }
            // Links lead to what is looked at elsewhere, or is no part of this; sockets and the like have no content.
            Ok(_) => Ok(()),
            Err(error) => Err(error),
        };
        if let Err(error) = result {
            skipped.push((path.display().to_string(), error.to_string()));
        }
    }
}

/// What is in a directory, last name first, since the last is taken next.
fn entries(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(directory)?.map(|entry| entry.map(|entry| entry.path()));
    let mut paths: Vec<PathBuf> = entries.collect::<Result<_, _>>()?;
    paths.retain(|path| path.file_name().is_none_or(|name| name != ".git"));
    paths.sort_by(|one, other| other.cmp(one));
    Ok(paths)
}

fn content(path: &Path, length: u64) -> io::Result<Vec<u8>> {
    if length > MAX_BYTES {
        return Err(io::Error::other(format!("it has more than {MAX_BYTES} bytes")));
    }
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_BYTES).read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Whether `path` is in a git repository.
pub(super) fn has_history(path: &Path) -> bool {
    let mut asked = git(in_directory(path).0, &["rev-parse", "--git-dir"]);
    let status = asked.stdout(Stdio::null()).stderr(Stdio::null()).status();
    status.is_ok_and(|status| status.success())
}

/// A directory, and what is meant in it.
fn in_directory(path: &Path) -> (&Path, &Path) {
    let here = Path::new(".");
    if path.is_dir() {
        return (path, here);
    }
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    (parent.unwrap_or(here), path.file_name().map_or(here, Path::new))
}

/// A file's content as git has it in some commit.
pub(super) struct Blob {
    /// git's name for the content.
    pub(super) id: String,
    /// A path that it had.
    pub(super) path: String,
}

/// Gives every content that any branch, tag or stash of the repository around `path` leads to, at or below `path`, to
/// `each`, once.
///
/// # Errors
/// git is not there or fails.
pub(super) fn history(
    path: &Path,
    skipped: &mut Vec<Skipped>,
    each: &mut impl FnMut(&Blob, &[u8]),
) -> io::Result<()> {
    let (directory, below) = in_directory(path);
    let listed = git(directory, &["rev-list", "--all", "--objects", "--"])
        .arg(below)
        .output()?;
    if !listed.status.success() {
        return Err(failure("rev-list", &listed.stderr));
    }
    let objects: Vec<Blob> = String::from_utf8_lossy(&listed.stdout)
        .lines()
        .filter_map(|line| {
            // Commits have no path; trees have one, and are told apart below.
            let (id, path) = line.split_once(' ')?;
            Some(Blob {
                id: id.to_owned(),
                path: path.to_owned(),
            })
        })
        .collect();
    let mut child = git(directory, &["cat-file", "--batch"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()?;
    let done = read_all(&mut child, &objects, skipped, each);
    if done.is_err() {
        // It may wait for a reader that has given up; there is nothing to do if it has gone already.
        let _ = child.kill();
    }
    child.wait()?;
    done
}

/// Asks for one object after the other. The questions are written from a thread of their own: git answers while it reads.
fn read_all(
    child: &mut Child,
    objects: &[Blob],
    skipped: &mut Vec<Skipped>,
    each: &mut impl FnMut(&Blob, &[u8]),
) -> io::Result<()> {
    let (Some(mut stdin), Some(stdout)) = (child.stdin.take(), child.stdout.take()) else {
        return Err(io::Error::other("git has no standard input or output"));
    };
    let questions: String = objects.iter().map(|blob| format!("{}\n", blob.id)).collect();
    thread::scope(|scope| {
        let writer = scope.spawn(move || stdin.write_all(questions.as_bytes()));
        let mut answers = BufReader::new(stdout);
        let read = objects.iter().try_for_each(|blob| {
            let (kind, length) = head(&mut answers)?;
            if kind == "blob" && length <= MAX_BYTES {
                let mut bytes = Vec::new();
                (&mut answers).take(length).read_to_end(&mut bytes)?;
                each(blob, &bytes);
            } else {
                if kind == "blob" {
                    skipped.push((
                        blob.path.clone(),
                        format!("it has more than {MAX_BYTES} bytes in git's history"),
                    ));
                }
                io::copy(&mut (&mut answers).take(length), &mut io::sink())?;
            }
            // A line feed ends each.
            answers.read_exact(&mut [0])
        });
        // The reader gone, the writer's pipe breaks; the reader's error is the one to tell.
        drop(answers);
        let written = writer
            .join()
            .unwrap_or_else(|_| Err(io::Error::other("the questions to git were not written")));
        read.and(written)
    })
}

/// `ID SP TYPE SP SIZE LF`, git-cat-file(1).
fn head(answers: &mut BufReader<ChildStdout>) -> io::Result<(String, u64)> {
    let mut line = String::new();
    answers.read_line(&mut line)?;
    let mut parts = line.trim_end().split(' ').skip(1);
    match (parts.next(), parts.next().and_then(|size| size.parse().ok())) {
        (Some(kind), Some(length)) => Ok((kind.to_owned(), length)),
        _ => Err(io::Error::other(format!(
            "git cat-file said `{}`",
            line.trim_end()
        ))),
    }
}

/// The first commit that brought a content in: its short name, day and subject.
pub(super) fn commit_of(path: &Path, blob: &Blob) -> Option<String> {
    let output = git(
        in_directory(path).0,
        &["log", "--all", "--reverse", "--format=%h %as %s", "--find-object"],
    )
    .arg(&blob.id)
    .output()
    .ok()?;
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines().next().map(str::to_owned)
}

fn git(directory: &Path, arguments: &[&str]) -> Command {
    let mut git = Command::new("git");
    git.arg("-C").arg(directory).args(arguments).stdin(Stdio::null());
    git
}

fn failure(verb: &str, said: &[u8]) -> io::Error {
    io::Error::other(format!("git {verb}: {}", String::from_utf8_lossy(said).trim()))
}
