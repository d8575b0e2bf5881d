//! Settings for reading requests, from the configuration.

use tokenward_compiler::BaseUrl;

use super::mask::TOKEN_PREFIX;
use super::product::Product;
use super::{Kept, Relax};

/// Settings for reading requests; `Settings::new` sets every default.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The public URL.
    pub base: BaseUrl,
    /// The product at the upstream.
    pub product: Product,
    /// Endpoints below the base URL, each `/rest/*` or one exact path. If empty, the product's are used.
    pub endpoints: Vec<String>,
    /// The context path at the upstream, empty or such as `/context`; `None` uses that of `base`.
    pub upstream_path: Option<String>,
    /// The refusals that are lifted.
    pub relax: Relax,
    /// Maximum number of parameters of a query.
    pub query_pairs: usize,
    /// Maximum number of header lines of a request.
    pub header_count: usize,
    /// Maximum number of bytes of the request line and the headers together.
    pub head_bytes: usize,
    /// Headers in which the proxy names the user to the upstream; the client's headers of these names are dropped.
    pub identity_headers: Vec<String>,
    /// Refused query parameters and form fields, in addition to the product's: they contain credentials or another
    /// identity.
    pub refused_parameters: Vec<String>,
    /// Refused headers, in addition to the product's: they contain credentials or another identity.
    pub refused_headers: Vec<String>,
    /// Refused top-level members of JSON bodies, in addition to the product's: they contain credentials or another
    /// identity.
    pub refused_members: Vec<String>,
    /// Parameters, headers and members that the product's lists contain but that this upstream does not interpret that
    /// way.
    pub accepted_names: Vec<String>,
    /// The query parameter that contains the token; `None` disables that place.
    pub query_token: Option<String>,
    /// Whether the product's own token header is read.
    pub product_header: bool,
    /// Further schemes of `Authorization` that carry the bare token, in lower case.
    pub schemes: Vec<String>,
    /// The fixed prefix of Tokenward's secrets.
    pub token_prefix: String,
    /// Rules for the values that the audit stores.
    pub kept: Kept,
}

impl Settings {
    /// Creates the default settings for a public URL and a product.
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
            schemes: Vec::new(),
            token_prefix: TOKEN_PREFIX.to_owned(),
            kept: Kept::default(),
        }
    }
}

/// Reason why settings are invalid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RulesError {
    /// The pattern of an endpoint is neither a path nor `/path/*`.
    #[error("endpoint `{0}` must be a plain path below the base URL, or one that ends in `/*`")]
    Endpoint(String),
    /// The text is not a context path.
    #[error("upstream path `{0}` must be empty or begin, but not end, with a slash")]
    UpstreamPath(String),
    /// The text cannot be a header's name.
    #[error("`{0}` is not a header name")]
    Header(String),
    /// The text cannot be a parameter's name.
    #[error("`{0}` is not a parameter name")]
    Parameter(String),
    /// The name of a parameter or header has `*`, which reads like a pattern. Names are compared as a whole.
    #[error("`{0}` is compared as a whole name, and `*` is no wildcard in it: list each name")]
    Wildcard(String),
    /// The prefix is too short, or has other characters, so that secrets could not be recognised by it.
    #[error("token prefix `{0}` is too short or has characters other than letters, digits and `_`")]
    Prefix(String),
    /// The product has no token header of its own.
    #[error("the product `{0}` has no token header of its own")]
    NoTokenHeader(&'static str),
}
