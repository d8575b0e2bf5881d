//! One machine for texts that one of two machines accepts.

use super::{
    Exhausted, Machine, Work,
    draft::{End, classes, explore},
};

impl Machine {
    /// The machine of the union; `None` if it has more than so many states: some unions are larger than the product of
    /// their parts is worth.
    pub(in super::super) fn or(
        &self,
        other: &Self,
        most: usize,
        work: &mut Work,
    ) -> Result<Option<Self>, Exhausted> {
        let draft = explore(
            (self.start, other.start),
            classes(|byte| (self.class(byte), other.class(byte))),
            |(one, two), byte| ((self.next(*one, byte), other.next(*two, byte)), true),
            |(one, two)| {
                let end = if self.is_universal(*one) || other.is_universal(*two) {
                    End::Universal
                } else if self.is_dead(*one) && other.is_dead(*two) {
                    End::Dead
                } else {
                    End::Open
                };
                (self.accepts(*one) || other.accepts(*two), true, end)
            },
            (most, work),
        )?;
        draft.map(|draft| Self::of(draft, work)).transpose()
    }
}
