//! Translates a line's meaning in Extender to an equivalent line of Tokenward.
//!
//! Extender matches a Java regexp against the whole URL, and knows methods, `[QueryParam::name==regexp]` and
//! `[JsonData::name==regexp]`, with literal names. If Tokenward reads the same text otherwise, a [`Cause`] gives the
//! reason, and [`Cause::undone`] gives the line of Tokenward with Extender's meaning. The analysis then decides whether
//! the difference matters, and proves it by a request.

use tokenward_compiler::ast::{Effect, Limit, Operator, Subject, Test};
use tokenward_compiler::parse::{parse_line, quoted_name};
use tokenward_compiler::source::SourceSet;

/// Why a line reads otherwise here.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cause {
    /// `!` at its begin.
    Forbid,
    /// `/` at its begin.
    Anchor,
    /// `{USER}` and similar placeholders.
    Placeholder,
    /// `\p{Alpha}` and similar classes.
    PosixClass,
    /// `\<` and `\>`.
    Angle,
    /// `a.b` or `"a"` as the name of a JSON node.
    Node,
    /// `"a"` as the name of a parameter.
    Quotes,
}

/// A pattern that nothing matches.
const NOTHING: &str = "[a&&b]";
/// Java's POSIX classes, all of them ASCII (`java.util.regex.Pattern`).
const POSIX: [(&str, &str); 13] = [
    ("Lower", "a-z"),
    ("Upper", "A-Z"),
    ("ASCII", r"\x00-\x7F"),
    ("Alpha", "a-zA-Z"),
    ("Digit", "0-9"),
    ("Alnum", "a-zA-Z0-9"),
    ("Punct", r"!-/:-@\[-`{-~"),
    ("Graph", "!-~"),
    ("Print", r"\x20-~"),
    ("Blank", r"\x20\t"),
    ("Cntrl", r"\x00-\x1F\x7F"),
    ("XDigit", "0-9a-fA-F"),
    ("Space", r"\x20\t\n\x0B\f\r"),
];

impl Cause {
    pub(super) const ALL: [Self; 7] = [
        Self::Forbid,
        Self::Anchor,
        Self::Placeholder,
        Self::PosixClass,
        Self::Angle,
        Self::Node,
        Self::Quotes,
    ];

    /// A stable word for it, for programs.
    pub(super) fn code(self) -> &'static str {
        match self {
            Self::Forbid => "forbid",
            Self::Anchor => "anchor",
            Self::Placeholder => "placeholder",
            Self::PosixClass => "posix-class",
            Self::Angle => "angle",
            Self::Node => "node-path",
            Self::Quotes => "quoted-name",
        }
    }

    /// Explains the difference.
    pub(super) fn explanation(self) -> &'static str {
        match self {
            Self::Forbid => "it begins with `!`: this was a character of the URL, and is now a forbid line",
            Self::Anchor => {
                "it begins with `/`: it is now matched from the base URL on; before, it was compared with the whole URL and matched nothing"
            }
            Self::Placeholder => "it has a `{NAME}` that is now a placeholder, and was not before",
            Self::PosixClass => {
                "a class such as `\\p{Alpha}` contains all Unicode letters here, but only ASCII letters in Java"
            }
            Self::Angle => {
                "`\\<` and `\\>` match word boundaries here, but the characters themselves in Java"
            }
            Self::Node => "the name of its JSON node is now a path, and was a single name before",
            Self::Quotes => "the quotes around its parameter's name were part of the name before",
        }
    }

    /// The line of ours that is without this cause, and means the same otherwise; `None`: it is without it already.
    pub(super) fn undone(self, line: &str) -> Option<String> {
        let parsed = Parsed::new(line)?;
        let changed = match self {
            Self::Forbid => (parsed.limit.effect == Effect::Forbid).then(|| {
                let behind = line.strip_prefix('!').unwrap_or(line);
                format!("[!]{}", parsed.with_class_of_methods(behind))
            })?,
            _ if parsed.limit.effect == Effect::Forbid => return None,
            Self::Anchor => parsed.without_anchor()?,
            Self::Placeholder => parsed.with_patterns(without_placeholders),
            Self::PosixClass => parsed.with_patterns(|text| with_escapes(text, posix)),
            Self::Angle => parsed.with_patterns(|text| {
                with_escapes(text, |escape| match escape {
                    // As escapes: a value does not begin with either character itself.
                    r"\<" => Some(r"\x3C".to_owned()),
                    r"\>" => Some(r"\x3E".to_owned()),
                    _ => None,
                })
            }),
            Self::Node => parsed.with_names(false),
            Self::Quotes => parsed.with_names(true),
        };
        (changed != line).then_some(changed)
    }
}

