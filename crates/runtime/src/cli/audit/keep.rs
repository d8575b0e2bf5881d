//! `tokenward audit salvage`, `backup` and `keygen`.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use tokenward_audit::{CopyError, Reader, SalvageError, SigningKey, is_store, salvage as search};

use super::form::ExportForm;
use super::new_file::NewFile;
use super::source::Source;
use super::which::Place;
use super::{Failure, output};
use crate::audit_json::json_line;
use crate::ownership::adopt_at;

#[derive(clap::Args)]
pub(super) struct Salvage {
    /// Directory of one period, such as .tokenward/audit/2026-11-24.damaged-1
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    /// File to write
    ///
    /// Calls are written as JSON lines.
    #[arg(short, long, value_name = "FILE")]
    output: PathBuf,
}

#[derive(clap::Args)]
pub(super) struct Backup {
    /// Directory to create
    #[arg(value_name = "DIR")]
    directory: PathBuf,
    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args)]
pub(super) struct Keygen {
    /// File for the secret key; the public key is written to FILE.pub
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn salvage(args: &Salvage) -> Result<(), Failure> {
    if !args.directory.is_dir() {
        return Err(Failure::Usage(format!(
            "`{}` is not the directory of a period",
            args.directory.display()
        )));
    }
    if !matches!(
        ExportForm::of(&args.output).map_err(Failure::Usage)?,
        None | Some(ExportForm::Json)
    ) {
        return Err(Failure::Usage(format!(
            "recovered calls are written as JSON lines; change `{}` to a name that ends in .jsonl",
            args.output.display()
        )));
    }
    // The output is created first, so that a search is not in vain.
    let mut file = NewFile::begin(&args.output)?;
    let found = search(&args.directory).map_err(|error| match error {
        SalvageError::Unreadable { .. } => Failure::trouble(error),
        SalvageError::Store { .. } | SalvageError::NoPeriod { .. } => Failure::Usage(error.to_string()),
    })?;
    if found.blocks == 0 && found.bytes > 0 && found.unread_bytes == 0 {
        return Err(Failure::Findings(format!(
            "no block of `{}` is intact: nothing could be recovered from its {} bytes",
            args.directory.display(),
            found.bytes
        )));
    }
    // Write the recovered calls.
    let calls = found.entries.len();
    for entry in found.entries {
        file.write_all(json_line(entry).as_bytes())
            .map_err(|error| file.failed(&error))?;
    }
    file.finish()?;
    let file = args.output.display();
    output::note(&format!(
        "{calls} calls of {} intact blocks written to {file}.",
        found.blocks
    ));
    // Report the gaps: a reader must know which calls the file lacks.
    if let Some(first) = found.begins_late {
        output::note(&format!(
            "The beginning of the period is missing: the first recovered entry is {first}."
        ));
    }
    for (first, last) in found.missing {
        output::note(&format!("Entries {first} to {last} are missing between them."));
    }
    if let Some((first, last)) = found.missing_after {
        output::note(&format!("Entries {first} to {last} are missing at its end."));
    }
    // Unread bytes may contain further calls, so the result is not complete.
    if found.unread_bytes > 0 {
        return Err(Failure::Findings(format!(
            "the disk could not read {} bytes of `{}`; their content is not in {file}",
            found.unread_bytes,
            args.directory.display()
        )));
    }
    Ok(())
}

pub(super) fn backup(args: &Backup) -> Result<(), Failure> {
    let config = args.place.config()?;
    let source = args.place.source(&config)?;
    let directory = &args.directory;
    // A backup within the audit would be taken for a period of it.
    if let Some(store) = store_around(directory) {
        return Err(Failure::Usage(format!(
            "`{}` is within the audit {}; specify a directory elsewhere, preferably on another disk",
            directory.display(),
            store.display()
        )));
    }
    // Copy from the files, or through the proxy that has them open.
    let copied = match &source {
        Source::Files(reader) => reader.copy(directory),
        Source::Admin(_) if directory.symlink_metadata().is_ok() => Err(CopyError::Exists {
            path: directory.clone(),
        }),
        Source::Admin(_) => {
            // The proxy's data is stored completely first, and then converted to a store.
            let mut name = directory.clone().into_os_string();
            name.push(".received");
            let received = PathBuf::from(name);
            let mut file = NewFile::begin(&received)?;
            source.proof(None, &[], &mut file)?;
            file.finish()?;
            let copied = Reader::open(&received)
                .map_err(Failure::trouble)
                .map(|reader| reader.copy(directory));
            let _ = fs::remove_file(&received);
            copied?
        }
    };
    let copied = copied.map_err(|error| match error {
        CopyError::Exists { .. } => Failure::Usage(error.to_string()),
        other => Failure::trouble(other),
    })?;
    // Read the backup back from the disk: only a verified backup can be relied on.
    let keys = args.place.keys(&[], &config)?;
    let verified = Source::files(directory)?.verify(&keys)?;
    output::note(&format!(
        "{} entries up to {} written to {}.",
        copied.entries,
        copied.last,
        directory.display()
    ));
    if verified.sound {
        return Ok(());
    }
    Err(Failure::Findings(
        "the backup, like the audit, does not verify; `tokenward audit verify` shows the errors".to_owned(),
    ))
}

/// The store, or backup of a store, that would contain a file with this path.
fn store_around(place: &Path) -> Option<PathBuf> {
    let parent = place.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new(".")).canonicalize().ok()?;
    parent
        .ancestors()
        .find(|place| is_store(place))
        .map(Path::to_owned)
}

pub(super) fn keygen(args: &Keygen) -> Result<(), Failure> {
    let key = SigningKey::generate(&args.file).map_err(Failure::trouble)?;
    let mut public = args.file.as_os_str().to_owned();
    public.push(".pub");
    for file in [&args.file, Path::new(&public)] {
        adopt_at(file).map_err(|error| Failure::Trouble(format!("`{}`: {error}", file.display())))?;
    }
    let file = args.file.display();
    output::note(&format!(
        "The secret is in {file}. Set it as [audit] signing_key. Keep {file}.pub elsewhere; it is"
    ));
    output::print(&format!("{}\n", key.public()))
}
