//! Resolves the text that people and CI systems write for a commit to one commit.

use super::objects::ObjectId;
use super::{GitError, Repository};

/// Maximum size of output that lists names or ids.
const MAX_LIST: u64 = 1 << 20;
/// Minimum number of digits of an abbreviated id; a shorter text is a name. git itself writes at least seven.
const MIN_DIGITS: usize = 7;
/// Names of single commits that git stores outside of `refs/`.
const PSEUDO: [&str; 4] = ["HEAD", "FETCH_HEAD", "ORIG_HEAD", "MERGE_HEAD"];

/// A commit, and the revision that named it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Commit {
    /// Object id of the commit.
    pub(crate) id: ObjectId,
    /// The revision, as given.
    pub(crate) name: String,
}

/// A revision, split into its two parts.
struct Spelled<'a> {
    /// A name or an id.
    base: &'a str,
    /// The steps from the name to an ancestor: `~2`, `^`, `^2~3`, ….
    steps: &'a str,
}

impl<'a> Spelled<'a> {
    /// # Errors
    /// The revision has a form whose meaning depends on more than the history: reflogs, upstream settings, searches.
    fn parse(revision: &'a str) -> Result<Self, GitError> {
        let wrong = |why| GitError::NotARevision {
            revision: revision.to_owned(),
            why,
        };
        if revision.starts_with('-') {
            return Err(wrong("it begins with `-`; name a branch, a tag or a commit"));
        }
        if revision.contains("..") {
            return Err(wrong("it is a range; name one branch, tag or commit"));
        }
        if revision.contains("@{") {
            return Err(wrong(
                "`@{…}` depends on this clone's settings and log; name a branch, a tag or a commit",
            ));
        }
        if revision.contains("^{") {
            return Err(wrong("`^{…}` selects by kind or text; remove it"));
        }
        if revision.contains(':') {
            return Err(wrong(
                "`:` selects a file or searches messages; name a branch, a tag or a commit",
            ));
        }
        let at = revision.find(['~', '^']).unwrap_or(revision.len());
        let (base, steps) = revision.split_at(at);
        if !steps
            .bytes()
            .all(|byte| matches!(byte, b'~' | b'^' | b'0'..=b'9'))
        {
            return Err(wrong("only `~N` and `^N` can follow a name"));
        }
        let odd = |c: char| c.is_control() || c.is_whitespace() || matches!(c, '?' | '*' | '[' | '\\');
        if base.is_empty() || base.contains(odd) || base.starts_with('/') || base.ends_with('/') {
            return Err(wrong("name a branch, a tag or a commit"));
        }
        let base = if base == "@" { "HEAD" } else { base };
        Ok(Self { base, steps })
    }
}

/// A ref: its full name and the object that it leads to.
struct Ref {
    name: String,
    id: ObjectId,
}

impl Repository {
    /// Finds the commit that a revision names: a branch, a tag, `HEAD`, a full ref or an id, with `~N` and `^N` after
    /// it.
    ///
    /// A name with several meanings is an error, although git would choose one. Otherwise anyone who can push a tag
    /// `main` could decide which commit `main` is compared with.
    ///
    /// # Errors
    /// The commit does not exist, is ambiguous, or has a refused form.
    pub(crate) fn resolve(&self, revision: &str) -> Result<Commit, GitError> {
        let spelled = Spelled::parse(revision)?;
        let start = self.start(revision, spelled.base)?;
        let question = format!("{start}^{{commit}}{}", spelled.steps);
        let answer = self.runner.answer(
            "rev-parse",
            &["--verify", "--quiet", "--end-of-options", &question],
            MAX_LIST,
        )?;
        let id = String::from_utf8_lossy(&answer.bytes);
        if answer.succeeded
            && let Some(id) = ObjectId::parse(id.trim())
        {
            return Ok(Commit {
                id,
                name: revision.to_owned(),
            });
        }
        if self.is_shallow() && !spelled.steps.is_empty() {
            return Err(GitError::Shallow {
                what: format!("it may lack `{revision}`"),
            });
        }
        Err(GitError::Unknown {
            revision: revision.to_owned(),
            hint: match spelled.base {
                "HEAD" => "commit something first".to_owned(),
                "FETCH_HEAD" => "fetch the commit first, for example with `git fetch origin main`".to_owned(),
                base if PSEUDO.contains(&base) => {
                    "git sets it during an operation; name a branch, a tag or a commit".to_owned()
                }
                base => format!("`{base}` has no such commit; check the revision"),
            },
        })
    }

    /// Returns the object id, or the name outside of `refs/`, of the first part of a revision.
    fn start(&self, revision: &str, base: &str) -> Result<String, GitError> {
        let refs = self.refs(base)?;
        let mut meanings: Vec<String> = refs.iter().map(|found| format!("`{}`", found.name)).collect();
        if PSEUDO.contains(&base) {
            meanings.push(format!("the commit of this work tree's `{base}`"));
        }
        let objects = self.objects_named(base)?;
        meanings.extend(objects.iter().map(|(id, kind)| format!("the {kind} {id}")));
        if meanings.len() > 1 {
            return Err(GitError::Ambiguous {
                revision: revision.to_owned(),
                meanings,
            });
        }
        match (refs.as_slice(), objects.as_slice()) {
            ([found], _) => Ok(found.id.to_string()),
            (_, [(id, _)]) => Ok(id.clone()),
            _ if PSEUDO.contains(&base) => Ok(base.to_owned()),
            _ => Err(self.unknown(revision, base)),
        }
    }

