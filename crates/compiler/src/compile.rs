//! Compiling: the stages from sources to a program, in their order.

use crate::{
    artifact,
    ceiling::{self, Ceiling},
    check, dead,
    diagnostic::{self, Code, Diagnostic, Severity},
    ir::Program,
    lower::{lower, lower_lines},
    partial::{self, Partial},
    policy::Policy,
    resolve::resolve,
    seal,
    source::{SourceSet, Span},
    source_map::SourceMap,
    tokens,
};

/// The result of compiling.
#[derive(Debug)]
pub struct Compilation {
    /// The program, unbound; `None` if any diagnostic is an error.
    pub program: Option<Program>,
    /// If every error is one of a line: the program in which the tokens of such lines may do nothing.
    pub partial: Option<Partial>,
    /// Everything there is to say, in source order.
    pub diagnostics: Vec<Diagnostic>,
    /// The warnings that tokens allow with `lint_allow`.
    pub allowed: Vec<Diagnostic>,
    /// SHA-256 of the secrets of revoked tokens, from every file that parses: these count even if the policy does not
    /// compile.
    pub revoked: Vec<[u8; 32]>,
    /// The spans of the program's lines and tokens.
    pub source_map: SourceMap,
    /// The lines of sets that no token includes, as a program without tokens, and their spans.
    pub unused: (Program, SourceMap),
}

/// Compiles a policy without checking seals: source → pairs → AST → resolved policy → program.
#[must_use]
pub fn compile(sources: &SourceSet) -> Compilation {
    let mut diagnostics = Vec::new();
    let definitions = tokens::read_all(sources, &mut diagnostics);
    let mut tokens = resolve(definitions, sources);
    let mut lowered = lower(&mut tokens, sources);
    let mut resolved = tokens.finish();
    diagnostics.append(&mut resolved.diagnostics);
    diagnostics.append(&mut lowered.diagnostics);
    check::secrets(sources, &mut diagnostics);
    check::hidden_text::check(sources, &mut diagnostics);
    check::near_file::check(sources, &mut diagnostics);
    check::test_files::check(sources, &mut diagnostics);
    only_causes(&mut diagnostics);
    let mut unused = lower_lines(&resolved.unused, sources);
    diagnostics.append(&mut unused.diagnostics);
    for lowered in [&lowered, &unused] {
        dead::check(&lowered.program, &lowered.source_map, &mut diagnostics);
    }
    let (program, mut source_map) = (lowered.program, lowered.source_map);
    source_map.allowed = resolved.allowed;
    let allowed = source_map.allow(&mut diagnostics);
    diagnostic::sort(&mut diagnostics);
    let failed = diagnostics
        .iter()
        .any(|diagnostic| diagnostic.severity == Severity::Error);
    let partial = if failed {
        partial::without_faulty(&program, sources, &diagnostics)
    } else {
        None
    };
    let program = (!failed).then(|| Program {
        digest: artifact::digest(&program),
        ..program
    });
    Compilation {
        program,
        partial,
        diagnostics,
        allowed,
        revoked: resolved.revoked,
        source_map,
        unused: (unused.program, unused.source_map),
    }
}

/// Removes what only follows from another error: from a character that nobody sees, that the file is not TOML or the regexp does not
/// parse; from a file that is not TOML, that no token includes a set.
fn only_causes(diagnostics: &mut Vec<Diagnostic>) {
    if diagnostics.iter().any(|found| found.code == Code::TomlSyntax) {
        diagnostics.retain(|found| found.code != Code::UnusedSet);
    }
    let hidden: Vec<Span> = diagnostics
        .iter()
        .filter(|found| found.code == Code::HiddenText)
        .map(|found| found.primary.span)
        .collect();
    diagnostics.retain(|found| {
        let follows = match found.code {
            Code::TomlSyntax => hidden.iter().any(|span| span.source == found.primary.span.source),
            Code::LineSyntax | Code::UrlText | Code::ValueText | Code::WrongValue | Code::NeverMatches => {
                hidden.iter().any(|span| {
                    let place = found.primary.span;
                    span.source == place.source && place.start <= span.end && span.start <= place.end
                })
            }
            _ => false,
        };
        !follows
    });
}

/// Compiles a policy for a mode: in secure mode a token without a valid seal keeps it from compiling. Seals are looked at
/// once all else is right.
#[must_use]
pub fn compile_for(sources: &SourceSet, mode: &seal::Mode) -> Compilation {
    let mut compilation = compile(sources);
    // A token that may do nothing needs no seal.
    let is_sealed = |partial: &Partial| {
        let mut faults = seal::faults(&partial.program, mode).into_iter();
        faults.all(|(token, _)| partial.refused.contains(&token))
    };
    compilation.partial = compilation.partial.take().filter(is_sealed);
    let Some(program) = &compilation.program else {
        return compilation;
    };
    let faults = seal::faults(program, mode);
    if !faults.is_empty() {
        compilation.diagnostics.extend(seal::report(&faults, sources));
        diagnostic::sort(&mut compilation.diagnostics);
        compilation.program = None;
    }
    compilation
}

/// Compiles a policy for a mode, like [`compile_for`], and for what the configuration allows every token at most: a token
/// beyond that at `now_ms` (milliseconds since 1970 UTC) keeps it from compiling.
#[must_use]
pub fn compile_within(sources: &SourceSet, mode: &seal::Mode, ceiling: &Ceiling, now_ms: i64) -> Compilation {
    let mut compilation = compile_for(sources, mode);
    let Some(program) = &compilation.program else {
        return compilation;
    };
    let excesses = ceiling::excesses(program, ceiling, now_ms);
    if !excesses.is_empty() {
        compilation
            .diagnostics
            .extend(ceiling::report(&excesses, sources));
        diagnostic::sort(&mut compilation.diagnostics);
        compilation.program = None;
    }
    compilation
}

/// The resolved policy by itself, without what keeps it from compiling: for analysis, and for oracles.
#[must_use]
pub fn resolve_policy(sources: &SourceSet) -> Policy {
    let definitions = tokens::read_all(sources, &mut Vec::new());
    Policy {
        tokens: resolve(definitions, sources).collect(),
    }
}
