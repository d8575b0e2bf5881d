//! Reading what `content` writes. Total: any bytes give items or [`Malformed`].

use std::net::IpAddr;

use crate::format::bytes::{Cursor, Malformed};
use crate::format::encode::{
    ADMIN, AUTHENTICATED, BEHALF, BYTES, CLIENT_ID, COUNTED, CUT, DECISION, DECISION_AT, ENDED, FLEET_MARK,
    JUDGED, LACKING, LINE, OPENED, OVER_LIMIT, SAME_STATUS, STATUS, TOKEN, TROUBLE, UNREAD, UPSTREAM_STATUS,
    UPSTREAM_US, USER, VERSION, VERSION_1, VERSION_2,
};
use crate::format::evidence;
use crate::format::text_table::TextTable;
use crate::model::evidence::{Lacking, LineRef, NodeValue, Tried};
use crate::model::item::{Counted, Ended, Event};
use crate::model::record::{End, Outcome, Record, Verdict};

/// One item of a block. Its texts are not copied, because most items that are read are not wanted.
#[derive(Debug)]
pub(crate) enum ItemView<'b> {
    /// A decision.
    Decision(RecordView<'b>),
    /// The end of a call. If it was stored with the sequence number of its decision, its id is zeros.
    Ended(Ended),
    /// An event of the store itself.
    Event(Event),
}

/// A [`Record`], its texts not copied.
#[derive(Debug)]
pub(crate) struct RecordView<'b> {
    pub(crate) time_ms: i64,
    pub(crate) request_id: [u8; 16],
    pub(crate) client_request_id: Option<&'b str>,
    pub(crate) token: Option<&'b str>,
    pub(crate) user: Option<&'b str>,
    pub(crate) on_behalf_of: Option<&'b str>,
    pub(crate) client: IpAddr,
    pub(crate) method: &'b str,
    pub(crate) url: &'b str,
    pub(crate) line: Option<(&'b str, u32, &'b str)>,
    pub(crate) verdict: Verdict,
    pub(crate) reason: &'b str,
    pub(crate) policy: &'b str,
    pub(crate) request_bytes: Option<u64>,
    pub(crate) decision_ns: u64,
    pub(crate) authenticated: bool,
    // Copied: few calls have any.
    pub(crate) nodes: Vec<NodeValue>,
    pub(crate) tried: Vec<Tried>,
    // Few calls have any of it, and views are moved about.
    pub(crate) denial: Option<Box<DenialView<'b>>>,
}

/// What a record has of a denial.
#[derive(Debug)]
pub(crate) struct DenialView<'b> {
    lacking: Option<Lacking>,
    unread: Option<&'b str>,
}

impl RecordView<'_> {
    /// The record, copied.
    pub(crate) fn to_record(&self) -> Record {
        Record {
            time_ms: self.time_ms,
            request_id: self.request_id,
            client_request_id: self.client_request_id.map(str::to_owned),
            token: self.token.map(str::to_owned),
            user: self.user.map(str::to_owned),
            on_behalf_of: self.on_behalf_of.map(str::to_owned),
            client: self.client,
            method: self.method.to_owned(),
            url: self.url.to_owned(),
            line: self.line.map(|(file, number, digest)| LineRef {
                file: file.to_owned(),
                number,
                digest: digest.to_owned(),
            }),
            verdict: self.verdict,
            reason: self.reason.to_owned(),
            policy: self.policy.to_owned(),
            request_bytes: self.request_bytes,
            decision_ns: self.decision_ns,
            authenticated: self.authenticated,
            nodes: self.nodes.clone(),
            tried: self.tried.clone(),
            lacking: self.denial.as_ref().and_then(|denial| denial.lacking.clone()),
            unread: self
                .denial
                .as_ref()
                .and_then(|denial| denial.unread.map(str::to_owned)),
        }
    }
}

#[cfg(test)]
impl ItemView<'_> {
    /// The item, copied.
    pub(crate) fn to_item(&self) -> crate::model::item::Item {
        match self {
            Self::Decision(view) => crate::model::item::Item::Decision(view.to_record().into()),
            Self::Ended(ended) => crate::model::item::Item::Ended(*ended),
            Self::Event(event) => crate::model::item::Item::Event(event.clone()),
        }
    }
}

