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

/// Answers queries on a store, a backup or a proof. Cheap to clone. Every method blocks on the disk: from async code, call
/// it on a thread for blocking work.
///
/// A reader from [`crate::Store::reader`] sees entries that are written later. One from [`Reader::open`] sees each period as
/// it was when a query first needed it.
#[derive(Debug, Clone)]
pub struct Reader(Arc<Source>);

/// Bytes of blocks, and the sequence number after which the next blocks begin.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Blocks {
    /// Whole blocks, one after the other.
    pub bytes: Vec<u8>,
    /// The last entry in them; absent when there were none.
    pub last: Option<Sequence>,
}

impl Reader {
    pub(crate) fn of(periods: Arc<Periods>) -> Self {
        Self(Arc::new(Source::of_store(periods)))
    }

    /// Opens the store in the directory `path`, or the proof in the file `path`, for reading. It takes no lock and changes
    /// nothing, whether or not a process has the store open. The first query on a day reads that day's files once, and keeps
    /// 24 bytes in memory for each block.
    ///
    /// # Errors
    /// `Unreadable` if `path` does not exist or cannot be read; `NoAudit` if it is something else.
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

    /// Returns the calls that `filter` wants, with their outcomes.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn query(&self, filter: &Filter, page: Page) -> Result<Vec<Entry>, QueryError> {
        calls::calls(&self.0, filter, page)
    }

    /// Returns the store's own events from `since_ms` to before `until_ms`, oldest first.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn events(&self, since_ms: i64, until_ms: i64) -> Result<Vec<(Sequence, Event)>, QueryError> {
        scan::events(&self.0, since_ms, until_ms)
    }

    /// Returns the store's own event that was stored last of those that `wanted` admits.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn last_event(&self, wanted: impl Fn(&Event) -> bool) -> Result<Option<Event>, QueryError> {
        scan::last_event(&self.0, wanted)
    }

    /// Counts the calls that `filter` wants, by token, line, reason and hour. If the filter restricts only times, token, line,
    /// reason and verdict, most counts come from the index. Otherwise all calls that may be wanted are read.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn usage(&self, filter: &Filter) -> Result<Usage, QueryError> {
        usage::usage(&self.0, filter)
    }

    /// Counts as [`Reader::usage`] does, from the calls only.
    #[cfg(test)]
    pub(crate) fn usage_by_reading(&self, filter: &Filter) -> Result<Usage, QueryError> {
        usage::by_reading(&self.0, filter)
    }

    /// Lists the entries that queries so far could not see, because they are damaged or missing in the periods that the
    /// queries opened. Only a store's files have such a list ([`Reader::open`] of a directory).
    pub fn left_out(&self) -> Vec<LeftOut> {
        self.0.left_out()
    }

    /// Recomputes the chain over all periods and compares the signed heads with it. Each head must be signed by one of `keys`;
    /// without keys, it must only agree with the chain. Reads everything, as the files are now.
    ///
    /// # Errors
    /// See [`QueryError`]. Faults of the chain are not errors: [`Verified`] lists them.
    pub fn verify(&self, keys: &[PublicKey]) -> Result<Verified, QueryError> {
        verify::verify(self.0.periods(), keys)
    }

    /// Returns the blocks with entries after `after`, of about `size` bytes together, in the stored form that the chain is made
    /// of. Continue after [`Blocks::last`].
    ///
    /// If `after` is 0, `since_ms` may select the beginning: the first block that may contain a call of that time or later, or
    /// the last block if there is no such call, but never after the last signed head. All later blocks follow, whenever they
    /// were written, so that the chain has no gaps.
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

    /// Sequence number with which a proof of all calls from `since_ms` on begins: that of the first such call, or that of the
    /// last signed head if no later one is signed, so that a signature covers the proof.
    fn begin(&self, since_ms: i64) -> Result<Option<u64>, QueryError> {
        let begin = walk::begin_of(&self.0, since_ms)?;
        let signed = self.heads()?.iter().map(|head| head.last).max();
        Ok(begin.map(|begin| begin.min(signed.unwrap_or(begin))))
    }

    /// The keys that a proof names for checking its heads; empty for a store. The author of a proof can name any key: compare
    /// them with the keys that you know.
    pub fn claimed_keys(&self) -> Vec<PublicKey> {
        if self.0.periods().is_one_file() {
            proof::keys(self.0.periods().root())
        } else {
            Vec::new()
        }
    }

    /// Sequence number of the last entry; 0 in an empty store.
    ///
    /// # Errors
    /// See [`QueryError`].
    pub fn last(&self) -> Result<Sequence, QueryError> {
        let last = Walk::new(&self.0, Range::default(), true)?.next()?;
        Ok(Sequence(last.map_or(0, |block| block.header.last())))
    }
}

/// Describes the file or directory at `path` if it is not an audit; `None` if it is one.
fn other_than_audit(path: &Path, store: &Periods) -> std::io::Result<Option<&'static str>> {
    if store.is_one_file() {
        let is_one = !store.list()?.is_empty() || proof::is_at(path);
        return Ok((!is_one).then_some("a file without blocks"));
    }
    // A store that was only just begun has its lock. One that lost its periods has a note of its end, or signed heads.
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
        _ if is_period => "the directory of one period; the store is the directory above it",
        None => "an empty directory; no proxy has used it yet",
        Some(_) => "a directory with other files",
    }))
}
