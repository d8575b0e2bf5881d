//! What each page shows. Times are milliseconds since 1970 UTC. Texts are as they came; the templates escape them.

pub mod audit;
pub mod call;
pub mod chrome;
pub mod edit;
pub mod effect;
pub mod entry;
pub mod overview;
pub mod parts;
pub mod review;
pub mod token;
pub mod tokens;
pub mod try_it;
