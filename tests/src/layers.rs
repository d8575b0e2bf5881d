//! The layers of a crate: which of its files import which, and whether each import runs downwards.
//!
//! [`Crate::read`] follows the `mod` items of a crate from its root, leaves out what `cfg(test)` hides, and resolves each path
//! (`crate::…`, `super::…`, `self::…`, a child module, an imported name) to the file that defines what it names, through
//! re-exports. [`Crate::judge`] compares the imports with a list of layers.

mod paths;
mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::{fmt, fs, io};

use self::source::{Import, Source};

/// One crate's files and the imports between them.
#[derive(Debug, Default)]
pub struct Crate {
    modules: BTreeMap<Vec<String>, Module>,
}

/// One module: what its part of a file contains.
#[derive(Debug)]
struct Module {
    file: String,
    source: Source,
}

/// An import from one file of a crate to another, both relative to the crate's `src`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Edge {
    /// The file that imports.
    pub from: String,
    /// The file that defines what is imported.
    pub to: String,
}

/// One thing that is wrong with the layers of a crate.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Violation {
    /// An import from a lower layer to a higher one.
    Upward(Edge),
    /// Files that import each other, directly or through others.
    Circle(Vec<String>),
    /// A file that is in no layer.
    Unplaced(String),
}

impl fmt::Display for Violation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upward(Edge { from, to }) => write!(f, "{from} imports {to}, which is in a higher layer"),
            Self::Circle(files) => write!(f, "these files import each other: {}", files.join(", ")),
            Self::Unplaced(file) => write!(f, "{file} is in no layer"),
        }
    }
}

impl Crate {
    /// Reads the crate whose root file is `root`.
    ///
    /// # Errors
    /// A file that a `mod` item names cannot be read, or a module is placed by `#[path]`.
    pub fn read(root: &Path) -> io::Result<Self> {
        let directory = root.parent().unwrap_or(Path::new("."));
        let mut found = Self::default();
        found.add_file(directory, root, Vec::new())?;
        Ok(found)
    }

    fn add_file(&mut self, directory: &Path, file: &Path, module: Vec<String>) -> io::Result<()> {
        let text = fs::read_to_string(file)
            .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", file.display())))?;
        let name = file.strip_prefix(directory).unwrap_or(file);
        let name = name.to_string_lossy().into_owned();
        for (inner, source) in
            source::read(&text).map_err(|why| io::Error::other(format!("{name}: {why}")))?
        {
            let module = [module.as_slice(), &inner].concat();
            for child in &source.children {
                let child = [module.as_slice(), std::slice::from_ref(child)].concat();
                let mut path: PathBuf = directory.join(child.iter().collect::<PathBuf>());
                if path.join("mod.rs").exists() {
                    path.push("mod");
                }
                path.set_extension("rs");
                self.add_file(directory, &path, child)?;
            }
            let file = name.clone();
            self.modules.insert(module, Module { file, source });
        }
        Ok(())
    }

    /// The crate's files.
    pub fn files(&self) -> BTreeSet<&str> {
        self.modules.values().map(|module| module.file.as_str()).collect()
    }

    /// All imports from one file to another.
    pub fn edges(&self) -> BTreeSet<Edge> {
        let mut edges = BTreeSet::new();
        for (name, module) in &self.modules {
            let imports = module.source.imports.iter().map(|import| &import.path);
            for path in imports.chain(&module.source.inline) {
                if let Some(target) = self.resolve(name, path, 0)
                    && let Some(found) = self.modules.get(&target)
                    && found.file != module.file
                {
                    edges.insert(Edge {
                        from: module.file.clone(),
                        to: found.file.clone(),
                    });
                }
            }
        }
        edges
    }

    /// The groups of files that import each other.
    pub fn circles(&self) -> Vec<Vec<String>> {
        let mut next: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for Edge { from, to } in self.edges() {
            next.entry(from).or_default().push(to);
        }
        let reach = |from: &str| {
            let mut seen = BTreeSet::new();
            let mut open = vec![from];
            while let Some(file) = open.pop() {
                for to in next.get(file).into_iter().flatten() {
                    if seen.insert(to.as_str()) {
                        open.push(to);
                    }
                }
            }
            seen
        };
        let reached: BTreeMap<&str, BTreeSet<&str>> =
            next.keys().map(|file| (file.as_str(), reach(file))).collect();
        let mut circles: BTreeSet<Vec<String>> = BTreeSet::new();
        for (file, reach) in &reached {
            let back = |other: &&&str| reached.get(**other).is_some_and(|back| back.contains(file));
            let circle: Vec<String> = reach.iter().filter(back).map(|f| (*f).to_owned()).collect();
            if !circle.is_empty() {
                circles.insert(circle);
            }
        }
        circles.into_iter().collect()
    }

    /// Compares the imports with `layers`, from the top to the ground: each lists modules, by path such as `index/counts`, whose
    /// files and children belong to it. A file may import from its own layer and from those below.
    pub fn judge(&self, layers: &[Vec<String>]) -> Vec<Violation> {
        let layer_of = |file: &str| layer_of(layers, file);
        let mut wrong = Vec::new();
        for file in self.files() {
            if layer_of(file).is_none() {
                wrong.push(Violation::Unplaced(file.to_owned()));
            }
        }
        for edge in self.edges() {
            if layer_of(&edge.from) > layer_of(&edge.to) {
                wrong.push(Violation::Upward(edge));
            }
        }
        wrong.extend(self.circles().into_iter().map(Violation::Circle));
        wrong
    }
}

/// The number of the layer that lists `file`, or the nearest module above it.
fn layer_of(layers: &[Vec<String>], file: &str) -> Option<usize> {
    let module = file.strip_suffix(".rs").unwrap_or(file);
    let length = |listed: &String| {
        let rest = module.strip_prefix(listed.as_str())?;
        (rest.is_empty() || rest.starts_with('/')).then_some(listed.len())
    };
    let nearest = |(n, layer): (usize, &Vec<String>)| Some((layer.iter().filter_map(length).max()?, n));
    layers
        .iter()
        .enumerate()
        .filter_map(nearest)
        .max()
        .map(|(_, n)| n)
}
