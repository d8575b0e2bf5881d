//! The last denials of each token and user, for `/.tokenward/self`. They are kept in memory only, and a restart loses them.
//!
//! Memory is bounded: at most [`TOKENS`] tokens, [`USERS`] users of one token and [`EACH`] denials of one user. The ones that were
//! not denied for the longest time make room.

use std::collections::{HashMap, VecDeque};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokenward_pdp::problem::{Problem, Shortfall};
use tokenward_pdp::secret::SecretHash;
use tokenward_pdp::text::{SHORT, bounded, bounded_owned, time};

use crate::call::{Call, RequestId};

/// Maximum number of tokens.
const TOKENS: usize = 256;
/// Maximum number of users of one token.
const USERS: usize = 8;
/// Maximum number of denials of one user.
const EACH: usize = 10;

/// A denial, as the token's own page shows it. It holds no value of the request.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(super) struct Denial {
    pub(super) time: String,
    pub(super) request_id: String,
    pub(super) status: u16,
    pub(super) reason: &'static str,
    pub(super) method: String,
    /// URL without its query, secrets masked.
    pub(super) url: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) policy_line: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) failed: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) found: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) unread: Option<String>,
}

/// A denial as it is kept. Few are ever shown, so that its texts are written only for the page.
#[derive(Clone, Debug)]
pub(super) struct Noted {
    time_ms: i64,
    id: RequestId,
    status: u16,
    reason: &'static str,
    method: String,
    /// As in [`Denial::url`].
    url: String,
    /// The forbid line that matched.
    forbids: Option<String>,
    /// The nearest line, if no line matched.
    lacking: Option<Arc<Shortfall>>,
    unread: Option<String>,
}

impl Noted {
    /// Makes the entry of a call that was refused with this problem. The query and all values are left out; policy text is
    /// only there if callers are shown it.
    pub(super) fn new(call: &Call, problem: &Problem, status: u16, show_policy: bool) -> Self {
        let lacking = call.evidence.lacking.clone().filter(|_| show_policy);
        let forbids = call.line.filter(|_| show_policy).map(|line| {
            let line = call.live.program().line(line);
            bounded_owned(format!("{}:{}: {}", line.file, line.number, line.text), SHORT)
        });
        let path = call.url().split('?').next().unwrap_or_default();
        Self {
            time_ms: call.time_ms(),
            id: call.id,
            status,
            reason: problem.code(),
            method: bounded(call.method(), SHORT),
            url: bounded(path, SHORT),
            forbids,
            lacking,
            unread: call.evidence.unread.as_deref().map(|why| bounded(why, SHORT)),
        }
    }

    /// The entry, as the page shows it.
    fn shown(&self) -> Denial {
        let lacking = self.lacking.as_deref();
        let of_lacking = || lacking.map(|lacking| bounded_owned(lacking.shown_line(), SHORT));
        Denial {
            time: time(self.time_ms),
            request_id: self.id.to_string(),
            status: self.status,
            reason: self.reason,
            method: self.method.clone(),
            url: self.url.clone(),
            policy_line: self.forbids.clone().or_else(of_lacking),
            failed: lacking.map(|lacking| lacking.condition.clone()),
            found: lacking.map(|lacking| lacking.found.clone()),
            unread: self.unread.clone(),
        }
    }
}

/// The last denials of all tokens.
#[derive(Debug, Default)]
pub(crate) struct Denials(Mutex<Kept>);

#[derive(Debug, Default)]
struct Kept {
    /// By the hash of the token's secret, so that a new token of the same name does not show them.
    tokens: HashMap<SecretHash, OfToken>,
    clock: u64,
}

#[derive(Debug, Default)]
struct OfToken {
    users: Vec<OfUser>,
    touched: u64,
}

#[derive(Debug)]
struct OfUser {
    user: String,
    denials: VecDeque<Noted>,
    touched: u64,
}

