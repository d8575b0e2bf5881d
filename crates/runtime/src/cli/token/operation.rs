//! Limit lines for operations of the API: the narrowest ones that allow all their calls, or those with some values of parameters.

mod segment;

use std::collections::{BTreeMap, BTreeSet};

use tokenward_compiler::analysis::{Analysis, Budget};
use tokenward_compiler::ask::Question;
use tokenward_compiler::closest::{Place, escaped};
use tokenward_compiler::diagnostic::nearest;
use tokenward_compiler::reach::{Beyond, Catalogue, Operation, Piece, Segment, Values};
use tokenward_pdp::config::Config;
use tokenward_pdp::config::universe::universe;

use super::super::ask::wrong;
use super::super::audit::shown;
use super::super::descriptions::{Described, catalogue};
use super::{Failure, output};

/// Values of parameters by name: regular expressions.
type Given<'a> = BTreeMap<&'a str, &'a str>;

/// The lines for operations, one for each and each path of a server.
pub(super) fn lines(
    (described, names): (&Described, &[String]),
    values: &[String],
    config: &Config,
) -> Result<Vec<String>, Failure> {
    let found: Result<Vec<usize>, Failure> = names.iter().map(|name| described.find(name)).collect();
    let found = found?;
    let operations = found.iter().filter_map(|at| described.all.operations.get(*at));
    let catalogue = catalogue(operations, config)?;
    let given = given(values)?;
    check_names(&catalogue, &given)?;
    let mut lines = Vec::new();
    for (at, operation) in catalogue.operations().iter().enumerate() {
        let exact = of_operation(operation, &given, true);
        let wide = of_operation(operation, &given, false);
        for (line, wide) in exact.into_iter().zip(wide) {
            lines.push(proved(line, wide, (&catalogue, at), config)?);
        }
        for name in unwritable(operation, &given) {
            output::note(&shown(&format!(
                "tokenward: the pattern of the parameter `{name}` cannot be part of a line; the line allows any text of one segment there, and --where gives a narrower one"
            )));
        }
    }
    Ok(lines)
}

fn given(values: &[String]) -> Result<Given<'_>, Failure> {
    let mut given = Given::new();
    for text in values {
        let Some((name, regexp)) = text.split_once('=').filter(|(_, regexp)| !regexp.is_empty()) else {
            return Err(Failure::Usage(shown(&format!(
                "--where: `{text}` is not NAME=REGEXP, such as issueIdOrKey='KANBAN-\\d+'"
            ))));
        };
        check_regexp(name, regexp)?;
        if given.insert(name, regexp).is_some() {
            return Err(Failure::Usage(shown(&format!(
                "--where: `{name}` is given twice; write one regular expression, such as `(A|B)`"
            ))));
        }
    }
    Ok(given)
}

/// Checks that a text is one regular expression for values of a parameter, and nothing that would end it within the line.
fn check_regexp(name: &str, regexp: &str) -> Result<(), Failure> {
    let wrong = |message: &str| {
        Err(Failure::Usage(shown(&format!(
            "--where: `{regexp}` for `{name}` {message}"
        ))))
    };
    if regexp.starts_with('^') || (regexp.ends_with('$') && !regexp.ends_with(r"\$")) {
        return wrong("has an anchor; a line always matches the whole text, so leave `^` and `$` out");
    }
    let lower = regexp.to_ascii_lowercase();
    if ["[queryparam", "[jsondata", "[header"]
        .iter()
        .any(|condition| lower.contains(condition))
    {
        return wrong("has a condition; give the whole line with --limit-to");
    }
    match regex_syntax::parse(regexp) {
        Ok(_) => Ok(()),
        Err(_) => wrong("is not a regular expression by itself; correct it"),
    }
}

fn check_names(catalogue: &Catalogue, given: &Given<'_>) -> Result<(), Failure> {
    let pieces = catalogue.operations().iter().flat_map(pieces);
    let names: BTreeSet<&str> = pieces
        .filter_map(|piece| match piece {
            Piece::Parameter { name, .. } => Some(name.as_str()),
            Piece::Literal(_) => None,
        })
        .collect();
    for name in given.keys() {
        if names.contains(name) {
            continue;
        }
        let near = nearest(name, names.iter().copied());
        let cure = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if names.is_empty() => "the paths have no parameters".to_owned(),
            None => format!(
                "the parameters are `{}`",
                names.iter().copied().collect::<Vec<&str>>().join("`, `")
            ),
        };
        return Err(Failure::Usage(shown(&format!(
            "--where: no operation has the parameter `{name}` in its path; {cure}"
        ))));
    }
    Ok(())
}

fn pieces(operation: &Operation) -> impl Iterator<Item = &Piece> {
    let bases = operation.bases.iter().flatten();
    bases.chain(&operation.segments).flat_map(|segment| &segment.0)
}

