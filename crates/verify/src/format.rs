//! The lines of a certificate: each is an object of one key, whose value is a list of what a variant here has.

use std::cell::Cell;

use serde::Deserialize;

/// A policy: its digest, the public URL, and whether the upstream merges bodies into queries.
pub(crate) type Policy = (String, String, bool);
/// A policy and a token of it, by number, with only or without some of its lines; no token permits nothing. Lines are counted in the
/// order of decision: forbid lines, then permit lines.
pub(crate) type Subject = (usize, Option<usize>, Option<(bool, Vec<usize>)>);
/// A part of a matcher: policy, whether of a URL, number, part; and whether a text matches it.
pub(crate) type Literal = (usize, bool, u32, usize, bool);
/// Why no request matches some rules and none of some others: for the methods, in bits, which of the others are needed, and
/// which closed sets, both in ascending order.
pub(crate) type Proof = Vec<(u8, Vec<usize>, Vec<usize>)>;
/// Method, path, query, the kind of body (`absent`, `json`, `form`, `other`) and its text.
pub(crate) type Request = (String, String, Vec<(String, String)>, String, String);

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    /// The version; the policies; whether GET and HEAD count with a body too.
    Tokenward(u32, Vec<Policy>, bool),
    /// Literals that no text satisfies together, whether of texts that begin with `/`; the states that texts lead to: of UTF-8,
    /// then of each part.
    Closed(bool, Vec<Literal>, Vec<Vec<Vec<u32>>>),
    /// What all of the first allow, the second allows too; without a second there is no such request. Then a proof for each permit
    /// line of the first, for each of them with each forbid line that only the second has, and for pairs of a line of the second that
    /// looks at bodies and a permit line of the first. For several tokens, each choice of a permit line of each is one.
    Beyond(Vec<Subject>, Option<Subject>, Vec<Proof>),
    /// All of the first allow a request, and the second, if there is one, does not.
    Request(Vec<Subject>, Option<Subject>, Request),
    /// An answer that has no certificate, in words.
    Open((String,)),
    /// The number of lines before this one.
    End((usize,)),
}

/// The steps that a check may still take.
#[derive(Default)]
pub(crate) struct Work(Cell<u64>);

impl Work {
    /// Bounds the time by the size of the certificate.
    pub(crate) fn for_bytes(bytes: usize) -> Self {
        Self(Cell::new(1_000_000 + 200 * bytes as u64))
    }

    /// Takes some steps and one more. Once there are too few left, there are none.
    pub(crate) fn take(&self, steps: usize) -> Checked {
        let left = self.0.take().checked_sub(steps as u64 + 1);
        self.0.set(left.ok_or("the check takes more steps than a certificate of this size may need")?);
        Ok(())
    }
}

/// The result of a check: `Err` has the reason why it fails, in one sentence.
pub(crate) type Checked = Result<(), String>;

/// Fails with a reason unless a condition holds.
pub(crate) fn ensure(holds: bool, why: &str) -> Checked {
    if holds { Ok(()) } else { Err(why.to_owned()) }
}

/// Fails unless each number is greater than the one before it.
pub(crate) fn ensure_ascending(numbers: &[usize]) -> Checked {
    ensure(numbers.is_sorted_by(|one, other| one < other), "numbers are there twice, or not in order")
}
