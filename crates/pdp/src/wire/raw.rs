//! A request's head as the wire gave it, before any of it is believed.

/// The protocol version of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// HTTP/1.0 (RFC 9112).
    Http10,
    /// HTTP/1.1 (RFC 9112).
    Http11,
    /// HTTP/2 (RFC 9113).
    Http2,
}

/// Framing: how the end of the body is marked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// The request has no body.
    None,
    /// A body of so many bytes; `Length(0)` was sent as `Content-Length: 0`.
    Length(u64),
    /// A body that marks its own end: chunks, or HTTP/2 frames without a `content-length`.
    Chunked,
}

impl Framing {
    /// Whether a byte of a body may follow. `Length(0)` counts as no body, `Chunked` as one.
    #[must_use]
    pub fn has_body(self) -> bool {
        !matches!(self, Self::None | Self::Length(0))
    }
}

/// A request's head as it came. Has no `Debug`: it holds credentials.
#[derive(Clone, Copy)]
pub struct RawHead<'a> {
    /// Method of the request, as sent.
    pub method: &'a str,
    /// The request target (`:path` in HTTP/2), byte for byte.
    pub target: &'a [u8],
    /// Protocol version of the request.
    pub version: Version,
    /// Every header line, name and value, in order and in the case sent. Pseudo-headers are not among them.
    pub headers: &'a [(&'a [u8], &'a [u8])],
    /// HTTP/2's `:authority`.
    pub authority: Option<&'a [u8]>,
    /// How the connection's parser will cut the body; must agree with the headers.
    pub body: Framing,
}

impl<'a> RawHead<'a> {
    /// Gives the size of target and headers, in bytes.
    pub fn size(&self) -> usize {
        let headers = self.headers.iter().map(|(name, value)| name.len() + value.len());
        self.target.len() + headers.sum::<usize>()
    }

    /// Gives the trimmed values of a header. Its name is given in lower case, and compared without regard to case.
    pub fn values(&self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        self.headers
            .iter()
            .filter(move |(given, _)| given.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| trim(value))
    }
}

/// Maximum length of a header's name, in bytes. Names that are in use have at most 40.
pub(crate) const NAME_BYTES: usize = 256;

/// Maximum length of a method, in bytes. Registered ones have at most 17.
pub(crate) const METHOD_BYTES: usize = 64;

/// Which bytes tokens may contain (RFC 9110 section 5.6.2).
static TOKEN: [bool; 256] =
    table(b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz");

/// Makes a set of ASCII bytes, a bit for each.
pub const fn set(mut bytes: &[u8]) -> u128 {
    let mut set = 0;
    while let [first, rest @ ..] = bytes {
        set |= 1 << *first;
        bytes = rest;
    }
    set
}

/// Makes a table of these bytes. A look-up takes fewer instructions than one in a [`set`].
const fn table(mut bytes: &[u8]) -> [bool; 256] {
    let mut table = [false; 256];
    while let [first, rest @ ..] = bytes {
        if let Some((place, _)) = table.split_at_mut(*first as usize).1.split_first_mut() {
            *place = true;
        }
        bytes = rest;
    }
    table
}

/// Whether a token may contain the byte.
pub(crate) fn is_token_byte(byte: u8) -> bool {
    TOKEN.get(usize::from(byte)).copied().unwrap_or_default()
}

/// Number of bytes that are looked at together.
const TOGETHER: usize = 64;

/// Gives the number of bytes before the first one that is `odd`. Looks at many bytes together, which compilers turn
/// into few instructions, so that it costs a fraction of a look at each byte.
#[inline]
pub fn run_without(bytes: &[u8], odd: impl Fn(u8) -> bool) -> usize {
    let mut run = 0;
    for part in bytes.chunks(TOGETHER) {
        if part.iter().fold(false, |found, byte| found | odd(*byte)) {
            return run + part.iter().position(|byte| odd(*byte)).unwrap_or_default();
        }
        run += part.len();
    }
    run
}

/// Whether the byte is a control character other than a tab, which heads must not contain.
pub fn is_control(byte: u8) -> bool {
    byte < 0x20 && byte != b'\t' || byte == 0x7f
}

/// The value without the optional whitespace around it (RFC 9110 section 5.5).
pub fn trim(value: &[u8]) -> &[u8] {
    let blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let mut value = value;
    while let [first, rest @ ..] = value
        && blank(first)
    {
        value = rest;
    }
    while let [rest @ .., last] = value
        && blank(last)
    {
        value = rest;
    }
    value
}

/// Whether the bytes are a token (RFC 9110 section 5.6.2).
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty() && bytes.iter().copied().all(is_token_byte)
}
