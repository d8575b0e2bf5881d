//! The keys of tokens and of policies, each in a file that only its owner can read: the *sealing key* encrypts secrets
//! so that they can be shown again (standard mode), the *signing key* makes seals (secure mode), the *artifact key*
//! signs compiled policies, the *fleet key* signs manifests.

mod artifact;
mod ed25519;
mod file;
mod fleet;

use std::path::{Path, PathBuf};

use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use ring::signature::Ed25519KeyPair;
use sha2::{Digest, Sha256};
use tokenward_compiler::seal::{KeyId, PublicKey, Seal, Version};
use zeroize::Zeroizing;

pub use artifact::ArtifactKey;
use ed25519::{key_pair, public, signature};
pub use file::KeyError;
use file::{fill, generate, publish, read};
pub use fleet::FleetKey;

const SEALING: &str = "tokenward-sealing-key";
const SIGNING: &str = "tokenward-signing-key";
/// Context string to which the encryption of a secret is bound, followed by its hash.
const CONTEXT: &str = "tokenward sealed secret 1\n";
const VERSION: &str = "v1";

/// Reason why a sealed secret cannot be shown.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The key that sealed the secret is not configured.
    #[error("it was encrypted with the key {0}, which is not in [keys] sealing_keys")]
    OtherKey(String),
    /// The sealed text, or the token's hash, was changed.
    #[error("`secret_sealed` does not belong to this token, or was changed")]
    Damaged,
}

/// Encrypts secrets: ChaCha20-Poly1305 (RFC 8439), each with a random nonce, bound to the secret's hash.
pub struct SealingKey {
    key: LessSafeKey,
    id: KeyId,
}

/// Makes seals: Ed25519 (RFC 8032).
pub struct SigningKey(Ed25519KeyPair);

/// Reads the keys of these files, in order.
///
/// # Errors
/// See [`KeyError`].
pub fn sealing_keys(files: &[PathBuf]) -> Result<Vec<SealingKey>, KeyError> {
    files.iter().map(|file| SealingKey::read(file)).collect()
}

impl SealingKey {
    /// Makes a key in a new file.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn generate(path: &Path) -> Result<Self, KeyError> {
        Self::of(&*generate(path, SEALING)?).ok_or(KeyError::NoRandomness)
    }

    /// Reads a key from a file.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        Self::of(&*read(path, SEALING, "a sealing key")?).ok_or(KeyError::NoRandomness)
    }

    fn of(bytes: &[u8; 32]) -> Option<Self> {
        let digest = Sha256::new_with_prefix("tokenward sealing key\n")
            .chain_update(bytes)
            .finalize();
        Some(Self {
            key: LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, bytes).ok()?),
            id: digest.first_chunk().copied()?,
        })
    }

    /// Id of the key: eight hexadecimal digits, which reveal nothing of the key.
    #[must_use]
    pub fn id(&self) -> String {
        hex::encode(self.id)
    }

    /// Encrypts the secret for a policy file: `v1:KEY-ID:`, then nonce and ciphertext in hexadecimal.
    ///
    /// # Errors
    /// The system gives no random numbers.
    pub fn seal(&self, secret: &str, hash: &[u8; 32]) -> Result<String, KeyError> {
        let mut nonce = [0; NONCE_LEN];
        fill(&mut nonce)?;
        let mut bytes = secret.as_bytes().to_vec();
        self.key
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(bound_to(hash)),
                &mut bytes,
            )
            .map_err(|_| KeyError::NoRandomness)?;
        let (id, nonce, bytes) = (self.id(), hex::encode(nonce), hex::encode(bytes));
        Ok(format!("{VERSION}:{id}:{nonce}{bytes}"))
    }

    /// Decrypts the secret of a token with this hash, with one of these keys.
    ///
    /// # Errors
    /// See [`OpenError`].
    pub fn open(keys: &[Self], sealed: &str, hash: &[u8; 32]) -> Result<Zeroizing<String>, OpenError> {
        let parts: Vec<&str> = sealed.split(':').collect();
        let [VERSION, id, digits] = parts.as_slice() else {
            return Err(OpenError::Damaged);
        };
        let key = keys.iter().find(|key| key.id() == *id);
        let key = key.ok_or_else(|| OpenError::OtherKey((*id).to_owned()))?;
        let bytes = hex::decode(digits).map_err(|_| OpenError::Damaged)?;
        let (nonce, rest) = bytes.split_first_chunk::<NONCE_LEN>().ok_or(OpenError::Damaged)?;
        // Decryption in place: the secret replaces its ciphertext here.
        let mut rest = Zeroizing::new(rest.to_vec());
        let opened = key
            .key
            .open_in_place(
                Nonce::assume_unique_for_key(*nonce),
                Aad::from(bound_to(hash)),
                rest.as_mut_slice(),
            )
            .map_err(|_| OpenError::Damaged)?;
        let secret = std::str::from_utf8(opened).map_err(|_| OpenError::Damaged)?;
        if tokenward_pdp::secret::hash(secret) == *hash {
            Ok(secret.to_owned().into())
        } else {
            Err(OpenError::Damaged)
        }
    }
}

