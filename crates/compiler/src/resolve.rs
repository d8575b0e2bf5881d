//! From definitions to a policy: names are looked up, regexps get their meaning, contradictions are found.

mod limit;
mod sets;
mod token;

pub(crate) use limit::user_placeholder;
pub(crate) use sets::include_of;

use std::{
    collections::{BTreeSet, HashMap},
    rc::Rc,
};

use self::sets::Sets;

use crate::{
    ast, check,
    diagnostic::{Code, Diagnostic},
    language::Language,
    parse::{parse_line, parse_line_as},
    policy::{Limit, Token},
    source::{SourceId, SourceSet, Span},
    tokens::{self, TokenDef},
};

/// Resolves token definitions one at a time, as they are asked for: the syntax trees of a large policy's regexps take more
/// memory than everything else, and no stage needs them all at once.
pub(crate) struct Resolver<'a> {
    definitions: std::vec::IntoIter<TokenDef>,
    sets: Sets<'a>,
    lines: LineCache<'a>,
    resolved: Resolved,
    /// Lines of sets that tokens may still include.
    room: usize,
}

/// Lines of sets, counted for each token that includes them. They take memory for each: a policy of a megabyte could otherwise
/// have billions.
pub(crate) const MOST_INCLUDED: usize = 10_000_000;

/// The user in a line that is meant for none.
const NOBODY: &str = "user";

fn too_many_lines(token: &TokenDef) -> Diagnostic {
    let headline = format!("the tokens up to this one include more than {MOST_INCLUDED} lines of sets");
    let place = token.include.first().map_or(token.span, |first| first.span);
    Diagnostic::new(Code::TooLarge, place, headline)
        .help("include only the sets that each token needs; the lines of a set count for each token")
}

/// What resolving gives in addition to the tokens.
#[derive(Debug, Default)]
pub(crate) struct Resolved {
    /// Hashes of the secrets of revoked tokens, of every file that parses, errors elsewhere or not.
    pub(crate) revoked: Vec<[u8; 32]>,
    /// Lines of sets that no token includes. Those that name the user are meant for none, and have a placeholder for one.
    pub(crate) unused: Vec<Rc<Limit>>,
    /// Entries and sets of tokens, each with the warnings that the token allows there.
    pub(crate) allowed: Vec<(Span, Vec<Code>)>,
    /// Findings of this stage, unsorted.
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Starts to resolve the definitions: reads the sets of `sources`, and compares the definitions with each other.
pub(crate) fn resolve(definitions: Vec<TokenDef>, sources: &SourceSet) -> Resolver<'_> {
    resolve_as(definitions, sources, Language::Two)
}

/// Starts to resolve the definitions with the lines as a version of the language reads them. The first checks nothing.
pub(crate) fn resolve_as(
    definitions: Vec<TokenDef>,
    sources: &SourceSet,
    language: Language,
) -> Resolver<'_> {
    let mut diagnostics = Vec::new();
    let sets = sets::read(sources, &mut diagnostics);
    token::check_unique(&definitions, &mut diagnostics);
    let resolved = Resolved {
        revoked: revoked(&definitions),
        allowed: allowed(&definitions),
        unused: Vec::new(),
        diagnostics,
    };
    Resolver {
        definitions: definitions.into_iter(),
        sets,
        lines: LineCache {
            sources,
            language,
            lines: HashMap::new(),
            users: HashMap::new(),
        },
        resolved,
        room: MOST_INCLUDED,
    }
}

/// A token's name, if it has one, and its lines: own ones and those of its sets, whether or not they have errors.
pub(crate) type TokenLines = (Option<String>, Vec<Span>);

/// The lines of each token, and the lines of sets that no token includes.
pub(crate) fn lines_by_token(sources: &SourceSet) -> (Vec<TokenLines>, Vec<Span>) {
    let definitions = tokens::read_all(sources, &mut Vec::new());
    let mut sets = sets::read(sources, &mut Vec::new());
    let tokens = definitions.iter().map(|token| {
        let mut lines = sets.lines_of(&token.include, &mut Vec::new());
        lines.extend(token.limit_to.iter().flat_map(|lines| &lines.lines));
        (token.name.as_ref().map(|name| name.value.clone()), lines)
    });
    (tokens.collect(), sets.unused(&mut Vec::new()))
}

