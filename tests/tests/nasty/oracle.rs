//! What may reach the upstream: read again from its bytes alone, however servers read them.

use std::collections::HashSet;

use tokenward_compiler::{
    decide::Media, json::Step, method::Method, policy::Policy, resolve_policy, source::SourceSet,
};
use tokenward_tests::{
    TestToken,
    naive::{
        http::{Message, find},
        json, target,
    },
    reference::{self, Body, Outcome, Place, Request},
};

/// What the proxy under test was told.
pub(crate) struct World {
    tokens: Vec<TestToken>,
    policy: Policy,
    /// The public URL without a final `/`.
    base: String,
    context: &'static str,
    merges: bool,
    identity_header: String,
}

impl World {
    pub(crate) fn new(tokens: Vec<TestToken>, port: u16, context: &'static str, merges: bool) -> Self {
        let file: String = tokens.iter().map(TestToken::entry).collect();
        let policy = resolve_policy(&SourceSet::from_files([("tokens.toml".to_owned(), file)]));
        assert_eq!(policy.tokens.len(), tokens.len());
        Self {
            tokens,
            policy,
            base: format!("http://127.0.0.1:{port}{context}"),
            context,
            merges,
            identity_header: "x-forwarded-user".to_owned(),
        }
    }

    /// What the reference makes of a request with this token.
    pub(crate) fn decide(&self, token: usize, request: &Request) -> Outcome {
        let place = Place {
            base: &self.base,
            merges: self.merges,
        };
        reference::decide(self.policy.tokens.get(token).unwrap(), place, request)
    }

    /// Whether some line of the token constrains a word that a parameter's name or a member of the body has too, as far
    /// as any framework's parser goes: then a proxy may refuse the request as ambiguous.
    pub(crate) fn constrains_a_name_of(&self, token: usize, request: &Request) -> bool {
        let limits = &self.policy.tokens.get(token).unwrap().limits;
        let names = limits.iter().flat_map(|limit| {
            let params = limit.params.iter().map(|param| param.name.clone());
            let paths = limit.nodes.iter().map(|node| &node.path).chain(&limit.members);
            let steps = paths
                .flat_map(|path| path.0.iter())
                .filter_map(|step| match step {
                    Step::Name(name) => Some(name.clone()),
                    Step::Each => None,
                });
            params.chain(steps)
        });
        let constrained: HashSet<String> = names.flat_map(|name| words(&name)).collect();
        let body = match &request.body {
            Body::Json(body) => format!("{body:?}"),
            Body::Absent | Body::Broken | Body::Opaque(_) => String::new(),
        };
        let mut sent = request
            .query
            .iter()
            .flat_map(|(name, _)| words(name))
            .chain(words(&body));
        sent.any(|word| constrained.contains(&word))
    }

    /// What is wrong with a request that arrived at the upstream.
    pub(crate) fn fault(&self, message: &Message) -> Option<String> {
        if !message.faults.is_empty() {
            return Some(format!("{:?}", message.faults));
        }
        if message.version != "HTTP/1.1" || message.values("host") != [self.host()] {
            return Some("another version, or another host".to_owned());
        }
        if let Some(name) = FOREIGN.iter().find(|name| !message.values(name).is_empty()) {
            return Some(format!("the field {name} was passed on"));
        }
        if let Some((name, _)) = message.fields.iter().find(|(name, _)| name.contains('_')) {
            return Some(format!("the field {name} has an underscore"));
        }
        let forwarded = message.values("x-forwarded-for");
        if forwarded.iter().any(|value| *value != b"127.0.0.1") || message.values("content-type").len() > 1 {
            return Some("another client, or several types".to_owned());
        }
        for token in &self.tokens {
            let shown = token.basic();
            let leaks = [token.secret(), shown.trim_start_matches("Basic ")];
            let raw = [message.head.as_slice(), &message.body].concat();
            if leaks.iter().any(|secret| find(&raw, secret.as_bytes()).is_some()) {
                return Some("the client's credentials were passed on".to_owned());
            }
        }
        if let Some(name) = form_names(message)
            .iter()
            .find(|name| IDENTITIES.contains(&name.as_str()))
        {
            return Some(format!("the form's field {name} takes the place of the user"));
        }
        let users = message.values(&self.identity_header);
        let [user] = users.as_slice() else {
            return Some(format!("{} users", users.len()));
        };
        let token = self
            .tokens
            .iter()
            .position(|token| token.user().as_bytes() == *user);
        let Some(token) = token else {
            return Some(format!("the user {:?}", String::from_utf8_lossy(user)));
        };
        self.unpermitted(message, token)
    }

