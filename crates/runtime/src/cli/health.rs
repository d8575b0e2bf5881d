//! `tokenward health`: asks the running proxy whether it serves.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, StatusCode};
use http_body_util::{BodyExt, Empty, Limited};
use hyper_util::client::legacy::Client;
use hyper_util::rt::TokioExecutor;
use serde_json::Value;
use tokenward_pdp::config::{Config, TlsFiles, parse_duration};

use super::failure::Failure;
use super::output;
use super::settings::ConfigArg;
use crate::admin::{LIVE, READY};
use crate::tls::pinned_connector;

/// Time limit of one question.
const PATIENCE: Duration = Duration::from_secs(3);
/// Pause between two questions while the command waits.
const PAUSE: Duration = Duration::from_millis(100);
const LARGEST_ANSWER: usize = 64 << 10;

/// Ask the running proxy whether it serves calls
///
/// Asks `[health] listen`, or without it `[admin] listen`, and needs no secret. For the health check of a container and for scripts
/// that wait until the proxy has started. The exit code is 0 if the proxy is ready, 1 if it answers that it is not, and 3 if it
/// does not answer.
#[derive(clap::Args)]
#[command(after_help = "\
Examples:
  tokenward health
  tokenward health --live                  whether the process answers, ready or not
  tokenward health --wait 30s              until it is ready, for 30 seconds at most")]
pub(super) struct Args {
    /// Ask only whether the process answers
    #[arg(long)]
    live: bool,
    /// Time to wait for success, such as 30s
    #[arg(long, value_name = "TIME", value_parser = duration)]
    wait: Option<Duration>,
    #[command(flatten)]
    config: ConfigArg,
}

fn duration(text: &str) -> Result<Duration, String> {
    parse_duration(text).ok_or_else(|| "expected a time such as 30s or 2m".to_owned())
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let question = Question::of(&args.config.or_default()?, args.live);
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(Failure::trouble)?;
    runtime.block_on(async {
        let until = Instant::now() + args.wait.unwrap_or_default();
        loop {
            match question.ask().await {
                Ok(()) => break,
                Err(failure) if Instant::now() >= until => return Err(failure),
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
        Ok(())
    })?;
    output::print(if args.live { LIVE } else { READY })
}

/// A question to a listener, and the answer that is success.
struct Question {
    address: SocketAddr,
    tls: Option<TlsFiles>,
    path: &'static str,
    success: fn(&[u8]) -> bool,
}

impl Question {
    fn of(config: &Config, live: bool) -> Self {
        let address = reachable(config.health.listen.unwrap_or(config.admin.listen));
        let tls = match config.health.listen {
            Some(_) => None,
            None => config.admin.tls.clone(),
        };
        let (path, success): (_, fn(&[u8]) -> bool) = match (live, config.health.listen) {
            (true, _) => ("/livez", |body| body == LIVE.as_bytes()),
            (false, Some(_)) => ("/readyz", |body| body == READY.as_bytes()),
            (false, None) => ("/readyz", |body| {
                let body: Value = serde_json::from_slice(body).unwrap_or_default();
                body.get("ready") == Some(&Value::Bool(true))
            }),
        };
        Self {
            address,
            tls,
            path,
            success,
        }
    }

    async fn ask(&self) -> Result<(), Failure> {
        let failed =
            |why: &str| Failure::Trouble(format!("no answer from the proxy at {}: {why}", self.address));
        let scheme = if self.tls.is_some() { "https" } else { "http" };
        let request = Request::get(format!("{scheme}://{}{}", self.address, self.path))
            .body(Empty::<Bytes>::new())
            .map_err(Failure::trouble)?;
        let connector = pinned_connector(self.tls.as_ref()).map_err(Failure::trouble)?;
        let answer = async {
            let client = Client::builder(TokioExecutor::new()).build(connector);
            let response = client
                .request(request)
                .await
                .map_err(|_| failed("nothing accepts connections there; is the proxy running?"))?;
            let status = response.status();
            // The body is limited: the address may belong to another program.
            let body = Limited::new(response.into_body(), LARGEST_ANSWER).collect().await;
            let body = body.map_err(|_| failed("the response ended early"))?.to_bytes();
            match status {
                StatusCode::OK if (self.success)(&body) => Ok(()),
                StatusCode::SERVICE_UNAVAILABLE => Err(Failure::Findings(format!(
                    "the proxy at {} is not ready: it cannot write the audit, or is shutting down; its log has the reason",
                    self.address
                ))),
                _ => Err(failed(
                    "another program answered; check [health] listen or [admin] listen",
                )),
            }
        };
        tokio::time::timeout(PATIENCE, answer)
            .await
            .map_err(|_| failed("it took too long"))?
    }
}

/// The address at which this machine reaches a listener.
pub(super) fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => IpAddr::V4(Ipv4Addr::LOCALHOST),
        IpAddr::V6(ip) if ip.is_unspecified() => IpAddr::V6(Ipv6Addr::LOCALHOST),
        ip => ip,
    };
    SocketAddr::new(ip, address.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn listeners_on_all_addresses_are_asked_on_loopback() {
        for (listen, asked) in [
            ("0.0.0.0:8082", "127.0.0.1:8082"),
            ("[::]:8082", "[::1]:8082"),
            ("10.0.0.5:8082", "10.0.0.5:8082"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()), asked.parse().unwrap());
        }
    }
}
