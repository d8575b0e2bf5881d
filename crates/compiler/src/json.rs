//! The one reading of JSON bodies: a strict RFC 8259 reader that keeps only the nodes asked for.
//!
//! The policy is decided on this reading and the upstream acts on its own, so anything that servers are known to read in
//! more than one way is an error here: duplicate names, control characters in names, names that equal a wanted one but
//! for their case. The grammar is exactly RFC 8259's, with nothing beyond it: UTF-8 without a byte-order mark, no
//! comments, no trailing commas, no lone surrogates, nesting to [`MAX_DEPTH`].
//!
//! ```
//! use tokenward_compiler::json::{self, Path, Step};
//!
//! let labels = Path(vec![Step::Name("fields".into()), Step::Name("labels".into()), Step::Each]);
//! let mut wanted = json::Wanted::new();
//! let slot = wanted.node(&labels);
//!
//! let nodes = json::read(br#"{"fields": {"labels": ["a", "b"]}}"#, &wanted)?;
//! let texts: Vec<_> = nodes.node(slot).values.iter().map(|value| &*value.text).collect();
//! assert_eq!(texts, ["a", "b"]);
//! # Ok::<(), json::ReadError>(())
//! ```

mod error;
pub(crate) mod fold;
mod names;
mod nodes;
mod number;
mod path;
mod reader;
mod scan;
mod text;
mod wanted;

#[cfg(test)]
mod tests;

pub use error::ReadError;
pub use fold::case_key;
pub use nodes::{Kind, Kinds, Node, Nodes, Scalar};
pub use path::{Path, Step};
pub use reader::MAX_DEPTH;
pub use wanted::{Slot, Wanted};

/// Reads a body, and keeps the wanted nodes.
///
/// The whole body is checked, including parts that no path wants. An empty body is not JSON; callers that treat it as an
/// empty object use [`Nodes::empty_object`]. Time is linear in the body (for each place in it, also in the number of
/// names wanted at that place), and so is memory: at most one entry for each wanted value and for each name in the
/// objects that are open at one time.
///
/// # Errors
///
/// The first of the errors in the body, except that invalid UTF-8 comes before all others.
pub fn read<'b>(body: &'b [u8], wanted: &Wanted<'_>) -> Result<Nodes<'b>, ReadError> {
    let text = std::str::from_utf8(body).map_err(|error| ReadError::NotJson {
        offset: error.valid_up_to(),
        what: "invalid UTF-8",
    })?;
    reader::read(text, wanted)
}
