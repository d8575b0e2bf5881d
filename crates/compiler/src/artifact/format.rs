//! The constants of the format.

/// The first bytes of every artifact.
pub const MAGIC: &[u8; 8] = b"TWPOLICY";
/// The format that this version writes, and the only one that it reads.
pub const FORMAT: u16 = 6;
/// The version of the language, which an artifact carries. It is raised when the meaning of a line changes. The proxy refuses
/// an artifact of another version, since its lines were compiled to a meaning that this version does not give them.
pub const LANGUAGE: u16 = 2;
/// Bytes in front of the sections.
pub const HEADER: usize = 113;

/// The usual ending of an artifact's name.
pub const EXTENSION: &str = "twp";

/// The sections, in order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u32)]
pub(super) enum Section {
    Lines = 1,
    Values = 2,
    Urls = 3,
    Names = 4,
    Paths = 5,
    Constraints = 6,
    Rules = 7,
    Tokens = 8,
}
