//! Exceptions from warnings: a comment above a line, a token's `lint_allow`, and a directory in the configuration. Each has a
//! reason, and one that is not needed is a finding.
//!
//! Errors cannot be excepted, so no exception weakens what keeps a policy from compiling, such as new access.

mod comment;

use std::collections::BTreeSet;

use self::comment::Comment;
use super::{
    excepted::{can_be_excepted, is_within},
    set::LintSet,
};
use crate::{
    diagnostic::{Code, Diagnostic, Elsewhere, Severity},
    source::{SourceKind, SourceSet, Span},
    tokens::{self, AllowDef, TokenDef},
};

/// An exception for all files of a directory, from the configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DirectoryException {
    /// The warning.
    pub code: Code,
    /// The directory below that of the policy, with `/` between its parts; empty for all.
    pub directory: String,
    /// Where the exception is.
    pub place: Option<Elsewhere>,
}

/// The exceptions of a policy.
#[derive(Debug)]
pub struct Exceptions {
    comments: Vec<Comment>,
    tokens: Vec<OfToken>,
    directories: Vec<DirectoryException>,
}

/// A token's `lint_allow`, and the places that it covers.
#[derive(Debug)]
struct OfToken {
    entries: Vec<AllowDef>,
    places: Vec<Span>,
}

/// What was looked for: an exception from anything else may be needed.
#[derive(Clone, Copy, Debug)]
pub struct Judged<'a> {
    /// The lints that ran.
    pub set: LintSet,
    /// Whether each question of the lints was settled.
    pub lints_settled: bool,
    /// Whether each question of the other findings was settled.
    pub findings_settled: bool,
    /// Warnings that were not looked for.
    pub without: &'a [Code],
}

impl Exceptions {
    /// Reads the exceptions of a policy. Those that are wrong, or without a reason, are errors in `diagnostics`.
    #[must_use]
    pub fn read(
        sources: &SourceSet,
        directories: Vec<DirectoryException>,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Self {
        let definitions = tokens::read_all(sources, &mut Vec::new());
        for token in definitions.iter().filter(|token| token.seal.is_none()) {
            let without = token.lint_allow.iter().filter(|entry| entry.why.is_none());
            diagnostics.extend(without.map(|entry| {
                Diagnostic::new(
                    Code::WrongException,
                    entry.span,
                    format!("the exception from {} has no reason", entry.code),
                )
                .help(format!("write `\"{}: why\"`", entry.code))
            }));
        }
        let mut comments = Vec::new();
        for (id, source) in sources.iter() {
            let mut blocks: Vec<Span> = match source.kind {
                SourceKind::Tokens => {
                    let here = definitions.iter().filter(|token| token.span.source == id);
                    here.filter_map(|token| Some(token.limit_to.as_ref()?.span))
                        .collect()
                }
                SourceKind::Limits => vec![Span {
                    source: id,
                    start: source.text.len() - source.body().len(),
                    end: source.text.len(),
                }],
                SourceKind::Invariants => {
                    let rules = tokens::read_invariants(id, source, &mut Vec::new());
                    rules.into_iter().map(|rule| rule.lines.span).collect()
                }
                SourceKind::Reviewed | SourceKind::Tests => Vec::new(),
            };
            blocks.sort_unstable();
            let place = comment::Place {
                id,
                source,
                blocks: &blocks,
                has_effect: source.kind != SourceKind::Invariants,
            };
            comments.extend(comment::read(&place, diagnostics));
        }
        Self {
            comments,
            tokens: definitions.iter().filter_map(OfToken::new).collect(),
            directories,
        }
    }

    /// Takes out the warnings that comments and directories except, and adds a warning for each exception that is not needed.
    /// `allowed`: the warnings that tokens allowed with `lint_allow`, which are taken out already.
    pub fn apply(
        &self,
        sources: &SourceSet,
        diagnostics: &mut Vec<Diagnostic>,
        allowed: &[Diagnostic],
        judged: Judged<'_>,
    ) {
        let (mut comments, mut directories) = (BTreeSet::new(), BTreeSet::new());
        diagnostics.retain(|found| {
            if found.severity == Severity::Error || !can_be_excepted(found.code) {
                return true;
            }
            let code = found.code;
            let mut is_excepted = false;
            comments.extend(self.comments_for(found).map(|at| {
                is_excepted = true;
                (at, code)
            }));
            let path = sources
                .get(found.primary.span.source)
                .map(|source| source.path.as_str());
            let below = self.directories.iter().enumerate();
            let below = below.filter(|(_, one)| path.is_some_and(|path| one.covers(code, path)));
            directories.extend(below.map(|(at, _)| {
                is_excepted = true;
                at
            }));
            !is_excepted
        });
        if judged.set == LintSet::None {
            return;
        }
        for (at, comment) in self.comments.iter().enumerate() {
            let idle = comment
                .codes
                .iter()
                .filter(|code| !comments.contains(&(at, **code)));
            diagnostics.extend(idle.filter(|code| judged.covers(**code)).map(|code| {
                let rest = comment.without(*code, sources.text(comment.span));
                idle_at(*code, comment.span).fix(comment.span, rest)
            }));
        }
        let mut allowed: Vec<(Span, Code)> = allowed
            .iter()
            .map(|found| (found.primary.span, found.code))
            .collect();
        allowed.sort_unstable();
        for token in &self.tokens {
            let needed = token.needed(&allowed);
            let idle = token.entries.iter().filter(|entry| !needed.contains(&entry.code));
            let idle = idle.filter(|entry| judged.covers(entry.code));
            diagnostics.extend(idle.map(|entry| idle_at(entry.code, entry.span).fix(entry.span, "")));
        }
        for (at, one) in self.directories.iter().enumerate() {
            if !directories.contains(&at) && judged.covers(one.code) {
                diagnostics.push(idle_at(one.code, Span::nowhere()).elsewhere(one.place.clone()));
            }
        }
    }
}

impl Exceptions {
    /// The codes that comments except, with the lines that they are for.
    pub(crate) fn lines(&self) -> impl Iterator<Item = (&[Code], Span)> {
        let comments = self.comments.iter();
        comments.map(|comment| (comment.codes.as_slice(), comment.line))
    }

