//! Which part of a line is at fault if no request can match the line, and what to write instead.

mod alternatives;
mod constraints;
mod settings;

use regex_syntax::hir::{Hir, HirKind};

use self::constraints::{in_order, no_value, singles, what_is_left};
pub(crate) use self::{
    alternatives::{dead_here, dead_in_url, dead_in_values},
    settings::Settings,
};
use crate::{
    analysis::{Prover, Ruled, Universe},
    ast::{self, Effect, Operator, Subject, Test},
    diagnostic::{Code, Diagnostic},
    ir::{Constraints, Program, Rule},
    method::{Method, MethodSet},
    parse::parse_line,
    regexp::{self, Anchor},
    source::Span,
};

/// States that the search for the part may visit.
const BUDGET: u64 = 100_000;
/// Constraints of a line that are tried in pairs.
const PAIRS: usize = 12;

/// The part of a line that keeps every request from matching.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    /// The URL regexp, under every configuration.
    Url,
    /// The URL regexp: the paths that it matches are not served.
    Endpoints,
    /// A constraint by itself, by its index among the line's constraints that test values.
    Constraint(usize),
    /// The methods, of which none has the body that the constraints test.
    Methods,
    /// Two constraints together.
    Pair(usize, usize),
    /// Several parts together.
    Several,
}

/// The part of a rule that is at fault, other than its URL. No request matches the rule.
pub(crate) fn part(program: &Program, rule: &Rule, universe: Universe) -> Part {
    let singles = singles(rule);
    let with = |methods: MethodSet, constraints: Constraints| Rule {
        methods,
        constraints: constraints.shared(),
        ..rule.clone()
    };
    let mut variants: Vec<(Part, Rule)> = Vec::new();
    for (at, single) in singles.iter().enumerate() {
        variants.push((Part::Constraint(at), with(MethodSet::ALL, single.clone())));
        // A method without a body is at fault, and not the constraint.
        variants.push((Part::Methods, with(rule.methods, single.clone())));
    }
    for (at, one) in singles.iter().enumerate().take(PAIRS) {
        for (index, other) in singles.iter().enumerate().take(PAIRS).skip(at + 1) {
            let both = Constraints {
                params: [one.params.as_slice(), &other.params].concat(),
                nodes: [one.nodes.as_slice(), &other.nodes].concat(),
                ..Constraints::default()
            };
            variants.push((Part::Pair(at, index), with(rule.methods, both)));
        }
    }
    let Ok(mut prover) = Prover::new(universe, BUDGET.into()) else {
        return Part::Several;
    };
    for (part, rule) in &variants {
        if let Ok(None) = prover.request(&[Ruled { program, rule }], &[]) {
            return *part;
        }
    }
    Part::Several
}

/// The first constraint of a forbid rule that no value meets, as a permit line would read it. A forbid line errs on the side of
/// denying: values of other types, objects and bodies that cannot be read still match the rule. What its author names does not.
pub(crate) fn unmet(program: &Program, rule: &Rule, universe: Universe) -> Option<Part> {
    let variants: Vec<(usize, Rule)> = singles(rule)
        .into_iter()
        .enumerate()
        .filter(|(_, single)| {
            let params = single.params.iter().map(|test| test.operator);
            let mut operators = params.chain(single.nodes.iter().map(|test| test.operator));
            operators.all(|operator| operator == Operator::All)
        })
        .map(|(at, single)| {
            let variant = Rule {
                effect: Effect::Permit,
                methods: MethodSet::ALL,
                constraints: single.shared(),
                ..rule.clone()
            };
            (at, variant)
        })
        .collect();
    let mut prover = Prover::new(universe, BUDGET.into()).ok()?;
    variants
        .iter()
        .find(|(_, rule)| matches!(prover.request(&[Ruled { program, rule }], &[]), Ok(None)))
        .map(|(at, _)| Part::Constraint(*at))
}

/// The finding that no request matches a line, placed at the part.
pub(crate) fn diagnostic(
    code: Code,
    (text, line): (&str, Span),
    part: Part,
    settings: Settings<'_>,
) -> Diagnostic {
    let general = || {
        Diagnostic::new(code, line, "no request can match this line")
            .help("its parts exclude each other; write them in separate lines, or remove one")
    };
    let Ok(syntax) = parse_line(text, line) else {
        return general();
    };
    let written = Written {
        text,
        line,
        syntax: &syntax,
    };
    match part {
        Part::Url => written.url(code, settings),
        Part::Endpoints => written.endpoints(code, settings),
        Part::Constraint(at) => written.constraint(code, at),
        Part::Methods => written.methods(code),
        Part::Pair(one, other) => written.pair(code, one, other),
        Part::Several => general(),
    }
}

