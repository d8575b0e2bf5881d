use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{LazyLock, Mutex, PoisonError},
};

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
        let behind = self.0.partition_point(|(first, _)| *first <= char);
        let range = behind.checked_sub(1).and_then(|at| self.0.get(at));
        range.is_some_and(|(_, last)| char <= *last)
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

    /// With every other character that a table has for one of the set.
    pub(super) fn folded_by(&self, table: &[(char, BTreeSet<char>)]) -> Self {
        let own = table.iter().filter(|(char, _)| self.contains(*char));
        let others =
            own.flat_map(|(_, others)| others.iter().map(|char| (u32::from(*char), u32::from(*char))));
        self.union(&Self::of(others))
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
        static KNOWN: Mutex<BTreeMap<String, Chars>> = Mutex::new(BTreeMap::new());
        let mut known = KNOWN.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(set) = known.get(name) {
            return Some(set.clone());
        }
        let property = regex::Regex::new(&format!(r"[\p{{{name}}}]+")).ok()?;
        let every: String = (0..=LAST).filter_map(char::from_u32).collect();
        let runs = property.find_iter(&every).map(|run| run.as_str());
        let ends = runs.filter_map(|run| Some((run.chars().next()?, run.chars().next_back()?)));
        let set = Self::of(ends.map(|(first, last)| (u32::from(first), u32::from(last))));
        known.insert(name.to_owned(), set.clone());
        Some(set)
    }
}

/// Each character that has other letter cases, with these: Unicode's simple mappings, there and back.
pub(super) static EVERY_CASE: LazyLock<Vec<(char, BTreeSet<char>)>> = LazyLock::new(|| {
    let mut classes: BTreeMap<char, BTreeSet<char>> = BTreeMap::new();
    for char in (0..=LAST).filter_map(char::from_u32) {
        let lower = single(char.to_lowercase()).unwrap_or(char);
        let upper = single(char.to_uppercase()).unwrap_or(char);
        if (lower, upper) == (char, char) {
            continue;
        }
        // What has the same capital is one letter: a long s and an s. What has the same small letter, too: the Kelvin sign and a K.
        for root in [single(upper.to_lowercase()).unwrap_or(upper), lower] {
            classes.entry(root).or_default().extend([char, lower, upper]);
        }
    }
    let classes = classes.into_values().filter(|class| class.len() > 1);
    classes
        .flat_map(|class| class.clone().into_iter().map(move |char| (char, class.clone())))
        .collect()
});

/// The character, if there is exactly one.
fn single(mut chars: impl Iterator<Item = char>) -> Option<char> {
    chars.next().filter(|_| chars.next().is_none())
}