    /// The numbers of the comments that except a finding. Comments are in the order of the lines that they are for.
    fn comments_for(&self, found: &Diagnostic) -> impl Iterator<Item = usize> {
        let place = found.primary.span;
        let behind = self.comments.partition_point(|comment| {
            (comment.line.source, comment.line.start) <= (place.source, place.start)
        });
        let before = self.comments.iter().enumerate().take(behind).rev();
        before
            .take_while(move |(_, comment)| is_within(place, comment.line))
            .filter(|(_, comment)| comment.codes.contains(&found.code))
            .map(|(at, _)| at)
    }
}

fn idle_at(code: Code, place: Span) -> Diagnostic {
    Diagnostic::new(
        Code::IdleException,
        place,
        format!("this exception from {code} is not needed: there is no such finding"),
    )
    .help("remove it, so that it does not hide a later finding")
}

impl Judged<'_> {
    /// Whether all findings of a code are known.
    #[must_use]
    pub fn covers(self, code: Code) -> bool {
        let ran = match LintSet::of(code) {
            None => self.findings_settled,
            Some(set) => set <= self.set && self.lints_settled,
        };
        ran && !self.without.contains(&code)
    }
}

impl DirectoryException {
    fn covers(&self, code: Code, path: &str) -> bool {
        let is_below = |directory: &str| {
            path.strip_prefix(directory)
                .is_some_and(|rest| rest.starts_with('/'))
        };
        self.code == code && (self.directory.is_empty() || is_below(&self.directory))
    }
}

impl OfToken {
    /// `None`: the token has no exception, or cannot be changed, or no call can use it.
    fn new(token: &TokenDef) -> Option<Self> {
        if token.lint_allow.is_empty() || token.seal.is_some() || token.revoked {
            return None;
        }
        let lines = token.limit_to.as_ref().map(|lines| lines.span);
        let expires = token.expires.as_ref().map(|expires| expires.span);
        let any_user = token.any_user.as_ref().map(|any| any.span);
        let includes = token.include.iter().map(|name| name.span);
        let keys = lines
            .into_iter()
            .chain(expires)
            .chain(any_user)
            .chain([token.span]);
        Some(Self {
            entries: token.lint_allow.clone(),
            places: includes.chain(keys).collect(),
        })
    }

    /// The codes of the warnings that the token allowed; `allowed` is sorted.
    fn needed(&self, allowed: &[(Span, Code)]) -> BTreeSet<Code> {
        let here = self.places.iter().flat_map(|place| {
            let from =
                allowed.partition_point(|(span, _)| (span.source, span.start) < (place.source, place.start));
            let behind = allowed.iter().skip(from);
            behind.take_while(|(span, _)| is_within(*span, *place))
        });
        here.map(|(_, code)| *code).collect()
    }
}