impl Denials {
    /// Adds a denial of this token and user.
    pub(super) fn add(&self, token: SecretHash, user: &str, denial: Noted) {
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        kept.clock += 1;
        let now = kept.clock;
        if kept.tokens.len() >= TOKENS && !kept.tokens.contains_key(&token) {
            let oldest = kept.tokens.iter().min_by_key(|(_, of)| of.touched);
            if let Some(oldest) = oldest.map(|(token, _)| *token) {
                kept.tokens.remove(&oldest);
            }
        }
        let of_token = kept.tokens.entry(token).or_default();
        of_token.touched = now;
        if let Some(of_user) = of_token.user(user) {
            of_user.touched = now;
            of_user.denials.push_front(denial);
            of_user.denials.truncate(EACH);
        }
    }

    /// Gives the last denials of this token and user, the newest first.
    pub(super) fn of(&self, token: &SecretHash, user: &str) -> Vec<Denial> {
        let kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let users = kept.tokens.get(token).map_or(&[][..], |of| &of.users);
        let of_user = users.iter().find(|of| of.user == user);
        of_user.map_or_else(Vec::new, |of| of.denials.iter().map(Noted::shown).collect())
    }
}

impl OfToken {
    /// The entry of a user; a new one takes the place of the oldest if there are too many.
    fn user(&mut self, user: &str) -> Option<&mut OfUser> {
        if !self.users.iter().any(|of| of.user == user) {
            if self.users.len() >= USERS {
                let oldest = self.users.iter().enumerate().min_by_key(|(_, of)| of.touched);
                let at = oldest.map_or(0, |(at, _)| at);
                self.users.swap_remove(at);
            }
            self.users.push(OfUser {
                user: user.to_owned(),
                denials: VecDeque::new(),
                touched: 0,
            });
        }
        self.users.iter_mut().find(|of| of.user == user)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn id(n: usize) -> RequestId {
        RequestId::from((n as u128).to_be_bytes())
    }

    fn denial(n: usize) -> Noted {
        Noted {
            time_ms: 0,
            id: id(n),
            status: 403,
            reason: "no-line",
            method: "GET".to_owned(),
            url: String::new(),
            forbids: None,
            lacking: None,
            unread: None,
        }
    }

    fn token(n: usize) -> SecretHash {
        let mut token = [0; 32];
        token[..8].copy_from_slice(&n.to_be_bytes());
        token
    }

    #[test]
    fn each_token_and_user_has_its_own_last_ones() {
        let denials = Denials::default();
        for n in 0..EACH + 3 {
            denials.add(token(1), "u", denial(n));
        }
        denials.add(token(1), "v", denial(100));
        denials.add(token(2), "u", denial(200));
        let of = |n, user| {
            denials
                .of(&token(n), user)
                .into_iter()
                .map(|of| of.request_id)
                .collect::<Vec<_>>()
        };
        assert_eq!(of(1, "u").len(), EACH);
        assert_eq!(of(1, "u")[0], id(EACH + 2).to_string());
        assert_eq!(
            (of(1, "v"), of(2, "u"), of(2, "v")),
            (vec![id(100).to_string()], vec![id(200).to_string()], Vec::new())
        );
    }

    #[test]
    fn memory_is_bounded_and_the_oldest_make_room() {
        let denials = Denials::default();
        for user in 0..USERS + 5 {
            denials.add(token(0), &user.to_string(), denial(user));
        }
        assert!(denials.of(&token(0), "4").is_empty());
        assert_eq!(denials.of(&token(0), "5").len(), 1);
        for n in 0..TOKENS + 5 {
            denials.add(token(n), "u", denial(n));
            // A token that is denied again is kept.
            denials.add(token(0), "u", denial(n));
        }
        let kept = denials.0.lock().unwrap();
        assert_eq!(kept.tokens.len(), TOKENS);
        assert!(kept.tokens.contains_key(&token(0)) && !kept.tokens.contains_key(&token(1)));
        assert!(kept.tokens.values().all(|of| of.users.len() <= USERS));
    }
}
