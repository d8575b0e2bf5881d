//! Finds revocations in the policy's files, without compiling them: a revocation must not wait for a policy that takes long to
//! compile, nor for one that does not.

use std::collections::HashMap;
use std::fs::{self, Metadata};
use std::path::{Path, PathBuf};

use tokenward_compiler::revoked::{RevokedIn, Suspect, revoked_in};
use tokenward_compiler::source::{SourceKind, limits};
use tokenward_pdp::secret::SecretHash;

use super::fingerprint::{Look, is_settled, look};

/// The revocations of the files, as they were last read.
#[derive(Debug, Default)]
pub(super) struct FileRevocations {
    known: HashMap<PathBuf, Known>,
}

#[derive(Debug)]
struct Known {
    /// `None`: to be read again, whatever the metadata.
    look: Option<Look>,
    suspects: Vec<Suspect>,
}

impl FileRevocations {
    /// Reads the token files below a directory that changed since the last time, small ones first. `revoke` receives the secrets that a
    /// file revokes as soon as it is read. Links are followed.
    pub(super) fn read(&mut self, directory: &Path, mut revoke: impl FnMut(Vec<SecretHash>)) {
        let mut before = std::mem::take(&mut self.known);
        for (path, metadata) in token_files(directory) {
            let known = before.remove(&path);
            let looks = look(&metadata);
            let is_read = known.as_ref().is_some_and(|known| known.look == Some(looks));
            let bytes = if is_read { None } else { fs::read(&path).ok() };
            // If a file cannot be read now, its earlier revocations stay.
            let Some(bytes) = bytes else {
                self.known.extend(known.map(|known| (path, known)));
                continue;
            };
            let RevokedIn { hashes, suspects } = revoked_in(&text_of(&bytes));
            if !hashes.is_empty() {
                revoke(hashes);
            }
            let look = is_settled(&metadata).then_some(looks);
            self.known.insert(path, Known { look, suspects });
        }
    }

    /// Lists what text that is not TOML seems to revoke, with its file.
    pub(super) fn suspects(&self) -> impl Iterator<Item = (&Path, &Suspect)> {
        let known = self.known.iter();
        known.flat_map(|(path, known)| known.suspects.iter().map(|suspect| (path.as_path(), suspect)))
    }
}

/// Reads a text whatever its encoding. What does not parse suspends like any other broken text. UTF-16, which PowerShell's `>`
/// writes, is no policy, but what it revokes is clear.
fn text_of(bytes: &[u8]) -> String {
    let decode: fn([u8; 2]) -> u16 = match bytes {
        [0xff, 0xfe, ..] | [_, 0, ..] => u16::from_le_bytes,
        [0xfe, 0xff, ..] | [0, _, ..] => u16::from_be_bytes,
        _ => return String::from_utf8_lossy(bytes).into_owned(),
    };
    let units = bytes.as_chunks().0.iter().map(|unit| decode(*unit));
    let text = char::decode_utf16(units).map(|read| read.unwrap_or(char::REPLACEMENT_CHARACTER));
    text.filter(|character| *character != '\u{feff}').collect()
}

/// Lists the files of tokens below a directory, small ones first. Unreadable ones are left out, and so is what exceeds the limits of a
/// policy.
fn token_files(directory: &Path) -> Vec<(PathBuf, Metadata)> {
    let mut files = Vec::new();
    let mut directories = vec![(directory.to_owned(), 0)];
    let mut entries = 0;
    while let Some((directory, depth)) = directories.pop() {
        for entry in fs::read_dir(directory).into_iter().flatten().flatten() {
            entries += 1;
            if entries > limits::ENTRIES {
                break;
            }
            let (path, name) = (entry.path(), entry.file_name());
            // A link's metadata is that of its target.
            let Ok(metadata) = fs::metadata(&path) else {
                continue;
            };
            if metadata.is_dir() {
                let hidden = name.as_encoded_bytes().starts_with(b".");
                if !hidden && depth < limits::DEPTH {
                    directories.push((path, depth + 1));
                }
            } else if metadata.is_file()
                && metadata.len() <= limits::FILE_BYTES
                && SourceKind::of(&name.to_string_lossy()) == Some(SourceKind::Tokens)
            {
                files.push((path, metadata));
            }
        }
    }
    files.sort_by_key(|(_, metadata)| metadata.len());
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn utf_16_is_read() {
        let text = "[[token]]\nrevoked = true\n";
        let units =
            |encode: fn(u16) -> [u8; 2]| -> Vec<u8> { text.encode_utf16().flat_map(encode).collect() };
        let (little, big) = (units(u16::to_le_bytes), units(u16::to_be_bytes));
        assert_eq!(text_of(&little), text);
        assert_eq!(text_of(&big), text);
        assert_eq!(text_of(&[&[0xff, 0xfe], little.as_slice()].concat()), text);
        assert_eq!(text_of(&[&[0xfe, 0xff], big.as_slice()].concat()), text);
        assert_eq!(text_of(text.as_bytes()), text);
        assert_eq!(text_of(b"a\xff"), "a\u{fffd}");
    }
}
