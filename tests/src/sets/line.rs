//! A line's text, cut into its parts as SEMANTICS 1 names them. Only lines that the compiler accepts are of interest here.

use tokenward_compiler::method::Method;

/// One line.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) forbids: bool,
    /// `None`: it names none.
    pub(super) methods: Option<Vec<Method>>,
    pub(super) url: String,
    pub(super) constraints: Vec<Constraint>,
}

/// What a constraint looks at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Parameter(String),
    Node(Vec<Step>, Vec<String>),
}

/// A step on the way to a node.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Step {
    Name(String),
    Each,
}

/// One constraint.
#[derive(Clone, Debug)]
pub(super) enum Constraint {
    Test(Subject, Test),
    OnlyParameters,
    /// No member of the node but those that the line names.
    OnlyMembers(Vec<Step>),
}

/// What is asked of a value: `optional` where it may be absent.
#[derive(Clone, Debug)]
pub(super) enum Test {
    Matches {
        pattern: String,
        optional: bool,
    },
    Differs {
        pattern: String,
    },
    Range {
        side: Side,
        bound: String,
        optional: bool,
    },
}

/// The side of a bound.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Side {
    pub(super) below: bool,
    pub(super) inclusive: bool,
}

const OPERATORS: [&str; 11] = ["?<=", "?>=", "?<", "?>", "?=", "==", "!=", "<=", ">=", "<", ">"];

impl Line {
    /// The line, or `None` where there is none: a blank one or a comment.
    pub(super) fn read(text: &str) -> Option<Self> {
        let text = text.trim();
        if text.is_empty() || text.starts_with('#') {
            return None;
        }
        let (forbids, text) = match text.strip_prefix('!') {
            Some(rest) => (true, blanks(rest)),
            None => (false, text),
        };
        let (methods, text) = methods(text);
        let end = first_constraint(text).unwrap_or(text.len());
        let (url, mut rest) = text.split_at(end);
        let mut constraints = Vec::new();
        while let Some(behind) = blanks(rest).strip_prefix('[') {
            let end = closing(behind).expect("a constraint ends");
            let (constraint, behind) = behind.split_at(end);
            constraints.push(Constraint::read(constraint));
            rest = behind.strip_prefix(']').expect("its own bracket");
        }
        assert!(blanks(rest).is_empty(), "`{rest}` is left of the line");
        let url = url.trim_end_matches([' ', '\t']).to_owned();
        Some(Self {
            forbids,
            methods,
            url,
            constraints,
        })
    }
}

fn blanks(text: &str) -> &str {
    text.trim_start_matches([' ', '\t'])
}

/// The methods, and what follows. A bracket that holds anything else begins the URL.
fn methods(text: &str) -> (Option<Vec<Method>>, &str) {
    let list = text.strip_prefix('[').and_then(|rest| rest.split_once(']'));
    let named = list.and_then(|(list, rest)| {
        let methods = list.split([',', '|']).map(|name| {
            let named = |method: &&Method| method_name(**method).eq_ignore_ascii_case(name.trim());
            Method::NAMED.iter().find(named).copied()
        });
        Some((methods.collect::<Option<Vec<Method>>>()?, rest))
    });
    match named {
        Some((methods, rest)) => (Some(methods), blanks(rest)),
        None => (None, text),
    }
}

fn method_name(method: Method) -> &'static str {
    match method {
        Method::Get => "GET",
        Method::Head => "HEAD",
        Method::Post => "POST",
        Method::Put => "PUT",
        Method::Patch => "PATCH",
        Method::Delete => "DELETE",
        Method::Options => "OPTIONS",
        Method::Other => "",
    }
}

/// Where the first constraint begins.
fn first_constraint(text: &str) -> Option<usize> {
    let mut at = 0;
    while let Some(char) = text.get(at..).and_then(|rest| rest.chars().next()) {
        let rest = text.get(at..).unwrap_or_default();
        if rest.starts_with("[QueryParam::") || rest.starts_with("[JsonData::") {
            return Some(at);
        }
        at += match char {
            '\\' => 1 + rest.chars().nth(1).map_or(0, char::len_utf8),
            '[' => 2 + closing(rest.get(1..).unwrap_or_default()).expect("a class ends"),
            _ => char.len_utf8(),
        };
    }
    None
}

