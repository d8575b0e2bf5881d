//! The secrets that a call presents, to be found in other parts of the call.
//!
//! Both sides are compared *folded*: escapes are decoded through all layers, letters are in lower case, and other ASCII
//! characters are dropped. A text with a `%` is also compared with its escapes undecoded, since a stray one may be
//! inside a secret. So a secret is found in any escaping, case or splitting, and as Base64 in either alphabet and with
//! line ends. Folded text is never shown; it only decides whether another text may be shown.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD};
use memchr::memmem;
use smallvec::SmallVec;
use zeroize::{Zeroize, ZeroizeOnDrop, Zeroizing};

use super::credentials::Credentials;
use super::escape::{decode_loosely, unit};
use super::prefix::{sextet, within_base64};
use super::work;
use crate::buffers::ByteBuffer;

/// Minimum length in bytes of a secret: shorter ones would be found in ordinary text.
const SECRET_BYTES: usize = 16;

/// Maximum number of texts of one call that are treated as secrets.
const MOST: usize = 16;

/// Number of bytes of a secret that are looked for. Secrets that authenticate are not longer; what bears a longer text
/// also bears its beginning.
const LOOKED_FOR: usize = 256;

/// Number of bytes of a header in which secrets are looked for, unless it authenticates. A part that begins there is
/// taken.
const PARTS_BYTES: usize = 8 * 1024;

/// Maximum number of parts of all cookies that may be compared with the secrets of known tokens.
const COOKIE_PARTS: usize = 64;

/// Number of characters of a part that are decoded in search of a user and a secret.
const DECODED: usize = 1024;

/// The first eight bytes of a folded secret.
type Head = u64;

/// Decodes Base64 whose padding was cut off, with any trailing bits.
const ANY: GeneralPurpose =
    GeneralPurpose::new(&alphabet::STANDARD, NO_PAD.with_decode_allow_trailing_bits(true));

/// The secrets that a call presents, in the forms in which they may occur elsewhere. `Debug` does not show them. Their memory
/// is overwritten when they are dropped, which is far less than it took to fill it.
#[derive(Clone, Default, ZeroizeOnDrop)]
pub struct Secrets {
    /// The folded secrets, one after the other.
    bytes: ByteBuffer,
    folded: FoldedSecrets,
    heads: Heads,
    /// Secrets that are too short when folded, kept as they are.
    literal: Vec<Vec<u8>>,
    shortest: usize,
    texts: usize,
}

/// Number of folded secrets for which there is room at once: one, and its forms within Base64.
const USUAL: usize = 4;

/// The places of the folded secrets.
#[derive(Clone, Default)]
struct FoldedSecrets(SmallVec<[Folded; USUAL]>);

impl Drop for FoldedSecrets {
    fn drop(&mut self) {
        self.0.iter_mut().for_each(Zeroize::zeroize);
    }
}

impl ZeroizeOnDrop for FoldedSecrets {}

/// A folded secret: its first bytes, and its place.
#[derive(Clone, Copy, Zeroize)]
struct Folded {
    head: Head,
    start: usize,
    end: usize,
}

impl std::fmt::Debug for Secrets {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Secrets").finish_non_exhaustive()
    }
}

impl Secrets {
    /// Adds the secrets in an `Authorization` header, even if it does not authenticate, such as one with another
    /// scheme.
    pub(super) fn add_authorization(&mut self, value: &[u8], schemes: &[String]) {
        self.add_credentials(&Credentials::from_authorization(value, schemes), value);
    }

    /// Does the same for an `Authorization` header that is read already.
    pub(super) fn add_credentials(&mut self, credentials: &Credentials, value: &[u8]) {
        if let Some(secret) = credentials.secret() {
            // If the secret is too short, the whole value may be long enough.
            if !self.add(secret.as_bytes()) {
                self.add_parts(value, Self::add_text);
            }
        } else {
            self.add_parts(value, Self::add_encoded);
        }
    }

