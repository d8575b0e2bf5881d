//! Compiles token policies into a program that decides requests.
//!
//! ```
//! use tokenward_compiler::{BaseUrl, compile, decide::{Body, Decision, Request, decide}, method::Method, source::SourceSet};
//!
//! let file = r#"
//! [[token]]
//! name = "reader"
//! user = "svc"
//! secret_hash = "sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b"
//! expires = 2030-01-01T00:00:00Z
//! limit_to = '[get]/rest/api/2/issue/KANBAN-[0-9]+'
//! "#;
//! let sources = SourceSet::from_files([("ci.toml".to_owned(), file.to_owned())]);
//! let program = compile(&sources).program.unwrap().bind(&BaseUrl::parse("https://jira.example.com").unwrap()).unwrap();
//! let (token, _) = program.tokens().next().unwrap();
//! let request = |path| Request { token, method: Method::Get, path, query: &[], body: Body::Absent };
//! assert!(matches!(decide(&program, &request("/rest/api/2/issue/KANBAN-7")), Decision::Allow(_)));
//! assert!(matches!(decide(&program, &request("/rest/api/2/issue/HR-1")), Decision::Deny(_)));
//! ```

pub mod analysis;
pub mod artifact;
pub mod ask;
pub mod assemble;
pub mod ast;
pub mod baseline;
pub mod call_limits;
pub mod ceiling;
pub mod closest;
pub mod decide;
pub mod diagnostic;
pub mod earlier;
pub mod findings;
pub mod fix;
pub mod format;
pub mod invariants;
pub mod ir;
pub mod json;
pub mod lint;
pub mod look_alike;
pub mod method;
pub mod mutate;
pub mod parse;
pub mod policy;
pub mod range;
pub mod reach;
pub mod regexp;
pub mod revoked;
pub mod seal;
pub mod secret;
pub mod source;
pub mod test_cases;
pub mod tokens;
pub mod units;

mod base_url;
mod bind;
mod blame;
mod check;
mod compile;
mod dead;
mod grammar;
mod hidden;
mod language;
mod lower;
mod opt;
mod param;
mod partial;
mod resolve;
mod source_map;
mod visible;

pub use base_url::{BaseUrl, BaseUrlError};
pub use bind::BindError;
pub use check::user_name::{UserNameFault, user_name_fault};
pub use compile::{Compilation, compile, compile_for, compile_within, resolve_policy};
pub use hidden::is_hidden;
pub use partial::Partial;
pub use source_map::SourceMap;
pub use visible::visible;
