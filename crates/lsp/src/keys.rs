//! The keys of policy files and their meanings: for hover, for completion and for the JSON Schemas.

use tokenward_compiler::source::SourceKind;

/// The form of a key's value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// A string.
    Text,
    /// A string, which may be empty.
    AnyText,
    /// A list of strings.
    Texts,
    /// `true` or `false`.
    Flag,
    /// `true`.
    OnlyTrue,
    /// A date and time.
    Time,
    /// A whole number from 1.
    Count,
    /// Limit lines between `'''` and `'''`.
    Lines,
    /// A single limit line.
    Line,
    /// A string of this regular expression.
    Pattern(&'static str),
    /// A list of strings of this regular expression.
    Patterns(&'static str),
    /// One of these strings.
    Choice(&'static [&'static str]),
    /// Any value.
    Any,
}

/// A key.
#[derive(Clone, Copy, Debug)]
pub struct Key {
    /// The name.
    pub name: &'static str,
    /// The form of its value.
    pub form: Form,
    /// The meaning, in Markdown.
    pub meaning: &'static str,
    /// An example of the value, as it is written in TOML.
    pub example: &'static str,
}

/// A section of a file.
#[derive(Clone, Copy, Debug)]
pub struct Section {
    /// The name between the brackets.
    pub name: &'static str,
    /// The meaning.
    pub meaning: &'static str,
    /// The keys, in the order of `tokenward fmt`.
    pub keys: &'static [Key],
    /// The keys that each entry has.
    pub required: &'static [&'static str],
    /// Keys of which each entry has exactly one.
    pub one_of: &'static [&'static str],
}

const fn key(name: &'static str, form: Form, example: &'static str, meaning: &'static str) -> Key {
    Key {
        name,
        form,
        meaning,
        example,
    }
}

/// SHA-256, in hexadecimal digits.
const HASH: &str = "^sha256:[0-9a-f]{64}$";
/// A user's name: no colon and no control character.
const USER: &str = r"^[^:\x00-\x1f\x7f]*[^:\s\x00-\x1f\x7f][^:\x00-\x1f\x7f]*$";
/// A code with a reason.
const EXCEPTION: &str = r"^\s*[Tt][Ww][0-9]{4}\s*(:.*)?$";

const TOKEN: &[Key] = &[
    key(
        "name",
        Form::Text,
        "\"ci-comments\"",
        "The token's name. The audit, findings and commands identify the token by it, so it must be unique.",
    ),
    key(
        "user",
        Form::Pattern(USER),
        "\"svc-ci\"",
        "The user that the token acts as. `{USER}` in the lines stands for it.",
    ),
    key(
        "users",
        Form::Patterns(USER),
        "[\"alice\", \"bob\"]",
        "The users that the token can act as. The caller names one of them with Basic credentials.",
    ),
    key(
        "any_user",
        Form::OnlyTrue,
        "true",
        "The token works for any user; the caller supplies the user name.",
    ),
    key(
        "secret_hash",
        Form::Pattern(HASH),
        "\"sha256:…\"",
        "SHA-256 of the token's secret. `tokenward token new` makes both.",
    ),
    key(
        "secret_sealed",
        Form::Text,
        "\"v1:…\"",
        "The secret, encrypted with a sealing key, so that `tokenward token show --secret` can show it again. Not in secure mode.",
    ),
    key(
        "previous_secret_hash",
        Form::Pattern(HASH),
        "\"sha256:…\"",
        "SHA-256 of the secret before the last rotation. It is valid until `previous_until`.",
    ),
    key(
        "previous_until",
        Form::Time,
        "2030-01-01T00:00:00Z",
        "Time from which on the previous secret is not valid.",
    ),
    key(
        "expires",
        Form::Time,
        "2030-01-01T00:00:00Z",
        "Time from which on the token is not valid. A token without `expires` never expires, which is a warning (TW0101).",
    ),
    key(
        "revoked",
        Form::Flag,
        "true",
        "Revokes the token permanently. A revoked secret stays revoked, even if the key is removed later.",
    ),
    key(
        "seal",
        Form::Text,
        "\"…\"",
        "Signature of the whole entry. Secure mode requires it; `tokenward token new` and `token seal` make it.",
    ),
    key(
        "owner",
        Form::Text,
        "\"team-kanban\"",
        "The person or team that is responsible for the token. Invariants select tokens by their owners.",
    ),
    key(
        "description",
        Form::Text,
        "\"…\"",
        "The purpose of the token, for people.",
    ),
    key(
        "allowed_ips",
        Form::Texts,
        "[\"10.0.0.0/8\"]",
        "Addresses and networks from which the token works. Without this key it works from everywhere.",
    ),
    key(
        "on_behalf_of",
        Form::Patterns(USER),
        "[\"alice\", \"bob\"]",
        "Users that the token may act for with the header `contextUser`. The audit records both users.",
    ),
    key(
        "mint",
        Form::Flag,
        "true",
        "Lets the token make calls that create or show credentials: sessions, tokens, passwords, keys. A line must allow the call as well.",
    ),
    key(
        "escalate",
        Form::Flag,
        "true",
        "Lets the token make calls that give rights: group and role members, permissions, accounts, settings, webhooks, apps. A line must allow the call as well.",
    ),
    key(
        "rate",
        Form::Pattern("^[0-9]+/[0-9]+(ms|s|m|h|d)$"),
        "\"600/1m\"",
        "Maximum number of calls in a period. Further calls get 429.",
    ),
    key(
        "burst",
        Form::Count,
        "100",
        "Maximum number of calls that may come at once. Without this key, the number of the rate.",
    ),
    key(
        "concurrent",
        Form::Count,
        "5",
        "Maximum number of calls in progress. Further calls get 429.",
    ),
    key(
        "max_body",
        Form::Pattern("^[0-9]+(B|KiB|MiB|GiB)$"),
        "\"1MiB\"",
        "Maximum size of a request's body. A larger body gets 413.",
    ),
    key(
        "lint_allow",
        Form::Patterns(EXCEPTION),
        "[\"TW0101: the build server renews it\"]",
        "Warnings that this token allows, each with its reason. An entry that is not needed is a warning.",
    ),
    key(
        "include",
        Form::Texts,
        "[\"jira-read\"]",
        "Sets of lines (`NAME.limits`) that the token has in addition to its own lines.",
    ),
    key(
        "unrestricted",
        Form::OnlyTrue,
        "true",
        "The token may make every call that is served, except those that a forbid line matches.",
    ),
    key(
        "limit_to",
        Form::Lines,
        "'''\n[get]/rest/api/2/issue/KANBAN-[0-9]+\n'''",
        "The lines that decide which calls the token may make, one rule a line. A call that no line allows is denied.",
    ),
];