/// The lines of an operation, one for each path of a server.
fn of_operation(operation: &Operation, given: &Given<'_>, with_patterns: bool) -> Vec<String> {
    let method = operation.method.as_str().to_ascii_lowercase();
    let path = |segments: &[Segment]| {
        let segments = segments.iter().map(|segment| {
            let pieces = segment.0.iter().map(|piece| regexp(piece, given, with_patterns));
            format!("/{}", pieces.collect::<String>())
        });
        segments.collect::<String>()
    };
    let below = path(&operation.segments);
    let lines = operation
        .bases
        .iter()
        .map(|base| format!("[{method}]{}{below}", path(base)));
    lines.collect()
}

/// A segment of an operation's path as the description shows it, as a line has it, and whether it has a parameter.
pub(in crate::cli) struct Spelled {
    pub(in crate::cli) shown: String,
    pub(in crate::cli) pattern: String,
    pub(in crate::cli) is_open: bool,
}

/// The paths of an operation below the public URL, one for each path of a server.
pub(in crate::cli) fn spelled(operation: &Operation) -> Vec<Vec<Spelled>> {
    let none = Given::new();
    let segment = |segment: &Segment| {
        let shown = segment.0.iter().map(|piece| match piece {
            Piece::Literal(text) => text.clone(),
            Piece::Parameter { name, .. } => format!("{{{name}}}"),
        });
        Spelled {
            shown: shown.collect(),
            pattern: segment.0.iter().map(|piece| regexp(piece, &none, true)).collect(),
            is_open: segment
                .0
                .iter()
                .any(|piece| matches!(piece, Piece::Parameter { .. })),
        }
    };
    let paths = operation.bases.iter();
    paths
        .map(|base| base.iter().chain(&operation.segments).map(segment).collect())
        .collect()
}

fn regexp(piece: &Piece, given: &Given<'_>, with_patterns: bool) -> String {
    let (name, values) = match piece {
        Piece::Literal(text) => return escaped(text, Place::Url),
        Piece::Parameter { name, values, .. } => (name, values),
    };
    if let Some(regexp) = given.get(name.as_str()) {
        return if regexp.contains('|') || regexp.contains("(?") {
            format!("({regexp})")
        } else {
            (*regexp).to_owned()
        };
    }
    match values {
        Values::Any => "[^/]+".to_owned(),
        Values::Path => ".+".to_owned(),
        Values::OneOf(texts) => {
            let texts: Vec<String> = texts.iter().map(|text| escaped(text, Place::Url)).collect();
            match texts.as_slice() {
                [one] => one.clone(),
                texts => format!("({})", texts.join("|")),
            }
        }
        Values::Pattern(text) => segment::within(text)
            .filter(|_| with_patterns)
            .unwrap_or_else(|| "[^/]+".to_owned()),
    }
}

/// The parameters whose patterns no line can have.
fn unwritable<'o>(operation: &'o Operation, given: &Given<'_>) -> BTreeSet<&'o str> {
    let without = pieces(operation).filter_map(|piece| match piece {
        Piece::Parameter {
            name,
            values: Values::Pattern(text),
            ..
        } if !given.contains_key(name.as_str()) && segment::within(text).is_none() => Some(name.as_str()),
        _ => None,
    });
    without.collect()
}

/// The line, if it allows only calls of its operation; otherwise one with any text of a segment in the place of each pattern.
fn proved(line: String, wide: String, at: (&Catalogue, usize), config: &Config) -> Result<String, Failure> {
    let refusal = match check(&line, at, config) {
        Ok(()) => return Ok(line),
        Err(refusal) => refusal,
    };
    // A description's own pattern may be one that the analysis or a line does not know; a line with any text is wider.
    if wide == line {
        return Err(refusal);
    }
    output::note(&shown(&format!(
        "tokenward: a pattern of the description cannot be part of the line `{line}`; the line allows any text of one segment there, and --where gives a narrower one"
    )));
    Ok(wide)
}

/// Checks that a line allows only calls of its operation.
fn check(line: &str, (catalogue, at): (&Catalogue, usize), config: &Config) -> Result<(), Failure> {
    let upstream = &config.upstream;
    let question = Question::parse(line, &upstream.public_url, upstream.product.merges())
        .map_err(|error| wrong(&error))?;
    let settings = (universe(config), &Budget::new(Analysis::BUDGET));
    let beyond = catalogue
        .beyond(&question, at, settings)
        .map_err(Failure::trouble)?;
    match beyond {
        Beyond::None => Ok(()),
        Beyond::Path(path) => Err(Failure::Usage(shown(&format!(
            "the line `{line}` would also match `{path}`, which is not a call of the operation; write a narrower --where, such as `[^/]+` in the place of `.+`"
        )))),
        Beyond::Open => Err(Failure::Usage(shown(&format!(
            "it could not be proved that the line `{line}` matches only calls of the operation; write a simpler --where"
        )))),
    }
}
