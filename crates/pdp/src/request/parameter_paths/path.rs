//! Paths of parameters: the steps to a value, and sets of paths.

use std::borrow::Cow;

/// Maximum number of steps of a path. A longer path is cut, and then stands for all paths below the cut.
pub const MAX_STEPS: usize = 32;

/// The steps from the root of the parameters to a value.
pub type Path<'n> = Vec<Step<'n>>;

/// One step of a [`Path`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step<'n> {
    /// The member of this name.
    Name(Cow<'n, str>),
    /// Any element of an array. An index has no further meaning, since `qs` closes gaps.
    Each,
}

impl<'n> Step<'n> {
    /// Creates a step below another one from the text between brackets.
    pub(super) fn below(name: &'n str) -> Self {
        if name.bytes().all(|byte| byte.is_ascii_digit()) {
            Self::Each
        } else {
            Self::Name(Cow::Borrowed(name))
        }
    }

    /// Creates the first step of a path.
    pub(super) fn first(name: &'n str) -> Self {
        if name.is_empty() {
            Self::Each
        } else {
            Self::Name(Cow::Borrowed(name))
        }
    }

    /// Creates the step after those of the path.
    pub(super) fn after(path: &Path<'_>, name: &'n str) -> Self {
        if path.is_empty() {
            Self::first(name)
        } else {
            Self::below(name)
        }
    }

    pub(super) fn into_owned(self) -> Step<'static> {
        match self {
            Self::Name(name) => Step::Name(Cow::Owned(name.into_owned())),
            Self::Each => Step::Each,
        }
    }
}

/// A set of paths.
#[derive(Default)]
pub(super) struct Paths<'n>(pub(super) Vec<Path<'n>>);

impl<'n> Paths<'n> {
    pub(super) fn add(&mut self, mut path: Path<'n>) {
        path.truncate(MAX_STEPS);
        if !path.is_empty() && !self.0.contains(&path) {
            self.0.push(path);
        }
    }

    /// Adds the paths of a text that was derived from the name.
    pub(super) fn add_owned(&mut self, text: &str, parser: impl for<'t> Fn(&'t str, &mut Paths<'t>)) {
        let mut paths = Paths::default();
        parser(text, &mut paths);
        for path in paths.0 {
            self.add(path.into_iter().map(Step::into_owned).collect());
        }
    }

    /// Adds the attribute's path for each path with steps such as `due(1i)`, which is a part of the attribute.
    pub(super) fn add_attributes(&mut self) {
        let attribute = |step: &Step<'n>| match step {
            Step::Name(name) => {
                let start = name.split('(').next().unwrap_or_default();
                (!start.is_empty() && start.len() < name.len())
                    .then(|| Step::Name(Cow::Owned(start.to_owned())))
            }
            Step::Each => None,
        };
        for at in 0..self.0.len() {
            let path = self.0.get(at).map_or(&[][..], Vec::as_slice);
            if path.iter().any(|step| attribute(step).is_some()) {
                let path = path
                    .iter()
                    .map(|step| attribute(step).unwrap_or_else(|| step.clone()));
                self.add(path.collect());
            }
        }
    }
}
