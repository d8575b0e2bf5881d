//! The text of JSON strings: the ends of plain runs, and the characters of escapes (RFC 8259 section 7).

use std::borrow::Cow;

/// What stood between two quotes, its escapes known to be valid.
#[derive(Clone, Copy)]
pub(super) struct Quoted<'b> {
    pub(super) text: &'b str,
    pub(super) escaped: bool,
}

impl<'b> Quoted<'b> {
    /// False of most texts: a text without escapes contains no character below U+0020.
    pub(super) fn may_hold_control(self) -> bool {
        self.escaped || !self.text.is_ascii() || self.text.as_bytes().contains(&0x7F)
    }

    /// The text that is meant, borrowed where nothing in it is escaped.
    pub(super) fn unescaped(self) -> Result<Cow<'b, str>, &'static str> {
        if !self.escaped {
            return Ok(Cow::Borrowed(self.text));
        }
        let mut meant = String::with_capacity(self.text.len());
        let mut rest = self.text;
        while let Some((plain, behind)) = rest.split_once('\\') {
            let (c, length) = escape(behind.as_bytes())?;
            meant.push_str(plain);
            meant.push(c);
            rest = behind.get(length..).ok_or(INVALID)?;
        }
        meant.push_str(rest);
        Ok(Cow::Owned(meant))
    }
}

const INVALID: &str = "an invalid escape";

/// The character of an escape, and the length of the escape, both without the first backslash.
pub(super) fn escape(behind: &[u8]) -> Result<(char, usize), &'static str> {
    match behind {
        [c @ (b'"' | b'\\' | b'/'), ..] => Ok((char::from(*c), 1)),
        [b'b', ..] => Ok(('\u{8}', 1)),
        [b'f', ..] => Ok(('\u{c}', 1)),
        [b'n', ..] => Ok(('\n', 1)),
        [b'r', ..] => Ok(('\r', 1)),
        [b't', ..] => Ok(('\t', 1)),
        [b'u', a, b, c, d, more @ ..] => unit([*a, *b, *c, *d], more),
        _ => Err(INVALID),
    }
}

const LONE: &str = "a lone surrogate";

fn unit(digits: [u8; 4], more: &[u8]) -> Result<(char, usize), &'static str> {
    let first = hex(digits)?;
    if let Some(c) = char::from_u32(first) {
        return Ok((c, 5));
    }
    let [b'\\', b'u', a, b, c, d, ..] = more else {
        return Err(LONE);
    };
    let second = hex([*a, *b, *c, *d])?;
    if !(0xD800..0xDC00).contains(&first) || !(0xDC00..0xE000).contains(&second) {
        return Err(LONE);
    }
    let c = char::from_u32(0x1_0000 + ((first & 0x3FF) << 10) + (second & 0x3FF)).ok_or(LONE)?;
    Ok((c, 11))
}

fn hex(digits: [u8; 4]) -> Result<u32, &'static str> {
    digits.iter().try_fold(0, |number, digit| {
        let digit = char::from(*digit).to_digit(16).ok_or(INVALID)?;
        Ok(number << 4 | digit)
    })
}

/// How many bytes come before the first that is a quote, a backslash or a control character below U+0020.
pub(super) fn plain_run(bytes: &[u8]) -> usize {
    let (words, tail) = bytes.as_chunks::<8>();
    let mut run = 0;
    for word in words {
        let stops = stops(u64::from_le_bytes(*word));
        if stops != 0 {
            return run + (stops.trailing_zeros() / 8) as usize;
        }
        run += 8;
    }
    run + tail
        .iter()
        .take_while(|byte| !matches!(byte, b'"' | b'\\' | 0..0x20))
        .count()
}

// Marks bytes by their highest bits. Subtraction borrows, so marks above the lowest one can be false; that one is true
// ("Bit Twiddling Hacks", "Determine if a word has a byte less than n").
fn stops(word: u64) -> u64 {
    const ONES: u64 = u64::from_le_bytes([1; 8]);
    const HIGHEST: u64 = ONES << 7;
    let below = |word: u64, limit: u64| word.wrapping_sub(ONES * limit) & !word;
    let is = |byte: u8| below(word ^ (ONES * u64::from(byte)), 1);
    (below(word, 0x20) | is(b'"') | is(b'\\')) & HIGHEST
}
