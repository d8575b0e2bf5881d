//! The control stream: manifests, revocations and proofs, as bytes of which nothing is believed here.

use std::pin::Pin;

use async_nats::jetstream::Message;
use async_nats::jetstream::consumer::DeliverPolicy;
use async_nats::jetstream::consumer::pull::{Ordered, OrderedConfig};
use async_nats::jetstream::context::PublishErrorKind;
use async_nats::jetstream::message::PublishMessage;
use async_nats::jetstream::stream::LastRawMessageErrorKind;
use bytes::Bytes;
use futures_util::StreamExt;
use tokenward_fleet::Digest;
use tokenward_fleet::name::Name;

use crate::connect::{Engine, within};
use crate::error::EngineError;

/// A message of a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// Its place in the stream.
    pub sequence: u64,
    /// Its bytes.
    pub bytes: Bytes,
    /// Time at which the server stored it, seconds since 1970 UTC by the server's clock.
    pub time: i64,
}

/// What a message of the control stream claims to be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A manifest.
    Manifest,
    /// The revocation of a secret with this hash.
    Revocation(Digest),
    /// A proof of this node.
    Proof(Name),
    /// Nothing that a fleet uses.
    Other(String),
}

/// Result of storing a revocation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Put {
    /// It is stored in this place.
    Stored(u64),
    /// The subject has another message already.
    There(Stored),
}

/// The messages of a stream in their order, from the first one on.
pub struct Following {
    messages: Pin<Box<Ordered>>,
    prefix: String,
}

impl Engine {
    /// The last message of the manifest's subject.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn manifest(&self) -> Result<Option<Stored>, EngineError> {
        let names = self.names();
        self.last(&names.control_stream(), &names.manifest()).await
    }

    /// Stores a manifest, if the last one is still that of this place; 0 for none.
    ///
    /// # Errors
    /// Another publisher was first, or the engine does not store it.
    pub async fn put_manifest(&self, bytes: Vec<u8>, replaces: u64) -> Result<u64, EngineError> {
        self.put(&self.names().manifest(), bytes, Some(replaces)).await
    }

    /// Stores a signed revocation, unless the subject has a message in another place than `replaces`; 0 for none.
    ///
    /// # Errors
    /// The engine does not store it.
    pub async fn put_revocation(
        &self,
        hash: &Digest,
        bytes: Vec<u8>,
        replaces: u64,
    ) -> Result<Put, EngineError> {
        let subject = self.names().revocation(hash);
        match self.put(&subject, bytes, Some(replaces)).await {
            Ok(sequence) => Ok(Put::Stored(sequence)),
            Err(EngineError::Conflict(subject)) => {
                let there = self.last(&self.names().control_stream(), &subject).await?;
                there.map(Put::There).ok_or(EngineError::Conflict(subject))
            }
            Err(error) => Err(error),
        }
    }

    /// Stores a proof of a node. A quorum has it when this returns.
    ///
    /// # Errors
    /// The engine does not store it.
    pub async fn put_proof(&self, node: &Name, bytes: Vec<u8>) -> Result<u64, EngineError> {
        self.put(&self.names().proof(node), bytes, None).await
    }

    /// The last proof of each node.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn proofs(&self) -> Result<Vec<(Name, Stored)>, EngineError> {
        let mut all = Vec::new();
        for (kind, stored) in self.read(vec![self.names().proofs()]).await? {
            if let Kind::Proof(node) = kind {
                all.push((node, stored));
            }
        }
        Ok(all)
    }

    /// The revocations that the stream has now, in its order.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn revocations(&self) -> Result<Vec<(Digest, Stored)>, EngineError> {
        let mut all = Vec::new();
        for (kind, stored) in self.read(vec![self.names().revocations()]).await? {
            if let Kind::Revocation(hash) = kind {
                all.push((hash, stored));
            }
        }
        Ok(all)
    }

    /// Follows what one node needs: the manifest, all revocations, and its own proofs, from the first message on.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn follow(&self, node: &Name) -> Result<Following, EngineError> {
        let names = self.names();
        let subjects = vec![names.manifest(), names.revocations(), names.proof(node)];
        self.followed(subjects).await.map(|(following, _)| following)
    }

    async fn followed(&self, subjects: Vec<String>) -> Result<(Following, u64), EngineError> {
        let doing = "following the control stream";
        let stream = self.stream(&self.names().control_stream()).await?;
        let config = OrderedConfig {
            deliver_policy: DeliverPolicy::All,
            filter_subjects: subjects,
            ..OrderedConfig::default()
        };
        let consumer = within(doing, stream.create_consumer(config))
            .await?
            .map_err(|error| EngineError::failed(doing)(error.into()))?;
        let pending = consumer.cached_info().num_pending;
        let messages = within(doing, consumer.messages())
            .await?
            .map_err(|error| EngineError::failed(doing)(error.into()))?;
        let following = Following {
            messages: Box::pin(messages),
            prefix: format!("tokenward.{}.", self.names().fleet()),
        };
        Ok((following, pending))
    }

    /// Reads the messages that these subjects have now.
    async fn read(&self, subjects: Vec<String>) -> Result<Vec<(Kind, Stored)>, EngineError> {
        let (mut following, pending) = self.followed(subjects).await?;
        let mut all = Vec::new();
        let mut left = pending;
        while left > 0 {
            let next = within("reading the control stream", following.next()).await?;
            let (kind, stored, rest) = next?;
            all.push((kind, stored));
            left = rest;
        }
        Ok(all)
    }

    /// The last message of a subject.
    pub(crate) async fn last(&self, stream: &str, subject: &str) -> Result<Option<Stored>, EngineError> {
        let doing = "reading a message";
        let stream = self.stream(stream).await?;
        match within(doing, stream.get_last_raw_message_by_subject(subject)).await? {
            Ok(message) => Ok(Some(Stored {
                sequence: message.sequence,
                bytes: message.payload,
                time: message.time.unix_timestamp(),
            })),
            Err(error) if matches!(error.kind(), LastRawMessageErrorKind::NoMessageFound) => Ok(None),
            Err(error) => Err(EngineError::failed(doing)(error.into())),
        }
    }

    /// Stores a message, and returns its place.
    pub(crate) async fn put(
        &self,
        subject: &str,
        bytes: Vec<u8>,
        replaces: Option<u64>,
    ) -> Result<u64, EngineError> {
        let doing = "storing a message";
        let mut message = PublishMessage::build().payload(bytes.into());
        if let Some(replaces) = replaces {
            message = message.expected_last_subject_sequence(replaces);
        }
        let stored = async {
            let sent = self.context().send_publish(subject.to_owned(), message).await?;
            sent.await
        };
        within(doing, stored)
            .await?
            .map(|stored| stored.sequence)
            .map_err(|error| {
                let why = crate::connect::chain(&error);
                match error.kind() {
                    PublishErrorKind::WrongLastSequence => EngineError::Conflict(subject.to_owned()),
                    // A cluster refuses this way while the other message is on its way.
                    _ if why.contains("wrong last sequence") => EngineError::Conflict(subject.to_owned()),
                    PublishErrorKind::StreamNotFound => EngineError::NoStream(format!("for {subject}")),
                    PublishErrorKind::TimedOut | PublishErrorKind::BrokenPipe => {
                        EngineError::Failed { doing, why }
                    }
                    _ => EngineError::Refused {
                        subject: subject.to_owned(),
                        why,
                    },
                }
            })
    }
}

