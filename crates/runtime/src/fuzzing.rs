//! Gives the fuzz targets and the tests of other crates access to the parser of HTTP/1; not part of the interface.

use crate::request::{Framing, Version};
use crate::wire::parse::{Event, HeadLimits, Parser};

/// One request as the parser read it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WireRequest {
    /// Method of the request, as sent.
    pub method: String,
    /// Target of the request, as sent.
    pub target: Vec<u8>,
    /// Protocol version.
    pub version: Version,
    /// Names and values of the fields, in order, values without the white space around them.
    pub fields: Vec<(Vec<u8>, Vec<u8>)>,
    /// Framing of the body.
    pub framing: Framing,
    /// The body so far, transfer coding removed.
    pub body: Vec<u8>,
    /// Whether the end of the body was there.
    pub complete: bool,
}

/// The requests on one connection's bytes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WireReading {
    /// Requests, in order.
    pub requests: Vec<WireRequest>,
    /// Why nothing more was read: the violation's code.
    pub broken: Option<&'static str>,
    /// The most bytes that waited in the parser after it had read what there was.
    pub buffered: usize,
}

/// Reads one connection's bytes, in the pieces in which they arrive, with so much room for a head.
#[must_use]
pub fn read_wire<'a>(
    pieces: impl IntoIterator<Item = &'a [u8]>,
    head_bytes: usize,
    head_fields: usize,
) -> WireReading {
    let mut parser = Parser::new(HeadLimits {
        bytes: head_bytes,
        fields: head_fields,
    });
    let mut reading = WireReading::default();
    for piece in pieces {
        parser.input().extend_from_slice(piece);
        while reading.step(&mut parser) {}
        reading.buffered = reading.buffered.max(parser.buffered());
        if reading.broken.is_some() {
            break;
        }
    }
    reading
}

impl WireReading {
    /// Takes the next event; returns false if there is none.
    fn step(&mut self, parser: &mut Parser) -> bool {
        match parser.next() {
            Ok(None) => return false,
            Err(violation) => {
                self.broken = Some(violation.code());
                return false;
            }
            Ok(Some(Event::Head(head))) => {
                let fields = head.fields();
                let raw = head.raw(&fields);
                self.requests.push(WireRequest {
                    method: raw.method.to_owned(),
                    target: raw.target.to_vec(),
                    version: raw.version,
                    framing: raw.body,
                    body: Vec::new(),
                    complete: !raw.body.has_body(),
                    fields: fields
                        .iter()
                        .map(|(name, value)| (name.to_vec(), value.to_vec()))
                        .collect(),
                });
            }
            Ok(Some(Event::Data(data))) => {
                if let Some(request) = self.requests.last_mut() {
                    request.body.extend_from_slice(&data);
                }
            }
            Ok(Some(Event::End)) => {
                if let Some(request) = self.requests.last_mut() {
                    request.complete = true;
                }
            }
        }
        true
    }
}
