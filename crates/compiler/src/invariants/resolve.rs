//! Invariants get their meaning as tokens do: the requests that one speaks of are those that a token of its lines would
//! allow.

use std::rc::Rc;

use sha2::{Digest as _, Sha256};

use crate::{
    diagnostic::{Code, Diagnostic},
    policy::{Attributes, Limit, Token, Users},
    resolve::{read_line, report, user_placeholder},
    source::{SourceKind, SourceSet, Span},
    tokens::{self, InvariantDef},
};

/// The invariants of all files, each with a token of its lines that no secret opens.
pub(crate) fn resolve_invariants(
    sources: &SourceSet,
    diagnostics: &mut Vec<Diagnostic>,
) -> Vec<(InvariantDef, Token)> {
    let files = sources
        .iter()
        .filter(|(_, source)| source.kind == SourceKind::Invariants);
    let mut definitions = Vec::new();
    for (id, source) in files {
        definitions.extend(tokens::read_invariants(id, source, diagnostics));
    }
    definitions
        .into_iter()
        .map(|definition| {
            let token = token(&definition, sources, diagnostics);
            (definition, token)
        })
        .collect()
}

fn token(definition: &InvariantDef, sources: &SourceSet, diagnostics: &mut Vec<Diagnostic>) -> Token {
    // Lines with errors have been reported; the others still count, so that all errors show at once.
    let mut limits: Vec<Rc<Limit>> = Vec::new();
    for span in &definition.lines.lines {
        let Some(line) = report(read_line(sources, *span, diagnostics), diagnostics) else {
            continue;
        };
        match line.limit {
            Some(limit) => limits.push(limit),
            None => diagnostics.push(
                Diagnostic::new(
                    Code::UserPlaceholder,
                    user_placeholder(&line.syntax),
                    "`{USER}` in an invariant, which applies to many tokens",
                )
                .help("write the names that are meant"),
            ),
        }
    }
    demand(definition.name.value.clone(), definition.span, limits)
}

/// A token of these lines that no secret opens. Its attributes are placeholders: only its lines decide which requests are meant.
pub(crate) fn demand(name: String, span: Span, limits: Vec<Rc<Limit>>) -> Token {
    // It is part of compiled files, for the checker of certificates, so it must not work if somebody serves such a file: no header
    // can contain a secret of this hash.
    let secret_hash = Sha256::digest(format!("\0demand {name}")).into();
    Token {
        span,
        attributes: Attributes {
            name,
            users: Users::Named(Vec::new()),
            secret_hash,
            previous: None,
            expires: None,
            allowed_ips: Vec::new(),
            on_behalf_of: Vec::new(),
            revoked: true,
            owner: None,
            description: None,
            mint: false,
            escalate: false,
            limits: crate::call_limits::CallLimits::NONE,
            unrestricted: false,
            secret_sealed: false,
            seal: None,
            lint_allow: Vec::new(),
        },
        limits,
        included: 0,
    }
}
