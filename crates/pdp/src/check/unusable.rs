//! Tokens and lines that compile, and that no call can use under this configuration.

use std::fmt::Write;

use tokenward_compiler::SourceMap;
use tokenward_compiler::analysis::Budget;
use tokenward_compiler::diagnostic::{Code, Diagnostic};
use tokenward_compiler::findings::{Reserved, unusable};
use tokenward_compiler::ir::{Program, Token, Users};
use tokenward_compiler::source::SourceSet;

use crate::Unanswered;
use crate::auth::AuthRules;
use crate::config::reading;
use crate::config::universe::universe;
use crate::config::{Config, Methods};
use crate::request::{Class, Group, Method, Rules};
use crate::words::Help;

/// The keys that let a token make calls that lines alone do not permit.
const KEYS: [&str; 2] = ["mint", "escalate"];

/// Warns of tokens that no call can use, and of permit lines that none of their tokens can use, `lint_allow` or not.
pub(super) fn find(
    program: &Program,
    source_map: &SourceMap,
    (config, budget): (&Config, &Budget),
    reserved: Option<&Reserved<'_>>,
) -> Result<Vec<Diagnostic>, Unanswered> {
    let mut found = tokens(program, source_map, config);
    let Some(reserved) = reserved else {
        return Ok(found);
    };
    let asked = (universe(config), budget);
    found.extend(unusable(program, source_map, reserved, asked).map_err(Unanswered::proof)?);
    Ok(found)
}

/// The calls that need a key of the token, and the parameters that the proxy refuses.
pub(super) struct Calls {
    program: Program,
    rules: Rules,
}

impl Calls {
    /// Reads them from the configuration; `None` if the product's calls cannot be written as lines.
    pub(super) fn of(config: &Config) -> Result<Option<Self>, Unanswered> {
        let (base, merges) = (&config.upstream.public_url, config.upstream.product.merges());
        let Some(program) = tokenward_compiler::compile(&reserving(config)).program else {
            return Ok(None);
        };
        let program = program
            .bind(base)
            .map_err(Unanswered::proof)?
            .merging_body(merges);
        Ok(Some(Self {
            program,
            rules: reading::rules(config)?,
        }))
    }

    /// Asks with these calls.
    pub(super) fn with<T>(&self, ask: impl FnOnce(&Reserved<'_>) -> T) -> T {
        ask(&Reserved {
            program: &self.program,
            lacks: &|token, key| match key {
                "mint" => !token.mint,
                _ => !token.escalate,
            },
            refuses: &|name| self.rules.refuses_parameter(name),
        })
    }
}

fn tokens(program: &Program, source_map: &SourceMap, config: &Config) -> Vec<Diagnostic> {
    let auth = AuthRules::new(Help::of(config), &config.auth.never_act_as);
    let found = program.tokens().filter_map(|(id, token)| {
        let (why, help) = why(token, &auth, config.auth.methods)?;
        let headline = format!("no call can use `{}`: {why}", token.name);
        Some(Diagnostic::new(Code::UnusableToken, source_map.token(id)?, headline).help(help))
    });
    found.collect()
}

fn why(token: &Token, auth: &AuthRules, methods: Methods) -> Option<(String, &'static str)> {
    match &token.users {
        Users::Named(users) if !users.is_empty() && users.iter().all(|user| auth.never(user)) => Some((
            format!("`[auth] never_act_as` lists `{}`", users.join("`, `")),
            "give the token another user, or remove the user from `never_act_as`",
        )),
        Users::Named(users) if users.len() == 1 => None,
        _ if methods == Methods::Bearer => Some((
            "with `[auth] methods = \"bearer\"` the caller cannot name a user".to_owned(),
            "give the token a single `user`, or accept Basic too: `methods = \"both\"`",
        )),
        _ => None,
    }
}

/// A policy with a token for each key, which permits the calls that need the key.
fn reserving(config: &Config) -> SourceSet {
    let mut file = String::new();
    for (at, key) in KEYS.iter().enumerate() {
        let groups = config.upstream.product.calls().filter(|group| needs(group, key));
        let lines: String = groups.flat_map(lines).collect();
        let digit = at + 1;
        let hash = format!("{digit}").repeat(64);
        // Writing to a string does not fail.
        let _ = write!(
            file,
            "[[token]]\nname = '{key}'\nuser = 'user'\nsecret_hash = 'sha256:{hash}'\nlimit_to = '''\n{lines}'''\n"
        );
    }
    SourceSet::from_files([("reserved.toml".to_owned(), file)])
}

fn needs(group: &Group, key: &str) -> bool {
    match group.class {
        Class::Plain => false,
        Class::Mint => key == "mint",
        Class::Escalate => key == "escalate",
        Class::Carries => true,
    }
}

fn lines(group: &Group) -> impl Iterator<Item = String> {
    group.calls.iter().filter_map(|call| {
        let methods: Vec<&str> = Method::NAMED
            .into_iter()
            .filter(|method| call.has(*method))
            .map(Method::as_str)
            .collect();
        let path = regexp(call.path())?;
        (!methods.is_empty()).then(|| format!("[{}](?i){path}\n", methods.join(",")))
    })
}

/// The regexp of a call's path; `None` for a form that is not known here.
fn regexp(path: &str) -> Option<String> {
    let mut regexp = String::new();
    for segment in path.strip_prefix('/')?.split('/') {
        match segment {
            "**" => regexp.push_str("(?:/.*)?"),
            "*" => regexp.push_str("/[^/]+"),
            // A version, or nothing.
            "{v?}" => regexp.push_str("(?:/(?:latest|[0-9][^/]*))?"),
            plain if plain.contains(['*', '{', '}']) => return None,
            plain => {
                regexp.push('/');
                for character in plain.chars() {
                    if !character.is_ascii_alphanumeric() && !"-_~:".contains(character) {
                        regexp.push('\\');
                    }
                    regexp.push(character);
                }
            }
        }
    }
    Some(regexp)
}

#[cfg(test)]
mod tests {
    use tokenward_compiler::compile;

    use super::*;
    use crate::request::Product;

    #[test]
    fn each_call_that_needs_a_key_is_a_line_that_compiles() {
        for product in Product::ALL {
            let mut config = Config::default();
            config.upstream.product = product;
            let compiled = compile(&reserving(&config));
            assert!(compiled.program.is_some(), "{:?}", compiled.diagnostics);
            for group in product.calls().filter(|group| group.class != Class::Plain) {
                assert_eq!(lines(group).count(), group.calls.len(), "{}", group.reason);
            }
        }
    }
}
