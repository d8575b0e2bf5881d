//! The certificate that a client of the listener presented.

use std::any::Any;

use actix_tls::accept::rustls_0_23::TlsStream;
use actix_web::dev::Extensions;
use sha2::{Digest, Sha256};
use tokio::net::TcpStream;

/// SHA-256 of a client's certificate, which an accepted authority has signed.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerCertificate(pub(super) [u8; 32]);

impl PeerCertificate {
    /// Notes the certificate of a new connection, if its client presented one.
    pub(crate) fn note(connection: &dyn Any, data: &mut Extensions) {
        let stream = connection.downcast_ref::<TlsStream<TcpStream>>();
        let presented = stream.and_then(|stream| stream.get_ref().1.peer_certificates());
        if let Some(own) = presented.and_then(|chain| chain.first()) {
            data.insert(Self(Sha256::digest(own).into()));
        }
    }
}
