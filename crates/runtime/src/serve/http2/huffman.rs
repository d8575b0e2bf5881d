//! The Huffman code of header compression (RFC 7541 appendix B).
//!
//! The code is canonical: codes of one length follow each other in the order of their bytes, and go on from the next
//! shorter length's. So the lengths say it all.

use std::sync::LazyLock;

/// Bits of the code of each byte.
const LENGTHS: [u8; 256] = [
    13, 23, 28, 28, 28, 28, 28, 28, 28, 24, 30, 28, 28, 30, 28, 28, 28, 28, 28, 28, 28, 28, 30, 28, 28, 28,
    28, 28, 28, 28, 28, 28, 6, 10, 10, 12, 13, 6, 8, 11, 10, 10, 8, 11, 8, 6, 6, 6, 5, 5, 5, 6, 6, 6, 6, 6,
    6, 6, 7, 8, 15, 6, 12, 10, 13, 6, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 7, 8, 7,
    8, 13, 19, 13, 14, 6, 15, 5, 6, 5, 6, 5, 6, 6, 6, 5, 7, 7, 6, 6, 6, 5, 6, 7, 6, 5, 5, 6, 7, 7, 7, 7, 7,
    15, 11, 14, 13, 28, 20, 22, 20, 20, 22, 22, 22, 23, 22, 23, 23, 23, 23, 23, 24, 23, 24, 24, 22, 23, 24,
    23, 23, 23, 23, 21, 22, 23, 22, 23, 23, 24, 22, 21, 20, 22, 22, 23, 23, 21, 23, 22, 22, 24, 21, 22, 23,
    23, 21, 21, 22, 21, 23, 22, 23, 23, 20, 22, 22, 22, 23, 22, 22, 23, 26, 26, 20, 19, 22, 23, 22, 25, 26,
    26, 26, 27, 27, 26, 24, 25, 19, 21, 26, 27, 27, 26, 27, 24, 21, 21, 26, 26, 28, 27, 27, 27, 20, 24, 20,
    21, 22, 21, 21, 23, 22, 22, 25, 25, 24, 24, 26, 23, 26, 27, 26, 26, 27, 27, 27, 27, 27, 28, 27, 27, 27,
    27, 27, 26,
];
/// Length of the longest code. The end-of-string code has this many bits, all ones, and must not occur in a text.
const LONGEST: u8 = 30;

/// The codes of one length.
struct Row {
    first: u32,
    bytes: Vec<u8>,
}

/// Codes by length, from one bit on.
static ROWS: LazyLock<Vec<Row>> = LazyLock::new(|| {
    let mut first = 0_u32;
    (1..=LONGEST)
        .map(|length| {
            let with_length = (0..=u8::MAX).zip(LENGTHS).filter(|(_, other)| *other == length);
            let bytes: Vec<u8> = with_length.map(|(byte, _)| byte).collect();
            first <<= 1;
            let row = Row { first, bytes };
            first += u32::try_from(row.bytes.len()).unwrap_or_default();
            row
        })
        .collect()
});

/// Decodes a text; `None` if the bits are not codes, or the padding is not the beginning of the end-of-string code.
pub(super) fn decode(bits: &[u8]) -> Option<Vec<u8>> {
    let mut text = Vec::with_capacity(bits.len() * 2);
    let (mut code, mut rows) = (0_u32, ROWS.iter());
    let mut taken = 0;
    for bit in bits
        .iter()
        .flat_map(|byte| (0..8).rev().map(move |place| byte >> place & 1))
    {
        code = code << 1 | u32::from(bit);
        taken += 1;
        let row = rows.next()?;
        let at = code
            .checked_sub(row.first)
            .and_then(|at| usize::try_from(at).ok());
        if let Some(byte) = at.and_then(|at| row.bytes.get(at)) {
            text.push(*byte);
            (code, rows, taken) = (0, ROWS.iter(), 0);
        }
    }
    (taken < 8 && code == (1 << taken) - 1).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The examples of RFC 7541 appendix C.
    #[test]
    fn the_examples_of_the_rfc() {
        for (bits, text) in [
            ("f1e3c2e5f23a6ba0ab90f4ff", "www.example.com"),
            ("a8eb10649cbf", "no-cache"),
            ("25a849e95ba97d7f", "custom-key"),
            ("25a849e95bb8e8b4bf", "custom-value"),
            ("9d29ad171863c78f0b97c8e9ae82ae43d3", "https://www.example.com"),
            ("", ""),
        ] {
            assert_eq!(
                decode(&hex::decode(bits).unwrap()).unwrap(),
                text.as_bytes(),
                "{bits}"
            );
        }
    }

    #[test]
    fn what_is_no_text_is_refused() {
        // A whole byte of filling, filling of zeros, the end's own code.
        for bits in ["a8eb10649cbfff", "a8eb10649cb0", "ffffffff", "ff"] {
            assert_eq!(decode(&hex::decode(bits).unwrap()), None, "{bits}");
        }
    }
}
