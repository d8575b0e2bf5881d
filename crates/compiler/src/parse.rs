//! Pest pairs to AST, one line at a time: each bad line costs one diagnostic, the rest is still checked.

mod bare_name;
mod quoted;

use pest::{Parser, error::InputLocation, iterators::Pair};

use crate::{
    ast::{Constraint, Effect, Limit, Operator, Pattern, Placeholder, Subject, Test},
    diagnostic::{Code, Diagnostic, nearest},
    grammar::{LimitParser, Rule},
    json::{Kind, Kinds, Path, Step},
    language::Language,
    method::{Method, MethodSet},
    range::{Bound, Side},
    source::Span,
};

pub use quoted::quoted_name;

/// Maximum number of bytes of one line. The longest lines of Extender have some hundreds.
pub const MAX_LINE_BYTES: usize = 64 << 10;
/// Brackets within brackets that a line may have: pest descends by recursion.
const MAX_BRACKET_DEPTH: usize = 40;

/// Parses one line, already without surrounding blanks; `span` is its place.
///
/// # Errors
/// One diagnostic: the expected syntax, and its span.
pub fn parse_line(text: &str, span: Span) -> Result<Limit, Box<Diagnostic>> {
    parse_line_as(text, span, Language::Two)
}

/// Parses one line with what a version of the language accepts in values: the first accepts every beginning and end of a value.
///
/// # Errors
/// As of [`parse_line`].
pub(crate) fn parse_line_as(text: &str, span: Span, language: Language) -> Result<Limit, Box<Diagnostic>> {
    within_bounds(text, span)?;
    let mut pairs = LimitParser::parse(Rule::line, text).map_err(|error| syntax_error(&error, text, span))?;
    let mut limit = Limit {
        span,
        effect: Effect::Permit,
        methods: None,
        url: Pattern {
            span,
            placeholders: Vec::new(),
        },
        url_with_blanks: span,
        constraints: Vec::new(),
    };
    let mut methods_end = None;
    for pair in pairs.next().into_iter().flat_map(Pair::into_inner) {
        match pair.as_rule() {
            Rule::forbid => limit.effect = Effect::Forbid,
            Rule::methods => {
                methods_end = Some(place(&pair, span).end);
                limit.methods = Some(methods(pair));
            }
            Rule::url => limit.url = pattern(&pair, span),
            Rule::query | Rule::json => limit.constraints.push(constraint(pair, span, language)?),
            _ => {}
        }
    }
    limit.url_with_blanks = Span {
        source: span.source,
        start: methods_end.unwrap_or(limit.url.span.start),
        end: limit
            .constraints
            .first()
            .map_or(span.end, |first| first.span.start),
    };
    if limit.url.span.start == limit.url.span.end {
        return Err(Box::new(
            Diagnostic::new(
                Code::EmptyUrl,
                span,
                "the line has no URL regexp, so no request could match it",
            )
            .help(
                "write the path after the methods: `[get]/rest/api/2/issue/KANBAN-[0-9]+`, or `.*` for any",
            ),
        ));
    }
    Ok(limit)
}

/// Refuses what would cost the recursive parser too much.
fn within_bounds(text: &str, span: Span) -> Result<(), Box<Diagnostic>> {
    if text.len() > MAX_LINE_BYTES {
        let headline = format!(
            "the line has {} bytes, more than the maximum of {MAX_LINE_BYTES}",
            text.len()
        );
        return Err(Box::new(
            Diagnostic::new(Code::TooLarge, span, headline).help("split it into several lines"),
        ));
    }
    let (mut depth, mut escaped) = (0_usize, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            // Escaped or not.
            b'\0' => {
                let place = span.part(at..at + 1);
                return Err(Box::new(Diagnostic::new(
                    Code::LineSyntax,
                    place,
                    "the line contains a NUL character",
                )));
            }
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'[' => depth += 1,
            b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > MAX_BRACKET_DEPTH {
            let headline = format!("brackets are nested more than {MAX_BRACKET_DEPTH} deep");
            return Err(Box::new(Diagnostic::new(
                Code::TooLarge,
                span.part(at..at + 1),
                headline,
            )));
        }
    }
    Ok(())
}

