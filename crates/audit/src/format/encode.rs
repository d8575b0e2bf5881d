//! The content of a block: a version, the texts, then the items in the order of their sequence numbers.
//!
//! An item is a tag byte and its fields. Times are differences to the item before. Version 2 added the evidence of a decision
//! (`evidence`), and version 3 a second byte of flags. Versions 1 and 2 are version 3 without these, and are still read.

use std::net::IpAddr;

use crate::format::bytes::{put_number, put_signed};
use crate::format::evidence;
use crate::format::text_table::TextTableWriter;
use crate::model::item::{Counted, Ended, Event, Item};
use crate::model::record::{End, RecordRef, Verdict};

/// The version that is written.
pub(crate) const VERSION: u8 = 3;
/// The older versions that are read as well.
pub(crate) const VERSION_1: u8 = 1;
pub(crate) const VERSION_2: u8 = 2;

pub(crate) const DECISION: u8 = 1;
pub(crate) const ENDED: u8 = 2;
pub(crate) const OPENED: u8 = 3;
pub(crate) const COUNTED: u8 = 4;
pub(crate) const CUT: u8 = 5;
pub(crate) const TROUBLE: u8 = 6;
pub(crate) const OVER_LIMIT: u8 = 7;
pub(crate) const ADMIN: u8 = 8;
pub(crate) const FLEET_MARK: u8 = 9;

// Flags: the optional fields of a decision that are present.
pub(crate) const CLIENT_ID: u8 = 1;
pub(crate) const TOKEN: u8 = 2;
pub(crate) const USER: u8 = 4;
pub(crate) const BEHALF: u8 = 8;
pub(crate) const LINE: u8 = 16;
pub(crate) const BYTES: u8 = 32;
pub(crate) const AUTHENTICATED: u8 = 64;
pub(crate) const JUDGED: u8 = 128;

// Flags in the second byte.
pub(crate) const LACKING: u8 = 1;
pub(crate) const UNREAD: u8 = 2;

// Flags: the optional fields of an end that are present.
pub(crate) const STATUS: u8 = 1;
pub(crate) const UPSTREAM_STATUS: u8 = 2;
pub(crate) const UPSTREAM_US: u8 = 4;
pub(crate) const DECISION_AT: u8 = 8;
pub(crate) const SAME_STATUS: u8 = 16;

/// Builds the content of one block.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    texts: TextTableWriter,
    items: Vec<u8>,
    last_ms: i64,
}

impl Encoder {
    /// Adds `item`, whose sequence number is `sequence`.
    pub(crate) fn push(&mut self, item: &Item, sequence: u64) {
        match item {
            Item::Decision(record) => self.decision(&record.parts()),
            Item::Ended(ended) => self.ended(ended, sequence),
            Item::Event(event) => self.event(event),
        }
    }

    /// Bytes so far, before compression.
    pub(crate) fn size(&self) -> usize {
        self.items.len() + self.texts.size()
    }

    /// Appends the content to `out`, and clears the encoder.
    pub(crate) fn finish(&mut self, out: &mut Vec<u8>) {
        out.push(VERSION);
        self.texts.put(out);
        out.extend_from_slice(&self.items);
        self.texts.clear();
        self.items.clear();
        self.last_ms = 0;
    }

    fn text(&mut self, text: &str) {
        let n = self.texts.number(text.as_bytes());
        put_number(&mut self.items, n);
    }

    fn optional(&mut self, text: Option<&str>) {
        if let Some(text) = text {
            self.text(text);
        }
    }

    /// Addresses repeat like texts, so they are in the same table.
    fn address(&mut self, address: IpAddr) {
        let n = match address {
            IpAddr::V4(a) => self.texts.number(&a.octets()),
            IpAddr::V6(a) => self.texts.number(&a.octets()),
        };
        put_number(&mut self.items, n);
    }

    fn time(&mut self, ms: i64) {
        put_signed(&mut self.items, ms.wrapping_sub(self.last_ms));
        self.last_ms = ms;
    }

