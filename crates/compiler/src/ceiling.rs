//! What the configuration allows a token at most: its life, and its limits. A policy with a token beyond that is not served.

use std::{fmt, time::Duration};

use crate::{
    call_limits::{CallLimits, Rate},
    diagnostic::{Code, Diagnostic},
    ir::Program,
    policy::Attributes,
    source::{SourceSet, Span},
    tokens::{self, TokenDef},
    units,
};

/// Time that a token may live longer: clocks of the machines that make tokens and that check them differ.
const CLOCKS_DIFFER: Duration = Duration::from_secs(600);

/// What the configuration allows every token at most.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Ceiling {
    /// The limits of a token that sets none, and the highest that a token may set.
    pub limits: CallLimits,
    /// The longest time from now until a token ends; `None` if it need not end.
    pub max_lifetime: Option<Duration>,
}

/// Why a token is beyond the ceiling.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Excess {
    /// The token never ends.
    Endless(Duration),
    /// The token ends too late.
    TooLong(Duration),
    /// The token allows more calls in the long run.
    Rate(Rate),
    /// The token allows more calls at once.
    Burst(u32),
    /// The token allows more calls in progress.
    Concurrent(u32),
    /// The token allows larger bodies.
    MaxBody(u64),
}

impl Ceiling {
    /// Lists what a token has beyond the ceiling at a time, in milliseconds since 1970 UTC. A revoked token has nothing.
    ///
    /// A token that is within the ceiling stays within it: only the time until it ends depends on the present, and becomes
    /// shorter.
    pub fn excesses(&self, token: &Attributes, now_ms: i64) -> Vec<Excess> {
        if token.revoked {
            return Vec::new();
        }
        let (own, most) = (token.limits, self.limits);
        let count = |own: Option<std::num::NonZeroU32>, most: Option<std::num::NonZeroU32>| {
            own.zip(most)
                .filter(|(own, most)| own > most)
                .map(|(_, most)| most.get())
        };
        let rates = own.rate.zip(most.rate).filter(|(own, most)| own.exceeds(*most));
        let bodies = own.max_body.zip(most.max_body).filter(|(own, most)| own > most);
        [
            self.life(token.expires, now_ms),
            rates.map(|(_, most)| Excess::Rate(most)),
            count(own.whole_burst(), most.whole_burst()).map(Excess::Burst),
            count(own.concurrent, most.concurrent).map(Excess::Concurrent),
            bodies.map(|(_, most)| Excess::MaxBody(most)),
        ]
        .into_iter()
        .flatten()
        .collect()
    }

    fn life(&self, expires: Option<i64>, now_ms: i64) -> Option<Excess> {
        let most = self.max_lifetime?;
        let Some(expires) = expires else {
            return Some(Excess::Endless(most));
        };
        let allowed = most.saturating_add(CLOCKS_DIFFER).as_millis();
        let latest = now_ms.saturating_add(i64::try_from(allowed).unwrap_or(i64::MAX));
        (expires > latest).then_some(Excess::TooLong(most))
    }
}

/// The tokens of a program that are beyond the ceiling, by name, and why.
#[must_use]
pub fn excesses(program: &Program, ceiling: &Ceiling, now_ms: i64) -> Vec<(String, Excess)> {
    let tokens = program.tokens().flat_map(|(_, token)| {
        let excesses = ceiling.excesses(&token.attributes, now_ms).into_iter();
        excesses.map(|excess| (token.name.clone(), excess))
    });
    tokens.collect()
}

/// The findings that report `excesses`, at the tokens' keys.
#[must_use]
pub fn report(excesses: &[(String, Excess)], sources: &SourceSet) -> Vec<Diagnostic> {
    let mut diagnostics = Vec::new();
    for token in tokens::read_all(sources, &mut Vec::new()) {
        let Some(name) = token.name.as_ref().map(|name| &name.value) else {
            continue;
        };
        for (_, excess) in excesses.iter().filter(|(beyond, _)| beyond == name) {
            let finding = Diagnostic::new(excess.code(), excess.place(&token), format!("`{name}` {excess}"));
            diagnostics.push(finding.help(excess.help()));
        }
    }
    diagnostics
}

impl Excess {
    fn code(self) -> Code {
        match self {
            Self::Endless(_) | Self::TooLong(_) => Code::TooLongLife,
            Self::Rate(_) | Self::Burst(_) | Self::Concurrent(_) | Self::MaxBody(_) => Code::OverCeiling,
        }
    }

    fn place(self, token: &TokenDef) -> Span {
        let key = match self {
            Self::Endless(_) | Self::TooLong(_) => token.expires.as_ref().map(|at| at.span),
            Self::Rate(_) => token.rate.as_ref().map(|at| at.span),
            // Without the key, the burst is that of the rate.
            Self::Burst(_) => {
                let burst = token.burst.as_ref().map(|at| at.span);
                burst.or_else(|| token.rate.as_ref().map(|at| at.span))
            }
            Self::Concurrent(_) => token.concurrent.as_ref().map(|at| at.span),
            Self::MaxBody(_) => token.max_body.as_ref().map(|at| at.span),
        };
        key.unwrap_or(token.span)
    }

    fn help(self) -> String {
        match self {
            Self::Endless(most) | Self::TooLong(most) => format!(
                "set `expires` to at most {} from now; `tokenward token new` does this by default",
                units::shown_duration(most)
            ),
            Self::Rate(_) | Self::Burst(_) | Self::Concurrent(_) | Self::MaxBody(_) => {
                "lower the value, or remove the key: the limit of the configuration then applies".to_owned()
            }
        }
    }
}

impl fmt::Display for Excess {
    /// The end of a sentence that begins with the token's name.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Endless(most) => write!(
                f,
                "never expires, but [tokens] max_lifetime is {}",
                units::shown_duration(*most)
            ),
            Self::TooLong(most) => write!(
                f,
                "expires more than {} from now, which is [tokens] max_lifetime",
                units::shown_duration(*most)
            ),
            Self::Rate(most) => write!(f, "has a higher rate than [tokens] allows, {most}"),
            Self::Burst(most) => write!(f, "has a larger burst than [tokens] allows, {most}"),
            Self::Concurrent(most) => write!(f, "has more concurrent calls than [tokens] allows, {most}"),
            Self::MaxBody(most) => write!(
                f,
                "has a larger max_body than [tokens] allows, {}",
                units::shown_size(*most)
            ),
        }
    }
}
