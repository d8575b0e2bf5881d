//! The texts that a regexp matches, as a text with gaps: `/issue/KANBAN-‹number›`.

use regex_syntax::ast::{
    self, Alternation, Ast, ClassPerlKind, GroupKind, RepetitionKind, RepetitionRange, parse::Parser,
};
use tokenward_compiler::ast::{Pattern, Placeholder};
use tokenward_compiler::visible;

use super::run::{Kind, Run};

/// Longer descriptions help nobody: the regexp itself is shown instead.
const MOST: usize = 200;
/// Characters that no line contains, in the place of placeholders while the regexp is parsed.
const BASE: char = '\u{f0000}';
const USER: char = '\u{f0001}';

/// Describes a regexp of a line.
pub(super) fn of_pattern(line: &str, pattern: &Pattern) -> Vec<Run> {
    let text = line.get(pattern.span.start..pattern.span.end).unwrap_or_default();
    let mut marked = String::with_capacity(text.len());
    let mut from = pattern.span.start;
    for (placeholder, span) in &pattern.placeholders {
        marked.push_str(line.get(from..span.start).unwrap_or_default());
        marked.push(match placeholder {
            Placeholder::BaseUrl => BASE,
            Placeholder::User => USER,
        });
        from = span.end;
    }
    marked.push_str(line.get(from..pattern.span.end).unwrap_or_default());
    of_regexp(&marked).unwrap_or_else(|| {
        vec![
            Run::new(Kind::Word, "text that matches"),
            Run::new(Kind::Exact, text),
        ]
    })
}

/// Describes a regexp; `None` if it has parts without words.
fn of_regexp(text: &str) -> Option<Vec<Run>> {
    let ast = Parser::new().parse(text).ok()?;
    let mut shape = Shape {
        text,
        runs: Vec::new(),
    };
    shape.add(&ast)?;
    if shape.runs.is_empty() {
        shape.put(Kind::Any, "nothing");
    }
    Some(shape.runs)
}

struct Shape<'t> {
    text: &'t str,
    runs: Vec<Run>,
}

