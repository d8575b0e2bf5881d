//! Documents that are read, as one description.

use std::path::{Path, PathBuf};

use tokenward_openapi::{Description, Operation};
use tokenward_pdp::plural::plural;

use super::super::audit::shown;
use super::super::content;
use super::super::failure::Failure;
use super::super::output;

/// Longer documents are not read.
const LARGEST_MIB: u64 = 64;
/// Defects of a document that are shown.
const DEFECTS: usize = 3;

/// One or several documents, as one description.
pub(in super::super) struct Described {
    /// All operations.
    pub(in super::super) all: Description,
    /// The documents.
    pub(in super::super) files: Vec<DescribedFile>,
}

/// A document.
pub(in super::super) struct DescribedFile {
    pub(in super::super) path: PathBuf,
    pub(in super::super) title: String,
    pub(in super::super) version: String,
    pub(in super::super) operations: usize,
    pub(in super::super) defects: usize,
}

impl Described {
    pub(super) fn read(files: &[PathBuf]) -> Result<Self, Failure> {
        let mut all: Option<Description> = None;
        let mut documents = Vec::with_capacity(files.len());
        for path in files {
            let read = read_one(path)?;
            note_defects(path, &read);
            documents.push(DescribedFile {
                path: path.clone(),
                title: read.title.clone(),
                version: read.version.clone(),
                operations: read.operations.len(),
                defects: read.defects.len(),
            });
            match &mut all {
                None => all = Some(read),
                Some(all) => {
                    // An operation that two documents describe is one.
                    let is_new = |operation: &Operation| {
                        !all.operations.iter().any(|known| {
                            known.method == operation.method
                                && known.bases == operation.bases
                                && known.template.form() == operation.template.form()
                        })
                    };
                    let new: Vec<Operation> = read.operations.into_iter().filter(is_new).collect();
                    all.operations.extend(new);
                }
            }
        }
        match all {
            Some(all) => Ok(Self {
                all,
                files: documents,
            }),
            None => Err(Failure::Usage("no description of the API".to_owned())),
        }
    }

    pub(super) fn place_below(&mut self, base: &str) -> Result<(), Failure> {
        let base = base.trim_end_matches('/');
        if !base.is_empty() && !base.starts_with('/') {
            return Err(Failure::Usage(shown(&format!(
                "`{base}` is not a path; --base-path begins with `/`"
            ))));
        }
        for operation in &mut self.all.operations {
            operation.bases = vec![base.to_owned()].into();
        }
        Ok(())
    }

    /// The number of the operation that a name means: its `operationId`, or its method and path.
    pub(in super::super) fn find(&self, name: &str) -> Result<usize, Failure> {
        let found = self
            .all
            .find(name)
            .map_err(|error| Failure::Usage(shown(&error.to_string())))?;
        let at = self
            .all
            .operations
            .iter()
            .position(|operation| std::ptr::eq(operation, found));
        at.ok_or_else(|| Failure::Usage(shown(&format!("no operation `{name}`"))))
    }
}

/// `GET /rest/api/2/myself (getUser)`.
pub(in super::super) fn name(operation: &Operation) -> String {
    match &operation.id {
        Some(id) => format!("{} ({id})", operation.name()),
        None => operation.name(),
    }
}

/// Reads one document.
pub(in super::super) fn read_one(path: &Path) -> Result<Description, Failure> {
    let file = shown(&path.display().to_string());
    let bytes = content::read(
        path,
        LARGEST_MIB,
        "split it, or leave out its parts that are not operations",
    )?;
    let description = tokenward_openapi::read(&bytes)
        .map_err(|error| Failure::Usage(format!("`{file}`: {}", shown(&error.to_string()))))?;
    if description.operations.is_empty() {
        return Err(Failure::Usage(format!("`{file}` describes no operation")));
    }
    Ok(description)
}

fn note_defects(path: &Path, read: &Description) {
    let count = read.defects.len();
    if count == 0 {
        return;
    }
    let file = path.display();
    let mut text = format!(
        "tokenward: {file} has {count} {}; the rest was read",
        plural(count, "defect")
    );
    for defect in read.defects.iter().take(DEFECTS) {
        text.push_str(&format!("\n  {defect}"));
    }
    if count > DEFECTS {
        text.push_str(&format!("\n  and {} more", count - DEFECTS));
    }
    output::note(&text);
}
