//! Reads a path as the loosest server would, so that no spelling of a call escapes its class.
//!
//! Servers differ in the parts of a path that they drop, decode and cut. For the class of a call every reading counts:
//! each can only add a class, never remove one. Forbid lines are matched by the policy's own, narrower rules.

use smallvec::SmallVec;

use super::fold::{folded, folded_copy};
use super::raw::run_without;
use crate::buffers::TextBuffer;

/// Properties of a product's routes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Routes {
    /// Whether `/s/…/_/path` means `/path`: Atlassian's prefix for cached resources also forwards REST calls.
    pub(super) resource_prefix: bool,
    /// Whether `%2F` is part of a name, and no server after the proxy treats it as a slash.
    pub(super) slash_in_names: bool,
}

/// Maximum number of times that a text is decoded.
const DECODINGS: usize = 4;

/// Maximum number of readings after a resource prefix; no client sends two.
const PREFIXES: usize = 8;

/// Number of segments for which there is room at once.
const USUAL: usize = 8;

/// A segment of a folded path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Segment<'a> {
    /// The segment without a `;` and the text after it, without blanks around it and dots at its end: servlet
    /// containers and Windows remove those.
    pub(super) whole: &'a str,
    /// The segment also without a dot, a colon or a `!` and the text after it: `.json`, `::$DATA`,
    /// `AddUser!default.jspa`.
    pub(super) stem: &'a str,
}

/// The readings of a canonical path, folded.
#[derive(Clone, Debug)]
pub(super) struct Readings {
    /// That of an ordinary server.
    pub(super) plain: TextBuffer,
    /// That of a server that decodes once more, uses `\` as a separator, or resolves dots. It differs only if the
    /// configuration admits such paths, or letters of other widths produce them.
    pub(super) loosest: Option<String>,
}

/// Reads a canonical path in all ways.
pub(super) fn readings(path: &str, routes: Routes) -> Readings {
    let plain = folded_copy(path);
    let is_odd = |byte| matches!(byte, b'%' | b'\\' | b'\0' | b'?' | b'#' | b'.');
    // Few paths have a dot, and fewer a segment of dots.
    let odd = run_without(plain.as_bytes(), is_odd) < plain.len()
        && (plain.contains(['%', '\\', '\0', '?', '#']) || plain.split('/').any(is_dots));
    Readings {
        loosest: odd.then(|| loosest(&plain, routes)),
        plain,
    }
}

/// Splits a folded path into segments; empty ones are left out.
pub(super) fn segments(path: &str) -> SmallVec<[Segment<'_>; USUAL]> {
    // Most paths have none of the characters at which segments are cut and trimmed.
    let cuts = |byte| !matches!(byte, b'!'..b'\x7f') || matches!(byte, b'!' | b'.' | b':' | b';');
    if run_without(path.as_bytes(), cuts) == path.len() {
        let mut segments = SmallVec::new();
        for whole in path.split('/').filter(|part| !part.is_empty()) {
            segments.push(Segment { whole, stem: whole });
        }
        return segments;
    }
    path.split('/')
        .map(|segment| {
            let whole = trimmed(segment.split(';').next().unwrap_or_default());
            Segment {
                whole,
                stem: trimmed(whole.split(['.', ':', '!']).next().unwrap_or_default()),
            }
        })
        .filter(|segment| !segment.whole.is_empty())
        .collect()
}

