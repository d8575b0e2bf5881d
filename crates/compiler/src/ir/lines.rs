//! The lines of a policy as people know them. Their texts are stored one after the other, so that a hundred thousand of them
//! are two allocations.

use super::{LineId, arena_index};

/// A line as people know it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'p> {
    /// Path of the file below the policy directory.
    pub file: &'p str,
    /// The line in that file, from 1.
    pub number: u32,
    /// The line's text.
    pub text: &'p str,
    /// Names the text.
    pub digest: LineDigest,
}

/// The first eight bytes of the SHA-256 of a line's text; shown as 16 hexadecimal digits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct LineDigest(pub(crate) [u8; 8]);

impl std::fmt::Display for LineDigest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:016x}", u64::from_be_bytes(self.0))
    }
}

/// All lines of a program.
#[derive(Clone, Debug, Default)]
pub(crate) struct Lines {
    texts: String,
    files: Vec<String>,
    places: Vec<Place>,
}

/// The origin of a line; its text ends at `end` and begins at the end of the line before.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Place {
    /// The end of the line's text in the texts.
    pub(crate) end: usize,
    pub(crate) file: u32,
    pub(crate) number: u32,
    pub(crate) digest: LineDigest,
}

impl Lines {
    /// The lines that an artifact describes; `None` if an index is invalid.
    pub(crate) fn new(texts: String, files: Vec<String>, places: Vec<Place>) -> Option<Self> {
        let mut start = 0;
        for place in &places {
            let whole = start <= place.end && texts.is_char_boundary(place.end);
            if !whole || place.file as usize >= files.len() {
                return None;
            }
            start = place.end;
        }
        (start == texts.len()).then_some(Self { texts, files, places })
    }

    /// Adds a line. Lines of one file that come one after the other share its path.
    pub(crate) fn push(&mut self, line: Line<'_>) -> LineId {
        if self.files.last().is_none_or(|file| file != line.file) {
            self.files.push(line.file.to_owned());
        }
        self.texts.push_str(line.text);
        self.places.push(Place {
            end: self.texts.len(),
            file: arena_index(self.files.len() - 1),
            number: line.number,
            digest: line.digest,
        });
        LineId(arena_index(self.places.len() - 1))
    }

    /// The line of an id; for an unknown id, an empty line without a file.
    pub(crate) fn get(&self, id: LineId) -> Line<'_> {
        let at = id.0 as usize;
        let Some(place) = self.places.get(at) else {
            return Line {
                file: "",
                number: 0,
                text: "",
                digest: LineDigest::default(),
            };
        };
        let start = at
            .checked_sub(1)
            .and_then(|before| self.places.get(before))
            .map_or(0, |before| before.end);
        Line {
            file: self.files.get(place.file as usize).map_or("", String::as_str),
            number: place.number,
            text: self.texts.get(start..place.end).unwrap_or_default(),
            digest: place.digest,
        }
    }

    pub(crate) fn texts(&self) -> &str {
        &self.texts
    }

    pub(crate) fn files(&self) -> &[String] {
        &self.files
    }

    pub(crate) fn places(&self) -> &[Place] {
        &self.places
    }
}
