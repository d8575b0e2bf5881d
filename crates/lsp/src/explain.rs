//! Explains a limit line in words, with a request that proves it.

use tokenward_compiler::{
    analysis::Budget,
    ask::{Question, who},
    compile,
    ir::Program,
    source::SourceSet,
};

use crate::host::{Stop, Terms};

/// A share of the usual budget: a single line is asked about, and somebody waits.
const BUDGET: u64 = 20_000;
/// Forbid lines that an explanation lists.
const SHOWN: usize = 5;
/// The token that has the line. Nobody can send its secret.
const TOKEN: &str = "[[token]]\nname = 'line'\nsecret_hash = 'sha256:2bb80d537b1da3e38bd30361aa855686bde0eacd7162fef6a25fe97bf527a25b'\ninclude = ['line', 'forbid']\n";

/// A question about a line.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// The line.
    pub(crate) text: String,
    /// The user that `{USER}` stands for; `None` if the line is in a set, or works for several.
    pub(crate) user: Option<String>,
    /// The forbid lines of the same token.
    pub(crate) forbids: Vec<String>,
}

/// Explains a line, as Markdown; `None` if it does not compile or the question was not settled.
pub(crate) fn explain(line: &Line, terms: &Terms, stop: &Stop) -> Option<String> {
    let forbid = line.text.strip_prefix('!').map(str::trim_start);
    if let Some(denied) = forbid {
        let reach = reach(denied, &[], line, terms, stop)?;
        let mut out = reach.shown("Forbids requests", line);
        out.push_str("\n\nThe URL of a forbid line is compared without regard to letter case, and a forbid line overrides every permit line of the token.");
        return Some(out);
    }
    let all = reach(&line.text, &line.forbids, line, terms, stop);
    // A forbid line with an error does not keep the line from being explained.
    let reach = match all {
        Some(reach) => reach,
        None => reach(&line.text, &[], line, terms, stop)?,
    };
    Some(reach.shown("Allows requests", line))
}

/// What a line allows.
struct Reach {
    conditions: Vec<String>,
    /// A request, the command that sends it, and the reason why the proxy does not forward it, if there is one.
    request: Option<(String, String, Option<String>)>,
    forbids: Vec<String>,
}

fn reach(permit: &str, forbids: &[String], line: &Line, terms: &Terms, stop: &Stop) -> Option<Reach> {
    let user = line.user.as_deref().unwrap_or("someone");
    let user = toml_string(user)?;
    let files = [
        ("token.toml", format!("{TOKEN}user = {user}\n")),
        ("line.limits", permit.to_owned()),
        ("forbid.limits", forbids.join("\n")),
    ];
    let files = files.map(|(path, text)| (path.to_owned(), text));
    let sources = SourceSet::from_files(files);
    let program = compile(&sources).program?;
    let program = program.bind(&terms.base).ok()?.merging_body(terms.merges_body);
    let question = Question::parse("/.*", &terms.base, terms.merges_body).ok()?;
    let question = question.behind(terms.proxied.clone());
    let budget = Budget::stopped_by(BUDGET, stop.flag());
    let (token, _) = program.tokens().next()?;
    let asked = (&program, &[token][..]);
    let reaches = who(&question, asked, (terms.universe, &budget), |_, _| {}).ok()?;
    let reach = reaches.into_iter().next()?;
    if stop.is_asked() || (reach.ways.is_empty() && reach.inconclusive.is_some()) {
        return None;
    }
    let way = reach.ways.first();
    let conditions = way.into_iter().flat_map(|way| &way.conditions);
    Some(Reach {
        conditions: conditions.map(|condition| condition.text.clone()).collect(),
        request: way.map(|way| {
            let blocked = (!way.obstacles.is_empty())
                .then(|| tokenward_compiler::analysis::Obstacle::describe(&way.obstacles));
            let curl = way
                .request
                .curl(&terms.base, line.user.as_deref().unwrap_or("USER"));
            (way.request.decoded(), curl, blocked)
        }),
        forbids: reach.exceptions.iter().map(|id| text_of(&program, *id)).collect(),
    })
}

fn text_of(program: &Program, id: tokenward_compiler::ir::LineId) -> String {
    program.line(id).text.to_owned()
}

impl Reach {
    fn shown(&self, what: &str, line: &Line) -> String {
        let Some((request, curl, blocked)) = &self.request else {
            let why = if line.forbids.is_empty() {
                "No request matches this line."
            } else {
                "This line allows nothing: no request matches it, or the token's forbid lines deny all of them."
            };
            return why.to_owned();
        };
        let mut out = format!("**{what}**");
        if self.conditions.is_empty() {
            out.push_str(" of every kind");
        }
        for (at, condition) in self.conditions.iter().enumerate() {
            out.push_str(if at == 0 { " if\n" } else { "" });
            out.push_str(&format!("\n- {condition}"));
        }
        if !self.forbids.is_empty() {
            out.push_str("\n\nexcept the requests that these lines forbid:\n");
            for forbid in self.forbids.iter().take(SHOWN) {
                out.push_str(&format!("\n- {}", code(forbid)));
            }
            if let Some(more @ 1..) = self.forbids.len().checked_sub(SHOWN) {
                out.push_str(&format!("\n- {more} more"));
            }
        }
        out.push_str(&format!(
            "\n\nFor example: {}\n\n{}",
            code(request),
            block("sh", curl)
        ));
        if let Some(blocked) = blocked {
            out.push_str(&format!("\n\nThe proxy forwards this request {blocked}."));
        }
        out
    }
}

/// A text as inline code of Markdown, whatever is in it.
pub(crate) fn code(text: &str) -> String {
    let text = text.replace(['\n', '\r'], " ");
    let longest = longest_run(&text);
    let fence = "`".repeat(longest + 1);
    if longest == 0 {
        format!("`{text}`")
    } else {
        format!("{fence} {text} {fence}")
    }
}

/// A text as a block of code of Markdown, whatever is in it.
pub(crate) fn block(language: &str, text: &str) -> String {
    let fence = "`".repeat(longest_run(text).max(2) + 1);
    format!("{fence}{language}\n{text}\n{fence}")
}

fn longest_run(text: &str) -> usize {
    let runs = text.split(|character| character != '`').map(str::len);
    runs.max().unwrap_or_default()
}

/// A text as a string of TOML; `None` if it has characters that no name has.
fn toml_string(text: &str) -> Option<String> {
    let is_plain = !text.contains(['\'', '\\']) && !text.chars().any(char::is_control);
    is_plain.then(|| format!("'{text}'"))
}
