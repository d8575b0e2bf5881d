//! `tokenward audit export`: all calls that are asked for, to a file or a pipe, with what proves them elsewhere.

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use tokenward_audit::Filter;

use super::form::{Form, FormArg};
use super::parquet::Parquet;
use super::source::Source;
use super::table::Heading;
use super::which::{Place, Which};
use super::{Failure, output};

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    which: Which,
    /// The file to write [default: standard output]
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// Also write, to this file, the stored blocks and signed heads that prove the calls, from --since on
    #[arg(long, value_name = "FILE")]
    proof: Option<PathBuf>,
    #[command(flatten)]
    form: FormArg,
    /// Apache Parquet, the columns of CSV with their types
    #[arg(long, conflicts_with_all = ["json", "csv"], requires = "output")]
    parquet: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let filter = args.which.filter()?;
    let config = args.place.config()?;
    let source = args.place.source(&config)?;
    let form = match args.form.form() {
        Form::Table => Form::Json,
        form => form,
    };
    let count = match &args.output {
        Some(path) if args.parquet => parquet(&source, &filter, path)?,
        output => lines(&source, &filter, form, output.as_deref())?,
    };
    // After the calls, so that it has every block that they stand in.
    if let Some(path) = &args.proof {
        let keys = args.place.keys(&[], &config)?;
        let mut file = BufWriter::new(created(path)?);
        source.proof(filter.since_ms, &keys, &mut file)?;
        synced(file, path)?;
    }
    if let Some(path) = &args.output {
        output::note(&format!("{count} calls are in {}.", path.display()));
    }
    source.tell_lacking()
}

/// Writes calls as Parquet, and gives how many.
fn parquet(source: &Source, filter: &Filter, path: &Path) -> Result<u64, Failure> {
    let unwritable = |error| Failure::Trouble(format!("cannot write `{}`: {error}", path.display()));
    let mut file = Parquet::begin(BufWriter::new(created(path)?)).map_err(unwritable)?;
    let mut count = 0;
    source.all(filter, None, &mut |call| {
        count += 1;
        file.push(call).map_err(unwritable)
    })?;
    synced(file.finish().map_err(unwritable)?, path)?;
    Ok(count)
}

/// Writes calls in lines, to a file or to standard output, and gives how many.
fn lines(source: &Source, filter: &Filter, form: Form, output: Option<&Path>) -> Result<u64, Failure> {
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
fn written(path: Option<&Path>, with: &mut dyn FnMut(Out<'_>) -> Result<(), Failure>) -> Result<(), Failure> {
    let Some(path) = path else {
        let mut out = BufWriter::new(io::stdout().lock());
        let mut put = |bytes: &[u8]| out.write_all(bytes).map_err(unprinted);
        with(&mut put)?;
        return out.flush().map_err(unprinted);
    };
    let mut file = BufWriter::new(created(path)?);
    with(&mut |bytes| file.write_all(bytes).map_err(|error| unwritten(path, &error)))?;
    synced(file, path)
}

fn unprinted(error: io::Error) -> Failure {
    match error.kind() {
        io::ErrorKind::BrokenPipe => Failure::NoReader,
        _ => Failure::Trouble(format!("cannot write to standard output: {error}")),
    }
}

fn unwritten(path: &Path, error: &io::Error) -> Failure {
    Failure::Trouble(format!("cannot write `{}`: {error}", path.display()))
}

/// A new file: one that is there is somebody's.
pub(super) fn created(path: &Path) -> Result<File, Failure> {
    let file = File::options().write(true).create_new(true).open(path);
    file.map_err(|error| unwritten(path, &error))
}

/// Ends a file so that a power cut leaves it whole.
pub(super) fn synced(file: BufWriter<File>, path: &Path) -> Result<(), Failure> {
    let synced = file
        .into_inner()
        .map_err(io::IntoInnerError::into_error)
        .and_then(|file| file.sync_all());
    synced.map_err(|error| unwritten(path, &error))
}
