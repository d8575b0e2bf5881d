//! Policies of a few tokens, and decisions on whole requests.

use tokenward_compiler::{
    BaseUrl, compile,
    decide::{self, Body, Decision, Media, Param, decide},
    diagnostic::render_text,
    ir::{Program, TokenId},
    json::{self, ReadError},
    method::Method,
    source::SourceSet,
};

pub(crate) const BUDGET: u64 = tokenward_compiler::analysis::Analysis::BUDGET;

pub(crate) fn base() -> BaseUrl {
    BaseUrl::parse("https://jira.example.com").unwrap()
}

/// A bound program of tokens with these names and lines; `unrestricted` stands for lines that allow everything. Lines
/// that begin with a line `mint` are those of a token with `mint = true`.
pub(crate) fn compiled(tokens: &[(&str, &str)]) -> Program {
    let mut file = String::new();
    for (number, (name, lines)) in tokens.iter().enumerate() {
        let secret = format!("{:02x}", number + 1).repeat(32);
        let (mint, lines) = match lines.strip_prefix("mint\n") {
            Some(lines) => ("mint = true\n", lines),
            None => ("", *lines),
        };
        let limits = match lines {
            "unrestricted" => "unrestricted = true\n".to_owned(),
            lines => format!("limit_to = '''\n{lines}\n'''\n"),
        };
        file.push_str(&format!(
            "[[token]]\nname = \"{name}\"\nuser = \"u\"\nexpires = 2030-01-01T00:00:00Z\nsecret_hash = \"sha256:{secret}\"\n{mint}{limits}"
        ));
    }
    let sources = SourceSet::from_files([("t.toml".to_owned(), file)]);
    let compilation = compile(&sources);
    let text = render_text(&sources, &compilation.diagnostics, false);
    compilation.program.expect(&text).bind(&base()).unwrap()
}

/// A request in all its parts.
#[derive(Clone, Debug)]
pub(crate) struct Whole {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) query: Vec<(String, String)>,
    /// The media type, and the body's bytes.
    pub(crate) body: Option<(Media, String)>,
}

/// Whether a token allows a request, decided as the proxy does; `None` if the body has no single reading.
pub(crate) fn allowed(program: &Program, token: TokenId, request: &Whole) -> Option<bool> {
    let query: Vec<Param<'_>> = request
        .query
        .iter()
        .map(|(name, value)| Param {
            name,
            value: Some(value),
        })
        .collect();
    let mut asked = decide::Request {
        token,
        method: request.method,
        path: &request.path,
        query: &query,
        body: match &request.body {
            None => Body::Absent,
            Some((media, _)) => Body::Unread(*media),
        },
    };
    let text = request.body.as_ref().map_or("", |(_, text)| text);
    let nodes;
    if let Decision::NeedsBody(wanted) = decide(program, &asked) {
        asked.body = match json::read(text.as_bytes(), &wanted) {
            Ok(read) => {
                nodes = read;
                Body::Read(&nodes)
            }
            Err(ReadError::NotJson { .. }) => Body::Unreadable,
            Err(_) => return None,
        };
        return match decide(program, &asked) {
            Decision::Allow(_) => Some(true),
            Decision::Deny(_) => Some(false),
            Decision::NeedsBody(_) => panic!("the body was read"),
        };
    }
    Some(matches!(decide(program, &asked), Decision::Allow(_)))
}
