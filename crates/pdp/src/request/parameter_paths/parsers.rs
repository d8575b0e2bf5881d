//! The parsers, each as in its source. The parent module's table names the sources.

use std::borrow::Cow;

use super::path::{MAX_STEPS, Path, Paths, Step};

const BRACKETS: [char; 2] = ['[', ']'];

/// Keeps the name as it is. Also adds it without the blanks around it, which some readers trim.
pub(super) fn flat<'n>(name: &'n str, paths: &mut Paths<'n>) {
    let trimmed = name.trim();
    for name in [name, trimmed] {
        if !name.is_empty() {
            paths.add(vec![Step::first(name)]);
        }
    }
}

/// Strips brackets before a key, takes the text before the next bracket, and continues after the closing ones.
pub(super) fn rack_2<'n>(name: &'n str, paths: &mut Paths<'n>) {
    let mut path = Path::new();
    let mut rest = name;
    while path.len() < MAX_STEPS {
        let start = rest.trim_start_matches(BRACKETS);
        let (key, after) = cut_before(start, BRACKETS);
        if key.is_empty() {
            if rest == "[]" && !path.is_empty() {
                path.push(Step::Each);
            }
            break;
        }
        let after = after.trim_start_matches(']');
        if after == "[" {
            path.push(Step::after(&path, rest));
            break;
        }
        path.push(Step::after(&path, key));
        if let Some(child) = after.strip_prefix("[]") {
            path.push(Step::Each);
            rest = child;
        } else {
            rest = after;
        }
        if rest.is_empty() {
            break;
        }
    }
    paths.add(path);
}

/// Takes the text before the first `[` that is not the first character, then one pair of brackets after the other.
pub(super) fn rack_3<'n>(name: &'n str, paths: &mut Paths<'n>) {
    let mut path = Path::new();
    let mut outer = true;
    let mut rest = name;
    while path.len() < MAX_STEPS && !rest.is_empty() {
        let (key, after) = if outer {
            let behind_first = rest.chars().next().map_or(0, char::len_utf8);
            let found = rest.get(behind_first..).and_then(|rest| rest.find('['));
            split(rest, found.map_or(rest.len(), |at| at + behind_first))
        } else if let Some(after) = rest.strip_prefix("[]") {
            ("", after)
        } else {
            let inside = rest.strip_prefix('[').and_then(|inside| inside.split_once(']'));
            inside.unwrap_or((rest, ""))
        };
        outer = false;
        if after == "[" {
            path.push(Step::after(&path, rest));
            break;
        }
        path.push(Step::after(&path, key));
        rest = after;
        if let Some(child) = after.strip_prefix("[]") {
            path.push(Step::Each);
            let only = child.strip_prefix('[').and_then(|child| child.strip_suffix(']'));
            rest = only
                .filter(|only| !only.is_empty() && !only.contains(BRACKETS))
                .unwrap_or(child);
        }
    }
    paths.add(path);
}

/// Drops leading blanks, and replaces dots and blanks before the first `[` by `_`, as well as a first `[` that no `]`
/// closes. Drops text after a `]` that does not begin with `[`.
pub(super) fn php<'n>(name: &'n str, paths: &mut Paths<'n>) {
    let name = name.split('\0').next().unwrap_or_default();
    let name = name.trim_start_matches(' ');
    let (first, mut rest) = cut_before(name, ['[']);
    if first.is_empty() {
        return;
    }
    let mut path = vec![Step::Name(underscored(first))];
    while let Some(inside) = rest.strip_prefix('[') {
        if path.len() >= MAX_STEPS {
            break;
        }
        let is_space = |c: char| matches!(c, ' ' | '\t' | '\n' | '\x0b' | '\x0c' | '\r');
        let skipped = inside.strip_prefix(is_space).unwrap_or(inside);
        if let Some(after) = skipped.strip_prefix(']') {
            path.push(Step::Each);
            rest = after;
        } else if let Some((key, after)) = inside.split_once(']') {
            path.push(Step::after(&path, key));
            rest = after;
        } else {
            if path.len() == 1 {
                path = vec![Step::Name(underscored(name))];
            }
            break;
        }
    }
    paths.add(path);
}

fn underscored(text: &str) -> Cow<'_, str> {
    if text.contains(['.', ' ', '[']) {
        Cow::Owned(text.replace(['.', ' ', '['], "_"))
    } else {
        Cow::Borrowed(text)
    }
}

