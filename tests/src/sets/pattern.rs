//! Regexps, from their text: the syntax of the `regex` crate, as far as SEMANTICS 1 lets a line use it.

use super::{
    chars::{Chars, EVERY_CASE},
    language::{Assertion, Expressions, Id},
};

/// What placeholders stand for.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bound<'b> {
    pub(super) base: &'b str,
    pub(super) user: &'b str,
}

impl Bound<'_> {
    const NAMES: [&'static str; 4] = ["{BASE_URL}", "{JIRA_URL}", "{CONFLUENCE_URL}", "{USER}"];

    fn text(&self, name: &str) -> &str {
        match name {
            "{USER}" => self.user,
            _ => self.base,
        }
    }
}

/// Which letters of other case a letter of a regexp stands for, too.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Folding {
    /// None, but under `(?i)` those of ASCII.
    Written,
    /// Every one of Unicode, whatever is written: so the URL of a forbid line is read.
    Every,
}

/// The language of a regexp.
///
/// # Panics
/// The text is no regexp, or one that is not known here.
pub(super) fn language(text: &str, folding: Folding, bound: Bound<'_>, expressions: &mut Expressions) -> Id {
    let mut reader = Reader {
        left: text,
        bound,
        expressions,
        folding,
        folds: false,
    };
    let id = reader.alternatives();
    assert!(reader.left.is_empty(), "`{}` is left of `{text}`", reader.left);
    id
}

struct Reader<'r> {
    left: &'r str,
    bound: Bound<'r>,
    expressions: &'r mut Expressions,
    folding: Folding,
    folds: bool,
}

