//! Why a proxy refuses a request that the lines of a token allow.

use std::fmt::{self, Display, Formatter};

/// A reason why the proxy does not forward a request as configured.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub enum Obstacle {
    /// The token lacks a key, such as `mint`.
    Key {
        /// The key.
        key: &'static str,
        /// The pattern of the call that needs the key, if the proxy recognised the path by one.
        call: Option<String>,
    },
    /// A setting of the configuration keeps the request out, such as `upstream.endpoints`.
    Setting(String),
    /// The proxy refuses the request under every configuration, for the reason with this code.
    Refused(String),
    /// Only the configuration of the old side lets the lines match.
    OldConfiguration,
    /// The search for a request that is forwarded was not settled.
    Open,
}

impl Obstacle {
    /// Whether these obstacles prove that the proxy forwards no such request as configured.
    #[must_use]
    pub fn are_certain(obstacles: &[Self]) -> bool {
        !obstacles.is_empty() && !obstacles.contains(&Self::Open)
    }

    /// Describes obstacles: a clause after "the proxy forwards it".
    #[must_use]
    pub fn describe(obstacles: &[Self]) -> String {
        let parts: Vec<String> = obstacles.iter().map(ToString::to_string).collect();
        parts.join(", and ")
    }
}

impl Display for Obstacle {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key { key, .. } => write!(f, "only with `{key} = true`"),
            Self::Setting(setting) => write!(f, "only with another `{setting}`"),
            Self::Refused(code) => write!(f, "under no configuration (`{code}`)"),
            Self::OldConfiguration => write!(f, "only with the configuration of the old side"),
            Self::Open => write!(f, "perhaps in another form (not settled)"),
        }
    }
}
