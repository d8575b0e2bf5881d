//! Requests for TW0104: another name of what a forbid line names, which the token may call.

use std::collections::HashMap;

use super::{proof::Proofs, question::Policy, shown::witness};
use crate::{
    analysis::{Request, RequestBody, token_allows},
    ast::Effect,
    diagnostic::{Code, Diagnostic},
    ir::{RuleId, TokenId},
    method::Method,
    source::Span,
};

/// The id of an issue whose key is forbidden.
const ID: &str = "10001";

/// Adds a request to each finding about an alias, if the first token with the line allows one.
pub(super) fn find(policy: Policy<'_>, proofs: &Proofs<'_>, known: &mut [Diagnostic]) {
    let mut open: HashMap<Span, &mut Diagnostic> = known
        .iter_mut()
        .filter(|found| found.code == Code::ForbidAlias && found.witness.is_none())
        .map(|found| (found.primary.span, found))
        .collect();
    for (id, token) in policy.program.tokens() {
        if open.is_empty() {
            return;
        }
        for forbid in token.rules(Effect::Forbid).iter() {
            let Some(found) = place(policy, forbid).and_then(|span| open.remove(&span)) else {
                continue;
            };
            if let Some(request) = alias((id, forbid), proofs) {
                found.witness = Some(witness(policy.program, token, &request));
            }
        }
    }
}

fn place(policy: Policy<'_>, rule: RuleId) -> Option<Span> {
    policy.source_map.line(policy.program.rule(rule)?.line)
}

/// A request that names the forbidden thing by an id or by `latest`, and that the token allows.
///
/// Its path is made from the line's text: spelling one from the automaton of a forbid line, in which letter case is ignored, takes far
/// longer.
fn alias((token, forbid): (TokenId, RuleId), proofs: &Proofs<'_>) -> Option<Request> {
    let ruled = proofs.ruled(forbid)?;
    // A request that fails a condition is allowed for another reason.
    if ruled.rule.constraints.is_some() {
        return None;
    }
    let text = proofs.program.line(ruled.rule.line).text;
    let url = text.get(text.find('/')?..)?;
    let segments: Vec<Segment<'_>> = url.split('/').skip(1).map(Segment::of).collect();
    let paths = [with_id(&segments), with_latest(&segments)];
    let methods = Method::NAMED.into_iter();
    let methods: Vec<Method> = methods
        .filter(|method| ruled.rule.methods.contains(*method))
        .collect();
    let requests = paths.into_iter().flatten().flat_map(|path| {
        methods.iter().map(move |method| Request {
            method: *method,
            path: path.clone(),
            query: Vec::new(),
            body: RequestBody::Absent,
        })
    });
    let mut allowed = requests
        .filter(|request| proofs.is_served(request))
        .filter(|request| token_allows(proofs.program, token, request));
    allowed.next()
}

/// A segment of a forbid line's path.
enum Segment<'a> {
    /// Text that is matched as it is.
    Plain(&'a str),
    /// The keys of issues: `SECRET-\d+`, `(HR|PAY)-1`. A key of them, if that is plain.
    Keys(Option<String>),
    /// Any other regexp.
    Other,
}

impl<'a> Segment<'a> {
    fn of(text: &'a str) -> Self {
        let is_plain = |text: &str| {
            let mut bytes = text.bytes();
            bytes.all(|byte| byte.is_ascii_alphanumeric() || b"-_~".contains(&byte))
        };
        let Some((project, _)) = text.split_once('-') else {
            return if is_plain(text) {
                Self::Plain(text)
            } else {
                Self::Other
            };
        };
        let has_letters = project.bytes().any(|byte| byte.is_ascii_uppercase());
        let has_others = project.bytes().any(|byte| byte.is_ascii_lowercase());
        match has_letters && !has_others {
            true => Self::Keys(is_plain(project).then(|| format!("{project}-1"))),
            false if is_plain(text) => Self::Plain(text),
            false => Self::Other,
        }
    }
}

/// `/rest/api/2/issue/10001` for `/rest/api/2/issue/SECRET-1`.
fn with_id(segments: &[Segment<'_>]) -> Option<String> {
    let keys = segments
        .iter()
        .filter(|segment| matches!(segment, Segment::Keys(_)))
        .count();
    let path = segments.iter().map(|segment| match segment {
        Segment::Plain(text) => Some((*text).to_owned()),
        Segment::Keys(_) => Some(ID.to_owned()),
        Segment::Other => None,
    });
    joined(path).filter(|_| keys == 1)
}

/// `/rest/api/latest/…` for `/rest/api/2/…`.
fn with_latest(segments: &[Segment<'_>]) -> Option<String> {
    let mut is_behind_api = false;
    let mut found = false;
    let path = segments.iter().map(|segment| match segment {
        Segment::Plain("2" | "3") if is_behind_api => {
            found = true;
            Some("latest".to_owned())
        }
        Segment::Plain(text) => {
            is_behind_api = *text == "api";
            Some((*text).to_owned())
        }
        Segment::Keys(key) => key.clone(),
        Segment::Other => None,
    });
    joined(path).filter(|_| found)
}

fn joined(segments: impl Iterator<Item = Option<String>>) -> Option<String> {
    let segments: Vec<String> = segments.collect::<Option<_>>()?;
    Some(format!("/{}", segments.join("/")))
}