fn methods(pair: Pair<'_, Rule>) -> MethodSet {
    pair.into_inner()
        .filter_map(|method| Method::from_name(method.as_str()))
        .fold(MethodSet::EMPTY, MethodSet::with)
}

fn place(pair: &Pair<'_, Rule>, line: Span) -> Span {
    line.part(pair.as_span().start()..pair.as_span().end())
}

fn pattern(pair: &Pair<'_, Rule>, line: Span) -> Pattern {
    let placeholders = pair
        .clone()
        .into_inner()
        .filter(|inner| inner.as_rule() == Rule::placeholder)
        .map(|inner| {
            let placeholder = if inner.as_str() == "{USER}" {
                Placeholder::User
            } else {
                Placeholder::BaseUrl
            };
            (placeholder, place(&inner, line))
        })
        .collect();
    Pattern {
        span: place(pair, line),
        placeholders,
    }
}

fn constraint(pair: Pair<'_, Rule>, line: Span, language: Language) -> Result<Constraint, Box<Diagnostic>> {
    let span = place(&pair, line);
    let is_query = pair.as_rule() == Rule::query;
    let (mut subject, mut only_of, mut kinds, mut operator, mut value) = (None, None, None, None, None);
    // The grammar accepts `only` as a name; whether it is one depends on the operator, which follows it.
    for part in pair.into_inner() {
        match part.as_rule() {
            Rule::query_name => {
                let place = place(&part, line);
                let (name, quoted) = name(part);
                if !quoted {
                    bare_name::check(&name, bare_name::Place::Query, place)?;
                }
                only_of = (!quoted && name == "only").then(|| Subject::Query(String::new()));
                subject = Some(Subject::Query(name));
            }
            Rule::path => {
                let (path, parent) = path(part, line)?;
                only_of = parent.map(Subject::Json);
                subject = Some(Subject::Json(path));
            }
            Rule::kinds => kinds = Some(json_kinds(part, line)?),
            Rule::operator => operator = Operator::from_text(part.as_str()),
            Rule::value => {
                if language == Language::Two {
                    check_beginning(&part, line)?;
                }
                value = Some(part);
            }
            _ => {}
        }
    }
    // With an operator the name is a name, and without one it must be `only`.
    match (operator, value, subject, only_of) {
        (Some(operator), Some(value), Some(subject), _) => Ok(Constraint {
            span,
            subject,
            test: match operator {
                Operator::Within(side) | Operator::WithinOrAbsent(side) => {
                    range(operator, side, kinds, &value, line)?
                }
                Operator::All | Operator::AllOrAbsent | Operator::None => Test::Values {
                    operator,
                    kinds,
                    pattern: pattern(&value, line),
                },
            },
        }),
        (None, _, _, Some(subject)) => Ok(Constraint {
            span,
            subject,
            test: Test::Only,
        }),
        _ => Err(Box::new(no_operator(span, is_query))),
    }
}

/// A value that begins like more of the operator is a slip (`===x`, `!==x`), and so is one that begins with a blank.
fn check_beginning(value: &Pair<'_, Rule>, line: Span) -> Result<(), Box<Diagnostic>> {
    const COMPARED: &str = "write one operator, such as `>=` or `!=`";
    let (shown, cure, instead) = match value.as_str().chars().next() {
        Some(' ' | '\t') => ("a space", "remove it", "\\x20"),
        Some('=') => ("`=`", "remove it", "[=]"),
        Some('<') => ("`<`", COMPARED, "[<]"),
        Some('>') => ("`>`", COMPARED, "[>]"),
        Some('!') => ("`!`", "write `!=` for all values but one", "[!]"),
        _ => return check_end(value, line),
    };
    let start = value.as_span().start();
    let place = line.part(start..start + 1);
    Err(Box::new(
        Diagnostic::new(Code::LineSyntax, place, format!("the value begins with {shown}"))
            .label("this is not part of the operator")
            .help(format!(
                "{cure}; if the value itself begins with it, write `{instead}`"
            )),
    ))
}

