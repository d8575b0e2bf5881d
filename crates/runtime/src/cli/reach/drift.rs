//! Two versions of a description under the same policy: the operations that are new, moved or gone, and the tokens that reach them.

use std::path::Path;

use serde_json::{Value, json};
use tokenward_compiler::analysis::Budget;
use tokenward_compiler::reach::{Cell, Extent, Reached};
use tokenward_openapi::{Moved, Operation, compare};
use tokenward_pdp::config::Config;
use tokenward_pdp::plural::plural;

use super::super::ask::{Ended, Policy, Text};
use super::super::descriptions::{self, Described};
use super::super::diff::cell;
use super::super::failure::Failure;
use super::super::output;
use super::json as document;
use super::reviews::{Reviews, entry};
use super::shown::Format;
use super::survey::surveyed;
use super::view::{View, words};

/// Operations of one kind that the text lists; JSON has all.
const LISTED: usize = 20;

/// What happened to an operation.
enum Change<'a> {
    Added(&'a Operation),
    Moved {
        from: &'a Operation,
        to: &'a Operation,
        /// The operation with only the calls that no operation had before, if there are any.
        new: Option<&'a Operation>,
    },
    Removed(&'a Operation),
}

/// A token that reaches a new or a moved operation, or reached one that is gone.
struct Reaching<'a> {
    reached: &'a Reached,
    /// The cell of the operation, with its number.
    cell: (usize, &'a Cell),
    /// Whether the lines reach more than they did before.
    is_more: bool,
    is_reviewed: bool,
}

struct Drift<'a> {
    /// The changes, each with the tokens that it concerns.
    changes: Vec<(Change<'a>, Vec<Reaching<'a>>)>,
    deprecated: Vec<&'a Operation>,
}

pub(super) fn run(
    (old, new): (&Described, &Described),
    (policy, token): (&Policy, Option<&str>),
    (config, policies): (&Config, &Path),
    (budget, format): (&Budget, Format),
) -> Result<Ended, Failure> {
    let compared = compare(&old.all, &new.all);
    if compared.added.len() == new.all.operations.len() {
        return Err(Failure::Usage(
            "the two descriptions have no operation in common; compare two versions of the same description"
                .to_owned(),
        ));
    }
    let reviews = Reviews::read(policies)?;
    reviews.note_stale((new, old), &policy.program);
    // Each change with the operations that are asked about: the new one first.
    let mut changes: Vec<Change<'_>> = compared.added.iter().map(|added| Change::Added(added)).collect();
    let with_new_calls: Vec<Option<Operation>> = compared.moved.iter().map(with_new_calls).collect();
    changes.extend(
        compared
            .moved
            .iter()
            .zip(&with_new_calls)
            .map(|(moved, new)| Change::Moved {
                from: moved.from,
                to: moved.to,
                new: new.as_ref(),
            }),
    );
    changes.extend(compared.removed.iter().map(|removed| Change::Removed(removed)));
    let asked: Vec<&Operation> = changes.iter().flat_map(Change::operations).collect();
    let survey = surveyed(&asked, (policy, token), (config, budget))?;
    let view = View {
        policy,
        operations: &asked,
        survey: &survey,
        files: &new.files,
        lost: lost(old, new),
        is_one_token: token.is_some(),
        is_one_operation: false,
    };
    let mut at = 0;
    let mut drift = Drift {
        changes: Vec::new(),
        deprecated: compared.deprecated.clone(),
    };
    for change in changes {
        let found = reaching(&view, &change, at, &reviews);
        at += change.operations().count();
        drift.changes.push((change, found));
    }
    match format {
        Format::Table => output::print(&drift.text(&view))?,
        Format::Markdown => output::print(&drift.markdown(&view))?,
        Format::Json => output::print_json(&drift.json(&view))?,
    }
    Ok(end(&view, &drift))
}

fn end(view: &View<'_>, drift: &Drift<'_>) -> Ended {
    if let Some(failure) = view.unsettled() {
        return Err(failure);
    }
    match drift.unreviewed().count() {
        0 => Ok(()),
        count => Err(Failure::Findings(format!(
            "lines reach {count} {} more that nobody reviewed; narrow the lines, or add reviews to reviewed.toml",
            plural(count, "operation")
        ))),
    }
}

/// Explains that one of the versions was not read as a whole: what is missing may be new or gone.
fn lost(old: &Described, new: &Described) -> Option<String> {
    let both: Vec<String> = new.lost(None).into_iter().chain(old.lost(None)).collect();
    (!both.is_empty()).then(|| both.join("; "))
}

