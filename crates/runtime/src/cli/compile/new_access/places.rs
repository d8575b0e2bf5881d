//! Where findings are that are in no file of the new side's policy: in its configuration, or in the base's invariants.

use std::fs;
use std::path::{Path, PathBuf};

use tokenward_compiler::diagnostic::Elsewhere;
use tokenward_compiler::source::{SourceSet, Span};
use toml::de::{DeTable, DeValue};

pub(super) struct Places {
    /// The new side's configuration.
    config: PathBuf,
    /// Its text; empty if there is none.
    text: String,
    /// The base's policy: `main:policies`.
    base: String,
}

impl Places {
    pub(super) fn new(config: &Path, base: String) -> Self {
        Self {
            config: config.to_owned(),
            // It serves to find a line: whoever compares has read the configuration, and told what is wrong with it.
            text: fs::read_to_string(config).unwrap_or_default(),
            base,
        }
    }

    /// The line of a setting; without one, of the nearest section, else the first.
    pub(super) fn setting(&self, key: &str) -> Option<Elsewhere> {
        Some(Elsewhere {
            file: self.config.display().to_string(),
            line: line_of(&self.text, key),
        })
    }

    /// A place on the base.
    pub(super) fn of_base(&self, sources: &SourceSet, span: Span) -> Option<Elsewhere> {
        let source = sources.get(span.source)?;
        Some(Elsewhere {
            file: format!("{}/{}", self.base, source.path),
            line: sources.line_number(span),
        })
    }
}

fn line_of(text: &str, key: &str) -> usize {
    let Ok(root) = DeTable::parse(text) else { return 1 };
    let (mut table, mut start) = (Some(root.get_ref()), 0);
    for part in key.split('.') {
        let mut keys = table.into_iter().flat_map(|table| table.iter());
        let Some((name, value)) = keys.find(|(name, _)| name.get_ref() == part) else {
            break;
        };
        start = name.span().start;
        table = match value.get_ref() {
            DeValue::Table(table) => Some(table),
            _ => None,
        };
    }
    let before = text.as_bytes().get(..start).unwrap_or_default();
    1 + before.iter().filter(|byte| **byte == b'\n').count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_is_found_in_each_way_to_write_it() {
        let text = "policies = 'p'\nlimits.body_size = 1\n\n[auth]\nnever_act_as = []\n[upstream.identity]\nuser = 'u'\n";
        for (key, line) in [
            ("policies", 1),
            ("limits.body_size", 2),
            ("limits.head_size", 2),
            ("auth.never_act_as", 5),
            ("auth.methods", 4),
            ("upstream.identity.user", 7),
            ("audit.path", 1),
        ] {
            assert_eq!(line_of(text, key), line, "{key}");
        }
        assert_eq!(line_of("", "auth.methods"), 1);
    }
}