/// A value that ends with a blank matches no value that its author thinks of.
fn check_end(value: &Pair<'_, Rule>, line: Span) -> Result<(), Box<Diagnostic>> {
    let text = value.as_str();
    let kept = text.trim_end_matches([' ', '\t']);
    let backslashes = kept.len() - kept.trim_end_matches('\\').len();
    if kept.len() == text.len() || backslashes % 2 == 1 {
        return Ok(());
    }
    let start = value.as_span().start() + kept.len();
    Err(Box::new(
        Diagnostic::new(
            Code::LineSyntax,
            line.part(start..start + 1),
            "the value ends with a space",
        )
        .help("remove it; if the value itself ends with it, write `\\x20`"),
    ))
}

/// The test of a range. A bound must be in one form only, so that nobody takes `5e2` or `1.1.2018` for one.
fn range(
    operator: Operator,
    side: Side,
    kinds: Option<Kinds>,
    value: &Pair<'_, Rule>,
    line: Span,
) -> Result<Test, Box<Diagnostic>> {
    let span = place(value, line);
    let text = value.as_str();
    let Some(bound) = Bound::parse(text) else {
        return Err(Box::new(
            Diagnostic::new(
                Code::LineSyntax,
                span,
                format!("`{text}` is not a bound: neither a plain number nor a date"),
            )
            .label(match is_like_a_date(text) {
                true => "no such day exists".to_owned(),
                false => format!("expected a bound after `{}`", operator.as_str()),
            })
            .help(
                "write a number of at most 15 digits without exponent, `+` and leading zeros (`500`, `-0.5`), or an existing date as `YYYY-MM-DD` (`2018-01-31`)",
            ),
        ));
    };
    let (can_hold, shown) = match &bound {
        Bound::Number(_) => (
            &[Kind::String, Kind::Number][..],
            "a number, or a string with a number's text",
        ),
        Bound::Date(_) => (&[Kind::String][..], "a string in JSON"),
    };
    if kinds.is_some_and(|kinds| !can_hold.iter().any(|kind| kinds.has(*kind))) {
        return Err(Box::new(
            Diagnostic::new(
                Code::LineSyntax,
                span,
                format!("no value of the listed types is compared with `{text}`"),
            )
            .help(format!(
                "a value on a side of this bound is {shown}: list that type"
            )),
        ));
    }
    Ok(Test::Range {
        operator,
        side,
        kinds,
        bound,
        span,
    })
}

/// Whether the path of a `[JsonData::…` begins with the root, an unquoted `$`.
pub(crate) fn begins_with_root(constraint: &str) -> bool {
    let path = constraint.strip_prefix("[JsonData::$");
    path.is_some_and(|behind| behind.starts_with(['.', '[', ':', '=', '!', '?', '<', '>', '~', ']']))
}

fn is_like_a_date(text: &str) -> bool {
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c })
        .collect();
    shape == "0000-00-00"
}

fn no_operator(span: Span, is_query: bool) -> Diagnostic {
    let example = if is_query {
        "[QueryParam::name==regexp]"
    } else {
        "[JsonData::name==regexp]"
    };
    Diagnostic::new(Code::LineSyntax, span, "the constraint has no operator")
        .label("expected an operator after the name, such as `==`, `!=`, `?=` or `<=`")
        .help(format!(
            "write `{example}`, or write `only` instead of the name to allow no other names"
        ))
}

