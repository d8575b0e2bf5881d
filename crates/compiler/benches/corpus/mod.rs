//! One generator of policies and requests, after how tokens for Jira look. What it makes depends on its arguments alone.
//!
//! Ten lines make a group, one of each kind in [`KINDS`]; all but the ninth name a project key that no other group has,
//! so that lines are mostly distinct. One line in ten needs an automaton of its own: an alternation in the URL. One more
//! has an automaton in its constraint, which all tokens share.
//!
//! Lines are kept as pieces, from which regexps are written here and other languages' patterns in `bench/decision`.

pub mod ask;

use std::fmt::Write as _;

/// How many lines a token has that is not said to have more.
pub const LINES: usize = 10;
/// How many kinds of lines there are.
const KINDS: usize = 10;
const TOKENS_PER_FILE: usize = 100;

/// A part of a pattern.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Piece {
    /// This text.
    Text(String),
    /// What this regexp says.
    Regexp(&'static str),
    /// One of these texts.
    OneOf(&'static [&'static str]),
}

use Piece::{OneOf, Regexp, Text};

/// A pattern that texts must match as a whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Pattern(pub Vec<Piece>);

impl Pattern {
    /// The pattern as a regexp, without anchors.
    #[must_use]
    pub fn regexp(&self) -> String {
        self.0.iter().fold(String::new(), |mut text, piece| {
            match piece {
                Text(literal) => text.push_str(&literal.replace('.', r"\.")),
                Regexp(regexp) => text.push_str(regexp),
                OneOf(texts) => text.push_str(&format!("({})", texts.join("|"))),
            }
            text
        })
    }
}

/// A line.
#[derive(Clone, Debug)]
pub struct Line {
    /// In capitals; one or more.
    pub methods: &'static [&'static str],
    /// Of the path below the base URL.
    pub url: Pattern,
    /// Name and pattern of a parameter that must be there.
    pub query: Option<(&'static str, Pattern)>,
    /// Path and pattern of a node that must be there.
    pub json: Option<(&'static [&'static str], Pattern)>,
}

impl Line {
    /// The line in Tokenward's language.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = format!("[{}]{}", self.methods.join(",").to_lowercase(), self.url.regexp());
        if let Some((name, pattern)) = &self.query {
            let _ = write!(text, "[QueryParam::{name}=={}]", pattern.regexp());
        }
        if let Some((path, pattern)) = &self.json {
            let _ = write!(text, "[JsonData::{}=={}]", path.join("."), pattern.regexp());
        }
        text
    }
}

/// The project key that the lines of one group name.
#[must_use]
pub fn key(token: usize, lines: usize, group: usize) -> String {
    format!("KEY{}", token * lines.div_ceil(KINDS) + group)
}

/// The lines of a token, so many.
pub fn lines_of(token: usize, lines: usize) -> impl Iterator<Item = Line> {
    (0..lines).map(move |at| line(at % KINDS, at / KINDS, &key(token, lines, at / KINDS)))
}

fn line(kind: usize, group: usize, key: &str) -> Line {
    let text = |text: &str| Text(text.replace("{key}", key));
    let (methods, url): (&'static [&'static str], Vec<Piece>) = match kind {
        0 => (&["GET"], vec![text("/rest/api/2/issue/{key}-"), Regexp("[0-9]+")]),
        1 => (
            &["GET", "POST"],
            vec![
                Regexp(".*"),
                text("/rest/api/2/issue/{key}-"),
                Regexp("[0-9]+"),
                text("/comment"),
                Regexp(".*"),
            ],
        ),
        2 => (
            &["GET"],
            vec![text("/rest/api/2/project/{key}/"), Regexp("[^/]+")],
        ),
        3 => (&["GET"], vec![Regexp(".*"), text("/rest/api/2/search")]),
        4 => (&["GET"], vec![text("/rest/tempo-timesheets/4/worklogs/{key}")]),
        5 => (&["POST"], vec![text("/rest/api/2/issue")]),
        6 => (
            &["PUT", "DELETE"],
            vec![
                text("/rest/api/2/issue/{key}-"),
                Regexp("[0-9]+"),
                text("/"),
                OneOf(&["assignee", "watchers", "votes"]),
            ],
        ),
        7 => (
            &["GET"],
            vec![
                text("/rest/agile/1.0/board/{key}/sprint/"),
                Regexp("[0-9]{1,6}"),
                text("/issue"),
            ],
        ),
        8 if group == 0 => (
            &["GET"],
            vec![text("/rest/api/2/"), OneOf(&["serverInfo", "myself"])],
        ),
        8 => (&["GET"], vec![text("/rest/api/2/component/{key}")]),
        _ => (&["GET", "PUT"], vec![text("/rest/api/2/filter/{key}")]),
    };
    Line {
        methods,
        url: Pattern(url),
        query: match kind {
            3 => Some(("jql", Pattern(vec![text("project = {key} "), Regexp(".*")]))),
            4 => Some((
                "dateFrom",
                Pattern(vec![text("2026-"), Regexp("(0[1-9]|1[0-2])-[0-3][0-9]")]),
            )),
            _ => None,
        },
        json: (kind == 5).then(|| (PROJECT, Pattern(vec![text("{key}")]))),
    }
}

