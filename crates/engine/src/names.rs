//! Streams and subjects of a fleet.

use tokenward_fleet::Digest;
use tokenward_fleet::name::Name;

/// Names the streams and subjects of one fleet. No two fleets share one: the parts have no dots, and the kind comes first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Names(Name);

impl Names {
    /// The names of a fleet.
    #[must_use]
    pub fn of(fleet: Name) -> Self {
        Self(fleet)
    }

    /// The fleet.
    #[must_use]
    pub fn fleet(&self) -> &Name {
        &self.0
    }

    fn stream(&self, kind: &str) -> String {
        format!("tokenward-{kind}-{}", self.0)
    }

    fn subject(&self, rest: &str) -> String {
        format!("tokenward.{}.{rest}", self.0)
    }

    /// The stream of manifests, revocations and proofs.
    #[must_use]
    pub fn control_stream(&self) -> String {
        self.stream("control")
    }

    /// The subject of the manifest.
    #[must_use]
    pub fn manifest(&self) -> String {
        self.subject("manifest")
    }

    /// The subject of a secret's revocation.
    #[must_use]
    pub fn revocation(&self, hash: &Digest) -> String {
        self.subject(&format!("revocation.{}", hex::encode(hash)))
    }

    /// The subjects of all revocations.
    #[must_use]
    pub fn revocations(&self) -> String {
        self.subject("revocation.*")
    }

    /// The subject of a node's proofs.
    #[must_use]
    pub fn proof(&self, node: &Name) -> String {
        self.subject(&format!("proof.{node}"))
    }

    /// The subjects of all proofs.
    #[must_use]
    pub fn proofs(&self) -> String {
        self.subject("proof.*")
    }

    /// The stream of compiled policies.
    #[must_use]
    pub fn policy_stream(&self) -> String {
        self.stream("policy")
    }

    /// The subject of a piece of a compiled policy.
    #[must_use]
    pub fn policy(&self, digest: &Digest, piece: u64) -> String {
        self.subject(&format!("policy.{}.{piece}", hex::encode(digest)))
    }

    /// The subjects of all pieces of all compiled policies.
    #[must_use]
    pub fn policies(&self) -> String {
        self.subject("policy.*.*")
    }

    /// The stream of the audits' blocks.
    #[must_use]
    pub fn audit_stream(&self) -> String {
        self.stream("audit")
    }

    /// The subject of the blocks of one store of a node.
    #[must_use]
    pub fn audit(&self, node: &Name, store: &str) -> String {
        self.subject(&format!("audit.{node}.{store}"))
    }

    /// The subjects of all blocks.
    #[must_use]
    pub fn audits(&self) -> String {
        self.subject("audit.*.*")
    }

    /// The stream of the collector's receipts.
    #[must_use]
    pub fn receipt_stream(&self) -> String {
        self.stream("receipt")
    }

    /// The subject of the receipts of one store of a node.
    #[must_use]
    pub fn receipt(&self, node: &Name, store: &str) -> String {
        self.subject(&format!("receipt.{node}.{store}"))
    }

    /// The subjects of all receipts.
    #[must_use]
    pub fn receipts(&self) -> String {
        self.subject("receipt.*.*")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_two_fleets_share_a_stream_or_a_subject() {
        let of = |name: &str| Names::of(name.parse().unwrap());
        let (main, other) = (of("main"), of("main-control"));
        assert_eq!(main.control_stream(), "tokenward-control-main");
        assert_ne!(main.control_stream(), other.policy_stream());
        assert_eq!(main.proof(&"p-1".parse().unwrap()), "tokenward.main.proof.p-1");
        let hash = main.revocation(&[1; 32]);
        assert!(hash.starts_with("tokenward.main.revocation.0101"), "{hash}");
        assert!(main.policy(&[2; 32], 7).ends_with("02.7"));
    }
}
