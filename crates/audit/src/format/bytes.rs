//! Primitive fields of the stored form: LEB128 numbers, zigzag for signed ones, raw bytes.
//!
//! Reading is total: any input gives a value or [`Malformed`]. Memory is bounded by the input's size, not by numbers in it.

/// The bytes differ from those that were written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the stored form is malformed: {0}")]
pub(crate) struct Malformed(pub(crate) &'static str);

/// Appends `n`, seven bits a byte, least significant first.
pub(crate) fn put_number(out: &mut Vec<u8>, mut n: u64) {
    loop {
        let low = u8::try_from(n & 0x7f).unwrap_or(0);
        n >>= 7;
        if n == 0 {
            out.push(low);
            return;
        }
        out.push(low | 0x80);
    }
}

/// Appends a signed number; small ones of either sign stay short.
pub(crate) fn put_signed(out: &mut Vec<u8>, n: i64) {
    put_number(out, ((n << 1) ^ (n >> 63)).cast_unsigned());
}

/// The bytes that are left to read.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Cursor<'b>(pub(crate) &'b [u8]);

impl<'b> Cursor<'b> {
    /// The next `n` bytes.
    pub(crate) fn take(&mut self, n: usize) -> Result<&'b [u8], Malformed> {
        let (head, rest) = self.0.split_at_checked(n).ok_or(Malformed("it ends early"))?;
        self.0 = rest;
        Ok(head)
    }

    /// The next `N` bytes.
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let (head, rest) = self
            .0
            .split_first_chunk::<N>()
            .ok_or(Malformed("it ends early"))?;
        self.0 = rest;
        Ok(*head)
    }

    /// The next byte.
    pub(crate) fn byte(&mut self) -> Result<u8, Malformed> {
        let [b] = self.array::<1>()?;
        Ok(b)
    }

    /// A number as [`put_number`] writes it; longer forms of the same number are malformed.
    pub(crate) fn number(&mut self) -> Result<u64, Malformed> {
        let mut n = 0_u64;
        let mut shift = 0_u32;
        loop {
            let byte = self.byte()?;
            let low = u64::from(byte & 0x7f);
            if shift == 63 && low > 1 {
                return Err(Malformed("a number exceeds 64 bits"));
            }
            n |= low << shift;
            if byte & 0x80 == 0 {
                if byte == 0 && shift > 0 {
                    return Err(Malformed("a number is not in its shortest form"));
                }
                return Ok(n);
            }
            shift += 7;
            if shift > 63 {
                return Err(Malformed("a number exceeds 64 bits"));
            }
        }
    }

    /// A number as [`put_signed`] writes it.
    pub(crate) fn signed(&mut self) -> Result<i64, Malformed> {
        let n = self.number()?;
        Ok((n >> 1).cast_signed() ^ -((n & 1).cast_signed()))
    }

    /// A number that must fit the type asked for.
    pub(crate) fn small<T: TryFrom<u64>>(&mut self) -> Result<T, Malformed> {
        T::try_from(self.number()?).map_err(|_| Malformed("a number exceeds its field"))
    }
}
