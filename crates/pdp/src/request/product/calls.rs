//! The calls of each product, by class, with one file of data per product. `docs/calls.md` shows them.

mod atlassian;
mod confluence;
mod generic;
mod gitlab;
mod jira;
mod redmine;

pub(super) use atlassian::CALLS as ATLASSIAN;
pub(super) use confluence::CALLS as CONFLUENCE;
pub(super) use generic::CALLS as GENERIC;
pub(super) use gitlab::CALLS as GITLAB;
pub(super) use jira::CALLS as JIRA;
pub(super) use redmine::CALLS as REDMINE;

use crate::request::calls::{Call, Class, Group, Source};