impl SigningKey {
    /// Makes a key in a new file, and its public key in a second file with `.pub` added to the name.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn generate(path: &Path) -> Result<Self, KeyError> {
        let key = Self(key_pair(&*generate(path, SIGNING)?)?);
        publish(path, &key.public())?;
        Ok(key)
    }

    /// Reads a key from a file.
    ///
    /// # Errors
    /// See [`KeyError`].
    pub fn read(path: &Path) -> Result<Self, KeyError> {
        Ok(Self(key_pair(&*read(path, SIGNING, "a signing key")?)?))
    }

    /// The public key, which verifies the seals.
    #[must_use]
    pub fn public(&self) -> PublicKey {
        public(&self.0)
    }

    /// Seals a statement of the current version (`tokenward_compiler::seal::statement`).
    #[must_use]
    pub fn sign(&self, statement: &[u8]) -> Seal {
        Seal {
            version: Version::CURRENT,
            key: self.public().id(),
            signature: signature(&self.0, statement),
        }
    }
}

fn bound_to(hash: &[u8; 32]) -> Vec<u8> {
    [CONTEXT.as_bytes(), hash].concat()
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::PermissionsExt;

    use tokenward_audit::Exposed;
    use tokenward_compiler::call_limits::CallLimits;

    use super::*;
    use tokenward_compiler::policy::{Attributes, Users};
    use tokenward_compiler::seal::{Fault, fault, statement};

    fn token() -> Attributes {
        Attributes {
            name: "a".to_owned(),
            users: Users::Named(vec!["u".to_owned()]),
            secret_hash: [1; 32],
            previous: None,
            expires: Some(5),
            allowed_ips: Vec::new(),
            on_behalf_of: Vec::new(),
            revoked: false,
            owner: None,
            description: None,
            mint: false,
            escalate: false,
            limits: CallLimits {
                rate: Some("600/1m".parse().unwrap()),
                ..CallLimits::NONE
            },
            unrestricted: false,
            lint_allow: Vec::new(),
            secret_sealed: false,
            seal: None,
        }
    }

    #[test]
    fn a_sealed_secret_opens_with_its_key_and_hash_alone() {
        let folder = tempfile::tempdir().unwrap();
        let key = SealingKey::generate(&folder.path().join("new/one.key")).unwrap();
        let other = SealingKey::generate(&folder.path().join("two.key")).unwrap();
        let secret = "twd_abcdefghijklmnopqrstuvwxyz012345z592xh";
        let hash = tokenward_pdp::secret::hash(secret);
        let sealed = key.seal(secret, &hash).unwrap();
        assert_ne!(sealed, key.seal(secret, &hash).unwrap(), "a nonce each");
        assert!(!sealed.contains(secret));
        let again = SealingKey::read(&folder.path().join("new/one.key")).unwrap();
        let keys = [other, again];
        assert_eq!(SealingKey::open(&keys, &sealed, &hash).unwrap().as_str(), secret);
        let damaged = |text: &str, hash: &[u8; 32]| {
            matches!(SealingKey::open(&keys, text, hash), Err(OpenError::Damaged))
        };
        assert!(damaged(&sealed, &[7; 32]), "of another token");
        for at in (12..sealed.len()).step_by(7) {
            let mut text = sealed.clone().into_bytes();
            text[at] = if text[at] == b'0' { b'1' } else { b'0' };
            assert!(
                damaged(std::str::from_utf8(&text).unwrap(), &hash),
                "changed at {at}"
            );
        }
        assert!(matches!(
            SealingKey::open(&keys[..1], &sealed, &hash),
            Err(OpenError::OtherKey(id)) if id == key.id()
        ));
    }

    #[test]
    fn keys_that_others_can_read_are_refused_and_none_is_written_over() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("s.key");
        let key = SigningKey::generate(&path).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
        let public = fs::read_to_string(folder.path().join("s.key.pub")).unwrap();
        assert_eq!(public.trim().parse::<PublicKey>().unwrap(), key.public());
        assert!(matches!(
            SigningKey::generate(&path),
            Err(KeyError::Io { doing: "make", .. })
        ));
        assert!(matches!(SealingKey::read(&path), Err(KeyError::NotAKey { .. })));
        for mode in [0o660, 0o604, 0o610] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(
                matches!(SigningKey::read(&path), Err(KeyError::Open { exposed: Exposed::Mode(told), .. }) if told == mode)
            );
        }
    }

    #[test]
    fn a_seal_is_of_everything_but_revoked() {
        let folder = tempfile::tempdir().unwrap();
        let key = SigningKey::generate(&folder.path().join("s.key")).unwrap();
        let other = SigningKey::generate(&folder.path().join("t.key")).unwrap();
        let keys = [other.public(), key.public()];
        let lines = ["!/rest/b", "/rest/a"];
        let mut sealed = token();
        assert_eq!(fault(&sealed, lines, &keys), Some(Fault::Missing));
        sealed.seal = Some(key.sign(&statement(Version::CURRENT, &sealed, lines).unwrap()));
        assert_eq!(fault(&sealed, lines, &keys), None);
        assert_eq!(
            fault(&sealed, lines, &keys[..1]),
            Some(Fault::Stranger(key.public().id()))
        );
        type Change = fn(&mut Attributes);
        let changes: [Change; 13] = [
            |it| it.name.push('b'),
            |it| it.users = Users::Any,
            |it| it.secret_hash = [2; 32],
            |it| it.previous = Some(([3; 32], 9)),
            |it| it.expires = None,
            |it| it.allowed_ips.push("10.0.0.0/8".parse().unwrap()),
            |it| it.on_behalf_of.push("x".to_owned()),
            |it| it.owner = Some("o".to_owned()),
            |it| it.description = Some("d".to_owned()),
            |it| it.mint = true,
            |it| it.escalate = true,
            |it| it.limits = CallLimits::NONE,
            |it| it.unrestricted = true,
        ];
        for (number, change) in changes.iter().enumerate() {
            let mut changed = sealed.clone();
            change(&mut changed);
            assert_eq!(
                fault(&changed, lines, &keys),
                Some(Fault::Wrong),
                "change {number}"
            );
        }
        for other in [
            vec!["/rest/a"],
            vec!["/rest/a", "!/rest/b"],
            vec!["!/rest/b", "/rest/a", "/rest/a"],
        ] {
            assert_eq!(
                fault(&sealed, other.iter().copied(), &keys),
                Some(Fault::Wrong),
                "{other:?}"
            );
        }
        let mut readable = sealed.clone();
        readable.secret_sealed = true;
        assert_eq!(fault(&readable, lines, &keys), Some(Fault::Readable));
        readable.revoked = true;
        assert_eq!(fault(&readable, lines, &keys), None);
        sealed.revoked = true;
        assert_eq!(fault(&sealed, lines, &keys), None);
    }
}
