//! `--baseline`: findings that were accepted are counted instead of shown.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};

use rustix::fs::OFlags;
use tokenward_pdp::plural::plural;

use tokenward_compiler::baseline::Baseline;
use tokenward_compiler::diagnostic::Diagnostic;
use tokenward_compiler::lint::Judged;
use tokenward_compiler::source::{SourceKind, SourceSet, limits};

use super::super::failure::Failure;
use super::super::output;
use super::super::time::now_ms;
use super::file::write;
use super::reporter::Reporter;

pub(super) struct Accepted {
    file: PathBuf,
    baseline: Baseline,
    /// Whether the file is written instead of applied.
    writes: bool,
}

impl Accepted {
    /// Reads the file. If it is to be written, it may be missing.
    pub(super) fn read(file: &Path, writes: bool, policies: &Path) -> Result<Self, Failure> {
        refuse_policy_file(file, policies)?;
        let text = match content(file) {
            Ok(text) => text,
            Err(error) if error.kind() == ErrorKind::NotFound && writes => String::new(),
            Err(error) => {
                return Err(Failure::Trouble(format!(
                    "cannot read the baseline `{}`: {error}",
                    file.display()
                )));
            }
        };
        let baseline = Baseline::read(&file.to_string_lossy(), &text, now_ms());
        Ok(Self {
            file: file.to_owned(),
            baseline,
            writes,
        })
    }

    /// Removes accepted findings, and counts them.
    pub(super) fn hide(
        &mut self,
        sources: &SourceSet,
        diagnostics: &mut Vec<Diagnostic>,
        reporter: &mut Reporter,
    ) -> usize {
        if self.writes {
            return 0;
        }
        let count = self.baseline.hide(sources, diagnostics);
        reporter.hide(count);
        count
    }

    /// Removes accepted findings, and counts nothing.
    pub(super) fn leave_out(&self, sources: &SourceSet, diagnostics: &mut Vec<Diagnostic>) {
        self.baseline.clone().hide(sources, diagnostics);
    }

    /// Fails if the file has errors or, if it is known which findings there are, stale entries. A file that is to be written may
    /// have stale and unexplained entries, but all of it must be readable: what cannot be read would be lost.
    ///
    /// `judged`: what is known; `None`: nothing, since the policy has errors or questions are open.
    pub(super) fn check(&self, judged: Option<Judged<'_>>, reporter: &mut Reporter) -> Result<(), Failure> {
        let mut faults = self.baseline.faults().to_vec();
        if !self.writes {
            faults.extend(self.baseline.unexplained());
        }
        if let Some(judged) = judged.filter(|_| !self.writes) {
            faults.extend(self.baseline.stale(&|code| judged.covers(code)));
        }
        if faults.is_empty() {
            return Ok(());
        }
        reporter.show(self.baseline.sources(), &faults)?;
        Err(Failure::Findings(format!(
            "{} {} in the baseline `{}`",
            faults.len(),
            plural(faults.len(), "error"),
            self.file.display()
        )))
    }

    /// Writes the file, and returns the findings that it does not accept. Fails if entries lack a reason: nobody has accepted these
    /// findings yet; and if lints are open: the file may lack what they would find.
    pub(super) fn write(
        &mut self,
        (sources, diagnostics): (&SourceSet, &[Diagnostic]),
        judged: Judged<'_>,
        lints_open: usize,
    ) -> Result<Vec<Diagnostic>, Failure> {
        let file = self.file.display();
        let judges = |code| judged.covers(code);
        let (text, unexplained) = self.baseline.written(sources, diagnostics, &judges);
        write(text.as_bytes(), &self.file)
            .map_err(|error| Failure::Trouble(format!("cannot write the baseline `{file}`: {error}")))?;
        if lints_open > 0 {
            return Err(Failure::Trouble(format!(
                "baseline written to `{file}` with all its entries of lints, since {lints_open} {} of lints could not be settled within the budget; repeat it with a larger --budget",
                plural(lints_open, "question")
            )));
        }
        if unexplained > 0 {
            return Err(Failure::Findings(format!(
                "baseline written to `{file}`: {unexplained} {} an empty `why`; explain each one before you commit the file",
                if unexplained == 1 {
                    "entry has"
                } else {
                    "entries have"
                }
            )));
        }
        output::note(&format!("tokenward: baseline written to `{file}`"));
        let mut rest = diagnostics.to_vec();
        self.baseline.hide(sources, &mut rest);
        Ok(rest)
    }
}

/// The text of a regular file of at most the size of a policy file. A pipe would hold up the check, and a device has no end.
fn content(path: &Path) -> io::Result<String> {
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let file: File = OpenOptions::new()
        .read(true)
        .custom_flags(i32::try_from(flags.bits()).unwrap_or(0))
        .open(path)?;
    if !file.metadata()?.is_file() {
        return Err(io::Error::other("it is not a regular file"));
    }
    let mut text = Vec::new();
    file.take(limits::FILE_BYTES + 1).read_to_end(&mut text)?;
    if text.len() as u64 > limits::FILE_BYTES {
        let most = limits::FILE_BYTES;
        return Err(io::Error::other(format!("it has more than {most} bytes")));
    }
    String::from_utf8(text).map_err(|_| io::Error::other("it is not UTF-8"))
}

/// A baseline in the policy directory would be read as a file of tokens.
fn refuse_policy_file(file: &Path, policies: &Path) -> Result<(), Failure> {
    let directory = match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let (Ok(directory), Ok(policies)) = (directory.canonicalize(), policies.canonicalize()) else {
        return Ok(());
    };
    let Ok(below) = directory.strip_prefix(&policies) else {
        return Ok(());
    };
    let path = below.join(file.file_name().unwrap_or_default());
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    if SourceKind::of(&parts.join("/")).is_none() {
        return Ok(());
    }
    Err(Failure::Usage(format!(
        "the baseline `{}` is in the policy directory, where it is read as a policy file; move it out of the directory",
        file.display()
    )))
}
