//! Reads configuration files.

use std::io::ErrorKind;
use std::path::Path;

use tokenward_pdp::config::{Config, ConfigError};
use tracing_subscriber::EnvFilter;

/// Reads and checks a configuration file; paths in it become relative to its directory.
///
/// # Errors
/// The file cannot be read, or has problems. All problems are reported, each with its position.
pub fn load(path: &Path) -> Result<Config, ConfigError> {
    let file = Some(path.to_owned());
    parse(&text_of(path)?, path).map(|config| Config { file, ..config })
}

/// Reads a file like [`load`], but keeps paths as written, to compare two versions of a file.
pub(crate) fn load_as_written(path: &Path) -> Result<Config, ConfigError> {
    parse_as_written(&text_of(path)?, path)
}

/// Reads and checks the text of the configuration file `path`.
///
/// # Errors
/// The text has problems. All of them are reported, each with its position.
pub fn parse(text: &str, path: &Path) -> Result<Config, ConfigError> {
    Config::parse(text, path, is_log_filter)
}

/// Reads a text like [`parse`], but keeps paths as written, to compare two versions of a file.
pub(crate) fn parse_as_written(text: &str, path: &Path) -> Result<Config, ConfigError> {
    Config::parse_as_written(text, path, is_log_filter)
}

fn is_log_filter(text: &str) -> bool {
    EnvFilter::try_new(text).is_ok()
}

fn text_of(path: &Path) -> Result<String, ConfigError> {
    std::fs::read_to_string(path).map_err(|source| match source.kind() {
        ErrorKind::NotFound => ConfigError::Absent {
            path: path.to_owned(),
        },
        _ => ConfigError::Unreadable {
            path: path.to_owned(),
            source,
        },
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn absent_file_says_what_to_do() {
        let error = load(Path::new("/nowhere/tokenward.toml")).unwrap_err();
        insta::assert_snapshot!(error, @"no configuration file at `/nowhere/tokenward.toml`; specify one with --config FILE, or start from the commented tokenward.toml of the distribution");
    }

    #[test]
    fn a_filter_is_what_the_log_takes() {
        let parse = |level: &str| parse(&format!("[log]\nlevel = '{level}'"), Path::new("tokenward.toml"));
        assert_eq!(parse("info,hyper=debug").unwrap().log.level, "info,hyper=debug");
        let error = parse("loud=extra=much").unwrap_err().to_string();
        assert!(
            error.starts_with("tokenward.toml:2:9: `level` is `loud=extra=much`"),
            "{error}"
        );
    }
}
