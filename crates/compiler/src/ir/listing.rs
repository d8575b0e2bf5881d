//! A program as text, for reviewers and snapshots.

use std::fmt::{self, Display, Formatter};

use super::{Atom, Glob, Matcher, Program, Rule, Token, UrlMatcher, Whole};
use crate::{ast::Effect, policy::Users};

impl Display for Program {
    /// One block a token: who, then its lines in the order of decision, each with the matcher it became.
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match &self.base {
            Some(base) => writeln!(f, "program bound to {base}")?,
            None => writeln!(f, "program, unbound")?,
        }
        let (tokens, rules) = (self.tokens.len(), self.rules.len());
        let (urls, values) = (self.urls.len(), self.values.len());
        writeln!(
            f,
            "{tokens} tokens, {rules} rules, {urls} url matchers, {values} value matchers"
        )?;
        if let Some(layout) = &self.layout {
            writeln!(
                f,
                "{layout}, {} kinds of questions of bodies",
                self.questions.len()
            )?;
        }
        self.tokens.iter().try_for_each(|token| self.list_token(token, f))
    }
}

impl Program {
    /// The part of the listing that shows one token.
    #[must_use]
    pub fn listing_of(&self, token: &Token) -> String {
        struct Part<'p>(&'p Program, &'p Token);
        impl Display for Part<'_> {
            fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
                self.0.list_token(self.1, f)
            }
        }
        Part(self, token).to_string()
    }

    fn list_token(&self, token: &Token, f: &mut Formatter<'_>) -> fmt::Result {
        write!(f, "\ntoken {:?}", token.name)?;
        match &token.users {
            Users::Named(users) => write!(f, " of {}", users.join(", "))?,
            Users::Any => write!(f, " of anybody")?,
        }
        write!(f, "{}", token.limits)?;
        writeln!(f, "{}", if token.unrestricted { ", unrestricted" } else { "" })?;
        for rule in token
            .forbids
            .iter()
            .chain(token.permits.iter())
            .filter_map(|id| self.rule(id))
        {
            self.list_rule(rule, f)?;
        }
        Ok(())
    }

    fn list_rule(&self, rule: &Rule, f: &mut Formatter<'_>) -> fmt::Result {
        let effect = if rule.effect == Effect::Permit {
            "permit"
        } else {
            "forbid"
        };
        let line = self.line(rule.line);
        writeln!(
            f,
            "  {effect} {} {}  # {}:{}",
            rule.methods,
            self.url(rule.url),
            line.file,
            line.number
        )?;
        for param in &rule.params {
            writeln!(
                f,
                "    query {:?} {} {}",
                param.name,
                param.operator.as_str(),
                self.value(param.value)
            )?;
        }
        if rule.params_only {
            writeln!(f, "    query only these")?;
        }
        for node in &rule.nodes {
            let kinds = node.kinds.map_or(String::new(), |kinds| format!(":{kinds}"));
            writeln!(
                f,
                "    json {}{kinds} {} {}",
                node.path,
                node.operator.as_str(),
                self.value(node.value)
            )?;
        }
        for path in &rule.members {
            writeln!(
                f,
                "    json only these in {}",
                if path.0.is_empty() {
                    "the root".into()
                } else {
                    path.to_string()
                }
            )?;
        }
        Ok(())
    }
}

impl Display for UrlMatcher {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Below(matcher) => write!(f, "path {matcher}"),
            Self::Unbound(Whole::Tree(hir)) => write!(f, "url /{hir}/, unbound"),
            Self::Unbound(Whole::Glob(code)) => write!(f, "url {}, unbound", Matcher::Glob(code.clone())),
            Self::Bound(_, matcher) => write!(f, "path {matcher}, bound"),
        }
    }
}

impl Display for Matcher {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("nothing"),
            Self::Everything => f.write_str("anything"),
            Self::Glob(code) => {
                f.write_str("glob ")?;
                for (at, glob) in code.globs().unwrap_or_default().iter().enumerate() {
                    write!(f, "{}{glob}", if at == 0 { "" } else { " | " })?;
                }
                Ok(())
            }
            Self::Automaton(automaton) => write!(f, "automaton of {} bytes", automaton.memory_usage()),
        }
    }
}

impl Display for Glob {
    fn fmt(&self, f: &mut Formatter<'_>) -> fmt::Result {
        if self.atoms().is_empty() {
            return f.write_str("\"\"");
        }
        let mut separator = "";
        for atom in self.atoms() {
            f.write_str(separator)?;
            separator = " ";
            match atom {
                Atom::Literal(literal) => write!(f, "{:?}", String::from_utf8_lossy(literal))?,
                Atom::Any => f.write_str("*")?,
                Atom::Run { set, min, max } => match max {
                    Some(max) if max == min => write!(f, "{set:?}{{{min}}}")?,
                    Some(max) => write!(f, "{set:?}{{{min},{max}}}")?,
                    None => write!(f, "{set:?}{{{min},}}")?,
                },
            }
        }
        Ok(())
    }
}