/// For each definition the files of the sets that it includes, directly or through other sets.
pub(crate) fn files_of_sets(definitions: &[TokenDef], sources: &SourceSet) -> Vec<BTreeSet<SourceId>> {
    let mut sets = sets::read(sources, &mut Vec::new());
    let files = definitions.iter().map(|token| {
        let lines = sets.lines_of(&token.include, &mut Vec::new());
        lines.into_iter().map(|line| line.source).collect()
    });
    files.collect()
}

fn revoked(definitions: &[TokenDef]) -> Vec<[u8; 32]> {
    definitions
        .iter()
        .filter(|token| token.revoked)
        .flat_map(|token| token.secret_hash.iter().chain(&token.previous_secret_hash))
        .map(|hash| hash.value)
        .collect()
}

fn allowed(definitions: &[TokenDef]) -> Vec<(Span, Vec<Code>)> {
    definitions
        .iter()
        .filter(|token| !token.lint_allow.is_empty())
        .flat_map(|token| {
            let lines = token.limit_to.as_ref().map(|lines| lines.span);
            let includes = token.include.iter().map(|name| name.span);
            let expires = token.expires.as_ref().map(|expires| expires.span);
            let any_user = token.any_user.as_ref().map(|any| any.span);
            let keys = expires.into_iter().chain(any_user);
            let places = includes.chain(lines).chain(keys).chain([token.span]);
            places.map(|place| (place, token.allowed()))
        })
        .collect()
}

impl Iterator for Resolver<'_> {
    type Item = Token;

    fn next(&mut self) -> Option<Token> {
        loop {
            let definition = self.definitions.next()?;
            if let Some(token) = self.token(&definition) {
                return Some(token);
            }
        }
    }
}

impl Resolver<'_> {
    /// The token of a definition, unless its attributes have errors.
    fn token(&mut self, definition: &TokenDef) -> Option<Token> {
        let diagnostics = &mut self.resolved.diagnostics;
        let mut limits = Vec::new();
        self.sets.check_twice(&definition.include, diagnostics);
        let included = self.sets.lines_of(&definition.include, diagnostics);
        match self.room.checked_sub(included.len()) {
            Some(room) => self.room = room,
            None => {
                diagnostics.push(too_many_lines(definition));
                return None;
            }
        }
        for span in included {
            limits.extend(self.lines.shared(span, definition, diagnostics));
        }
        let included = limits.len();
        check::mixed_scripts::check_token(definition, diagnostics);
        check::user_name::check(definition, diagnostics);
        let own = definition.limit_to.iter().flat_map(|lines| &lines.lines);
        for span in own {
            limits.extend(self.lines.own(*span, definition, diagnostics));
        }
        token::check_unrestricted(
            definition,
            limits.get(included..).unwrap_or_default(),
            diagnostics,
        );
        Some(Token {
            span: definition.span,
            attributes: token::attributes(definition, diagnostics)?,
            limits,
            included,
        })
    }

    /// Ends resolving without a look at lines of sets that no token includes: some of the tokens may have been left out.
    pub(crate) fn into_diagnostics(self) -> Vec<Diagnostic> {
        self.resolved.diagnostics
    }

    /// Ends resolving, once all tokens have been taken. Lines of sets that no token includes are checked here.
    pub(crate) fn finish(mut self) -> Resolved {
        let diagnostics = &mut self.resolved.diagnostics;
        for span in self.sets.unused(diagnostics) {
            let Some(line) = self.lines.parsed(span, diagnostics) else {
                continue;
            };
            let limit = line.limit.clone();
            // A user that has an error in the line was reported with the line.
            let for_nobody = || line.meaning_for(NOBODY, self.lines.sources, &mut Vec::new());
            self.resolved.unused.extend(limit.or_else(for_nobody));
        }
        self.resolved
    }
}

/// Parses and resolves each line once, however many tokens include it.
struct LineCache<'a> {
    sources: &'a SourceSet,
    language: Language,
    lines: HashMap<Span, Option<Rc<Line>>>,
    users: HashMap<(Span, String), Option<Rc<Limit>>>,
}

