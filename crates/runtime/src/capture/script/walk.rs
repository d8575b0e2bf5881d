//! Follows the structure of a script: lists, pipes, conditions, loops and functions.

use std::rc::Rc;

use tokenward_pdp::curl::Word;

use super::environment::{Environment, Value};
use super::expand;
use super::state::{Input, MOST_STEPS, Script};
use crate::capture::shell::{self, Chain, Command, Failed, List, Node};

impl Script<'_> {
    pub(super) fn list(&mut self, list: &List) -> Result<(), Failed> {
        list.iter().try_for_each(|chain| self.chain(chain))
    }

    pub(super) fn chain(&mut self, chain: &Chain) -> Result<(), Failed> {
        let before = chain.is_background.then(|| self.environment.clone());
        for (at, pipeline) in chain.pipelines.iter().enumerate() {
            if at == 0 {
                self.pipeline(pipeline)?;
            } else {
                let line = pipeline.first().map_or(0, |node| node.line);
                self.maybe(line, |script| script.pipeline(pipeline))?;
            }
        }
        if let Some(before) = before {
            self.environment = before;
        }
        Ok(())
    }

    /// Follows commands that may or may not run.
    pub(super) fn maybe(
        &mut self,
        line: usize,
        run: impl FnOnce(&mut Self) -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        let before = self.environment.clone();
        run(self)?;
        // Each merge takes the time of some commands, so many of them with many variables count as more.
        self.steps += self.environment.size_of_merge(&before) / 64;
        self.environment.merge(&before, line);
        Ok(())
    }

    pub(super) fn pipeline(&mut self, nodes: &[Node]) -> Result<(), Failed> {
        if let [only] = nodes {
            return self.node(only);
        }
        for (at, node) in nodes.iter().enumerate() {
            // Some shells run the last command of a pipe in their own process, so its variables are uncertain afterwards.
            let input = (at > 0).then_some(Input::Piped);
            let outer = std::mem::replace(&mut self.input, input);
            self.maybe(node.line, |script| script.node(node))?;
            self.input = outer;
        }
        Ok(())
    }

    pub(super) fn node(&mut self, node: &Node) -> Result<(), Failed> {
        self.steps += 1;
        if self.steps > MOST_STEPS {
            return Err((
                node.line,
                format!(
                    "the script has more than {MOST_STEPS} commands, with each run of its loops; split it"
                ),
            ));
        }
        for file in node.files.iter().chain(&node.read_from) {
            let words = self.expand(file, node.line)?;
            if words.iter().any(|word| word.text.starts_with("/dev/tcp/")) {
                return Err((
                    node.line,
                    "`/dev/tcp` makes a request; write it with curl".to_owned(),
                ));
            }
        }
        let outer = self.input.clone();
        if let Some(text) = &node.input {
            let text = self.text(text, node.line)?;
            self.input = Some(Input::Text(text));
        } else if let Some(file) = &node.read_from {
            let name = self.text(file, node.line)?;
            self.input = (name.text != "/dev/null").then_some(Input::File(name.text));
        }
        let done = self.command(node);
        self.input = outer;
        done
    }

    pub(super) fn command(&mut self, node: &Node) -> Result<(), Failed> {
        let line = node.line;
        match &node.command {
            Command::Simple { assignments, words } => self.simple(assignments, words, line),
            Command::Group(list) => self.list(list),
            Command::Subshell(list) => self.apart(|script| script.list(list)),
            Command::If(branches, otherwise) => self.conditional(branches, otherwise, line),
            Command::Loop(condition, body) => self.repeated(line, |script| {
                script.list(condition)?;
                script.list(body)
            }),
            Command::For(name, values, body) => self.each(name, values.as_deref(), body, line),
            Command::Case(subject, arms) => {
                self.expand(subject, line)?;
                let before = self.environment.clone();
                let mut after = before.clone();
                for (patterns, list) in arms {
                    for pattern in patterns {
                        self.expand(pattern, line)?;
                    }
                    self.environment = before.clone();
                    self.list(list)?;
                    after.merge(&self.environment, line);
                }
                self.environment = after;
                Ok(())
            }
            Command::Function(name, body) => self.define(name, body, line),
            Command::Test(words) => words
                .iter()
                .try_for_each(|word| self.expand(word, line).map(|_| ())),
        }
    }

    /// Follows commands in a process of their own, whose variables end with it.
    pub(super) fn apart(&mut self, run: impl FnOnce(&mut Self) -> Result<(), Failed>) -> Result<(), Failed> {
        let before = self.environment.clone();
        let done = run(self);
        self.environment = before;
        done
    }

    pub(super) fn conditional(
        &mut self,
        branches: &[(List, List)],
        otherwise: &List,
        line: usize,
    ) -> Result<(), Failed> {
        let mut after: Option<Environment> = None;
        let mut ended = |environment: &Environment| match &mut after {
            Some(after) => after.merge(environment, line),
            None => after = Some(environment.clone()),
        };
        for (condition, body) in branches {
            self.list(condition)?;
            let before = self.environment.clone();
            self.list(body)?;
            ended(&self.environment);
            self.environment = before;
        }
        self.list(otherwise)?;
        ended(&self.environment);
        if let Some(after) = after {
            self.environment = after;
        }
        Ok(())
    }

    /// Follows commands that run any number of times: until their variables are the same before and after them.
    pub(super) fn repeated(
        &mut self,
        line: usize,
        mut run: impl FnMut(&mut Self) -> Result<(), Failed>,
    ) -> Result<(), Failed> {
        loop {
            let before = self.environment.clone();
            let (calls, notes) = (self.out.calls.len(), self.out.notes.len());
            let outer = self.environment.enter_loop();
            run(self)?;
            self.environment.leave_loop(outer, line);
            self.environment.merge(&before, line);
            if self.environment == before {
                return Ok(());
            }
            // With other variables, the same calls are other ones.
            self.out.calls.truncate(calls);
            self.out.notes.truncate(notes);
        }
    }

    /// Follows a loop over values: with each of them, if they are written.
    pub(super) fn each(
        &mut self,
        name: &str,
        values: Option<&[shell::Word]>,
        body: &List,
        line: usize,
    ) -> Result<(), Failed> {
        let mut known = Vec::new();
        let mut is_known = values.is_some();
        for value in values.unwrap_or_default() {
            for word in self.expand(value, line)? {
                // A pattern stands for the names of files.
                is_known &= word.variables.is_empty() && !expand::is_pattern(value);
                known.push(word);
            }
        }
        let unknown = || Value::Unknown(format!("it is set by the loop of line {line}"));
        self.repeated(line, |script| {
            if is_known {
                for value in &known {
                    script.environment.set(name, Value::Text(value.clone()));
                    script.list(body)?;
                    script.environment.join_breaks(line);
                }
            } else {
                script.environment.set(name, unknown());
                script.list(body)?;
            }
            script.environment.set(name, unknown());
            Ok(())
        })
    }

    pub(super) fn define(&mut self, name: &str, body: &Rc<Node>, line: usize) -> Result<(), Failed> {
        let known = self.functions.insert(name.to_owned(), Rc::clone(body));
        match known {
            Some(known) if !Rc::ptr_eq(&known, body) => Err((
                line,
                format!("the function `{name}` is defined twice; give one of the two another name"),
            )),
            _ => Ok(()),
        }
    }

    /// Runs a function with these arguments, or with unknown ones.
    pub(super) fn call(
        &mut self,
        name: &str,
        arguments: Option<Vec<Word>>,
        line: usize,
    ) -> Result<(), Failed> {
        let Some(body) = self.functions.get(name).map(Rc::clone) else {
            return Ok(());
        };
        self.called.insert(name.to_owned());
        self.deeper(line)?;
        let outer = self.environment.enter(arguments);
        self.node(&body)?;
        self.environment.leave(outer, line);
        self.depth -= 1;
        Ok(())
    }

    /// Follows functions that no command calls by name: their arguments are unknown.
    pub(super) fn uncalled_functions(&mut self) -> Result<(), Failed> {
        let uncalled = |script: &Self| {
            let names = script
                .functions
                .keys()
                .filter(|name| !script.called.contains(*name));
            names.min().cloned()
        };
        while let Some(name) = uncalled(self) {
            self.call(&name, None, 0)
                .map_err(|(line, message)| {
                    (line, format!("{message}; no command calls the function `{name}` by name, so if it is not needed, remove it"))
                })?;
        }
        Ok(())
    }

    /// Follows the texts of `trap`, with the variables that are the same there and at the end.
    pub(super) fn traps(&mut self) -> Result<(), Failed> {
        while let Some((text, environment, line)) = self.traps.pop() {
            let mut merged = self.environment.clone();
            merged.merge(&environment, line);
            let outer = std::mem::replace(&mut self.environment, merged);
            self.script_text(&text, None, false, line)?;
            self.environment = outer;
        }
        Ok(())
    }
}
