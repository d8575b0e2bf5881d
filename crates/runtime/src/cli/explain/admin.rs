//! The explanation of the running proxy.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokenward_pdp::config::{Config, reading};
use tokenward_pdp::explain::{Question, Report, Scheme, Shown};
use tokenward_pdp::request::{self, Credentials, TOKEN_PREFIX};
use tokenward_pdp::secret::{self, shown_hash};

use crate::cli::failure::Failure;
use crate::cli::operator;

/// Asks the running proxy. The secret stays here: the proxy gets its hash.
pub(super) fn ask(mut question: Question, config: &Config) -> Result<Report, Failure> {
    if !tokenward_audit::in_use(&config.audit.path) {
        return Err(Failure::Trouble(
            "no proxy is running with this configuration; remove --admin to use the policy files".to_owned(),
        ));
    }
    if let Some((shown, secret)) = credentials(&question, config)? {
        question.shown = Some(shown);
        question
            .headers
            .retain(|(name, _)| !name.eq_ignore_ascii_case("authorization"));
        if bears(&question, &secret) {
            return Err(Failure::Usage(
                "the secret is also outside the Authorization header, and the proxy refuses such requests; remove --admin to see how"
                    .to_owned(),
            ));
        }
    }
    if bears(&question, TOKEN_PREFIX) {
        return Err(Failure::Usage(
            "the request has a secret outside the Authorization header; remove --admin to explain it"
                .to_owned(),
        ));
    }
    let order = serde_json::to_value(&question).map_err(Failure::trouble)?;
    let told = operator::post(config, "/v1/explain", &order)?;
    serde_json::from_value(told).map_err(|_| {
        Failure::Trouble(
            "this version does not understand the proxy's response; use the same version as the proxy"
                .to_owned(),
        )
    })
}

/// The credentials of the request without the secret, and the secret.
fn credentials(question: &Question, config: &Config) -> Result<Option<(Shown, String)>, Failure> {
    let rules = reading::rules(config)?;
    let Ok(head) = question.head(rules.head_limits()) else {
        return Ok(None);
    };
    let fields = head.fields();
    let of = |scheme, user: Option<&String>, secret: &String| {
        let secret_hash = shown_hash(&secret::hash(secret));
        let shown = Shown {
            scheme,
            user: user.cloned(),
            secret_hash,
        };
        Ok(Some((shown, secret.clone())))
    };
    match &request::read(&head.raw(&fields), &rules).credentials {
        Credentials::None => Ok(None),
        Credentials::Basic { user, secret } => of(Scheme::Basic, Some(user), secret),
        Credentials::Bearer { secret } => of(Scheme::Bearer, None, secret),
        Credentials::Switched { .. } | Credentials::Malformed | Credentials::OtherScheme => Err(Failure::Usage(
            "with --admin, credentials must be one Authorization header with Basic or Bearer; leave out --admin to explain others"
                .to_owned(),
        )),
    }
}

/// Whether the text stands anywhere in the question.
fn bears(question: &Question, text: &str) -> bool {
    let body = STANDARD.decode(&question.body).unwrap_or_default();
    let headers = question.headers.iter().flat_map(|(name, value)| [name, value]);
    headers
        .chain([&question.method, &question.target, &question.token])
        .any(|part| part.contains(text))
        || memchr::memmem::find(&body, text.as_bytes()).is_some()
}
