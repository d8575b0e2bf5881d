//! Converts patterns to globs.

use regex_syntax::hir::{Class, ClassBytes, ClassBytesRange, Dot, Hir, HirKind, Repetition};

use super::{Atom, ByteSet, Glob};
use crate::regexp::repeated;

/// Patterns of more atoms gain nothing over an automaton.
pub(crate) const MAX_ATOMS: usize = 24;
/// Patterns that take more globs gain nothing either.
const MAX_GLOBS: usize = 16;

impl Glob {
    /// Globs that together match exactly what the pattern matches; `None` if it needs an automaton. Each choice of an
    /// alternation, and of an optional part, becomes a glob of its own.
    #[must_use]
    pub fn from_hir(hir: &Hir) -> Option<Vec<Self>> {
        let mut choices = vec![Vec::new()];
        collect(hir, &mut choices)?;
        choices.into_iter().map(Self::from_atoms).collect()
    }

    /// The glob of these atoms; `None` where matching them would need retries.
    #[must_use]
    pub fn from_atoms(atoms: Vec<Atom>) -> Option<Self> {
        let glob = Self { atoms: merged(atoms) };
        (glob.atoms.len() <= MAX_ATOMS && glob.is_determined()).then_some(glob)
    }

    /// The glob of the texts that may follow `prefix`: `None` if they are not a glob. `prefix` must not end within a run or in a
    /// place that more than one atom could reach.
    #[must_use]
    pub fn after(&self, prefix: &[u8]) -> Option<Self> {
        let (first, rest) = self.atoms.split_first()?;
        match first {
            Atom::Any => {
                // A `.*` consumes the prefix, unless its end already contains the beginning of the next literal.
                let begins_within = match rest.first() {
                    None => false,
                    Some(Atom::Literal(literal)) => {
                        ends(prefix).any(|end| end.starts_with(literal) || literal.starts_with(end))
                    }
                    Some(_) => true,
                };
                (!begins_within).then(|| self.clone())
            }
            Atom::Literal(literal) => match (
                prefix.strip_prefix(literal.as_slice()),
                literal.strip_prefix(prefix),
            ) {
                (_, Some(left)) => {
                    let left = (!left.is_empty()).then(|| Atom::Literal(left.to_vec()));
                    Self::from_atoms(left.into_iter().chain(rest.iter().cloned()).collect())
                }
                (Some(behind), None) => Self { atoms: rest.to_vec() }.after(behind),
                (None, None) => None,
            },
            Atom::Run { .. } => prefix.is_empty().then(|| self.clone()),
        }
    }

    /// A pattern over bytes that matches exactly the texts of the glob.
    pub(crate) fn to_hir(&self) -> Hir {
        let atoms = self.atoms.iter().map(|atom| match atom {
            Atom::Literal(literal) => Hir::literal(literal.as_slice()),
            Atom::Any => repeated(Hir::dot(Dot::AnyByte), 0, None),
            // An artifact can say so; no regexp does.
            Atom::Run { min, max, .. } if max.is_some_and(|max| max < *min) => Hir::fail(),
            Atom::Run { set, min, max } => {
                let bytes = (0..=u8::MAX).filter(|byte| set.contains(*byte));
                let ranges = bytes.map(|byte| ClassBytesRange::new(byte, byte));
                repeated(Hir::class(Class::Bytes(ClassBytes::new(ranges))), *min, *max)
            }
        });
        Hir::concat(atoms.collect())
    }

    /// INVARIANT of the type: nothing within a block is ever retried, and the position of a block after `.*` is found by its
    /// first literal, which no run of the block can contain.
    fn is_determined(&self) -> bool {
        let mut behind_any = false;
        for block in self.atoms.split(|atom| *atom == Atom::Any) {
            let runs_end = block.windows(2).all(|pair| match pair {
                [Atom::Run { set, .. }, Atom::Literal(next)] => {
                    next.first().is_some_and(|byte| !set.contains(*byte))
                }
                [Atom::Run { set, .. }, Atom::Run { set: next, min, .. }] => {
                    set.is_disjoint(*next) && *min > 0
                }
                _ => true,
            });
            let found_by_literal = match block {
                [] | [Atom::Literal(_)] => true,
                [Atom::Literal(literal), rest @ ..] => rest.iter().all(|atom| match atom {
                    Atom::Run { set, .. } => literal.first().is_some_and(|byte| !set.contains(*byte)),
                    _ => true,
                }),
                _ => false,
            };
            if !runs_end || behind_any && !found_by_literal {
                return false;
            }
            behind_any = true;
        }
        true
    }
}

