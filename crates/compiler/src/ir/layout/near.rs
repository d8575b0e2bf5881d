//! Finds the permit lines that come near to a denied request: by the URL alone, whatever its method and its parameters.

use std::ops::ControlFlow;

use super::Layout;
use crate::{
    ast::Effect,
    ir::{Asks, LineId, Tables, TokenId, entry::Entry, index::Candidates},
    method::MethodSet,
};

/// A permit line that was compared with a path.
pub(crate) struct Near<'p> {
    pub(crate) line: LineId,
    pub(crate) reach: Reach<'p>,
}

/// How far the path matched the line.
pub(crate) enum Reach<'p> {
    /// The URL matches. The line permits these methods, and has these other constraints.
    Url(MethodSet, Option<Asks<'p>>),
    /// The URL does not match. The code is that of its beginning, if it has any.
    Part(Option<&'p [u8]>),
}

impl Layout {
    /// Calls back for the permit lines of a token that a search by the URL finds, in the order of decision. Those whose URL matches
    /// are always among them.
    ///
    /// Returns the number of lines that were compared, which is the work that was done: with an index, the lines that share the
    /// beginning of their URL with the path; otherwise all lines, as in a decision.
    pub(crate) fn each_near<'p>(
        &'p self,
        tables: &'p Tables,
        token: TokenId,
        path: &str,
        mut found: impl FnMut(Near<'p>) -> ControlFlow<()>,
    ) -> usize {
        let mut compared = 0;
        // Lines often share a URL.
        let mut last = None;
        let mut compare = |entry: Entry<'p>| {
            compared += 1;
            let matches = match last {
                Some((url, matches)) if url == entry.url() => matches,
                _ => entry.may_match(path.as_bytes()) && entry.matches_path(tables, path),
            };
            last = Some((entry.url(), matches));
            found(Near {
                line: entry.line(),
                reach: match matches {
                    true => Reach::Url(entry.methods(), entry.asks(tables, Effect::Permit)),
                    false => Reach::Part(entry.glob()),
                },
            })
        };
        for (bytes, index) in self.segments(token.0 as usize, Effect::Permit) {
            let mut candidates = Candidates::default();
            let indexed = index.and_then(|index| index.candidates_by_url(path, &mut candidates));
            let ended = match indexed {
                Some(()) => candidates
                    .filter_map(|at| Entry::split(bytes.get(at as usize..)?))
                    .try_for_each(|(entry, _)| compare(entry)),
                None => each_entry(bytes).try_for_each(&mut compare),
            };
            if ended.is_break() {
                break;
            }
        }
        compared
    }

    /// The first permit lines of a token, each with the code of its URL's beginning, if it has any.
    pub(crate) fn first_permits(
        &self,
        token: TokenId,
        most: usize,
    ) -> impl Iterator<Item = (LineId, Option<&[u8]>)> {
        let segments = self.segments(token.0 as usize, Effect::Permit);
        let entries = segments.into_iter().flat_map(|(bytes, _)| each_entry(bytes));
        entries.take(most).map(|entry| (entry.line(), entry.glob()))
    }
}

fn each_entry(mut rest: &[u8]) -> impl Iterator<Item = Entry<'_>> {
    std::iter::from_fn(move || {
        let (entry, behind) = Entry::split(rest)?;
        rest = behind;
        Some(entry)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{BaseUrl, compile, ir::Program, source::SourceSet};

    fn program(lines: &[String]) -> Program {
        let file = format!(
            "[[token]]\nname = \"t\"\nuser = \"u\"\nexpires = 2030-01-01T00:00:00Z\nsecret_hash = \"sha256:{}\"\nlimit_to = '''\n{}\n'''\n",
            "00".repeat(32),
            lines.join("\n")
        );
        let sources = SourceSet::from_files([("t.toml".to_owned(), file)]);
        let base = BaseUrl::parse("https://jira.example.com").unwrap();
        compile(&sources).program.unwrap().bind(&base).unwrap()
    }

    /// The number of lines that were compared, and of those that matched.
    fn compared(program: &Program, path: &str) -> (usize, usize) {
        let (token, _) = program.tokens().next().unwrap();
        let mut matched = 0;
        let layout = program.layout.as_ref().unwrap();
        let compared = layout.each_near(program, token, path, |near| {
            matched += usize::from(matches!(near.reach, Reach::Url(..)));
            ControlFlow::Continue(())
        });
        (compared, matched)
    }

    #[test]
    fn the_search_compares_the_lines_that_share_the_beginning_of_their_url() {
        let lines: Vec<String> = (0..1000)
            .map(|n| format!("[get]/rest/api/2/project/P{n:04}/versions[QueryParam::page==p{n:04}]"))
            .collect();
        let program = program(&lines);
        for (path, expected) in [
            ("/rest/api/2/project/P0500/versions", (1, 1)),
            ("/rest/api/2/project/P0500/other", (0, 0)),
            ("/elsewhere", (0, 0)),
        ] {
            assert_eq!(compared(&program, path), expected, "{path}");
        }
    }

    #[test]
    fn the_search_finds_lines_that_decisions_find_by_a_parameter() {
        // All share a URL, so that their parameters distinguish them better.
        let lines: Vec<String> = (0..40)
            .map(|n| format!("[get]/rest/api/2/search[QueryParam::jql==project{n:02}]"))
            .collect();
        assert_eq!(compared(&program(&lines), "/rest/api/2/search"), (40, 40));
        // A URL without a literal has no key of its own.
        let lines: Vec<String> = (0..40)
            .map(|n| format!("[get].*h[QueryParam::jql==project{n:02}]"))
            .collect();
        assert_eq!(compared(&program(&lines), "/rest/api/2/search"), (40, 40));
    }
}