/// A line and its syntax.
struct Written<'a> {
    text: &'a str,
    line: Span,
    syntax: &'a ast::Limit,
}

impl Written<'_> {
    fn slice(&self, span: Span) -> &str {
        let start = span.start.saturating_sub(self.line.start);
        self.text
            .get(start..start + (span.end - span.start))
            .unwrap_or_default()
    }

    /// The line with another text in a place.
    fn corrected(&self, span: Span, text: &str) -> String {
        let start = span.start.saturating_sub(self.line.start);
        let mut line = self.text.to_owned();
        if line.get(start..start + (span.end - span.start)).is_some() {
            line.replace_range(start..start + (span.end - span.start), text);
        }
        line
    }

    /// The help to write the line with another text in a place.
    fn mended(&self, span: Span, text: &str) -> String {
        format!("write `{}`", self.corrected(span, text))
    }

    /// The finding with the correction to write another text in a place.
    fn with_fix(&self, found: Diagnostic, span: Span, text: &str) -> Diagnostic {
        found.fix(self.line, self.corrected(span, text))
    }

    fn url(&self, code: Code, settings: Settings<'_>) -> Diagnostic {
        let span = self.syntax.url.span;
        let text = self.slice(span);
        let found = |headline: &str| {
            Diagnostic::new(code, span, format!("no request can match this line: {headline}"))
        };
        let unquoted = text.trim_matches(['"', '\'']);
        if unquoted.len() + 1 < text.len() {
            let found = found("the quotes are part of the URL regexp").help(self.mended(span, unquoted));
            return self.with_fix(found, span, unquoted);
        }
        let prefix = prefix(&self.syntax.url, text);
        if let Some((prefix, Anchor::Whole)) = &prefix
            && !is_url(prefix)
        {
            let found = found("without a leading `/` the regexp is compared with the whole URL");
            if !text.starts_with(|first: char| first.is_alphanumeric()) {
                return found.help("begin with `/` for the path below the base URL, or with `.*`");
            }
            let below = format!("/{text}");
            let found = found.help(format!(
                "begin with `/` for the path below the base URL: {}",
                self.mended(span, &below)
            ));
            return self.with_fix(found, span, &below);
        }
        if let (Some((prefix, Anchor::Whole)), Some(base)) = (&prefix, settings.base)
            && (prefix.contains("://") || text.contains("://"))
        {
            return self.other_host(found(&format!("the public URL is `{base}`")), text);
        }
        if text.contains("//") && prefix.is_none_or(|(_, anchor)| anchor == Anchor::Below) {
            let found = found("the proxy refuses a path with `//`").help("write one `/`");
            return self.with_fix(found, span, &text.replace("//", "/"));
        }
        if text.contains("[^\\s\\S]") {
            return found("a class that excludes every character matches nothing")
                .help("write the intended class");
        }
        found("the proxy accepts no path that the URL regexp matches").help(
            "begin with `/` for the path below the base URL; paths are matched decoded and without a query",
        )
    }

    /// The help for a URL with another host: the path by itself.
    fn other_host(&self, found: Diagnostic, text: &str) -> Diagnostic {
        let behind = text.split_once("://").map(|(_, behind)| behind);
        let path = behind.and_then(|behind| behind.find('/').and_then(|at| behind.get(at..)));
        match path {
            Some(path) if !text.contains(['|', '(', '[']) => {
                let help = self.mended(self.syntax.url.span, path);
                let found = found.help(format!("to match this path below the public URL, {help}"));
                self.with_fix(found, self.syntax.url.span, path)
            }
            _ => found.help(
                "write only the path, beginning with `/`, or use `{BASE_URL}` instead of scheme and host",
            ),
        }
    }

    fn endpoints(&self, code: Code, settings: Settings<'_>) -> Diagnostic {
        let headline = format!(
            "no request can match this line: below the base URL, the proxy serves only {}",
            settings.served.shown()
        );
        let found = Diagnostic::new(code, self.syntax.url.span, headline);
        match (
            settings.without_context(self.slice(self.syntax.url.span)),
            settings.base,
        ) {
            (Some(path), Some(base)) => {
                let help = self.mended(self.syntax.url.span, path);
                let found = found.help(format!("paths begin below the public URL `{base}`; {help}"));
                self.with_fix(found, self.syntax.url.span, path)
            }
            _ => found.help("correct the path, or add it to `endpoints` in `[upstream]`"),
        }
    }

    fn constraint(&self, code: Code, at: usize) -> Diagnostic {
        let Some(constraint) = in_order(self.syntax).get(at).copied() else {
            return Diagnostic::new(code, self.line, "no request can match this line");
        };
        let Test::Values { pattern, kinds, .. } = &constraint.test else {
            return Diagnostic::new(
                code,
                constraint.span,
                "no request can match this line: no value satisfies this constraint",
            );
        };
        let value = self.slice(pattern.span);
        let unquoted = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
        let why = match unquoted {
            Some(_) => "the quotes are part of the value".to_owned(),
            None => format!("{} matches `{value}`", no_value(*kinds)),
        };
        // A forbid line errs on the side of denying, so something is left to it.
        let headline = match self.syntax.effect {
            Effect::Permit => format!("no request can match this line: {why}"),
            Effect::Forbid => format!(
                "this constraint does not forbid what it names: {why}{}",
                what_is_left(*kinds)
            ),
        };
        let found = Diagnostic::new(code, constraint.span, headline);
        match unquoted {
            Some(unquoted) => {
                let found = found.help(self.mended(pattern.span, unquoted));
                self.with_fix(found, pattern.span, unquoted)
            }
            None if kinds.is_some() => {
                let found = found.help("correct the value, or remove the type");
                let text = self.slice(constraint.span);
                match without_type(text, pattern.span.start - constraint.span.start) {
                    Some(written) => self.with_fix(found, constraint.span, &written),
                    None => found,
                }
            }
            None => found.help("correct the value"),
        }
    }

    fn methods(&self, code: Code) -> Diagnostic {
        let mut nodes = self
            .syntax
            .constraints
            .iter()
            .filter(|constraint| matches!(constraint.subject, Subject::Json(_)));
        let Some(node) = nodes.next() else {
            return Diagnostic::new(code, self.line, "no request can match this line");
        };
        let text = self.slice(node.span).replacen("[JsonData::", "[QueryParam::", 1);
        let methods = [Method::Get, Method::Head].map(Method::as_str).join(" and ");
        let found = Diagnostic::new(
            code,
            node.span,
            format!("no request can match this line: {methods} requests have no body"),
        )
        .help(format!(
            "to test a query parameter, {}; otherwise use a method that has a body",
            self.mended(node.span, &text)
        ));
        self.with_fix(found, node.span, &text)
    }

    fn pair(&self, code: Code, one: usize, other: usize) -> Diagnostic {
        let constraints = in_order(self.syntax);
        let (Some(one), Some(other)) = (constraints.get(one), constraints.get(other)) else {
            return Diagnostic::new(code, self.line, "no request can match this line");
        };
        Diagnostic::new(
            code,
            other.span,
            "no request can match this line: two constraints exclude each other",
        )
        .related(one.span, "the other")
        .help("all constraints of a line must hold; write alternatives as `(A|B)`, or in separate lines")
    }
}