/// A line that parsed.
pub(crate) struct Line {
    pub(crate) syntax: ast::Limit,
    regexps: limit::Regexps,
    language: Language,
    /// The line's meaning, if it does not depend on the token's user.
    pub(crate) limit: Option<Rc<Limit>>,
}

impl LineCache<'_> {
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
        let line = report(self.read(span, diagnostics), diagnostics)?;
        match line.limit {
            Some(limit) => Some(limit),
            None => line.meaning_for(line.user_of(token, diagnostics)?, self.sources, diagnostics),
        }
    }

    fn parsed(&mut self, span: Span, diagnostics: &mut Vec<Diagnostic>) -> Option<Rc<Line>> {
        if let Some(known) = self.lines.get(&span) {
            return known.clone();
        }
        let line = report(self.read(span, diagnostics), diagnostics).map(Rc::new);
        self.lines.insert(span, line.clone());
        line
    }

    fn read(&self, span: Span, diagnostics: &mut Vec<Diagnostic>) -> Result<Line, Box<Diagnostic>> {
        let before = match self.language {
            Language::One => read_line_before(self.sources, span),
            Language::Two => None,
        };
        // A line that language 1 refused had no meaning that could change.
        before.map_or_else(|| read_line(self.sources, span, diagnostics), Ok)
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
            limit::resolve(&self.syntax, &self.regexps, sources, (Some(user), self.language)),
            diagnostics,
        )
        .map(Rc::new)
    }
}

pub(crate) fn report<T>(result: Result<T, Box<Diagnostic>>, diagnostics: &mut Vec<Diagnostic>) -> Option<T> {
    result.map_err(|error| diagnostics.push(*error)).ok()
}

pub(crate) fn read_line(
    sources: &SourceSet,
    span: Span,
    diagnostics: &mut Vec<Diagnostic>,
) -> Result<Line, Box<Diagnostic>> {
    sets::refuse_include(sources, span)?;
    let syntax = parse_line(sources.text(span), span)?;
    check::text(&syntax, sources)?;
    limit::check_only(&syntax)?;
    let regexps = limit::Regexps::parse(&syntax, sources, Language::Two)?;
    // The line is also translated for a placeholder user, so that an error in a set's line is found once, not once per token.
    let user = regexps.names_user().then_some(NOBODY);
    let meaning = limit::resolve(&syntax, &regexps, sources, (user, Language::Two))?;
    check::line(&syntax, &meaning, sources, diagnostics);
    let limit = (!regexps.names_user()).then(|| Rc::new(meaning));
    Ok(Line {
        syntax,
        regexps,
        language: Language::Two,
        limit,
    })
}

/// The meaning of a line that the compiler wrote itself, from one that was checked: the checks for slips are left out. `None`: it does
/// not parse, or names the user.
pub(crate) fn read_written(sources: &SourceSet, span: Span) -> Option<Rc<Limit>> {
    let syntax = parse_line(sources.text(span), span).ok()?;
    let regexps = limit::Regexps::parse(&syntax, sources, Language::Two).ok()?;
    let meaning = limit::resolve(&syntax, &regexps, sources, (None, Language::Two)).ok()?;
    Some(Rc::new(meaning))
}

/// A line as language 1 read it; `None`: it refused the line.
fn read_line_before(sources: &SourceSet, span: Span) -> Option<Line> {
    let syntax = limit::as_before(
        &parse_line_as(sources.text(span), span, Language::One).ok()?,
        sources,
    );
    if syntax.constraints.iter().any(limit::is_new) || limit::has_apart(&syntax.constraints) {
        return None;
    }
    let language = Language::One;
    let regexps = limit::Regexps::parse(&syntax, sources, language).ok()?;
    let user = regexps.names_user().then_some(NOBODY);
    let meaning = limit::resolve(&syntax, &regexps, sources, (user, language)).ok()?;
    let limit = (!regexps.names_user()).then(|| Rc::new(meaning));
    Some(Line {
        syntax,
        regexps,
        language,
        limit,
    })
}