/// Finds a form that Extender's language does not have, or whose meaning there is unknown; a person must check it.
pub(super) fn unknown_form(line: &str) -> Option<&'static str> {
    let parsed = Parsed::new(line)?;
    for constraint in &parsed.limit.constraints {
        match &constraint.test {
            Test::Only => return Some("it has an `only`, which Extender does not support"),
            Test::Values { operator, .. } if *operator != Operator::All => {
                return Some("it has a `!=` or a `?=`, which Extender does not support");
            }
            Test::Range { .. } => {
                return Some("it has a `<`, a `>` or a similar operator, which Extender does not support");
            }
            Test::Values { kinds: Some(_), .. } => {
                return Some("it has a JSON type, which Extender does not support");
            }
            Test::Values { .. } => {}
        }
    }
    let texts = || parsed.patterns().into_iter().filter_map(|range| line.get(range));
    if texts().any(has_unicode_flag) {
        return Some(
            "it has a flag `u` or `U`, which has another meaning in Java; write the intended classes",
        );
    }
    if texts().any(has_set_operation) {
        return Some(
            "it has `--` or `~~` within a class, which is an operation here but characters in Java; write `\\-` or `\\~`",
        );
    }
    None
}

/// A line of ours with its places.
struct Parsed<'l> {
    line: &'l str,
    limit: Limit,
}

impl<'l> Parsed<'l> {
    /// `None`: a comment, or no line.
    fn new(line: &'l str) -> Option<Self> {
        if line.starts_with('#') {
            return None;
        }
        let sources = SourceSet::from_files([("line.limits".to_owned(), line.to_owned())]);
        let (source, _) = sources.iter().next()?;
        let span = tokenward_compiler::source::Span {
            source,
            start: 0,
            end: line.len(),
        };
        let limit = parse_line(line, span).ok()?;
        Some(Self { line, limit })
    }

    /// The text after the `!`, with its method list as the class that it was before: its first letter is an escape.
    fn with_class_of_methods(&self, behind: &str) -> String {
        let first = behind.find('[').filter(|_| self.limit.methods.is_some());
        let letter = first.and_then(|at| Some((at + 1, behind.get(at + 1..)?.chars().next()?)));
        let mut text = behind.to_owned();
        if let Some((at, letter)) = letter.filter(|(_, letter)| letter.is_ascii_alphabetic()) {
            text.replace_range(at..=at, &format!("\\x{:02X}", u32::from(letter)));
        }
        text
    }

    /// Byte ranges of the line's patterns, in order.
    fn patterns(&self) -> Vec<std::ops::Range<usize>> {
        let values = self
            .limit
            .constraints
            .iter()
            .filter_map(|constraint| match &constraint.test {
                Test::Values { pattern, .. } => Some(pattern),
                Test::Range { .. } | Test::Only => None,
            });
        std::iter::once(&self.limit.url)
            .chain(values)
            .map(|pattern| pattern.span.start..pattern.span.end)
            .collect()
    }

    fn with_patterns(&self, change: impl Fn(&str) -> String) -> String {
        let changes = self.patterns().into_iter().map(|range| {
            let text = change(self.line.get(range.clone()).unwrap_or_default());
            (range, text)
        });
        replaced(self.line, changes)
    }

