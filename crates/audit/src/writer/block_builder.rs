//! Building the blocks of one commit.

use std::collections::HashMap;

use crate::format::batch::Batch;
use crate::format::block::{self, CONTENT_LIMIT, Header};
use crate::format::chain::{Chain, Hash};
use crate::format::encode::Encoder;
use crate::index::writer::IndexWriter;
use crate::model::item::{Ended, Item};
use crate::model::record::{Outcome, RecordRef};
use crate::writer::clock::Now;

/// Number of decisions without an outcome that are remembered. Outcomes of older ones are stored with the call's whole id.
const OPEN_CALLS: usize = if cfg!(test) { 3 } else { 1 << 17 };
/// Most bytes that an item's fields take in addition to its texts.
const FIELDS: usize = 256;

/// Encodes items as blocks. It is kept between commits for its memory, and for the calls that have not ended.
#[derive(Default)]
pub(super) struct BlockBuilder {
    encoder: Encoder,
    /// Sequence numbers of decisions without an outcome, by the id of their call.
    open_calls: HashMap<[u8; 16], u64>,
    raw: Vec<u8>,
    /// Memory for the blocks of the next commit.
    spare: Batch,
}

/// One commit in the making.
struct Build<'b> {
    builder: &'b mut BlockBuilder,
    index: &'b mut IndexWriter,
    now: &'b Now,
    blocks: Batch,
    header: Header,
    next: u64,
}

impl BlockBuilder {
    /// Encodes `items` as blocks that continue `chain`, and gives the end of the chain after them. Each is also shown to the
    /// `index` of the period.
    pub(super) fn build<'i>(
        &mut self,
        index: &mut IndexWriter,
        chain: Chain,
        first_of_period: bool,
        now: &Now,
        items: impl Iterator<Item = &'i Item>,
    ) -> (Batch, Chain) {
        let blocks = std::mem::take(&mut self.spare);
        let mut build = Build {
            builder: self,
            index,
            now,
            blocks,
            header: empty(chain.next, first_of_period, chain.hash, now()),
            next: chain.next,
        };
        for item in items {
            build.push(item);
        }
        let hash = match build.header.count {
            0 => chain.hash,
            _ => build.end_block(),
        };
        let next = build.next;
        (build.blocks, Chain { next, hash })
    }

    /// Takes the blocks of a commit back, whose memory the next one uses.
    pub(super) fn reuse(&mut self, mut blocks: Batch) {
        blocks.clear();
        self.spare = blocks;
    }

    /// Forgets the decisions in `items`, which could not be written.
    pub(super) fn forget(&mut self, items: &[Item]) {
        for item in items {
            if let Item::Decision(record) = item {
                self.open_calls.remove(&record.request_id());
            }
        }
    }

    fn remember(&mut self, record: &RecordRef<'_>, sequence: u64) {
        if self.open_calls.len() >= OPEN_CALLS {
            self.open_calls.clear();
        }
        self.open_calls.insert(record.request_id, sequence);
    }

    fn decision_of(&mut self, outcome: &Outcome) -> Option<u64> {
        self.open_calls.remove(&outcome.request_id)
    }
}

impl Build<'_> {
    /// Adds one item, to a new block if it does not fit in the present one.
    fn push(&mut self, item: &Item) {
        let size = self.builder.encoder.size() + item.weight() + FIELDS;
        if self.header.count > 0 && size > CONTENT_LIMIT {
            let hash = self.end_block();
            self.header = empty(self.next, false, hash, (self.now)());
        }
        let header = &mut self.header;
        match item {
            Item::Decision(record) => {
                let record = record.parts();
                self.builder.remember(&record, self.next);
                header.cover(record.time_ms);
                header.tokens |= record.token.map_or(0, block::token_mask);
                self.index.see(header.first, &record);
                self.builder.encoder.decision(&record);
            }
            Item::Ended(ended) => {
                self.index.see_end(header.first, &ended.outcome);
                let decision = self.builder.decision_of(&ended.outcome);
                let ended = Item::Ended(Ended { decision, ..*ended });
                self.builder.encoder.push(&ended, self.next);
            }
            Item::Event(event) => {
                header.cover(event.time_ms());
                header.events = true;
                self.builder.encoder.push(item, self.next);
            }
        }
        header.count += 1;
        self.next = self.next.saturating_add(1);
    }

    /// Finishes the present block, and gives its hash.
    fn end_block(&mut self) -> Hash {
        let BlockBuilder { encoder, raw, .. } = &mut *self.builder;
        raw.clear();
        encoder.finish(raw);
        self.index.end_block(&mut self.header);
        self.blocks.add(&self.header, raw)
    }
}

/// The header of a block without entries.
fn empty(first: u64, first_of_period: bool, previous: Hash, written_ms: i64) -> Header {
    Header {
        first_of_period,
        events: false,
        count: 0,
        first,
        earliest_ms: i64::MAX,
        latest_ms: i64::MIN,
        written_ms,
        tokens: 0,
        previous,
    }
}
