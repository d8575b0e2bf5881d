//! The commit that last changed a line of a file.

use std::fs;
use std::io::Read as _;
use std::path::Path;

use tokenward_compiler::source::limits;

use super::objects::{MAX_TREE_BYTES, ObjectId, ObjectKind};
use super::{GitError, Repository};

/// Maximum size of git's answer for one line, whose text is in it.
const MAX_ANSWER: u64 = 16 << 20;

/// Where a line comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Origin {
    /// A commit.
    Commit(Author),
    /// The work tree: no commit has the line.
    Uncommitted,
}

/// A commit and its author, as the commit says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Author {
    /// The commit's id.
    pub(crate) commit: String,
    /// The author's name.
    pub(crate) name: String,
    /// The author's address.
    pub(crate) email: String,
    /// Seconds since 1970 UTC.
    pub(crate) time: i64,
    /// First line of the commit's message.
    pub(crate) subject: String,
    /// The history ends here, since the clone is shallow: the line may be older.
    pub(crate) is_boundary: bool,
}

/// Finds the commit that last changed line `number` of a file, if the file has `text` there. `None` outside of a work tree, or if the
/// line has another text.
///
/// Only the committed version is given to git: it would run the filters of a repository for one in the work tree. Author and subject
/// are read from the commit itself, since a `.mailmap` could name others.
///
/// # Errors
/// The repository is damaged or another user's, or git fails.
pub(crate) fn origin(file: &Path, number: u32, text: &str) -> Result<Option<Origin>, GitError> {
    let directory = file.parent().filter(|parent| !parent.as_os_str().is_empty());
    let Some(repository) = Repository::discover(directory.unwrap_or(Path::new(".")))? else {
        return Ok(None);
    };
    let Some(now) = content(file) else {
        return Ok(None);
    };
    if line(&now, number).is_none_or(|found| found.trim() != text) {
        return Ok(None);
    }
    let relative = repository.relative(file)?;
    let head = match repository.resolve("HEAD") {
        Err(GitError::Unknown { .. }) => return Ok(Some(Origin::Uncommitted)),
        head => head?,
    };
    let committed = repository.file(&head, &relative)?;
    let committed = committed.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    match committed.and_then(|committed| committed_number(&committed, &now, number)) {
        Some(number) => repository.blamed(head.id.as_str(), &relative, number).map(Some),
        None => Ok(Some(Origin::Uncommitted)),
    }
}

fn content(file: &Path) -> Option<String> {
    let file = fs::File::open(file).ok()?;
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut text = String::new();
    file.take(limits::FILE_BYTES).read_to_string(&mut text).ok()?;
    Some(text)
}

fn line(text: &str, number: u32) -> Option<&str> {
    let before = number.checked_sub(1)?;
    text.lines().nth(before as usize)
}

/// The number that a line of the work tree has in the committed version: by the lines before it or after it that both have, or as the
/// only line of its text between them.
fn committed_number(committed: &str, now: &str, number: u32) -> Option<u32> {
    let (old, new): (Vec<&str>, Vec<&str>) = (committed.lines().collect(), now.lines().collect());
    let at = number.checked_sub(1)? as usize;
    let text = new.get(at)?;
    let same = |(one, other): &(&&str, &&str)| one == other;
    let before = old.iter().zip(&new).take_while(same).count();
    if at < before {
        return Some(number);
    }
    let room = old.len().min(new.len()) - before;
    let after = old
        .iter()
        .rev()
        .zip(new.iter().rev())
        .take_while(same)
        .count()
        .min(room);
    let found = if at >= new.len() - after {
        old.len() - (new.len() - at)
    } else {
        let middle = old.get(before..old.len() - after)?;
        let mut same = middle.iter().enumerate().filter(|(_, line)| *line == text);
        match (same.next(), same.next()) {
            (Some((place, _)), None) => before + place,
            _ => return None,
        }
    };
    u32::try_from(found + 1).ok()
}

impl Repository {
    fn blamed(&self, commit: &str, path: &str, number: u32) -> Result<Origin, GitError> {
        let range = format!("{number},{number}");
        let arguments = [
            "--porcelain",
            "--no-textconv",
            "--no-ignore-revs-file",
            "-L",
            &range,
            commit,
            "--",
            path,
        ];
        let answer = self.runner.output("blame", &arguments, MAX_ANSWER)?;
        let answer = String::from_utf8_lossy(&answer);
        let malformed = || GitError::Failed {
            verb: "blame",
            said: "it named no commit".to_owned(),
        };
        let id = answer
            .split(' ')
            .next()
            .and_then(ObjectId::parse)
            .ok_or_else(malformed)?;
        // The headers end at the line's text, which begins with a tab.
        let mut headers = answer.lines().take_while(|line| !line.starts_with('\t'));
        let is_boundary = self.is_shallow() && headers.any(|line| line == "boundary");
        let content = self.content(&id, ObjectKind::Commit, MAX_TREE_BYTES)?;
        let author = author(&String::from_utf8_lossy(&content), &id, is_boundary);
        author.map(Origin::Commit).ok_or_else(malformed)
    }
}

/// Reads the author and the subject of a commit.
fn author(commit: &str, id: &ObjectId, is_boundary: bool) -> Option<Author> {
    let (headers, message) = commit.split_once("\n\n").unwrap_or((commit, ""));
    let author = headers.lines().find_map(|line| line.strip_prefix("author "))?;
    let (name, rest) = author.rsplit_once('<')?;
    let (email, time) = rest.split_once('>')?;
    Some(Author {
        commit: id.to_string(),
        name: name.trim().to_owned(),
        email: email.to_owned(),
        time: time.split_whitespace().next()?.parse().ok()?,
        subject: message.lines().next().unwrap_or_default().to_owned(),
        is_boundary,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_of_the_work_tree_is_found_in_the_committed_version() {
        let committed = "a\nb\nc\nd\n";
        for (now, number, expected) in [
            ("a\nb\nc\nd\n", 3, Some(3)),
            ("new\na\nb\nc\nd\n", 3, Some(2)),
            ("a\nb\nnew\nc\nd\n", 3, None),
            ("a\nb\nnew\nc\nd\n", 5, Some(4)),
            ("a\nx\nc\ny\nd\n", 3, Some(3)),
            ("x\nb\ny\nb\nz\n", 2, Some(2)),
            ("", 1, None),
            ("a", 0, None),
        ] {
            assert_eq!(committed_number(committed, now, number), expected, "{now:?}");
        }
        assert_eq!(committed_number("b\nb\n", "x\nb\ny\n", 2), None);
    }

    #[test]
    fn author_and_subject_are_those_of_the_commit() {
        let id = ObjectId::parse(&"a".repeat(40)).unwrap();
        let commit = "tree 1\nauthor Ada L. <ada@example.com> 1700000000 +0100\ncommitter X <x> 1 +0\n\nAllow it\n\nbody";
        let read = author(commit, &id, false).unwrap();
        assert_eq!(
            (read.name.as_str(), read.email.as_str()),
            ("Ada L.", "ada@example.com")
        );
        assert_eq!((read.time, read.subject.as_str()), (1_700_000_000, "Allow it"));
        assert_eq!(author("tree 1\n\nauthor A <a> 1 +0", &id, false), None);
    }
}