/// Reads the content of a block, item by item.
pub(crate) struct Items<'b> {
    texts: TextTable<'b>,
    from: Cursor<'b>,
    last_ms: i64,
    sequence: u64,
    version: u8,
}

impl<'b> Items<'b> {
    /// Begins to read.
    pub(crate) fn read(content: &'b [u8], first: u64) -> Result<Self, Malformed> {
        let mut from = Cursor(content);
        let version = from.byte()?;
        if !matches!(version, VERSION | VERSION_1 | VERSION_2) {
            return Err(Malformed("its version is not known; a newer release wrote it"));
        }
        let texts = TextTable::read(&mut from)?;
        Ok(Self {
            texts,
            from,
            last_ms: 0,
            sequence: first,
            version,
        })
    }

    /// The next item and its sequence number; `None` after the last.
    pub(crate) fn next(&mut self) -> Result<Option<(u64, ItemView<'b>)>, Malformed> {
        if self.from.0.is_empty() {
            return Ok(None);
        }
        let item = match self.from.byte()? {
            DECISION => ItemView::Decision(self.decision()?),
            ENDED => ItemView::Ended(self.ended()?),
            OPENED => ItemView::Event(Event::Opened {
                time_ms: self.time()?,
            }),
            COUNTED => ItemView::Event(self.counted()?),
            CUT => ItemView::Event(Event::Cut {
                time_ms: self.time()?,
                period: self.text()?.to_owned(),
                last: self.from.number()?,
                hash: self.from.array()?,
            }),
            OVER_LIMIT => ItemView::Event(self.over_limit()?),
            ADMIN => ItemView::Event(self.admin()?),
            FLEET_MARK => ItemView::Event(Event::FleetMark {
                time_ms: self.time()?,
                fleet: self.text()?.to_owned(),
                version: self.from.number()?,
                manifest: self.from.array()?,
                why: self.text()?.to_owned(),
            }),
            TROUBLE => ItemView::Event(Event::Trouble {
                time_ms: self.time()?,
                text: self.text()?.to_owned(),
            }),
            _ => return Err(Malformed("an entry's kind is unknown")),
        };
        let sequence = self.sequence;
        self.sequence = self
            .sequence
            .checked_add(1)
            .ok_or(Malformed("the sequence overflows"))?;
        Ok(Some((sequence, item)))
    }

    fn time(&mut self) -> Result<i64, Malformed> {
        self.last_ms = self.last_ms.wrapping_add(self.from.signed()?);
        Ok(self.last_ms)
    }