const INVARIANT: &[Key] = &[
    key(
        "name",
        Form::Text,
        "\"no-administration\"",
        "The invariant's name, by which findings identify it.",
    ),
    key("why", Form::Text, "\"…\"", "The reason, which findings show."),
    key(
        "tokens",
        Form::Texts,
        "[\"*-report\"]",
        "Names of the tokens that the invariant is about; `*` stands for any text. Without this key: all.",
    ),
    key(
        "owners",
        Form::Texts,
        "[\"team-kanban\"]",
        "Owners of the tokens that the invariant is about.",
    ),
    key(
        "users",
        Form::Texts,
        "[\"svc-*\"]",
        "Users of the tokens that the invariant is about.",
    ),
    key(
        "lines",
        Form::Lines,
        "'''\n/rest/api/2/user.*\n'''",
        "The requests that the invariant is about, as limit lines.",
    ),
];

const REVIEWED: &[Key] = &[
    key(
        "token",
        Form::Text,
        "\"ci-comments\"",
        "The token that newly allows more.",
    ),
    key(
        "configuration",
        Form::Text,
        "\"auth.never_act_as\"",
        "The setting that is less strict, with its section.",
    ),
    key(
        "invariant",
        Form::Text,
        "\"no-administration\"",
        "The invariant that was removed or changed.",
    ),
    key(
        "line",
        Form::Line,
        "'[get]/rest/api/2/myself'",
        "The new permit line, as it is written in the policy.",
    ),
    key(
        "lifted",
        Form::Line,
        "'![delete]/rest/.*'",
        "The forbid line that the token no longer has.",
    ),
    key(
        "key",
        Form::Text,
        "\"expires\"",
        "The key of the token that gives more.",
    ),
    key(
        "value",
        Form::AnyText,
        "\"…\"",
        "The new value, as `tokenward diff` shows it.",
    ),
    key("why", Form::Text, "\"…\"", "The reason why this access is right."),
    key(
        "until",
        Form::Time,
        "2030-01-01T00:00:00Z",
        "Time from which on the review does not count.",
    ),
];

const ACCEPTED: &[Key] = &[
    key(
        "code",
        Form::Pattern("^[Tt][Ww][0-9]{4}$"),
        "\"TW0103\"",
        "The code of the accepted warning.",
    ),
    key(
        "token",
        Form::Text,
        "\"ci-comments\"",
        "The token that has the line.",
    ),
    key("set", Form::Text, "\"jira-read\"", "The set that has the line."),
    key(
        "invariant",
        Form::Text,
        "\"no-administration\"",
        "The invariant that has the line.",
    ),
    key(
        "file",
        Form::Text,
        "\"ci.toml\"",
        "The file, for a finding in no token, set or invariant.",
    ),
    key(
        "line",
        Form::AnyText,
        "'[get]/rest/api/2/myself'",
        "The text of the line, without surrounding blanks.",
    ),
    key(
        "why",
        Form::AnyText,
        "\"…\"",
        "The reason why the finding is accepted. An empty reason is an error.",
    ),
    key(
        "until",
        Form::Time,
        "2030-01-01T00:00:00Z",
        "Time from which on the entry accepts nothing.",
    ),
];

