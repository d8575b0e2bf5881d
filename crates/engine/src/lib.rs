//! What a fleet keeps in NATS JetStream: policies, revocations, proofs of freshness, the audit's blocks.
//!
//! The engine is not trusted. What it holds is signed or chained, and what it loses is written back.
