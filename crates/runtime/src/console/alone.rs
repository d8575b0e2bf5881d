//! A token by itself: a program of one token, with the lines that it would have. So a question about unsaved lines costs the same in a
//! small policy and in a large one.

use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, Ordering};

use tokenward_compiler::compile;
use tokenward_compiler::diagnostic::Severity;
use tokenward_compiler::ir::{Program, TokenId, Users};
use tokenward_compiler::policy::Attributes;
use tokenward_compiler::source::SourceSet;
use tokenward_pdp::config::Config;
use tokenward_pdp::servable::bind;

/// Which of two policies a token alone belongs to: the name of its file.
#[derive(Clone, Copy, Debug)]
pub(super) enum Version {
    Old,
    New,
}

impl Version {
    fn file(self) -> &'static str {
        match self {
            Self::Old => "old.toml",
            Self::New => "new.toml",
        }
    }
}

/// Longest line that is tried, in bytes. The time that a line takes grows with the square of its length: one of 64 KiB takes seconds.
const LONGEST: usize = 8 << 10;

/// A line of a token, and where people find it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PlacedLine {
    /// The file; empty for a line of a form.
    pub(super) file: String,
    pub(super) number: u32,
    pub(super) text: String,
}

/// A bound program of one token.
pub(super) struct Alone {
    pub(super) program: Program,
    pub(super) token: TokenId,
    sources: SourceSet,
    lines: Vec<PlacedLine>,
    version: Version,
    /// Number of lines of the file before those of the token.
    before: u32,
}

/// The lines of a token, each once, in the order of decision.
pub(super) fn lines_of(program: &Program, token: TokenId) -> Vec<PlacedLine> {
    let mut seen = HashSet::new();
    let lines = program.lines_of(token).filter(|(line, _)| seen.insert(*line));
    lines
        .map(|(_, line)| PlacedLine {
            file: line.file.to_owned(),
            number: line.number,
            text: line.text.to_owned(),
        })
        .collect()
}

impl Alone {
    /// A token with these attributes and lines.
    ///
    /// # Errors
    /// A line has an error, or cannot be used with this configuration.
    pub(super) fn new(
        version: Version,
        (attributes, lines): (&Attributes, Vec<PlacedLine>),
        config: &Config,
    ) -> Result<Self, String> {
        if lines.iter().any(|line| line.text.contains("'''")) {
            return Err("a line contains three quotes, which no policy file can have".to_owned());
        }
        let mut text = head(attributes);
        let before = u32::try_from(text.lines().count()).unwrap_or(u32::MAX);
        for line in &lines {
            text.push_str(&line.text);
            text.push('\n');
        }
        text.push_str("'''\n");
        let sources = SourceSet::from_files([(version.file().to_owned(), text)]);
        let compilation = compile(&sources);
        let mut errors = compilation.diagnostics.iter();
        if let Some(error) = errors.find(|found| found.severity == Severity::Error) {
            return Err(format!("{} ({})", error.headline, error.code));
        }
        let unusable = || "the lines cannot be used with this configuration".to_owned();
        let program = compilation.program.ok_or_else(unusable)?;
        let program = bind(&program, config).map_err(|why| why.to_string())?;
        let token = program.tokens().next().map(|(id, _)| id).ok_or_else(unusable)?;
        Ok(Self {
            program,
            token,
            sources,
            lines,
            version,
            before,
        })
    }

    /// The text that the program was compiled from.
    pub(super) fn sources(&self) -> &SourceSet {
        &self.sources
    }

    /// Where people find a line of this program.
    pub(super) fn place(&self, file: &str, number: u32) -> Option<&PlacedLine> {
        let at = number.checked_sub(self.before)?.checked_sub(1)?;
        self.lines
            .get(at as usize)
            .filter(|_| file == self.version.file())
    }
}

