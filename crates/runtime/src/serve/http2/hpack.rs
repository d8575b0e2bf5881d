//! Header compression (RFC 7541), as far as it takes to know each request's `:path` as it was sent.

use std::collections::VecDeque;

use bytes::Bytes;

use super::huffman;

/// Maximum size of the table in bytes: the default that clients assume.
const TABLE: usize = 4096;
/// Size that an entry counts in addition to its text (section 4.1).
const ENTRY: usize = 32;
/// The names of the static table, from 1 on (appendix A).
#[rustfmt::skip]
const STATIC: [&str; 61] = [
    ":authority", ":method", ":method", ":path", ":path", ":scheme", ":scheme", ":status", ":status",
    ":status", ":status", ":status", ":status", ":status", "accept-charset", "accept-encoding",
    "accept-language", "accept-ranges", "accept", "access-control-allow-origin", "age", "allow",
    "authorization", "cache-control", "content-disposition", "content-encoding", "content-language",
    "content-length", "content-location", "content-range", "content-type", "cookie", "date", "etag", "expect",
    "expires", "from", "host", "if-match", "if-modified-since", "if-none-match", "if-range",
    "if-unmodified-since", "last-modified", "link", "location", "max-forwards", "proxy-authenticate",
    "proxy-authorization", "range", "referer", "refresh", "retry-after", "server", "set-cookie",
    "strict-transport-security", "transfer-encoding", "user-agent", "vary", "via", "www-authenticate",
];

/// One field, as far as it matters.
#[derive(Clone, Debug)]
struct Field {
    name_length: usize,
    value_length: usize,
    /// The value, of a `:path`.
    path: Option<Bytes>,
}

impl Field {
    fn new(name: &[u8], value: Vec<u8>) -> Self {
        Self {
            name_length: name.len(),
            value_length: value.len(),
            path: (name == PATH).then(|| Bytes::from(value)),
        }
    }

    fn size(&self) -> usize {
        self.name_length + self.value_length + ENTRY
    }
}

const PATH: &[u8] = b":path";

/// The state of one direction of a connection.
#[derive(Debug)]
pub(super) struct Hpack {
    /// Entries, newest first.
    table: VecDeque<Field>,
    size: usize,
    limit: usize,
}

impl Hpack {
    /// Makes the state before the first block.
    pub(super) fn new() -> Self {
        Self {
            table: VecDeque::new(),
            size: 0,
            limit: TABLE,
        }
    }

    /// Reads a whole block, and gives the first `:path` in it.
    ///
    /// # Errors
    /// The block is malformed; no later one of the connection can be read.
    pub(super) fn read(&mut self, mut block: &[u8]) -> Result<Option<Bytes>, Malformed> {
        let mut path = None;
        while let Some(field) = self.next(&mut block).transpose()? {
            path = path.or(field.path);
        }
        Ok(path)
    }

    /// The next field; `None` at the block's end.
    fn next(&mut self, block: &mut &[u8]) -> Option<Result<Field, Malformed>> {
        loop {
            let kind = *block.first()?;
            match self.one(kind, block) {
                Some(Some(field)) => return Some(Ok(field)),
                Some(None) => {}
                None => return Some(Err(Malformed)),
            }
        }
    }

    /// One representation (section 6): a field, or nothing but a change of the table's size.
    fn one(&mut self, kind: u8, block: &mut &[u8]) -> Option<Option<Field>> {
        if kind & 0x80 != 0 {
            return self.field(integer(block, 7)?).map(Some);
        }
        if kind & 0xe0 == 0x20 {
            self.limit = Some(integer(block, 5)?).filter(|limit| *limit <= TABLE)?;
            self.evict();
            return Some(None);
        }
        let indexed = kind & 0x40 != 0;
        let field = match integer(block, if indexed { 6 } else { 4 })? {
            0 => {
                let name = text(block)?;
                Field::new(&name, text(block)?)
            }
            index => {
                let named = self.field(index)?;
                let value = text(block)?;
                match named.path {
                    Some(_) => Field::new(PATH, value),
                    None => Field {
                        value_length: value.len(),
                        ..named
                    },
                }
            }
        };
        if indexed {
            self.size += field.size();
            self.table.push_front(field.clone());
            self.evict();
        }
        Some(Some(field))
    }

