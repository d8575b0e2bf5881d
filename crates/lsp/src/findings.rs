//! Findings by file, as they are shown while a policy changes: those of the last whole check, moved with the text around them, and
//! those of the pieces that changed since.

use std::{collections::HashMap, ops::Range, sync::Arc};

use tokenward_compiler::{
    diagnostic::{Code, Diagnostic, Label, Proof, Severity, Unproved},
    source::{SourceKind, SourceSet, Span},
};

use crate::pieces::{Known, Piece, pieces};

/// A place in a file of the policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) file: Arc<str>,
    pub(crate) range: Range<usize>,
}

/// A finding whose places are paths and bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) code: Code,
    pub(crate) severity: Severity,
    pub(crate) headline: String,
    pub(crate) label: String,
    pub(crate) help: Option<String>,
    pub(crate) request: Option<String>,
    pub(crate) place: Place,
    pub(crate) related: Vec<(Place, String)>,
    pub(crate) fixes: Vec<Correction>,
}

/// A correction of a finding.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Correction {
    /// Places, and the texts to write there.
    pub(crate) edits: Vec<(Place, String)>,
    /// What is proved about it; empty if no proof was tried.
    pub(crate) proof: String,
    /// Whether it is proved to give no access.
    pub(crate) is_proved: bool,
}

/// A finding about a line of a file that is not part of the policy, such as the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outside {
    pub(crate) file: String,
    /// Line, from 1.
    pub(crate) line: usize,
    pub(crate) code: Option<Code>,
    pub(crate) severity: Severity,
    pub(crate) message: String,
}

/// The result of a whole check.
#[derive(Debug, Default)]
pub(crate) struct Whole {
    known: HashMap<String, Known>,
    findings: HashMap<String, Vec<Finding>>,
    pub(crate) outside: Vec<Outside>,
}

/// The codes about what the rest of the policy does: a check of a few pieces cannot know them.
const OF_THE_WHOLE: [Code; 3] = [Code::UnusedSet, Code::IdleInvariant, Code::IdleException];

impl Whole {
    pub(crate) fn of(sources: &SourceSet, diagnostics: &[Diagnostic]) -> Self {
        let mut whole = Self::default();
        for (_, source) in sources.iter() {
            let text = Arc::clone(&source.text);
            whole.known.insert(source.path.clone(), Known { text });
        }
        for found in by_file(sources, diagnostics) {
            whole
                .findings
                .entry(found.place.file.to_string())
                .or_default()
                .push(found);
        }
        let outside = diagnostics.iter().filter_map(|found| {
            let elsewhere = found.elsewhere.as_ref()?;
            Some(Outside {
                file: elsewhere.file.clone(),
                line: elsewhere.line,
                code: Some(found.code),
                severity: found.severity,
                message: found.headline.clone(),
            })
        });
        whole.outside = outside.collect();
        whole
    }

    /// The pieces of all files that changed since, by file.
    pub(crate) fn changed(&self, sources: &SourceSet) -> HashMap<String, Vec<Range<usize>>> {
        let mut changed = HashMap::new();
        for (_, source) in sources.iter() {
            let pieces = pieces(source.kind, &source.text, self.known.get(&source.path));
            let new = pieces.into_iter().filter(|piece| piece.before.is_none());
            let new: Vec<Range<usize>> = new.map(|piece| piece.range).collect();
            if !new.is_empty() {
                changed.insert(source.path.clone(), new);
            }
        }
        changed
    }

    /// The findings of the pieces that are as they were, at their present places.
    pub(crate) fn kept(&self, sources: &SourceSet) -> Vec<Finding> {
        let moves = sources.iter().map(|(_, source)| {
            let pieces = pieces(source.kind, &source.text, self.known.get(&source.path));
            (source.path.as_str(), Moves::of(pieces))
        });
        let moves: HashMap<&str, Moves> = moves.collect();
        let findings = self.findings.values().flatten();
        let mut kept: Vec<Finding> = findings.filter_map(|found| found.moved(&moves)).collect();
        // A proof is about a token with the sets that it includes.
        if self.has_other_sets(sources) {
            let fixes = kept.iter_mut().flat_map(|found| &mut found.fixes);
            fixes.for_each(Correction::forget_proof);
        }
        kept
    }

    /// Whether a set is new, changed or gone.
    fn has_other_sets(&self, sources: &SourceSet) -> bool {
        let is_set = |path: &String| SourceKind::of(path) == Some(SourceKind::Limits);
        let sets = sources
            .iter()
            .filter(|(_, source)| source.kind == SourceKind::Limits);
        let mut count = 0;
        for (_, source) in sets {
            count += 1;
            let known = self.known.get(&source.path);
            if known.is_none_or(|known| *known.text != *source.text) {
                return true;
            }
        }
        self.known.keys().filter(|path| is_set(path)).count() != count
    }
}

/// Where the unchanged pieces of a file were, in that order, and where they begin now.
struct Moves(Vec<(Range<usize>, usize)>);

