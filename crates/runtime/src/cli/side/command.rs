//! Arguments that apply to both sides of a comparison.

use std::path::Path;

use super::super::settings::ConfigArg;

/// What both sides of a comparison share: the command line.
#[derive(Clone, Copy)]
pub(in super::super) struct Command<'a> {
    /// The `--config` option.
    pub(in super::super) config: &'a ConfigArg,
    /// Value of `--old-config`.
    pub(in super::super) old_config: Option<&'a Path>,
    /// The policy directory that the command line names for one side or both. If `None`, each side's configuration
    /// names it.
    pub(in super::super) directory: Option<&'a Path>,
}
