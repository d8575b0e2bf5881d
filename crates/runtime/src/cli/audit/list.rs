//! `tokenward audit list` and `tail`.

use std::cmp::Ordering;

use jiff::Timestamp;
use tokenward_audit::{Filter, Page, Sequence};

use super::form::{Form, FormArg};
use super::source::Source;
use super::table::Heading;
use super::which::{Place, Which};
use super::{Failure, output};
use crate::admin::OUTCOME_WAIT;

#[derive(clap::Args)]
pub(super) struct List {
    #[command(flatten)]
    which: Which,
    /// Number of recorded calls to show
    #[arg(long, default_value_t = 50, value_parser = limit)]
    limit: u16,
    /// Show the oldest calls first
    #[arg(long)]
    oldest_first: bool,
    #[command(flatten)]
    form: FormArg,
    #[command(flatten)]
    place: Place,
}

#[derive(clap::Args)]
pub(super) struct Tail {
    #[command(flatten)]
    which: Which,
    /// Number of recorded calls to show
    #[arg(long, default_value_t = 10, value_parser = clap::value_parser!(u16).range(0..=10_000))]
    limit: u16,
    /// Taken for habit's sake: it always follows
    #[arg(short, hide = true)]
    follow: bool,
    #[command(flatten)]
    form: FormArg,
    #[command(flatten)]
    place: Place,
}

/// Maximum number of calls in a list: each is joined with its outcome, and the table is formatted in memory.
const MOST: u16 = 10_000;

fn limit(text: &str) -> Result<u16, String> {
    match text.parse::<u64>().map(u16::try_from) {
        Ok(Ok(limit @ 1..=MOST)) => Ok(limit),
        Ok(_) => Err(format!(
            "the number of calls must be from 1 to {MOST}; `tokenward audit export` writes any number"
        )),
        Err(error) => Err(error.to_string()),
    }
}

pub(super) fn list(args: &List) -> Result<(), Failure> {
    let config = args.place.config()?;
    let filter = args.which.filter(&config)?;
    let limit = usize::from(args.limit);
    let page = Page {
        // One more shows whether there are others.
        limit: limit.saturating_add(1).min(MOST.into()),
        newest_first: !args.oldest_first,
        ..Page::default()
    };
    let source = args.place.source(&config)?;
    let mut calls = source.list(&filter, page)?;
    let more = match calls.len().cmp(&limit) {
        Ordering::Greater => Some("There are more"),
        // Beyond the largest list nothing was asked for.
        Ordering::Equal if args.limit == MOST => Some("There may be more"),
        _ => None,
    };
    calls.truncate(limit);
    if calls.is_empty() {
        output::note("No calls found.");
        args.which.note_unknown(&config);
    }
    output::print_raw(&args.form.form().of(&calls, Heading::Shown))?;
    if let Some(more) = more {
        let which = if args.oldest_first { "oldest" } else { "newest" };
        output::note(&format!(
            "These are the {which} {limit}. {more}: `--limit` shows up to {MOST}, and `tokenward audit export` writes all."
        ));
    }
    source.tell_lacking()
}

pub(super) fn tail(args: &Tail) -> Result<(), Failure> {
    let config = args.place.config()?;
    let filter = args.which.filter(&config)?;
    let source = args.place.source(&config)?;
    let form: Form = args.form.form();
    // A tail would wait for such calls silently.
    args.which.note_unknown(&config);
    // The sequence number at which the tail continues.
    let begin = match &source {
        Source::Admin(_) => Some(settled(&source, &filter)?),
        Source::Files(_) => None,
    };
    let page = Page {
        limit: args.limit.max(1).into(),
        before: begin.map(|Sequence(place)| Sequence(place.saturating_add(1))),
        ..Page::default()
    };
    let mut earlier = source.list(&filter, page)?;
    earlier.reverse();
    if args.limit == 0 {
        earlier.clear();
    }
    output::print_raw(&form.of(&earlier, Heading::Shown))?;
    let Source::Admin(admin) = source else {
        output::note("No proxy has the audit open, so there are no new calls. These were the last.");
        return Ok(());
    };
    let page = Page {
        after: begin,
        ..Page::default()
    };
    admin.tail(&filter, page, &mut |call| {
        output::print_raw(&form.of(&[call.to_owned()], Heading::Left))
    })?;
    output::note("The proxy stopped.");
    Ok(())
}

/// Gives the sequence number up to which calls have ended, or are too old for a tail to wait for.
fn settled(source: &Source, filter: &Filter) -> Result<Sequence, Failure> {
    let one = Page {
        limit: 1,
        ..Page::default()
    };
    let place = |calls: Vec<String>| calls.first().and_then(|call| sequence(call));
    let newest = place(source.list(&Filter::default(), one)?).unwrap_or(Sequence(0));
    let recent = (Timestamp::now() - OUTCOME_WAIT).as_millisecond();
    let open = Filter {
        status: None,
        status_class: None,
        end: None,
        ended: Some(false),
        since_ms: Some(filter.since_ms.map_or(recent, |since| since.max(recent))),
        ..filter.clone()
    };
    let oldest = Page {
        newest_first: false,
        ..one
    };
    let open = place(source.list(&open, oldest)?);
    Ok(open.map_or(newest, |Sequence(open)| {
        newest.min(Sequence(open.saturating_sub(1)))
    }))
}

/// Gives the sequence number of a call, given as a line of JSON.
pub(super) fn sequence(call: &str) -> Option<Sequence> {
    let call: serde_json::Value = serde_json::from_str(call).ok()?;
    call.get("sequence")?.as_u64().map(Sequence)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_limit_beyond_the_most_points_to_export() {
        assert_eq!((limit("1"), limit("10000")), (Ok(1), Ok(MOST)));
        for far in ["0", "10001", "99999999"] {
            assert!(limit(far).unwrap_err().contains("audit export"), "{far}");
        }
        assert!(limit("-1").is_err() && limit("x").is_err());
    }
}
