//! Forbid lines, and alternatives of them, that the configuration leaves without effect: errors of `compile`.

use std::fs;

use tempfile::TempDir;
use tokenward_testbed::Ran;

use crate::policy::token;
use crate::tokenward::run;

const CONFIG: &str = "policies = \"policies\"\n[upstream]\nurl = \"http://127.0.0.1:1\"\npublic_url = \"https://jira.example.com\"\nproduct = \"jira\"\n";

/// Compiles a policy of these files.
fn compiled(files: &[(&str, &str)]) -> Ran {
    let directory = TempDir::new().unwrap();
    fs::create_dir(directory.path().join("policies")).unwrap();
    fs::write(directory.path().join("tokenward.toml"), CONFIG).unwrap();
    for (name, text) in files {
        fs::write(directory.path().join("policies").join(name), text).unwrap();
    }
    run(directory.path(), &["compile", "--check"])
}

fn of_lines(lines: &str) -> Ran {
    compiled(&[("ci.toml", &token("ci", "11", "", lines))])
}

#[test]
fn an_alternative_that_is_not_served_is_an_error() {
    of_lines("[get]/rest/.*\n!/rest/a|/secure/b")
        .finds(&["TW0027"])
        .says("no request can match the alternative `/secure/b` of this forbid line")
        .says("the proxy serves only `/rest/*`");
    of_lines("[get]/rest/.*\n!/rest/a|/rest/b").finds(&[]);
}

#[test]
fn an_alternative_of_another_host_is_an_error() {
    of_lines("[get]/rest/.*\n!{BASE_URL}/rest/a|https://jira.exmaple.com/rest/b")
        .finds(&["TW0027"])
        .says("the public URL is `https://jira.example.com`");
    of_lines("[get]/rest/.*\n!https://jira.example.com/rest/a|.*/rest/b").finds(&[]);
}

#[test]
fn a_set_that_no_token_includes_is_checked() {
    let ci = token("ci", "11", "", "[get]/rest/a");
    let set = |lines: &str| compiled(&[("ci.toml", &ci), ("later.limits", lines)]);
    set("!/rest/a|rest/b\n").finds(&["TW0026"]).says("later.limits:1");
    set("[get]/rest/b\n![post]/rest/x[JsonData::n:number==1|b]\n")
        .finds(&["TW0026"])
        .says("later.limits:2");
    set("!https://jira.exmaple.com/rest/.*\n").finds(&["TW0027"]);
    set("!/secure/.*\n").finds(&["TW0027"]);
    set("!/rest/a|/secure/b\n").finds(&["TW0027"]);
    set("!/rest/api/2/user/{USER}|rest/b\n").finds(&["TW0026"]);
    set("!/rest/api/2/user/{USER}\n![delete]/rest/.*\n").finds(&[]);
}
