//! The artifact: a compiled policy as bytes, made in CI and loaded by the proxy in place of the sources.
//!
//! ```text
//! magic       8 bytes   "TWPOLICY"
//! format      u16       4
//! reserved    u16       0
//! sections    of (tag u32, length u64, content): digest, lines, values, urls, names, paths, constraints, rules, tokens;
//!             each once, in this order
//! check       32 bytes  SHA-256 of everything before it
//! ```
//!
//! Numbers are little-endian, texts are UTF-8 behind their length (u32). Equal sources give equal bytes. Stored are the
//! codes of globs and the tables of automata. Rebuilt at load is what depends on the public URL: the layout, and patterns
//! of the whole URL, which stand as code, or, where they are no globs, as the trees of their regexps. Decoding is total:
//! whatever the bytes, it ends in a program whose every index leads somewhere, or in an error, and allocates no more than
//! a multiple of their number.

mod bytes;
mod decode;
mod encode;
mod error;
mod regexp;

pub use decode::decode;
#[doc(hidden)]
pub use decode::decode_unchecked_digest;
pub use encode::encode;
pub use error::DecodeError;

/// The first bytes of every artifact.
pub const MAGIC: &[u8; 8] = b"TWPOLICY";
/// The format that this version writes, and the only one that it reads.
pub const FORMAT: u16 = 4;

/// The usual ending of an artifact's name.
pub const EXTENSION: &str = "twp";

/// Bytes of the check at the end.
const CHECK: usize = 32;

/// The sections, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
enum Section {
    Digest = 1,
    Lines = 2,
    Values = 3,
    Urls = 4,
    Names = 5,
    Paths = 6,
    Constraints = 7,
    Rules = 8,
    Tokens = 9,
}
