//! The set of requests that the analysis considers.

use tokenward_compiler::analysis::{Served, Universe};

use super::{Config, Relax};

/// The requests that the proxy accepts under this configuration, or more.
pub(crate) fn universe(config: &Config) -> Universe {
    let Relax {
        control_character,
        nul,
        backslash,
        encoded_slash,
        double_encoding,
        semicolon,
        dot_segment,
        empty_segment,
        number_sign: _,
        ambiguous_parameter: _,
        get_body,
        cookies: _,
        merged_multipart: _,
        xml_body: _,
    } = config.relax;
    let relaxed = control_character
        || nul
        || backslash
        || encoded_slash
        || double_encoding
        || semicolon
        || dot_segment
        || empty_segment;
    Universe {
        canonical_paths: !relaxed,
        get_body,
    }
}

/// The paths that the proxy serves under this configuration, or more: formats of a product's API are not looked at.
pub(crate) fn served(config: &Config) -> Served {
    let endpoints = match config.upstream.endpoints.as_slice() {
        [] => {
            let own = config.upstream.product.endpoints().iter();
            own.map(|endpoint| (*endpoint).to_owned()).collect()
        }
        configured => configured.to_vec(),
    };
    Served::of(endpoints, config.relax.encoded_slash)
}
