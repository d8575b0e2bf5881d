//! The proxy's part in the engine of its fleet (NATS): it follows manifests and revocations, proves that it knows them, and writes
//! back what the engine lost. `tokenward_engine` has the connection; `tokenward_fleet` has the rules.

mod first;
mod fresh;
mod held;
mod known;
mod link;
mod part;
mod pending;
mod revoke;
mod session;
mod settings;
mod told;
mod write_back;

pub(crate) use fresh::EngineStatus;
pub(super) use held::Held;
pub(crate) use link::Link;
pub(super) use part::Part;
pub(crate) use pending::Pending;
pub(crate) use revoke::{Outcome, revoke};
pub(crate) use settings::{block_on, connect};
