//! The artifact: a compiled policy as bytes, made in CI and loaded by the proxy in place of the sources.
//!
//! ```text
//! offset length
//!      0      8 magic      "TWPOLICY"
//!      8      2 format     4
//!     10      2 language   1, the version of the language that its lines were compiled by
//!     12     32 digest     SHA-256 of the first twelve bytes and everything after the header
//!     44      1 signed     1 if a signature follows, else 0
//!     45      4 key        the id of the key that signed, or zeros
//!     49     64 signature  Ed25519 over "tokenward artifact 1", a line feed and bytes 0 to 48, or zeros
//!    113        sections   of (tag u32, length u64, content): lines, values, urls, names, paths, constraints, rules, tokens;
//!                          each once, in this order
//! ```
//!
//! The digest is the policy's version, which the audit and `/readyz` show. It is computed from everything that decides, when
//! a policy is compiled and when an artifact is read, so two programs that decide differently have different digests.
//! [`read`] checks the signature first, from the header alone, then the digest; only then it decodes the sections.
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
mod header;
mod regexp;
mod signature;

#[doc(hidden)]
pub use decode::decode_sections;
pub use decode::{Artifact, decode, read};
pub(crate) use encode::digest;
pub use encode::{encode, encode_signed};
pub use error::{DecodeError, ReadError, SignatureError};
pub use signature::Signers;

/// The first bytes of every artifact.
pub const MAGIC: &[u8; 8] = b"TWPOLICY";
/// The format that this version writes, and the only one that it reads.
pub const FORMAT: u16 = 4;
/// The version of the language, which an artifact carries: raised when a line comes to mean anything else. The proxy refuses
/// an artifact of another version, since its lines were compiled to a meaning that this version does not give them.
pub const LANGUAGE: u16 = 1;
/// Bytes in front of the sections.
pub const HEADER: usize = 113;

/// The usual ending of an artifact's name.
pub const EXTENSION: &str = "twp";

/// The sections, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
enum Section {
    Lines = 1,
    Values = 2,
    Urls = 3,
    Names = 4,
    Paths = 5,
    Constraints = 6,
    Rules = 7,
    Tokens = 8,
}
