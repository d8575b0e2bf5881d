//! The canonical layout of a TOML file of the policy. What has no canonical spelling here stays as it is written: unknown keys keep
//! their order, and an array with comments its layout.

use toml_edit::{Array, DocumentMut, Item, RawString, Table, Value};

use super::{
    block,
    kept::Kept,
    layout,
    meaning::{BLOCKS, SINGLE},
};

/// Maximum length of a list on one line, in characters.
const WIDTH: usize = 100;

/// Formats a file.
///
/// # Errors
/// The text is not TOML: what is wrong.
pub(super) fn format(text: &str, kept: &Kept) -> Result<String, String> {
    let mut document: DocumentMut = text
        .parse()
        .map_err(|error: toml_edit::TomlError| format!("the file is not valid TOML: {}", error.message()))?;
    let first = first_entry(document.as_table());
    let arrays: Vec<String> = document.iter().map(|(key, _)| key.to_owned()).collect();
    for array in &arrays {
        if let Some(mut key) = document.as_table_mut().key_mut(array)
            && is_entries(&key)
        {
            key.fmt();
            key.leaf_decor_mut().clear();
        }
        let entries = document.get_mut(array).and_then(Item::as_array_of_tables_mut);
        for entry in entries.into_iter().flat_map(|entries| entries.iter_mut()) {
            header(entry, entry.position() == first);
            keys(entry, array, kept);
        }
    }
    let end = end(layout::raw(Some(document.trailing())));
    document.set_trailing(end);
    let mut out = document.to_string();
    out.truncate(out.trim_end_matches(['\n', ' ', '\t']).len());
    if !out.is_empty() {
        out.push('\n');
    }
    Ok(out)
}

/// The comments behind the last section, with a blank line in front of them if there was one.
fn end(text: &str) -> String {
    let is_apart = text.trim_start_matches([' ', '\t']).starts_with('\n');
    // The last line of a file need not end.
    let comments = layout::comments(&format!("{text}\n"));
    let gap = if is_apart && !comments.is_empty() {
        "\n"
    } else {
        ""
    };
    format!("{gap}{comments}")
}

fn is_entries(key: &toml_edit::KeyMut<'_>) -> bool {
    matches!(key.get(), "token" | "never" | "only" | "always" | "reviewed")
}

/// The position of the first section, if nothing stands before it.
fn first_entry(root: &Table) -> Option<isize> {
    let is_alone = root.iter().all(|(_, item)| item.is_array_of_tables());
    let arrays = root.iter().filter_map(|(_, item)| item.as_array_of_tables());
    let positions = arrays.flat_map(|array| array.iter().filter_map(Table::position));
    positions.min().filter(|_| is_alone)
}

/// One blank line before each section but the first; its comments stay.
fn header(entry: &mut Table, is_first: bool) {
    let comments = layout::comments(layout::raw(entry.decor().prefix()));
    let gap = if is_first { "" } else { "\n" };
    let trailing = layout::trailing(entry.decor());
    let decor = entry.decor_mut();
    decor.set_prefix(format!("{gap}{comments}"));
    decor.set_suffix(trailing);
}

/// Puts the keys of a section in order, each with the comments above it, and spells their values.
fn keys(entry: &mut Table, array: &str, kept: &Kept) {
    let is_flat = entry.iter().all(|(_, item)| item.is_value());
    if !is_flat {
        return;
    }
    entry.sort_values_by(|one, _, other, _| {
        layout::place(array, one.get()).cmp(&layout::place(array, other.get()))
    });
    for (mut key, item) in entry.iter_mut() {
        let above = layout::comments(layout::raw(key.leaf_decor().prefix()));
        let name = key.get().to_owned();
        key.fmt();
        let decor = key.leaf_decor_mut();
        decor.set_prefix(above);
        decor.set_suffix(" ");
        if let Some(value) = item.as_value_mut() {
            let behind = layout::trailing(value.decor());
            spell(value, &name, kept);
            let decor = value.decor_mut();
            decor.set_prefix(" ");
            decor.set_suffix(behind);
        }
    }
}

fn spell(value: &mut Value, key: &str, kept: &Kept) {
    let written = value.as_str().map(str::to_owned);
    let spelled = match (written, &mut *value) {
        (Some(text), _) if BLOCKS.contains(&key) => lines(&text, kept),
        (Some(text), _) if SINGLE.contains(&key) => single(&text),
        (Some(text), Value::String(string)) if is_plain(&text) => {
            string.fmt();
            None
        }
        (_, Value::Array(array)) => {
            list(array);
            None
        }
        _ => None,
    };
    if let Some(spelled) = spelled {
        *value = spelled;
    }
}

/// A block of lines between `'''` and `'''`; `None`: it stays, because it is empty or TOML could not write it so.
fn lines(text: &str, kept: &Kept) -> Option<Value> {
    let block = block::format(text, kept);
    let is_fit = !block.is_empty() && !text.contains("'''");
    is_fit.then(|| format!("'''\n{block}'''").parse().ok()).flatten()
}

/// A single line in a string that TOML does not interpret. It keeps its text, because it names a line of the old or the new policy as
/// that is written.
fn single(text: &str) -> Option<Value> {
    let line = text.trim();
    let is_fit = !line.contains(['\'', '\n']);
    is_fit.then(|| format!("'{line}'").parse().ok()).flatten()
}

/// Whether a text needs no escape in `"…"`.
fn is_plain(text: &str) -> bool {
    !text.contains(['"', '\\']) && !text.contains(char::is_control)
}

/// A list on one line, or if it is long with one element a line. One with comments stays.
fn list(array: &mut Array) {
    if has_comments(array) {
        return;
    }
    for element in array.iter_mut() {
        if let Value::String(string) = element
            && is_plain(string.value())
        {
            string.fmt();
        }
        element.decor_mut().clear();
    }
    let width: usize = array
        .iter()
        .map(|element| element.to_string().trim().chars().count() + ", ".len())
        .sum();
    let is_long = width > WIDTH;
    for (at, element) in array.iter_mut().enumerate() {
        let before = match (is_long, at) {
            (true, _) => "\n    ",
            (false, 0) => "",
            (false, _) => " ",
        };
        element.decor_mut().set_prefix(before);
        element.decor_mut().set_suffix("");
    }
    array.set_trailing_comma(is_long);
    array.set_trailing(if is_long { "\n" } else { "" });
}

fn has_comments(array: &Array) -> bool {
    let is_comment = |between: Option<&RawString>| layout::raw(between).contains('#');
    let mut elements = array.iter().map(Value::decor);
    elements.any(|decor| is_comment(decor.prefix()) || is_comment(decor.suffix()))
        || is_comment(Some(array.trailing()))
}
