//! Holds the classification of calls against a vendor's description of its API.
//!
//!     classify PRODUCT DESCRIPTION.json...
//!
//! Prints the operations of each class, and every operation that needs a group of the product and has none: each write, and each
//! read whose path or names have one of [`WORDS`]. Exit code 1: there is one, or a group does not say rightly whether a
//! description lists its calls. `e2e/classification.sh` runs it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;

use serde::Deserialize;
use tokenward_pdp::request::{Call, Class, Group, Method, Product, Source};

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

/// The names of an operation.
#[derive(Deserialize)]
struct Operation {
    #[serde(default, rename = "operationId")]
    id: String,
    #[serde(default)]
    summary: String,
}

/// Words of credentials, of rights, and of copies of much content. A read with one of them needs a call of its own in the
/// table, so that a description with a new one fails until somebody has looked at it. Letter case and spaces do not matter.
const WORDS: &[&str] = &[
    "audit",
    "authenticat",
    "backup",
    "certificate",
    "cookie",
    "credential",
    "download",
    "dump",
    "export",
    "impersonat",
    "key",
    "login",
    "oauth",
    "passphrase",
    "password",
    "permissionscheme",
    "secret",
    "session",
    "token",
    "webhook",
];

impl Operation {
    /// The first of the words that the path or the names have. Parameters of the path are left out: `{issueIdOrKey}` is only
    /// the name of a place.
    fn word(&self, path: &str) -> Option<&'static str> {
        let literal = path.split('/').filter(|segment| !segment.starts_with('{'));
        let texts: Vec<String> = literal
            .chain([self.id.as_str(), &self.summary])
            .map(letters)
            .collect();
        WORDS
            .iter()
            .copied()
            .find(|word| texts.iter().any(|text| text.contains(word)))
    }
}

/// The letters of a text, in lower case.
fn letters(text: &str) -> String {
    text.chars()
        .filter(char::is_ascii_alphabetic)
        .map(|letter| letter.to_ascii_lowercase())
        .collect()
}

/// Whether a call's path is this path of a description and no other: `*` stands only for a parameter or a version.
fn is_own(call: &Call, path: &str) -> bool {
    let pattern = call.path().replace("/{v?}", "");
    let is_open = |segment: &str| segment.starts_with(|first: char| first == '{' || first.is_ascii_digit());
    pattern.split('/').count() == path.split('/').count()
        && pattern
            .split('/')
            .zip(path.split('/'))
            .all(|(own, segment)| own == segment || own == "*" && is_open(segment))
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
        found.add(product, &description)?;
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
    fn add(&mut self, product: Product, description: &Description) -> Result<(), serde_json::Error> {
        let base = description.base();
        for (path, operations) in &description.paths {
            for (name, operation) in operations {
                if let Some(method) = Method::from_name(name) {
                    let operation = Operation::deserialize(operation)?;
                    self.classify(product, method, &format!("{base}{path}"), &operation);
                }
            }
        }
        Ok(())
    }

    fn classify(&mut self, product: Product, method: Method, path: &str, operation: &Operation) {
        self.operations += 1;
        // A parameter of the template stands for any name.
        let concrete = path.replace(['{', '}'], "");
        let covering = product.classify(method, &concrete);
        self.used.extend(
            covering
                .iter()
                .map(|covering| pattern(covering.group, covering.call)),
        );
        let is_read = matches!(method, Method::Get | Method::Head | Method::Options);
        let is_judged = covering
            .iter()
            .any(|covering| covering.group.class != Class::Plain || is_own(covering.call, path));
        if let Some(word) = operation.word(path).filter(|_| is_read && !is_judged) {
            let method = method.as_str();
            self.unclassified
                .push(format!("{method} {path}, a read with `{word}`"));
        }
        let class = match (covering.first().map(|first| first.group), is_read) {
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
            (None, true) => {
                *self.by_reason.entry((Class::Plain, "Reads")).or_default() += 1;
                Class::Plain.name()
            }
            (None, false) => {
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
