//! Rewrites: long segments get an index of the literals that their globs begin with.
//!
//! Why decisions are kept: the index only leaves out entries that cannot match the request, since its path, or the
//! parameter which a permit line wants, does not have the literal at the place where every match has it; the rest is
//! matched in the old order.
//!
//! Cost: linear in the entries, but for a sort; some thirty bytes an entry.

use std::sync::Arc;

use crate::ir::Program;

pub(super) fn index(mut program: Program) -> Program {
    let layout = program.layout.take();
    let layout = layout.map(|layout| Arc::new(Arc::unwrap_or_clone(layout).indexed(&program)));
    Program { layout, ..program }
}