const TEST: &[Key] = &[
    key(
        "name",
        Form::Text,
        "\"the build server comments\"",
        "What the test shows. It is unique in its file.",
    ),
    key(
        "token",
        Form::Text,
        "\"ci-comments\"",
        "Name of the token that makes the request.",
    ),
    key(
        "request",
        Form::Text,
        "\"POST /rest/api/2/issue/KANBAN-7/comment\"",
        "Method and path below the public URL, or the complete URL.",
    ),
    key(
        "headers",
        Form::Texts,
        "[\"Accept: text/html\"]",
        "List of header fields.",
    ),
    key(
        "json",
        Form::Any,
        "{ body = \"Build 12 passed\" }",
        "Body as JSON: a table or list of TOML, or a string with the text of the JSON.",
    ),
    key("body", Form::AnyText, "\"…\"", "Body as it is sent."),
    key(
        "curl",
        Form::Text,
        "'curl …'",
        "Instead of `request`, `headers`, `json` and `body`: one curl command, as it was copied.",
    ),
    key(
        "user",
        Form::Text,
        "\"alice\"",
        "User that makes the request, if the token works for several.",
    ),
    key(
        "client",
        Form::Text,
        "\"10.0.0.5\"",
        "Address of the client, if the token works only from some.",
    ),
    key(
        "at",
        Form::Time,
        "2030-01-01T00:00:00Z",
        "Time of the request. The default is the time of the run.",
    ),
    key(
        "expect",
        Form::Choice(&["allow", "deny"]),
        "\"allow\"",
        "Whether the proxy forwards the request.",
    ),
    key(
        "line",
        Form::Line,
        "'[get]/rest/api/2/myself'",
        "Text of the line that must decide.",
    ),
    key(
        "reason",
        Form::Text,
        "\"no-line\"",
        "Reason code that the decision must have.",
    ),
    key(
        "status",
        Form::Count,
        "403",
        "Status that the proxy must respond with.",
    ),
];

/// The section of files with tests of a policy.
pub const TESTS: &[Section] = &[Section {
    name: "test",
    meaning: "A request, and the decision that the policy must make about it.",
    keys: TEST,
    required: &["name", "token", "expect"],
    one_of: &["request", "curl"],
}];

/// The section of token files.
pub const TOKENS: &[Section] = &[Section {
    name: "token",
    meaning: "A token: who it acts as, how long, and which calls it may make.",
    keys: TOKEN,
    required: &["name", "secret_hash"],
    one_of: &["user", "users", "any_user"],
}];

const fn invariant(name: &'static str, meaning: &'static str) -> Section {
    Section {
        name,
        meaning,
        keys: INVARIANT,
        required: &["name", "lines"],
        one_of: &[],
    }
}

/// The sections of `invariants.toml`.
pub const INVARIANTS: &[Section] = &[
    invariant(
        "never",
        "The tokens allow none of the requests that the lines match.",
    ),
    invariant("only", "The tokens allow only requests that the lines match."),
    invariant("always", "The tokens allow all requests that the lines match."),
];

/// The section of `reviewed.toml`.
pub const REVIEWS: &[Section] = &[Section {
    name: "reviewed",
    meaning: "New access that somebody reviewed: `compile --no-new-access` accepts it.",
    keys: REVIEWED,
    required: &["why"],
    one_of: &["token", "configuration", "invariant"],
}];

/// The section of a baseline.
pub const BASELINE: &[Section] = &[Section {
    name: "accepted",
    meaning: "A warning that `compile --baseline` counts instead of showing it.",
    keys: ACCEPTED,
    required: &["code", "line", "why"],
    one_of: &["token", "set", "invariant", "file"],
}];

/// The sections of a file.
#[must_use]
pub fn sections(kind: SourceKind) -> &'static [Section] {
    match kind {
        SourceKind::Tokens => TOKENS,
        SourceKind::Invariants => INVARIANTS,
        SourceKind::Reviewed => REVIEWS,
        SourceKind::Tests => TESTS,
        SourceKind::Limits => &[],
    }
}

/// A key of a section.
pub(crate) fn find(kind: SourceKind, section: &str, name: &str) -> Option<&'static Key> {
    let section = sections(kind).iter().find(|known| known.name == section)?;
    section.keys.iter().find(|key| key.name == name)
}
