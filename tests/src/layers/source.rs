//! What a source file says of its modules and imports: a reading of its tokens, without comments and texts.

use std::collections::BTreeSet;

/// A module's items, as far as imports are concerned.
#[derive(Debug, Default)]
pub(super) struct Source {
    /// Modules in files of their own.
    pub(super) children: Vec<String>,
    /// Names that it defines.
    pub(super) items: BTreeSet<String>,
    /// `use` items, one for each name.
    pub(super) imports: Vec<Import>,
    /// Paths outside `use` items.
    pub(super) inline: Vec<Vec<String>>,
}

/// A name that a `use` item brings into a module; `*` for all names of the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Import {
    pub(super) name: String,
    pub(super) path: Vec<String>,
}

/// Reads a file: its own module, and those in its text by their path below it.
///
/// # Errors
/// A module is placed by `#[path]`.
pub(super) fn read(text: &str) -> Result<Vec<(Vec<String>, Source)>, &'static str> {
    let tokens = tokens(text);
    let mut reading = Reading {
        tokens: &tokens,
        at: 0,
        found: Vec::new(),
    };
    reading.module(Vec::new())?;
    Ok(reading.found)
}

/// Words, and each other character by itself, but for `::`. Comments are left out; of literals a `"` stays.
fn tokens(text: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if rest.starts_with("/*") {
            block_comment(rest)
        } else if let Some(length) = literal(rest) {
            tokens.push("\"".to_owned());
            length
        } else if c.is_alphanumeric() || c == '_' {
            let end = rest.find(|c: char| !c.is_alphanumeric() && c != '_');
            let word = rest.split_at(end.unwrap_or(rest.len())).0;
            tokens.push(word.to_owned());
            word.len()
        } else if rest.starts_with("::") {
            tokens.push("::".to_owned());
            2
        } else {
            if !c.is_whitespace() {
                tokens.push(c.to_string());
            }
            c.len_utf8()
        };
        rest = rest.split_at(length).1;
    }
    tokens
}

/// Length of the comment, which may have others within, that `text` begins with.
fn block_comment(text: &str) -> usize {
    let (mut depth, mut at) = (0_usize, 0);
    let bytes = text.as_bytes();
    while at < bytes.len() {
        match bytes.get(at..at + 2) {
            Some(b"/*") => (depth, at) = (depth + 1, at + 2),
            Some(b"*/") if depth == 1 => return at + 2,
            Some(b"*/") => (depth, at) = (depth - 1, at + 2),
            _ => at += 1,
        }
    }
    bytes.len()
}

/// Length of the string or character literal that `text` begins with; `None` if none does. A lifetime is not one.
fn literal(text: &str) -> Option<usize> {
    let prefix = text.len() - text.trim_start_matches(['b', 'c', 'r']).len();
    let after = text.split_at(prefix).1;
    let hashes = after.len() - after.trim_start_matches('#').len();
    let is_raw = prefix > 0 && text.split_at(prefix).0.ends_with('r');
    if is_raw && after.split_at(hashes).1.starts_with('"') {
        let body = prefix + hashes + 1;
        let end = format!("\"{}", "#".repeat(hashes));
        let found = text.split_at(body).1.find(&end);
        return Some(found.map_or(text.len(), |at| body + at + end.len()));
    }
    if prefix > 2 {
        return None;
    }
    let quote = after.chars().next().filter(|c| matches!(c, '"' | '\''))?;
    let mut chars = after.char_indices().skip(1).peekable();
    if quote == '\'' {
        // `'a'` and `'\n'` are characters, `'a` is a lifetime.
        let mut two = chars.clone().map(|(_, c)| c);
        let (first, second) = (two.next()?, two.next());
        if first != '\\' && second != Some('\'') {
            return None;
        }
    }
    while let Some((at, c)) = chars.next() {
        if c == '\\' {
            chars.next();
        } else if c == quote {
            return Some(prefix + at + 1);
        }
    }
    Some(text.len())
}

struct Reading<'t> {
    tokens: &'t [String],
    at: usize,
    found: Vec<(Vec<String>, Source)>,
}

