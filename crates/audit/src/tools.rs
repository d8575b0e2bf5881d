//! Tools of the operator: backup, and salvage of damaged periods.

pub(crate) mod backup;
pub(crate) mod salvage;
