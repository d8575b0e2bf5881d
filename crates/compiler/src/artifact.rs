//! The artifact: a compiled policy as bytes, made in CI and loaded by the proxy in place of the sources.
//!
//! ```text
//! offset length
//!      0      8 magic      "TWPOLICY"
//!      8      2 format     6
//!     10      2 language   2, the version of the language that its lines were compiled by
//!     12     32 digest     SHA-256 of the first twelve bytes and everything after the header
//!     44      1 signed     1 if a signature follows, otherwise 0
//!     45      4 key        the id of the key that signed, or zeros
//!     49     64 signature  Ed25519 over "tokenward artifact 1", a line feed and bytes 0 to 48, or zeros
//!    113        sections   of (tag u32, length u64, content): lines, values, urls, names, paths, constraints, rules, tokens;
//!                          each once, in this order
//! ```
//!
//! [`read`] checks the signature first, from the header only, then the digest; only then it decodes the sections.
//!
//! The policy's version, which the audit and `/readyz` show, is another digest: it is computed from everything that decides,
//! when a policy is compiled and when an artifact is read, so two programs that decide differently have different versions.
//! `version` says how.
//!
//! Numbers are little-endian; a text is its length (u32) and its UTF-8. Equal sources give equal bytes. The artifact stores
//! the codes of globs and the tables of automata. Loading rebuilds everything that depends on the public URL: the layout, and
//! patterns of the whole URL, which are stored as code, or as trees of their regexps if they are not globs. Decoding is total:
//! for any bytes it returns an error, or a program whose every index is valid, and allocates at most a multiple of their number.

mod bytes;
mod decode;
mod encode;
mod error;
mod format;
mod header;
mod regexp;
mod signature;
mod version;

use crate::ir::Program;
#[doc(hidden)]
pub use decode::decode_sections;
pub use decode::{Artifact, decode, read};
pub use encode::{encode, encode_signed};
pub use error::{DecodeError, ReadError, SignatureError};
pub use format::{EXTENSION, FORMAT, HEADER, LANGUAGE, MAGIC};
pub use signature::Signers;
pub(crate) use version::{Share, digest, shares, version};

/// The artifact of a program whose tokens are the lines of questions or invariants: it has a digest like that of a policy.
pub(crate) fn encode_demands(program: &Program) -> Vec<u8> {
    encode(&Program {
        digest: digest(program),
        ..program.clone()
    })
}
