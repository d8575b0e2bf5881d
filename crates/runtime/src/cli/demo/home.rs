//! The demo's directory: configuration, policies with new secrets, audit. All but the audit is written again at each
//! start.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use jiff::{SignedDuration, Timestamp};
use tokenward_pdp::secret::Secret;
use toml_edit::{DocumentMut, Item, value};

use crate::cli::Failure;
use crate::new_secret;

const POLICIES: [(&str, &str); 3] = [
    ("ci.toml", include_str!("../../../../../policies/ci.toml")),
    ("people.toml", include_str!("../../../../../policies/people.toml")),
    (
        "jira-read.limits",
        include_str!("../../../../../policies/jira-read.limits"),
    ),
];

/// Lifetime of a demo's tokens.
const LIFE: SignedDuration = SignedDuration::from_hours(30 * 24);

/// The directory, and the secrets of its tokens.
pub(super) struct Home {
    directory: PathBuf,
    secrets: BTreeMap<String, Secret>,
    /// Lock on the directory, held as long as this value exists.
    _lock: File,
}

impl Home {
    /// Writes everything below `directory` for a proxy, an admin listener and an upstream at these addresses.
    pub(super) fn make(directory: &Path, addresses: [SocketAddr; 3]) -> Result<Self, Failure> {
        fs::create_dir_all(directory).map_err(|error| failed("make", directory, &error))?;
        let lock = File::open(directory).map_err(|error| failed("open", directory, &error))?;
        lock.try_lock().map_err(|_| {
            let place = directory.display();
            Failure::Trouble(format!(
                "another demo is running in `{place}`; stop it, or start this one in another directory"
            ))
        })?;
        let mut home = Self {
            directory: directory.to_owned(),
            secrets: BTreeMap::new(),
            _lock: lock,
        };
        let policies = home.policies();
        match fs::remove_dir_all(&policies) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                return Err(failed("empty", &policies, &error));
            }
            _ => fs::create_dir_all(&policies).map_err(|error| failed("make", &policies, &error))?,
        }
        // The directory's secrets must not be committed to git.
        home.write(".gitignore", "*\n")?;
        home.write("tokenward.toml", &config_text(addresses))?;
        for (name, text) in POLICIES {
            let text = if name.ends_with(".toml") {
                home.renewed(text)?
            } else {
                text.to_owned()
            };
            home.write(&format!("policies/{name}"), &text)?;
        }
        Ok(home)
    }

    pub(super) fn config(&self) -> PathBuf {
        self.directory.join("tokenward.toml")
    }

    pub(super) fn policies(&self) -> PathBuf {
        self.directory.join("policies")
    }

    /// The secret of the token `name`; empty for a token that no policy file has, which a test rules out.
    pub(super) fn secret(&self, name: &str) -> &str {
        self.secrets.get(name).map(Secret::expose).unwrap_or_default()
    }

    fn write(&self, name: &str, text: &str) -> Result<(), Failure> {
        let path = self.directory.join(name);
        fs::write(&path, text).map_err(|error| failed("write", &path, &error))
    }

    /// Rewrites a token file with new secrets and expiries.
    fn renewed(&mut self, text: &str) -> Result<String, Failure> {
        let mut document: DocumentMut = text.parse().map_err(Failure::trouble)?;
        let end = Timestamp::now().checked_add(LIFE).map_err(Failure::trouble)?;
        let end: toml_edit::Datetime = format!("{end:.0}").parse().map_err(Failure::trouble)?;
        let tokens = document.get_mut("token").and_then(Item::as_array_of_tables_mut);
        for token in tokens.into_iter().flat_map(|tokens| tokens.iter_mut()) {
            let secret = new_secret::generate().map_err(Failure::trouble)?;
            token.insert("secret_hash", value(secret.hash_text()));
            token.insert("expires", value(end));
            if let Some(name) = token.get("name").and_then(Item::as_str) {
                self.secrets.insert(name.to_owned(), secret);
            }
        }
        Ok(document.to_string())
    }
}

fn config_text([proxy, admin, upstream]: [SocketAddr; 3]) -> String {
    format!(
        r#"# The demo's configuration, written again at each start. The tokenward.toml of the distribution explains every key.
policies = "policies"

[server]
listen = "{proxy}"

[admin]
listen = "{admin}"
secret_file = "admin.secret"

[upstream]
url = "http://{upstream}"
product = "jira"

[upstream.identity]
mode = "trusted-header"
header = "{header}"

[auth]
methods = "both"
never_act_as = ["admin"]

[audit]
path = "audit"

[log]
level = "warn,tokenward_runtime::live=info"
"#,
        header = super::sample::USER_HEADER
    )
}

fn failed(doing: &str, path: &Path, error: &std::io::Error) -> Failure {
    Failure::Trouble(format!(
        "cannot {doing} `{}` ({error}); the demo writes to the working directory, so start it in a directory that you can write to",
        path.display()
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `policies/` is what people copy from: it has no findings, not even warnings.
    #[test]
    fn the_example_policies_are_right() {
        let files = POLICIES.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let compilation =
            tokenward_compiler::compile(&tokenward_compiler::source::SourceSet::from_files(files));
        assert_eq!(compilation.diagnostics, Vec::new());
        assert!(compilation.program.is_some());
    }

    #[test]
    fn policies_keep_their_comments_and_get_new_secrets() {
        let directory = tempfile::tempdir().unwrap();
        let address: SocketAddr = "127.0.0.1:1".parse().unwrap();
        let home = Home::make(
            directory.path(),
            [address, "127.0.0.1:2".parse().unwrap(), address],
        )
        .unwrap();
        let text = fs::read_to_string(home.policies().join("ci.toml")).unwrap();
        let secret = home.secret("ci-comments");
        assert!(tokenward_pdp::secret::is_well_formed(secret));
        assert!(text.contains(&hex::encode(tokenward_pdp::secret::hash(secret))));
        assert!(!text.contains(secret));
        let comments = |text: &str| text.lines().filter(|line| line.starts_with('#')).count();
        assert_eq!(comments(&text), comments(POLICIES[0].1));
        let config = crate::config_file::load(&home.config()).unwrap();
        assert_eq!(config.policies, home.policies());
        let second = Home::make(directory.path(), [address; 3]).err().unwrap();
        assert!(
            matches!(second, Failure::Trouble(message) if message.starts_with("another demo is running in"))
        );
    }
}
