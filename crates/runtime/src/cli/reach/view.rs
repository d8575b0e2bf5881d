//! The computed answer, with the numbers and words that all formats show.

use std::collections::{BTreeMap, HashSet};

use tokenward_compiler::analysis::Obstacle;
use tokenward_compiler::ir::{LineId, TokenId};
use tokenward_compiler::reach::{Because, Cell, Class, Extent, Reached, Survey};
use tokenward_openapi::Operation;
use tokenward_pdp::plural::plural;

use super::super::ask::{Policy, place};
use super::super::descriptions::{self, DescribedFile};
use super::super::failure::Failure;

/// The answer about some operations and tokens.
pub(super) struct View<'a> {
    pub(super) policy: &'a Policy,
    pub(super) operations: &'a [&'a Operation],
    pub(super) survey: &'a Survey,
    pub(super) files: &'a [DescribedFile],
    /// Explains why operations may be missing, if some may.
    pub(super) lost: Option<String>,
    pub(super) is_one_token: bool,
    pub(super) is_one_operation: bool,
}

/// How many operations a token reaches.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) full: usize,
    pub(super) part: usize,
    pub(super) writes: usize,
    pub(super) blocked: usize,
    pub(super) forbidden: usize,
    pub(super) open: usize,
}

impl<'a> View<'a> {
    /// Whether everything was read and settled.
    pub(super) fn is_settled(&self) -> bool {
        self.lost.is_none() && self.survey.is_settled()
    }

    /// The failure of an answer of which a part is open.
    pub(super) fn unsettled(&self) -> Option<Failure> {
        let open = (!self.survey.is_settled()).then(|| {
            "a part of the answer was not settled within the budget; ask about one token or one operation, or use a larger --budget"
                .to_owned()
        });
        let reasons: Vec<String> = open.into_iter().chain(self.lost.clone()).collect();
        (!reasons.is_empty()).then(|| Failure::Trouble(reasons.join("; ")))
    }

