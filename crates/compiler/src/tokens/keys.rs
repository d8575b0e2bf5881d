//! The keys of a token entry.

use toml::de::DeTable;

use super::{
    definition::TokenDef,
    document::{self, Key},
    lines::{self, Lines},
};
use crate::{
    diagnostic::{Code, Diagnostic, nearest},
    source::{Source, SourceId, TESTS, nearly_special},
};

/// Every key that a token may have, in the order in which they are written: who, the secret, how long, for whom to ask, from where,
/// what else, and the lines last.
pub const KEYS: &[&str] = &[
    "name",
    "user",
    "users",
    "any_user",
    "secret_hash",
    "secret_sealed",
    "previous_secret_hash",
    "previous_until",
    "expires",
    "revoked",
    "seal",
    "owner",
    "description",
    "allowed_ips",
    "on_behalf_of",
    "mint",
    "escalate",
    "rate",
    "burst",
    "concurrent",
    "max_body",
    "lint_allow",
    "include",
    "unrestricted",
    "limit_to",
];

pub(super) struct Reader<'a> {
    pub(super) id: SourceId,
    pub(super) source: &'a Source,
    pub(super) diagnostics: &'a mut Vec<Diagnostic>,
    /// Unknown keys so far.
    pub(super) unknown: usize,
}

/// Unknown keys of a file for which the nearest known one is searched.
const SUGGESTIONS: usize = 1_000;

impl Reader<'_> {
    pub(super) fn token(&mut self, table: &DeTable<'_>, range: std::ops::Range<usize>) -> TokenDef {
        let mut token = TokenDef {
            span: document::span(self.id, self.source, range),
            name: None,
            user: None,
            users: None,
            any_user: None,
            secret_hash: None,
            previous_secret_hash: None,
            previous_until: None,
            expires: None,
            allowed_ips: Vec::new(),
            on_behalf_of: None,
            revoked: false,
            mint: false,
            escalate: false,
            rate: None,
            burst: None,
            concurrent: None,
            max_body: None,
            unrestricted: None,
            owner: None,
            description: None,
            include: Vec::new(),
            limit_to: None,
            secret_sealed: false,
            seal: None,
            lint_allow: Vec::new(),
            given: table.keys().map(|key| key.get_ref().to_string()).collect(),
        };
        for (key, value) in table {
            match key.get_ref().as_ref() {
                "name" => token.name = self.string(value, "name"),
                "user" => token.user = self.user(value),
                "users" => token.users = self.users(value, "users"),
                "any_user" => token.any_user = self.boolean(value),
                "secret_hash" => token.secret_hash = self.hash(value),
                "previous_secret_hash" => token.previous_secret_hash = self.hash(value),
                "previous_until" => token.previous_until = self.time(value),
                "expires" => token.expires = self.time(value),
                "allowed_ips" => token.allowed_ips = self.networks(value),
                "on_behalf_of" => token.on_behalf_of = self.users(value, "on_behalf_of"),
                // In quotes it is an error, but what was meant is clear, and a revocation does not wait for the repair.
                "revoked" => {
                    token.revoked = self.boolean(value).map_or_else(
                        || value.get_ref().as_str() == Some("true"),
                        |revoked| revoked.value,
                    );
                }
                "mint" => token.mint = self.boolean(value).is_some_and(|mint| mint.value),
                "escalate" => token.escalate = self.boolean(value).is_some_and(|escalate| escalate.value),
                "rate" => token.rate = self.rate(value),
                "burst" => token.burst = self.count(value, "burst"),
                "concurrent" => token.concurrent = self.count(value, "concurrent"),
                "max_body" => token.max_body = self.size(value, "max_body"),
                "unrestricted" => token.unrestricted = self.boolean(value),
                "owner" => token.owner = self.string(value, "owner").map(|owner| owner.value),
                "description" => token.description = self.string(value, "description").map(|text| text.value),
                "include" => token.include = self.strings(value, "include"),
                "limit_to" => token.limit_to = self.lines(value, "limit_to"),
                "lint_allow" => token.lint_allow = self.codes(value),
                "secret_sealed" => token.secret_sealed = self.string(value, "secret_sealed").is_some(),
                "seal" => token.seal = self.seal(value),
                _ => {
                    // A misspelt key is one error, not also a missing key.
                    token.given.extend(self.unknown(key, KEYS).map(str::to_owned));
                }
            }
        }
        if let Some(name) = &token.name {
            token.span = name.span;
        }
        token
    }

    /// Reports an unknown key; the key that was probably meant.
    pub(super) fn unknown<'k>(&mut self, key: &Key<'_>, known: &[&'k str]) -> Option<&'k str> {
        let place = document::span(self.id, self.source, key.span());
        let name = key.get_ref();
        let diagnostic = Diagnostic::new(Code::UnknownKey, place, format!("there is no key `{name}`"));
        // A file of unknown keys alone is no file of tokens, and a suggestion for each would take longest of all.
        self.unknown += 1;
        let near = (self.unknown <= SUGGESTIONS)
            .then(|| nearest(name, known.iter().copied()))
            .flatten();
        let diagnostic = match (near, special_file(&self.source.path, name)) {
            _ if name == "test" => diagnostic.help(format!(
                "move the tests to a file in a directory `{TESTS}` below the policy directory, such as `{TESTS}/{}`; `tokenward test` runs them",
                self.source.path.rsplit('/').next().unwrap_or_default()
            )),
            (_, Some(file)) => diagnostic.help(format!(
                "`[[{name}]]` belongs in a file named `{file}`; rename this file"
            )),
            (Some(near), None) => diagnostic
                .help(format!("did you mean `{near}`?"))
                .fix(place, near),
            (None, None) => diagnostic.help(format!("the keys are {}", quoted_list(known))),
        };
        self.diagnostics.push(diagnostic);
        near
    }

    pub(super) fn lines(&mut self, value: &toml::Spanned<toml::de::DeValue<'_>>, key: &str) -> Option<Lines> {
        let range = value.span();
        if value.get_ref().as_str().is_none() {
            self.wrong(value, &format!("`{key}` must be a block of lines: `'''` … `'''`"));
            return None;
        }
        match lines::of_string(self.id, &self.source.text, range) {
            Ok(lines) => Some(lines),
            Err(diagnostic) => {
                self.diagnostics.push(*diagnostic);
                None
            }
        }
    }
}

/// The file in which an array belongs, if a token file has nearly its name.
fn special_file(path: &str, key: &str) -> Option<&'static str> {
    nearly_special(path).filter(|file| match *file {
        "invariants.toml" => ["never", "only", "always"].contains(&key),
        _ => ["new_access", "reviewed"].contains(&key),
    })
}

fn quoted_list(names: &[&str]) -> String {
    names
        .iter()
        .map(|name| format!("`{name}`"))
        .collect::<Vec<_>>()
        .join(", ")
}
