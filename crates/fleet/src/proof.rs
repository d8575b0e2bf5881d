//! Proofs: what a proxy appends to the stream of revocations and manifests. Its nonce, seen again in the stream, proves that the
//! proxy has applied all before it; the rest tells others how far it is.
//!
//! ```text
//! tokenward-proof 1
//! fleet main
//! node proxy-1
//! nonce (32 digits)
//! applied 1204                  the place in the stream up to which all is applied
//! version 42                    version of the policy in force
//! digest sha256:(64 digits)     SHA-256 of the policy in force
//! revocations sha256:(64 digits)  head of the revocations in force
//! ```
//!
//! Proofs are not signed: the server lets each node write its own subject only. They permit nothing.

use crate::digest::Digest;
use crate::freshness::Nonce;
use crate::name::Name;
use crate::text::{self, Malformed, Reader, sha256};

const TITLE: &str = "tokenward-proof 1";
/// Maximum number of bytes of a proof.
pub const MOST_BYTES: usize = 512;

/// What a proxy has applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The fleet.
    pub fleet: Name,
    /// The proxy.
    pub node: Name,
    /// A nonce that nobody else knew before.
    pub nonce: Nonce,
    /// The place in the stream up to which the proxy has applied all.
    pub applied: u64,
    /// Version of the policy in force.
    pub version: u64,
    /// SHA-256 of the policy in force.
    pub digest: Digest,
    /// Head of the revocations in force.
    pub revocations: Digest,
}

impl Proof {
    /// The proof as bytes.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        format!(
            "{TITLE}\nfleet {}\nnode {}\nnonce {}\napplied {}\nversion {}\ndigest {}\nrevocations {}\n",
            self.fleet,
            self.node,
            hex::encode(self.nonce),
            self.applied,
            self.version,
            sha256(&self.digest),
            sha256(&self.revocations)
        )
        .into_bytes()
    }

    /// Reads a proof.
    ///
    /// # Errors
    /// The bytes are not a proof.
    pub fn read(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut it = Reader::new(bytes, TITLE, MOST_BYTES)?;
        let wanted = "a name of 1 to 64 lower-case letters, digits, `-` and `_`";
        let proof = Self {
            fleet: it.parsed("fleet", wanted)?,
            node: it.parsed("node", wanted)?,
            nonce: text::digits(it.field("nonce")?).ok_or(Malformed::Value {
                field: "nonce",
                wanted: "32 hexadecimal digits in lower case",
            })?,
            applied: it.number("applied")?,
            version: it.number("version")?,
            digest: it.digest("digest")?,
            revocations: it.digest("revocations")?,
        };
        it.end()?;
        Ok(proof)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_proof_has_one_form_of_bytes() {
        let proof = Proof {
            fleet: "main".parse().unwrap(),
            node: "proxy-1".parse().unwrap(),
            nonce: [0xab; 16],
            applied: 1204,
            version: 42,
            digest: [1; 32],
            revocations: [2; 32],
        };
        let bytes = proof.bytes();
        assert!(bytes.len() < MOST_BYTES);
        assert_eq!(Proof::read(&bytes).unwrap(), proof);
        let text = String::from_utf8(bytes).unwrap();
        for (from, to) in [
            ("applied 1204", "applied 01204"),
            ("nonce ab", "nonce AB"),
            ("node proxy-1", "node Proxy"),
            ("version 42\n", ""),
            ("tokenward-proof 1", "tokenward-proof 2"),
        ] {
            assert!(Proof::read(text.replace(from, to).as_bytes()).is_err(), "{to}");
        }
        assert!(Proof::read(format!("{text}x").as_bytes()).is_err());
    }
}