    fn add_parts(&mut self, value: &[u8], add: impl Fn(&mut Self, &[u8]) -> bool) {
        for part in parts(value) {
            if self.texts == MOST {
                return;
            }
            add(self, part);
        }
    }

    /// Adds a secret and its forms within Base64. Returns whether it was treated as a secret.
    pub(super) fn add(&mut self, secret: &[u8]) -> bool {
        let secret = secret.get(..LOOKED_FOR).unwrap_or(secret);
        // Room for the secret and its three forms, of four characters for three bytes.
        self.reserve(secret.len() * 5);
        let taken = self.add_text(secret);
        if taken {
            for form in WithinBase64::ALL {
                self.add_within_base64(secret, form);
            }
        }
        taken
    }

    /// Adds the text. If it is Base64 in either alphabet, also adds the decoded part after the colon.
    fn add_encoded(&mut self, text: &[u8]) -> bool {
        let decoded = decoded(text);
        let (_, behind) = user_and_password(&decoded);
        self.add(behind) | self.add(text)
    }

    fn add_text(&mut self, text: &[u8]) -> bool {
        let text = text.get(..LOOKED_FOR).unwrap_or(text);
        let taken = text.len() >= SECRET_BYTES && self.texts < MOST;
        if taken {
            self.texts += 1;
            self.add_form(text);
        }
        taken
    }

    fn add_form(&mut self, form: &[u8]) {
        self.reserve(form.len());
        let start = self.bytes.len();
        if form.contains(&b'%') {
            self.bytes.extend(fold(form, unit));
        } else {
            let characters = form.iter().filter_map(|byte| folded(*byte));
            append(&mut self.bytes, form.len(), characters);
        }
        if !self.take_folded(start) {
            self.add_literal(form);
        }
    }

    /// Adds the text that the secret has within Base64, at one of the three places in a group.
    fn add_within_base64(&mut self, secret: &[u8], form: WithinBase64) {
        let start = self.bytes.len();
        form.fold(secret, &mut self.bytes);
        if !self.take_folded(start) {
            let text = within_base64(secret).nth(form.place);
            text.iter()
                .for_each(|(_, _, text)| self.add_literal(text.as_bytes()));
        }
    }

    /// Takes the bytes from `start` on as a folded secret; `false` if they are too few.
    fn take_folded(&mut self, start: usize) -> bool {
        let folded = self.bytes.get(start..).unwrap_or_default();
        if folded.len() < SECRET_BYTES {
            self.bytes.truncate(start);
            return false;
        }
        let head = folded.iter().take(size_of::<Head>()).fold(0, shifted);
        let length = folded.len();
        self.heads.add(head);
        self.folded.0.push(Folded {
            head,
            start,
            end: self.bytes.len(),
        });
        self.note_length(length);
        true
    }

    fn add_literal(&mut self, form: &[u8]) {
        if form.len() >= SECRET_BYTES {
            self.literal.push(form.to_vec());
            self.note_length(form.len());
        }
    }

    fn note_length(&mut self, length: usize) {
        self.shortest = match self.shortest {
            0 => length,
            shortest => shortest.min(length),
        };
    }

    /// Makes room for so many more bytes. The memory that is given back is overwritten.
    fn reserve(&mut self, more: usize) {
        if self.bytes.capacity() - self.bytes.len() < more {
            let mut larger = ByteBuffer::with_room((self.bytes.len() + more).max(2 * self.bytes.len()));
            larger.extend_from_slice(&self.bytes);
            std::mem::replace(&mut self.bytes, larger).zeroize();
        }
    }

    fn all_folded(&self) -> impl Iterator<Item = &[u8]> {
        let text = |folded: &Folded| self.bytes.get(folded.start..folded.end).unwrap_or_default();
        self.folded.0.iter().map(text)
    }

