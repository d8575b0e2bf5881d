//! The fields that are forwarded, in one buffer.

use std::fmt;

use crate::buffers::ByteBuffer;

/// Number of bytes before each field: the length of its name, and that of its value.
const LENGTHS: usize = 2 + 4;

/// Lower-case name and value of each forwarded field, in order.
///
/// They are in one buffer, so that a request does not need memory for each: before each field are the lengths of its name
/// and of its value.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct ForwardedFields {
    bytes: ByteBuffer,
}

/// The fields, one after the other.
#[derive(Clone)]
pub struct Iter<'a>(&'a [u8]);

impl ForwardedFields {
    /// Makes an empty list with room for fields of so many bytes together.
    pub(super) fn with_room(fields: usize, bytes: usize) -> Self {
        Self {
            bytes: ByteBuffer::with_room(fields * LENGTHS + bytes),
        }
    }

    /// Adds a field. A name or value that is too long for a head is not added; there is none, since heads are shorter.
    pub(super) fn push(&mut self, name: &str, value: &[u8]) {
        let (Ok(name_length), Ok(value_length)) = (u16::try_from(name.len()), u32::try_from(value.len()))
        else {
            return;
        };
        self.bytes.extend_from_slice(&name_length.to_le_bytes());
        self.bytes.extend_from_slice(&value_length.to_le_bytes());
        self.bytes.extend_from_slice(name.as_bytes());
        self.bytes.extend_from_slice(value);
    }

    /// Iterates over name and value of each field, in order.
    #[must_use]
    pub fn iter(&self) -> Iter<'_> {
        Iter(&self.bytes)
    }

    /// Number of bytes of all names and values, and some more for each field.
    #[must_use]
    pub fn size(&self) -> usize {
        self.bytes.len()
    }

    /// Whether there is no field.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }
}

impl<'a> Iterator for Iter<'a> {
    type Item = (&'a str, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let ([a, b, c, d, e, f], rest) = self.0.split_first_chunk::<LENGTHS>()?;
        let name = usize::from(u16::from_le_bytes([*a, *b]));
        let value = usize::try_from(u32::from_le_bytes([*c, *d, *e, *f])).ok()?;
        let (name, rest) = rest.split_at_checked(name)?;
        let (value, rest) = rest.split_at_checked(value)?;
        self.0 = rest;
        Some((std::str::from_utf8(name).ok()?, value))
    }
}

impl<'a> IntoIterator for &'a ForwardedFields {
    type Item = (&'a str, &'a [u8]);
    type IntoIter = Iter<'a>;

    fn into_iter(self) -> Iter<'a> {
        self.iter()
    }
}

impl fmt::Debug for ForwardedFields {
    /// Leaves out the values, since they are the client's data.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.debug_list()
            .entries(self.iter().map(|(name, _)| name))
            .finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(fields: &ForwardedFields) -> Vec<(String, Vec<u8>)> {
        let pairs = fields.iter();
        pairs
            .map(|(name, value)| (name.to_owned(), value.to_vec()))
            .collect()
    }

    fn pair(name: &str, value: &[u8]) -> (String, Vec<u8>) {
        (name.to_owned(), value.to_vec())
    }

    #[test]
    fn fields_are_those_that_were_added() {
        let long = [b'x'; 70_000];
        let mut fields = ForwardedFields::with_room(2, 10);
        assert!(fields.is_empty() && pairs(&fields).is_empty());
        fields.push("accept", b"*/*");
        fields.push("x-empty", b"");
        fields.push("x-long", &long);
        fields.push("accept", b"\xff");
        let expected = [
            pair("accept", b"*/*"),
            pair("x-empty", b""),
            pair("x-long", &long),
            pair("accept", b"\xff"),
        ];
        assert_eq!(pairs(&fields), expected);
        assert_eq!(pairs(&fields.clone()), expected);
        assert_eq!(
            format!("{fields:?}"),
            r#"["accept", "x-empty", "x-long", "accept"]"#
        );
    }
}
