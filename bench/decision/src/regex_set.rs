//! What one would write by hand: for each token a `RegexSet` of its URLs, then methods and constraints of what matched.

use regex::bytes::{Regex, RegexBuilder, RegexSet, RegexSetBuilder};

use crate::{
    corpus::{Call, LINES, Line, Pattern, lines_of},
    engine::{Engine, Failure, parameter, project_key},
};

/// A set of ten patterns takes some 100 KB once it has been used: more tokens would fill the memory.
pub const MOST_TOKENS: usize = 10_000;

struct Token {
    urls: RegexSet,
    lines: Vec<Rest>,
}

/// What a set cannot say.
struct Rest {
    methods: &'static [&'static str],
    query: Option<(&'static str, Regex)>,
    json: Option<Regex>,
}

pub fn build(tokens: usize) -> Result<Box<dyn Engine>, Failure> {
    let tokens: Result<Vec<Token>, Failure> = (0..tokens).map(token).collect();
    Ok(Box::new(tokens?))
}

fn token(token: usize) -> Result<Token, Failure> {
    let lines: Vec<Line> = lines_of(token, LINES).collect();
    let urls = lines.iter().map(|line| whole(&line.url));
    let rest = |line: &Line| -> Result<Rest, Failure> {
        let query = line
            .query
            .as_ref()
            .map(|(name, pattern)| Ok::<_, Failure>((*name, regexp(pattern)?)));
        Ok(Rest {
            methods: line.methods,
            query: query.transpose()?,
            json: line
                .json
                .as_ref()
                .map(|(_, pattern)| regexp(pattern))
                .transpose()?,
        })
    };
    Ok(Token {
        urls: RegexSetBuilder::new(urls)
            .unicode(false)
            .dot_matches_new_line(true)
            .build()?,
        lines: lines.iter().map(rest).collect::<Result<_, _>>()?,
    })
}

fn whole(pattern: &Pattern) -> String {
    format!(r"\A(?:{})\z", pattern.regexp())
}

fn regexp(pattern: &Pattern) -> Result<Regex, Failure> {
    Ok(RegexBuilder::new(&whole(pattern))
        .unicode(false)
        .dot_matches_new_line(true)
        .build()?)
}

impl Engine for Vec<Token> {
    fn allowed(&mut self, call: &Call) -> Result<bool, Failure> {
        let token = self.get(call.token).ok_or("an unknown token")?;
        for at in token.urls.matches(call.path.as_bytes()) {
            let line = token.lines.get(at).ok_or("an unknown line")?;
            let query = line.query.as_ref().is_none_or(|(name, regexp)| {
                parameter(call, name).is_some_and(|value| regexp.is_match(value.as_bytes()))
            });
            if line.methods.contains(&call.method) && query {
                let json = match &line.json {
                    None => true,
                    Some(regexp) => project_key(call)?.is_some_and(|key| regexp.is_match(key.as_bytes())),
                };
                if json {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }
}
