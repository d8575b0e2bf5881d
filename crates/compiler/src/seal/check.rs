//! Checks whether every token of a policy may be used in secure mode: sources get diagnostics, programs a list.

use std::collections::HashMap;

use super::{Fault, Mode, fault};
use crate::{
    diagnostic::{Code, Diagnostic},
    ir::Program,
    source::SourceSet,
    tokens,
};

/// The tokens of a program that may not be used in this mode, by name, and why. Empty in standard mode.
#[must_use]
pub fn faults(program: &Program, mode: &Mode) -> Vec<(String, Fault)> {
    let Mode::Secure(keys) = mode else {
        return Vec::new();
    };
    let tokens = program.tokens().filter_map(|(id, token)| {
        let lines = program.lines_of(id).map(|(_, line)| line.text);
        Some((token.name.clone(), fault(&token.attributes, lines, keys)?))
    });
    tokens.collect()
}

/// The findings that report `faults`, at the tokens' definitions.
#[must_use]
pub fn report(faults: &[(String, Fault)], sources: &SourceSet) -> Vec<Diagnostic> {
    // A policy that compiles has each name once.
    let faults: HashMap<&str, &Fault> = faults
        .iter()
        .map(|(name, fault)| (name.as_str(), fault))
        .collect();
    let mut diagnostics = Vec::new();
    for token in tokens::read_all(sources, &mut Vec::new()) {
        let Some(name) = token.name.as_ref().map(|name| &name.value) else {
            continue;
        };
        if let Some(fault) = faults.get(name.as_str()) {
            let code = match fault {
                Fault::Readable => Code::ReadableSecret,
                Fault::Missing | Fault::Stranger(_) | Fault::Wrong => Code::Seal,
            };
            let help = match fault {
                Fault::Readable | Fault::Missing => {
                    "check the data of the token, then run `tokenward token seal`, which seals it and removes `secret_sealed`"
                }
                Fault::Stranger(_) => {
                    "add that key to [keys] public_keys, or check the data of the token and seal it again"
                }
                Fault::Wrong => {
                    "only `revoked` can be changed in secure mode: revert the change, or revoke the token and create another"
                }
            };
            let finding = Diagnostic::new(code, token.span, format!("`{name}` {fault}"));
            diagnostics.push(finding.help(help));
        }
    }
    diagnostics
}

#[cfg(test)]
mod tests;