impl Following {
    /// Waits for the next message. The number is that of the messages that came after it until it was sent.
    ///
    /// # Errors
    /// The stream cannot be followed any more.
    pub async fn next(&mut self) -> Result<(Kind, Stored, u64), EngineError> {
        let doing = "following the control stream";
        let failed = |why: String| EngineError::Failed { doing, why };
        let next = self.messages.next().await;
        let message = next.ok_or_else(|| failed("the consumer ended".to_owned()))?;
        let message = message.map_err(|error| failed(crate::connect::chain(&error)))?;
        let kind = self.kind(&message);
        let info = message.info().map_err(|error| failed(error.to_string()))?;
        let (sequence, rest, time) = (
            info.stream_sequence,
            info.pending,
            info.published.unix_timestamp(),
        );
        let stored = Stored {
            sequence,
            bytes: message.payload.clone(),
            time,
        };
        Ok((kind, stored, rest))
    }

    fn kind(&self, message: &Message) -> Kind {
        kind_of(&self.prefix, message.subject.as_str())
    }
}

fn kind_of(prefix: &str, subject: &str) -> Kind {
    let other = || Kind::Other(subject.to_owned());
    let Some(rest) = subject.strip_prefix(prefix) else {
        return other();
    };
    match rest.split_once('.') {
        None if rest == "manifest" => Kind::Manifest,
        Some(("revocation", hash)) => {
            let mut digest = [0; 32];
            match hex::decode_to_slice(hash, &mut digest) {
                // One form: the subject is the key.
                Ok(()) if !hash.bytes().any(|byte| byte.is_ascii_uppercase()) => Kind::Revocation(digest),
                _ => other(),
            }
        }
        Some(("proof", node)) => node.parse().map_or_else(|_| other(), Kind::Proof),
        _ => other(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn subjects_are_read_in_one_form() {
        let of = |subject: &str| kind_of("tokenward.main.", subject);
        assert_eq!(of("tokenward.main.manifest"), Kind::Manifest);
        let hash = "ab".repeat(32);
        assert_eq!(
            of(&format!("tokenward.main.revocation.{hash}")),
            Kind::Revocation([0xab; 32])
        );
        assert_eq!(
            of("tokenward.main.proof.p-1"),
            Kind::Proof("p-1".parse().unwrap())
        );
        for other in [
            format!("tokenward.main.revocation.{}", hash.to_uppercase()),
            "tokenward.main.revocation.00".to_owned(),
            "tokenward.main.manifest.x".to_owned(),
            "tokenward.other.manifest".to_owned(),
            "tokenward.main.proof.A".to_owned(),
        ] {
            assert_eq!(of(&other), Kind::Other(other.clone()));
        }
    }
}
