//! `[tokens]`: what every token is allowed at most, and all of them together.

use std::num::NonZeroU32;
use std::time::Duration;

use tokenward_compiler::call_limits::{CallLimits, Rate};
use tokenward_compiler::ceiling::Ceiling;
use toml::Spanned;
use toml::de::DeValue;

use super::fields::{Fields, Wrong};
use super::value;

/// What every token is allowed at most, and all of them together.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tokens {
    /// The limits of a token that sets none, and the highest that a token may set.
    pub limits: CallLimits,
    /// Limits of the calls of all tokens together.
    pub together: CallLimits,
    /// The longest time until a token ends; `None` if it need not end.
    pub max_lifetime: Option<Duration>,
}

impl Tokens {
    /// What the compiler checks each token for.
    #[must_use]
    pub fn ceiling(&self) -> Ceiling {
        Ceiling {
            limits: self.limits,
            max_lifetime: self.max_lifetime,
        }
    }
}

pub(super) fn tokens(it: &mut Fields<'_>) -> Tokens {
    let limits = CallLimits {
        max_body: it.optional("max_body", value::size_u64),
        ..calls(it)
    };
    Tokens {
        limits,
        max_lifetime: it.optional("max_lifetime", value::duration),
        together: it.section("together", calls),
    }
}

fn calls(it: &mut Fields<'_>) -> CallLimits {
    let limits = CallLimits {
        rate: it.optional("rate", rate),
        burst: it.optional("burst", count),
        concurrent: it.optional("concurrent", count),
        max_body: None,
    };
    // A rate with a wrong value has already been reported.
    let rate_is_known = limits.rate.is_some() || !it.has("rate");
    match limits.check() {
        Err(fault) if rate_is_known => {
            it.complain(&["burst", "rate"], fault.to_string());
            CallLimits::NONE
        }
        _ => limits,
    }
}

fn rate(value: &Spanned<DeValue<'_>>) -> Result<Rate, Wrong> {
    let given = value::text(value)?;
    given.parse::<Rate>().map_err(|error| {
        let near = error.near.map(|near| format!("; did you mean \"{near}\"?"));
        let expected = "must be a number of calls from 1 to 1000000, `/`, and a duration of at most 31d, such as \"600/1m\"";
        Wrong::at(value, format!("is \"{given}\"; it {expected}{}", near.unwrap_or_default()))
    })
}

fn count(value: &Spanned<DeValue<'_>>) -> Result<NonZeroU32, Wrong> {
    let number = value::count::<1, 1_000_000>(value)?;
    CallLimits::count(number.into()).ok_or_else(|| Wrong::at(value, "is out of range"))
}