const PROJECT: &[&str] = &["fields", "project", "key"];

/// The files of a policy, each with its path.
#[must_use]
pub fn policy(tokens: usize, lines: usize) -> Vec<(String, String)> {
    let starts = (0..tokens).step_by(TOKENS_PER_FILE);
    starts
        .map(|start| {
            let end = tokens.min(start + TOKENS_PER_FILE);
            let text = (start..end).map(|token| entry(token, lines)).collect();
            (format!("team-{:06}.toml", start / TOKENS_PER_FILE), text)
        })
        .collect()
}

fn entry(token: usize, lines: usize) -> String {
    let mut text = format!(
        "[[token]]\nname = \"token-{token}\"\nuser = \"user-{token}\"\nsecret_hash = \"sha256:{:064x}\"\n\
         expires = 2030-01-01T00:00:00Z\nlimit_to = '''\n",
        token + 1,
    );
    for line in lines_of(token, lines) {
        text.push_str(&line.text());
        text.push('\n');
    }
    text.push_str("'''\n\n");
    text
}

/// What a request is there to show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// The first line permits.
    First,
    /// The last line permits.
    Last,
    /// A line that begins with `.*`.
    Floating,
    /// A line with an alternation.
    Alternation,
    /// No line permits.
    Denied,
    /// A line that asks for a parameter.
    Query,
    /// A line that asks for a date, a pattern that all tokens share.
    Date,
    /// A line that asks for a node of the body.
    Json,
}

impl Kind {
    /// Those that the URL alone decides.
    pub const URL: [Self; 5] = [
        Self::First,
        Self::Last,
        Self::Floating,
        Self::Alternation,
        Self::Denied,
    ];
}

/// A request, read and decoded.
#[derive(Clone, Debug)]
pub struct Call {
    /// Whose: its place in the policy.
    pub token: usize,
    /// In capitals.
    pub method: &'static str,
    /// Below the base URL.
    pub path: String,
    /// Names and values.
    pub query: Vec<(&'static str, String)>,
    /// A JSON body.
    pub body: Option<String>,
    /// Whether a line permits it.
    pub allowed: bool,
}

/// A request of a token that has so many lines; a body has about 1 KB.
#[must_use]
pub fn call(token: usize, lines: usize, kind: Kind) -> Call {
    let group = match kind {
        Kind::Last => lines.div_ceil(KINDS) - 1,
        _ => 0,
    };
    let key = key(token, lines, group);
    let (method, path) = match kind {
        Kind::First => ("GET", "/rest/api/2/issue/{key}-4711"),
        Kind::Last => ("GET", "/rest/api/2/filter/{key}"),
        Kind::Floating => ("POST", "/rest/api/2/issue/{key}-4711/comment"),
        Kind::Alternation => ("PUT", "/rest/api/2/issue/{key}-4711/watchers"),
        Kind::Denied => ("GET", "/rest/api/2/issue/SECRET-4711/comment"),
        Kind::Query => ("GET", "/rest/api/2/search"),
        Kind::Date => ("GET", "/rest/tempo-timesheets/4/worklogs/{key}"),
        Kind::Json => ("POST", "/rest/api/2/issue"),
    };
    let query = match kind {
        Kind::Query => vec![
            ("jql", format!("project = {key} AND status = Open")),
            ("maxResults", "50".to_owned()),
        ],
        Kind::Date => vec![("dateFrom", "2026-11-24".to_owned())],
        _ => Vec::new(),
    };
    Call {
        token,
        method,
        path: path.replace("{key}", &key),
        query,
        body: (kind == Kind::Json).then(|| body(&key, 1024)),
        allowed: kind != Kind::Denied,
    }
}

/// The body that makes an issue: at least so many bytes, and at most some hundred more.
#[must_use]
pub fn body(key: &str, bytes: usize) -> String {
    let mut text = format!(
        r#"{{"fields":{{"summary":"The build of {key} fails","issuetype":{{"id":"10002"}},"labels":["ci","nightly"]"#
    );
    let mut field = 10_000;
    while text.len() + 40 < bytes {
        field += 1;
        let _ = match field % 3 {
            0 => write!(
                text,
                r#","customfield_{field}":{{"id":"{field}","value":"Größe \"{field}\"","disabled":false}}"#
            ),
            1 => write!(text, r#","customfield_{field}":[{field},3.25,-17,null,true]"#),
            _ => write!(
                text,
                r#","customfield_{field}":"See the log of the run, line {field}, and what the last good one said.""#
            ),
        };
    }
    let _ = write!(text, r#","project":{{"key":"{key}"}}}}}}"#);
    text
}
