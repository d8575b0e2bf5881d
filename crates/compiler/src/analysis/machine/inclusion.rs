//! Which states of a machine accept all texts that others accept.

/// Machines of more states have no table.
const MOST: usize = 160;

/// A table of pairs of states.
#[derive(Debug)]
pub(in super::super) struct Inclusion {
    states: usize,
    /// Whether the second state of a pair accepts all that the first accepts.
    holds: Vec<bool>,
}

impl Inclusion {
    /// The steps that it takes for a machine of so many states and classes.
    pub(super) fn cost(states: usize, stride: usize) -> usize {
        if states > MOST {
            1
        } else {
            states * states * stride
        }
    }

    /// The table of a machine: the number of its classes, the state after each state and class, and which states accept.
    pub(super) fn of(stride: usize, next: &[u32], accepts: &[bool]) -> Option<Self> {
        let states = accepts.len();
        if states > MOST {
            return None;
        }
        // For each class and state the states before it.
        let mut before: Vec<Vec<usize>> = vec![Vec::new(); stride * states];
        for (at, next) in next.iter().enumerate() {
            let class = at % stride;
            before.get_mut(class * states + *next as usize)?.push(at / stride);
        }
        let mut table = Self {
            states,
            holds: vec![true; states * states],
        };
        // A pair fails if one text tells it apart: the empty one, or a byte and a text for the pair behind it.
        let mut open = Vec::new();
        for one in 0..states {
            for two in 0..states {
                if accepts.get(one) == Some(&true) && accepts.get(two) == Some(&false) {
                    table.fail(one, two, &mut open);
                }
            }
        }
        while let Some((one, two)) = open.pop() {
            for class in 0..stride {
                let (firsts, seconds) = (
                    before.get(class * states + one)?,
                    before.get(class * states + two)?,
                );
                for first in firsts {
                    seconds
                        .iter()
                        .for_each(|second| table.fail(*first, *second, &mut open));
                }
            }
        }
        Some(table)
    }

    fn fail(&mut self, one: usize, two: usize, open: &mut Vec<(usize, usize)>) {
        if let Some(holds) = self.holds.get_mut(one * self.states + two)
            && std::mem::take(holds)
        {
            open.push((one, two));
        }
    }

    /// Whether `two` accepts every text that `one` accepts.
    pub(in super::super) fn holds(&self, one: u32, two: u32) -> bool {
        let at = one as usize * self.states + two as usize;
        self.holds.get(at).copied().unwrap_or_default()
    }
}
