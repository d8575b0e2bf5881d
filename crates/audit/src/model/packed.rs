//! A record on its way to the disk: made by the caller's thread with one allocation, read by the writer, and freed.

use std::net::IpAddr;
use std::ops::Range;

use crate::model::evidence::{Constraint, Kept, Lacking, LineText, NodeValue, Tried};
use crate::model::record::{Record, RecordRef, Verdict};

/// Number of texts that a record may have.
const TEXTS: usize = 11;

/// A record that is ready to be appended: all its texts are in one allocation, so that handing it to the writer's thread, which
/// frees it, costs little. Made from a [`RecordRef`] or a [`Record`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackedRecord {
    time_ms: i64,
    request_id: [u8; 16],
    client: IpAddr,
    verdict: Verdict,
    request_bytes: Option<u64>,
    decision_ns: u64,
    authenticated: bool,
    line_number: u32,
    texts: Texts,
    // Few records have any.
    evidence: Option<Box<Evidence>>,
}

/// Texts, one after the other; some may be absent.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Texts {
    bytes: Box<str>,
    // End of each; that of the one before it if it is absent, and a bit for each that is present.
    ends: [u32; TEXTS],
    present: u16,
}

/// The evidence for a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Evidence {
    nodes: Vec<NodeValue>,
    tried: Vec<Tried>,
    lacking: Option<Lacking>,
}

impl Texts {
    fn of(texts: [Option<&str>; TEXTS]) -> Self {
        let length = texts.iter().flatten().map(|text| text.len()).sum();
        let mut bytes = String::with_capacity(length);
        let (mut ends, mut present) = ([0; TEXTS], 0);
        for (n, (text, end)) in texts.into_iter().zip(&mut ends).enumerate() {
            if let Some(text) = text {
                bytes.push_str(text);
                present |= 1 << n;
            }
            // Longer ones are refused, see `TEXT_LIMIT`.
            *end = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        }
        Self {
            bytes: bytes.into_boxed_str(),
            ends,
            present,
        }
    }

    /// The texts, in the order in which they were given.
    fn each(&self) -> [Option<&str>; TEXTS] {
        let mut texts = [None; TEXTS];
        let mut from = 0;
        for (n, (text, end)) in texts.iter_mut().zip(self.ends).enumerate() {
            let end = usize::try_from(end).unwrap_or(usize::MAX);
            *text = (self.present & 1 << n != 0).then(|| self.part(from..end));
            from = end;
        }
        texts
    }

    fn part(&self, at: Range<usize>) -> &str {
        self.bytes.get(at).unwrap_or_default()
    }
}

impl From<RecordRef<'_>> for PackedRecord {
    fn from(record: RecordRef<'_>) -> Self {
        let texts = Texts::of([
            record.client_request_id,
            record.token,
            record.user,
            record.on_behalf_of,
            Some(record.method),
            Some(record.url),
            record.line.map(|line| line.file),
            record.line.map(|line| line.digest),
            Some(record.reason),
            Some(record.policy),
            record.unread,
        ]);
        Self {
            time_ms: record.time_ms,
            request_id: record.request_id,
            client: record.client,
            verdict: record.verdict,
            request_bytes: record.request_bytes,
            decision_ns: record.decision_ns,
            authenticated: record.authenticated,
            line_number: record.line.map_or(0, |line| line.number),
            texts,
            evidence: None,
        }
        .with_evidence(
            record.nodes.to_vec(),
            record.tried.to_vec(),
            record.lacking.cloned(),
        )
    }
}

impl From<Record> for PackedRecord {
    fn from(record: Record) -> Self {
        Self::from(RecordRef::from(&record))
    }
}

impl PackedRecord {
    /// Replaces the evidence, which is moved and not copied.
    #[must_use]
    pub fn with_evidence(self, nodes: Vec<NodeValue>, tried: Vec<Tried>, lacking: Option<Lacking>) -> Self {
        let has_evidence = !nodes.is_empty() || !tried.is_empty() || lacking.is_some();
        Self {
            evidence: has_evidence.then(|| {
                Box::new(Evidence {
                    nodes,
                    tried,
                    lacking,
                })
            }),
            ..self
        }
    }

