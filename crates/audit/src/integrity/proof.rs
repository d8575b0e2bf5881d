//! A proof: a file by which a part of the chain can be verified elsewhere.
//!
//! It begins with text: a line `tokenward-audit-proof 1`, a line for each public key (`keys`) and each signed head
//! (`signed_head`), and an empty line. Blocks follow, one after the other (`format/block`).

use std::fs::{self, File};
use std::io::{self, BufRead, BufReader, Read};
use std::path::Path;

use crate::integrity::heads_file::FILE;
use crate::integrity::keys::PublicKey;
use crate::integrity::signed_head::{self, SignedHead};

const FIRST_LINE: &str = "tokenward-audit-proof 1";

/// Most lines before the blocks: more than a head a minute gives in ten years.
const MOST_LINES: usize = 6_000_000;

/// The text that begins a proof.
pub(crate) fn head(keys: &[PublicKey], heads: &[SignedHead]) -> String {
    let mut text = format!("{FIRST_LINE}\n");
    text.extend(keys.iter().map(|key| format!("{key}\n")));
    text.extend(heads.iter().map(|head| format!("{head}\n")));
    text.push('\n');
    text
}

/// Opens the proof at `path` after its first line; `None` if the file is not a proof.
fn open(path: &Path) -> Option<File> {
    let mut file = File::open(path).ok()?;
    let mut first = vec![0; FIRST_LINE.len() + 1];
    file.read_exact(&mut first).ok()?;
    (first == format!("{FIRST_LINE}\n").as_bytes()).then_some(file)
}

/// Whether the file at `path` is a proof.
pub(crate) fn is_at(path: &Path) -> bool {
    open(path).is_some()
}

/// The text lines of the proof at `path`; empty if the file is not a proof.
fn lines(path: &Path) -> Vec<String> {
    let Some(file) = open(path) else {
        return Vec::new();
    };
    BufReader::new(file)
        .lines()
        .map_while(Result::ok)
        .take(MOST_LINES)
        .take_while(|line| !line.is_empty())
        .collect()
}

/// The keys that the proof names.
pub(crate) fn keys(path: &Path) -> Vec<PublicKey> {
    lines(path).iter().filter_map(|line| line.parse().ok()).collect()
}

/// The signed heads in the proof.
pub(crate) fn heads(path: &Path) -> Vec<SignedHead> {
    signed_head::parse(&lines(path).join("\n"))
}

/// Reads the heads of the store in the directory `root`, or of the proof in that file; empty if the store has no file of heads.
/// Fails if that file cannot be read.
pub(crate) fn read_all(root: &Path) -> io::Result<Vec<SignedHead>> {
    if !root.is_dir() {
        return Ok(heads(root));
    }
    match fs::read(root.join(FILE)) {
        Err(e) if e.kind() == io::ErrorKind::NotFound => Ok(Vec::new()),
        bytes => bytes.map(|bytes| signed_head::parse(&String::from_utf8_lossy(&bytes))),
    }
}
