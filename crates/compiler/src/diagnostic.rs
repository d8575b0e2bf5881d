//! The compiler's findings about a policy as data: many per run, in source order, rendered elsewhere.

mod code;
mod finding;
mod fix;
mod identity;
mod nearest;
mod offer;
mod operations;
mod render_github;
mod render_gitlab;
mod render_json;
mod render_junit;
mod render_sarif;
mod render_text;
mod report;
mod severity;
mod witness;

pub use code::Code;
pub use finding::{Diagnostic, Elsewhere, Label, sort};
pub use fix::{Edit, Fix, Lost, Proof, Unproved};
pub use identity::{Identity, Subject, identities};
pub use nearest::nearest;
pub use offer::Offer;
pub use operations::listed;
pub use render_github::{GitHub, render_github};
pub use render_gitlab::render_gitlab;
pub use render_json::render_json;
pub use render_junit::{render_junit, xml_text};
pub use render_sarif::render_sarif;
pub use render_text::{SHOWN, render_some, render_text};
pub use report::{Correction, Finding, Place, Report};
pub use severity::Severity;
pub use witness::Witness;
