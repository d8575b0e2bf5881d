//! What a token file revokes: found without compiling, and also in a file that is not TOML.
//!
//! A revocation must not wait until somebody has resolved a merge conflict or repaired a file.

mod conflict;
mod suspects;

use crate::{diagnostic::Code, source::SourceSet, tokens::read};

pub use suspects::Suspect;

/// What one file revokes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct RevokedIn {
    /// SHA-256 of the secrets, current and previous, of each token with `revoked = true`: in the file, or, if it is not TOML, in a side of
    /// the merge conflicts in it that is.
    pub hashes: Vec<[u8; 32]>,
    /// Tokens that seem to be revoked in text that is not TOML. Empty if the file parses.
    pub suspects: Vec<Suspect>,
}

/// Reads what a file of tokens revokes. Cost: linear in the text; one without a revocation is only searched for the word.
#[must_use]
pub fn revoked_in(text: &str) -> RevokedIn {
    let mut found = RevokedIn::default();
    if !may_revoke(text) {
        return found;
    }
    if let Some(hashes) = hashes(text) {
        found.hashes = hashes;
        return found;
    }
    // What git left of a merge: each side is a file that somebody wrote.
    let Some(sides) = conflict::sides(text) else {
        found.suspects = suspects::of(text);
        return found;
    };
    for side in &sides {
        match hashes(side) {
            Some(hashes) => found.hashes.extend(hashes),
            None => found.suspects.extend(suspects::of(side)),
        }
    }
    found
}

/// Whether the text has the key, or an escape by which a quoted key could spell it.
fn may_revoke(text: &str) -> bool {
    ["revoked", "\\u", "\\U", "\\x"]
        .iter()
        .any(|sign| memchr::memmem::find(text.as_bytes(), sign.as_bytes()).is_some())
}

/// The hashes of the revoked tokens of a file; `None` if it is not TOML.
fn hashes(text: &str) -> Option<Vec<[u8; 32]>> {
    let file = SourceSet::from_files([("tokens.toml".to_owned(), text.to_owned())]);
    let mut diagnostics = Vec::new();
    let mut hashes = Vec::new();
    for (id, source) in file.iter() {
        for token in read(id, source, &mut diagnostics) {
            if token.revoked {
                let both = token.secret_hash.iter().chain(&token.previous_secret_hash);
                hashes.extend(both.map(|hash| hash.value));
            }
        }
    }
    let is_toml = !diagnostics.iter().any(|found| found.code == Code::TomlSyntax);
    is_toml.then_some(hashes)
}

#[cfg(test)]
mod tests;
