//! Short TLS connections that resume a session.

use std::io::{BufReader, Write};
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use rustls::client::Resumption;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, RootCertStore, StreamOwned};
use rustls_pki_types::pem::PemObject;
use rustls_pki_types::{CertificateDer, ServerName};

use crate::{Failure, response};

/// Sends requests for the given time, each on its own connection, and prints how many of the connections resumed a session.
pub(crate) fn run(
    port: u16,
    requests: &[Vec<u8>],
    authority: &Path,
    time: Duration,
    connections: usize,
) -> Result<(), Failure> {
    let config = config(authority)?;
    let begun = Instant::now();
    let (sent, resumed) = thread::scope(|scope| {
        let lanes: Vec<_> = (0..connections)
            .map(|lane| {
                // Each lane resumes its own sessions: of those that all share, two lanes would take the same one.
                let mut config = config.clone();
                config.resumption = Resumption::in_memory_sessions(8);
                let config = Arc::new(config);
                scope.spawn(move || {
                    let (mut sent, mut resumed) = (0_usize, 0_usize);
                    for request in requests.iter().cycle().skip(lane) {
                        if begun.elapsed() >= time {
                            break;
                        }
                        resumed += usize::from(call(port, &config, request)?);
                        sent += 1;
                    }
                    Ok::<_, Failure>((sent, resumed))
                })
            })
            .collect();
        let mut all = (0, 0);
        for lane in lanes {
            let (sent, resumed) = lane.join().map_err(|_| "a thread panicked")??;
            all = (all.0 + sent, all.1 + resumed);
        }
        Ok::<_, Failure>(all)
    })?;
    println!(
        "sent {sent} resumed {resumed} micros {}",
        begun.elapsed().as_micros()
    );
    Ok(())
}

/// Makes a call on a new connection. Returns whether the connection resumed a session.
fn call(port: u16, config: &Arc<ClientConfig>, request: &[u8]) -> Result<bool, Failure> {
    let stream = TcpStream::connect(("127.0.0.1", port))?;
    stream.set_nodelay(true)?;
    let session = ClientConnection::new(Arc::clone(config), ServerName::try_from("localhost")?)?;
    let mut answers = BufReader::new(StreamOwned::new(session, stream));
    answers.get_mut().write_all(request)?;
    response::read(&mut answers)?;
    let stream = answers.get_mut();
    let resumed = stream.conn.handshake_kind() == Some(HandshakeKind::Resumed);
    stream.conn.send_close_notify();
    stream.flush()?;
    Ok(resumed)
}

fn config(authority: &Path) -> Result<ClientConfig, Failure> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_file(authority)?)?;
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    Ok(ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth())
}
