use std::collections::BTreeSet;

/// A set of characters, as ranges in order that neither overlap nor touch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) struct Chars(Vec<(u32, u32)>);

const LAST: u32 = 0x0010_FFFF;

impl Chars {
    pub(super) fn all() -> Self {
        Self(vec![(0, LAST)])
    }

    pub(super) fn one(char: char) -> Self {
        Self::range(char, char)
    }

    pub(super) fn range(first: char, last: char) -> Self {
        Self::of([(u32::from(first), u32::from(last))])
    }

    /// Any ranges, in any order.
    pub(super) fn of(ranges: impl IntoIterator<Item = (u32, u32)>) -> Self {
        let mut sorted: Vec<(u32, u32)> = ranges.into_iter().filter(|(first, last)| first <= last).collect();
        sorted.sort_unstable();
        let mut merged: Vec<(u32, u32)> = Vec::new();
        for (first, last) in sorted {
            match merged.last_mut() {
                Some((_, end)) if first <= end.saturating_add(1) => *end = last.max(*end),
                _ => merged.push((first, last)),
            }
        }
        Self(merged)
    }

    pub(super) fn first(&self) -> Option<char> {
        self.0.first().and_then(|(first, _)| char::from_u32(*first))
    }

    pub(super) fn contains(&self, char: char) -> bool {
        let char = u32::from(char);
        self.0
            .iter()
            .any(|(first, last)| (*first..=*last).contains(&char))
    }

    pub(super) fn union(&self, other: &Self) -> Self {
        Self::of(self.0.iter().chain(&other.0).copied())
    }

    pub(super) fn complement(&self) -> Self {
        let mut gaps = Vec::new();
        let mut next = 0;
        for (first, last) in &self.0 {
            if *first > next {
                gaps.push((next, first - 1));
            }
            next = last + 1;
        }
        if next <= LAST {
            gaps.push((next, LAST));
        }
        Self(gaps)
    }

    pub(super) fn intersection(&self, other: &Self) -> Self {
        self.complement().union(&other.complement()).complement()
    }

    pub(super) fn minus(&self, other: &Self) -> Self {
        self.intersection(&other.complement())
    }

    /// With the other case of each ASCII letter: `(?i)` is ASCII (SEMANTICS 1, "Regexps").
    pub(super) fn folded(&self) -> Self {
        let shifted = |from: (char, char), to: char| {
            let letters = self.intersection(&Self::range(from.0, from.1));
            let (from, to) = (u32::from(from.0), u32::from(to));
            Self::of(
                letters
                    .0
                    .into_iter()
                    .map(|(first, last)| (first - from + to, last - from + to)),
            )
        };
        self.union(&shifted(('a', 'z'), 'A'))
            .union(&shifted(('A', 'Z'), 'a'))
    }

    /// `\d`, `\w` and `\s`, which are ASCII.
    pub(super) fn perl(letter: char) -> Option<Self> {
        let set = match letter.to_ascii_lowercase() {
            'd' => Self::range('0', '9'),
            'w' => Self::one('_').union(&Self::posix("alnum")?),
            's' => Self::range('\t', '\r').union(&Self::one(' ')),
            _ => return None,
        };
        Some(set)
    }

    /// The set of `[:name:]`.
    pub(super) fn posix(name: &str) -> Option<Self> {
        let (lower, upper, digit) = (
            Self::range('a', 'z'),
            Self::range('A', 'Z'),
            Self::range('0', '9'),
        );
        let set = match name {
            "digit" => digit,
            "lower" => lower,
            "upper" => upper,
            "alpha" => lower.union(&upper),
            "alnum" => lower.union(&upper).union(&digit),
            "space" => Self::range('\t', '\r').union(&Self::one(' ')),
            "blank" => Self::one('\t').union(&Self::one(' ')),
            "cntrl" => Self::range('\0', '\x1F').union(&Self::one('\x7F')),
            "graph" => Self::range('!', '~'),
            "print" => Self::range(' ', '~'),
            "punct" => Self::range('!', '~').minus(&Self::posix("alnum")?),
            "word" => Self::perl('w')?,
            "xdigit" => digit.union(&Self::range('a', 'f')).union(&Self::range('A', 'F')),
            "ascii" => Self::range('\0', '\x7F'),
            _ => return None,
        };
        Some(set)
    }

    /// The set of `\p{name}`: which characters have a property is the one thing that is asked of the `regex` crate.
    pub(super) fn property(name: &str) -> Option<Self> {
        let property = regex::Regex::new(&format!(r"[\p{{{name}}}]+")).ok()?;
        let every: String = (0..=LAST).filter_map(char::from_u32).collect();
        let runs = property.find_iter(&every);
        let ranges = runs.flat_map(|run| {
            run.as_str()
                .chars()
                .map(|char| (u32::from(char), u32::from(char)))
        });
        Some(Self::of(ranges))
    }
}

/// A character in every letter case, Unicode's simple mappings included.
pub(super) fn cases(char: char) -> BTreeSet<char> {
    let mut cases = BTreeSet::from([char]);
    loop {
        let mut more: BTreeSet<char> = cases
            .iter()
            .flat_map(|char| [single(char.to_lowercase()), single(char.to_uppercase())])
            .flatten()
            .collect();
        // No mapping leads to these from the plain letter, which is the lower case of their capital or of themselves.
        for (other, plain) in [('\u{17F}', 's'), ('\u{212A}', 'k')] {
            if more.contains(&plain) {
                more.insert(other);
            }
        }
        let before = cases.len();
        cases.append(&mut more);
        if cases.len() == before {
            return cases;
        }
    }
}

/// The character, if there is exactly one.
fn single(mut chars: impl Iterator<Item = char>) -> Option<char> {
    chars.next().filter(|_| chars.next().is_none())
}
