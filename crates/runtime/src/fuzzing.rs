//! Gives the fuzz targets and the tests of other crates access to the parser of HTTP/1 and to the judgement of single requests; not
//! part of the interface.

use std::sync::Arc;

use tokenward_compiler::BaseUrl;
use tokenward_compiler::analysis::{Asked, Obstacle, Proxied, Proxy, Request};
use tokenward_compiler::ir::{Program, TokenId};
use tokenward_pdp::config::Config;
use tokenward_pdp::config::universe::serving;
use tokenward_pdp::forwarded::Judge;
use tokenward_pdp::request::{Framing, Product, Version};
use tokenward_pdp::wire::parse::{Event, HeadLimits, Parser};

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

/// A proxy in front of a product, as the analysis knows it, and as it judges single requests.
pub struct Forwarder {
    judge: Judge,
    proxied: Proxied,
}

impl Forwarder {
    /// Creates a proxy with this public URL that serves all paths; `None` if there is no such product.
    #[must_use]
    pub fn new(product: &str, base: &BaseUrl) -> Option<Self> {
        let mut config = Config::default();
        config.upstream.product = Product::from_name(product)?;
        config.upstream.public_url = base.clone();
        config.upstream.endpoints = vec!["/*".to_owned()];
        config.relax = config.upstream.product.relax();
        let judge = || Judge::of(&config).ok();
        Some(Self {
            judge: judge()?,
            proxied: Proxied::new(&serving(&config), Arc::new(judge()?)).ok()?,
        })
    }

    /// Returns what the analysis knows of the proxy.
    #[must_use]
    pub fn proxied(&self) -> &Proxied {
        &self.proxied
    }

    /// Returns what keeps the proxy from forwarding a request of a token; nothing if it forwards it.
    #[must_use]
    pub fn obstacles(&self, program: &Program, token: TokenId, request: &Request) -> Vec<Obstacle> {
        self.judge.obstacles(Asked::token(program, token), request)
    }
}
