//! The repository that contains revisions, with the places of the configuration and the policy in it.

use std::fmt::Display;
use std::path::{Component, Path, PathBuf};

use tokenward_compiler::source::SourceSet;
use tokenward_pdp::config::Config;

use super::super::failure::Failure;
use super::super::settings::ConfigArg;
use super::command::Command;
use crate::config_file;
use crate::git::{Commit, GitError, Repository};

/// A repository, with the place of the command's configuration in it.
pub(in super::super) struct Within {
    pub(in super::super) repository: Repository,
    /// The configuration file, relative to the repository's top. `None` if it is outside, so that no commit changes it.
    config: Option<String>,
}

/// Relation that the commits of a comparison must have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Ancestry {
    /// The new side contains all commits of the old one.
    Contains,
    /// One side contains all commits of the other, so the new side may also be an earlier state.
    ContainsOrPrecedes,
}

impl Within {
    /// Finds the repository of the working directory, if the configuration or the policy is in it, otherwise that of
    /// the configuration, then that of the policy; `None` if no repository contains them.
    ///
    /// The working directory comes first, since a pull request can make either of the others a submodule.
    pub(in super::super) fn discover(
        config: &ConfigArg,
        policies: Option<&Path>,
    ) -> Result<Option<Self>, Failure> {
        let default = config.or_default().ok().map(|config| config.policies);
        let policies = policies.map(Path::to_owned).or(default);
        for start in [
            Some(Path::new(".")),
            Some(config.directory()),
            policies.as_deref(),
        ] {
            let Some(start) = start else { continue };
            let start = if start.as_os_str().is_empty() {
                Path::new(".")
            } else {
                start
            };
            let Some(repository) = Repository::discover(start)? else {
                continue;
            };
            if repository.is_submodule() {
                return Err(GitError::Nested(repository.top().to_owned()).into());
            }
            let file = inside(&repository, config.path())?;
            let contains_policies = match &policies {
                Some(policies) => inside(&repository, policies)?.is_some(),
                None => false,
            };
            if file.is_some() || contains_policies {
                return Ok(Some(Self {
                    repository,
                    config: file,
                }));
            }
        }
        Ok(None)
    }

    /// The repository, or an error if there is none, since a revision needs it.
    pub(in super::super) fn required(within: Option<&Self>) -> Result<&Self, Failure> {
        within.ok_or_else(|| GitError::NoRepository(PathBuf::from(".")).into())
    }

    /// Reads the configuration at a commit. If the file is missing there, no file of another commit replaces it.
    pub(super) fn config_at(&self, commit: &Commit, command: &Command<'_>) -> Result<Config, Failure> {
        let Some(file) = &self.config else {
            return command.config.written();
        };
        let Some(bytes) = self.repository.file(commit, file)? else {
            if command.config.is_named() {
                return Err(Failure::Trouble(format!(
                    "no configuration `{file}` at `{}`; specify one that both sides have",
                    commit.name
                )));
            }
            // The command at that commit would also have used the default.
            return Ok(Config::default());
        };
        let name = format!("{}:{file}", commit.name);
        let text = String::from_utf8(bytes)
            .map_err(|_| Failure::Trouble(format!("`{file}` at `{}` is not UTF-8", commit.name)))?;
        Ok(config_file::parse_as_written(&text, Path::new(&name))?)
    }

    /// Path of the policy at a commit, relative to the repository's top.
    pub(super) fn policies_at(
        &self,
        commit: &Commit,
        config: &Config,
        command: &Command<'_>,
    ) -> Result<String, Failure> {
        if let Some(directory) = command.directory {
            return Ok(self.repository.relative(directory)?);
        }
        let Some(file) = &self.config else {
            let directory = command.config.directory().join(&config.policies);
            return Ok(self.repository.relative(&directory)?);
        };
        if config.policies.is_absolute() {
            return Ok(self.repository.relative(&config.policies)?);
        }
        let from = Path::new(file).parent().unwrap_or(Path::new(""));
        below(&from.join(&config.policies)).ok_or_else(|| {
            Failure::Trouble(format!(
                "`policies` of `{file}` at `{}` is `{}`, which is outside the repository; specify a directory in it",
                commit.name,
                config.policies.display()
            ))
        })
    }

    /// The files of a policy at a commit, which no attribute changes at checkout, as well as the configuration.
    pub(super) fn sources_at(&self, commit: &Commit, directory: &str) -> Result<SourceSet, Failure> {
        let sources = self.repository.sources(commit, directory)?;
        let files = sources.iter().map(|(_, source)| match directory {
            "" => source.path.clone(),
            directory => format!("{directory}/{}", source.path),
        });
        let files: Vec<String> = files.chain(self.config.clone()).collect();
        self.repository.refuse_conversions(commit, &files)?;
        Ok(sources)
    }

