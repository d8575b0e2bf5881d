//! Paths that are served below the base URL.

use super::product::Preset;
use super::settings::{RulesError, Settings};

/// A set of paths that is served.
#[derive(Clone, Debug)]
pub(super) enum Endpoint {
    /// Serves this path only.
    Exact(String),
    /// Serves all paths with this beginning, which ends in `/`.
    Below(String),
    /// Serves all paths with this beginning that end in one of the formats, such as `/issues/1.json`.
    InFormat(String, &'static [&'static str]),
}

/// Whether the path is the pattern's, or below it if the pattern ends in `/*`.
pub fn matches_pattern(pattern: &str, path: &str) -> bool {
    match pattern.strip_suffix('*') {
        Some(start) => path.starts_with(start),
        None => path == pattern,
    }
}

impl Endpoint {
    pub(super) fn serves(&self, path: &str) -> bool {
        match self {
            Self::Exact(exact) => path == exact,
            Self::Below(start) => path.starts_with(start.as_str()),
            Self::InFormat(start, formats) => path.starts_with(start.as_str()) && is_in(path, formats),
        }
    }
}

/// Whether the last segment ends in one of the formats, exactly: servers may interpret `.JSON` or `.json ` in another
/// way.
fn is_in(path: &str, formats: &[&str]) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    let last = path.rsplit('/').next().unwrap_or_default();
    last.rsplit_once('.')
        .is_some_and(|(stem, format)| !stem.is_empty() && formats.contains(&format))
}

/// Returns the configured endpoints, otherwise the product's. The product's serve only the formats of its API, if it
/// has any.
///
/// # Errors
/// A pattern is neither a plain path nor one with `/*` at its end.
pub(super) fn endpoints(settings: &Settings, preset: &Preset) -> Result<Vec<Endpoint>, RulesError> {
    let default = || {
        preset
            .endpoints
            .iter()
            .map(|pattern| (*pattern).to_owned())
            .collect()
    };
    let given: Vec<String> = if settings.endpoints.is_empty() {
        default()
    } else {
        settings.endpoints.clone()
    };
    given
        .into_iter()
        .map(|pattern| {
            let (path, below) = match pattern.strip_suffix('*') {
                Some(path) => (path, true),
                None => (pattern.as_str(), false),
            };
            let plain = path.starts_with('/')
                && !path.contains(['*', '?', '#', '%', ';', '\\'])
                && (settings.relax.empty_segment || !path.contains("//"))
                && !path.split('/').any(|segment| matches!(segment, "." | ".."));
            match below {
                _ if !plain => Err(RulesError::Endpoint(pattern.clone())),
                true if !path.ends_with('/') => Err(RulesError::Endpoint(pattern.clone())),
                true if settings.endpoints.is_empty() && !preset.formats.is_empty() => {
                    Ok(Endpoint::InFormat(path.to_owned(), preset.formats))
                }
                true => Ok(Endpoint::Below(path.to_owned())),
                false => Ok(Endpoint::Exact(path.to_owned())),
            }
        })
        .collect()
}
