//! TW0501 and TW0502: tokens that have expired, or that will soon.

use jiff::Timestamp;

use super::{question::Settings, set::LintSet};
use crate::{
    diagnostic::{Code, Diagnostic},
    tokens::TokenDef,
};

/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

pub(super) fn check(token: &TokenDef, settings: Settings, found: &mut Vec<Diagnostic>) {
    let Some(expires) = &token.expires else { return };
    let name = token.name.as_ref().map_or("this token", |name| &name.value);
    let Ok(shown) = Timestamp::from_millisecond(expires.value) else {
        return;
    };
    let left = expires.value.saturating_sub(settings.now_ms);
    if left <= 0 {
        found.push(
            Diagnostic::new(
                Code::Expired,
                expires.span,
                format!("`{name}` expired on {shown}"),
            )
            .label("no call can use the token since then")
            .help("set a later `expires` if the token is still needed, or delete the token"),
        );
    } else if settings.set >= LintSet::Pedantic && left <= settings.expires_within_ms {
        let when = match left / DAY {
            0 => "in less than a day".to_owned(),
            1 => "in 1 day".to_owned(),
            days => format!("in {days} days"),
        };
        let headline = format!("`{name}` expires {when}, on {shown}");
        found.push(
            Diagnostic::new(Code::ExpiresSoon, expires.span, headline)
                .help("set a later `expires` if the token is still needed; `tokenward token rotate` gives it a new secret"),
        );
    }
}
