//! Rewrites: the rules of each token, with the code of their URL globs, into consecutive bytes.
//!
//! Why decisions are kept: entries stand in the order of the rules, with the same methods, and their code is that of the
//! matcher which it replaces; whatever has no code keeps its matcher.
//!
//! Cost: linear in the rules of all tokens; lists of included sets that are equal are laid out once.

use std::{collections::HashMap, sync::Arc};

use crate::ir::{Lane, Lanes, Layout, Program, RuleId, Rules, Segment};

pub(super) fn lay_out(program: Program) -> Program {
    let mut layout = Layout::default();
    let mut shared: HashMap<Vec<RuleId>, Segment> = HashMap::new();
    let mut lane = |rules: &Rules, layout: &mut Layout| -> Lane {
        let included = match shared.get(&rules.included) {
            Some(segment) => *segment,
            None if rules.included.is_empty() => Segment::default(),
            None => {
                let segment = layout.add(&program, &rules.included);
                shared.insert(rules.included.clone(), segment);
                segment
            }
        };
        [included, layout.add(&program, &rules.own)]
    };
    let lanes = program
        .tokens()
        .map(|(_, token)| Lanes {
            forbids: lane(&token.forbids, &mut layout),
            permits: lane(&token.permits, &mut layout),
        })
        .collect();
    layout.set_lanes(lanes);
    Program {
        layout: Some(Arc::new(layout)),
        ..program
    }
}
