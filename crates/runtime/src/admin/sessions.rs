//! Sessions of the console: who has logged in with the secret, until when. They are in memory only, so that a restart, and with it
//! a changed secret, ends all of them.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use actix_web::HttpRequest;
use actix_web::http::header::COOKIE;
use ring::hmac;
use sha2::{Digest, Sha256};

/// Time after which a session without a request ends.
const IDLE: Duration = Duration::from_secs(30 * 60);
/// Time after which every session ends.
const LONGEST: Duration = Duration::from_secs(12 * 3600);
/// Maximum number of sessions. Another one replaces the one that was idle for longest.
const MOST: usize = 100;

/// The hash of a session's id. The id itself is only in the cookie.
pub(super) type SessionId = [u8; 32];

/// All sessions, and the key of the tokens in their forms.
pub(super) struct Sessions {
    table: Mutex<HashMap<SessionId, Session>>,
    key: hmac::Key,
    /// Name of the cookie.
    cookie: String,
    is_secure: bool,
}

struct Session {
    begun: Instant,
    seen: Instant,
}

impl Sessions {
    /// Makes the sessions of a listener. Browsers send cookies to all ports of a host, so the name has the port.
    pub(super) fn new(port: u16, is_secure: bool, key: &[u8; 32]) -> Self {
        let cookie = match is_secure {
            true => format!("__Host-tokenward-{port}"),
            false => format!("tokenward-{port}"),
        };
        Self {
            table: Mutex::default(),
            key: hmac::Key::new(hmac::HMAC_SHA256, key),
            cookie,
            is_secure,
        }
    }

    /// Begins a session, and gives the value of `Set-Cookie`.
    ///
    /// # Errors
    /// The system provides no random bytes.
    pub(super) fn begin(&self) -> Result<String, getrandom::Error> {
        let mut id = [0; 32];
        getrandom::fill(&mut id)?;
        let id = hex::encode(id);
        let now = Instant::now();
        let mut table = self.lock();
        table.retain(|_, session| !session.is_over(now));
        if table.len() >= MOST
            && let Some(oldest) = table
                .iter()
                .min_by_key(|(_, session)| session.seen)
                .map(|(id, _)| *id)
        {
            table.remove(&oldest);
        }
        table.insert(
            hash(&id),
            Session {
                begun: now,
                seen: now,
            },
        );
        Ok(self.set_cookie(&id, LONGEST))
    }

    /// Finds the running session of a request.
    pub(super) fn of(&self, request: &HttpRequest) -> Option<SessionId> {
        self.of_at(request, Instant::now())
    }

    fn of_at(&self, request: &HttpRequest, now: Instant) -> Option<SessionId> {
        let fields = request.headers().get_all(COOKIE);
        let pairs = fields
            .filter_map(|field| field.to_str().ok())
            .flat_map(|field| field.split(';'));
        let named = pairs.filter_map(|pair| pair.trim().split_once('='));
        let mut ids = named
            .filter(|(name, _)| *name == self.cookie)
            .map(|(_, id)| hash(id));
        // Another service of the host may have set a second one. Which of them is the listener's is not known.
        let (id, None) = (ids.next()?, ids.next()) else {
            return None;
        };
        let mut table = self.lock();
        let session = table.get_mut(&id)?;
        if session.is_over(now) {
            table.remove(&id);
            return None;
        }
        session.seen = now;
        Some(id)
    }

    /// Whether a session is still running. Asking is no request of its person, so that it does not prolong the session.
    pub(super) fn has(&self, id: &SessionId) -> bool {
        let table = self.lock();
        table
            .get(id)
            .is_some_and(|session| !session.is_over(Instant::now()))
    }

    /// Ends a session, and gives the value of `Set-Cookie` that removes the cookie.
    pub(super) fn end(&self, id: Option<SessionId>) -> String {
        if let Some(id) = id {
            self.lock().remove(&id);
        }
        self.set_cookie("", Duration::ZERO)
    }

    /// Makes the token of the forms of `subject`, such as a session.
    pub(super) fn form_token(&self, subject: &[u8]) -> String {
        hex::encode(hmac::sign(&self.key, subject))
    }

    /// Whether this is the token of the forms of `subject`. The time reveals nothing.
    pub(super) fn is_form_token(&self, subject: &[u8], token: &str) -> bool {
        hex::decode(token).is_ok_and(|token| hmac::verify(&self.key, subject, &token).is_ok())
    }

