//! Explanations as sentences. The caller quotes what authors wrote, so that every format can escape it in its own way.

use super::super::explanation::{Constrained, Explanation, Miss, Nearest, Widened};
use crate::{decide::Media, method::Method};

/// Quotes a text that an author wrote.
type Quote<'a> = &'a dyn Fn(&str) -> String;

impl Explanation {
    /// The ways in which more is allowed, as one line; `None` if no way is known.
    #[must_use]
    pub fn widened_words(&self, quote: Quote<'_>) -> Option<String> {
        let mut ways: Vec<String> = self.widened.iter().map(|way| way.words(quote)).collect();
        if self.is_open {
            ways.push(
                "more may have widened: comparing the parts of the lines takes more than the budget"
                    .to_owned(),
            );
        }
        (!ways.is_empty()).then(|| ways.join("; "))
    }
}

impl Widened {
    /// The way in a few words, such as "path from `\d+` to `\d+.*`".
    #[must_use]
    pub fn words(&self, quote: Quote<'_>) -> String {
        match self {
            Self::Unrestricted => "the token became unrestricted".to_owned(),
            Self::Lifted { line, now: None } => format!("forbid line removed: {}", quote(&line.to_string())),
            Self::Lifted { line, now: Some(now) } => format!(
                "forbid line narrowed: {} is now {}",
                quote(&line.to_string()),
                quote(&now.to_string())
            ),
            Self::NewLine => "new line".to_owned(),
            Self::SameLine => {
                "the same line, read for another user or under another configuration".to_owned()
            }
            Self::Unrefused => {
                "bodies with ambiguous names (in another letter case, or twice), which were refused while more lines read bodies"
                    .to_owned()
            }
            Self::Names(line) => format!(
                "names that the upstream may take for one of {}, which were refused as ambiguous while the policy had this line",
                quote(&line.to_string())
            ),
            Self::Methods(methods) => {
                let names: Vec<&str> = methods.iter().map(|method| method.as_str()).collect();
                format!("methods + {}", names.join(", "))
            }
            Self::Path { old, new } => format!("path from {} to {}", quote(old), quote(new)),
            Self::Values { subject, old, new } => {
                format!("{} from {} to {}", subject.words(quote), quote(old), quote(new))
            }
            Self::Removed { subject, old } => {
                format!(
                    "{} is no longer restricted to {}",
                    subject.words(quote),
                    quote(old)
                )
            }
            Self::Replaced { old, new } => format!("JSON {} is now {}", quote(old), quote(new)),
            Self::Dropped { subject, old } => format!(
                "{} is no longer required; it was restricted to {}",
                subject.words(quote),
                quote(old)
            ),
            Self::Others { object, named } => {
                let what = match object {
                    None => "parameters".to_owned(),
                    Some(object) => format!("members of {}", quote(object)),
                };
                if named.is_empty() {
                    return format!("any other {what}");
                }
                let named: Vec<String> = named.iter().map(|name| quote(name)).collect();
                format!("{what} + {}", named.join(", "))
            }
        }
    }

    /// A stable name of the kind of way, for programs.
    #[must_use]
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Unrestricted => "unrestricted",
            Self::Lifted { .. } => "forbid-line",
            Self::NewLine => "new-line",
            Self::SameLine => "same-line",
            Self::Unrefused => "bodies",
            Self::Names(_) => "names",
            Self::Methods(_) => "methods",
            Self::Path { .. } => "path",
            Self::Values { subject, .. } | Self::Removed { subject, .. } | Self::Dropped { subject, .. } => {
                match subject {
                    Constrained::Parameter(_) => "query",
                    Constrained::Node(_) => "json",
                }
            }
            Self::Replaced { .. } => "json",
            Self::Others { object: None, .. } => "query",
            Self::Others { object: Some(_), .. } => "json",
        }
    }
}

impl Constrained {
    fn words(&self, quote: Quote<'_>) -> String {
        match self {
            Self::Parameter(name) => format!("parameter {}", quote(name)),
            Self::Node(path) => format!("JSON {}", quote(path)),
        }
    }
}

impl Nearest {
    /// The line, and the condition of it that the request fails.
    #[must_use]
    pub fn words(&self, method: Method, quote: Quote<'_>) -> String {
        let line = quote(&self.line.to_string());
        match &self.miss {
            None => line,
            Some(miss) => format!("{line}; {}", miss.words(method, quote)),
        }
    }
}

impl Miss {
    /// The condition that the request of this method fails, in a few words.
    #[must_use]
    pub fn words(&self, method: Method, quote: Quote<'_>) -> String {
        match self {
            Self::Path { rest } if rest.is_empty() => "the path ends too early for it".to_owned(),
            Self::Path { rest } => format!("its path fails at {}", quote(rest)),
            Self::Methods(_) => format!("it does not permit {}", method.as_str()),
            Self::Body(media) => {
                let body = match media {
                    Media::Json => "this JSON body",
                    Media::Form => "a form",
                    Media::Multipart => "a multipart body",
                    Media::Other => "a body that is not JSON",
                };
                format!("it does not match a request with {body}")
            }
            Self::Constraint(text) => format!("its constraint {} fails", quote(text)),
        }
    }
}
