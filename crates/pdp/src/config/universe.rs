//! The set of requests that the analysis considers, and those of them that the proxy serves.

use tokenward_compiler::analysis::{LiftedRefusals, Served, Serving, Universe};

use super::{Config, Relax};
use crate::request::SELF_PATH;

/// The requests that the proxy accepts under this configuration, or more.
pub fn universe(config: &Config) -> Universe {
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
pub fn served(config: &Config) -> Served {
    Served::of(endpoints(config), config.relax.encoded_slash)
}

/// The paths that the proxy serves under this configuration, and no others.
pub fn serving(config: &Config) -> Serving {
    let product = config.upstream.product;
    let formats = match config.upstream.endpoints.as_slice() {
        [] => product.formats(),
        _ => &[],
    };
    Serving {
        endpoints: endpoints(config),
        formats: formats.iter().map(|format| (*format).to_owned()).collect(),
        own: vec![SELF_PATH.to_owned()],
        lifted: lifted(&config.relax),
        resource_prefix: product.has_resource_prefix(),
    }
}

fn endpoints(config: &Config) -> Vec<String> {
    match config.upstream.endpoints.as_slice() {
        [] => {
            let own = config.upstream.product.endpoints().iter();
            own.map(|endpoint| (*endpoint).to_owned()).collect()
        }
        configured => configured.to_vec(),
    }
}

/// The refusals of paths that are lifted.
pub fn lifted(relax: &Relax) -> LiftedRefusals {
    LiftedRefusals {
        control_character: relax.control_character,
        nul: relax.nul,
        backslash: relax.backslash,
        encoded_slash: relax.encoded_slash,
        double_encoding: relax.double_encoding,
        semicolon: relax.semicolon,
        dot_segment: relax.dot_segment,
        empty_segment: relax.empty_segment,
    }
}
