//! The demo while it runs: the sample upstream and the proxy in front of it.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use tokenward_pdp::config::Config;

use super::home::Home;
use super::sample::Sample;
use crate::admin_secret;
use crate::cli::serve::routes;
use crate::cli::{Failure, log_as};
use crate::config_file;
use crate::serve::{Running, ServeError};

/// The running demo.
pub(super) struct Demo {
    pub(super) home: Home,
    pub(super) config: Config,
    proxy: Running,
    sample: Sample,
}

impl Demo {
    pub(super) fn start(directory: &Path, port: u16) -> Result<Self, Failure> {
        // A free port may be taken by another process before the proxy binds it.
        let mut attempts = if port == 0 { 5 } else { 1 };
        loop {
            attempts -= 1;
            match Self::attempt(directory, port)? {
                Err(ServeError::PortInUse { .. }) if attempts > 0 => {}
                result => return Ok(result?),
            }
        }
    }

    /// Starts once. The inner error is the proxy's.
    fn attempt(directory: &Path, port: u16) -> Result<Result<Self, ServeError>, Failure> {
        let [proxy, admin, upstream] = ports(port)?;
        let addresses = [proxy.address, admin.address, upstream.address];
        let home = Home::make(directory, addresses)?;
        let config = config_file::load(&home.config())?;
        log_as(&config.log);
        // The proxy binds its ports itself.
        drop((proxy.listener, admin.listener));
        let proxy = match crate::serve::start_with(config.clone(), routes) {
            Ok(proxy) => proxy,
            Err(error) => return Ok(Err(error)),
        };
        let sample = Sample::start(upstream.listener).map_err(Failure::trouble)?;
        Ok(Ok(Self {
            home,
            config,
            proxy,
            sample,
        }))
    }

    /// Gives the base URL of the calls.
    pub(super) fn base(&self) -> String {
        format!("http://{}", self.proxy.proxy_addr())
    }

    /// Gives the address of the console, and the secret that opens it.
    pub(super) fn console(&self) -> (String, String) {
        let address = format!("http://{}/console/", self.proxy.admin_addr());
        let secret = admin_secret::read(&self.config.admin.secret_file);
        (
            address,
            secret.map_or_else(|_| String::new(), |secret| (*secret).clone()),
        )
    }

    pub(super) fn stop(self) -> Result<(), Failure> {
        let stopped = self.proxy.stop();
        self.sample.stop();
        Ok(stopped?)
    }
}

struct Port {
    address: SocketAddr,
    listener: TcpListener,
}

/// Finds three free ports: `first` and the next two, or any.
fn ports(first: u16) -> Result<[Port; 3], Failure> {
    let open = |offset: u16| -> Result<Port, Failure> {
        let port = if first == 0 {
            Some(0)
        } else {
            first.checked_add(offset)
        };
        let port = port.ok_or_else(|| {
            Failure::Usage(format!(
                "--port {first}: three consecutive ports are needed, beginning with this one"
            ))
        })?;
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).map_err(|error| {
            Failure::Trouble(format!(
                "cannot listen on port {port} ({error}); choose another with --port, or --port 0"
            ))
        })?;
        let address = listener.local_addr().map_err(Failure::trouble)?;
        Ok(Port { address, listener })
    };
    Ok([open(0)?, open(1)?, open(2)?])
}
