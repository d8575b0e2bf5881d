//! Casbin: a rule for each line, matched with its `regexMatch`, which builds the regexp each time it is called.

use casbin::{CoreApi, DefaultModel, Enforcer, MemoryAdapter, MgmtApi};

use crate::{
    corpus::{Call, LINES, Line, Pattern, lines_of},
    engine::{Engine, Failure, parameter, project_key},
};

/// An enforcer goes through the rules of all tokens: what 1,000 of them cost is ten times as much again with 10,000.
pub const MOST_TOKENS: usize = 1_000;

/// Cheapest tests first: what they rule out has no regexp built.
const MODEL: &str = "
[request_definition]
r = sub, act, path, jql, date, key

[policy_definition]
p = sub, act, path, jql, date, key

[policy_effect]
e = some(where (p.eft == allow))

[matchers]
m = r.sub == p.sub && regexMatch(r.act, p.act) && regexMatch(r.path, p.path) && regexMatch(r.jql, p.jql) \
    && regexMatch(r.date, p.date) && regexMatch(r.key, p.key)
";

pub fn build(tokens: usize) -> Result<Box<dyn Engine>, Failure> {
    let enforcer = pollster::block_on(async {
        let model = DefaultModel::from_str(MODEL).await?;
        let mut enforcer = Enforcer::new(model, MemoryAdapter::default()).await?;
        let rules = (0..tokens).flat_map(|token| lines_of(token, LINES).map(move |line| rule(token, &line)));
        enforcer.add_policies(rules.collect()).await?;
        Ok::<_, casbin::Error>(enforcer)
    })?;
    Ok(Box::new(enforcer))
}

fn rule(token: usize, line: &Line) -> Vec<String> {
    let of = |name: &str| match &line.query {
        Some((known, pattern)) if *known == name => whole(pattern),
        _ => String::new(),
    };
    let key = line.json.as_ref().map(|(_, pattern)| whole(pattern));
    vec![
        token.to_string(),
        format!("^(?:{})$", line.methods.join("|")),
        whole(&line.url),
        of("jql"),
        of("dateFrom"),
        key.unwrap_or_default(),
    ]
}

/// Where a rule asks for nothing it has the empty regexp, which matches everything.
fn whole(pattern: &Pattern) -> String {
    format!("^(?:{})$", pattern.regexp())
}

impl Engine for Enforcer {
    fn allowed(&mut self, call: &Call) -> Result<bool, Failure> {
        let text = |value: Option<&str>| value.unwrap_or_default().to_owned();
        Ok(self.enforce(vec![
            call.token.to_string(),
            call.method.to_owned(),
            call.path.clone(),
            text(parameter(call, "jql")),
            text(parameter(call, "dateFrom")),
            project_key(call)?.unwrap_or_default(),
        ])?)
    }
}