impl Shape<'_> {
    fn put(&mut self, kind: Kind, text: &str) {
        match self.runs.last_mut() {
            Some(last) if last.kind == kind && kind == Kind::Exact => last.text.push_str(&visible(text)),
            _ => self.runs.push(Run::new(kind, text)),
        }
    }

    fn add(&mut self, ast: &Ast) -> Option<()> {
        if self.runs.len() > MOST {
            return None;
        }
        match ast {
            Ast::Empty(_) => Some(()),
            Ast::Literal(literal) => {
                match literal.c {
                    BASE => self.put(Kind::Any, "address of the API"),
                    USER => self.put(Kind::Any, "the token's user"),
                    character => self.put(Kind::Exact, character.encode_utf8(&mut [0; 4])),
                }
                Some(())
            }
            Ast::Concat(concat) => concat.asts.iter().try_for_each(|part| self.add(part)),
            Ast::Alternation(alternation) => self.alternation(alternation),
            Ast::Group(group) => match &group.kind {
                GroupKind::NonCapturing(flags) if !flags.items.is_empty() => None,
                _ => self.add(&group.ast),
            },
            Ast::Repetition(repeated) => self.repeated(&repeated.ast, &repeated.op.kind),
            Ast::Flags(_) | Ast::Assertion(_) => None,
            class => {
                let class = self.class(class)?;
                self.put(Kind::Any, &class.one);
                Some(())
            }
        }
    }

    /// `(serverInfo or myself)`
    fn alternation(&mut self, alternation: &Alternation) -> Option<()> {
        self.put(Kind::Word, "(");
        for (at, one) in alternation.asts.iter().enumerate() {
            if at > 0 {
                self.put(Kind::Word, " or ");
            }
            let before = self.runs.len();
            self.add(one)?;
            if self.runs.len() == before {
                self.put(Kind::Any, "nothing");
            }
        }
        self.put(Kind::Word, ")");
        Some(())
    }

    fn repeated(&mut self, ast: &Ast, kind: &RepetitionKind) -> Option<()> {
        let (least, most) = match kind {
            RepetitionKind::ZeroOrOne => (0, Some(1)),
            RepetitionKind::ZeroOrMore => (0, None),
            RepetitionKind::OneOrMore => (1, None),
            RepetitionKind::Range(RepetitionRange::Exactly(count)) => (*count, Some(*count)),
            RepetitionKind::Range(RepetitionRange::AtLeast(count)) => (*count, None),
            RepetitionKind::Range(RepetitionRange::Bounded(least, most)) => (*least, Some(*most)),
        };
        if let Some(class) = self.class(bare(ast)) {
            self.put(Kind::Any, &class.times(least, most));
            return Some(());
        }
        match (least, most) {
            (0, Some(1)) => self.put(Kind::Word, " (optionally "),
            (least, None) => self.put(Kind::Word, &format!(" ({least} or more times ")),
            (least, Some(most)) if least == most => self.put(Kind::Word, &format!(" ({least} times ")),
            (least, Some(most)) => self.put(Kind::Word, &format!(" ({least} to {most} times ")),
        }
        self.add(ast)?;
        self.put(Kind::Word, ")");
        Some(())
    }

    /// A set of characters in words.
    fn class(&self, ast: &Ast) -> Option<Class> {
        let class = |one: &str, many: &str, whole: &str| Class {
            one: one.to_owned(),
            many: many.to_owned(),
            whole: whole.to_owned(),
        };
        match ast {
            Ast::Dot(_) => Some(class("any character", "characters", "anything")),
            Ast::ClassPerl(perl) if !perl.negated => Some(match perl.kind {
                ClassPerlKind::Digit => class("digit", "digits", "number"),
                ClassPerlKind::Word => class("letter, digit or _", "letters, digits or _", "word"),
                ClassPerlKind::Space => class("space", "spaces", "spaces"),
            }),
            Ast::ClassBracketed(bracketed) => {
                let text = self.slice(&bracketed.span);
                Some(match text {
                    "[0-9]" => class("digit", "digits", "number"),
                    "[^/]" | "[^/?]" => class("any character but /", "characters but /", "one name"),
                    "[a-z]" => class("small letter", "small letters", "small letters"),
                    "[A-Z]" => class("capital letter", "capital letters", "capital letters"),
                    "[a-zA-Z]" | "[A-Za-z]" => class("letter", "letters", "letters"),
                    "[a-z0-9]" => class(
                        "small letter or digit",
                        "small letters or digits",
                        "small letters or digits",
                    ),
                    "[A-Z0-9]" => class(
                        "capital letter or digit",
                        "capital letters or digits",
                        "capital letters or digits",
                    ),
                    _ => class(
                        &format!("one character of {text}"),
                        &format!("characters of {text}"),
                        &format!("characters of {text}"),
                    ),
                })
            }
            _ => None,
        }
    }

    fn slice(&self, span: &ast::Span) -> &str {
        self.text
            .get(span.start.offset..span.end.offset)
            .unwrap_or_default()
    }
}

/// Takes off groups that only hold one thing together.
fn bare(ast: &Ast) -> &Ast {
    match ast {
        Ast::Group(group) => match &group.kind {
            GroupKind::NonCapturing(flags) if !flags.items.is_empty() => ast,
            _ => bare(&group.ast),
        },
        _ => ast,
    }
}

/// Names of one character of a set, of several, and of one or more.
struct Class {
    one: String,
    many: String,
    whole: String,
}

impl Class {
    fn times(&self, least: u32, most: Option<u32>) -> String {
        let Self { one, many, whole } = self;
        match (least, most) {
            (0, None) if whole == "anything" => "anything".to_owned(),
            (1, None) if whole == "anything" => "anything, at least one character".to_owned(),
            (0, None) => format!("{whole}, or nothing"),
            (1, None) => whole.clone(),
            (0, Some(1)) => format!("{one}, or nothing"),
            (1, Some(1)) => one.clone(),
            (least, Some(most)) if least == most => format!("{least} {many}"),
            (least, Some(most)) => format!("{least} to {most} {many}"),
            (least, None) => format!("{least} or more {many}"),
        }
    }
}
