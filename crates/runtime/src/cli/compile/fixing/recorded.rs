//! Recorded calls that a line allowed, judged again with a narrower policy.

use std::collections::BTreeSet;
use std::fmt;
use std::path::Path;

use tokenward_audit::{Entry, Filter, Page, Reader, Record, Verdict};
use tokenward_compiler::analysis::Asked;
use tokenward_compiler::decide::{Body, Decision, Media, Param, Request, decide};
use tokenward_compiler::diagnostic::Fix;
use tokenward_compiler::fix::{Policy, edited};
use tokenward_compiler::ir::{Program, TokenId};
use tokenward_compiler::method::Method;
use tokenward_compiler::source::{SourceSet, Span};
use tokenward_pdp::config::{Config, reading};
use tokenward_pdp::rehearse::rehearsed;
use tokenward_pdp::request::{Framing, RawHead, Rules, Version};

use crate::cli::Failure;
use crate::cli::output;

/// Number of calls that are read in one step.
const STEP: usize = 2_000;
/// Milliseconds of a day.
const DAY: i64 = 86_400_000;

/// The calls of an audit from a time on.
pub(super) struct Recorded {
    reader: Reader,
    since_ms: i64,
    rules: Rules,
}

/// The recorded calls that a fix concerns, by what a policy with the fix says of them.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Judged {
    calls: u64,
    denied: u64,
    /// Calls whose decision depends on a body, which the audit does not have.
    unknown: u64,
    days: i64,
}

impl Judged {
    /// Whether every call is known to be allowed still.
    pub(super) fn is_harmless(&self) -> bool {
        self.denied == 0 && self.unknown == 0
    }
}

impl fmt::Display for Judged {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let period = match self.days {
            0 | 1 => "day's".to_owned(),
            days => format!("{days} days'"),
        };
        let noun = if self.calls == 1 { "call" } else { "calls" };
        let (denied, calls) = (grouped(self.denied), grouped(self.calls));
        write!(f, "{denied} of the last {period} {calls} {noun} would be denied")?;
        if self.unknown > 0 {
            let unknown = grouped(self.unknown);
            write!(f, ", and {unknown} could not be judged without their bodies")?;
        }
        Ok(())
    }
}

/// `4,211`
fn grouped(count: u64) -> String {
    let digits = count.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

impl Recorded {
    pub(super) fn open(path: &Path, since_ms: i64, config: &Config) -> Result<Self, Failure> {
        Ok(Self {
            reader: Reader::open(path).map_err(Failure::trouble)?,
            since_ms,
            rules: reading::rules(config)?,
        })
    }

    /// Fails if the audit lacks calls: the counts are not complete then.
    pub(super) fn check_whole(&self) -> Result<(), Failure> {
        let left_out = self.reader.left_out();
        for lacking in &left_out {
            output::note(&format!("tokenward: {lacking}"));
        }
        if left_out.is_empty() {
            return Ok(());
        }
        Err(Failure::Trouble(
            "the audit is damaged, so more calls than counted may be denied".to_owned(),
        ))
    }

    /// Judges the calls that the changed lines allowed.
    pub(super) fn judge(&self, policy: &Policy<'_>, fix: &Fix) -> Result<Judged, Failure> {
        let sources = policy.sources;
        let (lines, tokens) = changed_lines(sources, fix);
        let mut judged = Judged {
            days: (crate::cli::time::now_ms() - self.since_ms + DAY / 2) / DAY,
            ..Judged::default()
        };
        let after = tokenward_compiler::compile(&edited(sources, &fix.edits));
        let bound = after.program.and_then(|program| program.bind(policy.base).ok());
        let program = bound.map(|program| program.merging_body(policy.merges));
        let mut tokens = tokens.into_iter();
        let filter = Filter {
            // A set may belong to many tokens.
            token: tokens.next().filter(|_| tokens.next().is_none()),
            since_ms: Some(self.since_ms),
            verdict: Some(Verdict::Allow),
            ..Filter::default()
        };
        let mut page = Page {
            limit: STEP,
            newest_first: false,
            ..Page::default()
        };
        loop {
            let entries = self.reader.query(&filter, page).map_err(Failure::trouble)?;
            page.after = entries.last().map(|entry| entry.sequence);
            let is_last = entries.len() < STEP;
            for entry in entries {
                self.count(&entry, &lines, program.as_ref(), &mut judged);
            }
            if is_last {
                return Ok(judged);
            }
        }
    }

    fn count(&self, entry: &Entry, lines: &BTreeSet<String>, program: Option<&Program>, judged: &mut Judged) {
        let record = &entry.record;
        let line = record.line.as_ref();
        if !line.is_some_and(|line| lines.contains(&line.digest)) {
            return;
        }
        judged.calls += 1;
        match program.and_then(|program| self.is_allowed(program, record)) {
            Some(true) => {}
            Some(false) => judged.denied += 1,
            None => judged.unknown += 1,
        }
    }

    /// Whether a program allows a recorded call; `None`: that depends on something that the record lacks.
    fn is_allowed(&self, program: &Program, record: &Record) -> Option<bool> {
        let name = record.token.as_deref()?;
        let (token, _) = program.tokens().find(|(_, token)| token.name == name)?;
        let base = self.rules.base();
        let target = record.url.strip_prefix(base.as_str())?;
        let target = format!("{}{target}", base.path());
        let headers: [(&[u8], &[u8]); 1] = [(b"host", base.authority().as_bytes())];
        let raw = RawHead {
            method: &record.method,
            target: target.as_bytes(),
            version: Version::Http11,
            headers: &headers,
            authority: None,
            body: Framing::None,
        };
        let keys = Asked::token(program, token);
        let canonical = rehearsed(&self.rules, (keys.mint, keys.escalate), &raw).ok()?;
        let pairs = canonical.query.iter();
        let query: Vec<Param<'_>> = pairs
            .map(|(name, value)| Param {
                name,
                value: value.as_deref(),
            })
            .collect();
        decided(
            program,
            token,
            (canonical.method, &canonical.path, &query),
            record,
        )
    }
}

fn decided(
    program: &Program,
    token: TokenId,
    (method, path, query): (Method, &str, &[Param<'_>]),
    record: &Record,
) -> Option<bool> {
    let has_no_body = record.request_bytes == Some(0) || matches!(method, Method::Get | Method::Head);
    let body = if has_no_body {
        Body::Absent
    } else {
        // The line that allowed the call may have looked into its body.
        Body::Unread(Media::Json)
    };
    let asked = Request {
        token,
        method,
        path,
        query,
        body,
    };
    match decide(program, &asked) {
        Decision::Allow(_) => Some(true),
        Decision::Deny(_) => Some(false),
        Decision::NeedsBody(_) => None,
    }
}

/// The digests of the lines that a fix changes, by which records name them, and the tokens that have them.
fn changed_lines(sources: &SourceSet, fix: &Fix) -> (BTreeSet<String>, BTreeSet<String>) {
    let compilation = tokenward_compiler::compile(sources);
    let (mut lines, mut tokens) = (BTreeSet::new(), BTreeSet::new());
    let Some(program) = &compilation.program else {
        return (lines, tokens);
    };
    let is_changed = |line: Span| {
        let mut edits = fix.edits.iter().map(|edit| edit.span);
        edits.any(|edit| edit.source == line.source && edit.start < line.end && line.start < edit.end)
    };
    for (id, token) in program.tokens() {
        for (line, text) in program.lines_of(id) {
            if compilation.source_map.line(line).is_some_and(is_changed) {
                lines.insert(text.digest.to_string());
                tokens.insert(token.name.clone());
            }
        }
    }
    (lines, tokens)
}
