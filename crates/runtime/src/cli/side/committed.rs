//! The commit of the work tree, which a gate judges in addition to the files: the commit is what is merged.

use std::path::Path;

use tokenward_compiler::source::SourceSet;
use tokenward_pdp::config::Config;

use super::super::failure::Failure;
use super::command::Command;
use super::within::{Within, unserved};
use crate::git::Commit;

/// Policy and configuration at `HEAD`, as git stores them.
///
/// Attributes, a sparse checkout and flags of the index make the files of a checkout differ from the commit, and a pull
/// request decides the attributes.
pub(in super::super) struct Committed {
    /// Paths as the file has them.
    pub(in super::super) config: Config,
    pub(in super::super) sources: SourceSet,
}

impl Committed {
    /// Reads the policy at `head`.
    ///
    /// # Errors
    /// The policy or the configuration is a link, is below a submodule, or an attribute changes it at checkout. The
    /// configuration serves a compiled policy, and the command line names a directory.
    pub(in super::super) fn read(
        within: &Within,
        head: &Commit,
        command: &Command<'_>,
    ) -> Result<Self, Failure> {
        let config = within.config_at(head, command)?;
        let directory = within.policies_at(head, &config, command)?;
        if within.has_config(head)? {
            let of_config = Command {
                directory: None,
                ..*command
            };
            let served = within.policies_at(head, &config, &of_config)?;
            let is_compiled = within
                .repository
                .entry(head, &served)?
                .is_some_and(|entry| entry.kind.is_file());
            if is_compiled && served != directory {
                return Err(unserved(&served, &directory));
            }
        }
        let sources = within.sources_at(head, &directory)?.below(&directory);
        Ok(Self { config, sources })
    }

    /// Whether the work tree has the same policy and the same configuration, and no other files that are nearly policy files.
    pub(in super::super) fn is(&self, sources: &SourceSet, config: &Config) -> bool {
        fn files(sources: &SourceSet) -> impl Iterator<Item = (&str, &str)> {
            let files = sources.iter();
            files.map(|(_, source)| (source.path.as_str(), &*source.text))
        }
        self.config == *config
            && files(&self.sources).eq(files(sources))
            && self.sources.near() == sources.near()
    }
}

/// Fails if the policy that the configuration serves is a compiled one: the gate would not see it.
pub(in super::super) fn refuse_compiled(policies: &Path) -> Result<(), Failure> {
    if !policies.is_file() {
        return Ok(());
    }
    Err(Failure::Trouble(format!(
        "`{}` is a file, but `--no-new-access` checks a policy directory; compare compiled policies with `tokenward diff OLD NEW`",
        policies.display()
    )))
}
