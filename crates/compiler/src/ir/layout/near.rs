//! Finds the permit lines that come near to a denied request: by the URL alone, whatever the method and the parameters.

use super::Layout;
use crate::{
    ast::Effect,
    ir::{Asks, LineId, Tables, TokenId, alike, entry::Entry, index::Candidates},
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
    /// The URL does not match; so many bytes of its beginning do.
    Part(usize),
}

impl Layout {
    /// Calls back for each permit line of a token whose URL matches, in the order of decision, and for some others, among them one
    /// whose URL shares the longest beginning with the path.
    ///
    /// Returns the number of lines that were compared, which is the work that was done: with an index, the lines that share the
    /// beginning of their URL with the path; otherwise all lines, as in a decision.
    pub(crate) fn each_near<'p>(
        &'p self,
        tables: &'p Tables,
        token: TokenId,
        path: &str,
        mut found: impl FnMut(Near<'p>),
    ) -> usize {
        let mut compared = 0;
        for (bytes, index) in self.segments(token.0 as usize, Effect::Permit) {
            // Lines often share a URL.
            let mut last = None;
            let mut compare = |entry: Entry<'p>| {
                compared += 1;
                let matches = match last {
                    Some((url, matches)) if url == entry.url() => matches,
                    _ => entry.may_match(path.as_bytes()) && entry.matches_path(tables, path),
                };
                last = Some((entry.url(), matches));
                let line = entry.line();
                if matches {
                    let reach = Reach::Url(entry.methods(), entry.asks(tables, Effect::Permit));
                    found(Near { line, reach });
                } else if index.is_none() {
                    let literal = entry.literal().unwrap_or_default();
                    let reach = Reach::Part(alike(literal, path.as_bytes()));
                    found(Near { line, reach });
                }
            };
            let mut candidates = Candidates::default();
            match index.and_then(|index| index.candidates_by_url(path, &mut candidates)) {
                Some(()) => candidates
                    .filter_map(|at| Entry::split(bytes.get(at as usize..)?))
                    .for_each(|(entry, _)| compare(entry)),
                None => each_entry(bytes).for_each(&mut compare),
            }
            let Some(index) = index else { continue };
            let longest = index.longest_beginning(bytes, path);
            let longest = longest.or_else(|| Some((0, each_entry(bytes).next()?)));
            if let Some((length, entry)) = longest {
                let (line, reach) = (entry.line(), Reach::Part(length));
                found(Near { line, reach });
            }
        }
        compared
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
    fn the_longest_beginning_is_found_among_many_lines() {
        let mut lines: Vec<String> = (0..1000)
            .map(|n| format!("[get]/rest/api/2/project/P{n:04}-\\d+"))
            .collect();
        lines.push(".*/rest/agile/board\\d+".to_owned());
        lines.push(".*\\d".to_owned());
        for (count, program) in [(1002, program(&lines)), (15, program(&lines[..15]))] {
            let (token, _) = program.tokens().next().unwrap();
            let layout = program.layout.as_ref().unwrap();
            for (path, from_many, from_few) in [
                ("/rest/api/2/project/P0500-x", 26, 22),
                ("/rest/api/2/project/P9", 21, 21),
                ("/rest/agile/board", 17, 7),
                ("/rest/agile/x", 12, 7),
                ("/rest", 5, 5),
                ("/zzz", 1, 1),
                ("", 0, 0),
            ] {
                let mut longest = 0;
                layout.each_near(&program, token, path, |near| match near.reach {
                    Reach::Part(length) => longest = longest.max(length),
                    Reach::Url(..) => {}
                });
                let expected = if count > 15 { from_many } else { from_few };
                assert_eq!(longest, expected, "{count} {path}");
            }
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
