//! The items of a block, for questions.

use crate::error::{DiskError, QueryError};
use crate::format::bytes::Malformed;
use crate::format::decode::ItemView;
use crate::period::database::StoredBlock;

/// Calls `with` for each item of a block.
pub(crate) fn each(
    block: &StoredBlock,
    content: &[u8],
    mut with: impl FnMut(u64, ItemView<'_>),
) -> Result<(), QueryError> {
    let mut items = block.items(content).map_err(broken(block))?;
    while let Some((sequence, seen)) = items.next().map_err(broken(block))? {
        with(sequence, seen);
    }
    Ok(())
}

/// The error that a block's content gave.
pub(crate) fn broken(block: &StoredBlock) -> impl Fn(Malformed) -> QueryError {
    let written = block.header.written_ms;
    // Named only when there is an error: this is asked for at each item.
    move |error| QueryError::Unreadable {
        period: crate::period::name::Day::of(written).to_string(),
        source: DiskError::Database(error.to_string()),
    }
}
