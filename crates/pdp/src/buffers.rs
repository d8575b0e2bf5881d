//! Memory for the texts and bytes of a call, which each thread keeps for its next calls.
//!
//! A buffer is empty when it is taken, so it shows nothing of the call before: safe code cannot read beyond its length. A
//! thread keeps at most `MOST` buffers of at most `LARGEST` bytes each. Secrets overwrite theirs before they give it
//! back (`request/secrets.rs`).

use std::cell::RefCell;
use std::fmt;
use std::ops::{Deref, DerefMut};

use bytes::{Bytes, BytesMut};
use http::{HeaderName, HeaderValue};
use zeroize::Zeroize;

/// Maximum number of buffers that a thread keeps.
const MOST: usize = 64;
/// Maximum size of a buffer that is kept, in bytes.
const LARGEST: usize = 4 * 1024;
/// Size of a new buffer, unless more is needed. Most URLs and sets of fields fit.
const USUAL: usize = 256;
/// Size of the memory that short values share, in bytes.
const SHARED: usize = 2 * 1024;
/// Maximum number of lists of fields that a thread keeps, …
const LISTS: usize = 16;
/// … and of fields for which one has room.
const FIELDS: usize = 64;

/// Fields of a response.
pub type Fields = Vec<(HeaderName, HeaderValue)>;

thread_local! {
    static KEPT: Lists<u8> = const { Lists::new(MOST, LARGEST) };
    static KEPT_FIELDS: Lists<(HeaderName, HeaderValue)> = const { Lists::new(LISTS, FIELDS) };
    static VALUES: RefCell<BytesMut> = RefCell::new(BytesMut::new());
}

/// Lists that a thread keeps for their memory. All are empty.
pub struct Lists<T> {
    kept: RefCell<Vec<Vec<T>>>,
    most: usize,
    largest: usize,
}

impl<T> Lists<T> {
    /// Keeps at most so many lists, each with room for at most so many items.
    pub const fn new(most: usize, largest: usize) -> Self {
        Self {
            kept: RefCell::new(Vec::new()),
            most,
            largest,
        }
    }

    /// Gives an empty list.
    pub fn take(&self) -> Vec<T> {
        self.kept.borrow_mut().pop().unwrap_or_default()
    }

    /// Keeps the memory of a list, whose items are dropped.
    pub fn give_back(&self, mut list: Vec<T>) {
        list.clear();
        let is_kept = (1..=self.largest).contains(&list.capacity());
        // Dropping an item may give back another list, so nothing is borrowed before.
        let mut kept = self.kept.borrow_mut();
        if is_kept && kept.len() < self.most {
            kept.push(list);
        }
    }
}

/// Bytes in memory that is used again.
#[derive(Default, PartialEq, Eq)]
pub struct ByteBuffer(Vec<u8>);

/// A text in memory that is used again.
#[derive(Default, PartialEq, Eq)]
pub struct TextBuffer(String);

impl ByteBuffer {
    /// Gives an empty buffer with room for at least so many bytes.
    #[must_use]
    pub fn with_room(bytes: usize) -> Self {
        // While a thread ends, nothing is kept.
        let mut buffer = KEPT.try_with(Lists::take).unwrap_or_default();
        if buffer.capacity() < bytes {
            buffer.reserve(bytes.max(USUAL));
        }
        Self(buffer)
    }
}

impl Drop for ByteBuffer {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.0);
        let _ = KEPT.try_with(|kept| kept.give_back(buffer));
    }
}

impl TextBuffer {
    /// Gives an empty text with room for at least so many bytes.
    #[must_use]
    pub fn with_room(bytes: usize) -> Self {
        let mut buffer = ByteBuffer::with_room(bytes);
        // An empty text is always valid.
        Self(String::from_utf8(std::mem::take(&mut buffer.0)).unwrap_or_default())
    }

    /// Takes the text of these bytes; `None` if they are not UTF-8.
    #[must_use]
    pub fn from_utf8(mut bytes: ByteBuffer) -> Option<Self> {
        String::from_utf8(std::mem::take(&mut bytes.0)).ok().map(Self)
    }

    /// Gives the text to append to.
    pub fn text(&mut self) -> &mut String {
        &mut self.0
    }
}

impl Drop for TextBuffer {
    fn drop(&mut self) {
        let buffer = std::mem::take(&mut self.0).into_bytes();
        let _ = KEPT.try_with(|kept| kept.give_back(buffer));
    }
}

impl From<&str> for TextBuffer {
    fn from(text: &str) -> Self {
        let mut copy = Self::with_room(text.len());
        copy.0.push_str(text);
        copy
    }
}

impl From<String> for TextBuffer {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl Clone for TextBuffer {
    fn clone(&self) -> Self {
        Self::from(&**self)
    }
}

impl Clone for ByteBuffer {
    fn clone(&self) -> Self {
        let mut copy = Self::with_room(self.len());
        copy.extend_from_slice(self);
        copy
    }
}

impl Deref for ByteBuffer {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for ByteBuffer {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

impl Deref for TextBuffer {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for TextBuffer {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for TextBuffer {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl Zeroize for ByteBuffer {
    /// Overwrites the whole memory, not only the bytes in use, and empties the buffer.
    fn zeroize(&mut self) {
        // Without a byte in use, all of it is overwritten at once, and not byte for byte.
        self.0.clear();
        self.0.zeroize();
    }
}

impl fmt::Debug for ByteBuffer {
    /// Writes only the size: the bytes may be of a secret.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_tuple("ByteBuffer").field(&self.0.len()).finish()
    }
}

impl fmt::Debug for TextBuffer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(&self.0, out)
    }
}

impl fmt::Display for TextBuffer {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// Copies a short value, such as that of a field, into memory that it shares with others. The memory lives as long as one of
/// them.
pub fn shared(value: &[u8]) -> Bytes {
    if value.len() > SHARED / 8 {
        return Bytes::copy_from_slice(value);
    }
    let copied = VALUES.try_with(|values| {
        let mut values = values.borrow_mut();
        if values.capacity() - values.len() < value.len() {
            *values = BytesMut::with_capacity(SHARED);
        }
        values.extend_from_slice(value);
        values.split().freeze()
    });
    copied.unwrap_or_else(|_| Bytes::copy_from_slice(value))
}

/// Gives an empty list with room for at least so many fields.
pub(crate) fn fields_with_room(fields: usize) -> Fields {
    let mut list = KEPT_FIELDS.try_with(Lists::take).unwrap_or_default();
    list.reserve(fields);
    list
}

/// Keeps the memory of a list of fields, which are dropped.
pub fn give_back_fields(fields: Fields) {
    // While a thread ends, nothing is kept.
    let _ = KEPT_FIELDS.try_with(|kept| kept.give_back(fields));
}

#[cfg(test)]
mod tests;
