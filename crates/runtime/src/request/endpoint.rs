//! What is served below the base URL.

use super::product::Preset;
use super::settings::{RulesError, Settings};

/// A place that is served.
#[derive(Clone, Debug)]
pub(super) enum Endpoint {
    /// This path.
    Exact(String),
    /// All that begins so; ends in `/`.
    Below(String),
    /// All that begins so and ends in one of the formats, `/issues/1.json`.
    InFormat(String, &'static [&'static str]),
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

/// Whether the last segment ends in one of the formats. Exactly: what a server makes of `.JSON` or `.json ` is not known.
fn is_in(path: &str, formats: &[&str]) -> bool {
    let path = path.strip_suffix('/').unwrap_or(path);
    let last = path.rsplit('/').next().unwrap_or_default();
    last.rsplit_once('.')
        .is_some_and(|(stem, format)| !stem.is_empty() && formats.contains(&format))
}

/// The configured places, else the product's, those in the formats of its API alone.
///
/// # Errors
/// A pattern that is neither a plain path nor one with `/*` at its end.
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
                && !path.contains("//")
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
