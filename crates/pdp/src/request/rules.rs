//! Rules for reading requests, made of the configuration and the product's preset for fast look-ups.

use std::borrow::Cow;
use std::collections::{HashMap, HashSet};
use std::sync::Arc;

use tokenward_compiler::{BaseUrl, json};

use super::call_index::CallIndex;
use super::disposition::Disposition;
use super::dispositions::Dispositions;
use super::endpoint::{Endpoint, endpoints};
use super::mask::Mask;
use super::name_hash::NameHash;
use super::parameter_paths::{Step, is_plain, parameter_paths};
use super::product::{Preset, Product};
use super::query::{self, Pair, first_name, underscored};
use super::raw::is_token;
use super::secrets::Secrets;
use super::settings::{RulesError, Settings};
use super::{Canonical, Media, Needs, Reason, Refusal, Relax};
use crate::buffers::TextBuffer;

/// Rules for reading requests. They are created once, and cheap to share in an `Arc`.
#[derive(Clone)]
pub struct Rules {
    settings: Settings,
    preset: &'static Preset,
    calls: Arc<CallIndex>,
    endpoints: Vec<Endpoint>,
    dispositions: Dispositions,
    /// First names of refused parameters, each with the reason.
    parameters: HashMap<String, Reason, NameHash>,
    members: Vec<json::Path>,
    mask: Mask,
    base_path: String,
}

impl std::fmt::Debug for Rules {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rules")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Parameters by which frameworks execute another method than the request line's.
const METHOD_PARAMETERS: &[&str] = &[
    "_method",
    "_httpmethod",
    "_http_method",
    "http_method_override",
    "x-http-method",
    "x-http-method-override",
    "x-method-override",
];

impl Rules {
    /// Creates the rules from the settings.
    ///
    /// # Errors
    /// The settings contain an invalid pattern, path or name.
    pub fn new(settings: &Settings) -> Result<Self, RulesError> {
        let preset = settings.product.preset();
        let lower = |names: &[String]| names.iter().map(|name| name.to_lowercase()).collect::<Vec<_>>();
        let accepted: HashSet<String> = lower(&settings.accepted_names).into_iter().collect();

        // A header may be named `X-*`, but who writes this means every one of them.
        let named = [
            &settings.identity_headers,
            &settings.refused_headers,
            &settings.refused_parameters,
            &settings.accepted_names,
        ];
        if let Some(name) = named.into_iter().flatten().find(|name| name.contains('*')) {
            return Err(RulesError::Wildcard(name.clone()));
        }

        // Headers: those of identity and refused ones get a disposition by name.
        let mut identity = lower(&settings.identity_headers);
        if settings.product_header {
            let header = preset
                .token_header
                .ok_or(RulesError::NoTokenHeader(settings.product.name()))?;
            identity.push(header.to_owned());
        }
        let refused_headers = lower(&settings.refused_headers);
        for name in identity.iter().chain(&refused_headers) {
            if !is_token(name.as_bytes()) {
                return Err(RulesError::Header(name.clone()));
            }
        }
        let dispositions = Dispositions::new(
            identity.iter().map(String::as_str),
            refused_headers
                .iter()
                .map(String::as_str)
                .chain(preset.headers.iter().copied()),
            accepted.clone(),
        );

        // Parameters: the product's and the configured ones are refused, unless they are accepted.
        let more = lower(&settings.refused_parameters);
        let named = preset
            .parameters
            .iter()
            .copied()
            .chain(more.iter().map(String::as_str));
        let credentials: Vec<&str> = named.filter(|name| !accepted.contains(*name)).collect();
        if let Some(bad) = credentials
            .iter()
            .chain(settings.query_token.as_deref().iter())
            .find(|name| name.is_empty())
        {
            return Err(RulesError::Parameter((*bad).to_owned()));
        }
        let mut parameters: HashMap<String, Reason, NameHash> = credentials
            .iter()
            .map(|name| (first_name(name).into_owned(), Reason::CredentialParameter))
            .collect();
        // Only the exact name is read; other readers may treat `token[]` as the same name.
        parameters.extend(
            settings
                .query_token
                .iter()
                .map(|name| (first_name(name).into_owned(), Reason::CredentialParameter)),
        );
        parameters.extend(
            METHOD_PARAMETERS
                .iter()
                .map(|name| ((*name).to_owned(), Reason::MethodParameter)),
        );

        // Members of JSON bodies: the same for the root of a body.
        let more = lower(&settings.refused_members);
        let members = preset
            .members
            .iter()
            .copied()
            .chain(more.iter().map(String::as_str));
        // Laravel executes the method that a JSON body names.
        let methods: &[&str] = if preset.merges { METHOD_PARAMETERS } else { &[] };
        let members = members
            .filter(|name| !accepted.contains(*name))
            .chain(methods.iter().copied())
            .map(|name| json::Path(vec![json::Step::Name(name.to_owned())]))
            .collect();

        // Masks: the prefix must be long enough that ordinary text does not contain it.
        let prefix = &settings.token_prefix;
        if prefix.len() < 3
            || !prefix
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        {
            return Err(RulesError::Prefix(prefix.clone()));
        }
        let secret_names = preset
            .parameters
            .iter()
            .copied()
            .chain(credentials.iter().copied());
        let mask = Mask::new(
            prefix,
            secret_names
                .chain(settings.query_token.as_deref())
                .filter(|name| shown_masked(name)),
            &settings.kept,
        );

        Ok(Self {
            endpoints: endpoints(settings, preset)?,
            base_path: upstream_path(settings)?,
            settings: settings.clone(),
            preset,
            calls: Arc::new(settings.product.giving_calls()),
            dispositions,
            parameters,
            members,
            mask,
        })
    }

