//! The policies of files, under their configurations.

use std::collections::HashMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread;

use tokenward_compiler::analysis::{Analysis, Budget};
use tokenward_compiler::source::{SourceSet, limits};
use tokenward_compiler::visible;
use tokenward_lsp::{Checked, DescribedPath, DescribedSegment, Found, Host, Policy, Problem, Stop, Terms};
use tokenward_pdp::check::Surroundings;
use tokenward_pdp::config::universe::universe;
use tokenward_pdp::config::{Config, ConfigError};

use super::super::compile::{checked_alone, prove_first};
use super::super::descriptions::Names;
use super::super::failure::Failure;
use super::super::fmt::policy::without_configuration;
use super::super::settings::CONFIG_FILE;
use super::super::time::now_ms;
use super::super::token::operation::spelled;
use crate::config_file;

/// Configurations that are kept.
const MOST: usize = 32;
/// A share of the usual budget: somebody waits for the operations of one line.
const LINE_BUDGET: u64 = 20_000;
/// Operations of a line that are shown.
const OPERATIONS: usize = 10;

/// Finds configurations, and keeps what is made of them.
pub(super) struct Configurations {
    /// The only one, if the command line names it.
    named: Option<PathBuf>,
    known: Mutex<HashMap<PathBuf, Known>>,
}

/// A configuration with the text that it was read from; no text: the defaults.
struct Known {
    text: Option<String>,
    configured: Arc<Configured>,
}

impl Configurations {
    pub(super) fn new(named: Option<&Path>) -> Result<Self, Failure> {
        let named = named.map(|file| {
            file.canonicalize().map_err(|error| {
                Failure::Usage(format!(
                    "cannot read the configuration `{}`: {error}",
                    file.display()
                ))
            })
        });
        Ok(Self {
            named: named.transpose()?,
            known: Mutex::default(),
        })
    }

    /// The configuration for files in a directory.
    fn above(&self, directory: &Path) -> Option<PathBuf> {
        if let Some(named) = &self.named {
            return Some(named.clone());
        }
        let above = directory.ancestors().take(limits::DEPTH + 16);
        above
            .map(|directory| directory.join(CONFIG_FILE))
            .find(|file| file.is_file())
    }

    /// What is made of a configuration: of its file, or for a directory without one of the defaults.
    fn configured(&self, place: &Path, file: Option<&Path>) -> Result<Arc<Configured>, String> {
        let text =
            match file {
                None => None,
                Some(file) => Some(fs::read_to_string(file).map_err(|error| {
                    format!("cannot read the configuration `{}`: {error}", file.display())
                })?),
            };
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(known) = known.get(place).filter(|known| known.text == text) {
            return Ok(Arc::clone(&known.configured));
        }
        let config = match (file, &text) {
            (Some(file), Some(text)) => {
                let config = config_file::parse(text, file).map_err(|error| error.to_string())?;
                Config {
                    file: Some(file.to_owned()),
                    ..config
                }
            }
            _ => Config {
                policies: place.to_owned(),
                ..Config::default()
            },
        };
        let configured = Arc::new(Configured::new(config).map_err(|error| error.message().to_owned())?);
        if known.len() >= MOST {
            known.clear();
        }
        Configured::read_descriptions(&configured);
        let entry = Known {
            text,
            configured: Arc::clone(&configured),
        };
        known.insert(place.to_owned(), entry);
        Ok(configured)
    }
}

impl Host for Configurations {
    fn find(&self, file: &Path) -> Result<Option<Found>, String> {
        // The file itself may be new, and not written yet.
        let (Some(parent), Some(name)) = (file.parent(), file.file_name()) else {
            return Ok(None);
        };
        let Ok(whole) = parent.canonicalize() else {
            return Ok(None);
        };
        let configuration = self.above(&whole);
        let (configured, root) = match &configuration {
            Some(configuration) => {
                let configured = self.configured(configuration, Some(configuration))?;
                let Ok(root) = configured.config.policies.canonicalize() else {
                    return Ok(None);
                };
                (configured, root)
            }
            None => match without_configuration(&whole) {
                Some(root) => (self.configured(root, None)?, root.to_owned()),
                None => return Ok(None),
            },
        };
        let Ok(below) = whole.strip_prefix(&root) else {
            return Ok(None);
        };
        let relative = below.join(name);
        let parts: Option<Vec<&str>> = relative.iter().map(|part| part.to_str()).collect();
        // A path that is not UTF-8 is not part of a policy.
        let Some(parts) = parts else {
            return Ok(None);
        };
        if parts.iter().any(|part| part.starts_with('.')) {
            return Ok(None);
        }
        Ok(Some(Found {
            directory: as_given(parent, below, root),
            relative: parts.join("/"),
            policy: configured,
        }))
    }

    fn configuration(&self, file: &Path, text: &str) -> Option<Vec<Problem>> {
        if file.file_name()? != CONFIG_FILE && self.named.as_deref() != Some(file) {
            return None;
        }
        let problems = match config_file::parse(text, file) {
            Ok(_) => Vec::new(),
            Err(ConfigError::Invalid(problems)) => problems
                .into_iter()
                .map(|problem| Problem {
                    line: problem.line,
                    column: problem.column,
                    message: problem.message,
                })
                .collect(),
            Err(error) => vec![Problem {
                line: 1,
                column: 1,
                message: error.to_string(),
            }],
        };
        Some(problems)
    }
}

