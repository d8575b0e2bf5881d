use regex_syntax::ParserBuilder;

use super::*;

/// As the dialect reads it: `.` is any byte.
fn tree(pattern: &str) -> Hir {
    let pattern = pattern.replace(".*", "(?s-u:.)*");
    ParserBuilder::new().utf8(false).build().parse(&pattern).unwrap()
}

/// A pattern that waits as code is bound to what its tree is bound to.
#[test]
fn code_and_tree_leave_the_same_behind_a_base() {
    let patterns = [
        ".*/rest/a.*",
        ".*/a[0-9]+",
        ".*",
        r".*\.com/x",
        ".*jira.*/x",
        r"https://jira\.example\.com/x[^/]*",
        "https?://[^/]+/ctx/x.*",
        r"(https|http)://jira\.example\.com(/ctx)?/(x|a1)",
        "[a-z]+://.*/a",
        "http://other/x",
    ];
    let bases = [
        "https://jira.example.com/ctx",
        "http://h12",
        "https://jira.example.com",
    ];
    let paths = [
        "", "/x", "/xy/é", "/rest/a", "/rest/ab", "/a1", "/a", "/é/a9", "/ctx/x", "/jira/x", "/1234/x",
    ];
    for pattern in patterns {
        let hir = tree(pattern);
        let Whole::Glob(code) = Whole::new(&hir) else {
            panic!("{pattern} is no glob")
        };
        for base in bases {
            let [of_code, of_tree] = [
                Matcher::code_after(&code, base.as_bytes()),
                Matcher::after(&hir, base.as_bytes()),
            ];
            let (of_code, of_tree) = (of_code.unwrap(), of_tree.unwrap());
            for path in paths {
                assert_eq!(
                    of_code.matches(path),
                    of_tree.matches(path),
                    "{pattern} on {base}{path}"
                );
            }
        }
    }
}
