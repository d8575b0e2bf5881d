//! Which bytes are code: exactly those that [`Code::new`](super::Code::new) writes, told without making the globs. The
//! artifact's are all held to it when it is loaded.

use super::{ALTERNATIVE, DIGITS, Operation, RUN, Run, SEGMENT, UNLIMITED};
use crate::ir::glob::{ByteSet, MAX_ATOMS};

/// Whether these bytes are the code of one glob or of several. No allocation; linear.
pub(super) fn is_code(bytes: &[u8]) -> bool {
    if bytes.first() != Some(&ALTERNATIVE) {
        return is_glob(bytes);
    }
    let (mut rest, mut count) = (bytes, 0);
    while let [ALTERNATIVE, low, high, behind @ ..] = rest {
        let length = usize::from(u16::from_le_bytes([*low, *high]));
        let Some((glob, behind)) = behind.split_at_checked(length) else {
            return false;
        };
        if !is_glob(glob) {
            return false;
        }
        (rest, count) = (behind, count + 1);
    }
    // One alone is written without its length.
    rest.is_empty() && count > 1
}

/// What came before an operation, within its block.
#[derive(Clone, Copy)]
enum Before {
    Nothing,
    Literal,
    Run(ByteSet),
}

/// Whether these bytes are the code of one glob: neighbours as [`Glob::from_atoms`](super::Glob::from_atoms) merges
/// them, blocks that need no retries, lengths and sets written in the one way.
fn is_glob(code: &[u8]) -> bool {
    let mut rest = code;
    let mut atoms = 0;
    let mut before = Before::Nothing;
    // Behind an any: how much is left where its block ends, and the byte by which the block is found.
    let mut block_end = None;
    let mut found_by: Option<u8> = None;
    while !rest.is_empty() {
        let Some((operation, behind)) = Operation::split(rest) else {
            return false;
        };
        atoms += 1;
        let holds = match operation {
            Operation::Any(block) => {
                let ended = block_end.is_none_or(|end| end == rest.len());
                let beside = block_end.is_some() && matches!(before, Before::Nothing);
                block_end = Some(behind.len() - block.len());
                (before, found_by) = (Before::Nothing, None);
                ended && !beside
            }
            Operation::Literal(literal) => {
                let Some(first) = literal.first().copied() else {
                    return false;
                };
                let holds = match before {
                    Before::Nothing => {
                        found_by = Some(first);
                        true
                    }
                    Before::Literal => false,
                    Before::Run(set) => !set.contains(first),
                };
                before = Before::Literal;
                holds
            }
            Operation::Run(run) => {
                let ends = match before {
                    Before::Nothing => block_end.is_none(),
                    Before::Literal => true,
                    Before::Run(set) => set.is_disjoint(run.set) && run.min > 0,
                };
                let found = block_end.is_none() || found_by.is_some_and(|first| !run.set.contains(first));
                before = Before::Run(run.set);
                ends && found && is_written_so(rest, run)
            }
        };
        if !holds {
            return false;
        }
        rest = behind;
    }
    atoms <= MAX_ATOMS && block_end.is_none_or(|end| end == 0)
}

/// Whether a run stands as the encoder writes it.
fn is_written_so(code: &[u8], run: Run) -> bool {
    let shortest = match code.first() {
        Some(&RUN) => {
            let others = code.get(17).copied().unwrap_or(u8::MAX);
            others <= 1 && run.set != ByteSet::DIGITS && run.set != ByteSet::ALL_BUT_SLASH
        }
        kind => matches!(kind, Some(&DIGITS | &SEGMENT)),
    };
    shortest && run.min < UNLIMITED && run.max > 0
}

#[cfg(test)]
mod tests;
