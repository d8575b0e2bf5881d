//! The compiler's findings about a policy as data: many per run, in source order, rendered elsewhere.

mod code;
mod finding;
mod nearest;
mod render_json;
mod render_text;
mod severity;

pub use code::Code;
pub use finding::{Diagnostic, Elsewhere, Label, Witness, sort};
pub use nearest::nearest;
pub use render_json::render_json;
pub use render_text::{SHOWN, render_some, render_text};
pub use severity::Severity;
