//! Lines for calls that were recorded: each call is covered, and as little as possible is added.
//!
//! A call becomes a [`Draft`]: one set of texts for the method, for each segment of the path and for each parameter. Two drafts that
//! differ in one of these sets become one, with the union of both: that allows no request which neither of them does. So without a
//! description, the lines allow the recorded calls and nothing else, but for the parts that lines cannot express ([`Line::open`]).
//! With a description, the values of its parameters are generalised first: numbers, keys such as `KANBAN-7`, UUIDs and digests.

mod draft;
mod line;
mod merge;
mod operation;
mod split;
mod value;

use tokenward_compiler::closest::Asked;
use tokenward_openapi::Operation;

use crate::capture::Secrets;
use draft::Draft;
pub(crate) use line::Line;
use operation::Operations;

/// The largest number of different calls after values are generalised.
const MOST_DRAFTS: usize = 3_000;

/// The longest line, in bytes.
const LONGEST: usize = 16 << 10;

/// Writes the lines for these calls; none contains one of the secrets. `context` is the path of the public URL, which the paths of
/// descriptions may have; `merges` is whether the upstream merges JSON bodies with the query.
///
/// # Errors
/// A call cannot be named by a line, or the calls differ too much; the text begins with the number of the call, if it is about one.
pub(crate) fn lines(
    calls: &[Asked],
    described: &[Operation],
    (context, merges): (&str, bool),
    secrets: &Secrets,
) -> Result<Vec<Line>, (Option<usize>, String)> {
    let operations = Operations::new(described, context, merges);
    let mut drafts: Vec<Draft> = Vec::new();
    for (number, asked) in calls.iter().enumerate() {
        let draft =
            Draft::new(number, asked, (&operations, secrets)).map_err(|message| (Some(number), message))?;
        drafts.push(draft);
    }
    let drafts = merge::equal(drafts);
    if drafts.len() > MOST_DRAFTS {
        let cure = if described.is_empty() {
            "give a description of the API with --openapi, so that ids become patterns"
        } else {
            "leave calls out, or create several tokens"
        };
        return Err((
            None,
            format!("the file has more than {MOST_DRAFTS} different calls; {cure}"),
        ));
    }
    let mut out = Vec::new();
    for draft in merge::merged(drafts)
        .into_iter()
        .flat_map(|draft| split::short(draft, LONGEST))
    {
        let line = draft.line();
        if line.text.len() > LONGEST {
            let message = format!(
                "the line would be longer than {LONGEST} bytes; shorten the call, or write its line by hand"
            );
            return Err((line.calls.first().copied(), message));
        }
        out.push(line);
    }
    Ok(out)
}
