//! Questions, to a store that is open in this process or to its files.

use std::path::Path;
use std::sync::Arc;

use crate::error::{OpenError, QueryError};
use crate::integrity::findings::Verified;
use crate::integrity::heads_file;
use crate::integrity::keys::PublicKey;
use crate::integrity::proof;
use crate::integrity::signed_head::SignedHead;
use crate::integrity::verify;
use crate::model::entry::{Entry, Sequence};
use crate::model::filter::{Filter, Page};
use crate::model::item::Event;
use crate::period::name::Period;
use crate::query::calls;
use crate::query::left_out::LeftOut;
use crate::query::scan;
use crate::query::source::Source;
use crate::query::usage::{self, Usage};
use crate::query::walk::{self, Range, Walk};
use crate::store::end_note;
use crate::store::periods::Periods;

/// Answers questions; cheap to clone. All that it does blocks on the disk: from async code, call it on
/// a thread for blocking work.
///
/// From [`crate::Store::reader`] it sees what is written meanwhile. From [`Reader::open`] it sees a
/// period as it was when a question first needed it.
#[derive(Debug, Clone)]
pub struct Reader(Arc<Source>);

/// Bytes of blocks, and where the next begin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blocks {
    /// Whole blocks, one behind the other.
    pub bytes: Vec<u8>,
    /// The last entry in them; absent when there were none.
    pub last: Option<Sequence>,
}

impl Reader {
    pub(crate) fn of(periods: Arc<Periods>) -> Self {
        Self(Arc::new(Source::of_store(periods)))
    }

    /// Opens the store in the directory `path`, or the proof in the file `path`, to be read alone: takes
    /// no lock and changes nothing, whether a process has the store open or not. A question then costs
    /// reading the files of the days that it concerns, once, and 24 bytes of memory for each block.
    ///
    /// # Errors
    /// `Unreadable`, also where there is nothing at `path`; `NoAudit` where there is something else.
    pub fn open(path: &Path) -> Result<Self, OpenError> {
        let unreadable = |source| OpenError::Unreadable {
            path: path.to_owned(),
            source,
        };
        let no_audit = |is| OpenError::NoAudit {
            path: path.to_owned(),
            is,
        };
        let kind = std::fs::metadata(path).map_err(unreadable)?;
        if !kind.is_dir() && !kind.is_file() {
            return Err(no_audit("neither a file nor a directory"));
        }
        let source = Source::of_files(path).map_err(unreadable)?;
        match other_than_audit(path, source.periods()).map_err(unreadable)? {
            Some(is) => Err(no_audit(is)),
            None => Ok(Self(Arc::new(source))),
        }
    }