/// The types of a list, each of which may occur once.
fn json_kinds(pair: Pair<'_, Rule>, line: Span) -> Result<Kinds, Box<Diagnostic>> {
    let span = place(&pair, line);
    let mut kinds: Option<Kinds> = None;
    for part in pair.into_inner() {
        let Some(kind) = json_kind(part.as_str()) else {
            continue;
        };
        kinds = match kinds {
            None => Some(Kinds::only(kind)),
            Some(kinds) => Some(kinds.with(kind).ok_or_else(|| {
                let place = place(&part, line);
                let headline = format!("the type `{}` is listed twice", kind.as_str());
                Box::new(Diagnostic::new(Code::LineSyntax, place, headline).help("remove one of the two"))
            })?),
        };
    }
    // The grammar has one type at least.
    kinds.ok_or_else(|| Box::new(Diagnostic::new(Code::LineSyntax, span, "the type is missing")))
}

fn json_kind(text: &str) -> Option<Kind> {
    match text {
        "string" => Some(Kind::String),
        "number" => Some(Kind::Number),
        "boolean" => Some(Kind::Boolean),
        "null" => Some(Kind::Null),
        _ => None,
    }
}

/// A name and whether it was quoted.
fn name(pair: Pair<'_, Rule>) -> (String, bool) {
    let inner = pair.into_inner().next();
    let text = inner.as_ref().map_or("", Pair::as_str);
    match inner.as_ref().map(Pair::as_rule) {
        Some(Rule::quoted) => (unquote(text), true),
        _ => (text.to_owned(), false),
    }
}

fn unquote(quoted: &str) -> String {
    let mut name = String::with_capacity(quoted.len());
    let inner = quoted
        .strip_prefix('"')
        .and_then(|text| text.strip_suffix('"'))
        .unwrap_or(quoted);
    let mut characters = inner.chars();
    while let Some(character) = characters.next() {
        name.extend(if character == '\\' {
            characters.next()
        } else {
            Some(character)
        });
    }
    name
}

/// The path, and, if its last step is a bare `only`, the path before that. A first step that is a bare `$` leads to the root.
fn path(pair: Pair<'_, Rule>, line: Span) -> Result<(Path, Option<Path>), Box<Diagnostic>> {
    let mut steps = Vec::new();
    let mut ends_in_only = false;
    for (at, step) in pair.into_inner().enumerate() {
        let mut each = 0;
        for part in step.into_inner() {
            match part.as_rule() {
                Rule::each => each += 1,
                Rule::quoted => {
                    steps.push(Step::Name(unquote(part.as_str())));
                    ends_in_only = false;
                }
                _ => {
                    let text = part.as_str();
                    let at_name = match at {
                        0 => bare_name::Place::FirstStep,
                        _ => bare_name::Place::Step,
                    };
                    bare_name::check(text, at_name, place(&part, line))?;
                    ends_in_only = text == "only";
                    if !(at == 0 && text == "$") {
                        steps.push(Step::Name(text.to_owned()));
                    }
                }
            }
        }
        steps.extend(std::iter::repeat_n(Step::Each, each));
        ends_in_only &= each == 0;
    }
    let parent = ends_in_only.then(|| Path(steps.iter().take(steps.len() - 1).cloned().collect()));
    Ok((Path(steps), parent))
}

