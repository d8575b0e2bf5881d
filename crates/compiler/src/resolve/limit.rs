//! One line: from syntax to meaning.

use regex_syntax::hir::Hir;

use crate::{
    ast::{self, Effect, Subject, Test},
    diagnostic::{Code, Diagnostic},
    json::Step,
    language::Language,
    method::MethodSet,
    parse::begins_with_root,
    policy::{Limit, Node, Param, Pattern},
    regexp::{self, Anchor, Case, Parsed, Place},
    source::{SourceSet, Span},
    tokens::TokenDef,
};

/// The parsed regexps of a line, in their order.
pub(super) struct Regexps {
    url: Parsed,
    values: Vec<Option<Parsed>>,
}

impl Regexps {
    pub(super) fn parse(
        line: &ast::Limit,
        sources: &SourceSet,
        language: Language,
    ) -> Result<Self, Box<Diagnostic>> {
        let parse = |pattern: &ast::Pattern| regexp::parse_as(pattern, sources.text(pattern.span), language);
        let values: Result<Vec<_>, _> = line
            .constraints
            .iter()
            .map(|constraint| match &constraint.test {
                Test::Values { pattern, .. } => parse(pattern).map(Some),
                Test::Range { .. } | Test::Only => Ok(None),
            })
            .collect();
        Ok(Self {
            url: parse(&line.url)?,
            values: values?,
        })
    }

    pub(super) fn names_user(&self) -> bool {
        self.url.names_user || self.values.iter().flatten().any(|value| value.names_user)
    }
}

/// Refuses `only` in a forbid line: it would forbid any added parameter, and readers would expect the opposite.
pub(super) fn check_only(line: &ast::Limit) -> Result<(), Box<Diagnostic>> {
    match line
        .constraints
        .iter()
        .find(|constraint| constraint.test == Test::Only)
    {
        Some(only) if line.effect == Effect::Forbid => Err(Box::new(
            Diagnostic::new(
                Code::OnlyInForbid,
                only.span,
                "`only` cannot be used in a forbid line",
            )
            .help("write `only` in the permit lines; they then match no request with further names"),
        )),
        _ => Ok(()),
    }
}

pub(super) fn no_single_user(line: &ast::Limit, token: &TokenDef, headline: &str) -> Diagnostic {
    Diagnostic::new(Code::UserPlaceholder, user_placeholder(line), headline)
        .related(token.span, "this token")
        .help("give the token a single `user`, or write the intended names")
}

/// The span of the first `{USER}`.
pub(crate) fn user_placeholder(line: &ast::Limit) -> Span {
    let values = line
        .constraints
        .iter()
        .filter_map(|constraint| match &constraint.test {
            Test::Values { pattern, .. } => Some(pattern),
            Test::Range { .. } | Test::Only => None,
        });
    std::iter::once(&line.url)
        .chain(values)
        .flat_map(|pattern| &pattern.placeholders)
        .find(|(placeholder, _)| *placeholder == ast::Placeholder::User)
        .map_or(line.span, |(_, span)| *span)
}

/// The line as language 1 had it: blanks around the URL belong to it, and a first step `$` is the name of a member.
pub(super) fn as_before(line: &ast::Limit, sources: &SourceSet) -> ast::Limit {
    let mut line = line.clone();
    line.url.span = line.url_with_blanks;
    for constraint in &mut line.constraints {
        let is_root = begins_with_root(sources.text(constraint.span));
        if let (Subject::Json(path), true) = (&mut constraint.subject, is_root) {
            path.0.insert(0, Step::Name("$".to_owned()));
        }
    }
    line
}

/// Whether a constraint has a form that came with language 2: a range, or a list of types.
pub(super) fn is_new(constraint: &ast::Constraint) -> bool {
    match &constraint.test {
        Test::Values { kinds, .. } => kinds.is_some_and(|kinds| kinds.iter().count() > 1),
        Test::Range { .. } => true,
        Test::Only => false,
    }
}

/// Whether there are blanks between constraints, which language 1 refused.
pub(super) fn has_apart(constraints: &[ast::Constraint]) -> bool {
    constraints
        .windows(2)
        .any(|pair| matches!(pair, [one, other] if one.span.end != other.span.start))
}

/// The meaning of a line for a token of `user`, in a version of the language.
///
/// # Errors
/// Regexp features that the dialect lacks.
pub(super) fn resolve(
    line: &ast::Limit,
    regexps: &Regexps,
    sources: &SourceSet,
    (user, language): (Option<&str>, Language),
) -> Result<Limit, Box<Diagnostic>> {
    let patterns = Patterns {
        sources,
        user,
        language,
        escaped: user.map(regex_syntax::escape),
    };
    let (url, anchor) = patterns.url(line, &regexps.url)?;
    // A forbid line without methods also forbids methods that no line can name.
    let every = if line.effect == Effect::Permit {
        MethodSet::NAMED
    } else {
        MethodSet::ALL
    };
    let mut limit = Limit {
        span: line.span,
        effect: line.effect,
        methods: line.methods.unwrap_or(every),
        url,
        anchor,
        params: Vec::new(),
        params_only: false,
        nodes: Vec::new(),
        members: Vec::new(),
    };
    for (constraint, parsed) in line.constraints.iter().zip(&regexps.values) {
        patterns.constrain(&mut limit, constraint, parsed.as_ref())?;
    }
    Ok(limit)
}