/// Takes each `[…]` without brackets in it, and drops the text between them. With `allowDots`, `.a` also means `[a]`;
/// with `decodeDotInKeys`, `%2E` in a key means a dot. Beyond the depth (5 by default), the rest is one key.
pub(super) fn qs<'n>(name: &'n str, paths: &mut Paths<'n>) {
    if name.contains("%2E") {
        paths.add_owned(&name.replace("%2E", "."), |name, paths| {
            qs_segments(name, 5, paths);
        });
    }
    for depth in [5, usize::MAX] {
        qs_segments(name, depth, paths);
        if name.contains('.') {
            paths.add_owned(&dots_to_brackets(name, false), |name, paths| {
                qs_segments(name, depth, paths);
            });
        }
    }
}

fn qs_segments<'n>(key: &'n str, depth: usize, paths: &mut Paths<'n>) {
    let Some((parent, mut segment, mut after)) = next_segment(key) else {
        return paths.add(vec![Step::first(key)]);
    };
    let mut keys = QsKeys::new(parent);
    for taken in 0..MAX_STEPS {
        if taken == depth {
            // The rest of the name, beginning with this segment.
            let rest = after.len() + segment.len() + 2;
            keys.push(split(key, key.len().saturating_sub(rest)).1);
            break;
        }
        keys.push(segment);
        match next_segment(after) {
            Some((_, next, rest)) => (segment, after) = (next, rest),
            None => break,
        }
    }
    paths.add(keys.path);
}

/// Keys, converted to a path like `parseObject`.
struct QsKeys<'n> {
    path: Path<'n>,
    /// Whether the last key was `[]`: an array that begins there is the same one.
    appends: bool,
    ended: bool,
}

impl<'n> QsKeys<'n> {
    fn new(parent: &'n str) -> Self {
        let mut keys = Self {
            path: Path::new(),
            appends: false,
            ended: false,
        };
        if !parent.is_empty() {
            keys.ended = parent == PROTOTYPE;
            keys.path.push(Step::first(parent));
        }
        keys
    }

    fn push(&mut self, key: &'n str) {
        if self.ended || self.path.len() >= MAX_STEPS {
            return;
        }
        // qs sets nothing under this key, so the path ends above it.
        if key == PROTOTYPE {
            self.ended = true;
            return;
        }
        let begins_array = key.is_empty() || is_index(key);
        if !(self.appends && begins_array) {
            self.path.push(Step::after(&self.path, key));
        }
        self.appends = key.is_empty();
    }
}

const PROTOTYPE: &str = "__proto__";

/// Whether the key is an index up to `arrayLimit`.
fn is_index(key: &str) -> bool {
    key.len() <= 2 && key.parse::<u8>().is_ok_and(|index| index <= 20)
}

/// Finds the first `[…]` without brackets in it; returns the text before, in and after it.
fn next_segment(text: &str) -> Option<(&str, &str, &str)> {
    let mut from = 0;
    loop {
        let (before, inside) = text.get(from..)?.split_once('[')?;
        let open = from + before.len();
        let (segment, after) = cut_before(inside, BRACKETS);
        if let Some(after) = after.strip_prefix(']') {
            return Some((text.get(..open)?, segment, after));
        }
        from = open + 1;
    }
}

/// Takes each balanced `[…]`, including brackets in it. One that is never closed is a key with all text after it.
pub(super) fn qs_balanced<'n>(name: &'n str, paths: &mut Paths<'n>) {
    for depth in [5, usize::MAX] {
        balanced_segments(name, depth, paths);
        if name.contains('.') {
            paths.add_owned(&dots_to_brackets(name, true), |name, paths| {
                balanced_segments(name, depth, paths);
            });
        }
    }
}

fn balanced_segments<'n>(key: &'n str, depth: usize, paths: &mut Paths<'n>) {
    let (parent, mut rest) = cut_before(key, ['[']);
    let mut keys = QsKeys::new(parent);
    for taken in 0..MAX_STEPS {
        let Some((segment, after)) = balanced(rest).filter(|_| taken < depth) else {
            if !rest.is_empty() {
                keys.push(rest);
            }
            break;
        };
        keys.push(segment);
        rest = cut_before(after, ['[']).1;
    }
    paths.add(keys.path);
}

/// Returns the text in the balanced brackets with which `text` begins, and the text after them.
fn balanced(text: &str) -> Option<(&str, &str)> {
    let mut level = 0_usize;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' => level += 1,
            b']' => level = level.saturating_sub(1),
            _ => {}
        }
        if level == 0 {
            return Some((text.get(1..at)?, text.get(at + 1..)?));
        }
    }
    None
}

