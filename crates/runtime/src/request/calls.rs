//! Calls that give more than they do, by method and path: credentials, rights, or other calls.

use tokenward_compiler::method::Method;

/// What a call gives. The proxy lets every class but the first pass only for tokens that say so.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// It reads, or does its own work: the lines of the policy suffice.
    Plain,
    /// It makes or shows credentials: needs `mint`.
    Mint,
    /// It gives rights, to its caller or to others: needs `escalate`.
    Escalate,
    /// It carries other calls, of any class, past the lines that would judge them: needs `mint` and `escalate`.
    Carries,
}

impl Class {
    /// The name in the documentation.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Mint => "mint",
            Self::Escalate => "escalate",
            Self::Carries => "carries calls",
        }
    }

    /// The keys that a token needs for it.
    pub(super) fn needs(self) -> Needs {
        Needs {
            mint: matches!(self, Self::Mint | Self::Carries),
            escalate: matches!(self, Self::Escalate | Self::Carries),
        }
    }
}

/// The keys, beyond its lines, that a token needs for a call.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// `mint = true`.
    pub mint: bool,
    /// `escalate = true`.
    pub escalate: bool,
}

impl Needs {
    /// Both keys.
    pub(super) const ALL: Self = Self {
        mint: true,
        escalate: true,
    };

    /// What of these a token with the given keys lacks, if anything.
    pub(crate) fn lacking(self, mint: bool, escalate: bool) -> Option<Self> {
        let lacking = Self {
            mint: self.mint && !mint,
            escalate: self.escalate && !escalate,
        };
        (lacking != Self::default()).then_some(lacking)
    }

    /// What both together need.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            mint: self.mint || other.mint,
            escalate: self.escalate || other.escalate,
        }
    }
}

/// Calls of one class, for one reason.
#[derive(Debug)]
pub struct Group {
    /// Their class.
    pub class: Class,
    /// Why they are of this class: a sentence without its full stop.
    pub reason: &'static str,
    /// Where they are known from.
    pub source: Source,
    /// The calls.
    pub calls: &'static [Call],
}

/// Where calls are known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The vendor's description of the API lists at least one operation that each of them covers.
    Described,
    /// No description lists them, for this reason.
    Known(&'static str),
}

/// Calls that are recognised by method and path.
#[derive(Debug)]
pub struct Call {
    path: &'static str,
    methods: Methods,
}

/// By which methods a call is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Methods {
    Any,
    /// GET and HEAD.
    Reads,
    /// All but GET, HEAD and OPTIONS, also methods that nobody knows.
    Writes,
    Only(&'static [Method]),
}

impl Methods {
    fn has(self, method: Method) -> bool {
        match self {
            Self::Any => true,
            Self::Reads => matches!(method, Method::Get | Method::Head),
            Self::Writes => !matches!(method, Method::Get | Method::Head | Method::Options),
            Self::Only(methods) => methods.contains(&method),
        }
    }
}

/// The paths are those below the base URL. A segment `*` is any one, `**` any number of them, none included, and `{v?}` a
/// version or nothing. Letter case and all that [`super::alias`] knows do not matter.
impl Call {
    /// Every method of the path.
    pub(super) const fn any(path: &'static str) -> Self {
        Self::by(path, Methods::Any)
    }

    /// GET and HEAD.
    pub(super) const fn read(path: &'static str) -> Self {
        Self::by(path, Methods::Reads)
    }

    /// All but GET, HEAD and OPTIONS.
    pub(super) const fn write(path: &'static str) -> Self {
        Self::by(path, Methods::Writes)
    }

    /// POST alone.
    pub(super) const fn post(path: &'static str) -> Self {
        Self::by(path, Methods::Only(&[Method::Post]))
    }

    /// PUT and PATCH, which servers take for each other.
    pub(super) const fn put(path: &'static str) -> Self {
        Self::by(path, Methods::Only(&[Method::Put, Method::Patch]))
    }

    /// DELETE alone.
    pub(super) const fn delete(path: &'static str) -> Self {
        Self::by(path, Methods::Only(&[Method::Delete]))
    }

    const fn by(path: &'static str, methods: Methods) -> Self {
        Self { path, methods }
    }

    /// The pattern of its paths.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// Its methods, as the documentation names them.
    #[must_use]
    pub fn methods(&self) -> String {
        match self.methods {
            Methods::Any => "any".to_owned(),
            Methods::Reads => "GET, HEAD".to_owned(),
            Methods::Writes => "all but GET, HEAD, OPTIONS".to_owned(),
            Methods::Only(methods) => {
                let names: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
                names.join(", ")
            }
        }
    }

    /// Whether it is recognised by this method.
    pub(super) fn has(&self, method: Method) -> bool {
        self.methods.has(method)
    }
}