/// The section of the token as far as its lines begin. Only keys on which the meaning of lines depends, or that invariants select by.
fn head(token: &Attributes) -> String {
    let quoted = |text: &str| toml::Value::from(text).to_string();
    let list = |texts: &[String]| toml::Value::from(texts.to_vec()).to_string();
    let mut text = format!("[[token]]\nname = {}\n", quoted(&token.name));
    match &token.users {
        Users::Any => text.push_str("any_user = true\n"),
        Users::Named(users) => text.push_str(&format!("users = {}\n", list(users))),
    }
    if let Some(owner) = &token.owner {
        text.push_str(&format!("owner = {}\n", quoted(owner)));
    }
    if !token.on_behalf_of.is_empty() {
        text.push_str(&format!("on_behalf_of = {}\n", list(&token.on_behalf_of)));
    }
    for (key, is) in [
        ("mint", token.mint),
        ("escalate", token.escalate),
        ("unrestricted", token.unrestricted),
    ] {
        if is {
            text.push_str(&format!("{key} = true\n"));
        }
    }
    if !token.lint_allow.is_empty() {
        let codes: Vec<String> = token.lint_allow.iter().map(ToString::to_string).collect();
        text.push_str(&format!("lint_allow = {}\n", list(&codes)));
    }
    let hash = "0".repeat(64);
    text.push_str(&format!("secret_hash = \"sha256:{hash}\"\nlimit_to = '''\n"));
    text
}

/// Compiles each line by itself until it is told to stop. A line costs little, and thousands of expensive ones would hold a thread for
/// minutes, since compiling them together cannot be stopped.
///
/// # Errors
/// It was told to stop, or a line is too long to be compiled while somebody waits.
pub(super) fn try_cost<'l>(
    lines: impl IntoIterator<Item = &'l str>,
    stop: &AtomicBool,
) -> Result<(), String> {
    let hash = "0".repeat(64);
    let mut known = HashSet::new();
    for line in lines {
        if stop.load(Ordering::Relaxed) {
            return Err(
                "these lines take too long to compile; use fewer lines, or simpler regular expressions"
                    .to_owned(),
            );
        }
        if line.len() > LONGEST {
            return Err(format!(
                "a line has {} bytes, and the console checks lines of at most {LONGEST}; split it, or check it with `tokenward compile --check`",
                line.len()
            ));
        }
        if known.insert(line) && !line.contains("'''") {
            let text = format!(
                "[[token]]\nname = \"a\"\nany_user = true\nsecret_hash = \"sha256:{hash}\"\nlimit_to = '''\n{line}\n'''\n"
            );
            let _ = compile(&SourceSet::from_files([(Version::New.file().to_owned(), text)]));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn attributes(name: &str) -> Attributes {
        let text = format!(
            "[[token]]\nname = {}\nuser = 'a'\nowner = \"o\\\"'\"\nmint = true\nsecret_hash = 'sha256:{}'\nlimit_to = '[get]/rest/a'\n",
            toml::Value::from(name),
            "1".repeat(64)
        );
        let compiled = compile(&SourceSet::from_files([("a.toml".to_owned(), text)]));
        let program = compiled.program.expect("a policy");
        program.tokens().next().unwrap().1.attributes.clone()
    }

    fn line(text: &str) -> PlacedLine {
        PlacedLine {
            file: "ci.toml".to_owned(),
            number: 40,
            text: text.to_owned(),
        }
    }

    #[test]
    fn a_token_alone_keeps_what_its_lines_depend_on_and_its_lines_keep_their_places() {
        let of = attributes("odd \" name");
        let alone = Alone::new(
            Version::New,
            (&of, vec![line("[get]/rest/b"), line("!/rest/b/c")]),
            &Config::default(),
        )
        .unwrap();
        let token = alone.program.token(alone.token);
        assert_eq!(
            (token.name.as_str(), token.mint, token.owner.as_deref()),
            ("odd \" name", true, Some("o\"'"))
        );
        let lines: Vec<_> = alone.program.lines_of(alone.token).collect();
        for (_, found) in lines {
            let place = alone.place(found.file, found.number).expect("a place");
            assert_eq!((place.text.as_str(), place.number), (found.text, 40));
        }
        assert_eq!(alone.place("ci.toml", 40), None);
    }

    #[test]
    fn lines_with_errors_give_the_reason() {
        let of = attributes("ci");
        let why = |text: &str| {
            Alone::new(Version::New, (&of, vec![line(text)]), &Config::default())
                .err()
                .unwrap()
        };
        assert!(why("[get]/rest/(").contains("TW"), "{}", why("[get]/rest/("));
        assert!(why("[get]/rest/'''").contains("three quotes"));
    }

    #[test]
    fn lines_are_compiled_until_it_is_told_to_stop() {
        assert!(try_cost(["[get]/a", "[get]/a", "(("], &AtomicBool::new(false)).is_ok());
        assert!(try_cost(["[get]/a"], &AtomicBool::new(true)).is_err());
        let long = "a".repeat(LONGEST + 1);
        let why = try_cost([long.as_str()], &AtomicBool::new(false)).unwrap_err();
        assert!(why.contains("8193 bytes"), "{why}");
    }
}
