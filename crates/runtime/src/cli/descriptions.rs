//! Descriptions of the protected API: their operations, and these as the analysis sees them.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use tokenward_compiler::analysis::{Budget, Request};
use tokenward_compiler::ask::Question;
use tokenward_compiler::method::Method;
use tokenward_compiler::reach::{self, Catalogue, Values};
use tokenward_openapi::{Description, Kind, Location, Operation, Parameter, Piece, Shape};

use super::audit::shown;
use super::failure::Failure;
use super::output;
use crate::config::Config;
use crate::config::universe::universe;
use tokenward_pdp::plural::plural;

/// Longer documents are not read.
const LONGEST: u64 = 64 << 20;
/// Defects of a document that are shown.
const DEFECTS: usize = 3;

#[derive(Clone, clap::Args)]
pub(super) struct DescriptionArgs {
    /// Description of the API, OpenAPI or Swagger; repeatable [default: those of the configuration]
    #[arg(long, value_name = "FILE")]
    openapi: Vec<PathBuf>,
    /// Path below the public URL that all operations are below, instead of the paths of the descriptions' servers
    #[arg(long, value_name = "PATH")]
    base_path: Option<String>,
}

impl DescriptionArgs {
    /// Whether the command line names any description.
    pub(super) fn are_given(&self) -> bool {
        !self.openapi.is_empty()
    }

    /// The descriptions that the command line or the configuration names.
    pub(super) fn read(&self, config: &Config) -> Result<Described, Failure> {
        self.read_if_named(config)?.ok_or_else(|| {
            Failure::Usage(
                "no description of the API; name one with --openapi FILE, or in `[api] descriptions` of the configuration".to_owned(),
            )
        })
    }

    /// The descriptions that the command line or the configuration names; `None` if neither names one.
    pub(super) fn read_if_named(&self, config: &Config) -> Result<Option<Described>, Failure> {
        let files = self.files(config);
        let is_named = !files.is_empty();
        is_named.then(|| self.read_files(files)).transpose()
    }

    fn files<'a>(&'a self, config: &'a Config) -> &'a [PathBuf] {
        match self.openapi.as_slice() {
            [] => &config.api.descriptions,
            named => named,
        }
    }

    /// The descriptions in these files.
    pub(super) fn read_files(&self, files: &[PathBuf]) -> Result<Described, Failure> {
        let mut described = Described::read(files)?;
        if let Some(base) = &self.base_path {
            described.place_below(base)?;
        }
        Ok(described)
    }
}

/// One or several documents, as one description.
pub(super) struct Described {
    /// All operations.
    pub(super) all: Description,
    /// The documents.
    pub(super) files: Vec<DescribedFile>,
}

/// A document.
pub(super) struct DescribedFile {
    pub(super) path: PathBuf,
    pub(super) title: String,
    pub(super) version: String,
    pub(super) operations: usize,
    pub(super) defects: usize,
}

