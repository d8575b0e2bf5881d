//! The permit: what `proxy::forward` wants before it sends a byte.

use std::net::IpAddr;

use http::{HeaderName, HeaderValue};
use tokenward_compiler::decide::Grant;

use super::record::Recorded;
use super::{Call, RequestId, Trace};
use crate::request::Canonical;

/// The right to send one request upstream.
///
/// INVARIANT: a permit is made only from a decision's [`Grant`] and the proof that the call is recorded, for the
/// canonical request that was decided and recorded. The fields are private and no other constructor exists. The
/// upstream request is written only from these fields.
#[derive(Debug)]
pub(crate) struct Permit {
    canonical: Canonical,
    identity: Vec<(HeaderName, HeaderValue)>,
    id: RequestId,
    client: IpAddr,
    trace: Trace,
}

impl Permit {
    /// Takes the grant and the proof: neither can serve twice.
    pub(crate) fn new(
        _grant: Grant,
        _recorded: Recorded,
        call: &Call,
        canonical: Canonical,
        identity: Vec<(HeaderName, HeaderValue)>,
    ) -> Self {
        Self {
            canonical,
            identity,
            id: call.id,
            client: call.client,
            trace: call.trace.clone(),
        }
    }

    /// The request that was judged.
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

    /// The trace that it is part of.
    pub(crate) fn trace(&self) -> &Trace {
        &self.trace
    }

    /// Address of the client.
    pub(crate) fn client(&self) -> IpAddr {
        self.client
    }
}
