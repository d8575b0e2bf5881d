//! The connection to the servers: TLS, deadlines, and the least version of a server.

use std::future::Future;
use std::path::PathBuf;
use std::time::Duration;

use async_nats::connection::State;
use async_nats::jetstream::context::{Context, ContextBuilder};
use async_nats::{Client, ConnectOptions, Event, ServerAddr};
use tokio::sync::watch;

use crate::error::EngineError;
use crate::names::Names;

/// The least version of a server, as texts show it.
pub const LEAST_SERVER: &str = "2.10.0";
const LEAST: (i64, i64, i64) = (2, 10, 0);
/// Deadline of each question. An election of a leader takes 4 to 5 seconds, and a client that waits longer is on the wrong
/// server.
pub const DEADLINE: Duration = Duration::from_secs(5);
/// Interval of pings; two that are not answered end the connection.
const PING: Duration = Duration::from_secs(2);
/// Longest pause between two attempts to connect.
const LONGEST_PAUSE: Duration = Duration::from_millis(500);

/// Where the servers are, and what this client shows them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// URLs of the servers: `tls://HOST:PORT`, or `nats://HOST:PORT` without TLS.
    pub servers: Vec<String>,
    /// The authorities of the servers' certificates; `None` for those of the system.
    pub ca_file: Option<PathBuf>,
    /// Certificate and key of this client, as files.
    pub client: Option<(PathBuf, PathBuf)>,
    /// Name of this client, which the server's monitoring shows.
    pub client_name: String,
}

/// A connection, with the names of a fleet. Clones share it.
#[derive(Clone, Debug)]
pub struct Engine {
    client: Client,
    context: Context,
    names: Names,
    connections: watch::Receiver<u64>,
}

impl Engine {
    /// Connects to one of the servers. Afterwards the client keeps connecting by itself.
    ///
    /// # Errors
    /// A file or a URL cannot be used, no server is reached in time, or the server is too old.
    pub async fn connect(settings: &Settings, names: Names) -> Result<Self, EngineError> {
        let servers = addresses(&settings.servers)?;
        let (changed, connections) = watch::channel(0);
        let mut options = ConnectOptions::new()
            .name(&settings.client_name)
            .connection_timeout(DEADLINE)
            .request_timeout(Some(DEADLINE))
            .ping_interval(PING)
            // The configuration lists the servers; no server adds others.
            .ignore_discovered_servers()
            .reconnect_delay_callback(|attempts| {
                let pause = u32::try_from(attempts).unwrap_or(u32::MAX);
                Duration::from_millis(50).saturating_mul(pause).min(LONGEST_PAUSE)
            })
            .event_callback(move |event| {
                let changed = changed.clone();
                async move {
                    match event {
                        Event::Disconnected => {
                            changed.send_modify(|count: &mut u64| *count = (*count).wrapping_add(1));
                        }
                        other => tracing::debug!(event = other.to_string(), "NATS"),
                    }
                }
            });
        if let Some(authorities) = &settings.ca_file {
            readable(authorities)?;
            options = options.add_root_certificates(authorities.clone());
        }
        if let Some((certificate, key)) = &settings.client {
            readable(certificate)?;
            readable(key)?;
            options = options.add_client_certificate(certificate.clone(), key.clone());
        }
        let shown = settings.servers.join(", ");
        let failed = |why: String| EngineError::Connect {
            servers: shown.clone(),
            why,
        };
        // Each server may take its own deadline.
        let count = u32::try_from(settings.servers.len()).unwrap_or(u32::MAX).max(1);
        let all = DEADLINE.saturating_mul(count.min(5));
        let connecting = tokio::time::timeout(all, options.connect(servers));
        let client = match connecting.await {
            Err(_) => return Err(failed(format!("no answer within {} s", all.as_secs()))),
            Ok(Err(error)) => return Err(failed(chain(&error))),
            Ok(Ok(client)) => client,
        };
        let (major, minor, patch) = LEAST;
        if !client.is_server_compatible(major, minor, patch) {
            return Err(EngineError::OldServer {
                found: client.server_info().version,
            });
        }
        let context = ContextBuilder::new()
            .timeout(DEADLINE)
            .ack_timeout(DEADLINE)
            .build(client.clone());
        Ok(Self {
            client,
            context,
            names,
            connections,
        })
    }

