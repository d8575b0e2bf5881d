//! `tokenward audit export`: writes all selected calls to a file or a pipe, optionally with their proof.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tokenward_audit::Filter;

use super::form::{ExportArg, ExportForm, Form};
use super::new_file::{NewFile, partial_of};
use super::parquet::Parquet;
use super::source::Source;
use super::table::Heading;
use super::which::{Place, Which};
use super::{Failure, output};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// File to write
    ///
    /// Without this option, the command writes to standard output. The suffix selects the format: .jsonl, .csv or
    /// .parquet.
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// File for the stored blocks and signed heads that prove the calls, from --since on
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    #[command(flatten)]
    form: ExportArg,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.place.config()?;
    let filter = args.which.filter(&config)?;
    let form = args.form.form(args.output.as_deref()).map_err(Failure::Usage)?;
    let source = args.place.source(&config)?;
    if let (Some(output), Some(proof)) = (&args.output, &args.proof)
        && (are_one(output, proof)
            || are_one(&partial_of(output), proof)
            || are_one(output, &partial_of(proof)))
    {
        let message = "--output and --proof name the same file; use two different files";
        return Err(Failure::Usage(message.to_owned()));
    }
    // Both files are created before anything is written, and renamed when both are complete.
    let mut output = args.output.as_deref().map(NewFile::begin).transpose()?;
    let mut proof = args.proof.as_deref().map(NewFile::begin).transpose()?;
    let count = match (form, &mut output) {
        (ExportForm::Parquet, Some(file)) => parquet(&source, &filter, file)?,
        (ExportForm::Csv, output) => lines(&source, &filter, Form::Csv, output.as_mut())?,
        (ExportForm::Json | ExportForm::Parquet, output) => {
            lines(&source, &filter, Form::Json, output.as_mut())?
        }
    };
    // An empty file would be taken for the answer, and its name would be taken.
    if count == 0 && args.which.note_unknown(&config) {
        return Err(Failure::Findings(
            "no calls found; nothing was written".to_owned(),
        ));
    }
    output.as_mut().map_or(Ok(()), NewFile::complete)?;
    // The proof is written after the calls, so that it contains all of their blocks.
    if let Some(file) = &mut proof {
        let keys = args.place.keys(&[], &config)?;
        source.proof(filter.since_ms, &keys, file)?;
        file.complete()?;
    }
    for file in [output, proof].into_iter().flatten() {
        file.finish()?;
    }
    if let Some(path) = &args.output {
        output::note(&format!("{count} calls written to {}.", path.display()));
    }
    source.tell_lacking()
}

/// Whether two paths name one file, which need not exist.
fn are_one(a: &Path, b: &Path) -> bool {
    let place = |path: &Path| {
        let directory = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        let directory = directory.unwrap_or(Path::new(".")).canonicalize().ok()?;
        Some(directory.join(path.file_name()?))
    };
    a == b || place(a).is_some_and(|one| place(b) == Some(one))
}

/// Writes calls as Parquet, and gives how many.
fn parquet(source: &Source, filter: &Filter, out: &mut NewFile) -> Result<u64, Failure> {
    let path = out.path().to_owned();
    let unwritable = |error| Failure::Trouble(format!("cannot write `{}`: {error}", path.display()));
    let mut file = Parquet::begin(out).map_err(unwritable)?;
    let mut count = 0;
    source.all(filter, None, &mut |call| {
        count += 1;
        file.push(call).map_err(unwritable)
    })?;
    file.finish().map_err(unwritable)?;
    Ok(count)
}

/// Writes calls in lines, to a file or to standard output, and gives how many.
fn lines(source: &Source, filter: &Filter, form: Form, output: Option<&mut NewFile>) -> Result<u64, Failure> {
    let mut count = 0_u64;
    let heading = if form == Form::Csv {
        form.of(&[], Heading::Shown)
    } else {
        String::new()
    };
    written(output, &mut |out| {
        out(heading.as_bytes())?;
        source.all(filter, None, &mut |call| {
            count += 1;
            out(form.of(&[call.to_owned()], Heading::Left).as_bytes())
        })
    })?;
    Ok(count)
}

type Out<'o> = &'o mut dyn FnMut(&[u8]) -> Result<(), Failure>;

/// Lets `with` write to the file, or to standard output.
fn written(
    file: Option<&mut NewFile>,
    with: &mut dyn FnMut(Out<'_>) -> Result<(), Failure>,
) -> Result<(), Failure> {
    if let Some(file) = file {
        return with(&mut |bytes| file.write_all(bytes).map_err(|error| file.failed(&error)));
    }
    let mut out = BufWriter::new(io::stdout().lock());
    let mut put = |bytes: &[u8]| out.write_all(bytes).map_err(unprinted);
    with(&mut put)?;
    out.flush().map_err(unprinted)
}

fn unprinted(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::NoReader,
        _ => Failure::Trouble(format!("cannot write to standard output: {error}")),
    }
}
