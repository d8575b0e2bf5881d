//! The words that a shell makes of the words of a script.

use tokenward_pdp::curl::Word;

use super::environment::Value;
use super::state::{MOST_BYTES, Script};
use crate::capture::shell::{self, Command, Failed, List, Part};

/// The longest word, in bytes.
const LONGEST: usize = 1 << 20;

/// The words under construction.
#[derive(Default)]
struct Fields {
    done: Vec<Word>,
    open: Option<Word>,
}

impl Fields {
    fn add(&mut self, word: &Word) {
        let open = self.open.get_or_insert_default();
        open.text.push_str(&word.text);
        open.variables.extend(word.variables.iter().cloned());
    }

    fn end(&mut self) {
        self.done.extend(self.open.take());
    }

    /// Adds a value that the shell splits at blanks.
    fn add_split(&mut self, word: &Word) {
        let blank = |c: char| matches!(c, ' ' | '\t' | '\n');
        // Blanks in a part such as `((i + 1))` are not in its value: split there, the pieces would be taken as written texts.
        if word.variables.iter().any(|written| written.contains(blank)) {
            self.add(word);
            return;
        }
        for (at, piece) in word.text.split(blank).enumerate() {
            if at > 0 {
                self.end();
            }
            if !piece.is_empty() {
                let variables = word.variables.iter().filter(|name| piece.contains(name.as_str()));
                self.add(&Word {
                    text: piece.to_owned(),
                    variables: variables.cloned().collect(),
                });
            }
        }
    }

    fn add_list(&mut self, words: &[Word], is_quoted: bool) {
        for (at, word) in words.iter().enumerate() {
            if at > 0 {
                self.end();
            }
            match is_quoted {
                true => self.add(word),
                false => self.add_split(word),
            }
        }
    }
}

fn unknown(written: String) -> Word {
    Word {
        variables: vec![written.clone()],
        text: written,
    }
}

/// Whether a part that is not quoted stands for names of files.
pub(super) fn is_pattern(word: &shell::Word) -> bool {
    word.parts.iter().any(
        |part| matches!(part, Part::Text { text, is_quoted: false } if text.contains(['*', '?', '[', '{'])),
    )
}

