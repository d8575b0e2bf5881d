//! A policy as an editor sees it: the files on disk, with the texts of open documents in their places, and what is known of them.

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    path::{Path, PathBuf},
    sync::Arc,
};

use gen_lsp_types::Uri;
use tokenward_compiler::source::{Links, SourceId, SourceKind, SourceSet};

use crate::{
    findings::{Finding, Outside, Whole},
    host::Policy,
    outline::Outline,
    text::LineIndex,
};

/// A document that the editor has open.
#[derive(Clone, Debug)]
pub(crate) struct Document {
    pub(crate) uri: Uri,
    pub(crate) version: i32,
    pub(crate) text: Arc<str>,
}

/// A policy.
pub(crate) struct Workspace {
    pub(crate) directory: PathBuf,
    pub(crate) policy: Arc<dyn Policy>,
    /// Counts changes, so that a late answer is known as such.
    pub(crate) revision: u64,
    /// Open documents by their paths below the directory.
    open: BTreeMap<String, Document>,
    disk: SourceSet,
    sources: Arc<SourceSet>,
    whole: Whole,
    /// Findings of pieces that changed since the last whole check, if they are known.
    quick: Vec<Finding>,
    outlines: HashMap<String, (Arc<str>, Arc<Outline>)>,
}

impl Workspace {
    pub(crate) fn new(directory: PathBuf, policy: Arc<dyn Policy>) -> Self {
        // A directory that cannot be read is reported by the first check.
        let disk = SourceSet::read_dir(&directory, Links::WithinDirectory).unwrap_or_default();
        let mut workspace = Self {
            directory,
            policy,
            revision: 0,
            open: BTreeMap::new(),
            disk,
            sources: Arc::default(),
            whole: Whole::default(),
            quick: Vec::new(),
            outlines: HashMap::new(),
        };
        workspace.refresh();
        workspace
    }

    pub(crate) fn sources(&self) -> &Arc<SourceSet> {
        &self.sources
    }

    pub(crate) fn document(&self, path: &str) -> Option<&Document> {
        self.open.get(path)
    }

    pub(crate) fn has_open(&self) -> bool {
        !self.open.is_empty()
    }

    pub(crate) fn documents(&self) -> Vec<(String, Arc<str>)> {
        let open = self.open.iter();
        open.map(|(path, document)| (path.clone(), Arc::clone(&document.text)))
            .collect()
    }

    /// Takes a document, or its new text.
    pub(crate) fn set(&mut self, path: &str, document: Document) {
        self.open.insert(path.to_owned(), document);
        self.refresh();
    }

    /// Forgets a document: the file on disk counts again.
    pub(crate) fn close(&mut self, path: &str) {
        self.open.remove(path);
        self.refresh();
    }

    /// Takes what a whole check found, and what it read from disk.
    pub(crate) fn checked(&mut self, whole: Whole, disk: Option<SourceSet>) {
        self.whole = whole;
        self.quick = Vec::new();
        if let Some(disk) = disk {
            self.disk = disk;
            self.refresh_sources();
        }
    }

    /// Takes what a check of the changed pieces found.
    pub(crate) fn checked_pieces(&mut self, found: Vec<Finding>) {
        self.quick = found;
    }

    /// The pieces that changed since the last whole check.
    pub(crate) fn changed(&self) -> HashMap<String, Vec<std::ops::Range<usize>>> {
        self.whole.changed(&self.sources)
    }

    /// The findings to show.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let mut all = self.whole.kept(&self.sources);
        all.extend(self.quick.iter().cloned());
        all
    }

    pub(crate) fn outside(&self) -> &[Outside] {
        &self.whole.outside
    }

    pub(crate) fn source(&self, path: &str) -> Option<(SourceId, SourceKind, Arc<str>)> {
        let (id, source) = self.sources.iter().find(|(_, source)| source.path == path)?;
        Some((id, source.kind, Arc::clone(&source.text)))
    }

    /// The structure of a file.
    pub(crate) fn outline(&mut self, path: &str, text: &Arc<str>) -> Arc<Outline> {
        if let Some((known, outline)) = self.outlines.get(path)
            && Arc::ptr_eq(known, text)
        {
            return Arc::clone(outline);
        }
        let outline = Arc::new(Outline::of(text));
        let entry = (Arc::clone(text), Arc::clone(&outline));
        self.outlines.insert(path.to_owned(), entry);
        outline
    }

    /// The texts and structures of all files of tokens and invariants.
    pub(crate) fn outlines(&mut self) -> Vec<(String, SourceKind, Arc<str>, Arc<Outline>)> {
        let sources = Arc::clone(&self.sources);
        let paths: HashSet<&str> = sources.iter().map(|(_, source)| source.path.as_str()).collect();
        self.outlines.retain(|path, _| paths.contains(path.as_str()));
        let files = sources.iter();
        files
            .map(|(_, source)| {
                let outline = match source.kind {
                    SourceKind::Limits => Arc::default(),
                    _ => self.outline(&source.path, &source.text),
                };
                (
                    source.path.clone(),
                    source.kind,
                    Arc::clone(&source.text),
                    outline,
                )
            })
            .collect()
    }

    /// The address of a file: the editor's own for an open document.
    pub(crate) fn uri(&self, path: &str) -> Option<Uri> {
        match self.open.get(path) {
            Some(document) => Some(document.uri.clone()),
            None => Uri::from_file_path(self.directory.join(path)).ok(),
        }
    }

    /// The lines of a file as the editor counts them.
    pub(crate) fn lines(&self, path: &str, text: &str) -> LineIndex {
        if self.open.contains_key(path) {
            LineIndex::of(text)
        } else {
            LineIndex::of_file(text)
        }
    }

    fn refresh(&mut self) {
        self.revision += 1;
        // What was found in changed pieces is about another text now.
        self.quick = Vec::new();
        self.refresh_sources();
    }

    fn refresh_sources(&mut self) {
        self.sources = Arc::new(merged(&self.disk, &self.documents()));
    }
}

/// The files on disk, with the texts of open documents in their places.
pub(crate) fn merged(disk: &SourceSet, open: &[(String, Arc<str>)]) -> SourceSet {
    let files = disk.iter();
    let mut files: BTreeMap<String, Arc<str>> = files
        .map(|(_, source)| (source.path.clone(), Arc::clone(&source.text)))
        .collect();
    files.extend(open.iter().map(|(path, text)| (path.clone(), Arc::clone(text))));
    files.extend(disk.near().iter().map(|path| (path.clone(), Arc::from(""))));
    SourceSet::sharing(files)
}

/// Reads a directory; files that are as they were share their texts.
pub(crate) fn read(directory: &Path, before: &SourceSet) -> Result<SourceSet, String> {
    SourceSet::read_dir_again(directory, Links::WithinDirectory, before).map_err(|error| error.to_string())
}
