//! Documents that are read, as one description.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use tokenward_openapi::{Defect, Description, Location, Operation, Shape};
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
    /// Mistakes in the document.
    pub(in super::super) defects: Vec<Defect>,
}

impl DescribedFile {
    /// Mistakes by which operations or calls are missing.
    pub(in super::super) fn losses(&self) -> impl Iterator<Item = &Defect> {
        self.defects.iter().filter(|defect| defect.is_loss)
    }
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
                defects: read.defects.clone(),
            });
            match &mut all {
                None => all = Some(read),
                Some(all) => join(all, read.operations),
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

    /// Explains that operations or calls are missing, of which a question may be: about one operation, or about all.
    pub(in super::super) fn lost(&self, operation: Option<&Operation>) -> Option<String> {
        let concerns = |defect: &&Defect| operation.is_none_or(|operation| defect.may_concern(operation));
        let mut places = self.files.iter().flat_map(|file| {
            let losses = file.losses().filter(concerns);
            losses.map(move |defect| format!("{}: {defect}", file.path.display()))
        });
        let first = places.next()?;
        let more = match places.count() {
            0 => String::new(),
            count => format!(", and {count} more"),
        };
        Some(shown(&format!(
            "operations may be missing, since a part of the description could not be read ({first}{more}); \
             `tokenward reach --defects` lists all places"
        )))
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

/// Adds the operations of a further document. An operation that two documents describe is one; a parameter in its path that they
/// describe in different ways may have any text.
fn join(all: &mut Description, operations: Vec<Operation>) {
    let key = |operation: &Operation| {
        let form = operation.template.form();
        (operation.method.clone(), operation.bases.clone(), form)
    };
    let mut known: HashMap<_, usize> = HashMap::new();
    for (at, operation) in all.operations.iter().enumerate() {
        known.entry(key(operation)).or_insert(at);
    }
    for operation in operations {
        let at = *known.entry(key(&operation)).or_insert(all.operations.len());
        match all.operations.get_mut(at) {
            Some(before) => widen(before, &operation),
            None => all.operations.push(operation),
        }
    }
}

fn widen(operation: &mut Operation, other: &Operation) {
    let names: Vec<&str> = other.template.parameters().collect();
    let own: Vec<String> = operation.template.parameters().map(str::to_owned).collect();
    for (name, other_name) in own.iter().zip(names) {
        let Some(other) = other.path_parameter(other_name) else {
            continue;
        };
        let is_own = |parameter: &&mut tokenward_openapi::Parameter| {
            parameter.location == Location::Path && parameter.name == *name
        };
        if let Some(parameter) = operation.parameters.iter_mut().find(is_own) {
            parameter.multi_segment |= other.multi_segment;
            if parameter.shape != other.shape {
                parameter.shape = Shape::default();
            }
        }
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
    if file == "-" {
        return Err(Failure::Usage(
            "a description is not read from standard input; save it to a file".to_owned(),
        ));
    }
    if file.starts_with("http://") || file.starts_with("https://") {
        return Err(Failure::Usage(format!(
            "`{file}` is a URL, and descriptions are read from files; save it first, as in `curl -o api.json {file}`"
        )));
    }
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
    // Those that cost operations come first.
    let others = read.defects.iter().filter(|defect| !defect.is_loss);
    for defect in read.losses().chain(others).take(DEFECTS) {
        text.push_str(&format!("\n  {defect}"));
    }
    if count > DEFECTS {
        text.push_str(&format!(
            "\n  and {} more; `tokenward reach --defects` lists all",
            count - DEFECTS
        ));
    }
    output::note(&text);
}