/// Where the bracket is that ends what a bracket before the text began: classes, escapes and quoted names are gone through.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quoted = false;
    let mut chars = text.char_indices().peekable();
    // In a class, a bracket at the beginning is a character of it; a constraint never begins by one.
    let mut opened = !(text.starts_with("QueryParam::") || text.starts_with("JsonData::"));
    let constraint = !opened;
    let mut operator = false;
    while let Some((at, char)) = chars.next() {
        let first = std::mem::take(&mut opened);
        match char {
            '"' if constraint && !operator => quoted = !quoted,
            _ if quoted => {}
            '\\' => {
                chars.next();
            }
            '^' if first => opened = true,
            ']' if first => {}
            '[' => {
                depth += 1;
                // `[*]` and the like in a path are no classes, and `[:alpha:]` begins by no bracket.
                opened = !constraint || operator;
            }
            ']' => match depth.checked_sub(1) {
                None => return Some(at),
                Some(less) => depth = less,
            },
            '=' | '<' | '>' if depth == 0 => operator = true,
            _ => {}
        }
    }
    None
}

impl Constraint {
    /// The text between the brackets.
    fn read(text: &str) -> Self {
        let (kind, rest) = text.split_once("::").expect("a kind of constraint");
        let Some((subject, operator, value)) = operator(rest) else {
            return match (kind, rest.strip_suffix("only")) {
                ("QueryParam", Some("")) => Self::OnlyParameters,
                (_, Some(path)) => Self::OnlyMembers(steps(path.trim_end_matches('.')).0),
                (_, None) => panic!("the constraint {text}"),
            };
        };
        let subject = match kind {
            "QueryParam" => {
                let quoted = subject.strip_prefix('"').and_then(|rest| rest.strip_suffix('"'));
                Subject::Parameter(quoted.unwrap_or(subject).to_owned())
            }
            _ => {
                let (path, kinds) = steps(subject);
                Subject::Node(path, kinds)
            }
        };
        let value = value.to_owned();
        let optional = operator.starts_with('?');
        let test = match operator.trim_start_matches('?') {
            "!=" => Test::Differs { pattern: value },
            "==" | "=" => Test::Matches {
                pattern: value,
                optional,
            },
            sign => Test::Range {
                side: Side {
                    below: sign.starts_with('<'),
                    inclusive: sign.ends_with('='),
                },
                bound: value,
                optional,
            },
        };
        Self::Test(subject, test)
    }
}

/// The subject, the first operator outside quotes, the value.
fn operator(text: &str) -> Option<(&str, &'static str, &str)> {
    let mut quoted = false;
    for (at, char) in text.char_indices() {
        quoted ^= char == '"';
        let rest = text.get(at..).unwrap_or_default();
        if quoted {
            continue;
        }
        if let Some(operator) = OPERATORS.into_iter().find(|operator| rest.starts_with(operator)) {
            let subject = text.get(..at).unwrap_or_default();
            return Some((subject, operator, rest.strip_prefix(operator).unwrap_or_default()));
        }
    }
    None
}

/// The steps of a path, and the types behind it.
fn steps(text: &str) -> (Vec<Step>, Vec<String>) {
    let mut path = Vec::new();
    let mut rest = text;
    // Only a first step that is exactly `$` is the root.
    let root = rest
        .strip_prefix('$')
        .filter(|rest| rest.is_empty() || rest.starts_with(['.', '[', ':']));
    if let Some(behind) = root {
        rest = behind.strip_prefix('.').unwrap_or(behind);
    }
    while !rest.is_empty() && !rest.starts_with(':') {
        if let Some(behind) = rest.strip_prefix("[*]") {
            path.push(Step::Each);
            rest = behind.strip_prefix('.').unwrap_or(behind);
        } else if let Some(behind) = rest.strip_prefix('"') {
            let (name, behind) = behind.split_once('"').expect("a quoted name ends");
            path.push(Step::Name(name.to_owned()));
            rest = behind.strip_prefix('.').unwrap_or(behind);
        } else {
            let end = rest.find(['.', '[', ':']).unwrap_or(rest.len());
            let (name, behind) = rest.split_at(end);
            path.push(Step::Name(name.to_owned()));
            rest = behind.strip_prefix('.').unwrap_or(behind);
        }
    }
    let kinds = rest
        .strip_prefix(':')
        .map(|kinds| kinds.split('|').map(str::to_owned).collect());
    (path, kinds.unwrap_or_default())
}