/// A constraint without its type: `[JsonData::a==b]` for `[JsonData::a:number==b]`. `value`: where its value begins.
fn without_type(constraint: &str, value: usize) -> Option<String> {
    let (before, behind) = constraint.split_at_checked(value)?;
    let name = before.trim_end().trim_end_matches(['=', '!', '?']);
    let operator = before.get(name.len()..)?;
    let (subject, kinds) = name.trim_end().rsplit_once(':')?;
    let are_kinds = kinds
        .bytes()
        .all(|byte| byte.is_ascii_alphabetic() || b"| ".contains(&byte));
    (are_kinds && !subject.ends_with(':')).then(|| format!("{subject}{operator}{behind}"))
}

/// The text that every match begins with, as far as it is known, and what it is compared with.
fn prefix(pattern: &ast::Pattern, text: &str) -> Option<(String, Anchor)> {
    let parsed = regexp::parse(pattern, text).ok()?;
    let hir = regexp::translate(&parsed.tree, regexp::Case::AsWritten, Some("user")).ok()?;
    let bytes = literal_prefix(&hir).unwrap_or_default();
    Some((String::from_utf8(bytes).ok()?, parsed.anchor))
}

/// Whether a text may be the beginning of a URL.
fn is_url(prefix: &str) -> bool {
    let begins = |scheme: &str| {
        prefix
            .bytes()
            .zip(scheme.bytes())
            .all(|(one, other)| one.eq_ignore_ascii_case(&other))
    };
    prefix.is_empty() || begins("http://") || begins("https://") || begins(regexp::BASE_URL_MARK)
}

/// The bytes that every match begins with, as far as the top of the tree determines them.
fn literal_prefix(hir: &Hir) -> Option<Vec<u8>> {
    match hir.kind() {
        HirKind::Literal(literal) => Some(literal.0.to_vec()),
        HirKind::Concat(parts) => parts
            .iter()
            .find(|part| !matches!(part.kind(), HirKind::Empty))
            .and_then(literal_prefix),
        _ => None,
    }
}
