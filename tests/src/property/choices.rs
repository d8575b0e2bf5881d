//! Policies and requests chosen by bytes, from the words of `generate` and `compose`: a byte that changes changes one choice, which is
//! what a fuzzer needs. (The generators themselves draw from a stream of their own at each fork.)

use tokenward_compiler::{decide::Media, method::Method};

use crate::{
    compose, generate,
    reference::{Body, Json, Request},
};

/// Bytes yet to be used up; behind their end, every choice is the first.
pub(super) struct Choices<'b>(pub(super) &'b [u8]);

impl Choices<'_> {
    /// A number below `count`, which must not be zero.
    fn below(&mut self, count: usize) -> usize {
        let Some((&first, rest)) = self.0.split_first() else {
            return 0;
        };
        self.0 = rest;
        usize::from(first) % count
    }

    fn one_in(&mut self, count: usize) -> bool {
        self.below(count) == count - 1
    }

    pub(super) fn pick<'t>(&mut self, among: &[&'t str]) -> &'t str {
        let at = self.below(among.len());
        among.get(at).copied().unwrap_or_default()
    }

    pub(super) fn merges(&mut self) -> bool {
        self.one_in(3)
    }

    /// A token file of one token.
    pub(super) fn policy(&mut self) -> String {
        let unrestricted = self.one_in(8);
        // From sixteen on they have an index.
        let count = if self.one_in(4) {
            16 + self.below(24)
        } else {
            1 + self.below(6)
        };
        let lines: Vec<String> = (0..count).map(|_| self.line()).collect();
        generate::token_file(&lines, unrestricted)
    }

    fn line(&mut self) -> String {
        let forbid = self.one_in(3);
        let methods = self.pick(generate::METHODS);
        let url = if self.one_in(2) {
            format!(
                "{}{}",
                self.pick(generate::URL_STARTS),
                self.pick(generate::URL_ENDS)
            )
        } else {
            format!("{}{}", self.pick(compose::STARTS), self.pattern(3))
        };
        let constraints: String = (0..self.below(4)).map(|_| self.constraint(forbid)).collect();
        format!("{}{methods}{url}{constraints}", if forbid { "!" } else { "" })
    }

    fn constraint(&mut self, forbid: bool) -> String {
        let value = |choices: &mut Self| match choices.one_in(2) {
            true => choices.pattern(2),
            false => choices.pick(generate::VALUES).to_owned(),
        };
        match (self.below(8), forbid) {
            (0, false) => "[QueryParam::only]".to_owned(),
            (1, false) => format!("[JsonData::{}]", self.pick(generate::ONLY)),
            (0..4, _) => {
                let name = self.pick(generate::PARAMETERS);
                if self.one_in(4) {
                    return format!("[QueryParam::{name}{}]", self.pick(generate::RANGES));
                }
                let operator = self.pick(generate::OPERATORS);
                format!("[QueryParam::{name}{operator}{}]", value(self))
            }
            (4, _) => {
                let path = self.pick(generate::NODES);
                let range = match self.one_in(2) {
                    true => self.pick(generate::TYPED_RANGES).to_owned(),
                    false => format!(
                        "{}{}",
                        self.pick(generate::RANGE_KINDS),
                        self.pick(generate::RANGES)
                    ),
                };
                format!("[JsonData::{path}{range}]")
            }
            _ => {
                let (path, kind) = (self.pick(generate::NODES), self.pick(generate::KINDS));
                format!(
                    "[JsonData::{path}{kind}{}{}]",
                    self.pick(generate::OPERATORS),
                    value(self)
                )
            }
        }
    }

    fn pattern(&mut self, depth: usize) -> String {
        if depth == 0 {
            return self.pick(compose::ATOMS).to_owned();
        }
        match self.below(6) {
            0 => self.pick(compose::ATOMS).to_owned(),
            1 | 2 => (0..=self.below(3)).map(|_| self.pattern(depth - 1)).collect(),
            3 => format!("({}){}", self.pattern(depth - 1), self.pick(compose::QUANTIFIERS)),
            4 => {
                let parts: Vec<String> = (0..2 + self.below(2)).map(|_| self.pattern(depth - 1)).collect();
                format!("({})", parts.join("|"))
            }
            _ => format!("{}.*{}", self.pattern(depth - 1), self.pattern(depth - 1)),
        }
    }

    pub(super) fn request(&mut self) -> Request {
        let method = Method::from_token(self.pick(generate::REQUEST_METHODS));
        let path = if self.one_in(2) {
            format!(
                "{}{}",
                self.pick(generate::PATH_STARTS),
                self.pick(generate::PATH_ENDS)
            )
        } else {
            format!("{}{}", self.pick(compose::PATHS), self.text(8))
        };
        let query = (0..self.below(4))
            .map(|_| {
                let name = self.pick(generate::NAMES).to_owned();
                let value = match self.below(6) {
                    0 => None,
                    1 | 2 => Some(self.pick(generate::TEXTS).to_owned()),
                    _ => Some(self.text(4)),
                };
                (name, value)
            })
            .collect();
        let body = match self.below(8) {
            0 => Body::Absent,
            1 => Body::Broken,
            2 => Body::Opaque(match self.below(3) {
                0 => Media::Form,
                1 => Media::Multipart,
                _ => Media::Other,
            }),
            3 => Body::Json(self.json(3)),
            _ => Body::Json(self.object(3)),
        };
        Request {
            method,
            path,
            query,
            body,
        }
    }

    fn text(&mut self, most: usize) -> String {
        (0..self.below(most))
            .map(|_| self.pick(compose::LETTERS))
            .collect()
    }

    fn json(&mut self, depth: usize) -> Json {
        match self.below(if depth == 0 { 5 } else { 7 }) {
            0 => Json::Null,
            1 => Json::Boolean(self.one_in(2)),
            2 => Json::Number(self.pick(generate::DIGITS).to_owned()),
            3 => Json::String(self.pick(generate::TEXTS).to_owned()),
            4 => Json::String(self.text(4)),
            5 => Json::Array((0..self.below(3)).map(|_| self.json(depth - 1)).collect()),
            _ => self.object(depth - 1),
        }
    }

    fn object(&mut self, depth: usize) -> Json {
        let members = (0..self.below(4))
            .map(|_| (self.pick(generate::MEMBERS), self.json(depth)))
            .collect();
        generate::object(members)
    }
}
