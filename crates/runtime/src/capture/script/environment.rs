//! Variables of a script, as far as their values are certain.

use std::collections::HashMap;

use tokenward_pdp::curl::Word;

/// The value of a variable. The words may contain other variables whose values are unknown.
#[derive(Clone, Debug)]
pub(super) enum Value {
    Text(Word),
    List(Vec<Word>),
    /// The reason for which the value is not certain.
    Unknown(String),
}

impl PartialEq for Value {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Text(one), Self::Text(other)) => one == other,
            (Self::List(one), Self::List(other)) => one == other,
            (Self::Unknown(_), Self::Unknown(_)) => true,
            _ => false,
        }
    }
}

/// The variables and the arguments.
#[derive(Clone, Debug, Default)]
pub(super) struct Environment {
    values: HashMap<String, Value>,
    /// The arguments of the script or the function, if they are known.
    pub(super) arguments: Option<Vec<Word>>,
    pub(super) aliases: HashMap<String, Word>,
    /// The values of outer variables with the names of local ones.
    local: Vec<(String, Option<Value>)>,
    /// Whether the function may have ended before its last command.
    pub(super) has_returned: bool,
}

impl PartialEq for Environment {
    fn eq(&self, other: &Self) -> bool {
        (&self.values, &self.arguments, &self.aliases) == (&other.values, &other.arguments, &other.aliases)
    }
}

/// The state of a function's caller.
pub(super) struct Outer {
    arguments: Option<Vec<Word>>,
    local: Vec<(String, Option<Value>)>,
    has_returned: bool,
}

impl Environment {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        self.values.insert(name.to_owned(), value);
    }

    /// Forgets that a variable was set.
    pub(super) fn remove(&mut self, name: &str) {
        self.values.remove(name);
    }

    /// Makes a variable one of the function.
    pub(super) fn make_local(&mut self, name: &str) {
        let outer = self.values.get(name).cloned();
        self.local.push((name.to_owned(), outer));
    }

    pub(super) fn forget(&mut self, name: &str, reason: impl Into<String>) {
        self.set(name, Value::Unknown(reason.into()));
    }

    /// Makes every value that differs from that of another way through the script uncertain.
    pub(super) fn merge(&mut self, other: &Self, line: usize) {
        let reason = || {
            Value::Unknown(format!(
                "its value depends on whether a command at line {line} runs"
            ))
        };
        for (name, value) in &mut self.values {
            if other.values.get(name) != Some(value) && !matches!(value, Value::Unknown(_)) {
                *value = reason();
            }
        }
        for name in other.values.keys() {
            self.values.entry(name.clone()).or_insert_with(reason);
        }
        if self.arguments != other.arguments {
            self.arguments = None;
        }
        for (name, text) in &other.aliases {
            self.aliases.entry(name.clone()).or_insert_with(|| text.clone());
        }
        self.has_returned |= other.has_returned;
    }

    /// Begins a function.
    pub(super) fn enter(&mut self, arguments: Option<Vec<Word>>) -> Outer {
        Outer {
            arguments: std::mem::replace(&mut self.arguments, arguments),
            local: std::mem::take(&mut self.local),
            has_returned: std::mem::take(&mut self.has_returned),
        }
    }

    /// Ends a function.
    pub(super) fn leave(&mut self, outer: Outer) {
        for (name, value) in std::mem::replace(&mut self.local, outer.local).into_iter().rev() {
            match value {
                Some(value) => self.set(&name, value),
                None => {
                    self.values.remove(&name);
                }
            }
        }
        self.arguments = outer.arguments;
        self.has_returned = outer.has_returned;
    }

    /// The environment of a command that runs later or elsewhere: nothing is certain.
    pub(super) fn elsewhere(&self) -> Self {
        Self {
            aliases: self.aliases.clone(),
            ..Self::default()
        }
    }
}
