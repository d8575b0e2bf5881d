//! What the configuration says about reading requests.

use tokenward_compiler::BaseUrl;

use super::mask::TOKEN_PREFIX;
use super::product::Product;
use super::{Kept, Relax};

/// What the configuration says; `Settings::new` has every default.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The public URL.
    pub base: BaseUrl,
    /// The kind of server behind the proxy.
    pub product: Product,
    /// What is served below the base URL, `/rest/*` or one exact path each; empty: as the product has it.
    pub endpoints: Vec<String>,
    /// The context path at the upstream, empty or as `/context`; absent: that of `base`.
    pub upstream_path: Option<String>,
    /// The refusals that are lifted.
    pub relax: Relax,
    /// The most parameters that a query may have.
    pub query_pairs: usize,
    /// The most header lines that a request may have.
    pub header_count: usize,
    /// The most bytes that request line and headers may have together.
    pub head_bytes: usize,
    /// Headers in which the proxy names the user to the upstream; the client's copies are dropped.
    pub identity_headers: Vec<String>,
    /// Query parameters and form fields, beyond the product's, that carry credentials or another identity.
    pub refused_parameters: Vec<String>,
    /// Headers, beyond the product's, that do.
    pub refused_headers: Vec<String>,
    /// Top-level members of JSON bodies, beyond the product's, that do.
    pub refused_members: Vec<String>,
    /// Parameters, headers and members that the product's lists name and that this upstream does not read so.
    pub accepted_names: Vec<String>,
    /// The query parameter that carries the token, where that is switched on.
    pub query_token: Option<String>,
    /// Whether the product's own token header is read.
    pub product_header: bool,
    /// The fixed prefix of our secrets.
    pub token_prefix: String,
    /// What the audit keeps of values.
    pub kept: Kept,
}

impl Settings {
    /// The defaults for a public URL and a product.
    #[must_use]
    pub fn new(base: BaseUrl, product: Product) -> Self {
        Self {
            base,
            product,
            endpoints: Vec::new(),
            upstream_path: None,
            relax: product.relax(),
            query_pairs: 256,
            header_count: 100,
            head_bytes: 64 * 1024,
            identity_headers: Vec::new(),
            refused_parameters: Vec::new(),
            refused_headers: Vec::new(),
            refused_members: Vec::new(),
            accepted_names: Vec::new(),
            query_token: None,
            product_header: false,
            token_prefix: TOKEN_PREFIX.to_owned(),
            kept: Kept::default(),
        }
    }
}

/// Settings that make no rules.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// A pattern for endpoints that is neither a path nor `/path/*`.
    #[error("endpoint `{0}` must be a plain path below the base URL, or one that ends in `/*`")]
    Endpoint(String),
    /// A context path that is not one.
    #[error("upstream path `{0}` must be empty or begin, but not end, with a slash")]
    UpstreamPath(String),
    /// A text that cannot name a header.
    #[error("`{0}` is no header name")]
    Header(String),
    /// A text that cannot name a parameter.
    #[error("`{0}` is no parameter name")]
    Parameter(String),
    /// A prefix by which no secret could be told from other text.
    #[error("token prefix `{0}` is too short or has characters other than letters, digits and `_`")]
    Prefix(String),
    /// The product has no token header of its own.
    #[error("the product `{0}` has no token header of its own")]
    NoTokenHeader(&'static str),
}
