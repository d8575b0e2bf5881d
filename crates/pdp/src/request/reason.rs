//! Reasons for which a request is refused as ambiguous: each has a stable code, a sentence, a remedy and perhaps a setting.

/// A refused request, with a sentence that explains the refusal to its sender. It never contains a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Reason of the refusal.
    pub reason: Reason,
    /// One sentence for the client: what is wrong. It may name a header or a parameter that the client sent, but no value.
    pub detail: String,
}

impl Refusal {
    /// Creates a refusal with a sentence of its own.
    #[must_use]
    pub fn new(reason: Reason, detail: impl Into<String>) -> Self {
        Self {
            reason,
            detail: detail.into(),
        }
    }
}

/// Maximum length of a header's name that a refusal shows.
const NAME_BYTES: usize = 64;

impl Refusal {
    /// Creates the refusal of a header, with its name unless that is long. The name must be a token (RFC 9110) without a secret.
    pub(super) fn of_header(reason: Reason, name: &str) -> Self {
        Self::naming(reason, "header", name)
    }

    /// Creates the refusal of a parameter or a member of the body, with the name by which the product knows it.
    pub(crate) fn of_parameter(reason: Reason, name: &str) -> Self {
        Self::naming(reason, "parameter", name)
    }

    fn naming(reason: Reason, what: &str, name: &str) -> Self {
        let effect = match reason {
            Reason::CredentialHeader | Reason::CredentialParameter => {
                "would carry credentials or another identity to the upstream"
            }
            Reason::MethodOverride | Reason::MethodParameter => "would change the method",
            Reason::UrlOverride => "would name another URL",
            Reason::ConnectionNames => "is named in Connection, but the proxy relies on it",
            _ => return reason.into(),
        };
        if name.len() > NAME_BYTES {
            return reason.into();
        }
        Self::new(reason, format!("The {what} `{name}` {effect}."))
    }
}

impl From<Reason> for Refusal {
    /// Creates a refusal with the reason's own sentence.
    fn from(reason: Reason) -> Self {
        Self::new(reason, reason.explain())
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $code:literal $setting:expr, $explain:literal => $remedy:literal;)*) => {
        /// Reason for which a request cannot be read in only one way. The response status is always 400.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum Reason {
            $(#[doc = $explain] $name,)*
        }

        impl Reason {
            /// Lists every reason, in the order of the documentation.
            pub const ALL: &'static [Self] = &[$(Self::$name,)*];

            /// Returns the stable code for responses, audit records and metrics.
            #[must_use]
            pub fn code(self) -> &'static str {
                match self { $(Self::$name => $code,)* }
            }

            /// Returns one sentence: what is refused and, if it helps, why.
            #[must_use]
            pub fn explain(self) -> &'static str {
                match self { $(Self::$name => $explain,)* }
            }

            /// Returns what the sender of the request can do, in one or two sentences.
            #[must_use]
            pub fn remedy(self) -> &'static str {
                match self { $(Self::$name => $remedy,)* }
            }

            /// Returns the setting that lifts or moves the refusal, as the configuration names it.
            #[must_use]
            pub fn setting(self) -> Option<&'static str> {
                match self { $(Self::$name => $setting,)* }
            }
        }
    };
}

