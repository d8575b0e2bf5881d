//! What takes long and is told in one line: counts of calls, what verifying found. The wire form, kept apart from the
//! store's own types.

use actix_web::{HttpRequest, HttpResponse, web};
use futures_util::stream;
use serde::{Deserialize, Serialize};
use tokenward_audit::{PublicKey, Tally, Usage, Verified};

use super::audit::{Question, json_lines};
use super::entry::{escaped, time};
use super::events::EventLine;
use super::export::Working;
use super::{Desk, DeskError, Operator};

/// How many calls there were, by what they have in common.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UsageReport {
    pub(crate) total: Counts,
    pub(crate) tokens: Vec<UsedBy<Option<String>>>,
    pub(crate) lines: Vec<UsedBy<LineName>>,
    pub(crate) reasons: Vec<UsedBy<String>>,
    /// By the hour's begin, RFC 3339.
    pub(crate) hours: Vec<UsedBy<String>>,
}

/// The calls of one token, line, reason or hour.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct UsedBy<K> {
    pub(crate) name: K,
    #[serde(flatten)]
    pub(crate) counts: Counts,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct LineName {
    pub(crate) file: String,
    pub(crate) number: u32,
    pub(crate) digest: String,
}

/// Times are RFC 3339, absent where there was no call.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(crate) struct Counts {
    pub(crate) calls: u64,
    pub(crate) allowed: u64,
    pub(crate) denied: u64,
    pub(crate) refused: u64,
    pub(crate) first: Option<String>,
    pub(crate) last: Option<String>,
}

impl From<Tally> for Counts {
    fn from(tally: Tally) -> Self {
        let any = tally.all() > 0;
        Self {
            calls: tally.all(),
            allowed: tally.allowed,
            denied: tally.denied,
            refused: tally.refused,
            first: any.then(|| time(tally.first_ms)),
            last: any.then(|| time(tally.last_ms)),
        }
    }
}

impl From<Usage> for UsageReport {
    fn from(usage: Usage) -> Self {
        fn named<K, N>(of: impl IntoIterator<Item = (K, Tally)>, name: impl Fn(K) -> N) -> Vec<UsedBy<N>> {
            of.into_iter()
                .map(|(key, tally)| UsedBy {
                    name: name(key),
                    counts: tally.into(),
                })
                .collect()
        }
        Self {
            total: usage.calls.into(),
            tokens: named(usage.tokens, |token| token),
            lines: named(usage.lines, |line| LineName {
                file: line.file,
                number: line.number,
                digest: line.digest,
            }),
            reasons: named(usage.reasons, |reason| reason),
            hours: named(usage.hours, time),
        }
    }
}

/// What verifying found.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct VerifyReport {
    pub(crate) sound: bool,
    pub(crate) entries: u64,
    pub(crate) blocks: u64,
    pub(crate) first: Option<u64>,
    pub(crate) last: Option<u64>,
    /// Hash of the last block, hexadecimal.
    pub(crate) head: Option<String>,
    /// The keys that signed heads were checked with, as `tokenward-audit-public-key HEX`.
    pub(crate) keys: Vec<String>,
    /// Signed heads that agree with the chain; the last of them.
    pub(crate) heads: u64,
    pub(crate) signed_last: Option<u64>,
    pub(crate) signed_time: Option<String>,
    pub(crate) findings: Vec<Finding>,
}

#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Finding {
    pub(crate) sequence: Option<u64>,
    pub(crate) harmless: bool,
    /// One sentence.
    pub(crate) text: String,
}

impl VerifyReport {
    /// What was found when the heads were checked with `keys`.
    pub(crate) fn of(verified: Verified, keys: &[PublicKey]) -> Self {
        Self {
            sound: verified.is_sound(),
            entries: verified.entries,
            blocks: verified.blocks,
            first: verified.first.map(|place| place.0),
            last: verified.last.map(|place| place.0),
            head: verified.head.map(hex::encode),
            keys: keys.iter().map(ToString::to_string).collect(),
            heads: verified.heads,
            signed_last: verified.signed.map(|(place, _)| place.0),
            signed_time: verified.signed.map(|(_, ms)| time(ms)),
            findings: verified
                .findings
                .iter()
                .map(|finding| Finding {
                    sequence: finding.sequence.map(|place| place.0),
                    harmless: finding.what.is_harmless(),
                    text: finding.to_string(),
                })
                .collect(),
        }
    }
}

/// One line of JSON, deceiving no terminal.
pub(super) fn line(of: &impl Serialize) -> String {
    // Structs of strings and numbers always serialise.
    format!("{}\n", escaped(&serde_json::to_string(of).unwrap_or_default()))
}

/// `GET /v1/audit/stats`.
pub(super) async fn stats(
    desk: web::Data<Desk>,
    request: HttpRequest,
    _: Operator,
) -> Result<HttpResponse, DeskError> {
    let filter = Question::of(&request)?.filter()?;
    let reader = desk.audit.reader();
    Ok(told(move || Ok(line(&UsageReport::from(reader.usage(&filter)?)))))
}

/// `GET /v1/audit/events`: of the question the times alone.
pub(super) async fn events(
    desk: web::Data<Desk>,
    request: HttpRequest,
    _: Operator,
) -> Result<HttpResponse, DeskError> {
    let filter = Question::of(&request)?.filter()?;
    let reader = desk.audit.reader();
    Ok(told(move || {
        let events = reader.events(
            filter.since_ms.unwrap_or(i64::MIN),
            filter.until_ms.unwrap_or(i64::MAX),
        )?;
        let events: Vec<EventLine> = events.into_iter().map(EventLine::from).collect();
        Ok(line(&events))
    }))
}

/// `GET /v1/audit/verify`.
pub(super) async fn verify(desk: web::Data<Desk>, _: Operator) -> HttpResponse {
    let audit = desk.audit.clone();
    told(move || {
        let keys = audit.keys();
        Ok(line(&VerifyReport::of(audit.verify()?, keys)))
    })
}

/// The answer that `work` gives, however long it takes: empty lines come before it. An error is a line `{"error": …}`.
fn told(work: impl FnOnce() -> Result<String, DeskError> + Send + 'static) -> HttpResponse {
    #[derive(Serialize)]
    struct Failed {
        error: String,
    }
    let lines = stream::unfold(Some(Working::new(work)), |working| async {
        let mut working = working?;
        Some(match working.next().await {
            None => (Ok(web::Bytes::from_static(b"\n")), Some(working)),
            Some(Ok(text)) => (Ok(text.into()), None),
            Some(Err(error)) => {
                let error = error.to_string();
                (Ok::<_, DeskError>(line(&Failed { error }).into()), None)
            }
        })
    });
    json_lines().streaming(lines)
}
