//! The permit, without which `proxy::forward` sends nothing.

use std::net::IpAddr;

use http::{HeaderName, HeaderValue};
use tokenward_compiler::decide::Grant;
use tokenward_pdp::request::Canonical;

use super::record::Recorded;
use super::{Call, RequestId, Trace};
use crate::identity::IdentityHeaders;
use crate::limiter::{Admitted, InFlight};
use crate::live::TokenValidity;

/// The right to send one request upstream.
///
/// INVARIANT: a permit is made only from a decision's [`Grant`] and the proof that the call is recorded, for the
/// canonical request that was decided and recorded. The fields are private and no other constructor exists. The
/// upstream request is written only from these fields.
#[derive(Debug)]
pub(crate) struct Permit {
    canonical: Box<Canonical>,
    identity: IdentityHeaders,
    id: RequestId,
    client: IpAddr,
    trace: Trace,
    validity: Option<TokenValidity>,
    admitted: Option<Admitted>,
    // The call is in progress until its upstream request has ended.
    _in_flight: Option<InFlight>,
}

impl Permit {
    /// Consumes the grant and the proof, so that each is used only once.
    pub(crate) fn new(
        _grant: Grant,
        _recorded: Recorded,
        call: &Call,
        canonical: Box<Canonical>,
        identity: IdentityHeaders,
    ) -> Self {
        Self {
            canonical,
            identity,
            id: call.id,
            client: call.client,
            trace: call.trace.clone(),
            validity: call.validity.clone(),
            admitted: call.admitted.clone(),
            _in_flight: call.in_flight.clone(),
        }
    }

    /// Gives the validity of the call's token.
    pub(crate) fn validity(&self) -> Option<&TokenValidity> {
        self.validity.as_ref()
    }

    /// Whether a limit of concurrent calls applies to the call.
    pub(crate) fn is_concurrent(&self) -> bool {
        self.admitted.as_ref().is_some_and(Admitted::is_concurrent)
    }

    /// Gives the request that was judged.
    pub(crate) fn canonical(&self) -> &Canonical {
        &self.canonical
    }

    /// The headers that name the user to the upstream.
    pub(crate) fn identity(&self) -> &[(HeaderName, HeaderValue)] {
        &self.identity
    }

    /// The proxy's id of the request.
    pub(crate) fn id(&self) -> &RequestId {
        &self.id
    }

    /// Gives the trace that the request belongs to.
    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Address of the client.
    pub(crate) fn client(&self) -> IpAddr {
        self.client
    }
}
