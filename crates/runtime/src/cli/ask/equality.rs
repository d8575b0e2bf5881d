//! The answer to `--equal`: whether two tokens allow the same requests.

use tokenward_compiler::analysis::{Cause, Certificates, Comparison, Difference, Subject};
use tokenward_compiler::ir::{Program, Token, TokenId};
use tokenward_pdp::forwarded::REFUSED;

use super::listing::{Text, caller, place};

/// Requests that only one of the tokens may make that the text lists at most; JSON has all.
const REQUESTS: usize = 20;

/// Two tokens and their comparison.
pub(super) struct Equality<'p> {
    pub(super) program: &'p Program,
    pub(super) first: TokenId,
    pub(super) second: TokenId,
    pub(super) compared: Comparison,
}

impl Equality<'_> {
    /// Each token with its name, the requests that only it may make, and the rights that only it has.
    pub(super) fn sides(&self) -> [(TokenId, &Difference, Vec<&'static str>); 2] {
        let Comparison {
            newly_allowed,
            newly_denied,
        } = &self.compared;
        [
            (self.first, newly_denied, self.rights(self.first, self.second)),
            (self.second, newly_allowed, self.rights(self.second, self.first)),
        ]
    }

    /// The keys that let a token make calls which the other may not make, whatever their lines are.
    fn rights(&self, one: TokenId, other: TokenId) -> Vec<&'static str> {
        let (one, other) = (self.program.token(one), self.program.token(other));
        let all = [
            ("mint", one.mint, other.mint),
            ("escalate", one.escalate, other.escalate),
        ];
        let own = all.into_iter().filter(|(_, has, other)| *has && !other);
        own.map(|(key, ..)| key).collect()
    }

    /// Adds the certificates of the answer about lines.
    pub(super) fn certify(&self, certificates: &mut Certificates<'_>) {
        let [first, second] = [self.first, self.second].map(|token| Subject::new(0, Some(token)));
        certificates.difference(&second, &first, &self.compared.newly_allowed);
        certificates.difference(&first, &second, &self.compared.newly_denied);
    }

    pub(super) fn differs(&self) -> bool {
        let sides = self.sides();
        sides
            .iter()
            .any(|(_, only, rights)| !only.findings.is_empty() || !rights.is_empty())
    }

    pub(super) fn is_settled(&self) -> bool {
        self.sides()
            .iter()
            .all(|(_, only, _)| only.inconclusive.is_none())
    }

    /// The keys of the callers that differ: they change who may make the requests, and not which.
    pub(super) fn callers(&self) -> Option<[String; 2]> {
        let of = |token: &Token| caller(token).join("; ");
        let both = [self.first, self.second].map(|id| of(self.program.token(id)));
        let [first, second] = &both;
        (first != second).then_some(both)
    }

    /// The answer as text.
    pub(super) fn text(&self) -> String {
        let names = [self.first, self.second].map(|id| &self.program.token(id).name);
        let [first, second] = names;
        let mut out = Text::default();
        out.line(
            0,
            &match (self.differs(), self.is_settled()) {
                (true, _) => format!("No: `{first}` and `{second}` do not allow the same requests."),
                (false, true) => format!("Yes: `{first}` and `{second}` allow the same requests."),
                (false, false) => {
                    format!("Not settled: it is not known whether `{first}` and `{second}` allow the same requests.")
                }
            },
        );
        for (id, only, rights) in self.sides() {
            self.side(&mut out, id, (only, &rights));
        }
        if let Some([one, other]) = self.callers() {
            out.line(0, "");
            out.line(0, "The callers differ:");
            out.line(2, &format!("{first}: {one}"));
            out.line(2, &format!("{second}: {other}"));
        }
        out.end()
    }

    fn side(&self, out: &mut Text, id: TokenId, (only, rights): (&Difference, &[&str])) {
        if only.is_none() && rights.is_empty() {
            return;
        }
        let (program, token) = (self.program, self.program.token(id));
        out.line(0, "");
        out.line(0, &format!("only {}:", token.name));
        for key in rights {
            out.line(2, &format!("has {key} = true"));
        }
        for found in only.findings.iter().take(REQUESTS) {
            let allowed = found.allowed_by.map(|line| place(program, line));
            let denied = found.denied_by.map(|line| place(program, line));
            let otherwise = if found.is_refused { REFUSED } else { "no line" };
            let denied = denied.as_deref().unwrap_or(otherwise);
            out.line(
                2,
                &format!(
                    "allowed by {}",
                    allowed.as_deref().unwrap_or("unrestricted = true")
                ),
            );
            match found.cause {
                Cause::Refused(_) => out.line(2, &format!("refused as ambiguous because of {denied}")),
                _ => out.line(2, &format!("denied by  {denied}")),
            }
            out.request(4, (&found.witness, &found.obstacles), (program, token));
        }
        if let Some(more @ 1..) = only.findings.len().checked_sub(REQUESTS) {
            out.line(2, &format!("{more} more requests: --json lists all"));
        }
        if let Some(why) = only.inconclusive {
            out.line(2, &format!("not settled: {why}"));
        }
    }
}
