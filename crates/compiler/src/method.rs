//! The HTTP methods that a line can name.

/// A request's method, as far as policies distinguish methods.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Method {
    /// `GET`
    Get,
    /// `HEAD`; a line that names `get` does not grant it.
    Head,
    /// `POST`
    Post,
    /// `PUT`
    Put,
    /// `PATCH`
    Patch,
    /// `DELETE`
    Delete,
    /// `OPTIONS`
    Options,
    /// Any other method: no line permits it, a forbid line without methods matches it.
    Other,
}

impl Method {
    /// The seven methods that a line can name, in the order in which listings show them.
    pub const NAMED: [Self; 7] = [
        Self::Get,
        Self::Head,
        Self::Post,
        Self::Put,
        Self::Patch,
        Self::Delete,
        Self::Options,
    ];

    /// The method of a request line. Methods are case-sensitive (RFC 9110 section 9.1): `get` is [`Method::Other`].
    #[must_use]
    pub fn from_token(token: &str) -> Self {
        Self::NAMED
            .into_iter()
            .find(|method| method.as_str() == token)
            .unwrap_or(Self::Other)
    }

    /// The method that a policy line names, in any case.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::NAMED
            .into_iter()
            .find(|method| method.as_str().eq_ignore_ascii_case(name))
    }

    /// The name in a request line; `OTHER` for [`Method::Other`].
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Head => "HEAD",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
            Self::Options => "OPTIONS",
            Self::Other => "OTHER",
        }
    }
}

/// A set of methods.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct MethodSet(u8);

impl MethodSet {
    /// No method.
    pub const EMPTY: Self = Self(0);
    /// The seven methods of a permit line that names none.
    pub const NAMED: Self = Self(0x7f);
    /// Every method, [`Method::Other`] included: a forbid line that names none.
    pub const ALL: Self = Self(0xff);

    /// Adds `method` to this set.
    #[must_use]
    pub const fn with(self, method: Method) -> Self {
        Self(self.0 | 1 << method as u8)
    }

    /// Whether `method` is in the set.
    #[must_use]
    pub const fn contains(self, method: Method) -> bool {
        self.0 & (1 << method as u8) != 0
    }

    /// The set's bits, bit 0 for GET; stable, used by the artifact.
    #[must_use]
    pub const fn bits(self) -> u8 {
        self.0
    }

    /// The set of the given bits.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        Self(bits)
    }

    /// Whether the set has no method.
    #[must_use]
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// The methods that both sets have.
    #[must_use]
    pub const fn intersection(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// The methods of either set.
    #[must_use]
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl std::fmt::Display for MethodSet {
    /// `any` for every method, `*` for the seven, otherwise `GET,POST`.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match *self {
            Self::ALL => return f.write_str("any"),
            Self::NAMED => return f.write_str("*"),
            Self::EMPTY => return f.write_str("none"),
            _ => {}
        }
        let mut separator = "";
        for method in Method::NAMED.into_iter().chain([Method::Other]) {
            if self.contains(method) {
                write!(f, "{separator}{}", method.as_str())?;
                separator = ",";
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for MethodSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "MethodSet({self})")
    }
}