/// A moved operation with only the calls that no operation of the old description has; `None` if there are none.
fn with_new_calls(moved: &Moved<'_>) -> Option<Operation> {
    (!moved.new_bases.is_empty()).then(|| Operation {
        bases: moved.new_bases.clone().into(),
        ..moved.to.clone()
    })
}

impl<'a> Change<'a> {
    /// The operations to ask about, the new one first.
    fn operations(&self) -> impl Iterator<Item = &'a Operation> + use<'a> {
        let (first, second) = match self {
            Self::Added(operation) | Self::Removed(operation) => (*operation, None),
            Self::Moved { from, to, new } => (new.unwrap_or(to), Some(*from)),
        };
        std::iter::once(first).chain(second)
    }

    fn kind(&self) -> &'static str {
        match self {
            Self::Added(_) => "added",
            Self::Moved { .. } => "moved",
            Self::Removed(_) => "removed",
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Added(operation) | Self::Removed(operation) => descriptions::name(operation),
            Self::Moved { from, to, .. } => format!("{}, before {}", descriptions::name(to), from.name()),
        }
    }

    fn operation(&self) -> &'a Operation {
        match self {
            Self::Added(operation) | Self::Removed(operation) => operation,
            Self::Moved { to, .. } => to,
        }
    }
}

/// The tokens that a change concerns. `at`: the number of its first operation.
fn reaching<'a>(view: &View<'a>, change: &Change<'_>, at: usize, reviews: &Reviews) -> Vec<Reaching<'a>> {
    let mut found = Vec::new();
    for reached in &view.survey.tokens {
        let cell_of = |number: usize| view.survey.cells(reached).find(|(of, _)| *of == number);
        // What is not settled counts as reached, so that the end is never "nothing new".
        let may = |cell: &Cell| cell.is_reached() || cell.extent == Extent::Open;
        let Some(cell) = cell_of(at).filter(|(_, cell)| may(cell)) else {
            continue;
        };
        let before = match change {
            // If only the ids were exchanged, the calls are those of another operation.
            Change::Moved { new: None, .. } => cell_of(at + 1).map(|(_, cell)| cell.extent),
            Change::Moved { .. } | Change::Added(_) | Change::Removed(_) => None,
        };
        let is_more = match (change, before) {
            (Change::Removed(_), _) => false,
            (_, Some(Extent::Full)) => false,
            (_, Some(Extent::Part)) => cell.1.extent != Extent::Part,
            _ => true,
        };
        found.push(Reaching {
            reached,
            cell,
            is_more: is_more && cell.1.is_reached(),
            is_reviewed: is_more && reviews.has(view.token_name(reached.token), change.operation()),
        });
    }
    found
}

