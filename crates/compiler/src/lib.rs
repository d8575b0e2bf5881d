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
pub mod ast;
pub mod decide;
pub mod diagnostic;
pub mod ir;
pub mod json;
pub mod method;
pub mod parse;
pub mod policy;
pub mod regexp;
pub mod seal;
pub mod secret;
pub mod source;
pub mod tokens;

mod base_url;
mod check;
mod grammar;
mod hidden;
mod lower;
mod opt;
mod resolve;
mod written;

pub use base_url::{BaseUrl, BaseUrlError};
pub use check::exact::{Exact, exact};
pub use hidden::is_hidden;
pub use written::Written;

use diagnostic::{Diagnostic, Severity};
use source::SourceSet;

/// What compiling gives.
#[derive(Debug)]
pub struct Compilation {
    /// The program, unbound; `None` if any diagnostic is an error.
    pub program: Option<ir::Program>,
    /// Everything there is to say, in source order.
    pub diagnostics: Vec<Diagnostic>,
    /// SHA-256 of the secrets of revoked tokens, from every file that parses: these count even where the policy does not
    /// compile.
    pub revoked: Vec<[u8; 32]>,
    /// Where the program's lines and tokens stand.
    pub written: Written,
}

/// Compiles a policy, whatever its seals: source → pairs → AST → resolved policy → program.
#[must_use]
pub fn compile(sources: &SourceSet) -> Compilation {
    let mut diagnostics = Vec::new();
    let mut lowering = lower::Lowering::new(sources);
    let resolved = resolve::resolve(sources, &mut diagnostics, |token, diagnostics| {
        lowering.add(&token, diagnostics)
    });
    let (program, mut written) = lowering.finish();
    check::secrets(sources, &mut diagnostics);
    written.allowed = resolved.allowed;
    written.allow(&mut diagnostics);
    diagnostic::sort(&mut diagnostics);
    let failed = diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error);
    Compilation {
        program: (!failed).then_some(program),
        diagnostics,
        revoked: resolved.revoked,
        written,
    }
}

/// Compiles a policy for a mode: in secure mode a token without a valid seal keeps it from compiling. Seals are looked at
/// once all else is right.
#[must_use]
pub fn compile_for(sources: &SourceSet, mode: &seal::Mode) -> Compilation {
    let mut compilation = compile(sources);
    seal::check(sources, mode, &mut compilation);
    compilation
}

/// The resolved policy by itself, without what keeps it from compiling: for analysis, and for oracles.
#[must_use]
pub fn resolve_policy(sources: &SourceSet) -> policy::Policy {
    let mut tokens = Vec::new();
    resolve::resolve(sources, &mut Vec::new(), |token, _| tokens.push(token));
    policy::Policy { tokens }
}