    /// Whether the text contains one of the secrets. Linear; allocates only if the beginning of one occurs in it.
    pub(super) fn stand_in(&self, text: &[u8]) -> bool {
        if self.shortest == 0 || text.len() < self.shortest {
            return false;
        }
        self.literal.iter().any(|secret| holds(text, secret)) || self.stand_folded_in(text)
    }

    fn stand_folded_in(&self, text: &[u8]) -> bool {
        self.stand_in_reading(text, unit)
            || text.contains(&b'%')
                && (self.stand_in_reading(text, as_it_is)
                    || holds_bytes(text, b"%25") && self.stand_in_reading(text, without_percent))
    }

    fn stand_in_reading(&self, text: &[u8], read: impl Fn(&[u8], usize) -> Option<(u8, usize)>) -> bool {
        work::done(text.len());
        let begins = |last: Head| {
            self.heads.may_have(last) && {
                work::done(self.folded.0.len());
                self.folded.0.iter().any(|folded| folded.head == last)
            }
        };
        let mut last = 0;
        let begun = fold(text, &read).any(|byte| {
            last = shifted(last, &byte);
            begins(last)
        });
        if !begun {
            return false;
        }
        let text: Vec<u8> = fold(text, &read).collect();
        self.all_folded().any(|secret| holds_bytes(&text, secret))
    }

    /// Whether the text ends in the beginning of a secret, which may go on in a text after it.
    pub(super) fn may_go_on_after(&self, text: &[u8]) -> bool {
        if self.shortest == 0 {
            return false;
        }
        let folded: Vec<u8> = fold(text, unit).collect();
        let ends = |text: &[u8], secret: &[u8]| {
            (BEGINNING..secret.len())
                .any(|length| secret.get(..length).is_some_and(|begin| text.ends_with(begin)))
        };
        self.all_folded().any(|secret| ends(&folded, secret))
            || self.literal.iter().any(|secret| ends(text, secret))
    }
}

/// Number of bytes of a secret that may be shown: a guess needs the others.
const BEGINNING: usize = 6;

/// A filter of heads, so that few are compared with each byte of a text. It may have heads that were not added.
#[derive(Clone, Default, ZeroizeOnDrop)]
struct Heads([u64; 16]);

impl Heads {
    fn add(&mut self, head: Head) {
        let (word, bit) = Self::place(head);
        if let Some(word) = self.0.get_mut(word) {
            *word |= bit;
        }
    }

    fn may_have(&self, head: Head) -> bool {
        let (word, bit) = Self::place(head);
        self.0.get(word).is_some_and(|word| word & bit != 0)
    }

    /// Gives the word and the bit of a head: ten bits of its product with a large odd number.
    fn place(head: Head) -> (usize, u64) {
        let hash = head.wrapping_mul(0x9E37_79B9_7F4A_7C15) >> 54;
        (usize::try_from(hash >> 6).unwrap_or_default(), 1 << (hash & 63))
    }
}

/// One of the three places that a text can have in Base64's groups of three bytes.
#[derive(Clone, Copy)]
struct WithinBase64 {
    /// Number of bytes of the group before the text.
    place: usize,
}

impl WithinBase64 {
    const ALL: [Self; 3] = [Self { place: 0 }, Self { place: 1 }, Self { place: 2 }];

    /// Appends the characters that the text determines by itself, folded.
    fn fold(self, text: &[u8], out: &mut Vec<u8>) {
        let start = out.len();
        // Three bytes are four characters.
        out.resize(start + text.len() * 4 / 3 + 1, 0);
        let mut written = start;
        // Each character is written, and the next one in its place if folding drops it.
        let mut put = |six: u8| {
            let character = FOLDED_BASE64
                .get(usize::from(six & 63))
                .copied()
                .unwrap_or_default();
            if let Some(place) = out.get_mut(written) {
                *place = character;
                written += usize::from(character != 0);
            }
        };
        // Up to the first byte that begins a group.
        let groups = match (self.place, text) {
            (1, [first, second, rest @ ..]) => {
                put(first << 2 | second >> 6);
                put(*second);
                rest
            }
            (1, _) => &[],
            (2, [first, rest @ ..]) => {
                put(*first);
                rest
            }
            (_, all) => all,
        };
        for group in groups.chunks(3) {
            if let [first, ..] = group {
                put(first >> 2);
            }
            if let [first, second, ..] = group {
                put(first << 4 | second >> 4);
            }
            if let [_, second, third] = group {
                put(second << 2 | third >> 6);
                put(*third);
            }
        }
        out.truncate(written);
    }
}