impl Reader<'_> {
    fn peek(&self) -> Option<char> {
        self.left.chars().next()
    }

    fn next(&mut self) -> char {
        let char = self.peek().expect("more of the regexp");
        self.left = self.left.strip_prefix(char).expect("it begins with it");
        char
    }

    fn eat(&mut self, text: &str) -> bool {
        let rest = self.left.strip_prefix(text);
        self.left = rest.unwrap_or(self.left);
        rest.is_some()
    }

    /// The text before an end, which goes too.
    fn until(&mut self, end: &str) -> String {
        let (before, rest) = self.left.split_once(end).expect("an end");
        self.left = rest;
        before.to_owned()
    }

    fn alternatives(&mut self) -> Id {
        let folds = self.folds;
        let mut parts = vec![self.sequence()];
        while self.eat("|") {
            parts.push(self.sequence());
        }
        self.folds = folds;
        self.expressions.union(parts)
    }

    fn sequence(&mut self) -> Id {
        let mut parts = Vec::new();
        while !matches!(self.peek(), None | Some('|' | ')')) {
            let atom = self.atom();
            let repeated = self.quantified(atom);
            parts.push(repeated);
        }
        let empty = self.expressions.empty();
        parts
            .into_iter()
            .rev()
            .fold(empty, |rest, part| self.expressions.concat(part, rest))
    }

    fn quantified(&mut self, mut inner: Id) -> Id {
        loop {
            let (least, most) = match self.peek() {
                Some('*') => (0, None),
                Some('+') => (1, None),
                Some('?') => (0, Some(1)),
                Some('{') if !self.at_placeholder() => {
                    self.next();
                    let counts = self.until("}");
                    inner = self.counted(inner, &counts);
                    self.eat("?");
                    continue;
                }
                _ => return inner,
            };
            self.next();
            // Which of several readings is found first does not matter to a whole match.
            self.eat("?");
            inner = self.expressions.repeat(inner, least, most);
        }
    }

    fn counted(&mut self, inner: Id, counts: &str) -> Id {
        let number = |text: &str| text.trim().parse::<u32>().expect("a count");
        let (least, most) = match counts.split_once(',') {
            None => (number(counts), Some(number(counts))),
            Some((least, "")) => (number(least), None),
            Some((least, most)) => (number(least), Some(number(most))),
        };
        self.expressions.repeat(inner, least, most)
    }

    fn at_placeholder(&self) -> bool {
        Bound::NAMES.iter().any(|name| self.left.starts_with(name))
    }

    fn atom(&mut self) -> Id {
        if let Some(name) = Bound::NAMES.into_iter().find(|name| self.left.starts_with(name)) {
            self.eat(name);
            let text = self.bound.text(name).to_owned();
            let empty = self.expressions.empty();
            return text.chars().rev().fold(empty, |rest, char| {
                let first = self.set(Chars::one(char));
                self.expressions.concat(first, rest)
            });
        }
        match self.next() {
            '.' => self.expressions.chars(Chars::all()),
            '^' => self.expressions.assertion(Assertion::Start),
            '$' => self.expressions.assertion(Assertion::End),
            '(' => self.group(),
            '[' => {
                let class = self.class();
                self.expressions.chars(class)
            }
            '\\' => match self.peek() {
                Some('b') => self.assertion(Assertion::Boundary),
                Some('B') => self.assertion(Assertion::NoBoundary),
                Some('A') => self.assertion(Assertion::Start),
                Some('z') => self.assertion(Assertion::End),
                _ => {
                    let escaped = self.escape();
                    self.expressions.chars(escaped)
                }
            },
            char => self.set(Chars::one(char)),
        }
    }

    fn assertion(&mut self, assertion: Assertion) -> Id {
        self.next();
        self.expressions.assertion(assertion)
    }

    fn fold(&self, chars: Chars) -> Chars {
        match (self.folding, self.folds) {
            (Folding::Every, _) => chars.folded_by(&EVERY_CASE),
            (Folding::Written, true) => chars.folded(),
            (Folding::Written, false) => chars,
        }
    }

    fn set(&mut self, chars: Chars) -> Id {
        let folded = self.fold(chars);
        self.expressions.chars(folded)
    }

    fn group(&mut self) -> Id {
        let folds = self.folds;
        if self.eat("?P<") || self.eat("?<") {
            self.until(">");
        } else if self.eat("?") {
            let mut on = true;
            loop {
                match self.next() {
                    '-' => on = false,
                    'i' => self.folds = on,
                    // `.` has newlines already, greed does not matter, and letters outside ASCII are never folded.
                    's' | 'U' | 'u' => {}
                    ':' => break,
                    // The flags hold to the end of the group around.
                    ')' => return self.expressions.empty(),
                    flag => panic!("the flag {flag}"),
                }
            }
        }
        let inner = self.alternatives();
        assert!(self.eat(")"), "a group ends");
        self.folds = folds;
        inner
    }

    /// What stands behind a backslash, as a set.
    fn escape(&mut self) -> Chars {
        let set = match self.next() {
            letter @ ('d' | 'w' | 's') => Chars::perl(letter).expect("a class"),
            // Folded before it is negated, so that `[^\W]` is `\w`.
            letter @ ('D' | 'W' | 'S') => {
                return self.fold(Chars::perl(letter).expect("a class")).complement();
            }
            'p' => return self.property(),
            'P' => return self.property().complement(),
            'n' => Chars::one('\n'),
            't' => Chars::one('\t'),
            'r' => Chars::one('\r'),
            'f' => Chars::one('\x0C'),
            'v' => Chars::one('\x0B'),
            'a' => Chars::one('\x07'),
            'x' => self.code(2),
            'u' => self.code(4),
            'U' => self.code(8),
            char => Chars::one(char),
        };
        self.fold(set)
    }

    /// The set of a property, folded before anybody negates it.
    fn property(&mut self) -> Chars {
        let name = match self.eat("{") {
            true => self.until("}"),
            false => self.next().to_string(),
        };
        let set = Chars::property(&name).expect("a property");
        self.fold(set)
    }

    fn code(&mut self, digits: usize) -> Chars {
        let text = match self.eat("{") {
            true => self.until("}"),
            false => (0..digits).map(|_| self.next()).collect(),
        };
        let code = u32::from_str_radix(&text, 16).ok().and_then(char::from_u32);
        Chars::one(code.expect("a character by its number"))
    }

    /// A class, behind its `[`.
    fn class(&mut self) -> Chars {
        let negated = self.eat("^");
        let mut set = Chars::default();
        let mut first = true;
        loop {
            if self.eat("&&") {
                let rest = self.rest_of_class();
                set = set.intersection(&rest);
                break;
            }
            if self.eat("--") {
                let rest = self.rest_of_class();
                set = set.minus(&rest);
                break;
            }
            if !first && self.eat("]") {
                break;
            }
            let item = self.class_item();
            set = set.union(&item);
            first = false;
        }
        match negated {
            true => set.complement(),
            false => set,
        }
    }

    /// The right side of an operator, to the class's end: operators bind to the left, and one is all that is known here.
    fn rest_of_class(&mut self) -> Chars {
        let mut set = Chars::default();
        while !self.eat("]") {
            let item = self.class_item();
            set = set.union(&item);
        }
        set
    }

    fn class_item(&mut self) -> Chars {
        if self.eat("[:") {
            let negated = self.eat("^");
            let name = self.until(":]");
            let set = self.fold(Chars::posix(&name).expect("a class by its name"));
            return match negated {
                true => set.complement(),
                false => set,
            };
        }
        let first = match self.next() {
            '[' => return self.class(),
            '\\' => match self.peek() {
                Some('d' | 'w' | 's' | 'D' | 'W' | 'S' | 'p' | 'P') => return self.escape(),
                _ => self.escaped_char(),
            },
            char => char,
        };
        let ranges =
            self.left.starts_with('-') && !self.left.starts_with("-]") && !self.left.starts_with("--");
        if !ranges {
            return self.fold(Chars::one(first));
        }
        self.next();
        let last = match self.next() {
            '\\' => self.escaped_char(),
            char => char,
        };
        self.fold(Chars::range(first, last))
    }

    /// One character behind a backslash.
    fn escaped_char(&mut self) -> char {
        let (folds, folding) = (self.folds, self.folding);
        (self.folds, self.folding) = (false, Folding::Written);
        let set = self.escape();
        (self.folds, self.folding) = (folds, folding);
        set.first().expect("one character")
    }
}
