//! Finds lines and columns of a text without reading it from the start for each: a policy may have as many findings as lines,
//! and all of them in one line.

/// Bytes between two entries of [`Places::characters`].
const STEP: usize = 512;

/// Where the lines of a text begin, and how many characters are in front of every 512th byte.
#[derive(Clone, Debug)]
pub(super) struct Places {
    /// The first byte of each line; never empty.
    lines: Vec<usize>,
    characters: Vec<usize>,
}

impl Places {
    /// Reads the text through. Cost: linear in the text.
    pub(super) fn of(text: &str) -> Self {
        let newlines = memchr::memchr_iter(b'\n', text.as_bytes()).map(|at| at + 1);
        let steps = text.as_bytes().chunks(STEP).scan(0, |count, chunk| {
            let before = *count;
            *count += begins(chunk);
            Some(before)
        });
        Self {
            lines: std::iter::once(0).chain(newlines).collect(),
            characters: steps.collect(),
        }
    }

    /// The number of the line that has a byte, counted from 1, and the line's first byte. Cost: logarithmic in the lines.
    pub(super) fn line(&self, at: usize) -> (usize, usize) {
        let number = self.lines.partition_point(|start| *start <= at);
        let start = number.checked_sub(1).and_then(|line| self.lines.get(line));
        (number, start.copied().unwrap_or_default())
    }

    /// Like [`Places::line`], with the column, which is counted in characters from 1. `text` is the one that was read.
    pub(super) fn line_and_column(&self, text: &str, at: usize) -> (usize, usize) {
        let at = at.min(text.len());
        let (number, start) = self.line(at);
        let column = self.characters_before(text, at) - self.characters_before(text, start);
        (number, column + 1)
    }

    fn characters_before(&self, text: &str, at: usize) -> usize {
        let step = at / STEP;
        let known = self.characters.get(step).copied();
        // A text that ends with a step has no entry for its end.
        let (known, from) = match (known, step.checked_sub(1)) {
            (Some(known), _) => (known, step * STEP),
            (None, Some(before)) => (
                self.characters.get(before).copied().unwrap_or_default(),
                before * STEP,
            ),
            (None, None) => (0, 0),
        };
        known + text.as_bytes().get(from..at).map_or(0, begins)
    }
}

/// The number of characters that begin in these bytes of UTF-8.
fn begins(bytes: &[u8]) -> usize {
    bytes.iter().filter(|byte| **byte & 0xc0 != 0x80).count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_and_columns_are_those_that_counting_finds() {
        let long = format!("{}\nß{}\n\n", "aé".repeat(STEP), "💡".repeat(STEP));
        for text in [
            "",
            "a",
            "\n",
            "a\nbc\n",
            "é\n\nü",
            &long,
            &"x".repeat(STEP),
            &"x".repeat(2 * STEP),
        ] {
            let places = Places::of(text);
            for at in (0..=text.len()).filter(|at| text.is_char_boundary(*at)) {
                let before = text.get(..at).unwrap();
                let counted = (
                    before.matches('\n').count() + 1,
                    before.rsplit('\n').next().unwrap().chars().count() + 1,
                );
                assert_eq!(places.line_and_column(text, at), counted, "{at} of {text:?}");
            }
        }
    }
}