/// Appends at most so many bytes. It costs less than to look for room at each.
fn append(out: &mut Vec<u8>, most: usize, bytes: impl Iterator<Item = u8>) {
    let start = out.len();
    out.resize(start + most, 0);
    let room = out.get_mut(start..).unwrap_or_default();
    let written = room
        .iter_mut()
        .zip(bytes)
        .map(|(place, byte)| *place = byte)
        .count();
    out.truncate(start + written);
}

/// The characters of Base64, folded; 0 for the two that folding drops.
const FOLDED_BASE64: [u8; 64] = *b"abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz0123456789\0\0";

/// Splits a header at its separators into the parts that are long enough for a secret.
fn parts(value: &[u8]) -> impl Iterator<Item = &[u8]> {
    let value = value.get(..PARTS_BYTES).unwrap_or(value);
    work::done(value.len());
    let parts = value.split(|byte| matches!(byte, b' ' | b'\t' | b',' | b';' | b'"' | b'='));
    // The `uri` of Digest is not a secret.
    parts.filter(|part| part.len() >= SECRET_BYTES && !part.starts_with(b"/"))
}

/// Finds the users of Basic credentials that are as long as a secret, each with the password. If the password is too short to be a
/// secret, the user is likely the token, as in `curl -u TOKEN:` and in `TOKEN:x-oauth-basic` of other products.
pub(super) fn long_basic_users(value: &[u8]) -> impl Iterator<Item = (Zeroizing<Vec<u8>>, bool)> {
    parts(value)
        .take(MOST)
        .filter(|part| has_long_user(part))
        .filter_map(|part| {
            let decoded = decoded(part);
            let (user, password) = user_and_password(&decoded);
            let is_alone = password.len() < SECRET_BYTES;
            (user.len() >= SECRET_BYTES).then(|| (Zeroizing::new(user.to_vec()), is_alone))
        })
}

/// Whether the text may be Base64 whose first colon stands behind as many bytes as a secret has. It tells most tokens from
/// Basic credentials without copying them.
fn has_long_user(text: &[u8]) -> bool {
    let (mut bits, mut left, mut bytes) = (0_u32, 0, 0);
    for character in text.get(..DECODED).unwrap_or(text) {
        let six = match character {
            b'-' => Some(62),
            b'_' => Some(63),
            character => sextet(*character),
        };
        let Some(six) = six else { return false };
        bits = bits << 6 | six;
        left += 6;
        if left >= 8 {
            left -= 8;
            if bits >> left & 0xff == u32::from(b':') {
                return bytes >= SECRET_BYTES;
            }
            bytes += 1;
        }
    }
    false
}

/// Finds the texts in `Cookie` headers that can be a token's secret by their length: each part without its percent encoding, and the
/// password if a part is Base64 of Basic credentials.
pub(super) fn in_cookies<'a>(
    values: impl Iterator<Item = &'a [u8]>,
) -> impl Iterator<Item = Zeroizing<Vec<u8>>> {
    values
        .flat_map(parts)
        .filter(|part| part.len() <= DECODED)
        .take(COOKIE_PARTS)
        .flat_map(|part| {
            let plain = Zeroizing::new(decode_loosely(part));
            let decoded = decoded(part);
            let password = Zeroizing::new(user_and_password(&decoded).1.to_vec());
            let is_possible = |text: &Zeroizing<Vec<u8>>| (SECRET_BYTES..=LOOKED_FOR).contains(&text.len());
            [plain, password].into_iter().filter(is_possible)
        })
}

