//! `tokenward audit events`: the audit's own events.

use tokenward_pdp::text::escaped;

use super::table::shown;
use super::which::{Period, Place};
use super::{Failure, output};
use crate::audit_json::EventLine;

#[derive(clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    period: Period,
    /// Print JSON, for programs
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(args: &Args) -> Result<(), Failure> {
    let (since_ms, until_ms) = args.period.times()?;
    let config = args.place.config()?;
    let events = args.place.source(&config)?.events(since_ms, until_ms)?;
    if events.is_empty() {
        output::note("No events in this time.");
    }
    if !args.json {
        return output::print(&events.iter().map(row).collect::<String>());
    }
    let lines = events
        .iter()
        .map(|event| serde_json::to_string(event).map_err(Failure::trouble));
    let lines: Vec<String> = lines.collect::<Result<_, _>>()?;
    let text: String = lines.iter().map(|line| escaped(line) + "\n").collect();
    output::print_raw(&text)
}

fn row(event: &EventLine) -> String {
    format!(
        "{:24}  {:>10}  {}\n",
        shown(&event.time),
        event.sequence,
        shown(&event.text)
    )
}
