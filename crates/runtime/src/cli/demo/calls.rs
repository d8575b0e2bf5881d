//! The calls to try, what each does, and how they are printed.

use std::fmt::Write;

use super::home::Home;

/// How a call presents its token.
#[derive(Clone, Copy)]
pub(super) enum Who {
    /// Basic, as this user, with the secret of this token.
    Basic(&'static str, &'static str),
    /// Bearer, with the secret of this token.
    Bearer(&'static str),
    /// Basic authentication with a secret of no token.
    Stranger,
}

/// One call and its expected response.
pub(super) struct Call {
    /// Description of the call and its result.
    pub(super) says: &'static str,
    pub(super) who: Who,
    pub(super) method: &'static str,
    /// Path and query, as sent.
    pub(super) target: &'static str,
    pub(super) header: Option<(&'static str, &'static str)>,
    pub(super) json: Option<&'static str>,
    pub(super) status: u16,
    /// Text that the response must contain; empty for any.
    pub(super) answer: &'static str,
}

/// A well-formed secret that belongs to no token.
pub(super) const WRONG_SECRET: &str = "twd_00000000000000000000000000000000000000";

const CI: Who = Who::Basic("svc-ci", "ci-comments");
const BOB: Who = Who::Basic("bob", "bob-filters");
const ALICE: Who = Who::Bearer("alice-report");
const RELEASE: Who = Who::Basic("svc-release", "release-bot");

const GET: Call = Call {
    says: "",
    who: CI,
    method: "GET",
    target: "/rest/api/2/issue/KANBAN-100",
    header: None,
    json: None,
    status: 200,
    answer: "",
};

/// The suggested edit of `ci.toml`: the old text and the new one.
pub(super) const EDIT: (&str, &str) = (
    "[get]/rest/api/2/issue/KANBAN-\\d+\n",
    "[get]/rest/api/2/issue/(KANBAN|HR)-\\d+\n",
);
/// The call that [`EDIT`] turns from refused to allowed.
pub(super) const HR: Call = Call {
    says: "Denied: no line of ci-comments allows issues of HR.",
    target: "/rest/api/2/issue/HR-1",
    status: 403,
    ..GET
};

pub(super) const CALLS: &[Call] = &[
    Call {
        says: "Allowed by ci.toml: [get]/rest/api/2/issue/KANBAN-\\d+. The sample saw svc-ci, never the token.",
        answer: "\"seenAs\":\"svc-ci\"",
        ..GET
    },
    Call {
        says: "Allowed by ci.toml: [get,post]/rest/api/2/issue/KANBAN-\\d+/comment.",
        method: "POST",
        target: "/rest/api/2/issue/KANBAN-100/comment",
        json: Some(r#"{"body":"Built."}"#),
        status: 201,
        ..GET
    },
    HR,
    Call {
        says: "Denied: no line allows DELETE.",
        method: "DELETE",
        status: 403,
        ..GET
    },
    Call {
        says: "Refused before the policy is evaluated: a path with .. is ambiguous.",
        target: "/rest/api/2/issue/KANBAN-100/../HR-1",
        status: 400,
        ..GET
    },
    Call {
        says: "Refused for the same reason: some servers read %2e%2e as .. too.",
        target: "/rest/api/2/issue/KANBAN-100/%2e%2e/HR-1",
        status: 400,
        ..GET
    },
    Call {
        says: "Allowed by people.toml: the line's condition [JsonData::editable:boolean==false] is met.",
        who: BOB,
        method: "POST",
        target: "/rest/api/2/filter",
        json: Some(r#"{"name":"mine","editable":false}"#),
        answer: "\"seenAs\":\"bob\"",
        ..GET
    },
    Call {
        says: "Denied: this condition is not met.",
        who: BOB,
        method: "POST",
        target: "/rest/api/2/filter",
        json: Some(r#"{"name":"mine","editable":true}"#),
        status: 403,
        ..GET
    },
    Call {
        says: "Refused: servers disagree on which of two members with the same name counts.",
        who: BOB,
        method: "POST",
        target: "/rest/api/2/filter",
        json: Some(r#"{"editable":false,"editable":true}"#),
        status: 400,
        ..GET
    },
    Call {
        says: "Allowed by jira-read.limits: every jql is project = KANBAN. The credentials are only the token, as Bearer.",
        who: ALICE,
        target: "/rest/api/2/search?jql=project%20%3D%20KANBAN&maxResults=5",
        answer: "\"seenAs\":\"alice\"",
        ..GET
    },
    Call {
        says: "Denied: the second jql is different.",
        who: ALICE,
        target: "/rest/api/2/search?jql=project%20%3D%20KANBAN&jql=project%20%3D%20HR",
        status: 403,
        ..GET
    },
    Call {
        says: "Allowed: release-bot may act for alice, and the sample saw alice.",
        who: RELEASE,
        target: "/rest/api/2/myself",
        header: Some(("contextUser", "alice")),
        answer: "\"seenAs\":\"alice\"",
        ..GET
    },
    Call {
        says: "Denied: not for admin.",
        who: RELEASE,
        target: "/rest/api/2/myself",
        header: Some(("contextUser", "admin")),
        status: 403,
        ..GET
    },
    Call {
        says: "Refused: no token has this secret. The response is the same for a wrong user.",
        who: Who::Stranger,
        status: 401,
        ..GET
    },
    Call {
        says: "Refused: the token belongs to svc-ci, not to alice.",
        who: Who::Basic("alice", "ci-comments"),
        status: 401,
        ..GET
    },
];

impl Call {
    /// Gives the secret that the call presents.
    pub(super) fn secret<'h>(&self, home: &'h Home) -> &'h str {
        match self.who {
            Who::Basic(_, token) | Who::Bearer(token) => home.secret(token),
            Who::Stranger => WRONG_SECRET,
        }
    }

    fn curl(&self, home: &Home, base: &str) -> String {
        let secret = self.secret(home);
        let mut line = "curl -i".to_owned();
        // Without `--path-as-is`, curl resolves `..` itself.
        let as_is = if self.target.contains("..") {
            " --path-as-is"
        } else {
            ""
        };
        let who = match self.who {
            Who::Basic(user, _) => format!("-u '{user}:{secret}'"),
            Who::Bearer(_) => format!("-H 'Authorization: Bearer {secret}'"),
            Who::Stranger => format!("-u 'svc-ci:{secret}'"),
        };
        let method = match (self.method, self.json) {
            ("GET", None) | ("POST", Some(_)) => String::new(),
            (method, _) => format!(" -X {method}"),
        };
        let header = self
            .header
            .map(|(name, value)| format!(" -H '{name}: {value}'"))
            .unwrap_or_default();
        let body = self
            .json
            .map(|json| format!(" -H 'Content-Type: application/json' -d '{json}'"));
        let body = body.unwrap_or_default();
        let target = self.target;
        line.push_str(&format!("{as_is} {who}{method}{header}{body} '{base}{target}'"));
        line
    }
}

/// Formats the text that the user sees.
pub(super) fn screen(home: &Home, base: &str, (console, secret): &(String, String)) -> String {
    // The commands shown must work when pasted into a shell.
    let program = std::env::args().next().unwrap_or_else(|| "tokenward".to_owned());
    let program = if program.contains(' ') {
        format!("'{program}'")
    } else {
        program
    };
    let config = home.config();
    let config = config.display();
    let policies = home.policies();
    let policies = policies.display();
    let mut text = format!(
        "Console: {console}\n\
         Sign in with the admin secret {secret}\n\n\
         Tokenward is running at {base}, in front of a sample issue tracker.\n\
         Its policies are in {policies}: edit them while it runs. Ctrl-C stops it.\n\n\
         These calls were made once, so the console shows them. Make them again in another terminal. Behind each number is the\n\
         status of the answer.\n"
    );
    // The calls, numbered so that the text below can refer to them.
    for (index, call) in CALLS.iter().enumerate() {
        let number = index + 1;
        // Writing to a string cannot fail.
        let _ = write!(
            text,
            "\n{number:>2}. {}  {}\n    {}\n",
            call.status,
            call.says,
            call.curl(home, base)
        );
    }
    // The edit, and the call that it allows.
    let hr = CALLS
        .iter()
        .position(|call| call.target == HR.target)
        .map_or(0, |index| index + 1);
    let (before, after) = (EDIT.0.trim_end(), EDIT.1.trim_end());
    let _ = write!(
        text,
        "\nEvery call is recorded, allowed or not, but no secret:\n    \
         {program} audit list --config {config}\n    \
         {program} audit tail --config {config} --decision deny\n\n\
         Change the policy: in {policies}/ci.toml, make\n    {before}\nread\n    {after}\n\
         save, and make call {hr} again: 200, within a second, without a restart. Write a line with a mistake in it, and\n\
         the old policy stays in force; this says where the mistake is:\n    \
         {program} compile --check --config {config}\n\n\
         Make a token of your own:\n    \
         {program} token new --config {config} --name mine --user carol --expires 7d \\\n        \
         --limit '[get]/rest/api/2/serverInfo' --file {policies}/mine.toml\n"
    );
    text
}
