//! Parts that the text and the comment share: columns, and operations that most tokens reach.

use super::view::View;

/// Operations that most tokens reach, the most telling first: how many tokens, and the operation's number.
pub(super) fn most_reached(view: &View<'_>, most: usize) -> Vec<(usize, usize)> {
    let counts = view.tokens_of_operations().into_iter().enumerate();
    let mut reached: Vec<(usize, usize)> = counts
        .filter(|(_, count)| *count > 0)
        .map(|(at, count)| (count, at))
        .collect();
    let writes = |at: usize| view.operation(at).is_some_and(super::view::is_write);
    reached.sort_by_key(|(count, at)| (std::cmp::Reverse(*count), !writes(*at), *at));
    reached.truncate(most);
    reached
}

/// Lines of columns; numbers are in the last ones.
pub(super) fn columns(rows: &[Vec<String>]) -> Vec<String> {
    let count = rows.iter().map(Vec::len).max().unwrap_or_default();
    let width = |column: usize| {
        let cells = rows.iter().filter_map(|row| row.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or_default()
    };
    let widths: Vec<usize> = (0..count).map(width).collect();
    let line = |row: &Vec<String>| {
        let padded = row.iter().zip(&widths).map(|(cell, width)| {
            let blanks = width.saturating_sub(cell.chars().count());
            format!("{cell}{}", " ".repeat(blanks))
        });
        padded.collect::<Vec<String>>().join("  ").trim_end().to_owned()
    };
    rows.iter().map(line).collect()
}