    fn host(&self) -> &[u8] {
        let authority = self.base.strip_prefix("http://").unwrap_or_default();
        authority
            .strip_suffix(self.context)
            .unwrap_or(authority)
            .as_bytes()
    }

    /// The reading under which the token's policy does not permit the request.
    fn unpermitted(&self, message: &Message, token: usize) -> Option<String> {
        let (path, query) = message.halves();
        let separators: &[&[u8]] = if query.contains(&b';') {
            &[b"&", b"&;"]
        } else {
            &[b"&"]
        };
        for path in target::paths(path) {
            let Some(path) = path.as_ref().and_then(|path| path.strip_prefix(self.context)) else {
                return Some("a path that some servers cannot read".to_owned());
            };
            if !path.starts_with("/rest/") || path.contains(char::is_control) {
                return Some(format!("the path {path:?}"));
            }
            for separators in separators {
                let Some(query) = target::pairs(query, separators) else {
                    return Some("a query that is no UTF-8".to_owned());
                };
                for body in bodies(message) {
                    let request = Request {
                        method: Method::from_token(&message.method),
                        path: path.to_owned(),
                        query: query.clone(),
                        body,
                    };
                    let outcome = self.decide(token, &request);
                    if !matches!(outcome, Outcome::Allow(_)) {
                        return Some(format!("{outcome:?} of {request:?}"));
                    }
                }
            }
        }
        None
    }
}

/// Fields of the client's that must not arrive, whatever they say.
const FOREIGN: &[&str] = &[
    "authorization",
    "connection",
    "contextuser",
    "cookie",
    "destination",
    "expect",
    "forwarded",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
    "x-original-url",
    "x-real-ip",
    "x-remote-user",
    "x-rewrite-url",
];

/// Parameters in which Jira and what is like it take another user, wherever servlets find parameters.
const IDENTITIES: &[&str] = &["os_username", "os_password"];

/// The names of a form's fields, in lower case.
fn form_names(message: &Message) -> Vec<String> {
    let form = message.values("content-type").iter().any(|kind| {
        kind.to_ascii_lowercase()
            .starts_with(b"application/x-www-form-urlencoded")
    });
    let pairs = form.then(|| target::pairs(&message.body, b"&;")).flatten();
    pairs
        .unwrap_or_default()
        .into_iter()
        .map(|(name, _)| name.to_lowercase())
        .collect()
}

/// The readings of the body: with the first and with the last of repeated names.
fn bodies(message: &Message) -> Vec<Body> {
    if message.body.is_empty() {
        return vec![Body::Absent];
    }
    let values = message.values("content-type");
    let Some(kind) = values.first() else {
        return vec![Body::Opaque(Media::Form)];
    };
    let kind = String::from_utf8_lossy(kind).to_ascii_lowercase();
    let essence = kind.split(';').next().unwrap_or_default().trim();
    let foreign_charset = kind.contains("charset") && !kind.contains("utf-8") && !kind.contains("utf8");
    let encoded = !message.values("content-encoding").is_empty();
    vec![match essence {
        "application/x-www-form-urlencoded" => Body::Opaque(Media::Form),
        multipart if multipart.starts_with("multipart/") => Body::Opaque(Media::Multipart),
        json if json == "application/json" || json.ends_with("+json") => {
            let read = json::parse(&message.body).filter(|_| !foreign_charset && !encoded);
            match read {
                Some(tree) => {
                    return [true, false]
                        .map(|first| Body::Json(json::without_repeats(&tree, first)))
                        .into();
                }
                None if foreign_charset || encoded => Body::Opaque(Media::Other),
                None => Body::Broken,
            }
        }
        _ => Body::Opaque(Media::Other),
    }]
}

/// The runs of letters and digits in a name, in lower case.
fn words(name: &str) -> Vec<String> {
    let words = name.split(|letter: char| !letter.is_alphanumeric());
    words
        .filter(|word| !word.is_empty())
        .map(str::to_lowercase)
        .collect()
}