    /// Fails if an attribute changes the file, or the configuration, at checkout.
    pub(super) fn refuse_conversions(&self, commit: &Commit, file: &str) -> Result<(), Failure> {
        let files: Vec<String> = std::iter::once(file.to_owned())
            .chain(self.config.clone())
            .collect();
        Ok(self.repository.refuse_conversions(commit, &files)?)
    }

    /// Whether a commit has the configuration file.
    pub(super) fn has_config(&self, commit: &Commit) -> Result<bool, Failure> {
        match &self.config {
            Some(file) => Ok(self.repository.entry(commit, file)?.is_some()),
            None => Ok(false),
        }
    }

    /// Fails if the configuration of the work tree serves a compiled policy and a directory is checked: the gate would not see
    /// what is served. A served directory that is another one is allowed, so that each environment can be checked: if a change
    /// moves `policies`, that is a finding.
    pub(in super::super) fn refuse_unserved(
        &self,
        config: &ConfigArg,
        checked: &Path,
    ) -> Result<(), Failure> {
        if !config.path().exists() {
            return Ok(());
        }
        let served = config.or_default()?.policies;
        if !served.is_file() {
            return Ok(());
        }
        Err(unserved(&served.display(), &checked.display()))
    }

    /// Whether a path is in the work tree.
    pub(in super::super) fn has(&self, path: &Path) -> Result<bool, Failure> {
        Ok(inside(&self.repository, path)?.is_some())
    }

    /// Fails if a symbolic link is on the path to the work tree's configuration: another checkout would read another
    /// file.
    pub(in super::super) fn refuse_linked_config(&self) -> Result<(), Failure> {
        let mut at = self.repository.top().to_owned();
        for part in self.config.iter().flat_map(|file| file.split('/')) {
            at.push(part);
            if std::fs::symlink_metadata(&at).is_ok_and(|metadata| metadata.is_symlink()) {
                return Err(Failure::Trouble(format!(
                    "`{}` is a symbolic link on the way to the configuration; replace it by the file or directory itself",
                    at.display()
                )));
            }
        }
        Ok(())
    }

    /// Fails if `new` lacks a commit of `old`: the comparison would not show the result of a merge.
    pub(in super::super) fn check_ancestry(
        &self,
        old: &Commit,
        new: &Commit,
        ancestry: Ancestry,
    ) -> Result<(), Failure> {
        if self.repository.is_ancestor(old, new)? {
            return Ok(());
        }
        if ancestry == Ancestry::ContainsOrPrecedes && self.repository.is_ancestor(new, old)? {
            return Ok(());
        }
        let (old, new) = (&old.name, &new.name);
        Err(Failure::Trouble(format!(
            "`{new}` lacks commits of `{old}`, so the merge of both is not what would be compared; merge `{old}` into it, or \
             rebase it onto `{old}`, and repeat (for what `{new}` changed by itself: `tokenward diff {old}...{new}`)"
        )))
    }

    /// The commit of the work tree.
    pub(in super::super) fn head(&self) -> Result<Commit, Failure> {
        Ok(self.repository.resolve("HEAD")?)
    }
}

/// The configuration serves something other than the directory that is checked, such as a compiled policy.
pub(super) fn unserved(served: &dyn Display, checked: &dyn Display) -> Failure {
    Failure::Trouble(format!(
        "the configuration serves the compiled policy `{served}` and not `{checked}`, so what is checked is not what is served; name the \
         configuration that serves `{checked}` with `--config`, or compare compiled policies with `tokenward diff`"
    ))
}

/// The path from the repository's top; `None` if it is elsewhere.
fn inside(repository: &Repository, path: &Path) -> Result<Option<String>, Failure> {
    match repository.relative(path) {
        Ok(path) => Ok(Some(path)),
        Err(GitError::Outside { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// Removes `.` and `..` from a relative path and joins its parts with `/`; `None` if it leads above its start.
fn below(path: &Path) -> Option<String> {
    let mut parts: Vec<&str> = Vec::new();
    for part in path.components() {
        match part {
            Component::CurDir => {}
            Component::ParentDir => {
                parts.pop()?;
            }
            Component::Normal(part) => parts.push(part.to_str()?),
            Component::RootDir | Component::Prefix(_) => return None,
        }
    }
    Some(parts.join("/"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_within_the_repository() {
        for (path, expected) in [
            ("policies", Some("policies")),
            ("conf/../policies", Some("policies")),
            ("conf/./sub/p", Some("conf/sub/p")),
            ("conf/../../p", None),
            ("/p", None),
            ("", Some("")),
        ] {
            assert_eq!(below(Path::new(path)).as_deref(), expected, "{path}");
        }
    }
}
