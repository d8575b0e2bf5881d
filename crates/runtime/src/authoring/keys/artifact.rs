//! The artifact key: signs compiled policies where a build (not a person) makes them.

use std::path::Path;

use ring::signature::Ed25519KeyPair;
use tokenward_compiler::artifact;
use tokenward_compiler::ir::Program;
use tokenward_compiler::seal::PublicKey;

use super::ed25519::{key_pair, public, signature};
use super::file::{KeyError, generate, publish, read};

const WORD: &str = "tokenward-artifact-key";

/// Signs artifacts: Ed25519 (RFC 8032).
pub struct ArtifactKey(Ed25519KeyPair);

impl ArtifactKey {
    /// Makes a key in a new file, and its public key in a file next to it that ends in `.pub`.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn generate(path: &Path) -> Result<Self, KeyError> {
        let key = Self(key_pair(&*generate(path, WORD)?)?);
        publish(path, &key.public())?;
        Ok(key)
    }

    /// Reads a key from a file.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        Ok(Self(key_pair(&*read(path, WORD, "an artifact key")?)?))
    }

    /// Gives the public key that verifies its signatures.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        public(&self.0)
    }

    /// Encodes and signs the artifact of a program.
    #[must_use]
    pub fn sign(&self, program: &Program) -> Vec<u8> {
        artifact::encode_signed(program, self.public().id(), |message| signature(&self.0, message))
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use tokenward_compiler::artifact::{SignatureError, Signers};

    use super::*;
    use crate::authoring::keys::SigningKey;

    #[test]
    fn what_the_key_signs_is_accepted_by_its_public_key_only() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.key");
        let key = ArtifactKey::generate(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let public = fs::read_to_string(folder.path().join("a.key.pub")).unwrap();
        assert_eq!(public.trim().parse::<PublicKey>().unwrap(), key.public());
        let signed = ArtifactKey::read(&path).unwrap().sign(&Program::empty());
        let accepted = |key: &ArtifactKey| artifact::read(&signed, &Signers::Keys(vec![key.public()]));
        assert_eq!(accepted(&key).unwrap().signer, Some(key.public().id()));
        let other = ArtifactKey::generate(&folder.path().join("b.key")).unwrap();
        assert_eq!(
            accepted(&other).unwrap_err(),
            SignatureError::Stranger(key.public().id()).into()
        );
    }

    /// People seal tokens, builds sign artifacts: neither key does the other's work.
    #[test]
    fn a_signing_key_is_not_an_artifact_key() {
        let folder = tempfile::tempdir().unwrap();
        let (seals, artifacts) = (folder.path().join("s.key"), folder.path().join("a.key"));
        SigningKey::generate(&seals).unwrap();
        ArtifactKey::generate(&artifacts).unwrap();
        assert!(matches!(ArtifactKey::read(&seals), Err(KeyError::NotAKey { .. })));
        assert!(matches!(
            SigningKey::read(&artifacts),
            Err(KeyError::NotAKey { .. })
        ));
    }
}
