//! Rewrites: the rules of each token, with the code of their tests, into consecutive bytes.
//!
//! Why decisions are kept: entries have the order of the rules, with the same methods, tests and questions, and
//! their code is that of the matcher which it replaces; an entry without code keeps its matcher.
//!
//! Cost: linear in the rules of all tokens; lists of included sets that are equal are laid out once. A program whose
//! code would exceed 4 GiB, or 16 MiB and a kilobyte per line, stays as it is, and decides more slowly.

use std::{collections::HashMap, sync::Arc};

use crate::ir::{EFFECTS, Included, Known, Layout, Program, RuleId, Tables, Token};

pub(super) fn lay_out(program: Program) -> Program {
    let own = |(_, token): (_, &Token)| token.forbids.own.len() + token.permits.own.len();
    let mut layout = Layout::with_room(
        program.tokens.len(),
        program.tokens().map(own).sum(),
        program.rules.len(),
    );
    let mut known = Known::of_rules(program.rules.len());
    let mut question = |id: RuleId| program.rule(id).and_then(|rule| known.of(rule));
    let mut shared: HashMap<(usize, &[RuleId]), Included> = HashMap::new();
    for (_, token) in program.tokens() {
        let mut lanes = [(Included::default(), &[][..]); 2];
        for (at, (lane, effect)) in lanes.iter_mut().zip(EFFECTS).enumerate() {
            let rules = token.rules(effect);
            let included = match rules.included.as_slice() {
                [] => Included::default(),
                set => *shared
                    .entry((at, set))
                    .or_insert_with(|| layout.include(&program, (effect, set), &mut question)),
            };
            *lane = (included, &rules.own);
        }
        layout.push(&program, token.unrestricted, lanes, &mut question);
    }
    if !layout.fits() {
        return Program {
            layout: None,
            ..program
        };
    }
    let tables = Tables {
        questions: Arc::new(known.questions),
        ..program.tables.clone()
    };
    Program {
        layout: Some(Arc::new(layout)),
        tables,
        ..program
    }
}
