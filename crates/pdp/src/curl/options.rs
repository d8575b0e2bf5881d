//! The options of curl, by what they do to the request. An option that is not listed is named in an error, since it could
//! change the request.

/// Effect of an option on the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// A flag without an effect on the request.
    Idle,
    /// An option with a value and without an effect on the request.
    IdleValue,
    /// A flag with an effect.
    Flag(Flag),
    /// An option with a value and an effect.
    Value(Value),
    /// A flag whose request cannot be known from the command.
    Refused(&'static str),
    /// The same with a value.
    RefusedValue(&'static str),
    /// A flag that changes the credentials or the connection of a request, in a way that is not known from the command.
    Credentials(&'static str),
    /// The same with a value.
    CredentialsValue(&'static str),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flag {
    Get,
    Head,
    Compressed,
    GlobOff,
    PathAsIs,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Url,
    UrlQuery,
    Target,
    Method,
    Header,
    /// `-d`, `--data-ascii`: a file's line ends are dropped.
    Data,
    DataBinary,
    DataRaw,
    DataUrlencode,
    Json,
    Form,
    FormString,
    Upload,
    User,
    Bearer,
    UserAgent,
    Referer,
    Cookie,
    Range,
}

use Effect::{Credentials, CredentialsValue, Idle, IdleValue, Refused, RefusedValue};

const SCHEME: &str = "it negotiates a scheme that Tokenward does not accept";
const FILE: &str = "it reads more options or credentials from a file";
const SEVERAL: &str = "it makes several requests; explain each separately";

/// Short name (or a blank), long name, effect.
const OPTIONS: &[(char, &str, Effect)] = &[
    // The request.
    (' ', "url", Effect::Value(Value::Url)),
    (' ', "url-query", Effect::Value(Value::UrlQuery)),
    (' ', "request-target", Effect::Value(Value::Target)),
    ('X', "request", Effect::Value(Value::Method)),
    ('G', "get", Effect::Flag(Flag::Get)),
    ('I', "head", Effect::Flag(Flag::Head)),
    ('H', "header", Effect::Value(Value::Header)),
    ('d', "data", Effect::Value(Value::Data)),
    (' ', "data-ascii", Effect::Value(Value::Data)),
    (' ', "data-binary", Effect::Value(Value::DataBinary)),
    (' ', "data-raw", Effect::Value(Value::DataRaw)),
    (' ', "data-urlencode", Effect::Value(Value::DataUrlencode)),
    (' ', "json", Effect::Value(Value::Json)),
    ('F', "form", Effect::Value(Value::Form)),
    (' ', "form-string", Effect::Value(Value::FormString)),
    ('T', "upload-file", Effect::Value(Value::Upload)),
    ('u', "user", Effect::Value(Value::User)),
    (' ', "oauth2-bearer", Effect::Value(Value::Bearer)),
    ('A', "user-agent", Effect::Value(Value::UserAgent)),
    ('e', "referer", Effect::Value(Value::Referer)),
    ('b', "cookie", Effect::Value(Value::Cookie)),
    ('r', "range", Effect::Value(Value::Range)),
    (' ', "compressed", Effect::Flag(Flag::Compressed)),
    ('g', "globoff", Effect::Flag(Flag::GlobOff)),
    (' ', "path-as-is", Effect::Flag(Flag::PathAsIs)),
    // Connections, output and retries.
    (' ', "basic", Idle),
    ('s', "silent", Idle),
    ('S', "show-error", Idle),
    ('v', "verbose", Idle),
    ('i', "include", Idle),
    (' ', "show-headers", Idle),
    ('k', "insecure", Idle),
    ('L', "location", Idle),
    (' ', "post301", Idle),
    (' ', "post302", Idle),
    (' ', "post303", Idle),
    ('f', "fail", Idle),
    (' ', "fail-with-body", Idle),
    (' ', "fail-early", Idle),
    ('#', "progress-bar", Idle),
    (' ', "no-progress-meter", Idle),
    ('N', "no-buffer", Idle),
    ('O', "remote-name", Idle),
    ('J', "remote-header-name", Idle),
    ('R', "remote-time", Idle),
    (' ', "create-dirs", Idle),
    ('q', "disable", Idle),
    ('4', "ipv4", Idle),
    ('6', "ipv6", Idle),
    ('1', "tlsv1", Idle),
    (' ', "tlsv1.2", Idle),
    (' ', "tlsv1.3", Idle),
    (' ', "ssl-no-revoke", Idle),
    (' ', "http1.1", Idle),
    (' ', "http2", Idle),
    (' ', "http2-prior-knowledge", Idle),
    (' ', "no-keepalive", Idle),
    (' ', "no-alpn", Idle),
    (' ', "tcp-nodelay", Idle),
    (' ', "retry-connrefused", Idle),
    (' ', "retry-all-errors", Idle),
    ('p', "proxytunnel", Idle),
    ('o', "output", IdleValue),
    (' ', "output-dir", IdleValue),
    ('w', "write-out", IdleValue),
    ('D', "dump-header", IdleValue),
    ('c', "cookie-jar", IdleValue),
    ('m', "max-time", IdleValue),
    (' ', "connect-timeout", IdleValue),
    (' ', "expect100-timeout", IdleValue),
    (' ', "keepalive-time", IdleValue),
    (' ', "retry", IdleValue),
    (' ', "retry-delay", IdleValue),
    (' ', "retry-max-time", IdleValue),
    (' ', "max-redirs", IdleValue),
    (' ', "max-filesize", IdleValue),
    (' ', "limit-rate", IdleValue),
    ('Y', "speed-limit", IdleValue),
    ('y', "speed-time", IdleValue),
    (' ', "cacert", IdleValue),
    (' ', "capath", IdleValue),
    ('E', "cert", IdleValue),
    (' ', "cert-type", IdleValue),
    (' ', "key", IdleValue),
    (' ', "key-type", IdleValue),
    (' ', "pass", IdleValue),
    (' ', "pinnedpubkey", IdleValue),
    (' ', "ciphers", IdleValue),
    (' ', "tls-max", IdleValue),
    (' ', "resolve", IdleValue),
    (' ', "connect-to", IdleValue),
    (' ', "unix-socket", IdleValue),
    (' ', "interface", IdleValue),
    ('x', "proxy", IdleValue),
    ('U', "proxy-user", IdleValue),
    (' ', "noproxy", IdleValue),
    (' ', "stderr", IdleValue),
    (' ', "trace", IdleValue),
    (' ', "trace-ascii", IdleValue),
    (' ', "proto", IdleValue),
    (' ', "proto-default", IdleValue),
    (' ', "proto-redir", IdleValue),
    // Requests that the command alone does not show.
    (' ', "digest", Credentials(SCHEME)),
    (' ', "ntlm", Credentials(SCHEME)),
    (' ', "negotiate", Credentials(SCHEME)),
    (' ', "anyauth", Credentials(SCHEME)),
    (' ', "aws-sigv4", CredentialsValue(SCHEME)),
    ('n', "netrc", Credentials(FILE)),
    (' ', "netrc-optional", Credentials(FILE)),
    (' ', "netrc-file", CredentialsValue(FILE)),
    ('K', "config", RefusedValue(FILE)),
    (':', "next", Refused(SEVERAL)),
    ('Z', "parallel", Credentials(SEVERAL)),
    (
        'C',
        "continue-at",
        CredentialsValue("the request depends on a file"),
    ),
    (
        'z',
        "time-cond",
        CredentialsValue("the request depends on a file"),
    ),
    (
        ' ',
        "etag-compare",
        CredentialsValue("the request depends on a file"),
    ),
    ('0', "http1.0", Credentials("requests are explained as HTTP/1.1")),
    (' ', "http3", Credentials("the proxy does not speak HTTP/3")),
    (
        ' ',
        "tr-encoding",
        Refused("it adds a header that is not supported here; write it with -H"),
    ),
];

/// The option with this short name, with its long one.
pub(super) fn short(name: char) -> Option<(&'static str, Effect)> {
    let found = OPTIONS.iter().find(|(short, ..)| *short == name && name != ' ');
    found.map(|(_, long, effect)| (*long, *effect))
}

/// The option with this long name.
pub(super) fn long(name: &str) -> Option<(&'static str, Effect)> {
    let found = OPTIONS.iter().find(|(_, long, _)| *long == name);
    found.map(|(_, long, effect)| (*long, *effect))
}

/// The long names.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    OPTIONS.iter().map(|(_, long, _)| *long)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_there_twice() {
        for (at, (short, long, _)) in OPTIONS.iter().enumerate() {
            let after = OPTIONS.iter().skip(at + 1);
            for (other, name, _) in after {
                assert!(long != name && (short != other || *short == ' '), "{long} {name}");
            }
        }
    }
}
