//! Who is admitted: requests with the admin secret.

use std::net::{IpAddr, Ipv4Addr};
use std::pin::Pin;

use actix_web::dev::Payload;
use actix_web::{FromRequest, HttpRequest, web};

use super::error::AdminError;
use super::state::AdminState;

/// Proof that a request had the secret.
pub(crate) struct Operator;

impl FromRequest for Operator {
    type Error = AdminError;
    type Future = Pin<Box<dyn Future<Output = Result<Self, AdminError>>>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let request = request.clone();
        Box::pin(async move {
            let state = request
                .app_data::<web::Data<AdminState>>()
                .ok_or(AdminError::NotAdmitted)?;
            let from = request
                .peer_addr()
                .map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |address| address.ip());
            // The path of the route, not that of the request, which its sender chooses.
            let path = request.match_pattern().unwrap_or_default();
            let presented = state.admission.presented(&request);
            state.admission.admit(presented, from, &path).await?;
            Ok(Operator)
        })
    }
}
