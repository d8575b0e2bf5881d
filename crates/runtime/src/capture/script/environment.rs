//! Variables of a script, as far as their values are certain.

use std::collections::HashMap;
use std::rc::Rc;

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
    /// Shared until it changes: most commands that may not run set nothing.
    values: Rc<HashMap<String, Value>>,
    /// The arguments of the script or the function, if they are known.
    pub(super) arguments: Option<Vec<Word>>,
    pub(super) aliases: HashMap<String, Word>,
    /// The values of outer variables with the names of local ones.
    local: Vec<(String, Option<Value>)>,
    /// The variables where the function may have ended before its last command.
    returns: Option<Rc<Environment>>,
    /// The variables where the loop, or one run of it, may have ended before its last command.
    breaks: Option<Rc<Environment>>,
    /// The same for `break 2`, which ends outer loops too.
    far_breaks: Option<Rc<Environment>>,
}

/// What a command ends before its last command.
#[derive(Clone, Copy)]
pub(super) enum Ends {
    Function,
    Loop,
    Loops,
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
    returns: Option<Rc<Environment>>,
    breaks: Option<Rc<Environment>>,
    far_breaks: Option<Rc<Environment>>,
}

impl Environment {
    pub(super) fn get(&self, name: &str) -> Option<&Value> {
        self.values.get(name)
    }

    pub(super) fn set(&mut self, name: &str, value: Value) {
        Rc::make_mut(&mut self.values).insert(name.to_owned(), value);
    }

    /// Forgets that a variable was set.
    pub(super) fn remove(&mut self, name: &str) {
        Rc::make_mut(&mut self.values).remove(name);
    }

    /// The number of variables that differ in their place in memory from those of another way, which a merge compares.
    pub(super) fn size_of_merge(&self, other: &Self) -> usize {
        match Rc::ptr_eq(&self.values, &other.values) {
            true => 0,
            false => self.values.len(),
        }
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
        if !Rc::ptr_eq(&self.values, &other.values) {
            let values = Rc::make_mut(&mut self.values);
            for (name, value) in values.iter_mut() {
                if other.values.get(name) != Some(value) && !matches!(value, Value::Unknown(_)) {
                    *value = reason();
                }
            }
            for name in other.values.keys() {
                if !values.contains_key(name) {
                    values.insert(name.clone(), reason());
                }
            }
        }
        if self.arguments != other.arguments {
            self.arguments = None;
        }
        for (name, text) in &other.aliases {
            self.aliases.entry(name.clone()).or_insert_with(|| text.clone());
        }
        merge_early(&mut self.returns, other.returns.as_ref(), line);
        merge_early(&mut self.breaks, other.breaks.as_ref(), line);
        merge_early(&mut self.far_breaks, other.far_breaks.as_ref(), line);
    }

    /// Remembers the variables at a command that ends a function or a loop early: what follows it may not run.
    pub(super) fn end_early(&mut self, ends: Ends, line: usize) {
        let here = Self {
            returns: None,
            breaks: None,
            far_breaks: None,
            ..self.clone()
        };
        let early = match ends {
            Ends::Function => &mut self.returns,
            Ends::Loop => &mut self.breaks,
            Ends::Loops => &mut self.far_breaks,
        };
        merge_early(early, Some(&Rc::new(here)), line);
    }

    /// Begins a loop; gives what belongs to the outer one.
    pub(super) fn enter_loop(&mut self) -> Option<Rc<Environment>> {
        self.breaks.take()
    }

    /// Joins the variables of runs of a loop that ended early.
    pub(super) fn join_breaks(&mut self, line: usize) {
        for early in [self.breaks.clone(), self.far_breaks.clone()]
            .into_iter()
            .flatten()
        {
            self.merge(&early, line);
        }
    }

    /// Ends a loop.
    pub(super) fn leave_loop(&mut self, outer: Option<Rc<Environment>>, line: usize) {
        self.join_breaks(line);
        self.breaks = outer;
    }

    /// Begins a function.
    pub(super) fn enter(&mut self, arguments: Option<Vec<Word>>) -> Outer {
        Outer {
            arguments: std::mem::replace(&mut self.arguments, arguments),
            local: std::mem::take(&mut self.local),
            returns: self.returns.take(),
            breaks: self.breaks.take(),
            far_breaks: self.far_breaks.take(),
        }
    }

    /// Ends a function.
    pub(super) fn leave(&mut self, outer: Outer, line: usize) {
        // A `break` of a function without a loop of its own ends the loop of its caller.
        let mut breaks = outer.breaks;
        merge_early(&mut breaks, self.breaks.as_ref(), line);
        let mut far_breaks = outer.far_breaks;
        merge_early(&mut far_breaks, self.far_breaks.as_ref(), line);
        for early in [self.returns.take(), self.breaks.take(), self.far_breaks.take()]
            .into_iter()
            .flatten()
        {
            self.merge(&early, line);
        }
        (self.breaks, self.far_breaks) = (breaks, far_breaks);
        for (name, value) in std::mem::replace(&mut self.local, outer.local).into_iter().rev() {
            match value {
                Some(value) => self.set(&name, value),
                None => {
                    self.remove(&name);
                }
            }
        }
        self.arguments = outer.arguments;
        self.returns = outer.returns;
    }

    /// The environment of a command that runs later or elsewhere: nothing is certain.
    pub(super) fn elsewhere(&self) -> Self {
        Self {
            aliases: self.aliases.clone(),
            ..Self::default()
        }
    }
}

fn merge_early(early: &mut Option<Rc<Environment>>, other: Option<&Rc<Environment>>, line: usize) {
    match (early.as_mut(), other) {
        (Some(early), Some(other)) if !Rc::ptr_eq(early, other) => Rc::make_mut(early).merge(other, line),
        (None, Some(other)) => *early = Some(Rc::clone(other)),
        _ => {}
    }
}