/// The policy's directory as the editor names it, if links are not in the way: addresses of its other files are then those that the
/// editor uses.
fn as_given(parent: &Path, below: &Path, root: PathBuf) -> PathBuf {
    let given = parent.ancestors().nth(below.components().count());
    match given {
        Some(given) if given.canonicalize().is_ok_and(|whole| whole == root) => given.to_owned(),
        _ => root,
    }
}

/// A configuration, and what checks need of it.
struct Configured {
    config: Config,
    around: Surroundings,
    terms: Terms,
    /// The descriptions of the API, read when somebody asks first.
    names: OnceLock<Option<Names>>,
    /// The paths of their operations.
    paths: OnceLock<Arc<[DescribedPath]>>,
}

impl Configured {
    fn new(config: Config) -> Result<Self, Failure> {
        let around = Surroundings::of(&config)?;
        let terms = Terms {
            base: config.upstream.public_url.clone(),
            merges_body: config.upstream.product.merges(),
            universe: universe(&config),
            proxied: around.proxied.clone(),
        };
        Ok(Self {
            config,
            around,
            terms,
            names: OnceLock::new(),
            paths: OnceLock::new(),
        })
    }

    /// Reads the descriptions in the background, so that nobody waits for them while typing.
    fn read_descriptions(configured: &Arc<Self>) {
        if configured.config.api.descriptions.is_empty() {
            return;
        }
        let own = Arc::clone(configured);
        let reading = thread::Builder::new().name("descriptions".to_owned());
        // Without the thread, the first explanation of a line reads them.
        drop(reading.spawn(move || {
            if let Some(names) = own.names() {
                own.paths.get_or_init(|| described_paths(names));
            }
        }));
    }

    fn names(&self) -> Option<&Names> {
        self.names.get_or_init(|| Names::of_config(&self.config)).as_ref()
    }
}

impl Policy for Configured {
    fn check(&self, sources: &SourceSet, stop: &Stop) -> Result<Checked, String> {
        let budget = Budget::stopped_by(Analysis::BUDGET, stop.flag());
        let trouble = |failure: Failure| failure.message().to_owned();
        let checked = checked_alone(sources, (&self.config, &budget), now_ms(), Some(&self.around));
        let mut checked = checked.map_err(|why| why.to_string())?;
        let shared = (&self.around.proxied, &budget);
        prove_first(&self.config, sources, shared, &mut checked.diagnostics).map_err(trouble)?;
        Ok(Checked {
            open: checked.open + checked.lints_open,
            diagnostics: checked.diagnostics,
        })
    }

    fn terms(&self) -> &Terms {
        &self.terms
    }

    fn operations(&self, line: &str, stop: &Stop) -> Option<String> {
        let names = self.names()?;
        let budget = Budget::stopped_by(LINE_BUDGET, stop.flag());
        let reached = names.of_line(line, &self.config, &budget)?;
        let (full, part): (Vec<_>, Vec<_>) = reached.iter().partition(|(_, is_whole)| *is_whole);
        let mut out = format!(
            "Operations of the API: {} in full, {} in part.",
            full.len(),
            part.len()
        );
        for (name, is_whole) in full.iter().chain(&part).take(OPERATIONS) {
            let part = if *is_whole { "" } else { " (in part)" };
            out.push_str(&format!("\n- `{}`{part}", visible(name).replace('`', "'")));
        }
        if let Some(more @ 1..) = reached.len().checked_sub(OPERATIONS) {
            out.push_str(&format!("\n- and {more} more"));
        }
        Some(out)
    }

    fn paths(&self) -> Option<Arc<[DescribedPath]>> {
        let names = self.names.get()?.as_ref()?;
        Some(Arc::clone(self.paths.get_or_init(|| described_paths(names))))
    }

    fn configuration(&self) -> Option<&Path> {
        self.config.file.as_deref()
    }
}

/// The paths of the operations, each once, in the order of the descriptions.
fn described_paths(names: &Names) -> Arc<[DescribedPath]> {
    let mut paths: Vec<DescribedPath> = Vec::new();
    let mut known: HashMap<Vec<String>, usize> = HashMap::new();
    for (operation, name) in names.operations() {
        let method = operation.method.as_str().to_ascii_lowercase();
        for path in spelled(operation) {
            let key: Vec<String> = path.iter().map(|segment| segment.pattern.clone()).collect();
            let at = *known.entry(key).or_insert(paths.len());
            if at == paths.len() {
                let segments = path.into_iter().map(|segment| DescribedSegment {
                    shown: visible(&segment.shown),
                    pattern: segment.pattern,
                    is_open: segment.is_open,
                });
                paths.push(DescribedPath {
                    segments: segments.collect(),
                    operations: Vec::new(),
                });
            }
            if let Some(path) = paths.get_mut(at) {
                path.operations.push((method.clone(), visible(&name)));
            }
        }
    }
    // A line is one line: what has a line end cannot be typed.
    let is_writable = |path: &DescribedPath| {
        let mut segments = path.segments.iter();
        segments.all(|segment| !segment.pattern.contains(char::is_control))
    };
    paths.retain(is_writable);
    paths.into()
}
