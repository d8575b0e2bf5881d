//! Reads descriptions of APIs: OpenAPI 3.0 to 3.2 and Swagger 2, in JSON or YAML.
//!
//! [`read`] takes the bytes of a document and returns a [`Description`]: its operations with their paths, parameters and bodies.
//! A document may be wrong in many places and still be useful, so a mistake in it is a [`Defect`], and the rest is read. A
//! document without any usable part is an [`Error`]. Documents are untrusted: reading never panics, and its time and memory are
//! bounded.
//!
//! ```
//! let document = br#"{
//!     "openapi": "3.1.0", "info": {"title": "Notes", "version": "1"}, "servers": [{"url": "https://notes.example/api"}],
//!     "paths": {"/note/{id}": {"delete": {"operationId": "deleteNote"}}}
//! }"#;
//! let notes = tokenward_openapi::read(document)?;
//! let found = notes.find("deleteNote")?;
//! assert_eq!(found.name(), "DELETE /api/note/{id}");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod compare;
mod error;
mod lookup;
mod model;
mod read;
mod text;

pub use compare::{Comparison, Moved, compare};
pub use error::Error;
pub use lookup::NotFound;
pub use model::{
    Body, Defect, Description, Dialect, Kind, Location, Operation, Parameter, Piece, Property, Segment,
    Shape, Template,
};
pub use read::read;