    /// The calls that `filter` wants, with their outcomes.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn query(&self, filter: &Filter, page: Page) -> Result<Vec<Entry>, QueryError> {
        calls::calls(&self.0, filter, page)
    }

    /// What the store itself had to say from `since_ms` to before `until_ms`, oldest first.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn events(&self, since_ms: i64, until_ms: i64) -> Result<Vec<(Sequence, Event)>, QueryError> {
        scan::events(&self.0, since_ms, until_ms)
    }

    /// How many calls `filter` wants, by token, line, reason and hour. Where it asks for times, token, line, reason and
    /// verdict alone, most come from sums that stand beside the calls; else all that may be wanted are read.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn usage(&self, filter: &Filter) -> Result<Usage, QueryError> {
        usage::usage(&self.0, filter)
    }

    /// The same, from the calls alone.
    #[cfg(test)]
    pub(crate) fn usage_by_reading(&self, filter: &Filter) -> Result<Usage, QueryError> {
        usage::by_reading(&self.0, filter)
    }

    /// What the questions so far could not see of the periods that they came to, since it is damaged or missing. Only of a
    /// store's files ([`Reader::open`] of a directory).
    pub fn left_out(&self) -> Vec<LeftOut> {
        self.0.left_out()
    }

    /// Recomputes the chain over all periods, and holds the signed heads against it: each must be by one
    /// of `keys`, or, where none is given, only agree with the chain. Reads everything.
    ///
    /// # Errors
    /// See [`QueryError`]; what is wrong with the chain is no error but in [`Verified`].
    pub fn verify(&self, keys: &[PublicKey]) -> Result<Verified, QueryError> {
        verify::verify(self.0.periods(), keys)
    }

    /// The blocks with entries after `after`, of about `size` bytes together; the next ones are those
    /// after [`Blocks::last`]. What they hold is the stored form, chain and all.
    ///
    /// After place 0, which is before all, `since_ms` may say where to begin: with the first block that
    /// may have a call of that time or later, or, where there is none, with the last block; before that
    /// where the last signed head is. Everything behind it follows, whenever it was written, so that the chain has no holes.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn blocks(&self, after: Sequence, since_ms: Option<i64>, size: usize) -> Result<Blocks, QueryError> {
        let begin = match since_ms {
            Some(ms) if after.0 == 0 => self.begin(ms)?,
            _ => None,
        };
        let after = begin.map_or(after, |first| Sequence(first.saturating_sub(1)));
        let range = Range {
            after: Some(after.0),
            ..Range::default()
        };
        let mut walk = Walk::new(&self.0, range, false)?;
        let mut blocks = Blocks::default();
        while blocks.bytes.len() < size
            && let Some(block) = walk.next()?
        {
            if block.header.last() > after.0 {
                blocks.bytes.extend_from_slice(block.bytes());
                blocks.last = Some(Sequence(block.header.last()));
            }
        }
        Ok(blocks)
    }

    /// The lines that begin a proof: those of the signed heads, and of `keys`, which they are checked
    /// with. Blocks follow, as [`Reader::blocks`] gives them.
    ///
    /// # Errors
    /// [`QueryError::Heads`].
    pub fn proof_head(&self, keys: &[PublicKey]) -> Result<String, QueryError> {
        Ok(proof::head(keys, &self.heads()?))
    }

    pub(crate) fn heads(&self) -> Result<Vec<SignedHead>, QueryError> {
        let root = self.0.periods().root();
        proof::read_all(root).map_err(|source| QueryError::Heads {
            path: root.join(heads_file::FILE),
            source,
        })
    }

    /// Where a proof of all from `since_ms` on begins: where those calls do, or, where no head is signed there yet, with
    /// the last one that is, so that something vouches for it.
    fn begin(&self, since_ms: i64) -> Result<Option<u64>, QueryError> {
        let begin = walk::begin_of(&self.0, since_ms)?;
        let signed = self.heads()?.iter().map(|head| head.last).max();
        Ok(begin.map(|begin| begin.min(signed.unwrap_or(begin))))
    }

    /// The keys that a proof says its heads are checked with; none of a store. Whoever made the proof may
    /// have put any there: compare them with those that you know.
    pub fn claimed_keys(&self) -> Vec<PublicKey> {
        if self.0.periods().is_one_file() {
            proof::keys(self.0.periods().root())
        } else {
            Vec::new()
        }
    }

    /// The last place there is; 0 in an empty store.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn last(&self) -> Result<Sequence, QueryError> {
        let last = Walk::new(&self.0, Range::default(), true)?.next()?;
        Ok(Sequence(last.map_or(0, |block| block.header.last())))
    }
}

/// What is at `path`, or would be, that is no audit; `None` if it is one.
fn other_than_audit(path: &Path, store: &Periods) -> std::io::Result<Option<&'static str>> {
    if store.is_one_file() {
        let is_one = !store.list()?.is_empty() || proof::is_at(path);
        return Ok((!is_one).then_some("a file without blocks"));
    }
    // A store that was only just begun has its lock, one that lost its periods what tells of them.
    let is_one = !store.list()?.is_empty()
        || path.join("LOCK").is_file()
        || end_note::read(path).is_some()
        || proof::read_all(path).map_or(true, |heads| !heads.is_empty());
    if is_one {
        return Ok(None);
    }
    let is_period = path
        .file_name()
        .and_then(|name| name.to_str())
        .is_some_and(|name| Period::parse(name).is_some());
    let mut entries = std::fs::read_dir(path)?;
    Ok(Some(match entries.next() {
        _ if is_period => "the directory of one period, and the store's is the one above it",
        None => "an empty directory, in which no proxy has run yet",
        Some(_) => "a directory with other things",
    }))
}