    /// Returns the keys that a token needs for the request, in addition to a line that allows it: `mint` if the request
    /// creates or shows credentials, `escalate` if it gives rights. The spelling of the path does not matter.
    #[must_use]
    pub fn needs(&self, request: &Canonical) -> Needs {
        self.calls.needs(request.method, &request.path)
    }

    /// Returns the patterns of the calls by which the request needs keys, each with its keys.
    pub fn needing(&self, request: &Canonical) -> Vec<(&'static str, Needs)> {
        let mut found = Vec::new();
        self.calls.each(request.method, &request.path, &mut |entry| {
            found.push((entry.call.path(), entry.group.class.needs()));
        });
        found
    }

    /// Returns the effect of a call that needs these keys, as a clause after "the call", if it is known.
    pub fn effect(&self, request: &Canonical, needs: Needs) -> Option<String> {
        let mut effect = None;
        self.calls.each(request.method, &request.path, &mut |entry| {
            let needed = entry.group.class.needs();
            if effect.is_none() && (needed.mint && needs.mint || needed.escalate && needs.escalate) {
                effect = Some(entry.group.reason);
            }
        });
        effect.map(|reason| {
            let mut letters = reason.chars();
            let first = letters.next().map(|letter| letter.to_ascii_lowercase());
            first.into_iter().chain(letters).collect()
        })
    }

    /// Whether the upstream merges members of JSON bodies, and forms, with the query's parameters.
    #[must_use]
    pub fn merges(&self) -> bool {
        self.preset.merges
    }

    /// Whether the request's body is a form that must be read and passed to `check_form`, since its fields may reach
    /// the upstream as parameters.
    #[must_use]
    pub fn reads_form(&self, request: &Canonical) -> bool {
        request.body.has_body() && request.media == Media::Form
    }

    /// Top-level nodes in which the upstream reads credentials, another identity or another method (`names_method`). A
    /// JSON body with one of them is refused. If the list is empty, no body needs to be read for it.
    #[must_use]
    pub(crate) fn refused_nodes(&self) -> &[json::Path] {
        &self.members
    }

    /// Whether frameworks execute the method that a parameter of this name contains.
    #[must_use]
    pub(crate) fn names_method(&self, name: &str) -> bool {
        METHOD_PARAMETERS.contains(&name)
    }

    /// Returns the product at the upstream.
    #[must_use]
    pub fn product(&self) -> Product {
        self.settings.product
    }

    /// Returns the public URL.
    #[must_use]
    pub fn base(&self) -> &BaseUrl {
        &self.settings.base
    }

    /// Returns the largest head that is read: its bytes, and its number of fields.
    pub fn head_limits(&self) -> (usize, usize) {
        (self.settings.head_bytes, self.settings.header_count)
    }

