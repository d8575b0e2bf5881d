//! The set of requests that the analysis considers.

use tokenward_compiler::analysis::Universe;

use crate::config::{Config, Relax};

/// The requests that the proxy accepts under this configuration, or more.
pub(super) fn universe(config: &Config) -> Universe {
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