impl Moves {
    fn of(pieces: Vec<Piece>) -> Self {
        let kept = pieces.into_iter().filter_map(|piece| {
            let before = piece.before?;
            Some((before..before + piece.range.len(), piece.range.start))
        });
        let mut kept: Vec<_> = kept.collect();
        kept.sort_by_key(|(before, _)| before.start);
        Self(kept)
    }

    /// The present place of a range that is within one piece.
    fn of_range(&self, range: &Range<usize>) -> Option<Range<usize>> {
        let count = self.0.partition_point(|(before, _)| before.start <= range.start);
        let (before, now) = self.0.get(count.checked_sub(1)?)?;
        let at = |byte: usize| byte - before.start + now;
        (range.end <= before.end).then(|| at(range.start)..at(range.end))
    }
}

impl Finding {
    /// The finding at its present place; `None` if its piece changed.
    fn moved(&self, moves: &HashMap<&str, Moves>) -> Option<Self> {
        let place = self.place.moved(moves)?;
        let mut moved = Self {
            place,
            ..self.clone()
        };
        let related = self.related.iter();
        moved.related = related
            .filter_map(|(place, text)| Some((place.moved(moves)?, text.clone())))
            .collect();
        moved.fixes = self.fixes.iter().filter_map(|fix| fix.moved(moves)).collect();
        Some(moved)
    }
}

impl Place {
    fn moved(&self, moves: &HashMap<&str, Moves>) -> Option<Self> {
        Some(Self {
            file: Arc::clone(&self.file),
            range: moves.get(&*self.file)?.of_range(&self.range)?,
        })
    }
}

impl Correction {
    /// The correction at its present places; `None` if one of them changed.
    fn moved(&self, moves: &HashMap<&str, Moves>) -> Option<Self> {
        let edits = self.edits.iter();
        let edits: Option<Vec<_>> = edits
            .map(|(place, text)| Some((place.moved(moves)?, text.clone())))
            .collect();
        Some(Self {
            edits: edits?,
            proof: self.proof.clone(),
            is_proved: self.is_proved,
        })
    }

    /// Forgets a proof that was about other texts.
    fn forget_proof(&mut self) {
        self.proof = String::new();
        self.is_proved = false;
    }
}

/// The corrections of a finding, the most probable one first.
fn corrections(found: &Diagnostic, place: &dyn Fn(Span) -> Option<Place>) -> Vec<Correction> {
    let fixes = found.fixes.iter().filter_map(|fix| {
        let edits = fix.edits.iter();
        let edits: Option<Vec<_>> = edits
            .map(|edit| Some((place(edit.span)?, edit.text.clone())))
            .collect();
        Some(Correction {
            edits: edits?,
            proof: match &fix.proof {
                Proof::Unproved(Unproved::Untried) => String::new(),
                proof => proof.to_string(),
            },
            is_proved: fix.is_proved(),
        })
    });
    fixes.collect()
}

/// All findings of a check that are in files of the policy.
pub(crate) fn by_file(sources: &SourceSet, diagnostics: &[Diagnostic]) -> Vec<Finding> {
    let files: HashMap<_, Arc<str>> = sources
        .iter()
        .map(|(id, source)| (id, Arc::from(source.path.as_str())))
        .collect();
    let place = |span: Span| {
        let length = sources.get(span.source)?.text.len();
        Some(Place {
            file: Arc::clone(files.get(&span.source)?),
            range: span.start.min(length)..span.end.min(length),
        })
    };
    let labelled = |label: &Label| Some((place(label.span)?, label.text.clone()));
    let inside = diagnostics.iter().filter(|found| found.elsewhere.is_none());
    let found = inside.filter_map(|found| {
        Some(Finding {
            code: found.code,
            severity: found.severity,
            headline: found.headline.clone(),
            label: found.primary.text.clone(),
            help: found.help.clone(),
            request: found.witness.as_ref().map(|witness| witness.request.clone()),
            place: place(found.primary.span)?,
            related: found.related.iter().filter_map(labelled).collect(),
            fixes: corrections(found, &place),
        })
    });
    found.collect()
}

/// The findings of a check of a few pieces that are about these pieces.
pub(crate) fn of_pieces(
    sources: &SourceSet,
    diagnostics: &[Diagnostic],
    changed: &HashMap<String, Vec<Range<usize>>>,
) -> Vec<Finding> {
    let mut found = by_file(sources, diagnostics);
    found.retain(|found| {
        let pieces = changed.get(&*found.place.file);
        let is_here = pieces.is_some_and(|pieces| {
            pieces
                .iter()
                .any(|piece| piece.start <= found.place.range.start && found.place.range.end <= piece.end)
        });
        is_here && !OF_THE_WHOLE.contains(&found.code)
    });
    // The tokens that did not change are left out here, and may include these sets.
    let is_set = |found: &Finding| SourceKind::of(&found.place.file) != Some(SourceKind::Tokens);
    let of_sets = found.iter_mut().filter(|found| is_set(found));
    of_sets
        .flat_map(|found| &mut found.fixes)
        .for_each(Correction::forget_proof);
    found
}

#[cfg(test)]
mod tests;
