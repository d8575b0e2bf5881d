//! Holds the classification of calls against a vendor's description of its API.
//!
//!     classify PRODUCT DESCRIPTION.json...
//!
//! Prints the operations of each class, and every operation that none of the product's groups covers. Exit code 1: there is
//! one, or a group does not say rightly whether a description lists its calls. `e2e/classification.sh` runs it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use serde::Deserialize;
use tokenward_runtime::request::{Call, Class, Group, Method, Product, Source};

/// What is read of an OpenAPI document.
#[derive(Deserialize)]
struct Description {
    #[serde(default)]
    servers: Vec<Server>,
    paths: BTreeMap<String, BTreeMap<String, serde_json::Value>>,
}

#[derive(Deserialize)]
struct Server {
    url: String,
}

impl Description {
    /// What stands before each path: Jira's documents have `/rest` in the server's URL. A context path is none of the API's.
    fn base(&self) -> &'static str {
        let in_server = self
            .servers
            .first()
            .is_some_and(|server| server.url.ends_with("/rest"));
        if in_server { "/rest" } else { "" }
    }
}

/// The class, methods and path of a call.
type Pattern = (Class, String, &'static str);

/// What was found in the descriptions of a product.
#[derive(Default)]
struct Found {
    operations: usize,
    by_class: BTreeMap<&'static str, usize>,
    by_reason: BTreeMap<(Class, &'static str), usize>,
    unclassified: Vec<String>,
    /// Patterns that cover an operation, with their class.
    used: BTreeSet<Pattern>,
}

fn main() -> ExitCode {
    match run() {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("classify: {error}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<bool, Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let product = arguments
        .next()
        .and_then(|name| Product::from_name(&name))
        .ok_or("usage: classify PRODUCT DESCRIPTION.json...")?;
    let mut found = Found::default();
    for path in arguments {
        let description: Description = serde_json::from_slice(&std::fs::read(&path)?)?;
        let before = found.operations;
        found.add(product, &description);
        println!("{path}: {} operations", found.operations - before);
    }
    if found.operations == 0 {
        return Err("no operation in the descriptions".into());
    }
    let wrong = found.wrong(product);
    found.print();
    wrong.iter().for_each(|line| println!("WRONG {line}"));
    Ok(wrong.is_empty())
}

fn pattern(group: &Group, call: &Call) -> Pattern {
    (group.class, call.methods(), call.path())
}

impl Found {
    fn add(&mut self, product: Product, description: &Description) {
        let base = description.base();
        for (path, operations) in &description.paths {
            for method in operations.keys().filter_map(|name| Method::from_name(name)) {
                self.classify(product, method, &format!("{base}{path}"));
            }
        }
    }

    fn classify(&mut self, product: Product, method: Method, path: &str) {
        self.operations += 1;
        // A parameter of the template stands for any name.
        let concrete = path.replace(['{', '}'], "");
        let covering = product.classify(method, &concrete);
        self.used.extend(
            covering
                .iter()
                .map(|covering| pattern(covering.group, covering.call)),
        );
        let class = match (covering.first().map(|first| first.group), method) {
            (Some(first), _) => {
                *self.by_reason.entry((first.class, first.reason)).or_default() += 1;
                let both = first.class == Class::Escalate
                    && covering.iter().any(|one| one.group.class == Class::Mint);
                if both {
                    "mint and escalate"
                } else {
                    first.class.name()
                }
            }
            (None, Method::Get | Method::Head | Method::Options) => {
                *self.by_reason.entry((Class::Plain, "Reads")).or_default() += 1;
                Class::Plain.name()
            }
            (None, _) => {
                self.unclassified.push(format!("{} {path}", method.as_str()));
                "unclassified"
            }
        };
        *self.by_class.entry(class).or_default() += 1;
    }

    /// What is wrong with the table: operations in no class, and calls whose source is not what their group says.
    fn wrong(&self, product: Product) -> Vec<String> {
        let mut wrong: Vec<String> = self
            .unclassified
            .iter()
            .map(|operation| format!("in no class: {operation}"))
            .collect();
        for group in product.calls() {
            for call in group.calls {
                let used = self.used.contains(&pattern(group, call));
                match group.source {
                    Source::Described if !used => {
                        wrong.push(format!(
                            "no operation is covered: {} {}",
                            call.methods(),
                            call.path()
                        ));
                    }
                    Source::Known(why) if used => wrong.push(format!(
                        "an operation is covered, against \"{why}\": {} {}",
                        call.methods(),
                        call.path()
                    )),
                    _ => {}
                }
            }
        }
        wrong
    }

    fn print(&self) {
        for (class, count) in &self.by_class {
            println!("{class:18} {count:5}");
        }
        println!("{:18} {:5}", "operations", self.operations);
        for ((class, reason), count) in &self.by_reason {
            println!("  {:14} {count:4}  {reason}", class.name());
        }
    }
}
