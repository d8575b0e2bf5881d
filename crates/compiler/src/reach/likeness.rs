//! Tells lines from templates by their segments, before any automaton, and spells a path that both probably match.

use super::{
    operation::{Operation, Piece, Segment},
    samples::value,
};
use crate::analysis::{Prover, Ruled, beginning};

/// The segments that every path of a line begins with.
pub(super) struct Beginning {
    /// Whole segments: a slash follows each of them.
    whole: Vec<String>,
    /// The start of the segment after these.
    part: String,
    /// Whether the case of letters does not matter.
    ignores_case: bool,
    /// The segments of a path that the line matches.
    spelled: Vec<String>,
}

impl Beginning {
    pub(super) fn of<'p>(ruled: Ruled<'p>, prover: &mut Prover<'p>) -> Self {
        let beginning = beginning(ruled);
        let head = String::from_utf8(beginning.bytes).unwrap_or_default();
        let mut whole: Vec<String> = head.split('/').skip(1).map(str::to_owned).collect();
        // The last one may go on.
        let part = whole.pop().unwrap_or_default();
        let spelled = prover.sample(ruled).map(|request| request.path);
        let spelled = spelled.iter().flat_map(|path| path.split('/').skip(1));
        Self {
            spelled: spelled.map(str::to_owned).collect(),
            whole,
            part,
            ignores_case: beginning.ignores_case,
        }
    }

    /// Whether a segment is one of the line's.
    fn is(&self, own: &str, theirs: &str) -> bool {
        if self.ignores_case {
            own.eq_ignore_ascii_case(theirs)
        } else {
            own == theirs
        }
    }

    /// Whether a segment may be that after the whole ones.
    fn may_follow(&self, own: &str) -> bool {
        let start = own.as_bytes().get(..self.part.len());
        start.is_some_and(|start| {
            if self.ignores_case {
                start.eq_ignore_ascii_case(self.part.as_bytes())
            } else {
                start == self.part.as_bytes()
            }
        })
    }
}

/// The segments of a template, its base included.
pub(super) struct Form {
    /// The text of each segment without parameters. Empty if the template follows several bases.
    texts: Vec<Option<String>>,
    segments: Vec<Segment>,
    /// Whether the texts are all segments that a path can have, and each parameter fills one segment.
    is_closed: bool,
}

impl Form {
    pub(super) fn of(operation: &Operation) -> Self {
        let [base] = operation.bases.as_slice() else {
            return Self {
                texts: Vec::new(),
                segments: Vec::new(),
                is_closed: false,
            };
        };
        let segments: Vec<Segment> = base.iter().chain(&operation.segments).cloned().collect();
        // After a parameter with slashes, segments have no numbers.
        let counted = segments.iter().take_while(|segment| !segment.spans());
        let texts: Vec<Option<String>> = counted.map(Segment::text).collect();
        Self {
            is_closed: texts.len() == segments.len(),
            texts,
            segments,
        }
    }

    /// Whether a segment shows that no path of a line fits the template.
    pub(super) fn is_apart(&self, line: &Beginning) -> bool {
        let differs =
            |(own, theirs): (&Option<String>, &String)| own.as_ref().is_some_and(|own| !line.is(own, theirs));
        // Each whole segment of the line is followed by another one.
        let is_short = self.is_closed && !self.texts.is_empty() && line.whole.len() >= self.segments.len();
        let next = self.texts.get(line.whole.len()).and_then(Option::as_ref);
        is_short
            || self.texts.iter().zip(&line.whole).any(differs)
            || next.is_some_and(|own| !line.may_follow(own))
    }

    /// A path of the template with the segments that the line begins with.
    pub(super) fn spelled(&self, line: &Beginning) -> String {
        let mut path = String::new();
        for (at, segment) in self.segments.iter().enumerate() {
            path.push('/');
            let theirs = line
                .spelled
                .get(at)
                .filter(|text| at <= line.whole.len() && !text.is_empty());
            match (segment.0.as_slice(), theirs) {
                ([Piece::Parameter { .. }], Some(text)) => path.push_str(text),
                (pieces, _) => pieces.iter().for_each(|piece| path.push_str(&value(piece, 0))),
            }
        }
        path
    }
}