impl Drift<'_> {
    fn count(&self, kind: &str) -> usize {
        self.changes
            .iter()
            .filter(|(change, _)| change.kind() == kind)
            .count()
    }

    /// The changes by which some token reaches more, although nobody reviewed it.
    fn unreviewed(&self) -> impl Iterator<Item = (&Change<'_>, Vec<&Reaching<'_>>)> {
        self.changes.iter().filter_map(|(change, reaching)| {
            let more = |one: &&Reaching<'_>| one.is_more && !one.is_reviewed;
            let more: Vec<&Reaching<'_>> = reaching.iter().filter(more).collect();
            (!more.is_empty()).then_some((change, more))
        })
    }

    fn summary(&self) -> String {
        let writes = self
            .changes
            .iter()
            .filter(|(change, _)| matches!(change, Change::Added(operation) if !operation.is_safe()))
            .count();
        let added = self.count("added");
        format!(
            "{added} {} added ({writes} of them {}), {} moved, {} removed, {} newly deprecated.",
            plural(added, "operation"),
            plural(writes, "write"),
            self.count("moved"),
            self.count("removed"),
            self.deprecated.len()
        )
    }

    fn verdict(&self) -> String {
        let unreviewed = self.unreviewed().count();
        let reviewed = self.changes.iter().flat_map(|(_, reaching)| reaching);
        let reviewed = reviewed.filter(|one| one.is_more && one.is_reviewed).count();
        let known = match reviewed {
            0 => String::new(),
            count => format!(
                " {count} {} reviewed.",
                if count == 1 { "case is" } else { "cases are" }
            ),
        };
        match unreviewed {
            0 => format!("No line reaches more that nobody reviewed.{known}"),
            count => format!(
                "Lines that stayed as they are reach {count} {} more.{known}",
                plural(count, "operation")
            ),
        }
    }

    fn text(&self, view: &View<'_>) -> String {
        let mut out = Text::default();
        out.line(0, &self.summary());
        out.line(0, &self.verdict());
        for (change, more) in self.unreviewed() {
            out.line(0, "");
            out.line(0, &format!("{} {}", change.kind(), change.name()));
            for one in more {
                let token = view.token_name(one.reached.token);
                out.line(2, &format!("{token}: {}", words(one.cell.1)));
                for hit in &one.cell.1.hits {
                    for line in view.places(one.reached, hit.class) {
                        out.line(4, &line);
                    }
                    out.line(6, &format!("allowed: {}", hit.request.decoded()));
                }
                out.line(
                    4,
                    &format!("review: {}", entry(token, &change.operation().name())),
                );
            }
        }
        self.lost(&mut out, view);
        out.end()
    }

    /// The operations that are gone, or are in another place that no line reaches.
    fn lost(&self, out: &mut Text, view: &View<'_>) {
        let removed = self
            .changes
            .iter()
            .filter(|(change, reaching)| matches!(change, Change::Removed(_)) && !reaching.is_empty());
        let removed: Vec<_> = removed.collect();
        if removed.is_empty() {
            return;
        }
        out.line(0, "");
        out.line(0, "Removed operations that lines still reach:");
        for (change, reaching) in removed.iter().take(LISTED) {
            let tokens: Vec<&str> = reaching
                .iter()
                .map(|one| view.token_name(one.reached.token))
                .collect();
            out.line(2, &format!("{}: {}", change.name(), some(&tokens)));
        }
        if let Some(more @ 1..) = removed.len().checked_sub(LISTED) {
            out.line(2, &format!("{more} more; --json lists all"));
        }
    }

    fn markdown(&self, view: &View<'_>) -> String {
        let title = match self.unreviewed().count() {
            0 => "the new description gives nothing new",
            _ => "the new description gives more",
        };
        let mut out = format!("### Reach: {title}\n\n{} {}\n", self.summary(), self.verdict());
        let mut rows = Vec::new();
        for (change, more) in self.unreviewed() {
            for one in more {
                let token = view.token_name(one.reached.token);
                let lines: Vec<String> = one
                    .cell
                    .1
                    .hits
                    .iter()
                    .flat_map(|hit| view.places(one.reached, hit.class))
                    .map(|line| cell(&line))
                    .collect();
                let example = one
                    .cell
                    .1
                    .inside()
                    .map(|request| cell(&request.decoded()))
                    .unwrap_or_default();
                rows.push(format!(
                    "| {} | {} {} | {} | {} | {example} |",
                    cell(token),
                    change.kind(),
                    cell(&change.name()),
                    words(one.cell.1),
                    lines.join("<br>")
                ));
            }
        }
        if !rows.is_empty() {
            out.push_str("\n| Token | Operation | Reach | By | Example |\n|---|---|---|---|---|\n");
            for row in rows.iter().take(LISTED * 10) {
                out.push_str(row);
                out.push('\n');
            }
            if let Some(more @ 1..) = rows.len().checked_sub(LISTED * 10) {
                out.push_str(&format!("\n{more} more; `--json` lists all.\n"));
            }
        }
        out
    }

    fn json(&self, view: &View<'_>) -> Value {
        let changes = self.changes.iter().map(|(change, reaching)| {
            let tokens = reaching.iter().map(|one| {
                let more = [
                    ("token", json!(view.token_name(one.reached.token))),
                    ("more", json!(one.is_more)),
                    ("reviewed", json!(one.is_reviewed)),
                ];
                let cell = document::cell(view, one.reached, one.cell.0, one.cell.1);
                document::with(json!(cell), more)
            });
            let before = match change {
                Change::Moved { from, .. } => Some(from.name()),
                Change::Added(_) | Change::Removed(_) => None,
            };
            json!({
                "kind": change.kind(),
                "operation": change.operation().name(),
                "id": change.operation().id,
                "before": before,
                "tokens": tokens.collect::<Vec<Value>>(),
            })
        });
        json!({
            "version": 1,
            "kind": "drift",
            "settled": view.is_settled(),
            "unreviewed": self.unreviewed().count(),
            "changes": changes.collect::<Vec<Value>>(),
            "deprecated": self.deprecated.iter().map(|operation| operation.name()).collect::<Vec<String>>(),
        })
    }
}

fn some(names: &[&str]) -> String {
    const SHOWN: usize = 5;
    let shown = names
        .iter()
        .take(SHOWN)
        .copied()
        .collect::<Vec<&str>>()
        .join(", ");
    match names.len().checked_sub(SHOWN) {
        Some(more @ 1..) => format!("{shown} and {more} more"),
        _ => shown,
    }
}
