//! HTTP/1 messages cut from bytes, with a list of all that is wrong with them.

/// One request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Message {
    /// The head's bytes, the empty line included.
    pub head: Vec<u8>,
    /// The method.
    pub method: String,
    /// The request target.
    pub target: Vec<u8>,
    /// `HTTP/1.1`, or whatever stands there.
    pub version: String,
    /// Names in lower case, and values without the blanks around them.
    pub fields: Vec<(String, Vec<u8>)>,
    /// The body, transfer coding removed.
    pub body: Vec<u8>,
    /// What a strict reader objects to.
    pub faults: Vec<&'static str>,
}

impl Message {
    /// Every value of a field, by its lower-case name.
    #[must_use]
    pub fn values(&self, name: &str) -> Vec<&[u8]> {
        self.fields
            .iter()
            .filter(|(have, _)| have == name)
            .map(|(_, value)| value.as_slice())
            .collect()
    }

    /// Path and query.
    #[must_use]
    pub fn halves(&self) -> (&[u8], &[u8]) {
        let mut halves = self.target.splitn(2, |byte| *byte == b'?');
        (
            halves.next().unwrap_or_default(),
            halves.next().unwrap_or_default(),
        )
    }
}

/// Takes one request off the front of the bytes: it and its length. `None`: it is not whole yet.
#[must_use]
pub fn take(bytes: &[u8]) -> Option<(Message, usize)> {
    let end = find(bytes, b"\r\n\r\n")? + 4;
    let head = bytes.get(..end)?;
    let mut message = parse_head(head);
    let rest = bytes.get(end..)?;
    let used = if message
        .values("transfer-encoding")
        .iter()
        .any(|coding| find(&coding.to_ascii_lowercase(), b"chunked").is_some())
    {
        chunks(rest, &mut message)?
    } else {
        let length = message
            .values("content-length")
            .first()
            .map(|value| number(value, 10));
        let length = match length {
            Some(None) => {
                message.faults.push("the value of Content-Length");
                0
            }
            Some(Some(length)) => length,
            None => 0,
        };
        message.body = rest.get(..length)?.to_vec();
        length
    };
    Some((message, end + used))
}

fn parse_head(head: &[u8]) -> Message {
    let mut message = Message {
        head: head.to_vec(),
        ..Message::default()
    };
    let mut previous = 0;
    for &byte in head {
        match byte {
            b'\n' if previous != b'\r' => message.faults.push("a bare LF"),
            other if previous == b'\r' && other != b'\n' => message.faults.push("a bare CR"),
            b'\t' | b'\r' | b'\n' | 0x20..=0x7e | 0x80.. => {}
            _ => message.faults.push("a control character"),
        }
        previous = byte;
    }
    let mut lines = lines(head.strip_suffix(b"\r\n\r\n").unwrap_or(head)).into_iter();
    let first = lines.next().unwrap_or_default();
    let words: Vec<&[u8]> = first.split(|byte| *byte == b' ').collect();
    if words.len() != 3 || words.iter().any(|word| word.is_empty()) {
        message.faults.push("the request line");
    }
    let word = |index: usize| words.get(index).copied().unwrap_or_default();
    message.method = String::from_utf8_lossy(word(0)).into_owned();
    message.target = word(1).to_vec();
    message.version = String::from_utf8_lossy(word(2)).into_owned();
    if !token(word(0)) {
        message.faults.push("the method");
    }
    if !message
        .target
        .iter()
        .all(|byte| byte.is_ascii_graphic() && *byte != b'#')
    {
        message.faults.push("the target");
    }
    for line in lines {
        let mut halves = line.splitn(2, |byte| *byte == b':');
        let (name, value) = (halves.next().unwrap_or_default(), halves.next());
        match value {
            Some(value) if token(name) => message
                .fields
                .push((String::from_utf8_lossy(name).to_ascii_lowercase(), trimmed(value))),
            _ => message.faults.push("a field line"),
        }
    }
    let lengths = message.values("content-length").len();
    let codings = message.values("transfer-encoding");
    if lengths > 1 || codings.len() > 1 || lengths + codings.len() > 1 {
        message.faults.push("several lengths");
    } else if codings
        .iter()
        .any(|coding| !coding.eq_ignore_ascii_case(b"chunked"))
    {
        message.faults.push("the transfer coding");
    }
    message
}

/// The lines between CRLFs.
fn lines(mut rest: &[u8]) -> Vec<&[u8]> {
    let mut lines = Vec::new();
    while let Some(at) = find(rest, b"\r\n") {
        let (line, after) = rest.split_at(at);
        lines.push(line);
        rest = after.get(2..).unwrap_or_default();
    }
    lines.push(rest);
    lines
}

fn chunks(bytes: &[u8], message: &mut Message) -> Option<usize> {
    let mut at = 0;
    loop {
        let rest = bytes.get(at..)?;
        let line = rest.get(..find(rest, b"\r\n")?)?;
        let Some(size) = number(line, 16) else {
            message.faults.push("a chunk's size");
            return Some(bytes.len());
        };
        at += line.len() + 2;
        if size == 0 {
            break;
        }
        message
            .body
            .extend_from_slice(bytes.get(at..at.checked_add(size)?)?);
        at += size;
        if bytes.get(at..at + 2)? != b"\r\n" {
            message.faults.push("a chunk's end");
            return Some(bytes.len());
        }
        at += 2;
    }
    loop {
        let rest = bytes.get(at..)?;
        let length = find(rest, b"\r\n")?;
        at += length + 2;
        if length == 0 {
            return Some(at);
        }
        message.faults.push("a trailer");
    }
}

fn number(text: &[u8], radix: u32) -> Option<usize> {
    let text = std::str::from_utf8(text).ok()?;
    let plain = !text.is_empty() && text.chars().all(|c| c.is_digit(radix));
    plain.then(|| usize::from_str_radix(text, radix).ok()).flatten()
}

fn token(text: &[u8]) -> bool {
    let odd = b"!#$%&'*+-.^_`|~";
    !text.is_empty()
        && text
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || odd.contains(byte))
}

fn trimmed(value: &[u8]) -> Vec<u8> {
    let blank = |byte: &&u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().take_while(blank).count();
    let end = value.len() - value.iter().rev().take_while(blank).count();
    value.get(start..end).unwrap_or_default().to_vec()
}

/// Where the text begins in the bytes.
#[must_use]
pub fn find(bytes: &[u8], text: &[u8]) -> Option<usize> {
    bytes.windows(text.len()).position(|window| window == text)
}