/// Every end of the text that is not empty.
pub(crate) fn ends(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    (0..text.len()).filter_map(|start| text.get(start..))
}

/// Adds the pattern to each of the choices that came before it.
fn collect(hir: &Hir, choices: &mut Vec<Vec<Atom>>) -> Option<()> {
    let mut add = |atom: Atom| choices.iter_mut().for_each(|atoms| atoms.push(atom.clone()));
    match hir.kind() {
        HirKind::Empty => {}
        HirKind::Literal(literal) => add(Atom::Literal(literal.0.to_vec())),
        HirKind::Class(class) => {
            let set = set(class).filter(|set| !set.others)?;
            add(Atom::Run {
                set,
                min: 1,
                max: Some(1),
            });
        }
        HirKind::Repetition(repetition) => match run(repetition) {
            Some(atom) => add(atom),
            None if repetition.min == 0 && repetition.max == Some(1) => {
                fork(&[&Hir::empty(), &repetition.sub], choices)?;
            }
            None => return None,
        },
        HirKind::Concat(parts) => parts.iter().try_for_each(|part| collect(part, choices))?,
        HirKind::Capture(capture) => collect(&capture.sub, choices)?,
        HirKind::Alternation(parts) => fork(&parts.iter().collect::<Vec<_>>(), choices)?,
        HirKind::Look(_) => return None,
    }
    Some(())
}

fn fork(branches: &[&Hir], choices: &mut Vec<Vec<Atom>>) -> Option<()> {
    let mut forked = Vec::new();
    for branch in branches {
        let mut taken = choices.clone();
        collect(branch, &mut taken)?;
        forked.append(&mut taken);
        if forked.len() > MAX_GLOBS {
            return None;
        }
    }
    *choices = forked;
    Some(())
}

fn run(repetition: &Repetition) -> Option<Atom> {
    let (min, max) = (repetition.min, repetition.max);
    match repetition.sub.kind() {
        HirKind::Class(Class::Bytes(set)) if min == 0 && max.is_none() && set.ranges().len() == 1 => {
            let range = set.ranges().first()?;
            (range.start() == 0 && range.end() == 255).then_some(Atom::Any)
        }
        HirKind::Class(class) => {
            let set = set(class)?;
            // Counted are characters, matched are bytes: the same unless a character has several bytes.
            let counts = min > 1 || max.is_some();
            (!set.others || !counts).then_some(Atom::Run { set, min, max })
        }
        HirKind::Literal(literal) => match *literal.0 {
            [byte] if byte < 128 => Some(Atom::Run {
                set: ByteSet {
                    ascii: 1 << byte,
                    others: false,
                },
                min,
                max,
            }),
            _ => None,
        },
        _ => None,
    }
}

/// The class as a set of bytes: only ASCII, or with every character beyond.
fn set(class: &Class) -> Option<ByteSet> {
    let Class::Unicode(class) = class else { return None };
    let (mut ascii, mut beyond) = (0_u128, 0_u32);
    for range in class.ranges() {
        let (start, end) = (u32::from(range.start()), u32::from(range.end()));
        for byte in start..=end.min(127) {
            ascii |= 1 << byte;
        }
        if end > 127 {
            // Surrogates are not characters, though ranges run across them.
            let surrogates = if start < 0xD800 && end > 0xDFFF { 0x800 } else { 0 };
            beyond += end - start.max(128) + 1 - surrogates;
        }
    }
    match beyond {
        0 => Some(ByteSet { ascii, others: false }),
        ALL_BEYOND_ASCII => Some(ByteSet { ascii, others: true }),
        _ => None,
    }
}

/// Characters outside ASCII: U+0080 to U+10FFFF without the surrogates.
const ALL_BEYOND_ASCII: u32 = 0x10_FFFF - 0x7F - 0x800;

/// Merges neighbouring literals, drops empty runs, and merges adjacent `.*`.
fn merged(atoms: Vec<Atom>) -> Vec<Atom> {
    let mut result: Vec<Atom> = Vec::with_capacity(atoms.len());
    for atom in atoms {
        match (result.last_mut(), atom) {
            (_, Atom::Literal(literal)) if literal.is_empty() => {}
            (_, Atom::Run { max: Some(0), .. }) => {}
            (Some(Atom::Literal(before)), Atom::Literal(literal)) => before.extend(literal),
            (Some(Atom::Any), Atom::Any) => {}
            (_, atom) => result.push(atom),
        }
    }
    result
}