    fn text(&mut self) -> Result<&'b str, Malformed> {
        self.texts.text(&mut self.from)
    }

    fn optional(&mut self, there: bool) -> Result<Option<&'b str>, Malformed> {
        there.then(|| self.text()).transpose()
    }

    fn decision(&mut self) -> Result<RecordView<'b>, Malformed> {
        let flags = self.from.byte()?;
        let more = match self.version {
            VERSION_1 | VERSION_2 => 0,
            _ => self.from.byte()?,
        };
        if more & !(LACKING | UNREAD) != 0 {
            return Err(Malformed("a decision has fields that are not known"));
        }
        let verdict = match self.from.byte()? {
            0 => Verdict::Allow,
            1 => Verdict::Deny,
            2 => Verdict::Refuse,
            _ => return Err(Malformed("a verdict is unknown")),
        };
        let has = |bit: u8| flags & bit != 0;
        if has(JUDGED) && self.version == VERSION_1 {
            return Err(Malformed("a decision has a field that its version does not have"));
        }
        let mut view = RecordView {
            time_ms: self.time()?,
            request_id: self.from.array()?,
            client_request_id: self.optional(has(CLIENT_ID))?,
            token: self.optional(has(TOKEN))?,
            user: self.optional(has(USER))?,
            on_behalf_of: self.optional(has(BEHALF))?,
            client: self.address()?,
            method: self.text()?,
            url: self.text()?,
            line: has(LINE).then(|| self.line()).transpose()?,
            verdict,
            reason: self.text()?,
            policy: self.text()?,
            request_bytes: has(BYTES).then(|| self.from.number()).transpose()?,
            decision_ns: self.from.number()?,
            authenticated: has(AUTHENTICATED),
            nodes: Vec::new(),
            tried: Vec::new(),
            denial: None,
        };
        if has(JUDGED) {
            (view.nodes, view.tried) = evidence::read(&self.texts, &mut self.from)?;
        }
        if more != 0 {
            let lacking = (more & LACKING != 0).then(|| self.lacking()).transpose()?;
            let unread = self.optional(more & UNREAD != 0)?;
            view.denial = Some(Box::new(DenialView { lacking, unread }));
        }
        Ok(view)
    }

    fn lacking(&mut self) -> Result<Lacking, Malformed> {
        let (file, number, digest) = self.line()?;
        Ok(Lacking {
            line: LineRef {
                file: file.to_owned(),
                number,
                digest: digest.to_owned(),
            },
            condition: self.text()?.to_owned(),
            found: self.text()?.to_owned(),
        })
    }

    fn address(&mut self) -> Result<IpAddr, Malformed> {
        let bytes = self.texts.bytes(&mut self.from)?;
        if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
            return Ok(v4.into());
        }
        <[u8; 16]>::try_from(bytes)
            .map(IpAddr::from)
            .map_err(|_| Malformed("an address has a wrong length"))
    }

    fn line(&mut self) -> Result<(&'b str, u32, &'b str), Malformed> {
        Ok((self.text()?, self.from.small()?, self.text()?))
    }

    fn ended(&mut self) -> Result<Ended, Malformed> {
        let flags = self.from.byte()?;
        let has = |bit: u8| flags & bit != 0;
        let end = match flags >> 5 {
            0 => End::Complete,
            1 => End::ClientGone,
            2 => End::UpstreamFailed,
            3 => End::Timeout,
            4 => End::Internal,
            5 => End::Revoked,
            _ => return Err(Malformed("an end is unknown")),
        };
        let at_ms = self.time()?;
        // The decision is named by its distance, or by the id of its call.
        let (decision, request_id) = if has(DECISION_AT) {
            let back = self.from.number()?;
            let at = self
                .sequence
                .checked_sub(back)
                .ok_or(Malformed("a decision before the first"))?;
            (Some(at), [0; 16])
        } else {
            (None, self.from.array()?)
        };
        let status = has(STATUS).then(|| self.from.small()).transpose()?;
        let other = has(UPSTREAM_STATUS).then(|| self.from.small()).transpose()?;
        let sent_bytes = self.from.number()?;
        let received_bytes = self.from.number()?;
        let total_us = self.from.number()?;
        let upstream_us = match has(UPSTREAM_US) {
            true => Some(total_us.wrapping_sub(self.from.signed()?.cast_unsigned())),
            false => None,
        };
        let upstream_status = if has(SAME_STATUS) { status } else { other };
        let outcome = Outcome {
            request_id,
            status,
            upstream_status,
            sent_bytes,
            received_bytes,
            total_us,
            upstream_us,
            end,
        };
        Ok(Ended {
            at_ms,
            outcome,
            decision,
        })
    }

    fn over_limit(&mut self) -> Result<Event, Malformed> {
        Ok(Event::OverLimit {
            token: self.text()?.to_owned(),
            count: self.from.number()?,
            from_ms: self.time()?,
            to_ms: self.time()?,
        })
    }

    fn admin(&mut self) -> Result<Event, Malformed> {
        Ok(Event::Admin {
            time_ms: self.time()?,
            who: self.text()?.to_owned(),
            client: self.address()?,
            action: self.text()?.to_owned(),
            text: self.text()?.to_owned(),
        })
    }

    fn counted(&mut self) -> Result<Event, Malformed> {
        let what = match self.from.byte()? {
            0 => Counted::Outsiders,
            1 => Counted::Unrecorded,
            2 => Counted::LostOutcomes,
            3 => Counted::LostRecords,
            4 => Counted::RefusedTokens,
            _ => return Err(Malformed("the kind of a count is unknown")),
        };
        let count = self.from.number()?;
        Ok(Event::Counted {
            what,
            count,
            from_ms: self.time()?,
            to_ms: self.time()?,
        })
    }
}