/// Decodes Base64 in either alphabet, with or without padding; empty if the text is not Base64.
fn decoded(text: &[u8]) -> Zeroizing<Vec<u8>> {
    let standard: Zeroizing<Vec<u8>> = text
        .get(..DECODED)
        .unwrap_or(text)
        .iter()
        .map(|byte| match byte {
            b'-' => b'+',
            b'_' => b'/',
            byte => *byte,
        })
        .collect::<Vec<u8>>()
        .into();
    Zeroizing::new(ANY.decode(&standard).unwrap_or_default())
}

/// Splits decoded Basic credentials at the first colon; without one, both are empty.
fn user_and_password(decoded: &[u8]) -> (&[u8], &[u8]) {
    let colon = decoded.iter().position(|byte| *byte == b':');
    let parts = colon.and_then(|at| Some((decoded.get(..at)?, decoded.get(at + 1..)?)));
    parts.unwrap_or_default()
}

fn shifted(head: Head, byte: &u8) -> Head {
    head << 8 | Head::from(*byte)
}

/// Whether the text contains the secret, as it is or escaped.
fn holds(text: &[u8], secret: &[u8]) -> bool {
    holds_bytes(text, secret) || text.contains(&b'%') && holds_bytes(&decode_loosely(text), secret)
}

fn holds_bytes(text: &[u8], wanted: &[u8]) -> bool {
    memmem::find(text, wanted).is_some()
}

/// Returns the byte at a position, and the position of the next one, without decoding escapes.
fn as_it_is(text: &[u8], at: usize) -> Option<(u8, usize)> {
    text.get(at).map(|byte| (*byte, at + 1))
}

/// Reads like `as_it_is`, but decodes a `%` that was escaped itself, once or more often.
fn without_percent(text: &[u8], at: usize) -> Option<(u8, usize)> {
    let (byte, mut next) = as_it_is(text, at)?;
    while byte == b'%' && text.get(next..next + 2) == Some(b"25") {
        next += 2;
    }
    Some((byte, next))
}

/// Folds a text for comparison. `read` returns the byte at a position and the position of the next one.
fn fold(text: &[u8], read: impl Fn(&[u8], usize) -> Option<(u8, usize)>) -> impl Iterator<Item = u8> {
    let mut at = 0;
    std::iter::from_fn(move || {
        let (byte, next) = read(text, at)?;
        at = next;
        Some(byte)
    })
    .filter_map(folded)
}

/// Folds one byte; `None` if it is dropped.
fn folded(byte: u8) -> Option<u8> {
    (byte.is_ascii_alphanumeric() || !byte.is_ascii()).then(|| byte.to_ascii_lowercase())
}

#[cfg(test)]
mod tests {
    use super::*;
    use base64::engine::general_purpose::{STANDARD, URL_SAFE};

    const SECRET: &str = "k3v9x2m7q1z8b4n6c5l0j2h3g7f1d9s8";

    fn of(authorization: &str) -> Secrets {
        let mut secrets = Secrets::default();
        secrets.add_authorization(authorization.as_bytes(), &[]);
        secrets
    }

    fn basic(user: &str) -> String {
        STANDARD.encode(format!("{user}:{SECRET}"))
    }

