//! The settings that the streams of a fleet need, and where those of a server differ.

use async_nats::jetstream::ErrorCode;
use async_nats::jetstream::context::GetStreamErrorKind;
use async_nats::jetstream::stream::{Config, DiscardPolicy, RetentionPolicy, StorageType, Stream};

use crate::connect::{Engine, within};
use crate::error::EngineError;

/// Largest size of the control stream: with entries of 512 bytes, more than 400,000 revocations.
const CONTROL_BYTES: i64 = 256 << 20;
/// Largest size of the stream of compiled policies.
const POLICY_BYTES: i64 = 4 << 30;
/// Largest message of the control stream: a manifest has 1,024 bytes, and headers.
const CONTROL_MESSAGE: i32 = 4096;

/// A stream of a fleet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Manifests, revocations and proofs.
    Control,
    /// Compiled policies.
    Policy,
}

impl Kind {
    /// The streams without which a proxy cannot follow.
    pub const ALL: [Self; 2] = [Self::Control, Self::Policy];
}

/// Result of looking at a stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Looked {
    /// Name of the stream.
    pub stream: String,
    /// Whether the server has it.
    pub exists: bool,
    /// Its replicas.
    pub replicas: usize,
    /// Each difference from the needed settings, as a sentence.
    pub differences: Vec<String>,
}

impl Engine {
    /// The settings of a stream.
    #[must_use]
    pub fn wanted(&self, kind: Kind, replicas: usize) -> Config {
        let names = self.names();
        let (name, subjects, max_bytes) = match kind {
            Kind::Control => (
                names.control_stream(),
                vec![names.manifest(), names.revocations(), names.proofs()],
                CONTROL_BYTES,
            ),
            Kind::Policy => (names.policy_stream(), vec![names.policies()], POLICY_BYTES),
        };
        let is_control = kind == Kind::Control;
        Config {
            name,
            subjects,
            max_bytes,
            max_messages: -1,
            // The last message of each subject is all that counts.
            max_messages_per_subject: 1,
            discard: DiscardPolicy::New,
            retention: RetentionPolicy::Limits,
            max_consumers: -1,
            max_message_size: if is_control { CONTROL_MESSAGE } else { -1 },
            storage: StorageType::File,
            num_replicas: replicas,
            // Old policies may be removed, revocations never.
            deny_delete: is_control,
            deny_purge: is_control,
            allow_direct: false,
            allow_rollup: false,
            ..Config::default()
        }
    }

    /// Compares a stream with the settings that it needs, and changes nothing.
    ///
    /// # Errors
    /// The engine does not answer.
    pub async fn look_at(&self, kind: Kind) -> Result<Looked, EngineError> {
        let wanted = self.wanted(kind, 1);
        let stream = wanted.name.clone();
        let found = match self.stream(&wanted.name).await {
            Ok(found) => found,
            Err(EngineError::NoStream(_)) => {
                let differences = vec![format!(
                    "stream `{stream}` is missing; create it with `tokenward fleet create`"
                )];
                return Ok(Looked {
                    stream,
                    exists: false,
                    replicas: 0,
                    differences,
                });
            }
            Err(error) => return Err(error),
        };
        let found = &found.cached_info().config;
        Ok(Looked {
            differences: differences(&wanted, found),
            replicas: found.num_replicas,
            exists: true,
            stream,
        })
    }

    /// Creates a stream. One that exists is left as it is.
    ///
    /// # Errors
    /// The server refuses.
    pub async fn create(&self, kind: Kind, replicas: usize) -> Result<(), EngineError> {
        let doing = "creating a stream";
        let created = within(doing, self.context().create_stream(self.wanted(kind, replicas))).await?;
        created
            .map(|_| ())
            .map_err(|error| EngineError::failed(doing)(error.into()))
    }

    pub(crate) async fn stream(&self, name: &str) -> Result<Stream, EngineError> {
        let doing = "looking for a stream";
        within(doing, self.context().get_stream(name))
            .await?
            .map_err(|error| match error.kind() {
                GetStreamErrorKind::JetStream(error) if error.error_code() == ErrorCode::STREAM_NOT_FOUND => {
                    EngineError::NoStream(name.to_owned())
                }
                _ => EngineError::failed(doing)(error.into()),
            })
    }
}

/// Each setting that weakens what a fleet promises.
fn differences(wanted: &Config, found: &Config) -> Vec<String> {
    let mut all = Vec::new();
    let mut differ = |setting: &str, wanted: String, found: String| {
        if wanted != found {
            all.push(format!("`{setting}` is {found}, but must be {wanted}"));
        }
    };
    let sorted = |subjects: &[String]| {
        let mut subjects = subjects.to_vec();
        subjects.sort_unstable();
        subjects.join(", ")
    };
    differ("subjects", sorted(&wanted.subjects), sorted(&found.subjects));
    let text = |value: &dyn std::fmt::Debug| format!("{value:?}").to_lowercase();
    differ("storage", text(&wanted.storage), text(&found.storage));
    differ("retention", text(&wanted.retention), text(&found.retention));
    differ("discard", text(&wanted.discard), text(&found.discard));
    let per_subject = |config: &Config| config.max_messages_per_subject.to_string();
    differ("max_msgs_per_subject", per_subject(wanted), per_subject(found));
    differ("max_age", text(&wanted.max_age), text(&found.max_age));
    if wanted.deny_delete {
        differ("deny_delete", true.to_string(), found.deny_delete.to_string());
        differ("deny_purge", true.to_string(), found.deny_purge.to_string());
    }
    differ("allow_direct", false.to_string(), found.allow_direct.to_string());
    differ(
        "allow_rollup_hdrs",
        false.to_string(),
        found.allow_rollup.to_string(),
    );
    differ("no_ack", false.to_string(), found.no_ack.to_string());
    let has_mirrors = found.mirror.is_some() || found.sources.as_ref().is_some_and(|it| !it.is_empty());
    differ(
        "mirror and sources",
        "empty".to_owned(),
        if has_mirrors { "set" } else { "empty" }.to_owned(),
    );
    if !(1..=wanted.max_bytes).contains(&found.max_bytes) {
        all.push(format!(
            "`max_bytes` is {}, but must be from 1 to {}",
            found.max_bytes, wanted.max_bytes
        ));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_setting_that_weakens_the_stream_is_named() {
        let wanted = Config {
            subjects: vec!["a".to_owned(), "b".to_owned()],
            max_bytes: 100,
            max_messages_per_subject: 1,
            discard: DiscardPolicy::New,
            deny_delete: true,
            deny_purge: true,
            ..Config::default()
        };
        let same = Config {
            subjects: vec!["b".to_owned(), "a".to_owned()],
            max_bytes: 50,
            num_replicas: 3,
            ..wanted.clone()
        };
        assert_eq!(differences(&wanted, &same), Vec::<String>::new());
        let weak = Config {
            subjects: vec!["a".to_owned()],
            storage: StorageType::Memory,
            discard: DiscardPolicy::Old,
            max_messages_per_subject: -1,
            max_age: std::time::Duration::from_secs(1),
            deny_delete: false,
            deny_purge: false,
            allow_direct: true,
            allow_rollup: true,
            no_ack: true,
            max_bytes: -1,
            ..wanted.clone()
        };
        let found = differences(&wanted, &weak);
        assert_eq!(found.len(), 11, "{found:#?}");
        assert!(
            found.contains(&"`storage` is memory, but must be file".to_owned()),
            "{found:#?}"
        );
    }
}
