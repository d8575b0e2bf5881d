//! Judges requests as the proxy does, by a policy and a configuration.

use std::net::IpAddr;

use tokenward_compiler::BaseUrl;
use tokenward_compiler::analysis::Request;
use tokenward_compiler::call_limits::CallLimits;
use tokenward_compiler::ir::{Program, Token, Users};

use crate::auth::AuthRules;
use crate::config::Config;
use crate::config::reading;
use crate::explain::{Incomplete, Judge, Question, Report};
use crate::request::{Rules, RulesError};
use crate::words::Help;

/// The inputs of a decision that come from the configuration.
///
/// State of a running proxy does not count: revocations that are in no file, credentials of the upstream, used-up rates.
pub struct Bench {
    rules: Rules,
    auth: AuthRules,
    limits: CallLimits,
    cors_origins: Vec<String>,
    inspect_bytes: usize,
    body_bytes: u64,
    /// The public URL.
    pub base: BaseUrl,
    /// Whether the product merges query and body.
    pub merges: bool,
    /// The time of tests that name none, ms UTC.
    pub now_ms: i64,
}

impl Bench {
    /// # Errors
    /// The configuration contains an invalid name or path.
    pub fn new(config: &Config, now_ms: i64) -> Result<Self, RulesError> {
        Ok(Self {
            rules: reading::rules(config)?,
            auth: AuthRules::new(Help::of(config), &config.auth.never_act_as),
            limits: config.tokens.limits,
            cors_origins: config.answers.cors_origins.clone(),
            inspect_bytes: config.limits.inspect_bytes,
            body_bytes: config.limits.body_bytes.unwrap_or(u64::MAX),
            base: config.upstream.public_url.clone(),
            merges: config.upstream.product.merges(),
            now_ms,
        })
    }

    /// Judges a request by a bound program.
    ///
    /// # Errors
    /// The question lacks something that the answer depends on.
    pub fn judge(&self, program: &Program, question: &Question) -> Result<Report, Incomplete> {
        self.as_judge().explain(program, question)
    }

    /// The judge with these inputs.
    pub fn as_judge(&self) -> Judge<'_> {
        Judge {
            rules: &self.rules,
            auth: &self.auth,
            lacks_identity: &|_| false,
            cors_origins: &self.cors_origins,
            inspect_bytes: self.inspect_bytes,
            body_bytes: self.body_bytes,
            limits: self.limits,
            is_refused: &|_| false,
            is_revoked: &|_| false,
            now_ms: self.now_ms,
        }
    }

    /// The question about a request that a proof found, from a caller for whom the token works.
    pub fn question(&self, token: &Token, request: &Request) -> Question {
        let mut headers = vec![("Host".to_owned(), self.base.authority().to_owned())];
        let content = request.body.content();
        if let Some((media, text)) = &content {
            headers.push(("Content-Type".to_owned(), (*media).to_owned()));
            headers.push(("Content-Length".to_owned(), text.len().to_string()));
        }
        let (user, client) = caller(token);
        Question {
            token: token.name.clone(),
            user,
            client,
            time_ms: Some(self.now_ms),
            method: request.method_name().to_owned(),
            target: format!("{}{}", self.base.path(), request.target()),
            headers,
            ..Question::default()
        }
        .with_body(content.map_or_else(String::new, |(_, text)| text).as_bytes())
    }

    /// Whether no request of the token can be allowed any more.
    pub fn has_ended(&self, token: &Token) -> bool {
        token.revoked || token.expires.is_some_and(|expires| expires <= self.now_ms)
    }
}

/// A user and an address for whom a token works; `None` for the only user, and for any address.
pub(crate) fn caller(token: &Token) -> (Option<String>, Option<IpAddr>) {
    let user = match &token.users {
        Users::Named(users) if users.len() == 1 => None,
        Users::Named(users) => users.first().cloned(),
        Users::Any => Some("someone".to_owned()),
    };
    let client = token.allowed_ips.first().map(ipnet::IpNet::addr);
    (user, client)
}
