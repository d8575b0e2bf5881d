//! The header: the fixed bytes in front of the sections. They name the content by its digest, and say who vouches for it.

use sha2::{Digest as _, Sha256};

use super::{
    DecodeError, FORMAT, HEADER, LANGUAGE, MAGIC, SignatureError, Signers,
    bytes::{Reader, Writer},
    signature::Signature,
};

/// The digest of a program: SHA-256 over the preamble and all sections.
pub(super) type Digest = [u8; 32];

/// The contents of the fixed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) language: u16,
    pub(super) digest: Digest,
    pub(super) signature: Option<Signature>,
}

impl Header {
    /// The header of an artifact, and its sections. Every byte of the header except the signature must equal the one that
    /// [`Header::write`] writes.
    pub(super) fn read(bytes: &[u8]) -> Result<(Self, &[u8]), DecodeError> {
        let mut reader = Reader(bytes);
        if reader.take(MAGIC.len()).ok() != Some(MAGIC) {
            return Err(DecodeError::NotAnArtifact);
        }
        let found = u16::from_le_bytes(reader.array()?);
        if found != FORMAT {
            return Err(DecodeError::Format { found });
        }
        let language = u16::from_le_bytes(reader.array()?);
        let digest = reader.array()?;
        let is_signed = reader.bool()?;
        let signature = Signature {
            key: reader.array()?,
            signature: reader.array()?,
        };
        if is_signed == (signature == Signature::NONE) {
            return Err(DecodeError::Damaged("a signature that contradicts its flag"));
        }
        let header = Self {
            language,
            digest,
            signature: is_signed.then_some(signature),
        };
        Ok((header, reader.0))
    }

    /// Refuses what these signers do not vouch for. Nothing but the header is looked at.
    pub(super) fn vouched_for(&self, signers: &Signers) -> Result<(), SignatureError> {
        match signers {
            Signers::Anyone => Ok(()),
            Signers::Keys(keys) if keys.is_empty() => Err(SignatureError::NoKeys),
            Signers::Keys(keys) => self
                .signature
                .ok_or(SignatureError::Missing)?
                .check(&self.signed_part(), keys),
        }
    }

    /// Refuses sections that are not those of the digest, or speak another language.
    pub(super) fn fits(&self, sections: &[u8]) -> Result<(), DecodeError> {
        if self.language != LANGUAGE {
            return Err(DecodeError::Language { found: self.language });
        }
        let mut hash = hasher();
        hash.update(sections);
        let found: Digest = hash.finalize().into();
        if found == self.digest {
            Ok(())
        } else {
            Err(DecodeError::Damaged("its digest does not match its content"))
        }
    }

    /// The header without the signature itself: the bytes that a signature signs.
    pub(super) fn signed_part(&self) -> Vec<u8> {
        let mut out = Writer(Vec::with_capacity(HEADER));
        out.0.extend(MAGIC);
        out.0.extend(FORMAT.to_le_bytes());
        out.0.extend(self.language.to_le_bytes());
        out.0.extend(self.digest);
        out.bool(self.signature.is_some());
        out.0.extend(self.signature.unwrap_or(Signature::NONE).key);
        out.0
    }

    /// The fixed bytes.
    pub(super) fn write(&self) -> Vec<u8> {
        let mut bytes = self.signed_part();
        bytes.extend(self.signature.unwrap_or(Signature::NONE).signature);
        bytes
    }
}

/// The beginning of a digest of this format and language: the sections follow.
pub(super) fn hasher() -> Sha256 {
    Sha256::new()
        .chain_update(MAGIC)
        .chain_update(FORMAT.to_le_bytes())
        .chain_update(LANGUAGE.to_le_bytes())
}