    /// An empty group before the `/` takes the anchor away.
    fn without_anchor(&self) -> Option<String> {
        let start = self.limit.url.span.start;
        let url = self.line.get(start..self.limit.url.span.end)?;
        let (mut rest, mut at) = (url, start);
        loop {
            if let Some(behind) = rest.strip_prefix('^').or_else(|| rest.strip_prefix("\\A")) {
                rest = behind;
                // Behind a `^`, which can only be the first.
                at = start + (url.len() - rest.len());
                continue;
            }
            let flags = rest.strip_prefix("(?").and_then(|rest| rest.split_once(')'));
            match flags {
                Some((flags, behind))
                    if flags
                        .bytes()
                        .all(|byte| byte.is_ascii_alphabetic() || byte == b'-') =>
                {
                    rest = behind;
                }
                _ => break,
            }
        }
        (rest.starts_with('/') || rest.starts_with("\\/"))
            .then(|| replaced(self.line, [(at..at, "(?:)".to_owned())]))
    }

    /// The names of parameters, or of nodes, as single names with all their characters.
    fn with_names(&self, of_query: bool) -> String {
        let changes = self.limit.constraints.iter().filter_map(|constraint| {
            let Test::Values {
                pattern, kinds: None, ..
            } = &constraint.test
            else {
                return None;
            };
            let is_query = matches!(constraint.subject, Subject::Query(_));
            let open = if is_query { "[QueryParam::" } else { "[JsonData::" };
            let range = constraint.span.start + open.len()..pattern.span.start.checked_sub("==".len())?;
            let name = self.line.get(range.clone())?;
            let special = |c: char| if is_query { c == '"' } else { ".\"[]*".contains(c) };
            let is_root = !is_query && name == "$";
            (is_query == of_query && (name.contains(special) || is_root)).then(|| (range, quoted_name(name)))
        });
        replaced(self.line, changes)
    }
}

/// `text` with some ranges replaced, which ascend.
fn replaced(text: &str, changes: impl IntoIterator<Item = (std::ops::Range<usize>, String)>) -> String {
    let (mut out, mut done) = (String::new(), 0);
    for (range, new) in changes {
        out.push_str(text.get(done..range.start).unwrap_or_default());
        out.push_str(&new);
        done = range.end;
    }
    out.push_str(text.get(done..).unwrap_or_default());
    out
}

fn without_placeholders(pattern: &str) -> String {
    ["{BASE_URL}", "{JIRA_URL}", "{CONFLUENCE_URL}", "{USER}"]
        .iter()
        .fold(pattern.to_owned(), |text, placeholder| {
            text.replace(placeholder, NOTHING)
        })
}

/// `\p{Alpha}` and `\P{Alpha}` with the characters that Java has in them.
fn posix(escape: &str) -> Option<String> {
    let (negated, name) = if let Some(name) = escape.strip_prefix("\\p{") {
        ("", name)
    } else {
        ("^", escape.strip_prefix("\\P{")?)
    };
    let name = name.strip_suffix('}')?;
    let (_, characters) = POSIX.iter().find(|(known, _)| *known == name)?;
    Some(format!("[{negated}{characters}]"))
}

/// The pattern with those of its escapes changed that `change` knows.
fn with_escapes(pattern: &str, change: impl Fn(&str) -> Option<String>) -> String {
    let (mut out, mut rest) = (String::new(), pattern);
    while let Some(at) = rest.find('\\') {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        out.push_str(before);
        let escape = from.get(..escape_length(from)).unwrap_or(from);
        out.push_str(&change(escape).unwrap_or_else(|| escape.to_owned()));
        rest = from.get(escape.len()..).unwrap_or_default();
    }
    out.push_str(rest);
    out
}

/// Length in bytes of the escape at the start of `text`: the backslash, a character, and braces after `p` and `P`.
fn escape_length(text: &str) -> usize {
    let mut characters = text.chars();
    let plain = characters.by_ref().take(2).map(char::len_utf8).sum();
    let is_class = text.starts_with("\\p{") || text.starts_with("\\P{");
    match text.find('}') {
        Some(end) if is_class => end + 1,
        _ => plain,
    }
}

fn has_unicode_flag(pattern: &str) -> bool {
    pattern.match_indices("(?").any(|(at, open)| {
        let behind = pattern.get(at + open.len()..).unwrap_or_default();
        let flags = behind.split([')', ':']).next().unwrap_or_default();
        flags.chars().all(|c| c.is_ascii_alphabetic() || c == '-') && flags.contains(['u', 'U'])
    })
}