/// Finds the segments other than the first at which the path may begin: the one after each `_` of a resource prefix.
/// `None` if there are more of them than any client sends.
pub(super) fn later_beginnings(segments: &[Segment<'_>], routes: Routes) -> Option<Vec<usize>> {
    let mut beginnings = Vec::new();
    if routes.resource_prefix && segments.first().is_some_and(|first| first.whole == "s") {
        let behind = segments.iter().enumerate();
        beginnings.extend(
            behind
                .filter(|(_, segment)| segment.whole == "_")
                .map(|(at, _)| at + 1),
        );
    }
    (beginnings.len() < PREFIXES).then_some(beginnings)
}

fn trimmed(text: &str) -> &str {
    text.trim_start()
        .trim_end_matches(|character: char| character == '.' || character.is_whitespace())
}

fn is_dots(segment: &str) -> bool {
    matches!(segment.split(';').next(), Some("." | ".."))
}

fn loosest(path: &str, routes: Routes) -> String {
    let mut text = path.to_owned();
    for _ in 0..DECODINGS {
        let again = decoded(&text, routes);
        if again == text {
            break;
        }
        text = folded(&again).into_owned();
    }
    let text = text.replace('\\', "/");
    let cut = text.split(['\0', '?', '#']).next().unwrap_or_default();
    let mut segments: Vec<&str> = Vec::new();
    for segment in cut.split('/') {
        match segment.split(';').next() {
            Some("..") => _ = segments.pop(),
            Some(".") => {}
            _ => segments.push(segment),
        }
    }
    segments.join("/")
}

fn decoded(text: &str, routes: Routes) -> String {
    let kept = if routes.slash_in_names {
        text.replace("%2f", "%252f")
    } else {
        text.to_owned()
    };
    percent_encoding::percent_decode_str(&kept)
        .decode_utf8_lossy()
        .into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    const ATLASSIAN: Routes = Routes {
        resource_prefix: true,
        slash_in_names: false,
    };
    const GITLAB: Routes = Routes {
        resource_prefix: false,
        slash_in_names: true,
    };

    #[test]
    fn segments_are_what_the_loosest_server_keeps() {
        for (path, wholes, stems) in [
            (
                "/rest/api/2/user",
                ["rest", "api", "2", "user"],
                ["rest", "api", "2", "user"],
            ),
            (
                "/rest//api/2.0/user/",
                ["rest", "api", "2.0", "user"],
                ["rest", "api", "2", "user"],
            ),
            (
                "/rest/api./ 2 /user::$data",
                ["rest", "api", "2", "user::$data"],
                ["rest", "api", "2", "user"],
            ),
            (
                "/rest;a=b/api/2/user .json",
                ["rest", "api", "2", "user .json"],
                ["rest", "api", "2", "user"],
            ),
            (
                "/rest/api/;x/2/04.json",
                ["rest", "api", "2", "04.json"],
                ["rest", "api", "2", "04"],
            ),
        ] {
            let segments = segments(path);
            let of = |part: fn(&Segment<'_>) -> String| segments.iter().map(part).collect::<Vec<_>>();
            assert_eq!(of(|segment| segment.whole.to_owned()), wholes, "{path}");
            assert_eq!(of(|segment| segment.stem.to_owned()), stems, "{path}");
        }
    }

    #[test]
    fn odd_paths_have_a_second_reading() {
        for (path, routes, expected) in [
            ("/rest/api", ATLASSIAN, &["/rest/api"][..]),
            ("/REST/ａｐｉ", ATLASSIAN, &["/rest/api"]),
            ("/a%2Fb", ATLASSIAN, &["/a%2fb", "/a/b"]),
            ("/a%2Fb", GITLAB, &["/a%2fb", "/a%2fb"]),
            ("/a%2Fb%5Cc", GITLAB, &["/a%2fb%5cc", "/a%2fb/c"]),
            ("/%2575ser", ATLASSIAN, &["/%2575ser", "/user"]),
            ("/a\\b", ATLASSIAN, &["/a\\b", "/a/b"]),
            ("/a\0b", ATLASSIAN, &["/ab"]),
            ("/a/./b/../c;x", ATLASSIAN, &["/a/./b/../c;x", "/a/c;x"]),
            ("/a/．．/b", ATLASSIAN, &["/a/../b", "/b"]),
            ("/a?b#c", ATLASSIAN, &["/a?b#c", "/a"]),
            ("/100%", ATLASSIAN, &["/100%", "/100%"]),
        ] {
            let found = readings(path, routes);
            let found: Vec<&str> = [&*found.plain]
                .into_iter()
                .chain(found.loosest.as_deref())
                .collect();
            assert_eq!(found, expected, "{path}");
        }
    }

    #[test]
    fn a_resource_prefix_is_passed_over() {
        for (path, expected) in [
            ("/rest/_/x", Some(vec![])),
            ("/s/x/_/rest", Some(vec![3])),
            ("/S/x/1/2/_/s/y/_/rest", Some(vec![5, 8])),
            ("/s/_/_/_/_/_/_/_/_/_/rest", None),
        ] {
            let path = folded(path);
            assert_eq!(later_beginnings(&segments(&path), ATLASSIAN), expected, "{path}");
            assert_eq!(later_beginnings(&segments(&path), GITLAB), Some(vec![]), "{path}");
        }
    }
}
