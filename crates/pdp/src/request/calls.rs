//! Calls that give more than their own work, by method and path: credentials, rights, or other calls.

use tokenward_compiler::method::Method;

/// Class of a call, by the power that it gives. The proxy allows every class but the first only for tokens with the key
/// for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Class {
    /// The call reads, or does its own work: the lines of the policy suffice.
    Plain,
    /// The call creates or shows credentials: it needs `mint`.
    Mint,
    /// The call gives rights, to its caller or to others: it needs `escalate`.
    Escalate,
    /// The call contains other calls, of any class, that no line is matched with: it needs `mint` and `escalate`.
    Carries,
}

impl Class {
    /// The name of the class in the documentation.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Mint => "mint",
            Self::Escalate => "escalate",
            Self::Carries => "carries calls",
        }
    }

    /// The keys that a token needs for this class.
    pub(super) fn needs(self) -> Needs {
        Needs {
            mint: matches!(self, Self::Mint | Self::Carries),
            escalate: matches!(self, Self::Escalate | Self::Carries),
        }
    }
}

/// The keys that a token needs for a call, in addition to its lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Needs {
    /// Whether the call needs `mint = true`.
    pub mint: bool,
    /// Whether the call needs `escalate = true`.
    pub escalate: bool,
}

impl Needs {
    /// Requires both keys.
    pub(super) const ALL: Self = Self {
        mint: true,
        escalate: true,
    };

    /// Returns the required keys that a token with the given ones lacks; `None` if it has all of them.
    pub fn lacking(self, mint: bool, escalate: bool) -> Option<Self> {
        let lacking = Self {
            mint: self.mint && !mint,
            escalate: self.escalate && !escalate,
        };
        (lacking != Self::default()).then_some(lacking)
    }

    /// Combines both requirements.
    pub(super) fn and(self, other: Self) -> Self {
        Self {
            mint: self.mint || other.mint,
            escalate: self.escalate || other.escalate,
        }
    }
}

/// Calls of the same class for the same reason.
#[derive(Debug)]
pub struct Group {
    /// Class of the calls.
    pub class: Class,
    /// Reason for the class: a sentence without its full stop.
    pub reason: &'static str,
    /// Source of the knowledge about the calls.
    pub source: Source,
    /// The calls of the group.
    pub calls: &'static [Call],
}

/// Source of the knowledge about calls.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// The vendor's description of the API lists at least one operation that each of the calls covers.
    Described,
    /// No description lists the calls, for this reason.
    Known(&'static str),
}

/// Calls that are recognised by method and path.
#[derive(Debug)]
pub struct Call {
    path: &'static str,
    methods: Methods,
}

/// Methods by which a call is recognised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Methods {
    Any,
    /// GET and HEAD only.
    Reads,
    /// All methods but GET, HEAD and OPTIONS, including unknown ones.
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

/// Paths are relative to the base URL. A segment `*` matches any one segment, `**` any number of them including zero,
/// and `{v?}` a version or nothing. Letter case and the spellings in `alias.rs` do not matter.
impl Call {
    /// Creates a call with any method.
    pub(super) const fn any(path: &'static str) -> Self {
        Self::by(path, Methods::Any)
    }

    /// Creates a call with GET or HEAD.
    pub(super) const fn read(path: &'static str) -> Self {
        Self::by(path, Methods::Reads)
    }

    /// Creates a call with any method but GET, HEAD and OPTIONS.
    pub(super) const fn write(path: &'static str) -> Self {
        Self::by(path, Methods::Writes)
    }

    /// Creates a call with POST.
    pub(super) const fn post(path: &'static str) -> Self {
        Self::by(path, Methods::Only(&[Method::Post]))
    }

    /// Creates a call with PUT or PATCH, which servers treat alike.
    pub(super) const fn put(path: &'static str) -> Self {
        Self::by(path, Methods::Only(&[Method::Put, Method::Patch]))
    }

    /// Creates a call with DELETE.
    pub(super) const fn delete(path: &'static str) -> Self {
        Self::by(path, Methods::Only(&[Method::Delete]))
    }

    const fn by(path: &'static str, methods: Methods) -> Self {
        Self { path, methods }
    }

    /// The pattern of the call's paths.
    #[must_use]
    pub fn path(&self) -> &'static str {
        self.path
    }

    /// The call's methods, as the documentation names them.
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

    /// Whether the call is recognised by this method.
    #[must_use]
    pub fn has(&self, method: Method) -> bool {
        self.methods.has(method)
    }
}