    fn set_cookie(&self, value: &str, age: Duration) -> String {
        let secure = if self.is_secure { "; Secure" } else { "" };
        let (name, age) = (&self.cookie, age.as_secs());
        format!("{name}={value}; Path=/; Max-Age={age}; HttpOnly; SameSite=Strict{secure}")
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<SessionId, Session>> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Session {
    fn is_over(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.begun) >= LONGEST
            || now.saturating_duration_since(self.seen) >= IDLE
    }
}

/// Only hashes are kept, so that comparing them reveals nothing about an id, and neither does the memory.
fn hash(id: &str) -> SessionId {
    Sha256::digest(id.as_bytes()).into()
}

#[cfg(test)]
mod tests {
    use actix_web::test::TestRequest;

    use super::*;

    fn request(cookie: &str) -> HttpRequest {
        TestRequest::default()
            .insert_header((COOKIE, cookie))
            .to_http_request()
    }

    fn pair(set: &str) -> String {
        set.split(';').next().unwrap().to_owned()
    }

    #[test]
    fn a_session_ends_when_idle_when_old_and_at_logout() {
        let sessions = Sessions::new(8081, false, &[7; 32]);
        let begun = Instant::now();
        let cookie = pair(&sessions.begin().unwrap());
        let own = request(&format!("a=b; {cookie}"));
        let id = sessions.of(&own).unwrap();
        assert!(
            sessions
                .of_at(&own, begun + IDLE - Duration::from_secs(1))
                .is_some()
        );
        assert!(sessions.of_at(&own, begun + IDLE * 2).is_none());
        let cookie = pair(&sessions.begin().unwrap());
        let own = request(&cookie);
        let mut at = Instant::now();
        for _ in 0..23 {
            at += IDLE - Duration::from_secs(1);
            assert!(sessions.of_at(&own, at).is_some());
        }
        assert!(
            sessions
                .of_at(&own, begun + LONGEST + Duration::from_secs(60))
                .is_none()
        );
        let own = request(&pair(&sessions.begin().unwrap()));
        let last = sessions.of(&own);
        assert!(last.is_some() && last != Some(id));
        assert!(last.is_some_and(|last| sessions.has(&last)));
        assert!(sessions.end(last).contains("Max-Age=0"));
        assert!(last.is_some_and(|last| !sessions.has(&last)));
        assert_eq!(sessions.of(&own), None);
    }

    #[test]
    fn unknown_and_doubled_cookies_are_no_session() {
        let sessions = Sessions::new(8081, false, &[7; 32]);
        let cookie = pair(&sessions.begin().unwrap());
        for wrong in [
            "",
            "tokenward-8081=",
            "tokenward-8081=00",
            &cookie.replace("8081", "8082"),
        ] {
            assert_eq!(sessions.of(&request(wrong)), None, "{wrong}");
        }
        assert_eq!(
            sessions.of(&request(&format!("{cookie}; tokenward-8081=x"))),
            None
        );
    }

    #[test]
    fn their_number_is_bounded() {
        let sessions = Sessions::new(8081, false, &[7; 32]);
        let first = pair(&sessions.begin().unwrap());
        let others: Vec<String> = (0..MOST).map(|_| pair(&sessions.begin().unwrap())).collect();
        assert_eq!(sessions.of(&request(&first)), None);
        assert!(
            others
                .iter()
                .all(|cookie| sessions.of(&request(cookie)).is_some())
        );
    }

    #[test]
    fn a_cookie_over_tls_is_bound_to_the_host() {
        let set = Sessions::new(443, true, &[7; 32]).begin().unwrap();
        assert!(
            set.starts_with("__Host-tokenward-443=") && set.ends_with("; Secure"),
            "{set}"
        );
        assert!(set.contains("Path=/") && set.contains("HttpOnly") && set.contains("SameSite=Strict"));
        assert!(!set.contains("Domain"));
    }

    #[test]
    fn a_form_token_is_that_of_one_subject() {
        let sessions = Sessions::new(8081, false, &[7; 32]);
        let token = sessions.form_token(b"one");
        assert!(sessions.is_form_token(b"one", &token));
        assert!(!sessions.is_form_token(b"two", &token));
        let mut changed = token.clone();
        changed.replace_range(..1, if token.starts_with('0') { "1" } else { "0" });
        let cut: String = token.chars().skip(1).collect();
        for wrong in ["", "00", &cut, &changed] {
            assert!(!sessions.is_form_token(b"one", wrong), "{wrong}");
        }
        assert!(!Sessions::new(8081, false, &[8; 32]).is_form_token(b"one", &token));
    }
}
