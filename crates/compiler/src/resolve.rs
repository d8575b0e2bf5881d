//! From definitions to a policy: names are looked up, regexps get their meaning, contradictions are found.

mod invariants;
mod limit;
mod sets;
mod token;

pub(crate) use invariants::resolve_invariants;

use std::{collections::HashMap, rc::Rc};

use crate::{
    ast,
    check::included_twice,
    diagnostic::{Code, Diagnostic},
    parse::parse_line,
    policy::{Limit, Token},
    source::{SourceKind, SourceSet, Span},
    tokens::{self, TokenDef, split_lines},
};

/// What resolving gives beside the tokens.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    /// Hashes of the secrets of revoked tokens, of every file that parses, errors elsewhere or not.
    pub(crate) revoked: Vec<[u8; 32]>,
    /// Where which warnings are allowed.
    pub(crate) allowed: Vec<(Span, Vec<Code>)>,
}

/// Resolves all tokens of `sources` and hands each on as soon as it is resolved: the trees of a large policy's regexps
/// take more memory than everything else, and nobody needs them all at once.
pub(crate) fn resolve(
    sources: &SourceSet,
    diagnostics: &mut Vec<Diagnostic>,
    mut each: impl FnMut(Token, &mut Vec<Diagnostic>),
) -> Resolved {
    let mut definitions: Vec<TokenDef> = Vec::new();
    for (id, source) in sources
        .iter()
        .filter(|(_, source)| source.kind == SourceKind::Tokens)
    {
        definitions.extend(tokens::read(id, source, diagnostics));
    }
    let revoked = definitions
        .iter()
        .filter(|token| token.revoked)
        .flat_map(|token| token.secret_hash.iter().chain(&token.previous_secret_hash))
        .map(|hash| hash.value)
        .collect();
    let mut resolver = Resolver {
        sources,
        lines: HashMap::new(),
        users: HashMap::new(),
    };
    let mut sets = sets::read(sources, diagnostics);
    token::check_unique(&definitions, diagnostics);
    for definition in &definitions {
        let mut limits = Vec::new();
        included_twice::check(&sets.included_twice(&definition.include), diagnostics);
        for span in sets.lines_of(&definition.include, diagnostics) {
            limits.extend(resolver.shared(span, definition, diagnostics));
        }
        let included = limits.len();
        let own = definition.limit_to.iter().flat_map(|lines| &lines.lines);
        for span in own {
            limits.extend(resolver.own(*span, definition, diagnostics));
        }
        if let Some(attributes) = token::attributes(definition, diagnostics) {
            each(
                Token {
                    span: definition.span,
                    attributes,
                    limits,
                    included,
                },
                diagnostics,
            );
        }
    }
    // Sets that no token includes are checked all the same.
    for span in sets.unused(diagnostics) {
        resolver.parsed(span, diagnostics);
    }
    let allowed = definitions
        .iter()
        .filter(|token| !token.lint_allow.is_empty())
        .flat_map(|token| {
            let lines = token.limit_to.as_ref().map(|lines| lines.span);
            let includes = token.include.iter().map(|name| name.span);
            let places = includes.chain(lines).chain([token.span]);
            places.map(|place| (place, token.lint_allow.clone()))
        })
        .collect();
    Resolved { revoked, allowed }
}

/// Parses and resolves each line once, however many tokens include it.
struct Resolver<'a> {
    sources: &'a SourceSet,
    lines: HashMap<Span, Option<Rc<Line>>>,
    users: HashMap<(Span, String), Option<Rc<Limit>>>,
}

/// A line that parsed.
struct Line {
    syntax: ast::Limit,
    regexps: limit::Regexps,
    /// Its meaning, if that does not depend on the token's user.
    limit: Option<Rc<Limit>>,
}

impl Resolver<'_> {
    /// The meaning, for a token, of a line of a set. Found once, however many tokens include the set.
    fn shared(
        &mut self,
        span: Span,
        token: &TokenDef,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<Rc<Limit>> {
        let line = self.parsed(span, diagnostics)?;
        if let Some(limit) = &line.limit {
            return Some(Rc::clone(limit));
        }
        let user = line.user_of(token, diagnostics)?;
        let meaning = self.users.entry((span, user.to_owned()));
        meaning
            .or_insert_with(|| line.meaning_for(user, self.sources, diagnostics))
            .clone()
    }

    /// The meaning of a line of the token's own: not kept, since nobody else asks for it.
    fn own(&self, span: Span, token: &TokenDef, diagnostics: &mut Vec<Diagnostic>) -> Option<Rc<Limit>> {
        let line = report(read_line(self.sources, span, diagnostics), diagnostics)?;
        match line.limit {
            Some(limit) => Some(limit),
            None => line.meaning_for(line.user_of(token, diagnostics)?, self.sources, diagnostics),
        }
    }

    fn parsed(&mut self, span: Span, diagnostics: &mut Vec<Diagnostic>) -> Option<Rc<Line>> {
        let line = self.lines.entry(span);
        line.or_insert_with(|| report(read_line(self.sources, span, diagnostics), diagnostics).map(Rc::new))
            .clone()
    }
}

impl Line {
    fn user_of<'t>(&self, token: &'t TokenDef, diagnostics: &mut Vec<Diagnostic>) -> Option<&'t str> {
        token::only_user(token)
            .map_err(|headline| diagnostics.push(limit::no_single_user(&self.syntax, token, headline)))
            .ok()
    }

    fn meaning_for(
        &self,
        user: &str,
        sources: &SourceSet,
        diagnostics: &mut Vec<Diagnostic>,
    ) -> Option<Rc<Limit>> {
        report(
            limit::resolve(&self.syntax, &self.regexps, sources, Some(user)),
            diagnostics,
        )
        .map(Rc::new)
    }
}

fn report<T>(result: Result<T, Box<Diagnostic>>, diagnostics: &mut Vec<Diagnostic>) -> Option<T> {
    result.map_err(|error| diagnostics.push(*error)).ok()
}

fn read_line(
    sources: &SourceSet,
    span: Span,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Line, Box<Diagnostic>> {
    let syntax = parse_line(sources.text(span), span)?;
    limit::check_only(&syntax)?;
    let regexps = limit::Regexps::parse(&syntax, sources)?;
    // Translated for a stand-in user too, so that an error in a set's line is found once, not once a token.
    let meaning = limit::resolve(&syntax, &regexps, sources, regexps.names_user().then_some("user"))?;
    crate::check::line(&syntax, &meaning, sources, diagnostics);
    let limit = (!regexps.names_user()).then(|| Rc::new(meaning));
    Ok(Line {
        syntax,
        regexps,
        limit,
    })
}

/// The lines of a whole `*.limits` file.
fn lines_of_file(id: crate::source::SourceId, text: &str) -> Vec<Span> {
    split_lines(id, text, 0..text.len()).lines
}