    /// The names of the fleet.
    #[must_use]
    pub fn names(&self) -> &Names {
        &self.names
    }

    /// The client of NATS.
    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// `JetStream` of the servers. Its questions have [`DEADLINE`].
    #[must_use]
    pub fn context(&self) -> &Context {
        &self.context
    }

    /// Changes whenever the connection is lost.
    #[must_use]
    pub fn connections(&self) -> watch::Receiver<u64> {
        self.connections.clone()
    }

    /// Waits until the client has a server again, but not longer than [`DEADLINE`].
    ///
    /// # Errors
    /// It has none.
    pub async fn connected(&self) -> Result<(), EngineError> {
        within("connecting", async {
            while self.client.connection_state() != State::Connected {
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        })
        .await
    }

    /// Leaves the server for another one: this one is connected and silent.
    pub async fn leave_server(&self) {
        let _ = self.client.force_reconnect().await;
    }
}

/// Waits for an answer, but not longer than [`DEADLINE`].
///
/// # Errors
/// Nothing came in time.
pub async fn within<T>(doing: &'static str, answer: impl Future<Output = T>) -> Result<T, EngineError> {
    let answer = tokio::time::timeout(DEADLINE, answer).await;
    answer.map_err(|_| EngineError::Silent {
        doing,
        within: DEADLINE,
    })
}

fn addresses(servers: &[String]) -> Result<Vec<ServerAddr>, EngineError> {
    if servers.is_empty() {
        return Err(EngineError::Settings("no server is given".to_owned()));
    }
    let parsed = servers.iter().map(|server| {
        let wrong = || {
            EngineError::Settings(format!(
                "`{server}` is not a URL of a NATS server, tls://HOST:PORT"
            ))
        };
        let rest = ["tls://", "nats://"]
            .iter()
            .find_map(|scheme| server.strip_prefix(scheme));
        let is_known = rest.is_some_and(|rest| !rest.is_empty());
        is_known
            .then(|| server.parse::<ServerAddr>().ok())
            .flatten()
            .ok_or_else(wrong)
    });
    parsed.collect()
}

fn readable(file: &PathBuf) -> Result<(), EngineError> {
    match std::fs::File::open(file) {
        Ok(_) => Ok(()),
        Err(error) => Err(EngineError::Settings(format!(
            "cannot read `{}`: {error}",
            file.display()
        ))),
    }
}

/// An error with its causes, in one sentence.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(next) = cause {
        let next_text = next.to_string();
        if !text.contains(&next_text) {
            text = format!("{text}: {next_text}");
        }
        cause = next.source();
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_urls_of_servers_are_taken() {
        let of = |text: &str| addresses(&[text.to_owned()]).map(|_| ());
        of("tls://nats.example:4222").unwrap();
        of("nats://127.0.0.1:4222").unwrap();
        for wrong in ["", "http://a.example", "nats.example:4222", "tls://"] {
            assert!(of(wrong).is_err(), "{wrong}");
        }
        assert!(addresses(&[]).is_err());
    }

    #[tokio::test]
    async fn a_server_that_is_not_there_is_named() {
        let settings = Settings {
            servers: vec!["nats://127.0.0.1:1".to_owned()],
            ca_file: None,
            client: None,
            client_name: "test".to_owned(),
        };
        let error = Engine::connect(&settings, Names::of("main".parse().unwrap())).await;
        let text = error.unwrap_err().to_string();
        assert!(
            text.starts_with("cannot connect to NATS at nats://127.0.0.1:1: "),
            "{text}"
        );
    }
}
