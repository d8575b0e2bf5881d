//! Asks cargo which crates a build consists of.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

use serde::Deserialize;

/// The package that contains the binary.
pub(crate) const ROOT: &str = "tokenward-runtime";

/// Why cargo's output cannot be used.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CargoError {
    /// cargo or rustc cannot be started.
    #[error("cannot run {0}: {1}")]
    Start(&'static str, std::io::Error),
    /// The command failed.
    #[error("{0} failed: {1}")]
    Failed(&'static str, String),
    /// The output has another form than expected.
    #[error("the output of {0} is not as expected: {1}")]
    Form(&'static str, String),
}

/// A crate with its version.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Crate {
    pub(crate) name: String,
    pub(crate) version: String,
}

/// A crate of the build.
#[derive(Debug)]
pub(crate) struct Package {
    /// An SPDX expression.
    pub(crate) license: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) repository: Option<String>,
    /// SHA-256 of the archive in the registry; `None` for a crate of this repository.
    pub(crate) checksum: Option<String>,
    /// Whether code of it is in the binary. Otherwise it only runs during the build: procedural macros, build scripts and
    /// what they need.
    pub(crate) is_linked: bool,
    pub(crate) dependencies: BTreeSet<Crate>,
}

/// The crates of one build for one target.
#[derive(Debug)]
pub(crate) struct Build {
    pub(crate) packages: BTreeMap<Crate, Package>,
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Described>,
    resolve: Resolve,
}

#[derive(Deserialize)]
struct Described {
    id: String,
    name: String,
    version: String,
    license: Option<String>,
    description: Option<String>,
    repository: Option<String>,
}

#[derive(Deserialize)]
struct Resolve {
    nodes: Vec<Node>,
}

#[derive(Deserialize)]
struct Node {
    id: String,
    dependencies: Vec<String>,
}

#[derive(Deserialize)]
struct Lock {
    package: Vec<Locked>,
}

#[derive(Deserialize)]
struct Locked {
    name: String,
    version: String,
    checksum: Option<String>,
}

/// Returns the target of this machine.
pub(crate) fn host() -> Result<String, CargoError> {
    let text = output("rustc", &["-vV"])?;
    let host = text.lines().find_map(|line| line.strip_prefix("host: "));
    host.map(str::to_owned)
        .ok_or_else(|| CargoError::Form("rustc -vV", "it names no host".to_owned()))
}

impl Build {
    /// Reads the build of the binary for a target. The selection of features is that of `cargo build -p` for the root package:
    /// `cargo metadata` alone would add what only tests enable.
    pub(crate) fn read(target: &str) -> Result<Self, CargoError> {
        let platform = format!("--filter-platform={target}");
        let metadata = output(
            "cargo",
            &["metadata", "--format-version=1", "--locked", &platform],
        )?;
        let lock =
            std::fs::read_to_string("Cargo.lock").map_err(|error| CargoError::Start("cargo", error))?;
        let [linked, all] = ["normal,no-proc-macro", "normal,build"].map(|edges| tree(target, edges));
        Self::of(&metadata, &lock, &linked?, &all?)
    }

    pub(crate) fn of(
        metadata: &str,
        lock: &str,
        linked: &BTreeSet<Crate>,
        all: &BTreeSet<Crate>,
    ) -> Result<Self, CargoError> {
        let metadata: Metadata = serde_json::from_str(metadata)
            .map_err(|error| CargoError::Form("cargo metadata", error.to_string()))?;
        let lock: Lock =
            toml::from_str(lock).map_err(|error| CargoError::Form("Cargo.lock", error.to_string()))?;
        let checksums: BTreeMap<Crate, String> = lock
            .package
            .into_iter()
            .filter_map(
                |Locked {
                     name,
                     version,
                     checksum,
                 }| Some((Crate { name, version }, checksum?)),
            )
            .collect();
        let by_id: BTreeMap<&str, Crate> = metadata
            .packages
            .iter()
            .map(|package| (package.id.as_str(), package.named()))
            .collect();
        let mut edges: BTreeMap<&str, BTreeSet<Crate>> = BTreeMap::new();
        for node in &metadata.resolve.nodes {
            let known = node.dependencies.iter().filter_map(|id| by_id.get(id.as_str()));
            edges.insert(
                &node.id,
                known.filter(|found| all.contains(found)).cloned().collect(),
            );
        }
        let packages = metadata
            .packages
            .iter()
            .filter(|package| all.contains(&package.named()));
        let packages = packages.map(|package| {
            let named = package.named();
            let described = Package {
                // Older crates separate alternatives by a slash.
                license: package.license.as_ref().map(|text| text.replace('/', " OR ")),
                description: package.description.clone(),
                repository: package.repository.clone(),
                checksum: checksums.get(&named).cloned(),
                is_linked: linked.contains(&named),
                dependencies: edges.get(package.id.as_str()).cloned().unwrap_or_default(),
            };
            (named, described)
        });
        Ok(Self {
            packages: packages.collect(),
        })
    }
}

impl Described {
    fn named(&self) -> Crate {
        Crate {
            name: self.name.clone(),
            version: self.version.clone(),
        }
    }
}

/// Lists the crates of the build that are reached by these edges.
fn tree(target: &str, edges: &str) -> Result<BTreeSet<Crate>, CargoError> {
    let options = [
        "tree",
        "--locked",
        "--package",
        ROOT,
        "--target",
        target,
        "--edges",
        edges,
        "--prefix",
        "none",
        "--format",
        "{p}",
    ];
    let text = output("cargo", &options)?;
    let crates: Option<BTreeSet<Crate>> = text.lines().map(parsed).collect();
    crates.ok_or(CargoError::Form("cargo tree", text))
}

/// Reads `name v1.2.3 (more)`.
fn parsed(line: &str) -> Option<Crate> {
    let mut words = line.split(' ');
    Some(Crate {
        name: words.next()?.to_owned(),
        version: words.next()?.strip_prefix('v')?.to_owned(),
    })
}

fn output(program: &'static str, arguments: &[&str]) -> Result<String, CargoError> {
    // cargo names itself, so that the same toolchain is asked.
    let command = match (program, std::env::var_os("CARGO")) {
        ("cargo", Some(cargo)) => cargo,
        _ => program.into(),
    };
    let ran = Command::new(command)
        .args(arguments)
        .output()
        .map_err(|error| CargoError::Start(program, error))?;
    if !ran.status.success() {
        let error = String::from_utf8_lossy(&ran.stderr).into_owned();
        return Err(CargoError::Failed(program, error));
    }
    String::from_utf8(ran.stdout).map_err(|error| CargoError::Form(program, error.to_string()))
}