    /// The record.
    pub(crate) fn parts(&self) -> RecordRef<'_> {
        let [
            client_request_id,
            token,
            user,
            on_behalf_of,
            method,
            url,
            file,
            digest,
            reason,
            policy,
            unread,
        ] = self.texts.each();
        let line = file.zip(digest).map(|(file, digest)| LineText {
            file,
            number: self.line_number,
            digest,
        });
        let evidence = self.evidence.as_deref();
        RecordRef {
            time_ms: self.time_ms,
            request_id: self.request_id,
            client_request_id,
            token,
            user,
            on_behalf_of,
            client: self.client,
            method: method.unwrap_or_default(),
            url: url.unwrap_or_default(),
            line,
            verdict: self.verdict,
            reason: reason.unwrap_or_default(),
            policy: policy.unwrap_or_default(),
            request_bytes: self.request_bytes,
            decision_ns: self.decision_ns,
            authenticated: self.authenticated,
            nodes: evidence.map_or(&[], |evidence| &evidence.nodes),
            tried: evidence.map_or(&[], |evidence| &evidence.tried),
            lacking: evidence.and_then(|evidence| evidence.lacking.as_ref()),
            unread,
        }
    }

    /// The id of the call.
    pub(crate) fn request_id(&self) -> [u8; 16] {
        self.request_id
    }

    /// Bytes of all its texts.
    pub(crate) fn text_bytes(&self) -> usize {
        self.texts.bytes.len() + self.evidence.as_ref().map_or(0, |evidence| evidence.text_bytes())
    }

    /// Approximate size in memory that is not in the value itself, bytes. It is more than the fields take when stored.
    pub(crate) fn heap_bytes(&self) -> usize {
        let evidence = self.evidence.as_ref().map_or(0, |evidence| evidence.fields());
        self.text_bytes() + evidence
    }
}

impl Evidence {
    fn text_bytes(&self) -> usize {
        let nodes = self.nodes.iter().map(|node| match &node.value {
            Kept::Text(text) | Kept::Hash(text) => node.path.len() + text.len(),
            Kept::Dropped => node.path.len(),
        });
        let tried = self.tried.iter().map(|tried| {
            let constraints: usize = tried.constraints.iter().map(|c| c.text.len()).sum();
            tried.line.file.len() + tried.line.digest.len() + constraints
        });
        let lacking = self.lacking.iter().map(|lacking| {
            let line = lacking.line.file.len() + lacking.line.digest.len();
            line + lacking.condition.len() + lacking.found.len()
        });
        nodes.chain(tried).chain(lacking).sum()
    }

    /// Size in memory, apart from texts.
    fn fields(&self) -> usize {
        let constraints: usize = self.tried.iter().map(|tried| tried.constraints.len()).sum();
        size_of::<Self>()
            + self.nodes.len() * size_of::<NodeValue>()
            + self.tried.len() * size_of::<Tried>()
            + constraints * size_of::<Constraint>()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::evidence::LineRef;
    use crate::tests::sample::{NOON, record};

    #[test]
    fn texts_that_are_absent_and_empty_ones_are_told_apart() {
        let mut texts = [None; TEXTS];
        assert_eq!(Texts::of(texts).each(), texts);
        texts = [Some("é"); TEXTS];
        for n in [0, 3, TEXTS - 1] {
            (texts[n], texts[(n + 1) % TEXTS]) = (Some(""), None);
            assert_eq!(Texts::of(texts).each(), texts);
        }
    }

    #[test]
    fn a_record_without_evidence_takes_one_allocation() {
        let record = record(5, NOON);
        let packed = PackedRecord::from(RecordRef::from(&record));
        assert!(packed.evidence.is_none());
        assert_eq!(packed.heap_bytes(), packed.texts.bytes.len());
    }

    #[test]
    fn evidence_that_is_moved_is_as_if_it_was_copied() {
        let mut record = record(5, NOON);
        record.unread = Some("not JSON".into());
        record.lacking = Some(Lacking {
            line: LineRef {
                file: "ci.toml".into(),
                number: 3,
                digest: "0123456789abcdef".into(),
            },
            condition: "url".into(),
            found: "another path".into(),
        });
        let whole = PackedRecord::from(RecordRef::from(&record));
        let without = RecordRef {
            nodes: &[],
            tried: &[],
            lacking: None,
            ..RecordRef::from(&record)
        };
        let (nodes, tried) = (record.nodes.clone(), record.tried.clone());
        let moved = PackedRecord::from(without).with_evidence(nodes, tried, record.lacking.clone());
        assert_eq!(moved, whole);
        assert!(moved.evidence.is_some());
        assert_eq!(
            moved.with_evidence(Vec::new(), Vec::new(), None),
            PackedRecord::from(without)
        );
    }
}
