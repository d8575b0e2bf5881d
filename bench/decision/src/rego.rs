//! Regorus (OPA's Rego): one rule, with the lines as data below the token's name, run by its virtual machine, which is
//! its faster way. Its cache of regexps is set to the most that it allows.

use std::collections::BTreeMap;

use regorus::{Engine as Loader, Rc, Value, cache, languages::rego::compiler::Compiler, rvm::vm::RegoVM};

use crate::{
    corpus::{Call, LINES, Line, Pattern, lines_of},
    engine::{Engine, Failure},
};

/// Its cache holds 65,536 regexps; past that every decision would measure the building of them.
pub const MOST_TOKENS: usize = 1_000;

const RULE: &str = "data.tokenward.allow";
const POLICY: &str = r#"
package tokenward

import rego.v1

default allow := false

allow if {
    some line in data.tokens[input.token]
    input.method in line.methods
    regex.match(line.url, input.path)
    query_holds(line)
    body_holds(line)
}

query_holds(line) if not line.parameter

query_holds(line) if regex.match(line.value, input.query[line.parameter])

body_holds(line) if not line.key

body_holds(line) if regex.match(line.key, input.body.fields.project.key)
"#;

pub fn build(tokens: usize) -> Result<Box<dyn Engine>, Failure> {
    cache::configure(cache::Config {
        regex: cache::Config::MAX_CAPACITY,
        ..cache::Config::default()
    });
    let mut loader = Loader::new();
    loader.add_policy("tokenward.rego".to_owned(), POLICY.to_owned())?;
    let policy = loader.compile_with_entrypoint(&Rc::from(RULE))?;
    let program = Compiler::compile_from_policy(&policy, &[RULE])?;
    let mut vm = RegoVM::new();
    vm.load_program(program);
    let tokens = (0..tokens).map(|token| {
        let lines: Vec<Value> = lines_of(token, LINES).map(|line| rule(&line)).collect();
        (Value::from(format!("token-{token}")), Value::from(lines))
    });
    let tokens: BTreeMap<Value, Value> = tokens.collect();
    vm.set_data(object([("tokens", Value::from(tokens))]))?;
    Ok(Box::new(vm))
}

fn object<const N: usize>(members: [(&str, Value); N]) -> Value {
    let members: BTreeMap<Value, Value> = members
        .into_iter()
        .map(|(name, value)| (Value::from(name), value))
        .collect();
    Value::from(members)
}

fn rule(line: &Line) -> Value {
    let methods: Vec<Value> = line.methods.iter().map(|method| Value::from(*method)).collect();
    let (methods, url) = (Value::from(methods), whole(&line.url));
    match (&line.query, &line.json) {
        (Some((name, value)), _) => object([
            ("methods", methods),
            ("url", url),
            ("parameter", Value::from(*name)),
            ("value", whole(value)),
        ]),
        (None, Some((_, key))) => object([("methods", methods), ("url", url), ("key", whole(key))]),
        (None, None) => object([("methods", methods), ("url", url)]),
    }
}

fn whole(pattern: &Pattern) -> Value {
    Value::from(format!(r"(?s)\A(?:{})\z", pattern.regexp()))
}

impl Engine for RegoVM {
    fn allowed(&mut self, call: &Call) -> Result<bool, Failure> {
        let query: BTreeMap<Value, Value> = call
            .query
            .iter()
            .map(|(name, value)| (Value::from(*name), Value::from(value.as_str())))
            .collect();
        let body = match &call.body {
            Some(body) => Value::from_json_str(body)?,
            None => Value::Undefined,
        };
        let mut input = object([
            ("token", Value::from(format!("token-{}", call.token))),
            ("method", Value::from(call.method)),
            ("path", Value::from(call.path.as_str())),
            ("query", Value::from(query)),
        ]);
        if body != Value::Undefined {
            input.as_object_mut()?.insert(Value::from("body"), body);
        }
        self.set_input(input);
        Ok(*self.execute()?.as_bool()?)
    }
}
