//! Compiled policies, in pieces that every server takes.

use tokenward_fleet::Digest;
use tokenward_fleet::manifest::MOST_ARTIFACT_BYTES;

use crate::connect::Engine;
use crate::error::EngineError;

/// Bytes of a piece: half of the largest message that servers take by default.
const PIECE: usize = 512 << 10;

impl Engine {
    /// Stores a compiled policy under its SHA-256. A second time changes nothing.
    ///
    /// # Errors
    /// The engine does not store it.
    pub async fn put_policy(&self, digest: &Digest, policy: &[u8]) -> Result<(), EngineError> {
        for (number, piece) in (0..).zip(policy.chunks(PIECE)) {
            let subject = self.names().policy(digest, number);
            self.put(&subject, piece.to_vec(), None).await?;
        }
        Ok(())
    }

    /// Reads a compiled policy of so many bytes. Its digest is not checked.
    ///
    /// # Errors
    /// A piece is missing or has another length, or the engine does not answer.
    pub async fn policy(&self, digest: &Digest, length: u64) -> Result<Vec<u8>, EngineError> {
        let content =
            |why: String| EngineError::Content(format!("the compiled policy {}: {why}", hex::encode(digest)));
        if length > MOST_ARTIFACT_BYTES {
            return Err(content("it is too long".to_owned()));
        }
        let stream = self.names().policy_stream();
        let mut policy = Vec::new();
        let mut number = 0;
        let mut left = usize::try_from(length).unwrap_or(usize::MAX);
        while left > 0 {
            let subject = self.names().policy(digest, number);
            let piece = self.last(&stream, &subject).await?;
            let piece = piece.ok_or_else(|| content(format!("NATS lacks piece {number}")))?;
            if piece.bytes.len() != left.min(PIECE) {
                return Err(content(format!("piece {number} has another length")));
            }
            left -= piece.bytes.len();
            policy.extend_from_slice(&piece.bytes);
            number += 1;
        }
        Ok(policy)
    }
}
