//! Requests that are well formed, and what is done to them.

use proptest::{collection::vec, prelude::*, sample::Index, sample::select};
use tokenward_compiler::decide::Media;
use tokenward_tests::{
    TestToken, generate,
    reference::{Body, Request},
};

use super::echo::CASE;
use super::pieces::{BODIES, FIELDS, PAIRS, SEGMENTS, TYPED};
use super::policies::WRITTEN;

/// A request as text, one character a byte.
#[derive(Clone, Debug)]
pub(crate) struct Nasty {
    pub(crate) token: usize,
    /// What it is made from, where nothing was done to it.
    pub(crate) plain: Option<Request>,
    pub(crate) method: String,
    pub(crate) path: String,
    pub(crate) query: Option<String>,
    fields: Vec<String>,
    /// Field lines that say what the body is, and the body.
    body: String,
    /// The body that it stands for, if it stands for one.
    pub(crate) stands_for: Option<String>,
    basic: bool,
    bytes: Vec<(Index, Slip)>,
}

/// A slip of the pen, at some byte.
#[derive(Clone, Copy, Debug)]
enum Slip {
    Insert(u8),
    Replace(u8),
    Flip(u8),
    Delete,
    Repeat,
}

/// A change that keeps the request's parts apart.
#[derive(Clone, Debug)]
enum Change {
    Segment(Index, &'static str),
    Join(Index, &'static str),
    Pair(Index, &'static str),
    Field(&'static str),
    Body(usize),
    Typed(&'static str, &'static str),
    Method(&'static str),
    Absolute(&'static str),
}

impl Nasty {
    /// The bytes to send. Slips spare the line with the credentials.
    pub(crate) fn bytes(&self, tokens: &[TestToken], context: &str, host: &str, case: u64) -> Vec<u8> {
        let Some(token) = tokens.get(self.token) else {
            return Vec::new();
        };
        let shown = if self.basic { token.basic() } else { token.bearer() };
        let (method, path) = (&self.method, &self.path);
        let path = match path.strip_prefix("://") {
            Some(rest) => format!("http://{rest}"),
            None => format!("{context}{path}"),
        };
        let path = path.replace("HOST/", &format!("{host}{context}/"));
        let query = self
            .query
            .as_ref()
            .map(|query| format!("?{query}"))
            .unwrap_or_default();
        let fields: String = self.fields.iter().map(|field| format!("{field}\r\n")).collect();
        let first = latin(&format!("{method} {path}{query} HTTP/1.1\r\n"));
        let spared = latin(&format!(
            "Host: {host}\r\n{CASE}: {case}\r\nAuthorization: {shown}\r\n"
        ));
        let rest = latin(&format!("{fields}{}", self.body));
        let mut slipped = [first.clone(), rest].concat();
        let mut cut = first.len();
        for (index, slip) in &self.bytes {
            let at = index.index(slipped.len());
            let Some(byte) = slipped.get_mut(at) else { continue };
            let before = at < cut;
            match slip {
                Slip::Replace(with) => *byte = *with,
                Slip::Flip(bit) => *byte ^= 1 << (bit & 7),
                Slip::Insert(with) => {
                    slipped.insert(at, *with);
                    cut += usize::from(before);
                }
                Slip::Repeat => {
                    let same = *byte;
                    slipped.insert(at, same);
                    cut += usize::from(before);
                }
                Slip::Delete => {
                    slipped.remove(at);
                    cut -= usize::from(before);
                }
            }
        }
        let rest = slipped.split_off(cut);
        [slipped, spared, rest].concat()
    }

    /// Whether no byte slipped: then what it asks for can be read off its parts.
    pub(crate) fn is_whole(&self) -> bool {
        self.bytes.is_empty() && self.path.starts_with('/')
    }

    fn change(&mut self, change: &Change) {
        self.plain = None;
        let mut segments: Vec<String> = self.path.split('/').skip(1).map(str::to_owned).collect();
        match change {
            Change::Segment(at, piece) => {
                let at = at.index(segments.len() + 1);
                segments.insert(at, (*piece).to_owned());
            }
            Change::Join(at, piece) => {
                let at = at.index(segments.len().max(1));
                if let Some(segment) = segments.get_mut(at) {
                    segment.push_str(piece);
                }
            }
            Change::Pair(at, piece) => {
                let mut pairs: Vec<&str> = self.query.iter().flat_map(|query| query.split('&')).collect();
                pairs.insert(at.index(pairs.len() + 1), piece);
                self.query = Some(pairs.join("&"));
            }
            Change::Field(field) => self.fields.push((*field).to_owned()),
            Change::Body(at) => {
                if let Some((body, stands_for)) = BODIES.get(*at) {
                    (*body).clone_into(&mut self.body);
                    self.stands_for = stands_for.map(str::to_owned);
                }
            }
            Change::Typed(kind, body) => {
                let kind = if kind.is_empty() {
                    String::new()
                } else {
                    format!("Content-Type: {kind}\r\n")
                };
                self.body = format!("{kind}Content-Length: {}\r\n\r\n{body}", body.chars().count());
                self.stands_for = Some((*body).to_owned());
            }
            Change::Method(method) => (*method).clone_into(&mut self.method),
            Change::Absolute(start) => {
                self.path = format!("{start}{}", self.path);
                return;
            }
        }
        if self.path.starts_with('/') {
            self.path = format!("/{}", segments.join("/"));
        }
    }
}

/// One byte a character.
fn latin(text: &str) -> Vec<u8> {
    text.chars().map(|c| u8::try_from(c).unwrap_or(b'?')).collect()
}

/// UTF-8 as one character a byte.
fn widened(bytes: &[u8]) -> String {
    bytes.iter().copied().map(char::from).collect()
}

fn escaped(text: &str, spared: &[u8]) -> String {
    let mut out = String::new();
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || spared.contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

/// The request as a careful client writes it.
fn written(token: usize, request: Request, basic: bool) -> Nasty {
    let pairs: Vec<String> = request
        .query
        .iter()
        .map(|(name, value)| match value {
            Some(value) => format!("{}={}", escaped(name, b"-._~"), escaped(value, b"-._~")),
            None => escaped(name, b"-._~"),
        })
        .collect();
    let typed = |kind: &str, body: &str| {
        let body = widened(body.as_bytes());
        (
            format!(
                "Content-Type: {kind}\r\nContent-Length: {}\r\n\r\n{body}",
                body.chars().count()
            ),
            body,
        )
    };
    let (body, stands_for) = match &request.body {
        Body::Absent => ("\r\n".to_owned(), String::new()),
        Body::Json(json) => typed("application/json", &json.to_string()),
        Body::Broken => typed("application/json", "{\"unknown\":"),
        Body::Opaque(Media::Form) => typed("application/x-www-form-urlencoded", "x=1"),
        Body::Opaque(Media::Multipart) => typed("multipart/form-data; boundary=b", "--b--\r\n"),
        Body::Opaque(_) => typed("text/plain", "text"),
    };
    let method = match request.method.as_str() {
        "OTHER" => "PROPFIND",
        named => named,
    };
    Nasty {
        token,
        method: method.to_owned(),
        path: escaped(&request.path, b"/-._~"),
        query: (!pairs.is_empty()).then(|| pairs.join("&")),
        fields: Vec::new(),
        body,
        stands_for: Some(stands_for),
        basic,
        bytes: Vec::new(),
        plain: Some(request),
    }
}

/// Requests near the written policies.
fn near() -> impl Strategy<Value = Request> {
    let paths = &[
        "/rest/api/2/issue/KANBAN-1",
        "/rest/api/2/issue/KANBAN-1/comment",
        "/rest/api/2/issue/HR-1",
        "/rest/api/2/user/columns",
        "/rest/api/2/search",
        "/rest/issue",
        "/rest/user/a",
        "/rest/a b",
        "/rest/\u{e9}/x",
    ][..];
    let name = select(&["jql", "n", "m", "maxResults"][..]);
    let value = select(&["q", "1", "admin", "project = KANBAN", "a b", "secret", ""][..]);
    let bodies = &[
        "{\"public\":false}",
        "{\"public\":true}",
        "{\"role\":\"admin\"}",
        "{\"role\":\"user\",\"n\":1}",
        "{\"fields\":{\"project\":{\"key\":\"KANBAN\"}}}",
        "{\"fields\":{\"project\":{\"key\":\"KANBAN\"}},\"x\":1}",
        "{\"labels\":[\"a\",\"b\"],\"n\":2}",
        "{\"labels\":[\"a\",{}],\"admin\":true}",
    ][..];
    let query = vec((name, proptest::option::weighted(0.9, value)), 0..3);
    (
        generate::request(),
        select(paths),
        query,
        proptest::option::of(select(bodies)),
    )
        .prop_map(|(mut request, path, query, body)| {
            path.clone_into(&mut request.path);
            request.query = query
                .into_iter()
                .map(|(name, value)| (name.to_owned(), value.map(str::to_owned)))
                .collect();
            if let Some(body) = body.and_then(|text| tokenward_tests::naive::json::parse(text.as_bytes())) {
                request.body = Body::Json(body);
            }
            request
        })
}

fn change() -> impl Strategy<Value = Change> {
    let methods = &[
        "get", "TRACE", "FOO", "POST", "DELETE", "PUT", "OPTIONS", "CONNECT", "HEAD", "PATCH",
    ][..];
    let starts = &[
        "://HOST",
        "://other.example/",
        "://HOST@other.example",
        "x",
        "*",
        "//HOST",
        "://u:p@HOST",
    ][..];
    prop_oneof![
        3 => (any::<Index>(), select(SEGMENTS)).prop_map(|(at, piece)| Change::Segment(at, piece)),
        3 => (any::<Index>(), select(SEGMENTS)).prop_map(|(at, piece)| Change::Join(at, piece)),
        4 => (any::<Index>(), select(PAIRS)).prop_map(|(at, piece)| Change::Pair(at, piece)),
        4 => select(FIELDS).prop_map(Change::Field),
        3 => (0..BODIES.len()).prop_map(Change::Body),
        3 => select(TYPED).prop_map(|(kind, body)| Change::Typed(kind, body)),
        1 => select(methods).prop_map(Change::Method),
        1 => select(starts).prop_map(Change::Absolute),
    ]
}

fn slip() -> impl Strategy<Value = Slip> {
    let byte = select(&b"\0\t\n\r /%;#?&=.:\\,\"+0\x0b\x7f\x85\xa0\xe9\xff"[..]);
    prop_oneof![
        3 => byte.clone().prop_map(Slip::Insert),
        3 => byte.prop_map(Slip::Replace),
        1 => any::<u8>().prop_map(Slip::Flip),
        1 => Just(Slip::Delete),
        1 => Just(Slip::Repeat),
    ]
}

/// Requests with one of so many tokens: some as they should be, most not.
pub(crate) fn nasty(tokens: usize) -> impl Strategy<Value = Nasty> {
    let count = WRITTEN.len();
    let near = (
        prop_oneof![2 => 0..1_usize, 4 => 0..count, 1 => 0..tokens],
        near(),
    );
    let random = (count..tokens, generate::request());
    let request = prop_oneof![3 => near, 1 => random];
    let changes = prop_oneof![1 => Just(Vec::new()), 4 => vec(change(), 1..3)];
    let slips = prop_oneof![3 => Just(Vec::new()), 1 => vec((any::<Index>(), slip()), 1..3)];
    (request, any::<bool>(), changes, slips).prop_map(|((token, request), basic, changes, slips)| {
        let mut nasty = written(token, request, basic);
        for change in &changes {
            nasty.change(change);
        }
        if !slips.is_empty() {
            nasty.plain = None;
        }
        nasty.bytes = slips;
        nasty
    })
}
