//! Attributes that make a checkout's text differ from the text that git stores.

use std::collections::BTreeSet;

use super::{Commit, GitError, Repository};

/// Attributes for which git changes a file's text at checkout (gitattributes(5)).
const ATTRIBUTES: [&str; 5] = ["working-tree-encoding", "filter", "ident", "eol", "crlf"];
/// Words without which no attribute changes a text. `eol` does only with the value `crlf`.
const WORDS: [&str; 4] = ["working-tree-encoding", "filter", "ident", "crlf"];
/// Paths of one run, so that its arguments are never too long.
const PATHS: usize = 100;
/// Bytes of an answer: three texts for each path and attribute.
const MAX_LIST: u64 = 16 << 20;

impl Repository {
    /// Fails if an attribute of the commit makes a checkout of one of these files differ from what the commit contains:
    /// a proxy that serves a checkout would read another text than the comparison.
    ///
    /// # Errors
    /// A file has such an attribute, `.gitattributes` is not a regular file, or git fails.
    pub(crate) fn refuse_conversions(&self, commit: &Commit, paths: &[String]) -> Result<(), GitError> {
        let mut directories = BTreeSet::new();
        for path in paths {
            let ends = path.match_indices('/').map(|(at, _)| at + 1);
            directories.extend(std::iter::once(0).chain(ends).filter_map(|end| path.get(..end)));
        }
        let mut may_convert = false;
        for directory in directories {
            let content = self.file(commit, &format!("{directory}.gitattributes"))?;
            let text = content.as_deref().map(String::from_utf8_lossy);
            may_convert |= text.is_some_and(|text| WORDS.iter().any(|word| text.contains(word)));
        }
        // Without these words git is not asked, since a git before 2.40 cannot read attributes of a commit.
        if !may_convert {
            return Ok(());
        }
        paths
            .chunks(PATHS)
            .try_for_each(|paths| self.refuse_attributes(commit, paths))
    }

    fn refuse_attributes(&self, commit: &Commit, paths: &[String]) -> Result<(), GitError> {
        let source = format!("--source={}", commit.id);
        let mut arguments = vec![source.as_str(), "-z"];
        arguments.extend(ATTRIBUTES);
        arguments.push("--");
        arguments.extend(paths.iter().map(String::as_str));
        let answer = self.runner.output("check-attr", &arguments, MAX_LIST)?;
        let answer = String::from_utf8_lossy(&answer);
        let mut texts = answer.split_terminator('\0');
        while let (Some(path), Some(attribute), Some(value)) = (texts.next(), texts.next(), texts.next()) {
            if converts(attribute, value) {
                return Err(GitError::Converted {
                    path: path.to_owned(),
                    revision: commit.name.clone(),
                    attribute: attribute.to_owned(),
                });
            }
        }
        Ok(())
    }
}

/// Whether a checkout changes the text of a file with this attribute.
fn converts(attribute: &str, value: &str) -> bool {
    match attribute {
        "eol" => value == "crlf",
        // The old name of `text` and `eol=lf`, which change nothing at checkout by themselves.
        "crlf" => !matches!(value, "unspecified" | "unset" | "set" | "input"),
        _ => !matches!(value, "unspecified" | "unset"),
    }
}

#[cfg(test)]
mod tests {
    use super::converts;

    #[test]
    fn attributes_that_change_a_checkout() {
        for (attribute, value) in [
            ("working-tree-encoding", "ISO646-GB"),
            ("filter", "evil"),
            ("ident", "set"),
            ("eol", "crlf"),
        ] {
            assert!(converts(attribute, value), "{attribute}={value}");
        }
        for (attribute, value) in [
            ("working-tree-encoding", "unspecified"),
            ("filter", "unset"),
            ("ident", "unset"),
            ("eol", "lf"),
            ("crlf", "input"),
        ] {
            assert!(!converts(attribute, value), "{attribute}={value}");
        }
    }
}
