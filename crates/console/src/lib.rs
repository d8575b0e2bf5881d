//! The pages of the console: what each page shows, as data ([`views`]), and its HTML ([`pages`]).
//!
//! This crate only renders. The admin listener gathers the data, admits people and sends the pages.
//! Every text of a view may come from a caller: templates escape it, and show hidden characters escaped.

pub mod assets;
pub mod escape;
mod line;
pub mod links;
pub mod pages;
mod plot;
#[cfg(any(test, feature = "samples"))]
pub mod samples;
mod shown;
#[cfg(test)]
mod tests;
pub mod views;

pub use shown::grouped;
