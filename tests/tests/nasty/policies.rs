//! The policies of the tokens: some that people write, and some at random.

use proptest::{collection::vec, prelude::*, strategy::ValueTree as _, test_runner::TestRunner};
use tokenward_tests::{TestToken, generate};

pub(crate) const WRITTEN: &[&[&str]] = &[
    &[".*"],
    &[
        "[get]/rest/api/2/issue/KANBAN-[0-9]+",
        "[post]/rest/api/2/issue/KANBAN-1/comment[JsonData::public:boolean==false]",
    ],
    &[
        "/rest/.*",
        "!/rest/api/2/user.*",
        "![delete].*",
        "!/rest/.*[QueryParam::jql==.*secret.*]",
        "![post]/rest/.*[JsonData::role==admin]",
    ],
    &[
        "[get]/rest/api/2/search[QueryParam::jql==project = KANBAN|q|a b?][QueryParam::only]",
        "[get]/rest/api/2/issue/.*[QueryParam::n!=admin.*][QueryParam::m?=[0-9]+]",
    ],
    &[
        "[post]/rest/.*[JsonData::fields.project.key==KANBAN][JsonData::fields.only][JsonData::only]",
        "[post]/rest/.*[JsonData::labels[*]==[a-z]+][JsonData::n:number?=[0-9]+][JsonData::admin!=true]",
    ],
    &[
        ".*/rest/api/2/issue/KANBAN-.*",
        "[post].*/rest/.*[JsonData::public==false]",
    ],
    &[
        "/rest/[^/]+/[^/]+",
        "!/rest/.*[QueryParam::n!=[0-9]*][QueryParam::jql==q]",
    ],
    &[
        "(?i)/rest/ISSUE/.*[QueryParam::n?=1]",
        "[put,post]/rest/.*[JsonData::role:string!=admin]",
    ],
    &["{BASE_URL}/rest/user", "/rest/issue|/rest/user/\\w+"],
];

/// One token for each policy, each with a user of its own.
pub(crate) fn tokens(runner: &mut TestRunner, random: usize) -> Vec<TestToken> {
    let written = WRITTEN
        .iter()
        .map(|lines| lines.iter().map(|line| (*line).to_owned()).collect());
    let lines = vec((vec(generate::line(), 1..6), any::<bool>()), random)
        .new_tree(runner)
        .unwrap()
        .current();
    let lines = lines.into_iter().map(|(mut lines, wide)| {
        // Without it, few requests would get as far as the lines that take something back.
        lines.extend(wide.then(|| "/rest/.*".to_owned()));
        lines
    });
    written
        .chain(lines)
        .enumerate()
        .map(|(index, lines): (usize, Vec<String>)| {
            let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
            TestToken::new(&format!("token-{index}"), &lines)
                .of_user(&format!("user-{index}"))
                .with("expires = 2100-01-01")
        })
        .collect()
}