/// Replaces each `.a` by `[a]`; with `outside`, only outside brackets.
fn dots_to_brackets(key: &str, outside: bool) -> String {
    let mut made = String::with_capacity(key.len() + 2);
    let mut level = 0_usize;
    let mut rest = key;
    while let Some(c) = rest.chars().next() {
        let after = split(rest, c.len_utf8()).1;
        let (word, behind) = cut_before(after, ['.', '[']);
        match c {
            '.' if !(word.is_empty() || outside && level > 0) => {
                made.extend(["[", word, "]"]);
                rest = behind;
                continue;
            }
            '[' => level += 1,
            ']' => level = level.saturating_sub(1),
            _ => {}
        }
        made.push(c);
        rest = after;
    }
    made
}

/// Reads the path of a bean's property. A default (`!a`) or a marker (`_a`) also refers to the field `a`.
pub(super) fn spring<'n>(name: &'n str, paths: &mut Paths<'n>) {
    let default = name.strip_prefix('!').unwrap_or(name);
    let marked = default.strip_prefix('_').unwrap_or(default);
    for field in [name, default, marked] {
        let field = field.strip_suffix("[]").unwrap_or(field);
        let mut path = Path::new();
        let mut rest = field;
        while !rest.is_empty() && path.len() < MAX_STEPS {
            let (property, behind) = cut_property(rest);
            add_property(property, &mut path);
            rest = behind;
        }
        paths.add(path);
    }
}

/// Cuts the text at the first dot outside brackets.
fn cut_property(text: &str) -> (&str, &str) {
    let mut in_key = false;
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            b'[' | b']' => in_key = !in_key,
            b'.' if !in_key => return (split(text, at).0, split(text, at + 1).1),
            _ => {}
        }
    }
    (text, "")
}

/// Adds the steps of `a['b'][0]`: the name before the first key, then the keys. Text between them is dropped.
fn add_property<'n>(property: &'n str, path: &mut Path<'n>) {
    let (name, mut rest) = cut_before(property, ['[']);
    if balanced(rest).is_none() {
        return path.push(Step::after(path, property));
    }
    if !name.is_empty() {
        path.push(Step::after(path, name));
    }
    while let Some((key, after)) = balanced(rest).filter(|_| path.len() < MAX_STEPS) {
        path.push(Step::after(path, unquoted(key)));
        rest = cut_before(after, ['[']).1;
    }
}

fn unquoted(key: &str) -> &str {
    let within = |quote: char| key.strip_prefix(quote)?.strip_suffix(quote);
    within('\'').or_else(|| within('"')).unwrap_or(key)
}

/// Converts `a[b]` to `a.b` and `a[]` to `a`; an index is kept.
pub(super) fn jquery<'n>(name: &'n str, paths: &mut Paths<'n>) {
    if !name.contains('[') {
        return;
    }
    let mut made = String::with_capacity(name.len());
    let mut rest = name;
    while let Some((before, inside)) = rest.split_once('[') {
        made.push_str(before);
        let Some((key, after)) = inside.split_once(']') else {
            // jQuery's normalizer refuses such a name.
            return;
        };
        if key.starts_with(|c: char| c.is_ascii_digit()) {
            made.extend(["[", key, "]"]);
        } else if !key.is_empty() {
            made.extend([".", key]);
        }
        rest = after;
    }
    made.push_str(rest);
    paths.add_owned(&made, separators);
}

/// Takes the parts between dots, brackets and quotes.
pub(super) fn separators<'n>(name: &'n str, paths: &mut Paths<'n>) {
    parts(name, &['.', '[', ']', '\'', '"'], paths);
}

/// Takes the parts between brackets.
pub(super) fn brackets<'n>(name: &'n str, paths: &mut Paths<'n>) {
    parts(name, &BRACKETS, paths);
}

fn parts<'n>(name: &'n str, between: &[char], paths: &mut Paths<'n>) {
    let parts = name.split(between).map(str::trim);
    let mut path = Path::new();
    for part in parts.filter(|part| !part.is_empty()).take(MAX_STEPS) {
        path.push(Step::after(&path, part));
    }
    paths.add(path);
}

/// Splits the text before the first of these characters.
fn cut_before<const N: usize>(text: &str, at: [char; N]) -> (&str, &str) {
    split(text, text.find(at).unwrap_or(text.len()))
}

fn split(text: &str, at: usize) -> (&str, &str) {
    text.split_at_checked(at).unwrap_or((text, ""))
}
