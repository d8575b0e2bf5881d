//! Unified diffs of two texts.

use std::fmt::Write as _;

use tokenward_compiler::visible;

use super::super::output::shown_line as shown_text;

/// Lines shown around a change.
const CONTEXT: usize = 3;
/// Pairs of lines that are compared; texts with more are shown as replaced in whole.
const PAIRS: usize = 16_000_000;

/// One line of a diff.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Line<'t> {
    Same(&'t str),
    Old(&'t str),
    New(&'t str),
}

/// The diff of a file, with its name in the head; empty if the texts are equal. Control characters are escaped, and a line without a
/// line end is marked.
pub(super) fn diff(name: &str, before: &str, after: &str) -> String {
    let name = visible(name);
    written((&name, &name), (before, after), &shown_text)
}

/// The patch of a file for `git apply`, with every byte of its lines as it is. `name` is the path from the top of the work tree.
pub(in crate::cli) fn patch(name: &str, before: &str, after: &str) -> String {
    let names = (format!("a/{name}"), format!("b/{name}"));
    written((&names.0, &names.1), (before, after), &str::to_owned)
}

fn written(
    (old_name, new_name): (&str, &str),
    (before, after): (&str, &str),
    shown: &dyn Fn(&str) -> String,
) -> String {
    let (old, new) = (lines(before), lines(after));
    let all = compare(&old, &new);
    let mut out = String::new();
    for (start, end) in hunks(&all) {
        if out.is_empty() {
            let _ = write!(out, "--- {old_name}\n+++ {new_name}\n");
        }
        hunk(&all, (start, end), shown, &mut out);
    }
    out
}

/// The lines with their ends.
fn lines(text: &str) -> Vec<&str> {
    text.split_inclusive('\n').collect()
}

/// All lines of both texts, those in common once.
fn compare<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Line<'t>> {
    let before = old
        .iter()
        .zip(new)
        .take_while(|(one, other)| one == other)
        .count();
    let (old_rest, new_rest) = (
        old.get(before..).unwrap_or_default(),
        new.get(before..).unwrap_or_default(),
    );
    let pairs = old_rest.iter().rev().zip(new_rest.iter().rev());
    let behind = pairs.take_while(|(one, other)| one == other).count();
    let old_middle = old_rest.get(..old_rest.len() - behind).unwrap_or_default();
    let new_middle = new_rest.get(..new_rest.len() - behind).unwrap_or_default();
    let mut all: Vec<Line<'t>> = old.iter().take(before).map(|line| Line::Same(line)).collect();
    all.extend(middle(old_middle, new_middle));
    let rest = old_rest.iter().skip(old_middle.len());
    all.extend(rest.map(|line| Line::Same(line)));
    all
}

/// The longest common subsequence of the lines that differ.
fn middle<'t>(old: &[&'t str], new: &[&'t str]) -> Vec<Line<'t>> {
    let width = new.len() + 1;
    if old.len().saturating_mul(new.len()) > PAIRS {
        let removed = old.iter().map(|line| Line::Old(line));
        return removed.chain(new.iter().map(|line| Line::New(line))).collect();
    }
    // Lengths of the common subsequences of the rests, by the first lines of both.
    let mut lengths = vec![0_u32; (old.len() + 1) * width];
    let length =
        |lengths: &[u32], at: usize, to: usize| lengths.get(at * width + to).copied().unwrap_or_default();
    for (at, one) in old.iter().enumerate().rev() {
        for (to, other) in new.iter().enumerate().rev() {
            let best = if one == other {
                length(&lengths, at + 1, to + 1) + 1
            } else {
                length(&lengths, at + 1, to).max(length(&lengths, at, to + 1))
            };
            if let Some(cell) = lengths.get_mut(at * width + to) {
                *cell = best;
            }
        }
    }
    let (mut at, mut to) = (0, 0);
    let mut all = Vec::new();
    loop {
        match (old.get(at), new.get(to)) {
            (Some(one), Some(other)) if one == other => {
                all.push(Line::Same(one));
                (at, to) = (at + 1, to + 1);
            }
            (Some(one), other)
                if other.is_none() || length(&lengths, at + 1, to) >= length(&lengths, at, to + 1) =>
            {
                all.push(Line::Old(one));
                at += 1;
            }
            (_, Some(other)) => {
                all.push(Line::New(other));
                to += 1;
            }
            _ => return all,
        }
    }
}

/// Ranges of lines around changes. Changes that are near share one.
fn hunks(all: &[Line<'_>]) -> Vec<(usize, usize)> {
    let mut hunks: Vec<(usize, usize)> = Vec::new();
    let changed = all
        .iter()
        .enumerate()
        .filter(|(_, line)| !matches!(line, Line::Same(_)));
    for (at, _) in changed {
        let (start, end) = (at.saturating_sub(CONTEXT), (at + CONTEXT + 1).min(all.len()));
        match hunks.last_mut() {
            Some(last) if start <= last.1 => last.1 = end,
            _ => hunks.push((start, end)),
        }
    }
    hunks
}

fn hunk(
    all: &[Line<'_>],
    (start, end): (usize, usize),
    shown_text: &dyn Fn(&str) -> String,
    out: &mut String,
) {
    let before = all.get(..start).unwrap_or_default();
    let shown = all.get(start..end).unwrap_or_default();
    let old = |lines: &[Line<'_>]| lines.iter().filter(|line| !matches!(line, Line::New(_))).count();
    let new = |lines: &[Line<'_>]| lines.iter().filter(|line| !matches!(line, Line::Old(_))).count();
    let first = |before: usize, count: usize| if count == 0 { before } else { before + 1 };
    let (olds, news) = (old(shown), new(shown));
    let _ = writeln!(
        out,
        "@@ -{},{olds} +{},{news} @@",
        first(old(before), olds),
        first(new(before), news)
    );
    for line in shown {
        let (mark, text) = match line {
            Line::Same(text) => (' ', text),
            Line::Old(text) => ('-', text),
            Line::New(text) => ('+', text),
        };
        out.push(mark);
        match text.strip_suffix('\n') {
            Some(text) => out.push_str(&shown_text(text)),
            None => {
                out.push_str(&shown_text(text));
                out.push_str("\n\\ No newline at end of file");
            }
        }
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::diff;
    use crate::cli::output::without_commands;

    #[test]
    fn changes_are_shown_with_three_lines_around() {
        let before = "a\nb\nc\nd\ne\nf\ng\nh\ni\nj\n";
        let after = "a\nb\nc\nd\nE\nf\ng\nh\ni\nj\nk";
        assert_eq!(
            diff("p/x.toml", before, after),
            "--- p/x.toml\n+++ p/x.toml\n@@ -2,9 +2,10 @@\n b\n c\n d\n-e\n+E\n f\n g\n h\n i\n j\n+k\n\\ No newline at end of file\n"
        );
        assert_eq!(diff("x", "a\n", "a\n"), "");
        assert_eq!(diff("x", "", "a\n"), "--- x\n+++ x\n@@ -0,0 +1,1 @@\n+a\n");
        assert_eq!(
            diff("x", "a\r\n\u{1b}\n", "a\n"),
            "--- x\n+++ x\n@@ -1,2 +1,1 @@\n-a\\r\n-\\u{1b}\n+a\n"
        );
    }

    #[test]
    fn commands_of_github_are_escaped() {
        assert_eq!(
            without_commands(" ::error::x\n+::error::x\n ##[error]x\n a::b\n"),
            " \\u{3a}:error::x\n+::error::x\n #\\u{23}[error]x\n a::b\n"
        );
    }
}
