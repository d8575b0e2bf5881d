//! Tokens of the tests: a secret, and the entry of the policy file that knows its hash.

use base64::Engine as _;
use sha2::{Digest as _, Sha256};

/// A token with a known secret.
#[derive(Clone, Debug)]
pub struct TestToken {
    name: String,
    secret: String,
    user: String,
    lines: Vec<String>,
    more: String,
}

impl TestToken {
    /// A token of user `svc` with these limit lines.
    #[must_use]
    pub fn new(name: &str, lines: &[&str]) -> Self {
        Self {
            name: name.to_owned(),
            secret: hex::encode(Sha256::digest(format!("the secret of {name}"))),
            user: "svc".to_owned(),
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            more: String::new(),
        }
    }

    /// The same token without its forbid lines; one line that permits nothing stays if they were all.
    #[must_use]
    pub fn without_forbid_lines(&self) -> Self {
        let mut lines: Vec<String> = self
            .lines
            .iter()
            .filter(|line| !line.starts_with('!'))
            .cloned()
            .collect();
        if lines.is_empty() {
            lines.push("[get]/rest/never-sent".to_owned());
        }
        Self {
            lines,
            ..self.clone()
        }
    }

    /// The same token, secret and name with other limit lines.
    #[must_use]
    pub fn limited_to(&self, lines: &[&str]) -> Self {
        Self {
            lines: lines.iter().map(|line| (*line).to_owned()).collect(),
            ..self.clone()
        }
    }

    /// The same token of another user.
    #[must_use]
    pub fn of_user(mut self, user: &str) -> Self {
        user.clone_into(&mut self.user);
        self
    }

    /// The same token without a user of its own: whoever calls names one.
    #[must_use]
    pub fn of_any_user(mut self) -> Self {
        self.user.clear();
        self
    }

    /// Its user; empty: the caller names one.
    #[must_use]
    pub fn user(&self) -> &str {
        &self.user
    }

    /// The same token with a secret that looks like those that `tokenward token new` makes.
    #[must_use]
    pub fn with_prefix(mut self) -> Self {
        let body: String = self.secret.chars().take(38).collect();
        self.secret = format!("twd_{body}");
        self
    }

    /// Adds a line of TOML to the entry: `revoked = true`.
    #[must_use]
    pub fn with(mut self, toml: &str) -> Self {
        self.more.push_str(toml);
        self.more.push('\n');
        self
    }

    /// The token's name in the policy and the audit.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The secret itself.
    #[must_use]
    pub fn secret(&self) -> &str {
        &self.secret
    }

    /// The value of `Authorization` for Basic.
    #[must_use]
    pub fn basic(&self) -> String {
        let pair = format!("{}:{}", self.user, self.secret);
        format!("Basic {}", base64::engine::general_purpose::STANDARD.encode(pair))
    }

    /// The value of `Authorization` for Bearer.
    #[must_use]
    pub fn bearer(&self) -> String {
        format!("Bearer {}", self.secret)
    }

    /// The entry in a policy file.
    #[must_use]
    pub fn entry(&self) -> String {
        let hash = hex::encode(Sha256::digest(&self.secret));
        let (name, more, lines) = (&self.name, &self.more, self.lines.join("\n"));
        let user = match self.user.as_str() {
            "" => "any_user = true".to_owned(),
            user => format!("user = \"{user}\""),
        };
        format!(
            "[[token]]\nname = \"{name}\"\n{user}\nsecret_hash = \"sha256:{hash}\"\n{more}limit_to = '''\n{lines}\n'''\n\n"
        )
    }
}