fn syntax_error(error: &pest::error::Error<Rule>, text: &str, span: Span) -> Box<Diagnostic> {
    let at = match error.location {
        InputLocation::Pos(at) | InputLocation::Span((at, _)) => at,
    };
    let expected = match &error.variant {
        pest::error::ErrorVariant::ParsingError { positives, .. } => expectations(positives, text.get(at..)),
        pest::error::ErrorVariant::CustomError { message } => message.clone(),
    };
    let next = text
        .get(at..)
        .and_then(|rest| rest.chars().next())
        .map_or(0, char::len_utf8);
    // The author must look at the constraint that goes wrong; the parser stopped at its end.
    let from = text.get(..at).and_then(|before| {
        [before.rfind("[QueryParam::"), before.rfind("[JsonData::")]
            .into_iter()
            .flatten()
            .max()
    });
    let place = span.part(from.unwrap_or(at)..at + next);
    let rest = text.get(at..).unwrap_or_default();
    let is_name_missing = text.get(..at).is_some_and(|before| before.ends_with("::"));
    let headline = match rest.chars().next().filter(|_| from.is_some()) {
        Some(' ' | '\t') => "a space in or around a name without quotes".to_owned(),
        Some('=' | '!' | '?' | '~' | '<' | '>') if is_name_missing => "the name is missing".to_owned(),
        Some('=' | '!' | '?' | '~') => {
            let length = rest.find(|c| !"=!?~<>".contains(c)).unwrap_or(rest.len());
            format!("`{}` is not an operator", rest.get(..length).unwrap_or_default())
        }
        _ => "the line does not parse".to_owned(),
    };
    let diagnostic = Diagnostic::new(Code::LineSyntax, place, headline).label(format!("expected {expected}"));
    Box::new(match rest {
        rest if from.is_some() && is_name_missing && rest.starts_with(['=', '!', '?', '~', '<', '>']) => {
            diagnostic.help("write the name before the operator; `\"\"` is the empty name")
        }
        rest if from.is_some() && rest.starts_with(['=', '!', '?', '~']) => {
            let found = diagnostic.help(
                "the operators are `==`, `!=`, `?=`, `<`, `<=`, `>=`, `>`, and `?` before a comparison such as `?<`; put a name that contains one of `=<>!?~` in quotes",
            );
            match rest.starts_with('=') && !rest.starts_with("==") {
                true => found.fix(span.part(at..at + 1), "=="),
                false => found,
            }
        }
        rest if from.is_some() && rest.starts_with([' ', '\t']) => {
            diagnostic.help("remove the space, or put the name in quotes if the space is part of it")
        }
        rest if expected.contains("`boolean`") && rest.starts_with(|first: char| first.is_alphabetic()) => {
            let end = rest.find(|c: char| !c.is_alphanumeric()).unwrap_or(rest.len());
            let types = ["string", "number", "boolean", "null"];
            let word = rest.get(..end).unwrap_or_default();
            // `bool` and `int` are short for their types, and far from them.
            let short = types
                .into_iter()
                .find(|known| word.len() > 2 && known.starts_with(word));
            match short.or_else(|| nearest(word, types)) {
                Some(near) => {
                    let word = span.part(at..at + end);
                    diagnostic.help(format!("did you mean `{near}`?")).fix(word, near)
                }
                None => diagnostic,
            }
        }
        "" if from.is_some() => {
            diagnostic.help("add the `]` that ends the constraint; to match `]` in the regexp, write `\\]`")
        }
        rest if rest.starts_with("[*]") && is_name_missing => diagnostic
            .help("write `$[*]` for the elements of a body that is an array: `[JsonData::$[*].name==…]`"),
        rest if rest.starts_with(':') || rest.starts_with('[') || rest.starts_with('"') => diagnostic
            .help(
                "for the elements of a list in JSON, write `[*]`, as in `[JsonData::labels[*]==…]`, and for its members dots; put a name that \
                 contains `.`, `:`, `[` or `]` in quotes: `[QueryParam::\"f[]\"==…]`",
            ),
        _ => diagnostic,
    })
}

fn expectations(positives: &[Rule], rest: Option<&str>) -> String {
    let mut names: Vec<&str> = positives
        .iter()
        .map(|rule| match rule {
            Rule::operator => "an operator such as `==`, `!=`, `?=` or `<=`",
            Rule::query_name | Rule::query_bare => "a parameter's name",
            Rule::path | Rule::step | Rule::step_bare | Rule::quoted => "a node's name",
            Rule::kind | Rule::kinds => "`string`, `number`, `boolean` or `null`",
            Rule::each => "`[*]`",
            Rule::query | Rule::json => "another constraint",
            Rule::EOI => "the end of the line",
            Rule::placeholder | Rule::value => "`]`",
            _ => "more of the line",
        })
        .collect();
    names.sort_unstable();
    names.dedup();
    match (names.as_slice(), rest) {
        ([], Some("")) => "`]`".to_owned(),
        ([], _) => "something else".to_owned(),
        (names, _) => names.join(" or "),
    }
}
