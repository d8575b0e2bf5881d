//! Kinds of entries of a tree.

use std::fmt;

/// Kind of an entry of a tree.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EntryKind {
    /// The entry is a directory.
    Directory,
    /// The entry is a regular file.
    File,
    /// The entry is a regular file that can be executed.
    Executable,
    /// The entry is a symbolic link.
    Link,
    /// The entry is a commit of another repository.
    Submodule,
    /// The entry has a name that git does not check out, such as one with `/`, or a mode that git does not write.
    Malformed,
}

impl EntryKind {
    /// Reads the kind from the mode in a tree, in octal digits.
    pub(super) fn of(mode: &[u8]) -> Self {
        match mode {
            b"40000" => Self::Directory,
            b"100644" | b"100664" => Self::File,
            b"100755" => Self::Executable,
            b"120000" => Self::Link,
            b"160000" => Self::Submodule,
            _ => Self::Malformed,
        }
    }

    /// Whether the entry is a file with content.
    pub(crate) fn is_file(self) -> bool {
        matches!(self, Self::File | Self::Executable)
    }

    /// Explains how to replace an entry of a refused kind.
    pub(super) fn cure(self) -> &'static str {
        match self {
            Self::Link => "a copy of the file or directory that it points to",
            Self::Submodule => "the files that it contains",
            Self::Directory | Self::File | Self::Executable | Self::Malformed => {
                "a regular file with an ordinary name"
            }
        }
    }
}

impl fmt::Display for EntryKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Directory => "a directory",
            Self::File => "a file",
            Self::Executable => "an executable file",
            Self::Link => "a symbolic link",
            Self::Submodule => "a submodule",
            Self::Malformed => "an entry that cannot be a file",
        })
    }
}
