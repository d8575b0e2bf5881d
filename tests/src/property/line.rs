use tokenward_compiler::{
    ast::{Constraint, Effect, Limit, Operator, Pattern, Placeholder, Subject, Test},
    json::{Kinds, Path, Step},
    method::{Method, MethodSet},
    parse::parse_line,
    source::{SourceSet, Span},
};

/// A line that parses, printed from its tree, parses to the same tree. Every place in the tree, or in the diagnostic, is within the
/// line and cuts no character.
pub fn line(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let text = text.trim();
    let Some(limit) = parsed(text) else { return };
    let shape = Shape::of(&limit, text);
    let printed = shape.print();
    let again =
        parsed(&printed).unwrap_or_else(|| panic!("{printed:?}, printed from {text:?}, does not parse"));
    assert_eq!(
        shape,
        Shape::of(&again, &printed),
        "{text:?} printed is {printed:?}"
    );
}

fn parsed(text: &str) -> Option<Limit> {
    let sources = SourceSet::from_files([("l.limits".to_owned(), text.to_owned())]);
    let (source, _) = sources.iter().next().expect("the one file");
    let whole = Span {
        source,
        start: 0,
        end: text.len(),
    };
    match parse_line(text, whole) {
        Ok(limit) => Some(limit),
        Err(diagnostic) => {
            at(text, diagnostic.primary.span);
            for label in &diagnostic.related {
                at(text, label.span);
            }
            None
        }
    }
}

#[track_caller]
fn at(text: &str, span: Span) -> &str {
    text.get(span.start..span.end)
        .unwrap_or_else(|| panic!("{}..{} is no place in {text:?}", span.start, span.end))
}

/// A pattern's text and its placeholders, with their offsets in it.
type Text = (String, Vec<(Placeholder, usize, usize)>);

/// The operator, the types and the regexp or the bound; absent in `only`.
type Values = Option<(Operator, Option<Kinds>, Text)>;

/// The tree without the places.
#[derive(Debug, PartialEq)]
struct Shape {
    effect: Effect,
    methods: Option<MethodSet>,
    url: Text,
    constraints: Vec<(Subject, Values)>,
}

impl Shape {
    fn of(limit: &Limit, text: &str) -> Self {
        assert_eq!(at(text, limit.span), text);
        Self {
            effect: limit.effect,
            methods: limit.methods,
            url: pattern(&limit.url, text),
            constraints: limit
                .constraints
                .iter()
                .map(|part| constraint(part, text))
                .collect(),
        }
    }

    fn print(&self) -> String {
        let mut out = String::new();
        if self.effect == Effect::Forbid {
            out.push('!');
        }
        if let Some(methods) = self.methods {
            let names: Vec<&str> = Method::NAMED
                .into_iter()
                .filter(|method| methods.contains(*method))
                .map(Method::as_str)
                .collect();
            out.push_str(&format!("[{}]", names.join(",")));
        }
        out.push_str(&self.url.0);
        for (subject, test) in &self.constraints {
            let only = test.is_none();
            out.push_str(&match subject {
                Subject::Query(_) if only => "[QueryParam::only".to_owned(),
                Subject::Query(name) => format!("[QueryParam::{}", quoted(name)),
                Subject::Json(path) => format!("[JsonData::{}", path_text(path, only)),
            });
            if let Some((operator, kinds, value)) = test {
                let kinds = kinds.map(|kinds| format!(":{kinds}")).unwrap_or_default();
                out.push_str(&format!("{kinds}{}{}", operator.as_str(), value.0));
            }
            out.push(']');
        }
        out
    }
}

fn pattern(pattern: &Pattern, text: &str) -> Text {
    let start = pattern.span.start;
    let placeholders = pattern
        .placeholders
        .iter()
        .map(|(placeholder, span)| {
            let name = at(text, *span);
            assert!(
                name.starts_with('{') && name.ends_with('}'),
                "{name:?} is no placeholder"
            );
            (*placeholder, span.start - start, span.end - start)
        })
        .collect();
    (at(text, pattern.span).to_owned(), placeholders)
}

fn constraint(part: &Constraint, text: &str) -> (Subject, Values) {
    let whole = at(text, part.span);
    assert!(
        whole.starts_with('[') && whole.ends_with(']'),
        "{whole:?} is no constraint"
    );
    let test = match &part.test {
        Test::Only => None,
        Test::Values {
            operator,
            kinds,
            pattern: value,
        } => Some((*operator, *kinds, pattern(value, text))),
        Test::Range {
            operator,
            kinds,
            span,
            ..
        } => Some((*operator, *kinds, (at(text, *span).to_owned(), Vec::new()))),
    };
    (part.subject.clone(), test)
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('\\', "\\\\").replace('"', "\\\""))
}

fn path_text(path: &Path, only: bool) -> String {
    let mut out = String::new();
    if !matches!(path.0.first(), Some(Step::Name(_))) {
        out.push('$');
    }
    for step in &path.0 {
        match step {
            Step::Name(_) if !out.is_empty() => out.push('.'),
            _ => {}
        }
        match step {
            Step::Name(name) => out.push_str(&quoted(name)),
            Step::Each => out.push_str("[*]"),
        }
    }
    if only {
        out.push_str(".only");
    }
    out
}
