//! What a comparison's command line says of both sides.

use std::path::Path;

use super::super::settings::ConfigArg;

/// What both sides of a comparison share: the command line.
#[derive(Clone, Copy)]
pub(in super::super) struct Command<'a> {
    /// `--config`
    pub(in super::super) config: &'a ConfigArg,
    /// `--old-config`
    pub(in super::super) old_config: Option<&'a Path>,
    /// The directory that the command line names for one side or both; otherwise each side's configuration does.
    pub(in super::super) directory: Option<&'a Path>,
}
