//! `tokenward demo`: a sample upstream, example policies, the proxy and the audit in one process, and calls to try.

use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::Path;

use tokio::signal::unix::{SignalKind, signal};

use crate::cli::{Failure, log_as, print};
use crate::config::Config;
use crate::serve::{Running, ServeError};

mod calls;
mod check;
mod home;
mod sample;

use home::Home;
use sample::Sample;

/// Where the demo lives, so that its policies are at hand.
const PLACE: &str = ".tokenward-demo";

/// Runs the demo on `port` and the two that follow (0: free ones) until Ctrl-C. With `check`, instead, makes every call
/// that it would print and compares.
///
/// # Errors
/// A port or directory that cannot be had; in a check, an answer other than what was said.
pub(crate) fn run(port: u16, check: bool) -> Result<(), Failure> {
    if check {
        let directory = std::env::temp_dir().join(format!("tokenward-demo-{}", std::process::id()));
        let result = Demo::start(&directory, 0).and_then(|demo| {
            let result = check::run(&demo);
            result.and(demo.stop())
        });
        // What is left of a failed check is what its reader needs.
        if result.is_ok() {
            let _ = std::fs::remove_dir_all(&directory);
        }
        return result;
    }
    let demo = Demo::start(Path::new(PLACE), port)?;
    print(&calls::screen(&demo.home, &demo.base()))?;
    wait_for_the_end()?;
    print("\nStopping.\n")?;
    demo.stop()
}

/// All that runs.
struct Demo {
    home: Home,
    config: Config,
    proxy: Running,
    sample: Sample,
}

impl Demo {
    fn start(directory: &Path, port: u16) -> Result<Self, Failure> {
        // A port that was free a moment ago may be taken by the time that the proxy binds it.
        let mut attempts = if port == 0 { 5 } else { 1 };
        loop {
            attempts -= 1;
            match Self::attempt(directory, port)? {
                Err(ServeError::PortInUse { .. }) if attempts > 0 => {}
                result => return Ok(result?),
            }
        }
    }

    /// The inner error is the proxy's.
    fn attempt(directory: &Path, port: u16) -> Result<Result<Self, ServeError>, Failure> {
        let [proxy, admin, upstream] = ports(port)?;
        let addresses = [proxy.address, admin.address, upstream.address];
        let home = Home::make(directory, addresses)?;
        let config = Config::load(&home.config())?;
        log_as(&config.log);
        // The proxy binds its ports itself.
        drop((proxy.listener, admin.listener));
        let proxy = match crate::serve::start(config.clone()) {
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

    /// The URL that calls begin with.
    fn base(&self) -> String {
        format!("http://{}", self.proxy.proxy_addr())
    }

    fn stop(self) -> Result<(), Failure> {
        let stopped = self.proxy.stop();
        self.sample.stop();
        Ok(stopped?)
    }
}

struct Port {
    address: SocketAddr,
    listener: TcpListener,
}

/// Three ports that no one has: `first` and those that follow, or any.
fn ports(first: u16) -> Result<[Port; 3], Failure> {
    let open = |offset: u16| -> Result<Port, Failure> {
        let port = if first == 0 {
            Some(0)
        } else {
            first.checked_add(offset)
        };
        let port = port
            .ok_or_else(|| Failure::Usage(format!("--port {first}: three ports are needed from there on")))?;
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

/// Ctrl-C or SIGTERM.
fn wait_for_the_end() -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Failure::trouble)?.block_on(async {
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::trouble)?;
        tokio::select! {
            pressed = tokio::signal::ctrl_c() => pressed.map_err(Failure::trouble),
            _ = terminate.recv() => Ok(()),
        }
    })
}
