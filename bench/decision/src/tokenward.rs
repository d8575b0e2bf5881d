//! Tokenward: the program as the proxy asks it.

use tokenward_compiler::ir::{Program, TokenId};

use crate::{
    corpus::{
        Call, LINES,
        ask::{self, Asked},
    },
    engine::{Engine, Failure},
};

struct Tokenward {
    program: Program,
    ids: Vec<TokenId>,
}

pub fn build(tokens: usize) -> Result<Box<dyn Engine>, Failure> {
    let program = ask::program(tokens, LINES);
    let ids = ask::ids(&program);
    Ok(Box::new(Tokenward { program, ids }))
}

impl Engine for Tokenward {
    fn allowed(&mut self, call: &Call) -> Result<bool, Failure> {
        let id = self.ids.get(call.token).ok_or("an unknown token")?;
        Ok(Asked::new(call, *id).allowed(&self.program))
    }
}