reasons! {
    // Framing: errors before the request can be read.
    MalformedMethod "malformed-method" None,
        "The method has characters that are not allowed."
        => "Use a method that the API documents.";
    MalformedHeaderName "malformed-header-name" None,
        "A header name has characters that are not allowed."
        => "Correct the name.";
    MalformedHeaderValue "malformed-header-value" None,
        "A header value has a control character, or is continued on a second line."
        => "Remove line feeds, for example at the end of a secret that was read from a file.";
    TooManyHeaders "too-many-headers" Some("limits.header_count"),
        "The request has more header lines than the limit."
        => "Send fewer headers, or ask the operator for a larger `limits.header_count`.";
    HeadTooLarge "head-too-large" Some("limits.head_size"),
        "The request line and the headers have more bytes than the limit."
        => "Move long parameters to a body, or ask the operator for a larger `limits.head_size`.";
    LengthAndCoding "length-and-coding" None,
        "The request has both Content-Length and Transfer-Encoding, so servers could see different ends of it."
        => "Send one of them.";
    RepeatedLength "repeated-length" None,
        "Content-Length occurs more than once."
        => "Send it once.";
    MalformedLength "malformed-length" None,
        "Content-Length is not a plain decimal number that fits 64 bits."
        => "Leave this header to your HTTP library.";
    TransferCoding "transfer-coding" None,
        "Transfer-Encoding is not exactly the single coding `chunked`."
        => "Leave this header to your HTTP library.";
    Http10Body "http10-body" None,
        "The request is HTTP/1.0 and has a body without Content-Length."
        => "Use HTTP/1.1.";
    LengthMismatch "length-mismatch" None,
        "The body is not as long as the headers declare."
        => "Leave `Content-Length` to your HTTP library.";
    MissingHost "missing-host" None,
        "The request has neither Host nor `:authority`."
        => "Use an HTTP library that sends `Host`.";
    RepeatedHost "repeated-host" None,
        "Host occurs more than once, or differs from `:authority`."
        => "Do not set `Host` yourself.";
    MalformedHost "malformed-host" None,
        "Host is not a host with an optional port."
        => "Do not set `Host` yourself.";
    ConnectionSpecific "connection-specific" None,
        "An HTTP/2 request has a header that only HTTP/1.1 connections have."
        => "Do not set `Connection`, `Upgrade` and similar headers.";
    ClientAddress "client-address" Some("server.client_address"),
        "A trusted proxy sent the request without the client's address in the configured form."
        => "Ask the operator to check `server.client_address`.";

    // Target.
    TargetForm "target-form" None,
        "The request target does not begin with a slash."
        => "Use an HTTP library that writes the target itself.";
    ForeignAuthority "foreign-authority" None,
        "The request target names another scheme, host or port than the public URL, or credentials."
        => "Call the public URL. Do not configure the proxy as a forward proxy.";
    TargetByte "target-byte" None,
        "The request target has a space, a control character or a non-ASCII byte that is not percent-encoded."
        => "Percent-encode the URL.";
    NumberSign "number-sign" Some("relax.number_sign"),
        "The request target has a raw `#`, at which some servers cut it; `%23` is data."
        => "Write `%23` for data, and leave a fragment out.";
    OutsideEndpoints "outside-endpoints" Some("upstream.endpoints"),
        "The path is not below an endpoint that the proxy serves."
        => "Check the base URL and its context path. Redmine's paths need `.json` or `.xml` at their end.";

    // Path.
    MalformedEscape "malformed-escape" None,
        "The path has a `%` without two hexadecimal digits after it."
        => "Write `%25` for a percent sign.";
    PathNotUtf8 "path-not-utf8" None,
        "The decoded path is not UTF-8."
        => "Encode the path as UTF-8.";
    Nul "nul" Some("relax.nul"),
        "The path has a NUL character, at which some servers cut it."
        => "Remove `%00`.";
    ControlCharacter "control-character" Some("relax.control_character"),
        "The path has a control character."
        => "Remove it. A file that was read into a variable often ends in one.";
    Backslash "backslash" Some("relax.backslash"),
        "The path has a backslash, raw or as `%5C`, which some servers read as a slash."
        => "Use slashes.";
    EncodedSlash "encoded-slash" Some("relax.encoded_slash"),
        "The path has `%2F`, which some servers read as a slash and others as part of a name."
        => "Use the id in place of the name, or ask the operator for `relax.encoded_slash`.";
    DoubleEncoding "double-encoding" Some("relax.double_encoding"),
        "The path was encoded twice: once decoded, it still has a percent-encoded character."
        => "Encode it once.";
    Semicolon "semicolon" Some("relax.semicolon"),
        "The path has a semicolon, raw or as `%3B`, after which servlet containers cut it."
        => "Remove it and the text after it, such as `;jsessionid=…`.";
    DotSegment "dot-segment" Some("relax.dot_segment"),
        "The path has a `.` or `..` segment, raw, encoded or in look-alike characters."
        => "Write the path without it.";
    EmptySegment "empty-segment" Some("relax.empty_segment"),
        "The path has an empty segment, which some servers drop; one slash at the end is allowed."
        => "Remove the slash at the end of your base URL.";
    LongPath "long-path" None,
        "The path is longer than 8 KiB, as it was sent; no common server accepts it."
        => "Shorten it, or send the data in a parameter or the body.";

    // Query.
    QueryEscape "query-escape" None,
        "The query has a `%` without two hexadecimal digits after it."
        => "Write `%25` for a percent sign.";
    QueryNotUtf8 "query-not-utf8" None,
        "A decoded parameter is not UTF-8."
        => "Encode it as UTF-8.";
    QuerySemicolon "query-semicolon" None,
        "The query has a raw `;`, a separator to some servers; `%3B` is data."
        => "Write `%3B`.";
    QueryName "query-name" None,
        "A parameter's name is empty or has a control character, and servers disagree about such names."
        => "Correct the name.";
    TooManyParameters "too-many-parameters" Some("limits.query_pairs"),
        "The query has more parameters than the limit."
        => "Send fewer parameters, or ask the operator for a larger `limits.query_pairs`.";
    QueryCharset "query-charset" None,
        "Content-Type, or a parameter `_charset_`, names a charset other than UTF-8: some servers read the query in it."
        => "Send UTF-8, and leave the charset out.";
    MethodParameter "method-parameter" None,
        "A parameter such as `_method` would change the method."
        => "Use the method itself.";
    CredentialParameter "credential-parameter" Some("upstream.accepted_names"),
        "A parameter would carry credentials or another identity to the upstream."
        => "Leave it out; the token alone authenticates the call.";
    AmbiguousParameter "ambiguous-parameter" Some("relax.ambiguous_parameter"),
        "The upstream could take two names for one parameter: `a[]` and `a`, `a.b` and `a_b`, `[a][b]` and the `a[b]` of a line, or one name in both query and body."
        => "Write each parameter once, as the API documents it, and either in the query or in the body.";
    TooManyMembers "too-many-members" Some("relax.ambiguous_parameter"),
        "A JSON object that a line constrains, or the root, has more than 4,096 different names, which the upstream may read in several ways."
        => "Send fewer members in one call.";
    SecretInUrl "secret-in-url" None,
        "The URL contains the token, which would reach the upstream and its logs."
        => "Send the token in `Authorization`. If the URL was logged, ask for a new secret.";

    // Method.
    RefusedMethod "refused-method" None,
        "The proxy does not forward TRACE, TRACK, CONNECT and PRI."
        => "Use a method that the API documents.";
    MethodCase "method-case" None,
        "The method differs from a known one only in letter case, and some servers take it for that one."
        => "Write it in capitals.";
    BodyOnGet "body-on-get" Some("relax.get_body"),
        "A GET or HEAD request has a body, which some servers read as parameters."
        => "Leave the body out, or use the method that the API documents.";

    // Headers.
    RepeatedHeader "repeated-header" None,
        "A header that may occur only once occurs more than once."
        => "Set it once. Look for a default of your HTTP library.";
    MethodOverride "method-override" None,
        "A header such as X-HTTP-Method-Override would change the method."
        => "Use the method itself.";
    UrlOverride "url-override" None,
        "A header such as X-Original-URL or Destination would name another URL."
        => "Leave the header out.";
    CredentialHeader "credential-header" Some("upstream.accepted_names"),
        "A header would carry credentials or another identity to the upstream."
        => "Leave it out; the token alone authenticates the call.";
    ConnectionNames "connection-names" None,
        "Connection names a header that the proxy relies on."
        => "Leave `Connection` to your HTTP library.";
    MalformedConnection "malformed-connection" None,
        "Connection is not a list of header names."
        => "Leave `Connection` to your HTTP library.";
    UnknownExpectation "unknown-expectation" None,
        "Expect asks for something other than `100-continue`."
        => "Leave `Expect` out.";
    MalformedContextUser "malformed-context-user" None,
        "contextUser is empty, too long, not UTF-8, or has spaces around it, control characters or invisible characters."
        => "Send only the user's name, in UTF-8.";

    // Body: errors that the head shows, and those of forms after they are read.
    MalformedContentType "malformed-content-type" None,
        "Content-Type is not one media type."
        => "Send one type, such as `Content-Type: application/json`.";
    EncodedBody "encoded-body" None,
        "A form or JSON body is compressed or in another charset, so the proxy cannot check the parameters that the upstream reads from it."
        => "Send it uncompressed, in UTF-8.";
    UnclearJson "unclear-json" None,
        "Content-Type is an unregistered name for JSON, so the upstream could read parameters from the body that the proxy does not check."
        => "Send `Content-Type: application/json`.";
    MergedMultipart "merged-multipart" Some("relax.merged_multipart"),
        "The upstream could read parameters from a multipart body that the proxy does not check."
        => "Use another way of upload, or ask the operator for `relax.merged_multipart`.";
    XmlBody "xml-body" Some("relax.xml_body"),
        "The upstream could read parameters from an XML body that the proxy does not check."
        => "Send the body as JSON.";
    MalformedForm "malformed-form" None,
        "A form body has names that cannot be decoded."
        => "Encode names and values as `curl --data-urlencode` does.";
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::HashSet;

    #[test]
    fn codes_are_unique_and_kebab() {
        let codes: HashSet<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
        assert_eq!(codes.len(), Reason::ALL.len());
        for code in codes {
            assert!(
                code.bytes()
                    .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'),
                "{code}"
            );
        }
    }

    #[test]
    fn each_has_its_line_in_the_documentation() {
        let page = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/refusals.md"));
        for reason in Reason::ALL {
            let setting = reason
                .setting()
                .map(|name| format!("`{name}`"))
                .unwrap_or_default();
            let line = format!("| `{}` | {} | {setting} |\n", reason.code(), reason.explain());
            assert!(page.contains(&line), "{line}");
        }
    }

    #[test]
    fn each_has_its_remedy_on_the_page_for_authors_of_scripts() {
        let page = include_str!(concat!(
            env!("CARGO_MANIFEST_DIR"),
            "/../../docs/troubleshooting.md"
        ));
        for reason in Reason::ALL {
            let code = format!("`{}`", reason.code());
            let row = page.lines().find(|line| {
                let first = line.strip_prefix("| ").and_then(|line| line.split(" | ").next());
                first.is_some_and(|codes| codes.split(", ").any(|one| one == code))
            });
            let end = format!(" | {} |", reason.remedy());
            assert!(row.is_some_and(|row| row.ends_with(&end)), "{code}: {end}");
        }
    }

    #[test]
    fn every_sentence_is_one_and_every_setting_exists() {
        let keys = crate::config::Config::keys();
        for reason in Reason::ALL {
            assert!(reason.explain().ends_with('.'), "{}", reason.code());
            if let Some(setting) = reason.setting() {
                assert!(keys.iter().any(|key| key == setting), "{setting}");
            }
        }
    }

    #[test]
    fn the_pages_about_refusals_name_settings_that_exist() {
        let keys = crate::config::Config::keys();
        let sections: HashSet<&str> = keys
            .iter()
            .filter_map(|key| key.split_once('.'))
            .map(|(section, _)| section)
            .collect();
        for page in ["refusals.md", "troubleshooting.md"] {
            let path = format!("{}/../../docs/{page}", env!("CARGO_MANIFEST_DIR"));
            let text = std::fs::read_to_string(path).unwrap();
            let named = text
                .split('`')
                .skip(1)
                .step_by(2)
                .map(|code| code.split(" = ").next().unwrap_or_default());
            let named: Vec<&str> = named
                .filter(|name| {
                    name.split_once('.')
                        .is_some_and(|(section, _)| sections.contains(section))
                })
                .collect();
            assert!(named.len() > 5, "{named:?}");
            for name in named {
                assert!(
                    keys.iter().any(|key| key == name),
                    "{page} names `{name}`, which is not a setting"
                );
            }
        }
    }
}
