//! The requests that a proxy with a configuration forwards, judged by the proxy's own code.

use std::sync::Arc;

use tokenward_compiler::analysis::{Asked, NameRefusals, Obstacle, Proxied, Proxy, Request};

use crate::Unanswered;
use crate::ambiguity::refusals::Refusals;
use crate::config::Config;
use crate::config::reading;
use crate::config::universe::serving;
use crate::rehearse::{Unsent, by_lines, rehearsed};
use crate::request::{Framing, Needs, RawHead, Reason, Rules, RulesError, Version};

/// Stands for the line that denies a request if the policy refuses it.
pub const REFUSED: &str = "no line (the body is refused: a name in it is ambiguous)";

/// Returns the requests that a proxy with this configuration forwards.
pub fn proxied(config: &Config) -> Result<Proxied, Unanswered> {
    Proxied::new(&serving(config), Arc::new(Judge::of(config)?)).map_err(Unanswered::proof)
}

/// Explains that the proxy does not forward a request as it is configured; `None` if it does.
pub fn not_forwarded(obstacles: &[Obstacle]) -> Option<String> {
    (!obstacles.is_empty()).then(|| format!("the proxy forwards it {}", Obstacle::describe(obstacles)))
}

/// Judges requests by the reading of the proxy.
pub struct Judge {
    rules: Rules,
    names: Option<Refusals>,
}

impl Proxy for Judge {
    fn obstacles(&self, asked: Asked<'_>, request: &Request) -> Vec<Obstacle> {
        let base = self.rules.base();
        let target = format!("{}{}", base.path(), request.target());
        let (media, body) = request.body.content().unzip();
        let body = body.unwrap_or_default();
        let length = body.len().to_string();
        let mut headers: Vec<(&[u8], &[u8])> = vec![(b"host", base.authority().as_bytes())];
        if let Some(media) = media {
            headers.push((b"content-type", media.as_bytes()));
            headers.push((b"content-length", length.as_bytes()));
        }
        let raw = RawHead {
            method: request.method_name(),
            target: target.as_bytes(),
            version: Version::Http11,
            headers: &headers,
            authority: None,
            body: media.map_or(Framing::None, |_| Framing::Length(body.len() as u64)),
        };
        let read = rehearsed(&self.rules, (asked.mint, asked.escalate), &raw);
        let judged = read.and_then(|canonical| match asked.lines {
            Some((program, token)) => by_lines(program, &self.rules, token, &canonical, body.as_bytes()),
            None => Ok(()),
        });
        match judged {
            Ok(()) => Vec::new(),
            Err(Unsent::Refused(reason)) => vec![match self.setting(reason, request) {
                Some(setting) => Obstacle::Setting(setting.to_owned()),
                None => Obstacle::Refused(reason.code().to_owned()),
            }],
            Err(Unsent::Lacks(needs)) => self.keys(needs, &raw),
            Err(Unsent::Own) => vec![Obstacle::Refused("own-page".to_owned())],
            Err(Unsent::Body) => vec![Obstacle::Refused("body".to_owned())],
            Err(Unsent::Credentials(name)) => {
                vec![Obstacle::Setting(self.rules.setting_of_member(&name).to_owned())]
            }
            // The lines allow the request with the parameter, which the proxy takes out.
            Err(Unsent::Denied)
                if request
                    .query
                    .iter()
                    .any(|(name, _)| self.rules.is_token_parameter(name)) =>
            {
                vec![Obstacle::Setting("auth.query_parameter".to_owned())]
            }
            Err(Unsent::Denied) => vec![Obstacle::Refused("no-line".to_owned())],
        }
    }

    fn refuses_parameter(&self, name: &str) -> bool {
        self.rules.refuses_parameter(name)
    }

    fn names(&self) -> Option<&dyn NameRefusals> {
        self.names.as_ref().map(|names| names as &dyn NameRefusals)
    }
}

impl Judge {
    /// # Errors
    /// The configuration contains an invalid name or path.
    pub fn of(config: &Config) -> Result<Self, RulesError> {
        let rules = reading::rules(config)?;
        Ok(Self {
            names: Refusals::new(&rules),
            rules,
        })
    }

    /// The setting that lifts a refusal of a request.
    fn setting(&self, reason: Reason, request: &Request) -> Option<&'static str> {
        let mut names = request.query.iter().map(|(name, _)| name);
        let of_parameter = match reason {
            Reason::CredentialParameter => names.find_map(|name| self.rules.setting_of_parameter(name)),
            _ => None,
        };
        of_parameter.or(reason.setting())
    }

    /// The keys that a token lacks for a request, each with the pattern of a call that needs it.
    fn keys(&self, lacking: Needs, raw: &RawHead<'_>) -> Vec<Obstacle> {
        // Read again with every key.
        let canonical = rehearsed(&self.rules, (true, true), raw);
        let calls = canonical.map_or_else(|_| Vec::new(), |canonical| self.rules.needing(&canonical));
        let key = |key, needs: fn(&Needs) -> bool| {
            needs(&lacking).then(|| Obstacle::Key {
                key,
                call: calls
                    .iter()
                    .find(|(_, needed)| needs(needed))
                    .map(|(path, _)| (*path).to_owned()),
            })
        };
        let keys = [
            key("mint", |needs| needs.mint),
            key("escalate", |needs| needs.escalate),
        ];
        keys.into_iter().flatten().collect()
    }
}

#[cfg(test)]
mod tests;