impl Described {
    fn read(files: &[PathBuf]) -> Result<Self, Failure> {
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

    fn place_below(&mut self, base: &str) -> Result<(), Failure> {
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
    pub(super) fn find(&self, name: &str) -> Result<usize, Failure> {
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
pub(super) fn name(operation: &Operation) -> String {
    match &operation.id {
        Some(id) => format!("{} ({id})", operation.name()),
        None => operation.name(),
    }
}

/// Names requests by the operations of the API that they are calls of.
pub(super) struct Names {
    described: Described,
    catalogue: Catalogue,
}

impl Names {
    /// Reads the descriptions that a configuration names, relative to a directory. A description that cannot be read is noted: the
    /// names only help readers.
    pub(super) fn near(config: &Config, directory: &Path) -> Option<Self> {
        let files: Vec<PathBuf> = config
            .api
            .descriptions
            .iter()
            .map(|file| directory.join(file))
            .collect();
        if files.is_empty() {
            return None;
        }
        match Self::read(&files, config) {
            Ok(names) => Some(names),
            Err(failure) => {
                output::note(&format!(
                    "tokenward: requests are shown without the names of operations: {}",
                    failure.message()
                ));
                None
            }
        }
    }

    /// Reads the descriptions of a configuration whose paths are resolved; `None` if there are none, or one cannot be read.
    pub(super) fn of_config(config: &Config) -> Option<Self> {
        let files = &config.api.descriptions;
        (!files.is_empty())
            .then(|| Self::read(files, config).ok())
            .flatten()
    }

    fn read(files: &[PathBuf], config: &Config) -> Result<Self, Failure> {
        let described = Described::read(files)?;
        let catalogue = catalogue(&described.all.operations, config)?;
        Ok(Self { described, catalogue })
    }

    /// The operations whose calls a permit line matches, each with whether it matches all of them. `None` if the line has an error.
    pub(super) fn of_line(
        &self,
        line: &str,
        config: &Config,
        budget: &Budget,
    ) -> Option<Vec<(String, bool)>> {
        let upstream = &config.upstream;
        let question = Question::parse(line, &upstream.public_url, upstream.product.merges()).ok()?;
        let found = self
            .catalogue
            .of_line(&question, (universe(config), budget))
            .ok()?;
        let named = found.into_iter().filter_map(|(at, is_whole)| {
            let operation = self.described.all.operations.get(at)?;
            Some((name(operation), is_whole))
        });
        Some(named.collect())
    }

    /// The operation that a request is a call of.
    pub(super) fn of(&self, request: &Request) -> Option<String> {
        let at = self.catalogue.operation_of(request.method, &request.path)?;
        self.described.all.operations.get(at).map(name)
    }
}

/// Reads one document.
pub(super) fn read_one(path: &Path) -> Result<Description, Failure> {
    let file = shown(&path.display().to_string());
    let unreadable = |error: std::io::Error| Failure::Trouble(format!("cannot read `{file}`: {error}"));
    let open = File::open(path).map_err(unreadable)?;
    if open.metadata().map_err(unreadable)?.is_dir() {
        return Err(Failure::Usage(format!(
            "`{file}` is a directory; name the document itself"
        )));
    }
    let mut bytes = Vec::new();
    let read = open
        .take(LONGEST + 1)
        .read_to_end(&mut bytes)
        .map_err(unreadable)?;
    if u64::try_from(read).unwrap_or(u64::MAX) > LONGEST {
        return Err(Failure::Usage(format!(
            "`{file}` is larger than {} MiB; split it, or leave out its parts that are not operations",
            LONGEST >> 20
        )));
    }
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

/// Makes operations comparable with a policy under a configuration, in the same order.
pub(super) fn catalogue<'o>(
    operations: impl IntoIterator<Item = &'o Operation>,
    config: &Config,
) -> Result<Catalogue, Failure> {
    let base = &config.upstream.public_url;
    let operations = operations
        .into_iter()
        .map(|operation| compared(operation, base.path()));
    let catalogue = Catalogue::new(operations.collect(), base).map_err(Failure::trouble)?;
    let warnings = catalogue.warnings();
    if let Some(first) = warnings.first() {
        let more = match warnings.len() {
            1 => String::new(),
            count => format!(" (and {} more)", count - 1),
        };
        output::note(&format!("tokenward: {first}{more}"));
    }
    Ok(catalogue)
}

/// An operation as the analysis sees it.
fn compared(operation: &Operation, context: &str) -> reach::Operation {
    let shown = operation.name();
    let path = shown
        .split_once(' ')
        .map_or(shown.as_str(), |(_, path)| path)
        .to_owned();
    let bases: Vec<Vec<reach::Segment>> = operation
        .bases
        .iter()
        .map(|base| base_segments(below(base, context)))
        .collect();
    let segments = operation.template.segments.iter().map(|segment| {
        let pieces = segment.pieces.iter().map(|piece| match piece {
            Piece::Literal(text) => reach::Piece::Literal(decoded(text)),
            Piece::Parameter(name) => parameter(name, operation.path_parameter(name)),
        });
        reach::Segment(pieces.collect())
    });
    reach::Operation {
        name: operation.id.clone().unwrap_or_default(),
        method: Method::from_token(&operation.method),
        path,
        bases,
        segments: segments.collect(),
    }
}

/// A server's path below the public URL: lines are about paths below it, so its own path is taken off.
fn below<'b>(base: &'b str, context: &str) -> &'b str {
    let context = context.trim_end_matches('/');
    match base.strip_prefix(context) {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
        _ => base,
    }
}

fn base_segments(base: &str) -> Vec<reach::Segment> {
    let segments = base.split('/').filter(|segment| !segment.is_empty());
    let segment = |text: &str| {
        let piece = if text.contains('{') {
            parameter(text, None)
        } else {
            reach::Piece::Literal(decoded(text))
        };
        reach::Segment(vec![piece])
    };
    segments.map(segment).collect()
}

/// A text of the path, decoded as the proxy decodes it: an encoded slash stays, since it does not end the segment.
fn decoded(text: &str) -> String {
    let parts = text.split("%2F").flat_map(|part| part.split("%2f"));
    let parts: Vec<String> = parts.map(decoded_part).collect();
    parts.join("%2F")
}

fn decoded_part(text: &str) -> String {
    percent_encoding::percent_decode_str(text)
        .decode_utf8_lossy()
        .into_owned()
}

fn parameter(name: &str, known: Option<&Parameter>) -> reach::Piece {
    let known = known.filter(|parameter| parameter.location == Location::Path);
    reach::Piece::Parameter {
        name: name.to_owned(),
        values: known.map_or(Values::Any, |parameter| {
            values(&parameter.shape, parameter.multi_segment)
        }),
        examples: known.map_or_else(Vec::new, |parameter| parameter.examples.clone()),
    }
}

/// The values of a parameter in the path. Whole numbers are taken for digits unless the description allows smaller ones.
fn values(shape: &Shape, is_path: bool) -> Values {
    if is_path {
        Values::Path
    } else if !shape.values.is_empty() {
        Values::OneOf(shape.values.clone())
    } else if let Some(pattern) = &shape.pattern {
        Values::Pattern(pattern.clone())
    } else if shape.is(Kind::Integer) {
        let sign = if shape.minimum.is_some_and(|minimum| minimum < 0) {
            "-?"
        } else {
            ""
        };
        Values::Pattern(format!("^{sign}[0-9]+$"))
    } else if shape.is(Kind::Boolean) {
        Values::OneOf(vec!["true".to_owned(), "false".to_owned()])
    } else {
        Values::Any
    }
}
