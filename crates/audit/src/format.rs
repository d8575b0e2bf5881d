//! The stored form, bytes to values and back. It is total, and opens no file.

pub(crate) mod batch;
pub(crate) mod block;
pub(crate) mod bytes;
pub(crate) mod chain;
pub(crate) mod decode;
pub(crate) mod encode;
pub(crate) mod evidence;
pub(crate) mod frame;
pub(crate) mod text_table;
