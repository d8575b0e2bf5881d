//! The chunked coding (RFC 9112 section 7.1). Clients' chunks have no extensions; those of upstreams are dropped.

use bytes::{Buf, Bytes, BytesMut};

use super::{Violation, head::field_line};

/// Trailers, which are dropped, may take so many bytes.
const MOST_TRAILER_BYTES: usize = 8 * 1024;
/// The extensions of one chunk of an upstream's, which are dropped, may take so many bytes.
const MOST_EXTENSION_BYTES: u16 = 4 * 1024;
/// A size of 64 bits has so many hexadecimal digits.
const MOST_SIZE_DIGITS: u8 = 16;

/// Position of the next byte within the chunked coding.
#[derive(Debug)]
pub enum Chunks {
    /// In the digits of a size.
    Size {
        /// Number of digits read.
        digits: u8,
        /// Value of the digits.
        size: u64,
    },
    /// In the extensions behind a size.
    Extension {
        /// Size of the chunk.
        size: u64,
        /// Number of bytes so far.
        taken: u16,
    },
    /// Before the LF of a size's line.
    SizeEnd {
        /// Size of the chunk.
        size: u64,
    },
    /// In the data of a chunk.
    Data {
        /// Bytes that are still to come.
        left: u64,
    },
    /// Before the CR after the data.
    DataCr,
    /// Before the LF after the data.
    DataLf,
    /// In the trailers, or at the final empty line.
    Trailer {
        /// The line so far, its CR included.
        line: Vec<u8>,
        /// Bytes of all trailers so far.
        taken: usize,
    },
}

/// A step through the coding.
#[derive(Debug, PartialEq, Eq)]
pub enum Piece {
    /// A piece of data.
    Data(Bytes),
    /// The end of the body, trailers included.
    End,
}

impl Chunks {
    /// Makes the state before the first chunk.
    pub fn begin() -> Self {
        Self::Size { digits: 0, size: 0 }
    }

    /// Takes the next piece off `bytes`; `None` when it needs more of them.
    ///
    /// # Errors
    /// The bytes are not in the coding.
    pub fn next(&mut self, bytes: &mut BytesMut) -> Result<Option<Piece>, Violation> {
        self.next_with(bytes, false)
    }

    /// Does the same for a body that an upstream sends. Some servers write blanks or extensions behind the size; no two
    /// readers disagree about the data behind these.
    ///
    /// # Errors
    /// The bytes are not in the coding.
    pub(crate) fn next_of_upstream(&mut self, bytes: &mut BytesMut) -> Result<Option<Piece>, Violation> {
        self.next_with(bytes, true)
    }

    fn next_with(&mut self, bytes: &mut BytesMut, extended: bool) -> Result<Option<Piece>, Violation> {
        loop {
            if let Self::Data { left } = self {
                if bytes.is_empty() {
                    return Ok(None);
                }
                let take = usize::try_from(*left).unwrap_or(usize::MAX).min(bytes.len());
                *left -= take as u64;
                let data = bytes.split_to(take).freeze();
                if *left == 0 {
                    *self = Self::DataCr;
                }
                return Ok(Some(Piece::Data(data)));
            }
            let Some(&byte) = bytes.first() else {
                return Ok(None);
            };
            bytes.advance(1);
            if self.step(byte, extended)? {
                return Ok(Some(Piece::End));
            }
        }
    }

    /// Reads one byte that is not data; gives `true` at the end of the coding.
    fn step(&mut self, byte: u8, extended: bool) -> Result<bool, Violation> {
        *self = match (&mut *self, byte) {
            (Self::Size { digits, size }, byte) if byte.is_ascii_hexdigit() => {
                if *digits == MOST_SIZE_DIGITS {
                    return Err(Violation::ChunkSize);
                }
                let digit = char::from(byte).to_digit(16).unwrap_or_default();
                Self::Size {
                    digits: *digits + 1,
                    size: *size << 4 | u64::from(digit),
                }
            }
            (Self::Size { digits: 1.., size }, b'\r') => Self::SizeEnd { size: *size },
            (Self::Size { digits: 1.., size }, b';' | b' ' | b'\t') if extended => Self::Extension {
                size: *size,
                taken: 0,
            },
            (Self::Extension { size, .. }, b'\r') => Self::SizeEnd { size: *size },
            (Self::Extension { size, taken }, b'\t' | 0x20..=0x7e | 0x80..)
                if *taken < MOST_EXTENSION_BYTES =>
            {
                Self::Extension {
                    size: *size,
                    taken: *taken + 1,
                }
            }
            (Self::Extension { .. }, _) => return Err(Violation::ChunkExtension),
            (Self::Size { digits: 1.., .. }, b';' | b' ' | b'\t') => return Err(Violation::ChunkExtension),
            (Self::SizeEnd { size: 0 }, b'\n') => Self::Trailer {
                line: Vec::new(),
                taken: 0,
            },
            (Self::SizeEnd { size }, b'\n') => Self::Data { left: *size },
            (Self::DataCr, b'\r') => Self::DataLf,
            (Self::DataLf, b'\n') => Self::Size { digits: 0, size: 0 },
            (Self::Trailer { line, taken }, byte) => return trailer_byte(line, taken, byte),
            (Self::DataCr | Self::DataLf, _) => return Err(Violation::ChunkEnd),
            _ => return Err(Violation::ChunkSize),
        };
        Ok(false)
    }
}

/// Takes one byte of the trailers; `true` when it ends the empty line after them.
fn trailer_byte(line: &mut Vec<u8>, taken: &mut usize, byte: u8) -> Result<bool, Violation> {
    *taken += 1;
    if *taken > MOST_TRAILER_BYTES {
        return Err(Violation::Trailer);
    }
    let after_cr = line.last() == Some(&b'\r');
    match byte {
        b'\n' if after_cr => {
            line.pop();
            if line.is_empty() {
                return Ok(true);
            }
            field_line(line).map_err(|_| Violation::Trailer)?;
            line.clear();
        }
        _ if after_cr => return Err(Violation::BareCr),
        b'\n' => return Err(Violation::BareLf),
        b'\r' | b'\t' | 0x20..=0x7e | 0x80.. => line.push(byte),
        _ => return Err(Violation::Control),
    }
    Ok(false)
}
