//! Rewrites: long segments get an index of the literals that their globs begin with.
//!
//! Why decisions are kept: the index only leaves out entries that cannot match the request, since its path, or the
//! parameter which a permit line wants, does not have the literal at the place where every match has it; the rest is
//! matched in the old order.
//!
//! Cost: linear in the entries, but for a sort; some thirty bytes an entry.

use std::sync::Arc;

use crate::ir::Program;

pub(super) fn index(program: Program) -> Program {
    let Some(layout) = program.layout.as_deref() else {
        return program;
    };
    let layout = layout.clone().indexed(&program);
    Program {
        layout: Some(Arc::new(layout)),
        ..program
    }
}
