//! The pages of the console: what each page shows, as data ([`views`]), and where it is ([`links`]).
//!
//! This crate only renders. The admin listener gathers the data, admits people and sends the pages.
//! Every text of a view may come from a caller: templates escape it, and show hidden characters escaped.

pub mod links;
pub mod views;
