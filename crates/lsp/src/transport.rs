//! Messages over standard input and output, with bounds: a message that is too large or not JSON-RPC is answered with an error and
//! left out, so that a broken client neither fills the memory nor ends the server.

use std::{
    io::{self, BufRead, Read, Write},
    sync::{Arc, Mutex, PoisonError},
    thread::{self, JoinHandle},
};

use crossbeam_channel::{Receiver, Sender, bounded};
use lsp_server::{ErrorCode, Message, RequestId};
use serde_json::{Value, json};

/// Bytes of a message at most: more than a document of the largest size, escaped.
const MOST: usize = 160 << 20;
/// Bytes of a message's header at most.
const MOST_HEADER: u64 = 8 << 10;
/// Bytes that are taken from a client at once.
const CHUNK: usize = 64 << 10;
/// Messages that wait in one direction.
const WAITING: usize = 16;

/// Both directions, as channels, and the threads behind them.
pub(crate) struct Transport {
    pub(crate) sender: Sender<Message>,
    pub(crate) receiver: Receiver<Message>,
    writer: JoinHandle<io::Result<()>>,
}

/// A frame of the protocol.
#[derive(Debug, PartialEq, Eq)]
enum Frame {
    Message(Vec<u8>),
    /// A message that was left out: why.
    LeftOut(String),
    /// The client closed the connection.
    End,
}

impl Transport {
    /// Starts to read and to write.
    ///
    /// # Errors
    /// The system gives no thread.
    pub(crate) fn start(
        input: impl BufRead + Send + 'static,
        output: impl Write + Send + 'static,
    ) -> io::Result<Self> {
        let output = Arc::new(Mutex::new(output));
        let (sender, to_write) = bounded::<Message>(WAITING);
        let (read, receiver) = bounded::<Message>(WAITING);
        let own = Arc::clone(&output);
        let writer = thread::Builder::new()
            .name("lsp-write".to_owned())
            .spawn(move || {
                for message in to_write {
                    let value = serde_json::to_value(&message).map_err(io::Error::other)?;
                    write(&own, value)?;
                }
                Ok(())
            })?;
        // The reader waits for the client, and ends with the process.
        thread::Builder::new()
            .name("lsp-read".to_owned())
            .spawn(move || {
                let mut input = input;
                while let Ok(frame) = read_frame(&mut input) {
                    let refused = match frame {
                        Frame::End => break,
                        Frame::LeftOut(why) => refusal(&Value::Null, ErrorCode::InvalidRequest, &why),
                        Frame::Message(bytes) => match message(&bytes) {
                            Ok(message) => {
                                if read.send(message).is_err() {
                                    break;
                                }
                                continue;
                            }
                            Err(refused) => *refused,
                        },
                    };
                    if write(&output, refused).is_err() {
                        break;
                    }
                }
            })?;
        Ok(Self {
            sender,
            receiver,
            writer,
        })
    }

    /// Ends once everything is written.
    ///
    /// # Errors
    /// The client does not take the rest.
    pub(crate) fn finish(self) -> io::Result<()> {
        drop((self.sender, self.receiver));
        match self.writer.join() {
            Ok(written) => written,
            Err(_) => Err(io::Error::other("the writing thread panicked")),
        }
    }
}

fn write(output: &Mutex<impl Write>, mut value: Value) -> io::Result<()> {
    if let Some(members) = value.as_object_mut() {
        members.insert("jsonrpc".to_owned(), "2.0".into());
    }
    let text = serde_json::to_vec(&value)?;
    let mut output = output.lock().unwrap_or_else(PoisonError::into_inner);
    write!(output, "Content-Length: {}\r\n\r\n", text.len())?;
    output.write_all(&text)?;
    output.flush()
}

fn refusal(id: &Value, code: ErrorCode, why: &str) -> Value {
    json!({ "id": id, "error": { "code": code as i32, "message": why } })
}

/// The message in some bytes, or the answer to something that is none.
fn message(bytes: &[u8]) -> Result<Message, Box<Value>> {
    let refused = |id: &Value, code, why: &str| Err(Box::new(refusal(id, code, why)));
    let value: Value = match serde_json::from_slice(bytes) {
        Ok(value) => value,
        Err(error) => return refused(&Value::Null, ErrorCode::ParseError, &format!("not JSON: {error}")),
    };
    let id = value.get("id").cloned();
    let known = id.clone().map(serde_json::from_value::<RequestId>);
    match (&id, known) {
        (Some(id), Some(Err(_))) if value.get("method").is_some() => {
            return refused(
                id,
                ErrorCode::InvalidRequest,
                "the id must be a string or an integer of 32 bits",
            );
        }
        _ => {}
    }
    let answered = id.filter(|_| value.get("method").is_some()).unwrap_or_default();
    match serde_json::from_value(value) {
        Ok(message) => Ok(message),
        Err(_) => refused(
            &answered,
            ErrorCode::InvalidRequest,
            "not a message of JSON-RPC 2.0",
        ),
    }
}

