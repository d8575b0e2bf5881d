//! Recomputing the chain: what was changed, removed or reordered shows.

use crate::error::{DiskError, QueryError};
use crate::format::block::Block;
use crate::format::bytes::Malformed;
use crate::format::chain::{Chain, Hash};
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
use crate::query::walk::{open, unreadable};
use crate::store::end_note;
use crate::store::periods::Periods;

/// Walks the whole chain.
pub(crate) fn verify(store: &Periods, keys: &[PublicKey]) -> Result<Verified, QueryError> {
    // Read first: what is written meanwhile does not count.
    let noted = end_note::read(store.root());
    let (heads, unread) = match proof::read_all(store.root()) {
        Ok(heads) => (heads, None),
        Err(error) => (Vec::new(), Some(error.to_string())),
    };
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
        check.period = period.to_string();
        if period.is_damaged() {
            check.search(store, period, "it was set aside")?;
            continue;
        }
        let opened = match open(store, period) {
            Ok(opened) => opened,
            Err(_) if store.is_gone(period) => continue,
            Err(QueryError::Unreadable { source, .. }) => {
                check.search(store, period, &source.to_string())?;
                continue;
            }
            Err(other) => return Err(other),
        };
        check.claims = BloomCheck::of(&store.path(period));
        check.sums = CountsCheck::of(&store.path(period), check.faults);
        let path = store.path(period);
        check.order = store
            .is_in_order(period)
            .then(|| TimeOrder::of(period.day, &path));
        let mut key = 0;
        while let Some((at, block)) = opened.from(key).map_err(unreadable(period))? {
            match block {
                Ok(block) => check.block(&block),
                Err(error) => check.find(Some(at), Fault::Unreadable(error.to_string())),
            }
            let Some(next) = at.checked_add(1) else { break };
            key = next;
        }
    }
    let mut done = check.finish(noted);
    let unvouched = done.signed.is_none() && !keys.is_empty();
    let of_all = unread
        .map(Fault::NoHeads)
        .into_iter()
        .chain(unvouched.then_some(Fault::NoTrustedHead));
    // What is of no period stands first.
    done.findings.splice(
        0..0,
        of_all.map(|what| Finding {
            period: String::new(),
            sequence: None,
            what,
        }),
    );
    Ok(done)
}

#[derive(Default)]
struct Check {
    done: Verified,
    period: String,
    // The last blocks of the run so far: hash and last place. More than one only while the period
    // after a failed commit may continue an earlier one.
    run: Vec<(Hash, u64)>,
    // What the first sound block continues, its place and period, and whether nothing was wrong before it.
    beginning: Option<(Hash, u64, String, bool)>,
    cuts: Vec<(u64, Hash)>,
    // Something was lost before, and was reported.
    gap: bool,
    heads: HeadCheck,
    claims: BloomCheck,
    sums: CountsCheck,
    // Of a period that is said to be in the order of time, as long as it is.
    order: Option<TimeOrder>,
    // Blocks that are not what they were, or are missing: so many places.
    faults: usize,
    // It need not begin at the chain's beginning.
    is_part: bool,
}

/// How many blocks before the end of a period the next may continue: those of one failed commit.
const RUN: usize = 1024;

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
        self.sums = CountsCheck::default();
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

    fn block<B: AsRef<[u8]>>(&mut self, block: &Block<B>) {
        let header = &block.header;
        let content = match block.content() {
            Ok(content) if block.hash_holds(&content) => content,
            Ok(_) => return self.find(Some(header.first), Fault::Changed),
            Err(error) => return self.find(Some(header.first), Fault::Unreadable(error.to_string())),
        };
        let mut hidden = Vec::new();
        self.sums.begin_block(header.first);
        let whole = block.items(&content).and_then(|mut items| {
            let mut count = 0_u64;
            while let Some((sequence, seen)) = items.next()? {
                count += 1;
                if self.claims.deny(header.first, &seen) {
                    hidden.push(sequence);
                }
                match seen {
                    ItemView::Decision(view) => self.sums.see(sequence, &view),
                    ItemView::Event(Event::Cut { last, hash, .. }) => self.cuts.push((last, hash)),
                    ItemView::Ended(_) | ItemView::Event(_) => {}
                }
            }
            if count == u64::from(header.count) {
                Ok(())
            } else {
                Err(Malformed("it has another number of entries"))
            }
        });
        if let Err(error) = whole {
            return self.find(Some(header.first), Fault::Unreadable(error.to_string()));
        }
        self.link(header.previous, header.first, header.first_of_period);
        if self.order.as_mut().is_some_and(|order| order.hides(header)) {
            self.order = None;
            self.find(Some(header.first), Fault::Misdated);
            self.gap = false;
        }
        for sequence in hidden {
            self.find(Some(sequence), Fault::Hidden);
            self.gap = false;
        }
        for sequence in self.sums.end_block(header.first, header.last(), self.faults) {
            self.find(Some(sequence), Fault::Miscounted);
            self.gap = false;
        }
        self.done.first.get_or_insert(Sequence(header.first));
        self.done.last = Some(Sequence(header.last()));
        self.done.head = Some(block.hash);
        for fault in self.heads.meet(header.last(), block.hash, &mut self.done) {
            self.find(Some(header.last()), fault);
        }
        self.done.entries += u64::from(header.count);
        self.done.blocks += 1;
        if self.run.len() >= RUN {
            self.run.remove(0);
        }
        self.run.push((block.hash, header.last()));
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
            // The places of a commit that failed are not used again: what stands where the chain goes on was put in.
            Some(at) if first_of_period && last < first => {
                let unconfirmed = self
                    .run
                    .get(at..)
                    .and_then(|r| r.first())
                    .map(|(_, last)| last.saturating_add(1));
                self.find(unconfirmed, Fault::Unconfirmed);
                self.gap = false;
            }
            // Told already by what was found between the two.
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