impl Reading<'_> {
    fn peek(&self, ahead: usize) -> &str {
        self.tokens.get(self.at + ahead).map_or("", String::as_str)
    }

    /// Reads the items of a module, up to the brace that closes it.
    fn module(&mut self, path: Vec<String>) -> Result<(), &'static str> {
        let mut source = Source::default();
        let mut depth = 0_usize;
        while self.at < self.tokens.len() {
            match self.peek(0) {
                "#" => {
                    if self.attribute()? {
                        self.skip_item();
                    }
                    continue;
                }
                // `pub(in path)` says who may use an item.
                "pub" if self.peek(1) == "(" => {
                    self.at += 1;
                    self.skip_group();
                    continue;
                }
                "mod" if self.peek(2) == ";" => source.children.push(self.peek(1).to_owned()),
                "mod" if self.peek(2) == "{" => {
                    let inner = [path.as_slice(), &[self.peek(1).to_owned()]].concat();
                    self.at += 3;
                    self.module(inner)?;
                    continue;
                }
                // `use<…>` in a return type captures parameters, and imports nothing.
                "use" if self.peek(1) != "<" => {
                    self.at += 1;
                    self.imports(&mut source.imports, Vec::new());
                    continue;
                }
                "{" => depth += 1,
                "}" if depth == 0 => break,
                "}" => depth -= 1,
                "fn" | "struct" | "enum" | "union" | "trait" | "type" | "const" | "static" if depth == 0 => {
                    source.items.insert(self.peek(1).to_owned());
                }
                _ if self.peek(1) == "::" && self.peek_back() != "::" => {
                    let path = self.inline_path();
                    source.inline.push(path);
                    continue;
                }
                _ => {}
            }
            self.at += 1;
        }
        self.at += 1;
        self.found.push((path, source));
        Ok(())
    }

    fn peek_back(&self) -> &str {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.map_or("", String::as_str)
    }

    /// Passes over an attribute. Whether it hides the item after it from all but tests.
    fn attribute(&mut self) -> Result<bool, &'static str> {
        let begin = self.at;
        self.at += if self.peek(1) == "!" { 2 } else { 1 };
        self.skip_group();
        let words: Vec<&str> = self
            .tokens
            .get(begin..self.at)
            .unwrap_or_default()
            .iter()
            .map(String::as_str)
            .collect();
        if matches!(words.as_slice(), ["#", "[", "path", "=", ..]) {
            return Err("a module is placed by `#[path]`");
        }
        Ok(matches!(
            words.as_slice(),
            ["#", "[", "cfg", "(", "test", ")", "]"]
                | ["#", "[", "cfg", "(", "all", "(", "test", ..]
                | ["#", "[", "cfg", "(", "not", "(", "feature", ..]
        ))
    }

    /// Passes over one bracketed group, if one begins here.
    fn skip_group(&mut self) {
        let mut depth = 0_usize;
        while self.at < self.tokens.len() {
            match self.peek(0) {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            self.at += 1;
            if depth == 0 {
                return;
            }
        }
    }

    /// Passes over one item, field or arm: up to its `;` or `,`, or to the end of its braces.
    fn skip_item(&mut self) {
        let (mut is_item, mut is_use) = (false, false);
        while self.at < self.tokens.len() {
            match self.peek(0) {
                ";" => {
                    self.at += 1;
                    return;
                }
                // Of a field. Those of an item's generics do not end it.
                "," if !is_item => {
                    self.at += 1;
                    return;
                }
                "{" => {
                    self.skip_group();
                    if !is_use {
                        return;
                    }
                }
                "(" | "[" => self.skip_group(),
                "}" => return,
                word => {
                    is_use |= word == "use";
                    is_item |= matches!(
                        word,
                        "use"
                            | "fn"
                            | "impl"
                            | "struct"
                            | "enum"
                            | "trait"
                            | "mod"
                            | "type"
                            | "const"
                            | "static"
                    );
                    self.at += 1;
                }
            }
        }
    }

    /// Reads one path of a `use` item, or all of its group.
    fn imports(&mut self, imports: &mut Vec<Import>, before: Vec<String>) {
        let mut path = before;
        loop {
            match self.peek(0) {
                "{" => {
                    self.at += 1;
                    while !matches!(self.peek(0), "}" | "") {
                        self.imports(imports, path.clone());
                        if self.peek(0) == "," {
                            self.at += 1;
                        }
                    }
                    self.at += 1;
                    return;
                }
                "*" => {
                    self.at += 1;
                    imports.push(Import {
                        name: "*".to_owned(),
                        path,
                    });
                    return;
                }
                "::" => self.at += 1,
                "as" => {
                    let name = self.peek(1).to_owned();
                    self.at += 2;
                    imports.push(Import {
                        name,
                        path: without_self(path),
                    });
                    return;
                }
                "," | "}" | ";" | "" => {
                    let path = without_self(path);
                    if let Some(name) = path.last().cloned() {
                        imports.push(Import { name, path });
                    }
                    return;
                }
                word => {
                    path.push(word.to_owned());
                    self.at += 1;
                }
            }
        }
    }

    /// Reads a path outside a `use` item.
    fn inline_path(&mut self) -> Vec<String> {
        let mut path = vec![self.peek(0).to_owned()];
        self.at += 1;
        while self.peek(0) == "::" && self.peek(1).starts_with(|c: char| c.is_alphabetic() || c == '_') {
            path.push(self.peek(1).to_owned());
            self.at += 2;
        }
        path
    }
}

/// `a::b::{self}` names `a::b`.
fn without_self(mut path: Vec<String>) -> Vec<String> {
    if path.len() > 1 && path.last().is_some_and(|last| last == "self") {
        path.pop();
    }
    path
}