/// Translates the regexps of a line for a user.
struct Patterns<'a> {
    sources: &'a SourceSet,
    user: Option<&'a str>,
    language: Language,
    /// The user's name as a regexp that matches it.
    escaped: Option<String>,
}

impl Patterns<'_> {
    fn pattern(
        &self,
        span: Span,
        parsed: &Parsed,
        (case, place): (Case, Place),
    ) -> Result<Pattern, Box<Diagnostic>> {
        let translated = regexp::translate_as(&parsed.tree, (case, self.user), place, self.language);
        let hir = translated.map_err(|error| {
            Box::new(Diagnostic::new(
                Code::Regexp,
                parsed.place(error.at),
                format!("the regexp does not parse: {}", error.what),
            ))
        })?;
        let text = self.sources.text(span);
        let text = match &self.escaped {
            Some(user) if parsed.names_user => text.replace("{USER}", user),
            _ => text.to_owned(),
        };
        // Both versions may read the same text otherwise.
        let text = match self.language {
            Language::One => format!("1 {text}"),
            Language::Two => text,
        };
        Ok(Pattern {
            text,
            side: None,
            hir,
        })
    }

    /// The pattern of the line's URL. A forbid line's includes letter case and aliases.
    fn url(&self, line: &ast::Limit, parsed: &Parsed) -> Result<(Pattern, Anchor), Box<Diagnostic>> {
        let case = match line.effect {
            Effect::Permit => Case::AsWritten,
            Effect::Forbid => Case::Ignored,
        };
        let mut url = self.pattern(line.url.span, parsed, (case, Place::Url))?;
        let mut anchor = parsed.anchor;
        if let Some(below) = Limit::below_base(&url.hir) {
            (url.hir, anchor) = (below, Anchor::Below);
        }
        if line.effect == Effect::Forbid {
            url.text = format!("!{}", url.text);
            url.hir = with_aliases(url.hir);
        }
        Ok((url, anchor))
    }

    /// Adds a constraint of the line to its meaning.
    fn constrain(
        &self,
        limit: &mut Limit,
        constraint: &ast::Constraint,
        parsed: Option<&Parsed>,
    ) -> Result<(), Box<Diagnostic>> {
        let (operator, kinds, pattern) = match (&constraint.test, parsed) {
            (
                Test::Values {
                    operator,
                    kinds,
                    pattern,
                },
                Some(parsed),
            ) => (
                *operator,
                *kinds,
                self.pattern(pattern.span, parsed, (Case::AsWritten, Place::Value))?,
            ),
            (
                Test::Range {
                    operator,
                    side,
                    kinds,
                    bound,
                    span,
                },
                _,
            ) => {
                let side = match limit.effect {
                    Effect::Permit => *side,
                    Effect::Forbid => side.opposite(),
                };
                let pattern = Pattern {
                    text: self.sources.text(*span).to_owned(),
                    side: Some(side),
                    hir: bound.texts(side),
                };
                (*operator, *kinds, pattern)
            }
            (Test::Only, _) => {
                match &constraint.subject {
                    Subject::Query(_) => limit.params_only = true,
                    Subject::Json(path) => limit.members.push(path.clone()),
                }
                return Ok(());
            }
            // Regexps::parse gives one for each `Test::Values`.
            (Test::Values { .. }, None) => return Ok(()),
        };
        match &constraint.subject {
            Subject::Query(name) => limit.params.push(Param {
                name: name.clone(),
                operator,
                pattern,
            }),
            Subject::Json(path) => limit.nodes.push(Node {
                path: path.clone(),
                kinds,
                operator,
                pattern,
            }),
        }
        Ok(())
    }
}

/// A forbid line's URL is matched also without a final `/` and without `.json` or `.xml` at its end, in either order.
fn with_aliases(url: Hir) -> Hir {
    let fold = |text: &str| {
        Hir::concat(
            text.chars()
                .map(|character| {
                    let other = character.to_ascii_uppercase();
                    Hir::alternation(vec![
                        Hir::literal(character.to_string().into_bytes()),
                        Hir::literal(other.to_string().into_bytes()),
                    ])
                })
                .collect(),
        )
    };
    let suffix = Hir::alternation(vec![Hir::literal(*b"/"), fold(".json"), fold(".xml")]);
    Hir::concat(vec![url, regexp::repeated(suffix, 0, Some(2))])
}
