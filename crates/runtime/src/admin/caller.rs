//! Who is admitted, by which way, and with which rights.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, UdpSocket};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};
use tokenward_pdp::config::Role;
use tokenward_pdp::text::bounded;

use super::admission::Presented;
use super::certificate::PeerCertificate;
use super::error::AdminError;
use super::sessions::SessionId;
use super::state::AdminState;

/// Header with the token of forms, for requests of scripts.
const FORM_TOKEN: &str = "x-csrf-token";
/// Longest name of a person in a record, in bytes.
const LONGEST_NAME: usize = 256;

/// Somebody who was admitted.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    pub(crate) role: Role,
    /// Name of the person, or the way of admission.
    pub(crate) who: String,
    /// Address that the request came from.
    pub(crate) from: IpAddr,
    way: Way,
}

/// The way by which somebody was admitted. Browsers send all but the first by themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Way {
    /// The secret itself, as a Bearer token.
    Secret,
    Session(SessionId),
    /// The fingerprint of the client's certificate.
    Certificate([u8; 32]),
    /// The name in the header of a trusted proxy.
    Header(String),
}

impl Caller {
    /// Fails if the caller's role does not include `role`.
    pub(crate) fn may(&self, role: Role) -> Result<(), AdminError> {
        if self.role >= role {
            Ok(())
        } else {
            Err(AdminError::Role {
                has: self.role,
                needs: role,
            })
        }
    }

    /// The token of the caller's forms.
    pub(crate) fn form_token(&self, state: &AdminState) -> String {
        state.sessions.form_token(&self.subject())
    }

    /// Fails unless a request that changes something was meant: it presents the secret itself, or the token of the caller's forms.
    pub(crate) fn meant(&self, state: &AdminState, token: Option<&str>) -> Result<(), AdminError> {
        let is_meant = self.way == Way::Secret
            || token.is_some_and(|token| state.sessions.is_form_token(&self.subject(), token));
        if is_meant {
            Ok(())
        } else {
            Err(AdminError::FormToken)
        }
    }

    /// Does the same for a request of a script, which has the token in a header.
    pub(crate) fn meant_by(&self, state: &AdminState, request: &HttpRequest) -> Result<(), AdminError> {
        let mut fields = request.headers().get_all(FORM_TOKEN);
        let token = fields.next().and_then(|field| field.to_str().ok());
        self.meant(state, token)
    }

    /// The session to end at logout, if there is one.
    pub(crate) fn session(&self) -> Option<SessionId> {
        match self.way {
            Way::Session(id) => Some(id),
            _ => None,
        }
    }

    /// Whether the caller is still admitted. Only a session ends while a response is sent.
    pub(super) fn is_admitted(&self, state: &AdminState) -> bool {
        self.session().is_none_or(|id| state.sessions.has(&id))
    }

    fn subject(&self) -> Vec<u8> {
        let (kind, id): (&[u8], &[u8]) = match &self.way {
            Way::Secret => (b"secret", b""),
            Way::Session(id) => (b"session", id),
            Way::Certificate(print) => (b"certificate", print),
            Way::Header(name) => (b"header", name.as_bytes()),
        };
        [kind, b":", id].concat()
    }
}

impl FromRequest for Caller {
    type Error = AdminError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, AdminError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let state = request
                .app_data::<web::Data<AdminState>>()
                .ok_or(AdminError::NotAdmitted)?;
            of(state, &request).await
        })
    }
}

/// The address that a request came from.
pub(crate) fn address(request: &HttpRequest) -> IpAddr {
    let peer = request.peer_addr();
    peer.map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| {
        address.ip().to_canonical()
    })
}

/// Admits the sender of a request. If it presents a secret, only this counts.
async fn of(state: &AdminState, request: &HttpRequest) -> Result<Caller, AdminError> {
    let from = address(request);
    let caller = |role, who: String, way| Caller { role, who, from, way };
    let presented = state.admission.presented(request);
    if presented != Presented::Nothing {
        // The path of the route, not that of the request, which its sender chooses.
        let path = request.match_pattern().unwrap_or_default();
        state.admit(presented, from, &path).await?;
        return Ok(caller(Role::Operator, SECRET.to_owned(), Way::Secret));
    }
    if let Some(session) = state.sessions.of(request) {
        return Ok(caller(Role::Operator, SECRET.to_owned(), Way::Session(session)));
    }
    if let Some((print, role)) = by_certificate(state, request) {
        let who = format!("certificate {}", hex::encode(print));
        return Ok(caller(role, who, Way::Certificate(print)));
    }
    match by_header(state, request, from)? {
        Some((name, role)) => {
            let who = bounded(&name, LONGEST_NAME);
            Ok(caller(role, who, Way::Header(name)))
        }
        None => Err(AdminError::NotAdmitted),
    }
}

/// The name of those who present the secret.
pub(crate) const SECRET: &str = "admin secret";

fn by_certificate(state: &AdminState, request: &HttpRequest) -> Option<([u8; 32], Role)> {
    let people = state.config.admin.client_certificates.as_ref()?;
    let PeerCertificate(print) = *request.conn_data::<PeerCertificate>()?;
    people.roles.get(&print).map(|role| (print, *role))
}

/// The person that a trusted proxy names.
fn by_header(
    state: &AdminState,
    request: &HttpRequest,
    from: IpAddr,
) -> Result<Option<(String, Role)>, AdminError> {
    let Some(identity) = &state.config.admin.identity else {
        return Ok(None);
    };
    if !identity.proxies.iter().any(|proxy| proxy.contains(&from)) {
        return Ok(None);
    }
    if request.peer_addr().is_some_and(is_own) {
        return Ok(None);
    }
    let mut fields = request.headers().get_all(&identity.header);
    let (Some(field), None) = (fields.next(), fields.next()) else {
        return Ok(None);
    };
    let name = std::str::from_utf8(field.as_bytes()).map_err(|_| AdminError::NotListed)?;
    let role = identity.roles.get(name).ok_or(AdminError::NotListed)?;
    Ok(Some((name.to_owned(), *role)))
}

/// Whether a connection came from an address of this machine other than a loopback address, which the configuration admits to no
/// list. Any process of the machine can connect from there, and so send the header.
fn is_own(mut peer: SocketAddr) -> bool {
    peer.set_ip(peer.ip().to_canonical());
    peer.set_port(0);
    if peer.ip().is_loopback() {
        return false;
    }
    // Only an address of another machine cannot be bound. If that cannot be known, nobody is admitted.
    match UdpSocket::bind(peer) {
        Ok(_) => true,
        Err(error) => error.kind() != ErrorKind::AddrNotAvailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_of_this_machine_are_known() {
        // An address for documentation, which no machine has.
        assert!(!is_own(SocketAddr::from(([192, 0, 2, 7], 443))));
        // The way to another machine tells an own address; nothing is sent. A machine without a network has none.
        let socket = UdpSocket::bind(("0.0.0.0", 0)).unwrap();
        if socket.connect(("192.0.2.7", 9)).is_ok() {
            let own = socket.local_addr().unwrap();
            assert!(own.ip().is_loopback() || is_own(own), "{own}");
        }
    }
}
