//! Proves that formatted files mean what they meant.

use std::sync::Arc;

use super::{meaning, text::plain};
use crate::{
    artifact,
    compile::compile,
    diagnostic::{Code, Diagnostic},
    ir::{Lines, Program, Tables},
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
}

/// Proves that two policies mean the same. Each file has the same values and comments, its limit lines have the same parts, the
/// compiler reports the same findings, and the programs are identical but for the texts and places of lines.
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
    compiles_to_the_same(before, after)
}

fn says_the_same(old: &Source, new: &Source) -> Result<(), Unproved> {
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
    if meaning::comments(&was) != meaning::comments(&is) {
        return Err(Unproved::Comments(old.path.clone()));
    }
    Ok(())
}

fn compiles_to_the_same(before: &SourceSet, after: &SourceSet) -> Result<(), Unproved> {
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
            seals_hold(old, new)?;
            if without_texts(old) == without_texts(new) {
                Ok(())
            } else {
                Err(Unproved::Program)
            }
        }
        _ => Err(Unproved::Program),
    }
}

/// Seals sign the texts of lines, those of sets included.
fn seals_hold(old: &Program, new: &Program) -> Result<(), Unproved> {
    for ((was, token), (is, _)) in old.tokens().zip(new.tokens()) {
        let texts = |program: &Program, id| -> Vec<String> {
            program
                .lines_of(id)
                .map(|(_, line)| line.text.to_owned())
                .collect()
        };
        if token.seal.is_some() && texts(old, was) != texts(new, is) {
            return Err(Unproved::Sealed(token.name.clone()));
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