    fn field(&self, index: usize) -> Option<Field> {
        let index = index.checked_sub(1)?;
        match (index, STATIC.get(index)) {
            (3, _) => Some(Field::new(PATH, b"/".to_vec())),
            (4, _) => Some(Field::new(PATH, b"/index.html".to_vec())),
            // The value only matters in a field that is added to the table, and those are decoded with their value.
            (_, Some(name)) => Some(Field::new(name.as_bytes(), Vec::new())),
            (_, None) => self.table.get(index - STATIC.len()).cloned(),
        }
    }

    fn evict(&mut self) {
        while self.size > self.limit
            && let Some(oldest) = self.table.pop_back()
        {
            self.size -= oldest.size();
        }
    }
}

/// The block cannot be decoded.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Malformed;

/// An integer that begins in the lowest `bits` of the next byte (section 5.1); at most 32 bits long.
fn integer(block: &mut &[u8], bits: u32) -> Option<usize> {
    let (first, mut rest) = block.split_first()?;
    let full = (1_u8 << bits) - 1;
    let mut value = usize::from(first & full);
    if value == usize::from(full) {
        for shift in [0, 7, 14, 21] {
            let (byte, after) = rest.split_first()?;
            rest = after;
            value += usize::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                *block = rest;
                return Some(value);
            }
        }
        return None;
    }
    *block = rest;
    Some(value)
}

/// A text, plain or by the Huffman code (section 5.2).
fn text(block: &mut &[u8]) -> Option<Vec<u8>> {
    let coded = block.first()? & 0x80 != 0;
    let length = integer(block, 7)?;
    let (text, rest) = block.split_at_checked(length)?;
    *block = rest;
    if coded {
        huffman::decode(text)
    } else {
        Some(text.to_vec())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(hpack: &mut Hpack, block: &str) -> Result<Option<Bytes>, Malformed> {
        hpack.read(&hex::decode(block.replace(' ', "")).unwrap())
    }

    /// RFC 7541 appendix C.3 and C.4: three requests on one connection, without and with the Huffman code.
    #[test]
    fn the_examples_of_the_rfc() {
        for blocks in [
            [
                "8286 8441 0f77 7777 2e65 7861 6d70 6c65 2e63 6f6d",
                "8286 84be 5808 6e6f 2d63 6163 6865",
                "8287 85bf 400a 6375 7374 6f6d 2d6b 6579 0c63 7573 746f 6d2d 7661 6c75 65",
            ],
            [
                "8286 8441 8cf1 e3c2 e5f2 3a6b a0ab 90f4 ff",
                "8286 84be 5886 a8eb 1064 9cbf",
                "8287 85bf 4088 25a8 49e9 5ba9 7d7f 8925 a849 e95b b8e8 b4bf",
            ],
        ] {
            let mut hpack = Hpack::new();
            for (block, (path, size)) in blocks.iter().zip([("/", 57), ("/", 110), ("/index.html", 164)]) {
                assert_eq!(read(&mut hpack, block).unwrap().unwrap(), path);
                assert_eq!(hpack.size, size);
            }
        }
    }

    #[test]
    fn a_path_is_found_wherever_it_stands() {
        let mut hpack = Hpack::new();
        // A literal with the static name that is added to the table, then used from there as a field and as a name.
        assert_eq!(read(&mut hpack, "44 04 2f612362").unwrap().unwrap(), "/a#b");
        assert_eq!(read(&mut hpack, "be").unwrap().unwrap(), "/a#b");
        assert_eq!(read(&mut hpack, "0f2f 02 2f63").unwrap().unwrap(), "/c");
        // By its own name, never indexed.
        assert_eq!(
            read(&mut hpack, "10 05 3a70617468 02 2f64").unwrap().unwrap(),
            "/d"
        );
        // A table of no size forgets all.
        assert_eq!(read(&mut hpack, "20 82").unwrap(), None);
        assert_eq!(read(&mut hpack, "be"), Err(Malformed));
    }

    #[test]
    fn what_is_no_block_is_refused() {
        for block in [
            "80",
            "be",
            "44",
            "44 05 2f",
            "0f",
            "ff ffffffff 7f",
            "3f e2 1f",
            "44 82 ff ff",
        ] {
            assert_eq!(read(&mut Hpack::new(), block), Err(Malformed), "{block}");
        }
    }
}
