//! Simple commands of a script: what a shell runs for them.

use tokenward_pdp::curl::Word;

use super::environment::Value;
use super::programs::{Kind, kind, mentions_call};
use super::state::{Input, Script};
use crate::capture::shell::{self, Assigned, Assignment, Failed};

impl Script<'_> {
    pub(super) fn simple(
        &mut self,
        assignments: &[Assignment],
        words: &[shell::Word],
        line: usize,
    ) -> Result<(), Failed> {
        let mut given = Vec::new();
        for word in words {
            given.extend(self.expand(word, line)?);
        }
        let declares = given.first().map(|word| word.text.as_str());
        if declares == Some("alias") {
            return self.alias(assignments, &given, line);
        }
        let is_declared = declares
            .is_some_and(|word| matches!(word, "declare" | "export" | "local" | "readonly" | "typeset"));
        let is_local = declares == Some("local")
            || (self.environment.arguments.is_some() && matches!(declares, Some("declare" | "typeset")));
        // Assignments in front of a command are for the command; a function sees them.
        let before =
            (!given.is_empty() && !is_declared && !assignments.is_empty()).then(|| self.environment.clone());
        for assignment in assignments {
            if is_local {
                self.environment.make_local(&assignment.name);
            }
            self.assign(assignment, line)?;
        }
        if is_declared {
            let is_reference = |word: &&Word| {
                word.text.starts_with('-') && !word.text.starts_with("--") && word.text.contains('n')
            };
            if declares != Some("export") && given.iter().skip(1).any(|word| is_reference(&word)) {
                // A name that stands for another variable: what later commands set is not known.
                return Err((
                    line,
                    "a name of another variable (`-n`) is not supported; use the variable itself".to_owned(),
                ));
            }
            self.declared_words(&given, is_local, line)?;
            for word in given.iter().skip(1).filter(|word| !word.text.starts_with('-')) {
                if is_local {
                    self.environment.make_local(&word.text);
                    self.environment.forget(
                        &word.text,
                        format!("it is declared at line {line} without a value"),
                    );
                }
            }
            let changes =
                |word: &&Word| word.text.starts_with('-') && word.text.contains(['i', 'n', 'l', 'u', 'A']);
            if let Some(option) = given.iter().skip(1).find(changes) {
                for assignment in assignments {
                    let reason = format!("`{}` of line {line} changes its value", option.text);
                    self.environment.forget(&assignment.name, reason);
                }
            }
            return Ok(());
        }
        self.run(&given, line)?;
        if let Some(before) = before {
            for assignment in assignments {
                match before.get(&assignment.name) {
                    Some(value) => self.environment.set(&assignment.name, value.clone()),
                    None => self.environment.remove(&assignment.name),
                }
            }
        }
        Ok(())
    }

    /// Sets the variables of words such as `"$name=text"`, which are assignments only after the shell has expanded them.
    fn declared_words(&mut self, given: &[Word], is_local: bool, line: usize) -> Result<(), Failed> {
        let is_plain = !given
            .iter()
            .any(|word| word.text.starts_with('-') || word.text.contains("+="));
        for word in given.iter().skip(1).filter(|word| !word.text.starts_with('-')) {
            let Some((name, _)) = word.text.split_once('=') else {
                continue;
            };
            let name = name.trim_end_matches('+');
            if name.contains('$') {
                return Err((
                    line,
                    format!(
                        "the name of the variable in `{}` is not known; write it",
                        word.text
                    ),
                ));
            }
            if is_local {
                self.environment.make_local(name);
            }
            let value = word.text.split_once('=').map(|(_, value)| Word {
                text: value.to_owned(),
                variables: word.variables.clone(),
            });
            match value {
                Some(value) if is_plain => self.environment.set(name, Value::Text(value)),
                _ => self
                    .environment
                    .forget(name, format!("it is declared with options at line {line}")),
            }
        }
        Ok(())
    }

    fn alias(&mut self, assignments: &[Assignment], given: &[Word], line: usize) -> Result<(), Failed> {
        for word in given {
            if let Some((name, text)) = word.text.split_once('=') {
                let text = Word {
                    text: text.to_owned(),
                    variables: word.variables.clone(),
                };
                self.environment.aliases.insert(name.to_owned(), text);
            }
        }
        for assignment in assignments {
            if let Assigned::Text(word) = &assignment.value {
                let text = self.text(word, line)?;
                self.environment.aliases.insert(assignment.name.clone(), text);
            }
        }
        Ok(())
    }

    fn assign(&mut self, assignment: &Assignment, line: usize) -> Result<(), Failed> {
        let name = assignment.name.as_str();
        let value = match &assignment.value {
            Assigned::Text(word) => Value::Text(self.text(word, line)?),
            Assigned::List(words) => {
                let mut all = Vec::new();
                for word in words {
                    all.extend(self.expand(word, line)?);
                }
                Value::List(all)
            }
            Assigned::Element(word) => {
                self.expand(word, line)?;
                Value::Unknown(format!("an element of it is set at line {line}"))
            }
        };
        let value = match (assignment.adds, self.environment.get(name), value) {
            (false, _, value) => value,
            (true, Some(Value::Text(old)), Value::Text(new)) => {
                let mut sum = old.clone();
                sum.text.push_str(&new.text);
                sum.variables.extend(new.variables);
                Value::Text(sum)
            }
            (true, Some(Value::List(old)), Value::List(new)) => {
                Value::List(old.iter().cloned().chain(new).collect())
            }
            (true, ..) => Value::Unknown(format!("line {line} adds to a value that is not known")),
        };
        if matches!(&value, Value::Text(word) if word.text.len() > 1 << 20)
            || matches!(&value, Value::List(words) if words.len() > 10_000)
        {
            return Err((line, format!("the value of `{name}` is too long; shorten it")));
        }
        if let Value::Text(word) = &value
            && word.variables.is_empty()
        {
            self.out.secrets.add_named(name, &word.text);
        }
        if name == "IFS" {
            self.environment
                .forget("IFS", "it changes how the shell splits values");
        }
        let value = match name {
            // The shell makes these values up, whatever is assigned.
            "RANDOM" | "SRANDOM" | "SECONDS" | "LINENO" | "EPOCHSECONDS" | "EPOCHREALTIME" | "BASHPID" => {
                Value::Unknown("the shell computes it".to_owned())
            }
            _ => value,
        };
        self.environment.set(name, value);
        Ok(())
    }

    /// Runs a command that is given by its words.
    fn run(&mut self, words: &[Word], line: usize) -> Result<(), Failed> {
        self.run_named(words, true, line)
    }

    /// Runs a command; after `command` and programs such as `env`, a name is never that of a function or an alias.
    fn run_named(&mut self, words: &[Word], may_be_own: bool, line: usize) -> Result<(), Failed> {
        let Some((first, arguments)) = words.split_first() else {
            return Ok(());
        };
        if !first.variables.is_empty() {
            return self.unknown_program(first, arguments, line);
        }
        let program = first.text.as_str();
        if may_be_own && self.functions.contains_key(program) {
            return self.call(program, Some(arguments.to_vec()), line);
        }
        if let Some(alias) = self
            .environment
            .aliases
            .get(program)
            .cloned()
            .filter(|_| may_be_own)
        {
            return self.aliased(program, &alias, arguments, line);
        }
        if self.changes_variables(program, arguments, line)? {
            return Ok(());
        }
        match kind(program) {
            Kind::Curl => self.curl(words, line),
            Kind::Client => Err((
                line,
                format!(
                    "calls of `{program}` are not read; write them with curl, or remove the command if it makes no call of the API"
                ),
            )),
            // The language of these can run commands, as `system` of awk does.
            Kind::Quiet
                if matches!(program.rsplit('/').next(), Some("awk" | "gawk" | "sed"))
                    && arguments.iter().any(|word| mentions_call(&word.text)) =>
            {
                Err((
                    line,
                    format!(
                        "a text for `{program}` seems to make a call; write the call as a command of the script"
                    ),
                ))
            }
            Kind::Quiet => Ok(()),
            Kind::Adding => match self.position_of_call(arguments) {
                None => Ok(()),
                Some(_) => Err((
                    line,
                    format!(
                        "`{program}` adds arguments to the calls that it makes; write a command for each of them, or a loop over written values"
                    ),
                )),
            },
            Kind::Shell => self.shell(program, arguments, line),
            Kind::Remote => self.remote(program, arguments, line),
            Kind::Language => {
                self.note(format!(
                    "line {line}: calls that `{program}` makes by itself are not covered"
                ));
                self.other(program, arguments, line)
            }
            Kind::Other if program.ends_with(".sh") || program.ends_with(".bash") => Err((
                line,
                format!(
                    "`{program}` is another script; give it with a --from of its own, and remove this line from a copy"
                ),
            )),
            Kind::Other => {
                if program.contains('/') {
                    self.note(format!(
                        "line {line}: calls that `{program}` makes by itself are not covered"
                    ));
                }
                self.other(program, arguments, line)
            }
        }
    }

    /// Runs a program that may run the program which its arguments name: `env`, `sudo`, `timeout`, `retry`.
    fn other(&mut self, program: &str, arguments: &[Word], line: usize) -> Result<(), Failed> {
        if matches!(program, "command" | "builtin")
            && arguments
                .first()
                .is_some_and(|word| matches!(word.text.as_str(), "-v" | "-V"))
        {
            return Ok(());
        }
        // These run commands of the shell itself, such as `command read x`.
        if matches!(program, "command" | "builtin")
            && let Some(at) = arguments.iter().position(|word| !word.text.starts_with('-'))
            && let Some(inner) = arguments.get(at..)
        {
            self.deeper(line)?;
            self.run_named(inner, false, line)?;
            self.depth -= 1;
            return Ok(());
        }
        let may_be_own = !matches!(program, "env" | "sudo" | "timeout" | "nohup" | "exec");
        if let Some(at) = self.position_of_call(arguments)
            && let Some(inner) = arguments.get(at..)
        {
            // A name of a program in the value of an option, as in `apt list curl`, has no arguments.
            let is_own = inner.first().is_some_and(|word| {
                self.functions.contains_key(&word.text) || self.environment.aliases.contains_key(&word.text)
            });
            if inner.len() > 1 || is_own {
                self.deeper(line)?;
                self.run_named(inner, may_be_own, line)?;
                self.depth -= 1;
            }
            return Ok(());
        }
        let input = match &self.input {
            Some(Input::Text(text)) => Some(text),
            _ => None,
        };
        match arguments
            .iter()
            .chain(input)
            .find(|word| word.text.contains(char::is_whitespace) && mentions_call(&word.text))
        {
            Some(_) => Err((
                line,
                format!(
                    "a text for `{program}` seems to make a call; write the call as a command of the script, or remove this command if it makes none"
                ),
            )),
            None => Ok(()),
        }
    }

    /// The place of the first argument that is a program that makes calls, or a function.
    fn position_of_call(&self, arguments: &[Word]) -> Option<usize> {
        arguments.iter().position(|word| {
            word.variables.is_empty()
                && (matches!(
                    kind(&word.text),
                    Kind::Curl | Kind::Client | Kind::Shell | Kind::Remote | Kind::Adding
                ) || self.functions.contains_key(&word.text)
                    || self.environment.aliases.contains_key(&word.text))
        })
    }

    fn unknown_program(&mut self, first: &Word, arguments: &[Word], line: usize) -> Result<(), Failed> {
        let written = first.variables.first().cloned().unwrap_or_default();
        let lower = first.text.to_ascii_lowercase();
        let is_call = ["curl", "http", "wget", "client"]
            .iter()
            .any(|name| lower.contains(name))
            || arguments.iter().any(|word| word.text.contains("://"));
        if is_call {
            let reason = self.reason(&written);
            return Err((
                line,
                format!("the program `{}` is not known: {reason}", first.text),
            ));
        }
        self.note(format!(
            "line {line}: the program `{}` is not known; its calls, if it makes any, are not covered",
            first.text
        ));
        if let Some(at) = self.position_of_call(arguments)
            && let Some(inner) = arguments.get(at..)
        {
            return self.run(inner, line);
        }
        Ok(())
    }

    fn aliased(&mut self, name: &str, alias: &Word, arguments: &[Word], line: usize) -> Result<(), Failed> {
        let not_known = || {
            (
                line,
                format!("the alias `{name}` is not one plain command; write the command in its place"),
            )
        };
        if alias.text.contains([';', '|', '&', '`', '(', '<', '>']) {
            return Err(not_known());
        }
        let mut words = Vec::new();
        let list = shell::parse(&alias.text, line, self.depth)?;
        let [chain] = list.as_slice() else {
            return Err(not_known());
        };
        for node in chain.pipelines.iter().flatten() {
            if let shell::Command::Simple { words: plain, .. } = &node.command {
                for word in plain {
                    words.extend(self.expand(word, line)?);
                }
            }
        }
        words.extend(arguments.iter().cloned());
        self.deeper(line)?;
        // An alias may be named as its program, such as `alias curl='curl -s'`.
        let own = self.environment.aliases.remove(name);
        let done = self.run(&words, line);
        if let Some(own) = own {
            self.environment.aliases.insert(name.to_owned(), own);
        }
        self.depth -= 1;
        done
    }

    /// Runs a text as a script in a process of its own.
    pub(super) fn script_text(
        &mut self,
        text: &Word,
        arguments: Option<Vec<Word>>,
        is_elsewhere: bool,
        line: usize,
    ) -> Result<(), Failed> {
        if let Some(written) = text.variables.first() {
            let reason = self.reason(written);
            if mentions_call(&text.text) || text.text == *written {
                return Err((line, format!("a script in a text has `{written}`: {reason}")));
            }
        }
        self.deeper(line)?;
        let list = shell::parse(&text.text, line, self.depth)?;
        self.apart(|script| {
            if is_elsewhere {
                script.environment = script.environment.elsewhere();
            }
            script.environment.arguments = arguments;
            script.list(&list)
        })?;
        self.depth -= 1;
        Ok(())
    }

    fn shell(&mut self, program: &str, arguments: &[Word], line: usize) -> Result<(), Failed> {
        let is_text = |word: &Word| {
            word.text.starts_with('-') && !word.text.starts_with("--") && word.text.ends_with('c')
        };
        if let Some(at) = arguments.iter().position(is_text) {
            let Some(text) = arguments.get(at + 1) else {
                return Ok(());
            };
            let more = arguments.get(at + 3..).unwrap_or_default().to_vec();
            return self.script_text(&text.clone(), Some(more), false, line);
        }
        let file = arguments.iter().find(|word| !word.text.starts_with('-'));
        match (file, &self.input) {
            (Some(_), _) if program.ends_with("busybox") => self.other(program, arguments, line),
            (Some(_), _) if program == "su" => Ok(()),
            (Some(file), _) => Err((
                line,
                format!(
                    "`{program} {}` runs another script; give it with a --from of its own, and remove this line from a copy",
                    file.text
                ),
            )),
            (None, Some(Input::Text(text))) => self.script_text(&text.clone(), None, false, line),
            (None, Some(Input::File(name))) => Err((
                line,
                format!(
                    "`{program} < {name}` runs another script; give it with a --from of its own, and remove this line from a copy"
                ),
            )),
            (None, Some(Input::Piped)) => Err((
                line,
                format!(
                    "`{program}` runs the output of another command; write its commands into the script, or remove it if they make no calls"
                ),
            )),
            (None, None) => Ok(()),
        }
    }

    fn remote(&mut self, program: &str, arguments: &[Word], line: usize) -> Result<(), Failed> {
        const WITH_VALUES: &str = "BbcDEeFIiJLlmOopQRSWwp";
        let mut rest = arguments.iter();
        if program.ends_with("sshpass") {
            return self.other(program, arguments, line);
        }
        while let Some(word) = rest.next() {
            match word.text.strip_prefix('-') {
                Some(option) if option.len() == 1 && WITH_VALUES.contains(option) => {
                    rest.next();
                }
                Some(_) => {}
                None => break,
            }
        }
        let texts: Vec<&Word> = rest.collect();
        if texts.is_empty() {
            if let Some(Input::Text(text)) = self.input.clone() {
                return self.script_text(&text, None, true, line);
            }
            if let Some(Input::File(name)) = &self.input {
                return Err((
                    line,
                    format!(
                        "`{program} < {name}` runs another script; give it with a --from of its own, and remove this line from a copy"
                    ),
                ));
            }
            if matches!(self.input, Some(Input::Piped)) {
                return Err((
                    line,
                    format!(
                        "`{program}` runs the output of another command; write its commands into the script"
                    ),
                ));
            }
            return Ok(());
        }
        let mut text = Word::default();
        for (at, word) in texts.into_iter().enumerate() {
            if at > 0 {
                text.text.push(' ');
            }
            text.text.push_str(&word.text);
            text.variables.extend(word.variables.iter().cloned());
        }
        self.script_text(&text, None, true, line)
    }
}
