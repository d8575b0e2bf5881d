//! Records what people do at the listener, in the log and in the audit.

use std::net::IpAddr;

use super::admission::Presented;
use super::caller::Caller;
use super::error::AdminError;
use super::state::AdminState;

impl AdminState {
    /// Records an action of an admitted caller. An action that the disk does not take is in the log alone: a revocation must not
    /// wait for a full disk.
    pub(crate) async fn record(&self, caller: &Caller, action: &str, text: &str) {
        self.record_of((&caller.who, caller.from), action, text).await;
    }

    async fn record_of(&self, (who, from): (&str, IpAddr), action: &str, text: &str) {
        tracing::info!(who, client = %from, action, text, "admin action");
        if let Err(error) = self.audit.append_admin(who, from, action, text).await {
            tracing::error!(
                action,
                error = error.to_string(),
                "cannot write an admin action to the audit; it is in the log only"
            );
        }
    }

    /// Admits a caller by the secret. A failure is recorded.
    pub(super) async fn admit(
        &self,
        presented: Presented,
        from: IpAddr,
        path: &str,
    ) -> Result<(), AdminError> {
        if presented == Presented::Wrong && self.failed_logins.is_recorded() {
            self.record_of(("unknown", from), "failed login", path).await;
        }
        self.admission.admit(presented, from, path).await
    }

    /// Admits somebody who enters the secret in the form, and begins a session. Gives the value of `Set-Cookie`.
    pub(crate) async fn log_in(&self, secret: &str, from: IpAddr, path: &str) -> Result<String, AdminError> {
        self.admit(self.admission.compared(secret), from, path).await?;
        let cookie = self.sessions.begin().map_err(|_| AdminError::Stopping)?;
        self.record_of((super::caller::SECRET, from), "login", "").await;
        Ok(cookie)
    }

    /// Ends the session of a caller. Gives the value of `Set-Cookie`.
    pub(crate) async fn log_out(&self, caller: &Caller) -> String {
        let cookie = self.sessions.end(caller.session());
        self.record(caller, "logout", "").await;
        cookie
    }
}