    pub(super) fn token_name(&self, token: TokenId) -> &'a str {
        &self.policy.program.token(token).name
    }

    pub(super) fn operation(&self, at: usize) -> Option<&'a Operation> {
        self.operations.get(at).copied()
    }

    pub(super) fn operation_name(&self, at: usize) -> String {
        self.operation(at).map_or_else(String::new, descriptions::name)
    }

    pub(super) fn counts(&self, reached: &'a Reached) -> Counts {
        let mut counts = Counts::default();
        for (at, cell) in self.survey.cells(reached) {
            match cell.extent {
                Extent::Full => counts.full += 1,
                Extent::Part => counts.part += 1,
                Extent::Blocked => counts.blocked += 1,
                Extent::Forbidden => counts.forbidden += 1,
                Extent::Open => counts.open += 1,
            }
            if cell.is_reached() && self.operation(at).is_some_and(|operation| !operation.is_safe()) {
                counts.writes += 1;
            }
        }
        counts
    }

    /// Permit lines of a token that reach no operation, each once.
    pub(super) fn lines_without(&self, reached: &'a Reached) -> Vec<LineId> {
        let hits = self.survey.cells(reached).flat_map(|(_, cell)| &cell.hits);
        let used: HashSet<Class> = hits.filter_map(|hit| hit.class).collect();
        let with: HashSet<LineId> = reached
            .permits()
            .filter(|(class, _)| used.contains(class))
            .map(|(_, line)| line)
            .collect();
        // What is open may be reached by any line.
        if self
            .survey
            .cells(reached)
            .any(|(_, cell)| cell.extent == Extent::Open)
        {
            return Vec::new();
        }
        let mut seen = HashSet::new();
        let lines = reached.permits().map(|(_, line)| line);
        lines
            .filter(|line| !with.contains(line) && seen.insert(*line))
            .collect()
    }

    /// Each permit line of a token with the numbers of operations that it reaches fully and in part, in the order of decision.
    pub(super) fn lines(&self, reached: &'a Reached) -> Vec<(LineId, usize, usize)> {
        let mut of: BTreeMap<Class, (usize, usize)> = BTreeMap::new();
        for (_, cell) in self.survey.cells(reached) {
            for hit in cell
                .hits
                .iter()
                .filter(|hit| !Obstacle::are_certain(&hit.obstacles))
            {
                if let Some(class) = hit.class {
                    let (full, part) = of.entry(class).or_default();
                    *if hit.is_whole { full } else { part } += 1;
                }
            }
        }
        let mut seen = HashSet::new();
        let lines = reached.permits().filter(|(_, line)| seen.insert(*line));
        lines
            .map(|(class, line)| {
                let (full, part) = of.get(&class).copied().unwrap_or_default();
                (line, full, part)
            })
            .collect()
    }

    /// The number of tokens that reach each operation, by the operation's number.
    pub(super) fn tokens_of_operations(&self) -> Vec<usize> {
        let mut counts = vec![0; self.operations.len()];
        for reached in &self.survey.tokens {
            for (at, cell) in self.survey.cells(reached) {
                if let (Some(count), true) = (counts.get_mut(at), cell.is_reached()) {
                    *count += 1;
                }
            }
        }
        counts
    }

    /// `ci.toml:7: [get]/rest/.*`, for each line of the token in a class.
    pub(super) fn places(&self, reached: &Reached, class: Option<Class>) -> Vec<String> {
        let Some(class) = class else {
            return vec!["unrestricted = true".to_owned()];
        };
        let mut lines: Vec<LineId> = reached.lines(class).collect();
        lines.dedup();
        lines
            .iter()
            .map(|line| place(&self.policy.program, *line))
            .collect()
    }

    /// Explains that no line of any token reaches an operation, although lines were compared with all of them.
    pub(super) fn no_line_reaches_any(&self) -> Option<String> {
        let mut cells = self
            .survey
            .tokens
            .iter()
            .flat_map(|reached| self.survey.cells(reached));
        if self.is_one_operation || self.is_one_token || cells.next().is_some() {
            return None;
        }
        let files: Vec<String> = self
            .files
            .iter()
            .map(|file| file.path.display().to_string())
            .collect();
        let first = self
            .operations
            .first()
            .map_or_else(String::new, |operation| operation.name());
        let line = self
            .survey
            .tokens
            .iter()
            .find_map(|reached| reached.permits().next());
        let line = line.map_or_else(String::new, |(_, line)| {
            format!(
                ", and lines are such as `{}`",
                self.policy.program.line(line).text
            )
        });
        Some(format!(
            "no line reaches an operation of {}; is it the description of another product, or below another path (--base-path)? \
             Its operations are such as `{first}`{line}",
            files.join(", ")
        ))
    }

    /// The first sentence: how many tokens reach how many operations.
    pub(super) fn summary(&self) -> String {
        let counts = self.tokens_of_operations();
        let reached = counts.iter().filter(|count| **count > 0).count();
        let some = |reached: &&Reached| self.survey.cells(reached).any(|(_, cell)| cell.is_reached());
        let tokens = self.survey.tokens.iter().filter(some).count();
        let all = self.survey.tokens.len();
        match (self.survey.tokens.as_slice(), self.is_one_operation) {
            (_, true) => format!(
                "{tokens} of {all} {} {} `{}`.",
                plural(all, "token"),
                if tokens == 1 { "reaches" } else { "reach" },
                self.operation_name(0)
            ),
            ([one], false) if self.is_one_token => format!(
                "`{}` reaches {reached} of {} {}.",
                self.token_name(one.token),
                counts.len(),
                plural(counts.len(), "operation"),
            ),
            _ => format!(
                "{tokens} of {all} {} reach {reached} of {} {}.",
                plural(all, "token"),
                counts.len(),
                plural(counts.len(), "operation"),
            ),
        }
    }
}

/// `full`, `part`: the name of an extent in JSON.
pub(super) fn extent(cell: &Cell) -> &'static str {
    match cell.extent {
        Extent::Full => "full",
        Extent::Part => "part",
        Extent::Blocked => "blocked",
        Extent::Forbidden => "forbidden",
        Extent::Open => "open",
    }
}

/// The reasons for which not all calls are allowed, by their names in JSON.
pub(super) fn reasons(because: Because) -> Vec<&'static str> {
    let all = [
        ("path", because.path),
        ("condition", because.condition),
        ("forbid", because.forbid),
    ];
    all.into_iter()
        .filter(|(_, is)| *is)
        .map(|(name, _)| name)
        .collect()
}

/// An extent with its reasons, in words.
pub(super) fn words(cell: &Cell) -> String {
    match cell.extent {
        Extent::Full => "full".to_owned(),
        Extent::Part => match reasons(cell.because).as_slice() {
            [] => "in part".to_owned(),
            reasons => format!("in part: {}", reasons.join(", ")),
        },
        Extent::Blocked => "not forwarded".to_owned(),
        Extent::Forbidden => "forbidden".to_owned(),
        Extent::Open => "not settled".to_owned(),
    }
}
