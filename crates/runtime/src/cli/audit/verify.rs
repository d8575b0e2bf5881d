//! `tokenward audit verify`: checks that the audit is unchanged.

use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};

use serde_json::Value;
use tokenward_audit::{Filter, PublicKey, Sequence};

use super::list::sequence;
use super::source::Source;
use super::table::shown;
use super::which::Place;
use super::{Failure, output};
use crate::audit_json::VerifyReport;

#[derive(clap::Args)]
pub(super) struct Args {
    /// File of a trusted public key, created by `keygen`; may be given more than once [default: the configuration's]
    #[arg(long = "key", value_name = "FILE")]
    keys: Vec<PathBuf>,
    /// Also compare an export (JSON lines) with the audit, call by call
    #[arg(long, value_name = "FILE")]
    export: Option<PathBuf>,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let config = args.place.config()?;
    let mut keys = args.place.keys(&args.keys, &config)?;
    let source = args.place.source(&config)?;
    // A proof names its own key. That key shows consistency, but not origin, so a note says so.
    if let (true, Source::Files(reader)) = (keys.is_empty(), &source) {
        keys = reader.claimed_keys();
        if !keys.is_empty() {
            output::note(
                "The proof itself names its key. Use --key to check that it is the key that you trust.",
            );
        }
    }
    let report = source.verify(&keys)?;
    // A proxy verifies with its own keys; they must be the ones that were asked for.
    if let Source::Admin(_) = source {
        same_keys(&keys, &report)?;
    }
    let compared = args.export.as_deref().map(|export| compare(&source, export));
    let compared = compared.transpose()?;
    // Show the report, also if something is wrong.
    if args.json {
        let json = serde_json::to_string(&report).map_err(Failure::trouble)?;
        output::print_document(&format!("{json}\n"))?;
    } else {
        output::print(&text(&report))?;
    }
    if let Some(Compared { calls, differing }) = &compared {
        let tally = format!("The export has {calls} calls");
        match differing {
            None => output::note(&format!("{tally}, the same as in the audit.")),
            Some(place) => {
                return Err(Failure::Findings(format!(
                    "{tally} before entry {place}, which differs from the audit"
                )));
            }
        }
    }
    if report.sound {
        return Ok(());
    }
    let faults = report.findings.iter().filter(|found| !found.harmless).count();
    Err(Failure::Findings(format!(
        "the audit differs from what was written: {faults} {}",
        if faults == 1 { "finding" } else { "findings" }
    )))
}

/// Checks that the proxy's own key is one of the trusted keys.
fn same_keys(keys: &[PublicKey], report: &VerifyReport) -> Result<(), Failure> {
    let known: Vec<String> = keys.iter().map(ToString::to_string).collect();
    if report.keys.is_empty() && !known.is_empty() {
        return Err(Failure::Findings(
            "nothing is covered by a signature: the running proxy has no [audit] signing_key; set one and restart the proxy"
                .to_owned(),
        ));
    }
    match report.keys.iter().find(|key| !known.contains(key)) {
        Some(key) if !known.is_empty() => Err(Failure::Findings(format!(
            "the proxy signs with a key that is not trusted here: {key}"
        ))),
        _ => Ok(()),
    }
}

fn text(report: &VerifyReport) -> String {
    let mut out = String::new();
    for finding in &report.findings {
        out.push_str(&format!("{}\n", shown(&finding.text)));
    }
    let (Some(first), Some(last), Some(head)) = (report.first, report.last, &report.head) else {
        out.push_str("The audit is empty.\n");
        return out;
    };
    out.push_str(&format!(
        "{} entries in {} blocks, from {first} to {last}\nhead {last} {head}\n",
        report.entries, report.blocks
    ));
    if let (Some(signed), Some(time)) = (report.signed_last, &report.signed_time) {
        let by = if report.keys.is_empty() {
            "; no trusted key was given, so the signatures prove nothing about their author"
        } else {
            ""
        };
        out.push_str(&format!(
            "{} signed heads, the last at {signed}, signed {time}{by}\n",
            report.heads
        ));
        if signed < last && !report.keys.is_empty() {
            out.push_str(&format!(
                "Entries after {signed} are not covered by a signature: they are not signed yet, or their heads were removed.\n"
            ));
        }
    }
    if report.sound {
        out.push_str("Intact: nothing was changed, removed, inserted or reordered.\n");
    }
    out
}

struct Compared {
    /// Number of equal calls.
    calls: u64,
    /// Sequence number of the first different call.
    differing: Option<u64>,
}

/// Compares the lines of an export, which are in ascending order, with the audit.
fn compare(source: &Source, export: &Path) -> Result<Compared, Failure> {
    let unreadable = |error| Failure::Trouble(format!("cannot read `{}`: {error}", export.display()));
    let file = BufReader::new(File::open(export).map_err(unreadable)?);
    let mut lines = file.lines();
    // Gives the next line of the export with its sequence number.
    let mut exported = || {
        let line = lines.next().transpose().map_err(unreadable)?;
        let Some(line) = line else { return Ok(None) };
        let place = sequence(&line).ok_or_else(|| {
            Failure::Usage(format!(
                "`{}` is not an export as JSON lines: `{}`",
                export.display(),
                shown(line.get(..60).unwrap_or(&line))
            ))
        })?;
        Ok::<_, Failure>(Some((place, line)))
    };
    let mut next = exported()?;
    let mut compared = Compared {
        calls: 0,
        differing: None,
    };
    // Walk through the audit from the first exported call. The export may have left calls out, but not changed any.
    let Some((Sequence(first), _)) = next else {
        return Ok(compared);
    };
    let after = first.checked_sub(1).map(Sequence);
    let walked = source.all(&Filter::default(), after, &mut |call| {
        let Some((place, line)) = &next else {
            return Err(Failure::NoReader);
        };
        match sequence(call) {
            Some(at) if at < *place => Ok(()),
            Some(at) if at == *place && same(line, call) => {
                compared.calls += 1;
                next = exported()?;
                Ok(())
            }
            _ => Err(Failure::NoReader),
        }
    });
    match walked {
        // `NoReader` is our own sign to stop.
        Ok(()) | Err(Failure::NoReader) => {}
        Err(other) => return Err(other),
    }
    compared.differing = next.map(|(Sequence(place), _)| place);
    Ok(compared)
}

/// Whether an exported line is equal to the call. A line exported before the call had ended lacks its outcome.
fn same(exported: &str, call: &str) -> bool {
    let parsed = |line| serde_json::from_str::<Value>(line).ok();
    let (Some(exported), Some(mut call)) = (parsed(exported), parsed(call)) else {
        return false;
    };
    if let (Some(Value::Null), Some(outcome)) = (exported.get("outcome"), call.get_mut("outcome")) {
        *outcome = Value::Null;
    }
    exported == call
}