    /// Adds a decision.
    pub(crate) fn decision(&mut self, r: &RecordRef<'_>) {
        // Flags first: they say which of the optional fields follow.
        let judged = !r.nodes.is_empty() || !r.tried.is_empty();
        let there = [
            (CLIENT_ID, r.client_request_id.is_some()),
            (TOKEN, r.token.is_some()),
            (USER, r.user.is_some()),
            (BEHALF, r.on_behalf_of.is_some()),
            (LINE, r.line.is_some()),
            (BYTES, r.request_bytes.is_some()),
            (AUTHENTICATED, r.authenticated),
            (JUDGED, judged),
        ];
        let verdict = match r.verdict {
            Verdict::Allow => 0,
            Verdict::Deny => 1,
            Verdict::Refuse => 2,
        };
        let more = flags(&[(LACKING, r.lacking.is_some()), (UNREAD, r.unread.is_some())]);
        self.items
            .extend_from_slice(&[DECISION, flags(&there), more, verdict]);
        self.time(r.time_ms);
        self.items.extend_from_slice(&r.request_id);
        self.optional(r.client_request_id);
        self.optional(r.token);
        self.optional(r.user);
        self.optional(r.on_behalf_of);
        self.address(r.client);
        self.text(r.method);
        self.text(r.url);
        if let Some(line) = &r.line {
            self.text(line.file);
            put_number(&mut self.items, line.number.into());
            self.text(line.digest);
        }
        self.text(r.reason);
        self.text(r.policy);
        if let Some(n) = r.request_bytes {
            put_number(&mut self.items, n);
        }
        put_number(&mut self.items, r.decision_ns);
        if judged {
            evidence::put(r.nodes, r.tried, &mut self.texts, &mut self.items);
        }
        if let Some(lacking) = r.lacking {
            self.text(&lacking.line.file);
            put_number(&mut self.items, lacking.line.number.into());
            self.text(&lacking.line.digest);
            self.text(&lacking.condition);
            self.text(&lacking.found);
        }
        self.optional(r.unread);
    }

    fn ended(&mut self, ended: &Ended, sequence: u64) {
        let o = &ended.outcome;
        let back = ended.decision.and_then(|d| sequence.checked_sub(d));
        let same = o.status.is_some() && o.status == o.upstream_status;
        let there = [
            (STATUS, o.status.is_some()),
            (UPSTREAM_STATUS, o.upstream_status.is_some() && !same),
            (SAME_STATUS, same),
            (UPSTREAM_US, o.upstream_us.is_some()),
            (DECISION_AT, back.is_some()),
        ];
        let end = match o.end {
            End::Complete => 0,
            End::ClientGone => 1,
            End::UpstreamFailed => 2,
            End::Timeout => 3,
            End::Internal => 4,
            End::Revoked => 5,
        };
        // The end shares the byte: three bits are enough for six, and there are five flags.
        self.items.extend_from_slice(&[ENDED, flags(&there) | (end << 5)]);
        self.time(ended.at_ms);
        match back {
            Some(n) => put_number(&mut self.items, n),
            None => self.items.extend_from_slice(&o.request_id),
        }
        if let Some(n) = o.status {
            put_number(&mut self.items, n.into());
        }
        if let Some(n) = o.upstream_status.filter(|_| !same) {
            put_number(&mut self.items, n.into());
        }
        put_number(&mut self.items, o.sent_bytes);
        put_number(&mut self.items, o.received_bytes);
        put_number(&mut self.items, o.total_us);
        if let Some(n) = o.upstream_us {
            // The upstream's share is within the whole, nearly all of it: the difference is short.
            put_signed(&mut self.items, o.total_us.wrapping_sub(n).cast_signed());
        }
    }

    fn event(&mut self, event: &Event) {
        match event {
            Event::Opened { time_ms } => {
                self.items.push(OPENED);
                self.time(*time_ms);
            }
            Event::Counted {
                what,
                count,
                from_ms,
                to_ms,
            } => {
                let what = match what {
                    Counted::Outsiders => 0,
                    Counted::Unrecorded => 1,
                    Counted::LostOutcomes => 2,
                    Counted::LostRecords => 3,
                    Counted::RefusedTokens => 4,
                };
                self.items.extend_from_slice(&[COUNTED, what]);
                put_number(&mut self.items, *count);
                self.time(*from_ms);
                self.time(*to_ms);
            }
            Event::OverLimit {
                token,
                count,
                from_ms,
                to_ms,
            } => {
                self.items.push(OVER_LIMIT);
                self.text(token);
                put_number(&mut self.items, *count);
                self.time(*from_ms);
                self.time(*to_ms);
            }
            Event::Admin {
                time_ms,
                who,
                client,
                action,
                text,
            } => {
                self.items.push(ADMIN);
                self.time(*time_ms);
                self.text(who);
                self.address(*client);
                self.text(action);
                self.text(text);
            }
            Event::Cut {
                time_ms,
                period,
                last,
                hash,
            } => {
                self.items.push(CUT);
                self.time(*time_ms);
                self.text(period);
                put_number(&mut self.items, *last);
                self.items.extend_from_slice(hash);
            }
            Event::FleetMark {
                time_ms,
                fleet,
                version,
                manifest,
                why,
            } => {
                self.items.push(FLEET_MARK);
                self.time(*time_ms);
                self.text(fleet);
                put_number(&mut self.items, *version);
                self.items.extend_from_slice(manifest);
                self.text(why);
            }
            Event::Trouble { time_ms, text } => {
                self.items.push(TROUBLE);
                self.time(*time_ms);
                self.text(text);
            }
        }
    }
}

fn flags(of: &[(u8, bool)]) -> u8 {
    of.iter()
        .filter(|(_, set)| *set)
        .fold(0, |all, (bit, _)| all | bit)
}