    pub(super) fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(super) fn relax(&self) -> &Relax {
        &self.settings.relax
    }

    pub(super) fn merges_xml(&self) -> bool {
        self.preset.merges_xml
    }

    pub(super) fn dispositions(&self) -> &Dispositions {
        &self.dispositions
    }

    /// Whether the header, named in lower case, has credentials for the upstream.
    pub(super) fn is_credential_header(&self, name: &str) -> bool {
        self.dispositions.is_credential(name)
    }

    pub(super) fn disposition(&self, name: &str) -> Disposition {
        self.dispositions.of(name)
    }

    /// Returns the product's token header, if it is read as Tokenward's.
    pub(super) fn product_header(&self) -> Option<&'static str> {
        self.preset.token_header.filter(|_| self.settings.product_header)
    }

    /// Returns the further schemes that carry the bare token, in lower case.
    pub(super) fn schemes(&self) -> &[String] {
        &self.settings.schemes
    }

    /// Returns the context path at the upstream.
    pub(super) fn upstream_path(&self) -> &str {
        &self.base_path
    }

    pub(super) fn serves(&self, path: &str) -> bool {
        self.endpoints.iter().any(|endpoint| endpoint.serves(path))
    }

    /// Whether a request with this parameter is refused, since it carries credentials or a method.
    #[must_use]
    pub fn refuses_parameter(&self, name: &str) -> bool {
        self.known_parameter(name).is_some()
    }

    /// Returns the refusal of the parameter, if it is refused, with the name by which the product knows it.
    pub(super) fn refused_parameter(&self, name: &str) -> Option<Refusal> {
        let (known, reason) = self.known_parameter(name)?;
        Some(Refusal::of_parameter(*reason, known))
    }

    fn known_parameter(&self, name: &str) -> Option<(&String, &Reason)> {
        let filed = [first_name(name), underscored(name)];
        let usual = filed
            .iter()
            .find_map(|name| self.parameters.get_key_value(&**name));
        if usual.is_some() || !self.merges() || is_plain(name) {
            return usual;
        }
        parameter_paths(name).iter().find_map(|path| match path.first() {
            Some(Step::Name(first)) => self.parameters.get_key_value(&first.to_lowercase()),
            Some(Step::Each) | None => None,
        })
    }

    /// Whether two of the parameters may be the same to the upstream.
    pub(super) fn is_ambiguous(&self, query: &[Pair]) -> bool {
        self.parses_names() && query::is_ambiguous(query, self.folds_parameters())
    }

    /// Whether two parameters may be the same to the upstream if their names differ in letter case, or in characters that PHP replaces.
    pub(crate) fn folds_parameters(&self) -> bool {
        self.product() == Product::Generic
    }

