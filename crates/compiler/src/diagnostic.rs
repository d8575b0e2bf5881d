//! The compiler's findings about a policy as data: many per run, in source order, rendered elsewhere.

mod code;
mod finding;
mod identity;
mod nearest;
mod render_github;
mod render_gitlab;
mod render_json;
mod render_junit;
mod render_sarif;
mod render_text;
mod report;
mod severity;

pub use code::Code;
pub use finding::{Diagnostic, Elsewhere, Fix, Label, Witness, sort};
pub use identity::{Identity, Subject, identities};
pub use nearest::nearest;
pub use render_github::{GitHub, render_github};
pub use render_gitlab::render_gitlab;
pub use render_json::render_json;
pub use render_junit::{render_junit, xml_text};
pub use render_sarif::render_sarif;
pub use render_text::{SHOWN, render_some, render_text};
pub use report::{Finding, Place, Report};
pub use severity::Severity;
