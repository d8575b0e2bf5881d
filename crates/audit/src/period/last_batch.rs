//! The batch that was read last: unpacked once for all its blocks, if they are read one after the other.

use std::sync::{Arc, Mutex, PoisonError};

use crate::error::DiskError;
use crate::format::batch::{self, Batch};

/// The last batch, with the key `K` that it is stored under.
#[derive(Debug)]
pub(crate) struct LastBatch<K>(Mutex<Option<(K, Arc<Batch>)>>);

impl<K> Default for LastBatch<K> {
    fn default() -> Self {
        Self(Mutex::new(None))
    }
}

impl<K: PartialEq> LastBatch<K> {
    /// The batch under `key`, whose bytes `bytes` gives if it is not the last one.
    pub(crate) fn get<B: AsRef<[u8]>>(
        &self,
        key: K,
        bytes: impl FnOnce() -> Result<B, DiskError>,
    ) -> Result<Arc<Batch>, DiskError> {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((of, batch)) = &*last
            && *of == key
        {
            return Ok(Arc::clone(batch));
        }
        let batch = batch::read(bytes()?.as_ref()).map_err(|e| DiskError::Database(e.to_string()))?;
        *last = Some((key, Arc::clone(&batch)));
        Ok(batch)
    }
}