/// Reads a frame.
///
/// # Errors
/// The client is gone, or sends a header that does not say where the message ends.
fn read_frame(input: &mut impl BufRead) -> io::Result<Frame> {
    let Some(length) = read_header(input)? else {
        return Ok(Frame::End);
    };
    if length > MOST as u64 {
        let left = io::copy(&mut input.take(length), &mut io::sink())?;
        if left < length {
            return Ok(Frame::End);
        }
        return Ok(Frame::LeftOut(format!(
            "the message has {length} bytes; at most {MOST} are read"
        )));
    }
    // The memory grows with what comes, not with what is announced.
    let mut bytes = Vec::new();
    let mut left = usize::try_from(length).unwrap_or(MOST);
    while left > 0 {
        let part = left.min(CHUNK);
        let at = bytes.len();
        bytes.resize(at + part, 0);
        if let Some(free) = bytes.get_mut(at..) {
            input.read_exact(free)?;
        }
        left -= part;
    }
    Ok(Frame::Message(bytes))
}

/// The length that a header announces; `None` at the end of the input.
fn read_header(input: &mut impl BufRead) -> io::Result<Option<u64>> {
    let mut header = input.take(MOST_HEADER);
    let mut length = None;
    let mut is_first = true;
    loop {
        let mut line = Vec::new();
        if header.read_until(b'\n', &mut line)? == 0 {
            return if is_first {
                Ok(None)
            } else {
                Err(wrong("the header does not end"))
            };
        }
        is_first = false;
        let Some(text) = line.strip_suffix(b"\n") else {
            return Err(wrong("the header is too long, or does not end"));
        };
        let text = String::from_utf8_lossy(text.strip_suffix(b"\r").unwrap_or(text)).into_owned();
        if text.is_empty() {
            break;
        }
        if let Some((name, value)) = text.split_once(':')
            && name.trim().eq_ignore_ascii_case("Content-Length")
        {
            length = Some(
                value
                    .trim()
                    .parse()
                    .map_err(|_| wrong("the Content-Length is not a number"))?,
            );
        }
    }
    length
        .map(Some)
        .ok_or_else(|| wrong("the header has no Content-Length"))
}

fn wrong(what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frames(mut bytes: &[u8]) -> Vec<Result<Frame, String>> {
        let mut found = Vec::new();
        loop {
            match read_frame(&mut bytes) {
                Ok(Frame::End) => return found,
                Ok(frame) => found.push(Ok(frame)),
                Err(error) => {
                    found.push(Err(error.to_string()));
                    return found;
                }
            }
        }
    }

    #[test]
    fn frames_are_read_one_after_the_other() {
        let text = b"Content-Length: 2\r\n\r\n{}content-length:3\nContent-Type: x\n\nabc";
        assert_eq!(
            frames(text),
            [
                Ok(Frame::Message(b"{}".to_vec())),
                Ok(Frame::Message(b"abc".to_vec()))
            ]
        );
        assert_eq!(frames(b""), []);
    }

    #[test]
    fn what_cannot_be_read_ends_without_memory_for_it() {
        for text in [
            "Content-Length: x\r\n\r\n",
            "Content-Length: -1\r\n\r\n",
            "X: y\r\n\r\n",
            "Content-Length: 5\r\n\r\nab",
            "Content-Length: 150000000\r\n\r\nab",
            "Content-Length: 5",
            &format!("Content-Length: 5{}", " ".repeat(10_000)),
        ] {
            assert!(
                frames(text.as_bytes()).last().is_some_and(Result::is_err),
                "{text:.40}"
            );
        }
        // Larger than any memory, and ended by the client.
        assert_eq!(frames(b"Content-Length: 9999999999999\r\n\r\nab"), []);
        let large = MOST + 1;
        let mut text = format!("Content-Length: {large}\r\n\r\n").into_bytes();
        text.resize(text.len() + large, b' ');
        text.extend_from_slice(b"Content-Length: 1\r\n\r\nz");
        let found = frames(&text);
        assert!(
            matches!(found.as_slice(), [Ok(Frame::LeftOut(_)), Ok(Frame::Message(rest))] if rest == b"z")
        );
    }

    #[test]
    fn what_is_no_message_gets_an_answer() {
        for (text, code) in [
            ("{", -32700),
            ("\u{0}", -32700),
            (&"[".repeat(100_000), -32700),
            ("[]", -32600),
            ("1", -32600),
            ("{}", -32600),
            (r#"{"id":1.5,"method":"x"}"#, -32600),
            (r#"{"id":99999999999,"method":"x"}"#, -32600),
            (r#"{"id":{},"method":"x"}"#, -32600),
            (r#"{"id":1,"method":2}"#, -32600),
        ] {
            let refused = message(text.as_bytes()).unwrap_err();
            assert_eq!(refused["error"]["code"], code, "{text:.40}");
        }
        assert!(message(br#"{"jsonrpc":"2.0","id":"a","method":"shutdown"}"#).is_ok());
    }
}
