//! How the upstream learns on whose behalf a call is made (SEMANTICS section 4). Never by the client's credentials.

mod credential;
mod per_user;

use http::header::AUTHORIZATION;
use http::{HeaderName, HeaderValue};
use smallvec::{SmallVec, smallvec};
use tokenward_pdp::buffers::shared;
use tokenward_pdp::config::{Identity, PasswordSource};
use zeroize::Zeroizing;

pub use credential::IdentityError;
use credential::{basic, read};
use per_user::PerUser;

/// How calls are made at the upstream, with the secrets read in.
pub(crate) enum Identities {
    /// A header that the upstream accepts only from the proxy.
    TrustedHeader(HeaderName),
    /// `Authorization` of each user.
    PerUser(PerUser),
    /// `Authorization` of one account, and the header that names the user.
    ServiceAccount(HeaderValue, HeaderName),
}

/// The headers that name a user to the upstream.
pub(crate) type IdentityHeaders = SmallVec<[(HeaderName, HeaderValue); 2]>;

/// The user cannot be named to the upstream: no credentials are known, or the name is not a valid header value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("no upstream identity for this user")]
pub(crate) struct NoIdentity;

impl Identities {
    /// Reads the credentials that the configuration names.
    ///
    /// # Errors
    /// A secret is missing, or a name or secret is not a valid header value.
    pub(crate) fn load(identity: &Identity) -> Result<Self, IdentityError> {
        Ok(match identity {
            Identity::TrustedHeader { header } => Self::TrustedHeader(header_name(header)?),
            Identity::PerUser { credentials } => Self::PerUser(PerUser::load(credentials)?),
            Identity::ServiceAccount {
                user,
                password,
                header,
            } => {
                let password = password_of(password)?;
                let pair = Zeroizing::new(format!("{user}:{}", *password));
                Self::ServiceAccount(basic(&pair, user)?, header_name(header)?)
            }
        })
    }

    /// Gives the headers that name the user to the upstream.
    ///
    /// # Errors
    /// The user cannot be named to the upstream.
    pub(crate) fn headers(&self, user: &str) -> Result<IdentityHeaders, NoIdentity> {
        Ok(match self {
            Self::TrustedHeader(name) => smallvec![(name.clone(), user_value(user)?)],
            Self::PerUser(users) => smallvec![(AUTHORIZATION, users.of(user).ok_or(NoIdentity)?)],
            Self::ServiceAccount(account, name) => {
                smallvec![
                    (AUTHORIZATION, account.clone()),
                    (name.clone(), user_value(user)?),
                ]
            }
        })
    }
}

fn header_name(name: &str) -> Result<HeaderName, IdentityError> {
    HeaderName::from_bytes(name.as_bytes()).map_err(|_| IdentityError::Unsendable(name.to_owned()))
}

fn user_value(user: &str) -> Result<HeaderValue, NoIdentity> {
    // An empty name, or white space at its ends, would reach the upstream as another name.
    if user.is_empty() || user.trim_ascii() != user {
        return Err(NoIdentity);
    }
    HeaderValue::from_maybe_shared(shared(user.as_bytes())).map_err(|_| NoIdentity)
}

fn password_of(source: &PasswordSource) -> Result<Zeroizing<String>, IdentityError> {
    match source {
        PasswordSource::File(path) => Ok(read(path)?.lines().next().unwrap_or_default().to_owned().into()),
        PasswordSource::Environment(name) => {
            let password = std::env::var(name).map_err(|_| IdentityError::Unset(name.clone()))?;
            Ok(password.into())
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::Permissions;
    use std::os::unix::fs::PermissionsExt;
    use std::path::Path;

    use super::*;

    fn pairs(identities: &Identities, user: &str) -> Vec<(String, String)> {
        identities
            .headers(user)
            .unwrap()
            .iter()
            .map(|(name, value)| {
                (
                    name.to_string(),
                    String::from_utf8_lossy(value.as_bytes()).into_owned(),
                )
            })
            .collect()
    }

    fn write_private(path: &Path, text: &str) {
        std::fs::write(path, text).unwrap();
        std::fs::set_permissions(path, Permissions::from_mode(0o600)).unwrap();
    }

    #[test]
    fn secrets_that_other_users_can_read_are_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("secret");
        let password = Identity::ServiceAccount {
            user: "svc".into(),
            password: PasswordSource::File(path.clone()),
            header: "contextUser".into(),
        };
        let credentials = Identity::PerUser {
            credentials: path.clone(),
        };
        write_private(&path, "alice = { token = \"s3cret\" }\n");
        for identity in [&password, &credentials] {
            for (mode, works) in [(0o600, true), (0o440, true), (0o644, false), (0o662, false)] {
                std::fs::set_permissions(&path, Permissions::from_mode(mode)).unwrap();
                match Identities::load(identity) {
                    Ok(_) => assert!(works, "{mode:o}"),
                    Err(error) => {
                        let error = error.to_string();
                        assert!(!works && error.contains("`chmod 600`"), "{error}");
                        assert!(
                            error.contains("`defaultMode: 0400`") && !error.contains("s3cret"),
                            "{error}"
                        );
                    }
                }
            }
        }
    }

    fn pair(name: &str, value: &str) -> (String, String) {
        (name.to_owned(), value.to_owned())
    }

    #[test]
    fn a_trusted_header_names_the_user() {
        let identities = Identities::load(&Identity::TrustedHeader {
            header: "X-Forwarded-User".into(),
        })
        .unwrap();
        assert_eq!(
            pairs(&identities, "zoë@example.com"),
            [pair("x-forwarded-user", "zoë@example.com")]
        );
        for user in ["", " alice", "a\r\nX-Admin: 1", "a\0b"] {
            assert_eq!(identities.headers(user), Err(NoIdentity), "{user:?}");
        }
    }

    #[test]
    fn each_user_has_own_credentials_or_none() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("users.toml");
        write_private(
            &path,
            "alice = { basic = \"alice:pw\" }\n\"bob@x\" = { token = \"pat\" }\n",
        );
        let identities = Identities::load(&Identity::PerUser {
            credentials: path.clone(),
        })
        .unwrap();
        assert_eq!(
            pairs(&identities, "alice"),
            [pair("authorization", "Basic YWxpY2U6cHc=")]
        );
        assert_eq!(pairs(&identities, "bob@x"), [pair("authorization", "Bearer pat")]);
        assert_eq!(identities.headers("carol"), Err(NoIdentity));

        write_private(&path, "alice = { basic = 'secret\n");
        let error = Identities::load(&Identity::PerUser { credentials: path })
            .err()
            .unwrap();
        assert!(!error.to_string().contains("secret"), "{error}");
    }

    #[test]
    fn a_service_account_acts_for_the_user() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("password");
        write_private(&path, "pw\n");
        let identities = Identities::load(&Identity::ServiceAccount {
            user: "svc".into(),
            password: PasswordSource::File(path),
            header: "contextUser".into(),
        })
        .unwrap();
        assert_eq!(
            pairs(&identities, "alice"),
            [
                pair("authorization", "Basic c3ZjOnB3"),
                pair("contextuser", "alice")
            ]
        );
    }
}
