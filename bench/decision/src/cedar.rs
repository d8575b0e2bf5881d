//! Cedar: a policy for each line, a set for each token, since the authorizer goes through all policies of a set.
//!
//! Cedar has no regexps. Its `like` knows `*` alone, which stands here for every regexp: it asks less than the other
//! engines, and the requests are such that this makes no difference to the answers.

use std::str::FromStr;

use cedar_policy::{
    Authorizer, Context, Decision, Entities, EntityUid, PolicySet, Request, RestrictedExpression,
};

use crate::{
    corpus::{Call, LINES, Line, Pattern, Piece, lines_of},
    engine::{Engine, Failure, project_key},
};

struct Cedar {
    authorizer: Authorizer,
    entities: Entities,
    resource: EntityUid,
    actions: Vec<(&'static str, EntityUid)>,
    tokens: Vec<(EntityUid, PolicySet)>,
}

pub fn build(tokens: usize) -> Result<Box<dyn Engine>, Failure> {
    let tokens: Result<Vec<_>, Failure> = (0..tokens)
        .map(|token| {
            let text: String = lines_of(token, LINES).map(|line| policy(token, &line)).collect();
            Ok((
                EntityUid::from_str(&format!(r#"Token::"{token}""#))?,
                PolicySet::from_str(&text)?,
            ))
        })
        .collect();
    let actions: Result<Vec<_>, Failure> = ["GET", "POST", "PUT", "DELETE"]
        .into_iter()
        .map(|method| Ok((method, EntityUid::from_str(&action(method))?)))
        .collect();
    Ok(Box::new(Cedar {
        authorizer: Authorizer::new(),
        entities: Entities::empty(),
        resource: EntityUid::from_str(r#"Api::"jira""#)?,
        actions: actions?,
        tokens: tokens?,
    }))
}

fn action(method: &str) -> String {
    format!(r#"Action::"{method}""#)
}

fn policy(token: usize, line: &Line) -> String {
    let actions: Vec<String> = line.methods.iter().map(|method| action(method)).collect();
    let mut when = like("path", &line.url);
    if let Some((name, pattern)) = &line.query {
        when.push_str(&format!(" && context has {name} && {}", like(name, pattern)));
    }
    if let Some((_, pattern)) = &line.json {
        when.push_str(&format!(
            " && context has projectKey && {}",
            like("projectKey", pattern)
        ));
    }
    format!(
        "permit(principal == Token::\"{token}\", action in [{}], resource) when {{ {when} }};\n",
        actions.join(", ")
    )
}

/// An alternation becomes several patterns, of which one must match.
fn like(attribute: &str, pattern: &Pattern) -> String {
    let mut texts = vec![String::new()];
    for piece in &pattern.0 {
        match piece {
            Piece::Text(literal) => texts.iter_mut().for_each(|text| text.push_str(literal)),
            Piece::Regexp(_) => texts.iter_mut().for_each(|text| text.push('*')),
            Piece::OneOf(choices) => {
                texts = texts
                    .iter()
                    .flat_map(|text| choices.iter().map(move |choice| format!("{text}{choice}")))
                    .collect();
            }
        }
    }
    let tests: Vec<String> = texts
        .iter()
        .map(|text| format!(r#"context.{attribute} like "{text}""#))
        .collect();
    format!("({})", tests.join(" || "))
}

impl Engine for Cedar {
    fn allowed(&mut self, call: &Call) -> Result<bool, Failure> {
        let (token, policies) = self.tokens.get(call.token).ok_or("an unknown token")?;
        let (_, action) = self
            .actions
            .iter()
            .find(|(method, _)| *method == call.method)
            .ok_or("an unknown method")?;
        let string = |value: &str| RestrictedExpression::new_string(value.to_owned());
        let path = ("path".to_owned(), string(&call.path));
        let query = call
            .query
            .iter()
            .map(|(name, value)| ((*name).to_owned(), string(value)));
        let key = project_key(call)?.map(|key| ("projectKey".to_owned(), string(&key)));
        let context = Context::from_pairs(std::iter::once(path).chain(query).chain(key))?;
        let request = Request::new(
            token.clone(),
            action.clone(),
            self.resource.clone(),
            context,
            None,
        )?;
        let response = self.authorizer.is_authorized(&request, policies, &self.entities);
        Ok(response.decision() == Decision::Allow)
    }
}