/// Whether a class contains `--` or `~~`.
fn has_set_operation(pattern: &str) -> bool {
    let (mut depth, mut escaped, mut last) = (0_usize, false, ' ');
    for character in pattern.chars() {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '[' => depth += 1,
            ']' => depth = depth.saturating_sub(1),
            '-' | '~' if depth > 0 && last == character => return true,
            _ => {}
        }
        last = character;
    }
    false
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_cause_is_found_and_undone() {
        let cases = [
            (Cause::Forbid, "![delete].*", Some(r"[!][\x64elete].*")),
            (Cause::Anchor, "[get]/rest/x", Some("[get](?:)/rest/x")),
            (Cause::Anchor, "(?i)/rest/x", Some("(?:)(?i)/rest/x")),
            (Cause::Anchor, "(?i)^/rest/x", Some("(?i)^(?:)/rest/x")),
            (Cause::Anchor, r"\/rest", Some(r"(?:)\/rest")),
            (Cause::Anchor, ".*/rest/x", None),
            (Cause::Anchor, "!/rest/x", None),
            (
                Cause::Placeholder,
                "{BASE_URL}/rest[QueryParam::u=={USER}]",
                Some("[a&&b]/rest[QueryParam::u==[a&&b]]"),
            ),
            (
                Cause::PosixClass,
                r".*/\p{Alpha}+[^\P{Digit}x]\p{L}",
                Some(r".*/[a-zA-Z]+[^[^0-9]x]\p{L}"),
            ),
            (Cause::PosixClass, r".*\\p{Alpha}", None),
            (
                Cause::Angle,
                r".*[QueryParam::q==\<b\>\\<]",
                Some(r".*[QueryParam::q==\x3Cb\x3E\\<]"),
            ),
            (
                Cause::Node,
                ".*[JsonData::a.b==x][JsonData::c==y.z]",
                Some(r#".*[JsonData::"a.b"==x][JsonData::c==y.z]"#),
            ),
            (
                Cause::Node,
                r#".*[JsonData::"a"==x]"#,
                Some(r#".*[JsonData::"\"a\""==x]"#),
            ),
            (Cause::Node, ".*[QueryParam::a.b==x]", None),
            (
                Cause::Quotes,
                r#".*[QueryParam::"a"==x]"#,
                Some(r#".*[QueryParam::"\"a\""==x]"#),
            ),
            (Cause::Quotes, ".*[QueryParam::a==\"x\"]", None),
        ];
        for (cause, line, expected) in cases {
            assert_eq!(cause.undone(line).as_deref(), expected, "{cause:?} {line}");
        }
        for cause in Cause::ALL {
            assert_eq!(cause.undone("# /a {USER}"), None);
            assert_eq!(
                cause.undone("[get].*/rest/api/2/issue/K-\\d+[JsonData::editable==false]"),
                None
            );
        }
    }

    /// Undoing a cause removes it from any line.
    #[test]
    fn undoing_twice_is_undoing_once() {
        for line in [
            "!/x{USER}",
            r"/a\p{Alpha}[JsonData::a.b==\<][QueryParam::\q==x]",
            "(?i)(?s)/a",
        ] {
            for cause in Cause::ALL {
                if let Some(once) = cause.undone(line) {
                    assert!(Parsed::new(&once).is_some(), "{once}");
                    let twice = cause.undone(&once);
                    assert!(
                        twice.is_none() || cause == Cause::Node || cause == Cause::Quotes,
                        "{cause:?} {once} {twice:?}"
                    );
                }
            }
        }
    }

    #[test]
    fn unknown_forms() {
        for line in [
            ".*[QueryParam::a!=b]",
            ".*[JsonData::a?=b]",
            ".*[QueryParam::only]",
            ".*[JsonData::a:number==5]",
            ".*[QueryParam::a<=5]",
            ".*[JsonData::a?>2018-01-01]",
            "(?U).*",
            "(?iu:a)",
            "[a--b].*",
            ".*[QueryParam::q==[^x~~y]]",
        ] {
            assert!(unknown_form(line).is_some(), "{line}");
        }
        for line in [
            ".*",
            "(?i).*",
            "(?:u).*",
            "a--b",
            r"[a\-\-b]",
            ".*[QueryParam::a==b!=c]",
        ] {
            assert_eq!(unknown_form(line), None, "{line}");
        }
    }
}
