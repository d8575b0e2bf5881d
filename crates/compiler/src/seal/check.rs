//! Whether every token of a policy may be used in secure mode: of sources with a diagnostic, of programs with a list.

use super::{Fault, Mode, fault};
use crate::{
    Compilation,
    diagnostic::{self, Code, Diagnostic},
    ir::Program,
    source::{SourceKind, SourceSet},
    tokens,
};

/// The tokens of a program that may not be used in this mode, by name, and why. None in standard mode.
#[must_use]
pub fn faults(program: &Program, mode: &Mode) -> Vec<(String, Fault)> {
    let Mode::Secure(keys) = mode else {
        return Vec::new();
    };
    let tokens = program.tokens().filter_map(|(_, token)| {
        let lines = program.lines_of(token).map(|(_, line)| line.text);
        Some((token.name.clone(), fault(&token.attributes, lines, keys)?))
    });
    tokens.collect()
}

/// Takes the program away, with a finding for each reason, where a token may not be used in this mode.
pub(crate) fn check(sources: &SourceSet, mode: &Mode, compilation: &mut Compilation) {
    let Some(program) = &compilation.program else {
        return;
    };
    let faults = faults(program, mode);
    if faults.is_empty() {
        return;
    }
    let definitions = sources
        .iter()
        .filter(|(_, source)| source.kind == SourceKind::Tokens)
        .flat_map(|(id, source)| tokens::read(id, source, &mut Vec::new()));
    for token in definitions {
        let Some(name) = token.name.as_ref().map(|name| &name.value) else {
            continue;
        };
        for (_, fault) in faults.iter().filter(|(faulty, _)| faulty == name) {
            let code = match fault {
                Fault::Readable => Code::ReadableSecret,
                Fault::Missing | Fault::Stranger(_) | Fault::Wrong => Code::Seal,
            };
            let help = match fault {
                Fault::Readable | Fault::Missing => {
                    "`tokenward token seal` seals it, and takes `secret_sealed` out, if its data are right"
                }
                Fault::Stranger(_) => {
                    "name that key in [keys] public_keys, or seal the token again if its data are right"
                }
                Fault::Wrong => {
                    "nothing but `revoked` can be changed in secure mode: take the change back, or revoke the token and make another"
                }
            };
            let finding = Diagnostic::new(code, token.span, format!("`{name}` {fault}"));
            compilation.diagnostics.push(finding.help(help));
        }
    }
    diagnostic::sort(&mut compilation.diagnostics);
    compilation.program = None;
}