    #[test]
    fn a_secret_is_known_again_however_it_is_written() {
        let (begin, end) = SECRET.split_at(11);
        let escaped: String = SECRET.bytes().map(|byte| format!("%25{byte:02x}")).collect();
        let long = format!("{}{SECRET}", "x ".repeat(300));
        for secrets in [
            of(&format!("Bearer {SECRET}")),
            of(&format!("Basic {}", basic("svc"))),
        ] {
            for text in [
                SECRET,
                &SECRET.to_uppercase(),
                &escaped,
                &format!("{begin}%{end}"),
                &format!("{begin}%25{end}"),
                &format!("{begin}%2525{end}"),
                &format!("{begin}/{end}"),
                &format!("{begin}%2F%0a{end}"),
                &format!("x{begin}+{end}x"),
                &long,
                &basic("a"),
                &basic("ab"),
                &basic("abc"),
                &URL_SAFE.encode(format!("ü?>:{SECRET}\r\n")),
                &STANDARD.encode(SECRET).replace('d', "d\r\n"),
            ] {
                assert!(secrets.stand_in(text.as_bytes()), "{text}");
            }
            for text in [
                "",
                begin,
                end,
                &format!("{begin}x{end}"),
                basic("a").get(..20).unwrap(),
            ] {
                assert!(!secrets.stand_in(text.as_bytes()), "{text}");
            }
        }
    }

    #[test]
    fn forms_within_base64_are_those_of_the_encoder() {
        for length in 0..50_u8 {
            let text: Vec<u8> = (0..length).map(|at| at.wrapping_mul(151) ^ 0x5a).collect();
            for (form, (_, _, encoded)) in WithinBase64::ALL.into_iter().zip(within_base64(&text)) {
                let mut folded = Vec::new();
                form.fold(&text, &mut folded);
                let expected: Vec<u8> = fold(encoded.as_bytes(), unit).collect();
                assert_eq!(folded, expected, "{length} bytes, {} before", form.place);
            }
        }
    }

    #[test]
    fn what_authenticates_nobody_is_a_secret_still() {
        let unpadded = basic("svc").replace('=', "");
        for authorization in [
            format!("Token {SECRET}"),
            format!("Token token=\"{SECRET}\", user=\"x\""),
            format!("Bearer {SECRET} "),
            format!("Bearer {SECRET}, Bearer x"),
            format!("bearer  {SECRET}"),
            format!("Basic {unpadded}"),
            format!("Basic {unpadded} x"),
            SECRET.to_owned(),
        ] {
            assert!(of(&authorization).stand_in(SECRET.as_bytes()), "{authorization}");
        }
        let digest = of("Digest username=\"a\", uri=\"/rest/api/2/issue/createmeta\", nc=00000001");
        assert!(!digest.stand_in(b"/rest/api/2/issue/createmeta"));
    }

    #[test]
    fn what_folds_to_little_is_looked_for_as_it_is() {
        let odd = "!?-._~!?-._~!?-._~";
        let secrets = of(&format!("Basic {}", STANDARD.encode(format!("u:{odd}"))));
        assert!(secrets.stand_in(format!("x{odd}").as_bytes()));
        assert!(secrets.stand_in(odd.replace('!', "%2521").as_bytes()));
        assert!(!secrets.stand_in(b"!?-._~!?-._~"));
    }

    #[test]
    fn a_long_user_without_a_password_is_alone() {
        let users = |user: &str, password: &str| {
            let value = format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
            let users = long_basic_users(value.as_bytes());
            let users = users.map(|(user, is_alone)| (String::from_utf8(user.to_vec()).unwrap(), is_alone));
            users.collect::<Vec<_>>()
        };
        for password in ["", "x", "x-oauth-basic"] {
            assert_eq!(users(SECRET, password), [(SECRET.to_owned(), true)]);
        }
        assert_eq!(
            users(SECRET, "q8w2e6r4t1y9u3i7o5p0"),
            [(SECRET.to_owned(), false)]
        );
        assert_eq!(users("alice", ""), []);
    }

    #[test]
    fn short_texts_are_no_secrets_and_many_no_cost() {
        assert!(!of("Bearer short").stand_in(b"what is short"));
        assert!(!Secrets::default().stand_in(&[b'a'; 99]));
        let many: Vec<String> = (0..999).map(|n| format!("{n:020}")).collect();
        assert!(of(&many.join(" ")).folded.0.len() <= MOST * 4);
        assert_eq!(format!("{:?}", of(&format!("Bearer {SECRET}"))), "Secrets { .. }");
    }
}
