//! Commands of a script, and the structure around them.

use std::rc::Rc;

use super::cursor::{Cursor, Pending};
use super::tree::{Assigned, Assignment, Chain, Command, Failed, List, Node, Part, Word};
use super::words::is_name;

/// Words that end a list of commands.
const CLOSERS: [&str; 8] = ["then", "elif", "else", "fi", "do", "done", "esac", "}"];

/// Commands whose arguments may be assignments.
const DECLARING: [&str; 6] = ["declare", "export", "local", "readonly", "typeset", "alias"];

impl Cursor<'_> {
    /// Reads the whole script.
    pub(super) fn script(&mut self) -> Result<List, Failed> {
        let list = self.list()?;
        if let Some(c) = self.peek() {
            let found = self.reserved().map_or_else(|| c.to_string(), str::to_owned);
            return self.failed(format!("`{found}` is not expected here; correct the script"));
        }
        Ok(list)
    }

    /// Reads commands up to a word or a character that closes them.
    pub(super) fn list(&mut self) -> Result<List, Failed> {
        let mut out = List::new();
        loop {
            self.lines();
            if self.peek().is_none_or(|c| c == ')')
                || [";;", ";&"].iter().any(|end| self.sees(end))
                || self.reserved().is_some_and(|word| CLOSERS.contains(&word))
            {
                return Ok(out);
            }
            if self.takes(";") {
                continue;
            }
            let from = self.at;
            out.push(self.chain()?);
            if self.at == from {
                return self.failed("the shell cannot read this command; correct the script");
            }
        }
    }

    /// The plain word that comes next, up to a blank or an operator.
    fn reserved(&self) -> Option<&str> {
        let rest = self.rest();
        let end = rest
            .find(|c: char| c.is_whitespace() || ";|&()<>\"'\\$`".contains(c))
            .unwrap_or(rest.len());
        let is_plain = rest
            .get(end..)
            .is_none_or(|rest| !rest.starts_with(['"', '\'', '\\', '$', '`']));
        rest.get(..end).filter(|word| is_plain && !word.is_empty())
    }

    fn takes_word(&mut self, word: &str) -> bool {
        let sees = self.reserved() == Some(word);
        if sees {
            self.at += word.len();
        }
        sees
    }

    fn expect(&mut self, word: &str, line: usize) -> Result<(), Failed> {
        self.lines();
        if self.takes_word(word) || (word == ")" && self.takes(")")) {
            return Ok(());
        }
        Err((
            line,
            format!("`{word}` is missing for the command that begins here; correct the script"),
        ))
    }

    fn chain(&mut self) -> Result<Chain, Failed> {
        let mut chain = Chain::default();
        loop {
            chain.pipelines.push(self.pipeline()?);
            self.blanks();
            if self.takes("&&") || self.takes("||") {
                self.lines();
                continue;
            }
            if self.sees("&") {
                self.next();
                chain.is_background = true;
            } else if self.sees(";") && !self.sees(";;") && !self.sees(";&") {
                self.next();
            }
            return Ok(chain);
        }
    }

    fn pipeline(&mut self) -> Result<Vec<Node>, Failed> {
        let mut out = Vec::new();
        loop {
            self.blanks();
            while self.takes_word("!") {
                self.blanks();
            }
            if self.takes_word("time") {
                self.blanks();
                self.takes_word("-p");
                self.blanks();
            }
            out.push(self.node()?);
            self.blanks();
            if self.sees("||") || !self.takes("|") {
                return Ok(out);
            }
            self.takes("&");
            self.lines();
        }
    }

    /// Reads a command and the redirections after it.
    fn node(&mut self) -> Result<Node, Failed> {
        self.deeper()?;
        let line = self.line();
        let mut node = Node {
            line,
            command: Command::Group(List::new()),
            files: Vec::new(),
            read_from: None,
            input: None,
        };
        node.command = match self.compound(line)? {
            Some(command) => command,
            None => self.simple(&mut node)?,
        };
        loop {
            self.blanks();
            if !self.redirection(&mut node)? {
                break;
            }
        }
        self.check_documents()?;
        self.depth -= 1;
        Ok(node)
    }

    /// Reads a command with an own structure; None for a simple one.
    fn compound(&mut self, line: usize) -> Result<Option<Command>, Failed> {
        if self.sees("((") {
            self.at += 2;
            return Ok(Some(Command::Test(vec![self.arithmetic()?])));
        }
        if self.takes("(") {
            let list = self.list()?;
            self.expect(")", line)?;
            return Ok(Some(Command::Subshell(list)));
        }
        let Some(word) = self.reserved().map(str::to_owned) else {
            return Ok(None);
        };
        let command = match word.as_str() {
            "{" => {
                self.at += 1;
                let list = self.list()?;
                self.expect("}", line)?;
                Command::Group(list)
            }
            "if" => self.conditional(line)?,
            "while" | "until" => {
                self.at += word.len();
                let condition = self.list()?;
                Command::Loop(condition, self.body(line)?)
            }
            "for" | "select" => self.repeated(&word, line)?,
            "case" => self.choice(line)?,
            "[[" => self.test(line)?,
            "function" => {
                self.at += word.len();
                self.blanks();
                let name = self
                    .take_while(|c| !c.is_whitespace() && !"(){};".contains(c))
                    .to_owned();
                self.blanks();
                if self.takes("(") {
                    self.blanks();
                    self.takes(")");
                }
                self.lines();
                Command::Function(name, Rc::new(self.node()?))
            }
            "coproc" => {
                return self.failed("`coproc` is not supported; write the command without it");
            }
            _ => return Ok(None),
        };
        Ok(Some(command))
    }

    fn conditional(&mut self, line: usize) -> Result<Command, Failed> {
        self.at += "if".len();
        let mut branches = Vec::new();
        let mut otherwise = List::new();
        loop {
            let condition = self.list()?;
            self.expect("then", line)?;
            branches.push((condition, self.list()?));
            if self.takes_word("elif") {
                continue;
            }
            if self.takes_word("else") {
                otherwise = self.list()?;
            }
            self.expect("fi", line)?;
            return Ok(Command::If(branches, otherwise));
        }
    }

    fn body(&mut self, line: usize) -> Result<List, Failed> {
        self.expect("do", line)?;
        let body = self.list()?;
        self.expect("done", line)?;
        Ok(body)
    }

    fn repeated(&mut self, word: &str, line: usize) -> Result<Command, Failed> {
        self.at += word.len();
        self.blanks();
        if self.takes("((") {
            let head = self.arithmetic()?;
            self.blanks();
            self.takes(";");
            let test = Node {
                line,
                command: Command::Test(vec![head]),
                files: Vec::new(),
                read_from: None,
                input: None,
            };
            let condition = Chain {
                pipelines: vec![vec![test]],
                is_background: false,
            };
            return Ok(Command::Loop(vec![condition], self.body(line)?));
        }
        let name = self
            .take_while(|c| c.is_ascii_alphanumeric() || c == '_')
            .to_owned();
        self.lines();
        let mut values = None;
        if self.takes_word("in") {
            let mut words = Vec::new();
            loop {
                self.blanks();
                if self.peek().is_none_or(|c| "\n;|&()<>".contains(c)) {
                    break;
                }
                words.push(self.word()?);
            }
            values = Some(words);
        }
        self.blanks();
        self.takes(";");
        // The values of `select` are chosen by a person.
        let values = if word == "select" { None } else { values };
        Ok(Command::For(name, values, self.body(line)?))
    }

    fn choice(&mut self, line: usize) -> Result<Command, Failed> {
        self.at += "case".len();
        self.blanks();
        let subject = self.word()?;
        self.expect("in", line)?;
        let mut arms = Vec::new();
        loop {
            self.lines();
            if self.takes_word("esac") {
                return Ok(Command::Case(subject, arms));
            }
            self.takes("(");
            let mut patterns = Vec::new();
            loop {
                self.blanks();
                patterns.push(self.word()?);
                self.blanks();
                if !self.takes("|") {
                    break;
                }
            }
            if !self.takes(")") {
                return Err((
                    line,
                    "a pattern of `case` does not end in `)`; correct the script".to_owned(),
                ));
            }
            arms.push((patterns, self.list()?));
            let _ = self.takes(";;&") || self.takes(";;") || self.takes(";&");
        }
    }

    fn test(&mut self, line: usize) -> Result<Command, Failed> {
        self.at += "[[".len();
        let mut words = Vec::new();
        loop {
            self.lines();
            if self.takes_word("]]") {
                return Ok(Command::Test(words));
            }
            match self.peek() {
                None => return Err((line, "`[[` is not closed; close it with `]]`".to_owned())),
                Some(';' | '|' | '&' | '(' | ')' | '<' | '>') => {
                    self.next();
                }
                Some(_) => words.push(self.word()?),
            }
        }
    }

    fn simple(&mut self, node: &mut Node) -> Result<Command, Failed> {
        let (mut assignments, mut words) = (Vec::new(), Vec::<Word>::new());
        loop {
            self.blanks();
            if self.redirection(node)? {
                continue;
            }
            match self.peek() {
                None | Some('\n' | ';' | '|' | '&' | ')') => break,
                Some('(') => {
                    let name = match words.as_slice() {
                        [only] if assignments.is_empty() => only.plain().map(str::to_owned),
                        _ => None,
                    };
                    self.next();
                    self.blanks();
                    let (Some(name), true) = (name, self.takes(")")) else {
                        return self.failed("`(` is special to the shell; put the text in single quotes");
                    };
                    self.lines();
                    return Ok(Command::Function(name, Rc::new(self.node()?)));
                }
                Some(_) => {}
            }
            let first = words.first().and_then(Word::plain);
            let may_assign = words.is_empty() || first.is_some_and(|word| DECLARING.contains(&word));
            if may_assign && let Some(assignment) = self.assignment()? {
                assignments.push(assignment);
                continue;
            }
            words.push(self.word()?);
        }
        Ok(Command::Simple { assignments, words })
    }

    fn assignment(&mut self) -> Result<Option<Assignment>, Failed> {
        let from = self.at;
        let name = self
            .take_while(|c| c.is_ascii_alphanumeric() || c == '_')
            .to_owned();
        let mut is_element = false;
        if is_name(&name) && self.takes("[") {
            is_element = true;
            self.take_while(|c| !matches!(c, ']' | '\n' | ' '));
            self.takes("]");
        }
        let adds = self.takes("+=");
        if !is_name(&name) || !(adds || self.takes("=")) {
            self.at = from;
            return Ok(None);
        }
        let value = if self.takes("(") {
            let mut words = Vec::new();
            loop {
                self.lines();
                if self.takes(")") {
                    break Assigned::List(words);
                }
                if self.peek().is_none_or(|c| ";|&(<>".contains(c)) {
                    return self.failed("a list is not closed; close it with `)`");
                }
                words.push(self.word()?);
            }
        } else if is_element {
            Assigned::Element(self.word()?)
        } else {
            Assigned::Text(self.word()?)
        };
        Ok(Some(Assignment { name, adds, value }))
    }

    /// Reads a redirection, if one comes next.
    fn redirection(&mut self, node: &mut Node) -> Result<bool, Failed> {
        let rest = self.rest();
        let digits = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let after = rest.get(digits..).unwrap_or_default();
        let operator = [
            "<<<", "<<-", "<<", "<>", "<&", ">>", ">&", ">|", "&>>", "&>", "<", ">",
        ]
        .into_iter()
        .find(|operator| after.starts_with(operator));
        let Some(operator) = operator.filter(|operator| digits == 0 || !operator.starts_with('&')) else {
            return Ok(false);
        };
        if matches!(operator, "<" | ">") && after.get(1..).is_some_and(|rest| rest.starts_with('(')) {
            return Ok(false);
        }
        let rest_is_input = rest.get(..digits) == Some("0");
        self.at += digits + operator.len();
        self.blanks();
        let target = self.word()?;
        if target.parts.is_empty() {
            return self.failed(format!("`{operator}` has no file; correct the script"));
        }
        match operator {
            "<<<" => {
                node.read_from = None;
                node.input = Some(with_line_end(target));
            }
            "<<" | "<<-" => {
                let is_literal = !target
                    .parts
                    .iter()
                    .all(|part| matches!(part, Part::Text { is_quoted: false, .. }));
                let texts = target.parts.iter().filter_map(|part| match part {
                    Part::Text { text, .. } => Some(text.as_str()),
                    _ => None,
                });
                let pending = Pending {
                    end: texts.collect(),
                    is_indented: operator == "<<-",
                    is_literal,
                };
                node.read_from = None;
                node.input = Some(self.here_document(&pending)?);
            }
            // Also in its place: the last redirection of the input counts.
            "<" | "<>" if digits == 0 || rest_is_input => {
                node.input = None;
                node.read_from = Some(target);
            }
            _ => node.files.push(target),
        }
        Ok(true)
    }
}

fn with_line_end(mut word: Word) -> Word {
    word.parts.push(Part::Text {
        text: "\n".to_owned(),
        is_quoted: true,
    });
    word
}
