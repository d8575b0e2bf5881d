//! Reasons for which a request is refused as ambiguous: each has a stable code, a sentence and perhaps a setting.

/// A refused request, with the sentence that tells its sender why. It never contains a secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// Reason of the refusal.
    pub reason: Reason,
    /// One sentence for the client, without anything that the client sent.
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

impl From<Reason> for Refusal {
    /// Creates a refusal with the reason's own sentence.
    fn from(reason: Reason) -> Self {
        Self::new(reason, reason.explain())
    }
}

macro_rules! reasons {
    ($($(#[$doc:meta])* $name:ident $code:literal $setting:expr, $explain:literal;)*) => {
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

            /// Returns the setting that lifts or moves the refusal, as the configuration names it.
            #[must_use]
            pub fn setting(self) -> Option<&'static str> {
                match self { $(Self::$name => $setting,)* }
            }
        }
    };
}

reasons! {
    // Framing: errors because of which there is no request to read yet.
    MalformedMethod "malformed-method" None,
        "The method is not a token.";
    MalformedHeaderName "malformed-header-name" None,
        "A header name has characters that are not allowed in a token.";
    MalformedHeaderValue "malformed-header-value" None,
        "A header value has a control character, or is continued on a second line.";
    TooManyHeaders "too-many-headers" Some("limits.header_count"),
        "The request has more header lines than the limit.";
    HeadTooLarge "head-too-large" Some("limits.head_size"),
        "The request line and the headers have more bytes than the limit.";
    LengthAndCoding "length-and-coding" None,
        "The request has both Content-Length and Transfer-Encoding: the two sides could cut it differently.";
    RepeatedLength "repeated-length" None,
        "Content-Length occurs more than once.";
    MalformedLength "malformed-length" None,
        "Content-Length is not a plain decimal number that fits 64 bits.";
    TransferCoding "transfer-coding" None,
        "Transfer-Encoding is not exactly the single coding `chunked`.";
    Http10Body "http10-body" None,
        "An HTTP/1.0 request has a body whose length no Content-Length gives.";
    LengthMismatch "length-mismatch" None,
        "The body's length on the wire is not the one that the headers give.";
    MissingHost "missing-host" None,
        "The request has neither Host nor `:authority`.";
    RepeatedHost "repeated-host" None,
        "Host occurs more than once, or differs from `:authority`.";
    MalformedHost "malformed-host" None,
        "Host is not a host with an optional port.";
    ConnectionSpecific "connection-specific" None,
        "An HTTP/2 request has a header that only HTTP/1.1 connections have.";
    ClientAddress "client-address" Some("server.client_address"),
        "A trusted proxy sent the request without the client's address in the configured form.";

    // Target.
    TargetForm "target-form" None,
        "The request target does not begin with a slash.";
    ForeignAuthority "foreign-authority" None,
        "The request target names another scheme, host or port than the public URL, or credentials.";
    TargetByte "target-byte" None,
        "The request target has a space, a control character or a non-ASCII byte that is not percent-encoded.";
    NumberSign "number-sign" Some("relax.number_sign"),
        "The request target has a raw `#`, where some servers cut it; `%23` is data.";
    OutsideEndpoints "outside-endpoints" Some("upstream.endpoints"),
        "The path is not below the endpoints that are served.";

    // Path.
    MalformedEscape "malformed-escape" None,
        "The path has a `%` without two hexadecimal digits after it.";
    PathNotUtf8 "path-not-utf8" None,
        "The decoded path is not UTF-8.";
    Nul "nul" Some("relax.nul"),
        "The path has a NUL character, where some servers end it.";
    ControlCharacter "control-character" Some("relax.control_character"),
        "The path has a control character.";
    Backslash "backslash" Some("relax.backslash"),
        "The path has a backslash, raw or as `%5C`, which some servers read as a slash.";
    EncodedSlash "encoded-slash" Some("relax.encoded_slash"),
        "The path has `%2F`, which some servers read as a slash and others as part of a name.";
    DoubleEncoding "double-encoding" Some("relax.double_encoding"),
        "The decoded path has an escape that a second decoding would read.";
    Semicolon "semicolon" Some("relax.semicolon"),
        "The path has a semicolon, raw or as `%3B`, after which servlet containers cut it.";
    DotSegment "dot-segment" Some("relax.dot_segment"),
        "The path has a `.` or `..` segment, raw, encoded or in look-alike characters.";
    EmptySegment "empty-segment" Some("relax.empty_segment"),
        "The path has an empty segment, which some servers drop; one slash at the end is allowed.";
    LongPath "long-path" None,
        "The path is longer than 8 KiB, as it was sent; no common server accepts it.";

    // Query.
    QueryEscape "query-escape" None,
        "The query has a `%` without two hexadecimal digits after it.";
    QueryNotUtf8 "query-not-utf8" None,
        "A decoded parameter is not UTF-8.";
    QuerySemicolon "query-semicolon" None,
        "The query has a raw `;`, a separator to some servers; `%3B` is data.";
    QueryName "query-name" None,
        "A parameter's name is empty or has a control character: servers disagree about such names.";
    TooManyParameters "too-many-parameters" Some("limits.query_pairs"),
        "The query has more parameters than the limit.";
    QueryCharset "query-charset" None,
        "Content-Type, or a parameter `_charset_`, names a charset other than UTF-8: some servers read the query in it.";
    MethodParameter "method-parameter" None,
        "A parameter such as `_method` would change the method.";
    CredentialParameter "credential-parameter" Some("upstream.accepted_names"),
        "A parameter would carry credentials or another identity to the upstream.";
    AmbiguousParameter "ambiguous-parameter" Some("relax.ambiguous_parameter"),
        "A name may be that of another parameter to the upstream: `a[]` and `a`, `a.b` and `a_b`, `[a][b]` and the `a[b]` of a line, or one name in both query and body.";
    TooManyMembers "too-many-members" Some("relax.ambiguous_parameter"),
        "A JSON object that a line constrains, or the root, has more than 4,096 different names, which the upstream may read in several ways.";
    SecretInUrl "secret-in-url" None,
        "The URL carries the token itself, which would reach the upstream and its logs.";

    // Method.
    RefusedMethod "refused-method" None,
        "TRACE, TRACK, CONNECT and PRI are not proxied.";
    MethodCase "method-case" None,
        "The method differs from a known one only in letter case, and some servers treat it as that one.";
    BodyOnGet "body-on-get" Some("relax.get_body"),
        "A GET or HEAD request has a body, which some servers read as parameters.";

    // Headers.
    RepeatedHeader "repeated-header" None,
        "A header that may occur only once occurs more than once.";
    MethodOverride "method-override" None,
        "A header such as X-HTTP-Method-Override would change the method.";
    UrlOverride "url-override" None,
        "A header such as X-Original-URL or Destination would name another URL.";
    CredentialHeader "credential-header" Some("upstream.accepted_names"),
        "A header would carry credentials or another identity to the upstream.";
    ConnectionNames "connection-names" None,
        "Connection names a header that the proxy relies on.";
    MalformedConnection "malformed-connection" None,
        "Connection is not a list of header names.";
    UnknownExpectation "unknown-expectation" None,
        "Expect asks for something other than `100-continue`.";
    MalformedContextUser "malformed-context-user" None,
        "contextUser is empty, too long, not UTF-8, or has blanks around it or control or invisible characters.";

    // Body: errors that the head shows, and those of forms after they are read.
    MalformedContentType "malformed-content-type" None,
        "Content-Type is not one media type.";
    EncodedBody "encoded-body" None,
        "A form or JSON body is compressed or in another charset, so the parameters that the upstream merges cannot be read.";
    UnclearJson "unclear-json" None,
        "Content-Type is an unregistered name for JSON, so whether the upstream merges the body is unknown.";
    MergedMultipart "merged-multipart" Some("relax.merged_multipart"),
        "A multipart body would add parameters that are not read.";
    XmlBody "xml-body" Some("relax.xml_body"),
        "An XML body would add parameters that are not read; send JSON.";
    MalformedForm "malformed-form" None,
        "A form body has names that cannot be decoded.";
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