    /// Finds every ref that git would accept for the name (gitrevisions(7)).
    fn refs(&self, name: &str) -> Result<Vec<Ref>, GitError> {
        let names: Vec<String> = if name.starts_with("refs/") {
            vec![name.to_owned()]
        } else {
            vec![
                format!("refs/{name}"),
                format!("refs/tags/{name}"),
                format!("refs/heads/{name}"),
                format!("refs/remotes/{name}"),
                format!("refs/remotes/{name}/HEAD"),
            ]
        };
        let mut arguments = vec!["--format=%(objectname) %(refname)", "--"];
        arguments.extend(names.iter().map(String::as_str));
        let listed = self.runner.output("for-each-ref", &arguments, 64 << 20)?;
        let listed = String::from_utf8_lossy(&listed);
        let refs = listed.lines().filter_map(|line| {
            let (id, found) = line.split_once(' ')?;
            // A pattern also matches all refs below it.
            names.iter().any(|name| name == found).then_some(())?;
            Some(Ref {
                name: found.to_owned(),
                id: ObjectId::parse(id)?,
            })
        });
        Ok(refs.collect())
    }

    /// Finds the commits and tags whose ids begin with these digits, each with its kind.
    fn objects_named(&self, digits: &str) -> Result<Vec<(String, &'static str)>, GitError> {
        let is_id = digits.len() >= MIN_DIGITS && digits.bytes().all(|byte| byte.is_ascii_hexdigit());
        if !is_id {
            return Ok(Vec::new());
        }
        let question = format!("--disambiguate={digits}");
        let listed = self.runner.output("rev-parse", &[&question], MAX_LIST)?;
        let mut found = Vec::new();
        for id in String::from_utf8_lossy(&listed)
            .lines()
            .filter_map(ObjectId::parse)
        {
            let kind = self.runner.output("cat-file", &["-t", id.as_str()], MAX_LIST)?;
            match kind.trim_ascii() {
                b"commit" => found.push((id.to_string(), "commit")),
                b"tag" => found.push((id.to_string(), "tag")),
                _ => {}
            }
        }
        Ok(found)
    }

    fn unknown(&self, revision: &str, base: &str) -> GitError {
        let remote = self.refs(&format!("origin/{base}")).unwrap_or_default();
        let hint = if remote.is_empty() {
            let name = base.strip_prefix("origin/").unwrap_or(base);
            format!(
                "fetch it with `git fetch origin {name}` and compare with `FETCH_HEAD`, or clone with full history \
                 (`fetch-depth: 0`, `GIT_DEPTH: 0`)"
            )
        } else {
            format!("write `origin/{base}`, or create the branch")
        };
        GitError::Unknown {
            revision: revision.to_owned(),
            hint,
        }
    }

    /// Finds the best common ancestor of two commits, as in `main...HEAD`.
    ///
    /// # Errors
    /// There is no common ancestor, there are several, or the clone is shallow.
    pub(crate) fn merge_base(&self, one: &Commit, other: &Commit) -> Result<Commit, GitError> {
        let arguments = ["--all", one.id.as_str(), other.id.as_str()];
        let answer = self.runner.answer("merge-base", &arguments, MAX_LIST)?;
        let text = String::from_utf8_lossy(&answer.bytes);
        let bases: Vec<ObjectId> = text.lines().filter_map(ObjectId::parse).collect();
        match bases.as_slice() {
            [base] if answer.succeeded => Ok(Commit {
                id: base.clone(),
                name: format!("{}...{}", one.name, other.name),
            }),
            [] if !answer.said.is_empty() => Err(GitError::Failed {
                verb: "merge-base",
                said: answer.said,
            }),
            [] if self.is_shallow() => Err(GitError::Shallow {
                what: format!(
                    "the common ancestor of `{}` and `{}` is not in it",
                    one.name, other.name
                ),
            }),
            [] => Err(GitError::Unrelated(one.name.clone(), other.name.clone())),
            several => {
                let ids: Vec<&str> = several.iter().map(ObjectId::as_str).collect();
                Err(GitError::ManyBases(
                    one.name.clone(),
                    other.name.clone(),
                    ids.join(", "),
                ))
            }
        }
    }

    /// Whether `descendant` contains `ancestor`; every commit contains itself.
    ///
    /// # Errors
    /// The clone is shallow and does not show the relation, or git fails.
    pub(crate) fn is_ancestor(&self, ancestor: &Commit, descendant: &Commit) -> Result<bool, GitError> {
        let arguments = ["--is-ancestor", ancestor.id.as_str(), descendant.id.as_str()];
        let answer = self.runner.answer("merge-base", &arguments, MAX_LIST)?;
        match (answer.succeeded, answer.said.is_empty()) {
            (true, _) => Ok(true),
            (false, false) => Err(GitError::Failed {
                verb: "merge-base",
                said: answer.said,
            }),
            (false, true) if self.is_shallow() => Err(GitError::Shallow {
                what: format!(
                    "it does not show whether `{}` contains `{}`",
                    descendant.name, ancestor.name
                ),
            }),
            (false, true) => Ok(false),
        }
    }
}
