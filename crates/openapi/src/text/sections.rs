//! The sections of a document.

/// Whether a section of this name, at the top level, can say something about operations and their calls. Others count only if a
/// reference leads to them.
pub(super) fn says_about_calls(section: &str) -> bool {
    let is_other = ["info", "tags", "externalDocs", "webhooks"].contains(&section);
    !is_other && !section.starts_with("x-")
}

/// The section that a reference within the document leads to, if it is one that counts only for that. A text that is not a reference and
/// looks like one does no harm.
pub(super) fn of_reference(text: &str) -> Option<&str> {
    let section = text.strip_prefix("#/")?.split('/').next()?;
    (!says_about_calls(section)).then_some(section)
}
