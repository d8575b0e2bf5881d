//! Lists of header names with a known disposition. `header_words.rs` interprets the words of other names.

/// Headers that apply to one connection only.
pub(super) const HOP_BY_HOP: &[&str] = &[
    "connection",
    "http2-settings",
    "keep-alive",
    "max-forwards",
    "proxy-authenticate",
    "proxy-authentication-info",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "upgrade",
];

/// Headers that the proxy reads for itself, and writes to the upstream with its own values.
pub(super) const OWN: &[&str] = &[
    "authorization",
    "content-length",
    "contextuser",
    "expect",
    "host",
    "transfer-encoding",
];

/// Headers that are forwarded and that a `Connection` header must not remove, since the decision depends on them.
pub(super) const RELIED_ON: &[&str] = &[
    "content-encoding",
    "content-type",
    "cookie",
    "origin",
    "x-request-id",
];

/// Headers of the Model Context Protocol, which are forwarded although words in them would have another meaning.
pub(super) const MCP: &[&str] = &["mcp-method", "mcp-name", "mcp-protocol-version", "mcp-session-id"];

/// Beginning of the names of headers that mirror a parameter of a Model Context Protocol call.
pub(super) const MCP_PARAMETER: &str = "mcp-param-";

/// Identity and forwarding headers of servers, gateways and single sign-on products. Also `Proxy`: CGI uses it as the
/// proxy for the server's own calls (CVE-2016-5385).
pub(super) const CLAIMED: &[&str] = &[
    "affiliation",
    "base-url",
    "client-ip",
    "cn",
    "cookie2",
    "disguised-host",
    "entitlement",
    "eppn",
    "front-end-https",
    "http-url",
    "https",
    "ident",
    "mail",
    "path-info",
    "persistent-id",
    "proxy",
    "proxy-client-ip",
    "proxy-host",
    "proxy-url",
    "query-string",
    "real-ip",
    "script-name",
    "targeted-id",
    "true-client-ip",
    "uid",
    "unscoped-affiliation",
    "uri",
    "url",
    "user",
    "username",
    "via",
    "was-default-hostname",
    "wl-proxy-client-ip",
    "x-anonymous-consumer",
    "x-appengine-user-ip",
    "x-ausername",
    "x-backend-host",
    "x-base-path",
    "x-base-url",
    "x-client-ip",
    "x-client-verify",
    "x-cluster-client-ip",
    "x-custom-ip-authorization",
    "x-email",
    "x-groups",
    "x-host",
    "x-host-override",
    "x-http-host-override",
    "x-ingress-path",
    "x-original-for",
    "x-original-forwarded-for",
    "x-original-host",
    "x-original-method",
    "x-original-proto",
    "x-original-remote-addr",
    "x-originating-ip",
    "x-path-prefix",
    "x-prefix",
    "x-proxiedentitieschain",
    "x-proxy-host",
    "x-proxyuser-ip",
    "x-real-ip",
    "x-real-port",
    "x-roles",
    "x-scheme",
    "x-script-name",
    "x-true-client-ip",
    "x-true-ip",
    "x-up-devcap-post-charset",
    "x-url-scheme",
    "x-username",
];

/// Beginnings of the names of families of such headers. Also of headers that change how the server in front of an
/// application answers: its own files (Rack's `X-Sendfile-Type`), skipped checks and precomputed routes (Next.js).
pub(super) const CLAIMED_FAMILIES: &[&str] = &[
    "adfs-",
    "akamai-",
    "cf-",
    "fastly-",
    "forwarded",
    "l5d-",
    "mellon-",
    "ms-aspnetcore-",
    "oidc-",
    "remote-",
    "shib-",
    "ssl-client",
    "tailscale-",
    "x-accel-",
    "x-amzn-oidc-",
    "x-arr-",
    "x-auth-",
    "x-authenticated-",
    "x-authentik-",
    "x-azure-",
    "x-client-cert",
    "x-consumer-",
    "x-credential-",
    "x-crowd-",
    "x-endpoint-api-userinfo",
    "x-envoy-",
    "x-forward",
    "x-goog-authenticated-",
    "x-goog-iap-",
    "x-invoke-",
    "x-middleware-",
    "x-ms-client-principal",
    "x-now-",
    "x-openidc-",
    "x-pomerium-",
    "x-remote-",
    "x-sendfile",
    "x-seraph-",
    "x-shib",
    "x-ssl-",
    "x-sso-",
    "x-user-",
    "x-userinfo",
    "x-vouch-",
    "x-webauth-",
];

/// Headers by which frameworks execute another method than the request line's. `overrides_method` finds further ones by
/// their words, since every framework has its own spelling.
pub(super) const METHOD_OVERRIDES: &[&str] = &["x-method", "x-tunneled-method"];

/// Headers by which frameworks route to, or act on, another URL than the request line's.
pub(super) const URL_OVERRIDES: &[&str] = &[
    "destination",
    "request-uri",
    "x-accel-redirect",
    "x-http-destinationurl",
    "x-http-path-override",
    "x-original-path",
    "x-original-uri",
    "x-original-url",
    "x-override-url",
    "x-proxy-url",
    "x-request-uri",
    "x-rewrite-uri",
    "x-rewrite-url",
];

/// Headers in which servers accept credentials or another identity, for any product. [`CREDENTIAL_ENDINGS`] adds
/// further ones by their endings.
pub(super) const CREDENTIALS: &[&str] = &[
    "id-token",
    "impersonate-extra",
    "impersonate-group",
    "impersonate-uid",
    "impersonate-user",
    "x-act-as",
    "x-auth",
    "x-auth-key",
    "x-impersonate-user",
    "x-jfrog-art-api",
    "x-jwt-assertion",
    "x-nomad-token",
    "x-on-behalf-of",
    "x-redmine-switch-user",
    "x-run-as",
    "x-sudo",
    "x-switch-user",
    "x-token",
];

/// Endings of the names of credential headers: `DD-API-KEY`, `X-Shopify-Access-Token`, `X-HTTP-Authorization`.
pub(super) const CREDENTIAL_ENDINGS: &[&str] = &[
    "-authorization",
    "-id-token",
    "-jwt",
    "access-token",
    "api-key",
    "api-secret",
    "api-token",
    "apikey",
    "auth-token",
    "client-secret",
    "secret-key",
    "security-token",
    "session-token",
];
