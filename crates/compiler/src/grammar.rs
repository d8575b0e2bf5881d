//! The pest grammar of a line, `grammar/limit.pest`.

#[derive(pest_derive::Parser)]
#[grammar = "../../grammar/limit.pest"]
pub(crate) struct LimitParser;