    /// Returns the setting that makes the proxy refuse a parameter as one of credentials.
    pub(crate) fn setting_of_parameter(&self, name: &str) -> Option<&'static str> {
        let (known, reason) = self.known_parameter(name)?;
        let mut token = self.settings.query_token.iter();
        let mut configured = self.settings.refused_parameters.iter();
        let is_known = |name: &String| first_name(name) == *known;
        match reason {
            Reason::CredentialParameter if token.any(is_known) => Some("auth.query_parameter"),
            Reason::CredentialParameter if configured.any(is_known) => Some("upstream.refused_parameters"),
            reason => reason.setting(),
        }
    }

    /// Returns the setting that makes the proxy refuse a member of a JSON body as one of credentials.
    pub(crate) fn setting_of_member(&self, name: &str) -> &'static str {
        let mut configured = self.settings.refused_members.iter();
        match configured.any(|known| known.to_lowercase() == name) {
            true => "upstream.refused_members",
            false => "upstream.accepted_names",
        }
    }

    /// Whether the proxy reads a parameter of this name as the token, and does not forward it.
    pub(crate) fn is_token_parameter(&self, name: &str) -> bool {
        self.settings.query_token.as_deref() == Some(name)
    }

    /// Whether names are parsed as the upstream's framework does, and ambiguous ones refused.
    #[must_use]
    pub(crate) fn parses_names(&self) -> bool {
        self.merges() && !self.relax().ambiguous_parameter
    }

    /// Whether the upstream also stores members of a JSON body's root in an object, as Rails' `wrap_parameters` does.
    #[must_use]
    pub(crate) fn wraps(&self) -> bool {
        self.preset.wraps
    }

    pub(super) fn bears_secret(&self, text: &[u8], secrets: &Secrets) -> bool {
        self.mask.bears_secret(text, secrets)
    }

    /// Returns the first whole secret of Tokenward's in the text, decoded.
    pub(super) fn whole_secret(&self, text: &[u8]) -> Option<Vec<u8>> {
        self.mask.whole_secret(text)
    }

    /// Masks a text that a caller chose: wholly if it contains one of `secrets`, otherwise from Tokenward's prefix on.
    pub fn shown_text<'t>(&self, text: &'t str, secrets: &Secrets) -> Cow<'t, str> {
        self.mask.part(text, secrets)
    }

    /// Formats the URL of a request that was read, for the audit. `path` is the encoded path below the base URL.
    pub(super) fn shown(&self, path: &str, pairs: &[Pair]) -> TextBuffer {
        let (origin, base) = (self.base().origin(), self.base().path());
        let mut start = TextBuffer::with_room(origin.len() + base.len() + path.len());
        for part in [origin, base, path] {
            start.text().push_str(part);
        }
        self.mask.url(start, pairs)
    }

    /// Masks the name of a user who failed to authenticate. (`read` excludes a name that contains a presented secret.)
    pub fn shown_user(&self, name: &str) -> String {
        self.shown_text(name, &Secrets::default()).into_owned()
    }

    /// Returns the form in which the audit stores a body's value; `bounded` cuts long text.
    pub(crate) fn kept_of_node(
        &self,
        path: &str,
        value: &str,
        secrets: &Secrets,
        bounded: impl Fn(&str) -> String,
    ) -> tokenward_audit::Kept {
        self.mask.node(path, value, secrets, bounded)
    }

    /// Formats the URL of a long target that is not read. See [`Mask::long`].
    pub(super) fn shown_long(&self, target: &[u8], secrets: &Secrets) -> String {
        self.mask.long(self.settings.base.origin(), target, secrets)
    }

    pub(super) fn shown_raw(&self, target: &[u8], secrets: &Secrets) -> String {
        self.mask.target(self.settings.base.origin(), target, secrets)
    }
}

/// Whether the value of a parameter is masked. Names of users are not secret, and the audit needs them.
fn shown_masked(name: &str) -> bool {
    !matches!(
        name,
        "os_username" | "sudo" | "oauth_consumer_key" | "xoauth_requestor_id"
    )
}