impl Script<'_> {
    /// The words that a shell makes of a word, after the commands in it have been followed.
    pub(super) fn expand(&mut self, word: &shell::Word, line: usize) -> Result<Vec<Word>, Failed> {
        let mut fields = Fields::default();
        for part in &word.parts {
            self.part(part, &mut fields, line)?;
            let length = fields.open.as_ref().map_or(0, |open| open.text.len());
            if length > LONGEST {
                return Err((line, "the command is too long; shorten its body".to_owned()));
            }
        }
        fields.end();
        self.bytes += fields.done.iter().map(|word| word.text.len()).sum::<usize>();
        if self.bytes > MOST_BYTES {
            return Err((line, "the values of the script are too long; split it".to_owned()));
        }
        Ok(fields.done)
    }

    /// The text of a word that is not split: of an assignment, or of a here-document.
    pub(super) fn text(&mut self, word: &shell::Word, line: usize) -> Result<Word, Failed> {
        Ok(joined(self.expand(word, line)?))
    }

    fn part(&mut self, part: &Part, fields: &mut Fields, line: usize) -> Result<(), Failed> {
        match part {
            Part::Text { text, is_quoted } => {
                let is_home = !is_quoted && fields.open.is_none() && text.starts_with('~');
                let has_braces =
                    !is_quoted && text.contains('{') && (text.contains(',') || text.contains(".."));
                fields.add(&match is_home || has_braces {
                    true => unknown(text.clone()),
                    false => Word::from(text.as_str()),
                });
            }
            Part::Variable {
                name,
                change,
                is_list,
                is_joined,
                is_quoted,
            } => {
                let value = self.variable(name, change.as_ref(), *is_list, line)?;
                match (value, is_quoted) {
                    (Value::Text(word), true) => fields.add(&word),
                    (Value::Text(word), false) => fields.add_split(&word),
                    (Value::List(words), true) if *is_joined => fields.add(&joined(words)),
                    (Value::List(words), is_quoted) if *is_list => fields.add_list(&words, *is_quoted),
                    (Value::List(words), is_quoted) => {
                        fields.add_list(words.get(..1).unwrap_or_default(), *is_quoted);
                    }
                    (Value::Unknown(_), _) => fields.add(&unknown(match *is_list && name.len() > 1 {
                        true => format!("${{{name}[@]}}"),
                        false => format!("${name}"),
                    })),
                }
            }
            Part::Output { commands, is_quoted } => {
                let value = self.output(commands, line)?;
                match (value, is_quoted) {
                    (Some(word), true) => fields.add(&word),
                    (Some(word), false) => fields.add_split(&word),
                    (None, _) => fields.add(&unknown("$(…)".to_owned())),
                }
            }
            Part::Unknown {
                written,
                inner,
                assigned,
            } => {
                self.expand(inner, line)?;
                for name in assigned {
                    self.environment
                        .forget(name, format!("it is computed at line {line}"));
                }
                fields.add(&unknown(written.clone()));
            }
        }
        Ok(())
    }

    fn variable(
        &mut self,
        name: &str,
        change: Option<&(String, shell::Word)>,
        is_list: bool,
        line: usize,
    ) -> Result<Value, Failed> {
        let known = self.value(name);
        let is_set = matches!(&known, Some(Value::Text(word)) if !word.text.is_empty())
            || matches!(&known, Some(Value::List(words)) if !words.is_empty());
        let Some((operator, word)) = change else {
            return Ok(known.unwrap_or_else(|| never_set(name)));
        };
        let other = self.text(word, line)?;
        let value = match (operator.as_str(), known) {
            (":-" | ":=" | "-" | "=" | ":?" | "?", Some(known)) if is_set => known,
            ("-" | "=" | "?", Some(known @ Value::Text(_))) => known,
            (":+" | "+", Some(_)) if is_set => Value::Text(other),
            (":+", Some(Value::Text(_))) => Value::Text(Word::default()),
            // The default of the script is what it makes of the variable by itself.
            (":-" | ":=" | "-" | "=", None) if !other.text.is_empty() => {
                self.note(format!(
                    "line {line}: `${name}` is not set by the script; its default is taken"
                ));
                Value::Text(other)
            }
            (":-" | ":=", Some(Value::Text(_))) if !is_list => Value::Text(other),
            // The end of `$ID` as written is not the end of its value.
            ("%" | "%%" | "#" | "##", Some(Value::Text(value)))
                if is_literal(&other) && value.variables.is_empty() =>
            {
                let text = match operator.starts_with('%') {
                    true => value.text.strip_suffix(&other.text),
                    false => value.text.strip_prefix(&other.text),
                };
                Value::Text(Word {
                    text: text.unwrap_or(&value.text).to_owned(),
                    variables: value.variables,
                })
            }
            _ => return Ok(Value::Unknown(format!("its value is changed at line {line}"))),
        };
        if operator.ends_with('=') {
            self.environment.set(name, value.clone());
        }
        Ok(value)
    }

    fn value(&self, name: &str) -> Option<Value> {
        let arguments = self.environment.arguments.as_ref();
        match name {
            "@" | "*" => arguments.cloned().map(Value::List),
            "#" => arguments.map(|arguments| Value::Text(arguments.len().to_string().as_str().into())),
            number if number.starts_with(|c: char| c.is_ascii_digit()) => {
                let at = number.parse::<usize>().ok()?.checked_sub(1)?;
                let word = arguments?.get(at).cloned();
                Some(Value::Text(word.unwrap_or_default()))
            }
            name => self.environment.get(name).cloned(),
        }
    }

    /// Follows commands, and gives their output if it is known: a here-document, or the place of a program.
    fn output(&mut self, commands: &List, line: usize) -> Result<Option<Word>, Failed> {
        let outer = self.input.take();
        let mut known = None;
        self.apart(|script| {
            if let Some((words, input)) = simple_command(commands) {
                let mut given = Vec::new();
                for word in words {
                    given.extend(script.expand(word, line)?);
                }
                let texts: Vec<&str> = given.iter().map(|word| word.text.as_str()).collect();
                match (texts.as_slice(), input) {
                    (["cat"], Some(input)) => known = Some(script.text(input, line)?),
                    (["command", "-v", program] | ["which", program], _) => {
                        known = Some(Word::from(*program));
                    }
                    _ => return script.list(commands),
                }
                return Ok(());
            }
            script.list(commands)
        })?;
        self.input = outer;
        Ok(known.map(|mut word| {
            word.text.truncate(word.text.trim_end_matches('\n').len());
            word
        }))
    }

    /// The reason for which a variable is not certain, with the cure.
    pub(super) fn reason(&self, written: &str) -> String {
        let name = written.trim_start_matches(['$', '{']).trim_end_matches('}');
        let name = name.trim_end_matches("[@]");
        match (written, self.value(name)) {
            ("$(…)", _) => "it is the output of a command; write the text in its place".to_owned(),
            (written, _) if written.starts_with("((") => {
                "it is computed; write the number in its place".to_owned()
            }
            (written, _) if !written.starts_with('$') => {
                "the shell replaces it; put it in quotes, or write a command for each text".to_owned()
            }
            (_, Some(Value::Unknown(reason))) => {
                format!("{reason}; set it once to a text, or write the text in its place")
            }
            (_, Some(Value::Text(word))) if !word.variables.is_empty() => {
                "it is made of a value that is not known; write the text in its place".to_owned()
            }
            (_, _)
                if !name.is_empty()
                    && name.contains(|c: char| !c.is_ascii_alphanumeric() && !"_@*#?$!-".contains(c)) =>
            {
                "the shell changes the value of a variable there; write the text in its place".to_owned()
            }
            (_, _) if name.starts_with(|c: char| c.is_ascii_digit()) || matches!(name, "@" | "*") => {
                "it is an argument of the script; write the text in its place".to_owned()
            }
            _ => format!("the script does not set it before; add a line `{name}=…` with its value"),
        }
    }
}

/// The words in one, with a blank between each two.
fn joined(words: Vec<Word>) -> Word {
    let mut out = Word::default();
    for (at, word) in words.into_iter().enumerate() {
        if at > 0 {
            out.text.push(' ');
        }
        out.text.push_str(&word.text);
        out.variables.extend(word.variables);
    }
    out
}

fn never_set(name: &str) -> Value {
    Value::Unknown(format!("the script does not set `{name}` before"))
}

fn is_literal(word: &Word) -> bool {
    word.variables.is_empty() && !word.text.contains(['*', '?', '['])
}

/// The words and the input of a list that is one simple command.
fn simple_command(list: &List) -> Option<(&[shell::Word], Option<&shell::Word>)> {
    let [chain] = list.as_slice() else { return None };
    let [nodes] = chain.pipelines.as_slice() else {
        return None;
    };
    let [node] = nodes.as_slice() else { return None };
    match &node.command {
        Command::Simple { assignments, words }
            if assignments.is_empty() && node.files.len() < 2 && node.read_from.is_none() =>
        {
            let is_known = words.first().and_then(shell::Word::plain);
            let is_known = is_known.is_some_and(|word| matches!(word, "cat" | "command" | "which"));
            is_known.then_some((words.as_slice(), node.input.as_ref()))
        }
        _ => None,
    }
}
