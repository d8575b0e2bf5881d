//! What the lines of a token that is about to be written reach, in operations of the API: proved with the compiled policy.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};
use tokenward_compiler::analysis::{Analysis, Budget, Obstacle};
use tokenward_compiler::compile_within;
use tokenward_compiler::reach::{Cell, Extent, survey};
use tokenward_compiler::visible;
use tokenward_pdp::config::Config;
use tokenward_pdp::config::universe::universe;
use tokenward_pdp::forwarded::proxied;
use tokenward_pdp::servable::bind;

use super::Failure;
use crate::authoring::edit::Prepared;
use crate::cli::descriptions::{Described, catalogue};
use crate::cli::time::now_ms;

/// Operations that texts name of each kind; JSON has all.
const NAMED: usize = 20;

/// The operations that the lines of a token reach, by the texts of the lines.
#[derive(Default)]
pub(super) struct Reached {
    lines: BTreeMap<String, OfLine>,
    /// Operations about which the budget was not enough.
    open: BTreeSet<String>,
}

/// The operations that one line reaches.
#[derive(Default)]
struct OfLine {
    reached: BTreeSet<String>,
    /// Operations whose calls the proxy does not forward, with the reason.
    blocked: BTreeMap<String, String>,
}

impl Reached {
    /// Computes what a token's lines reach with the policy that is about to be written; `None` if that has errors, which are shown
    /// when the change is judged.
    pub(super) fn of(
        prepared: &Prepared,
        token: &str,
        described: &Described,
        config: &Config,
    ) -> Result<Option<Self>, Failure> {
        let sources = prepared.sources();
        let compilation = compile_within(&sources, &config.mode, &config.tokens.ceiling(), now_ms());
        let Some(program) = compilation.program else {
            return Ok(None);
        };
        let program = bind(&program, config)?;
        let mut tokens = program.tokens();
        let Some((id, _)) = tokens.find(|(_, own)| own.name == token) else {
            return Ok(None);
        };
        let catalogue = catalogue(&described.all.operations, config)?;
        let proxied = proxied(config)?;
        let settings = (universe(config), Some(&proxied), &Budget::new(Analysis::BUDGET));
        let found = survey(&catalogue, (&program, &[id]), settings, |_, _| {}).map_err(Failure::trouble)?;
        let mut reached = Self::default();
        for own in &found.tokens {
            let texts = |cell: &Cell, at: usize| {
                let hit = cell.hits.get(at);
                let class = hit.and_then(|hit| hit.class);
                let lines = class.into_iter().flat_map(|class| own.lines(class));
                lines.map(|line| program.line(line).text.to_owned()).collect()
            };
            for (at, cell) in found.cells(own) {
                let operation = described.all.operations.get(at);
                if let Some(name) = operation.map(|operation| operation.name()) {
                    reached.add(&name, cell, &|hit| texts(cell, hit));
                }
            }
        }
        Ok(Some(reached))
    }

    fn add(&mut self, name: &str, cell: &Cell, lines_of: &dyn Fn(usize) -> Vec<String>) {
        if cell.extent == Extent::Open || cell.inconclusive.is_some() {
            self.open.insert(name.to_owned());
        }
        for (at, hit) in cell.hits.iter().enumerate() {
            for line in lines_of(at) {
                let own = self.lines.entry(line).or_default();
                if Obstacle::are_certain(&hit.obstacles) {
                    own.blocked
                        .insert(name.to_owned(), Obstacle::describe(&hit.obstacles));
                } else {
                    own.reached.insert(name.to_owned());
                }
            }
        }
    }

    /// Lines of text about a line of the token: the operations that it reaches beside those that it was written for, and those that the
    /// proxy does not forward.
    pub(super) fn text(&self, line: &str, meant: &BTreeSet<String>) -> String {
        let mut out = String::new();
        let own = self.lines.get(line);
        let others = own.into_iter().flat_map(|own| &own.reached);
        let others: Vec<&str> = others
            .filter(|name| !meant.contains(*name))
            .map(String::as_str)
            .collect();
        if !others.is_empty() {
            out.push_str(&format!("    also reaches: {}\n", some(&others)));
        }
        for (name, why) in own.into_iter().flat_map(|own| &own.blocked).take(NAMED) {
            out.push_str(&format!(
                "    {}: the proxy forwards it {}\n",
                visible(name),
                visible(why)
            ));
        }
        out
    }

    /// A line of text about the operations that were not settled; empty if there are none.
    pub(super) fn open(&self) -> String {
        if self.open.is_empty() {
            return String::new();
        }
        let open: Vec<&str> = self.open.iter().map(String::as_str).collect();
        format!(
            "Not settled within the budget, so the lines may also reach: {}\n",
            some(&open)
        )
    }

    /// The same about a line as members of an object.
    pub(super) fn json(&self, line: &str, meant: &BTreeSet<String>) -> [(&'static str, Value); 3] {
        let own = self.lines.get(line);
        let others = own.into_iter().flat_map(|own| &own.reached);
        let others: Vec<&String> = others.filter(|name| !meant.contains(*name)).collect();
        let blocked = own.into_iter().flat_map(|own| &own.blocked);
        let blocked: Vec<Value> = blocked
            .map(|(name, why)| json!({ "operation": name, "forwarded": why }))
            .collect();
        [
            ("other_operations", json!(others)),
            ("not_forwarded", json!(blocked)),
            ("not_settled", json!(self.open)),
        ]
    }
}

/// The first names, and the number of the others.
fn some(names: &[&str]) -> String {
    let shown: Vec<String> = names.iter().take(NAMED).map(|name| visible(name)).collect();
    match names.len().checked_sub(NAMED) {
        Some(more @ 1..) => format!("{}, {more} more", shown.join(", ")),
        _ => shown.join(", "),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokenward_compiler::analysis::Inconclusive;
    use tokenward_compiler::reach::Because;

    #[test]
    fn what_is_not_settled_is_told() {
        let cell = Cell {
            extent: Extent::Open,
            because: Because::default(),
            hits: Vec::new(),
            forbids: Vec::new(),
            outside: None,
            inconclusive: Some(Inconclusive::Budget),
        };
        let mut reached = Reached::default();
        assert_eq!(reached.open(), "");
        reached.add("GET /note", &cell, &|_| Vec::new());
        assert_eq!(
            reached.open(),
            "Not settled within the budget, so the lines may also reach: GET /note\n"
        );
        let rows = reached.json("/note", &BTreeSet::new());
        assert!(rows.contains(&("not_settled", json!(["GET /note"]))));
    }
}
