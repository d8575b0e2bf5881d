//! Recomputing the chain, to find what was changed, removed or reordered.

use crate::error::{DiskError, QueryError};
use crate::format::block::Block;
use crate::format::bytes::Malformed;
use crate::format::chain::{COMMIT_BLOCKS, Chain, Hash};
use crate::format::decode::ItemView;
use crate::index::bloom::BloomCheck;
use crate::index::counts::CountsCheck;
use crate::index::time_order::TimeOrder;
use crate::integrity::findings::{Fault, Finding, Verified};
use crate::integrity::head_check::HeadCheck;
use crate::integrity::keys::PublicKey;
use crate::integrity::proof;
use crate::model::entry::Sequence;
use crate::model::item::Event;
use crate::period::edges;
use crate::period::name::Period;
use crate::store::end_note;
use crate::store::periods::{Periods, open, unreadable};

/// Verifies the chain over all periods, and the signed heads by `keys`.
pub(crate) fn verify(store: &Periods, keys: &[PublicKey]) -> Result<Verified, QueryError> {
    // Read first, so that entries written meanwhile are not missed.
    let noted = end_note::read(store.root());
    let (heads, unread) = match proof::read_all(store.root()) {
        Ok(heads) => (heads, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
    // A period that an earlier question opened may lack the end that was noted or signed since.
    store.close_files();
    let mut check = Check {
        heads: HeadCheck::of(heads, keys),
        is_part: store.is_one_file(),
        ..Check::default()
    };
    let listed = store.list();
    let listed = listed.map_err(|source| QueryError::List {
        path: store.root().to_owned(),
        source,
    })?;
    for period in listed {
        check.period(store, period)?;
    }
    let mut done = check.finish(noted);
    let is_untrusted = done.signed.is_none() && !keys.is_empty();
    let of_all = unread
        .map(Fault::NoHeads)
        .into_iter()
        .chain(is_untrusted.then_some(Fault::NoTrustedHead));
    // Findings on the whole store come before those on its periods.
    let of_all = of_all.map(|what| Finding {
        period: String::new(),
        sequence: None,
        what,
    });
    done.findings.splice(0..0, of_all);
    Ok(done)
}

#[derive(Default)]
struct Check {
    done: Verified,
    period: String,
    // The last blocks of the chain so far: hash and last sequence number. Only a period after a failed commit may continue an
    // earlier one than the last.
    run: Vec<(Hash, u64)>,
    // The previous hash, first sequence number and period of the first sound block, and whether no fault precedes it.
    beginning: Option<(Hash, u64, String, bool)>,
    cuts: Vec<(u64, Hash)>,
    // Something was lost before, and was reported.
    gap: bool,
    heads: HeadCheck,
    bloom: BloomCheck,
    counts: CountsCheck,
    // Order of a period that is not marked as out of order, until it proves to be.
    order: Option<TimeOrder>,
    // Number of blocks that were changed or are missing, as far as found.
    faults: usize,
    // It need not begin at the chain's beginning.
    is_part: bool,
}

impl Check {
    fn find(&mut self, sequence: Option<u64>, what: Fault) {
        if matches!(
            what,
            Fault::Changed | Fault::Broken | Fault::Missing | Fault::Unreadable(_) | Fault::Damaged(_)
        ) {
            self.faults += 1;
        }
        self.done.findings.push(Finding {
            period: self.period.clone(),
            sequence: sequence.map(Sequence),
            what,
        });
        self.gap = true;
    }

    fn search(&mut self, store: &Periods, period: Period, why: &str) -> Result<(), QueryError> {
        self.find(None, Fault::Damaged(why.to_owned()));
        self.counts = CountsCheck::default();
        self.order = None;
        let (blocks, _) =
            edges::blocks(&store.path(period)).map_err(|e| unreadable(period)(DiskError::from(e)))?;
        for block in blocks.values() {
            self.block(block);
        }
        // Its end may be lost.
        self.gap = true;
        Ok(())
    }

    /// Checks the blocks of one period, in the order of the chain.
    fn period(&mut self, store: &Periods, period: Period) -> Result<(), QueryError> {
        self.period = period.to_string();
        if period.is_damaged() {
            return self.search(store, period, "the period was set aside");
        }
        let opened = match open(store, period) {
            Ok(opened) => opened,
            // Retention has deleted it since the periods were listed.
            Err(_) if store.is_gone(period) => return Ok(()),
            Err(QueryError::Unreadable { source, .. }) => {
                return self.search(store, period, &source.to_string());
            }
            Err(other) => return Err(other),
        };
        let path = store.path(period);
        self.bloom = BloomCheck::of(&path);
        self.counts = CountsCheck::of(&path, self.faults);
        self.order = store
            .is_in_order(period)
            .then(|| TimeOrder::of(period.day, &path));
        let mut key = 0;
        while let Some((at, block)) = opened.from(key).map_err(unreadable(period))? {
            match block {
                Ok(block) => self.block(&block),
                Err(error) => self.find(Some(at), Fault::Unreadable(error.to_string())),
            }
            let Some(next) = at.checked_add(1) else { break };
            key = next;
        }
        Ok(())
    }

    /// Checks one block: its hash, its entries, its link to the block before, then the index of its period and the heads.
    fn block<B: AsRef<[u8]>>(&mut self, block: &Block<B>) {
        let header = &block.header;
        let content = match block.content() {
            Ok(content) if block.hash_holds(&content) => content,
            Ok(_) => return self.find(Some(header.first), Fault::Changed),
            Err(error) => return self.find(Some(header.first), Fault::Unreadable(error.to_string())),
        };
        let hidden = match self.entries(block, &content) {
            Ok(hidden) => hidden,
            Err(error) => return self.find(Some(header.first), Fault::Unreadable(error.to_string())),
        };
        self.link(header.previous, header.first, header.first_of_period);
        if self.order.as_mut().is_some_and(|order| order.hides(header)) {
            self.order = None;
            self.find_in_index(header.first, Fault::Misdated);
        }
        for sequence in hidden {
            self.find_in_index(sequence, Fault::Hidden);
        }
        for sequence in self.counts.end_block(header.first, header.last(), self.faults) {
            self.find_in_index(sequence, Fault::Miscounted);
        }
        self.done.first.get_or_insert(Sequence(header.first));
        self.done.last = Some(Sequence(header.last()));
        self.done.head = Some(block.hash);
        for fault in self.heads.meet(header.last(), block.hash, &mut self.done) {
            self.find(Some(header.last()), fault);
        }
        self.done.entries += u64::from(header.count);
        self.done.blocks += 1;
        if self.run.len() >= COMMIT_BLOCKS {
            self.run.remove(0);
        }
        self.run.push((block.hash, header.last()));
    }

    /// Reads the entries of a block, and gives the sequence numbers of those that the Bloom filters hide.
    fn entries<B: AsRef<[u8]>>(&mut self, block: &Block<B>, content: &[u8]) -> Result<Vec<u64>, Malformed> {
        let header = &block.header;
        self.counts.begin_block(header.first);
        let mut items = block.items(content)?;
        let (mut count, mut hidden) = (0_u64, Vec::new());
        while let Some((sequence, item)) = items.next()? {
            count += 1;
            if self.bloom.deny(header.first, &item) {
                hidden.push(sequence);
            }
            match item {
                ItemView::Decision(view) => self.counts.see(sequence, &view),
                ItemView::Event(Event::Cut { last, hash, .. }) => self.cuts.push((last, hash)),
                ItemView::Ended(_) | ItemView::Event(_) => {}
            }
        }
        if count == u64::from(header.count) {
            Ok(hidden)
        } else {
            Err(Malformed("the number of entries differs"))
        }
    }

    /// Reports a fault of the index, which does not break the chain.
    fn find_in_index(&mut self, sequence: u64, what: Fault) {
        self.find(Some(sequence), what);
        self.gap = false;
    }

    /// Judges how a block continues the run.
    fn link(&mut self, previous: Hash, first: u64, first_of_period: bool) {
        let gap = std::mem::take(&mut self.gap);
        let Some(&(last_hash, last)) = self.run.last() else {
            let is_first = self.done.findings.is_empty();
            self.beginning = Some((previous, first, self.period.clone(), is_first));
            return;
        };
        if previous == last_hash {
            if first != last.saturating_add(1) && !first_of_period {
                self.find(Some(first), Fault::Missing);
                self.gap = false;
            }
            return;
        }
        let earlier = self.run.iter().position(|(hash, _)| *hash == previous);
        match earlier {
            // The sequence numbers of a failed commit are not reused: a block that has them was inserted.
            Some(at) if first_of_period && last < first => {
                let unconfirmed = self
                    .run
                    .get(at..)
                    .and_then(|r| r.first())
                    .map(|(_, last)| last.saturating_add(1));
                self.find(unconfirmed, Fault::Unconfirmed);
                self.gap = false;
            }
            // The faults found between the two blocks were reported already.
            _ if gap => {}
            _ => {
                self.find(Some(first), Fault::Broken);
                self.gap = false;
            }
        }
    }

    fn finish(mut self, noted: Option<Chain>) -> Verified {
        let end = self.done.last.map_or(0, |last| last.0);
        if let Some(noted) = noted.filter(|noted| noted.next.saturating_sub(1) > end) {
            self.find(Some(noted.next.saturating_sub(1)), Fault::CutOff);
        }
        let first = self.done.first.map_or(0, |first| first.0);
        for (last, fault) in self.heads.left(end, first) {
            self.find(Some(last), fault);
        }
        if let Some((previous, first, period, is_first)) = self.beginning.take() {
            let from_start = previous == [0; 32] && first == 1;
            let cut = self
                .cuts
                .iter()
                .any(|(last, hash)| *hash == previous && *last < first);
            if is_first && !from_start && !cut && !self.is_part {
                self.done.findings.insert(
                    0,
                    Finding {
                        period,
                        sequence: Some(Sequence(first)),
                        what: Fault::MissingStart,
                    },
                );
            }
        }
        self.done
    }
}