fn upstream_path(settings: &Settings) -> Result<String, RulesError> {
    let Some(path) = &settings.upstream_path else {
        return Ok(settings.base.path().to_owned());
    };
    let plain = path
        .bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || b"-._~/".contains(&byte))
        && path
            .split('/')
            .skip(1)
            .all(|segment| !matches!(segment, "" | "." | ".."));
    if path.is_empty() || path.starts_with('/') && plain {
        Ok(path.clone())
    } else {
        Err(RulesError::UpstreamPath(path.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(product: Product) -> Settings {
        Settings::new(BaseUrl::parse("https://a/ctx").unwrap(), product)
    }

    #[test]
    fn endpoints_are_prefixes_or_exact() {
        let served = |patterns: &[&str], path| {
            let endpoints = patterns.iter().map(|pattern| (*pattern).to_owned()).collect();
            Rules::new(&Settings {
                endpoints,
                ..settings(Product::Jira)
            })
            .unwrap()
            .serves(path)
        };
        for (patterns, path, expected) in [
            (&[][..], "/rest/api", true),
            (&[], "/rest/", true),
            (&[], "/rest", false),
            (&[], "/restx", false),
            (&[], "/Rest/api", false),
            (&["/*"], "/", true),
            (&["/*"], "/x", true),
            (&["/a", "/b/*"], "/a", true),
            (&["/a", "/b/*"], "/a/", false),
            (&["/a", "/b/*"], "/b/c", true),
        ] {
            assert_eq!(served(patterns, path), expected, "{patterns:?} {path}");
        }
    }

    #[test]
    fn redmine_serves_the_formats_of_its_api_unless_told_otherwise() {
        let rules = |endpoints: &[&str]| {
            let endpoints = endpoints.iter().map(|pattern| (*pattern).to_owned()).collect();
            Rules::new(&Settings {
                endpoints,
                ..settings(Product::Redmine)
            })
            .unwrap()
        };
        for served in [
            "/issues.json",
            "/issues/1.xml",
            "/issues/1.json/",
            "/uploads.json",
            "/a.html/b.json",
        ] {
            assert!(rules(&[]).serves(served), "{served}");
        }
        for other in [
            "/",
            "/issues",
            "/issues/1",
            "/issues.atom",
            "/issues.html",
            "/issues/1.pdf",
            "/issues.csv",
            "/issues.api",
            "/issues.JSON",
            "/issues.json ",
            "/issues.json.",
            "/issues.json.atom",
            "/issues.json/x",
            "/.json",
            "/issues.json::$DATA",
        ] {
            assert!(!rules(&[]).serves(other), "{other}");
            assert!(rules(&["/*"]).serves(other), "{other}");
        }
        assert!(rules(&["/issues/*"]).serves("/issues/1.atom"));
    }

    #[test]
    fn what_cannot_be_meant_is_an_error() {
        let error = |change: fn(&mut Settings)| {
            let mut settings = settings(Product::Jira);
            change(&mut settings);
            Rules::new(&settings).map(|_| ()).unwrap_err()
        };
        for pattern in ["rest/*", "/rest*", "/*/x", "/a//b", "/a/../b", "/a?b", "/%41", ""] {
            let endpoints = vec![pattern.to_owned()];
            let given = Settings {
                endpoints,
                ..settings(Product::Jira)
            };
            assert_eq!(
                Rules::new(&given).map(|_| ()),
                Err(RulesError::Endpoint(pattern.to_owned()))
            );
        }
        assert!(matches!(
            error(|s| s.upstream_path = Some("/x/".into())),
            RulesError::UpstreamPath(_)
        ));
        assert!(matches!(
            error(|s| s.identity_headers = vec!["a b".into()]),
            RulesError::Header(_)
        ));
        assert!(matches!(
            error(|s| s.refused_headers = vec![String::new()]),
            RulesError::Header(_)
        ));
        assert!(matches!(
            error(|s| s.refused_parameters = vec![String::new()]),
            RulesError::Parameter(_)
        ));
        assert!(matches!(
            error(|s| s.query_token = Some(String::new())),
            RulesError::Parameter(_)
        ));
        let wildcards: [fn(&mut Settings); 4] = [
            |s| s.refused_parameters = vec!["tok_*".into()],
            |s| s.accepted_names = vec!["*".into()],
            |s| s.refused_headers = vec!["X-Secret-*".into()],
            |s| s.identity_headers = vec!["X-*".into()],
        ];
        for wildcard in wildcards {
            assert!(matches!(error(wildcard), RulesError::Wildcard(_)));
        }
        assert!(matches!(
            error(|s| s.token_prefix = "t".into()),
            RulesError::Prefix(_)
        ));
        assert!(matches!(
            error(|s| s.product_header = true),
            RulesError::NoTokenHeader("jira")
        ));
    }

    #[test]
    fn lists_can_be_extended_and_shortened() {
        let mut given = settings(Product::Generic);
        given.refused_parameters = vec!["My-Key".into()];
        given.refused_members = vec!["my".into()];
        given.accepted_names = vec!["KEY".into(), "sudo".into()];
        let rules = Rules::new(&given).unwrap();
        let refused = |name| {
            rules
                .refused_parameter(name)
                .map(|refusal| (refusal.reason, refusal.detail))
        };
        let credential = |name| {
            let detail = format!(
                "The parameter `{name}` would carry credentials or another identity to the upstream."
            );
            Some((Reason::CredentialParameter, detail))
        };
        assert_eq!(refused("my-key[]"), credential("my-key"));
        assert_eq!(refused("key"), None);
        assert_eq!(refused("api_key"), credential("api_key"));
        let method = "The parameter `_method` would change the method.".to_owned();
        assert_eq!(refused("_Method"), Some((Reason::MethodParameter, method)));
        let names: Vec<_> = rules.refused_nodes().iter().map(|path| path.0.clone()).collect();
        assert!(names.contains(&vec![json::Step::Name("my".into())]));
        assert!(!names.contains(&vec![json::Step::Name("sudo".into())]));
    }
}
