//! The disk below the store: free space, permissions, sectors that cannot be read, and the errors that tests inject.

pub(crate) mod bad_sectors;
pub(crate) mod faults;
pub(crate) mod permissions;
pub(crate) mod private_file;
pub(crate) mod space;
