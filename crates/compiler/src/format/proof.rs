//! Proves that formatted files mean what they meant.

use std::sync::Arc;

use super::{kept::Kept, meaning, text::plain};
use crate::{
    artifact,
    compile::compile,
    diagnostic::{Code, Diagnostic},
    ir::{Lines, Program, Tables},
    lint::Exceptions,
    source::{Source, SourceKind, SourceSet},
};

/// Reason why two policies were not proved to mean the same.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unproved {
    /// A file is missing, or new.
    #[error("the files are not the same")]
    Files,
    /// A file does not say the same.
    #[error("`{0}` would not say the same")]
    Content(String),
    /// A file would lose a comment.
    #[error("`{0}` would not have the same comments")]
    Comments(String),
    /// The compiler would report other findings.
    #[error("the compiler would not report the same findings")]
    Findings,
    /// The programs are different.
    #[error("the policy would not compile to the same program")]
    Program,
    /// A seal signs the text of a line that would change.
    #[error("the seal of `{0}` signs the text of lines that would change")]
    Sealed(String),
    /// A review names the text of a line that would change.
    #[error("a review names the text of a line of `{0}` that would change")]
    Reviewed(String),
    /// The comments that are exceptions from warnings would be for other lines.
    #[error("exceptions from warnings (`# allow TW0123: why`) would not be the same")]
    Exceptions,
}

/// Proves that two policies mean the same. Each file has the same values and comments, its limit lines have the same parts, the
/// same lines are excepted from warnings, the compiler reports the same findings, and the programs are identical but for the texts
/// and places of lines that neither a seal signs nor a review names.
///
/// Cost: two compilations.
///
/// # Errors
/// The first difference.
pub fn prove(before: &SourceSet, after: &SourceSet) -> Result<(), Unproved> {
    if before.iter().count() != after.iter().count() {
        return Err(Unproved::Files);
    }
    for ((_, old), (_, new)) in before.iter().zip(after.iter()) {
        if old.path != new.path {
            return Err(Unproved::Files);
        }
        if old.text != new.text {
            says_the_same(old, new)?;
        }
    }
    if exceptions(before) != exceptions(after) {
        return Err(Unproved::Exceptions);
    }
    compiles_to_the_same(before, after)
}

/// Proves that two texts of a file have the same values, comments and parts of lines. It is a part of [`prove`] that needs no
/// compilation.
///
/// # Errors
/// The first difference.
pub fn says_the_same(old: &Source, new: &Source) -> Result<(), Unproved> {
    let (was, is) = (plain(old.body()), plain(new.body()));
    let is_same = if old.kind == SourceKind::Limits {
        meaning::of_block(&was) == meaning::of_block(&is)
    } else {
        let was = meaning::of_document(&was);
        was.is_some() && was == meaning::of_document(&is)
    };
    if !is_same {
        return Err(Unproved::Content(old.path.clone()));
    }
    let has_same_comments = if old.kind == SourceKind::Limits {
        meaning::comments_of_block(&was) == meaning::comments_of_block(&is)
    } else {
        let was = meaning::comments_of_document(&was);
        was.is_some() && was == meaning::comments_of_document(&is)
    };
    if !has_same_comments {
        return Err(Unproved::Comments(old.path.clone()));
    }
    Ok(())
}

/// The codes that comments except, with the meanings of the lines that they are for, and the codes of the errors among them.
fn exceptions(sources: &SourceSet) -> (Vec<(Vec<Code>, String)>, Vec<Code>) {
    let mut errors = Vec::new();
    let exceptions = Exceptions::read(sources, Vec::new(), &mut errors);
    let lines = exceptions.lines();
    let found = lines.map(|(codes, line)| (codes.to_vec(), meaning::of_line(sources.text(line))));
    let mut wrong: Vec<Code> = errors.iter().map(|error| error.code).collect();
    wrong.sort_unstable();
    (found.collect(), wrong)
}

fn compiles_to_the_same(before: &SourceSet, after: &SourceSet) -> Result<(), Unproved> {
    let kept = Kept::of(before);
    let (before, after) = (compile(before), compile(after));
    let codes = |found: &[Diagnostic]| {
        let mut codes: Vec<Code> = found.iter().map(|found| found.code).collect();
        codes.sort_unstable();
        codes
    };
    if codes(&before.diagnostics) != codes(&after.diagnostics) {
        return Err(Unproved::Findings);
    }
    match (&before.program, &after.program) {
        // A policy with errors has no program. Its files say the same, so it has the same errors.
        (None, None) => Ok(()),
        (Some(old), Some(new)) => {
            texts_hold(old, new, &kept)?;
            if without_texts(old) == without_texts(new) {
                Ok(())
            } else {
                Err(Unproved::Program)
            }
        }
        _ => Err(Unproved::Program),
    }
}

/// Seals sign the texts of lines, those of sets included, and reviews name them.
fn texts_hold(old: &Program, new: &Program, kept: &Kept) -> Result<(), Unproved> {
    for ((was, token), (is, _)) in old.tokens().zip(new.tokens()) {
        let texts = |program: &Program, id| -> Vec<String> {
            program
                .lines_of(id)
                .map(|(_, line)| line.text.to_owned())
                .collect()
        };
        let (was, is) = (texts(old, was), texts(new, is));
        if token.seal.is_some() && was != is {
            return Err(Unproved::Sealed(token.name.clone()));
        }
        let is_changed = |(one, other): (&String, &String)| one != other && kept.names(one);
        if was.iter().zip(&is).any(is_changed) {
            return Err(Unproved::Reviewed(token.name.clone()));
        }
    }
    Ok(())
}

/// The digest of everything in a program that decides, without the texts and the places of its lines.
fn without_texts(program: &Program) -> String {
    artifact::digest(&Program {
        tables: Tables {
            lines: Arc::new(Lines::default()),
            ..program.tables.clone()
        },
        ..program.clone()
    })
}
