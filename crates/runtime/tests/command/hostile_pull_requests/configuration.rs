use super::repository::Repository;
use crate::policy::token;

/// The finding for a configuration that becomes another, with the token `ci` as it was.
#[track_caller]
fn becomes(before: &str, after: &str, codes: &[&str]) {
    let repository = Repository::new(&[
        ("tokenward.toml", before),
        ("policies/ci.toml", &token("ci", "11", "", "[get]/rest/a")),
    ]);
    repository.proposes(&[("tokenward.toml", after)]).finds(codes);
}

#[test]
fn never_act_as_loses_a_name() {
    becomes(
        "[auth]\nnever_act_as = [\"admin\", \"root\"]\n",
        "[auth]\nnever_act_as = [\"root\"]\n",
        &["TW0311"],
    );
}

#[test]
fn a_refusal_is_relaxed() {
    becomes("", "[relax]\ndouble_encoding = true\n", &["TW0311"]);
    becomes("", "[relax]\ncookies = true\n", &["TW0311"]);
}

/// Relaxes `encoded_slash` by itself, merges and mints otherwise.
#[test]
fn the_product_is_another() {
    becomes("", "[upstream]\nproduct = \"gitlab\"\n", &["TW0311", "TW0311"]);
}

#[test]
fn more_endpoints_are_served() {
    becomes(
        "[upstream]\nendpoints = [\"/rest/*\"]\n",
        "[upstream]\nendpoints = [\"/*\"]\n",
        &["TW0311"],
    );
}

#[test]
fn secure_mode_is_left() {
    let key = "ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29";
    becomes(
        &format!("mode = \"secure\"\n[keys]\npublic_keys = [\"{key}\"]\n"),
        "mode = \"standard\"\n",
        &["TW0311"],
    );
}

#[test]
fn a_trusted_proxy_is_added() {
    let proxies =
        |list: &str| format!("[server]\ntrusted_proxies = [{list}]\nclient_address = \"forwarded\"\n");
    becomes(&proxies("\"10.0.0.5\""), &proxies("\"0.0.0.0/0\""), &["TW0311"]);
}

/// On which `allowed_ips` depends.
#[test]
fn the_clients_address_is_taken_from_a_header() {
    becomes(
        "",
        "[server]\ntrusted_proxies = [\"10.0.0.5\"]\nclient_address = \"x-forwarded-for\"\n",
        &["TW0311", "TW0311"],
    );
}

#[test]
fn records_are_lost() {
    becomes("", "[audit]\ndurability = \"buffered\"\n", &["TW0311"]);
    becomes("", "[audit]\non_failure = \"allow\"\n", &["TW0311"]);
    becomes("", "[audit.values]\nquery = \"drop\"\n", &["TW0311"]);
}

/// With `on_failure = "allow"` in the base: calls that find no place for their records go on without.
#[test]
fn records_find_no_place() {
    for setting in [
        "wait = \"1ms\"",
        "queue_size = \"1MiB\"",
        "reserve_size = \"64GiB\"",
    ] {
        let audit = "[audit]\non_failure = \"allow\"\n";
        becomes(audit, &format!("{audit}{setting}\n"), &["TW0311"]);
    }
}

/// A call that the proxy makes by itself, of which there is no record.
#[test]
fn the_proxy_asks_for_health_where_it_changes_something() {
    let health = "[upstream]\nhealth_path = \"/rest/api/2/x?delete=1\"\n";
    becomes("", health, &["TW0311"]);
    becomes("[upstream]\nhealth_path = \"/status\"\n", health, &["TW0311"]);
}

/// From standard to secure mode, as the documents say it.
#[test]
fn secure_mode_is_entered() {
    let secure = "mode = \"secure\"\n[keys]\n\
        public_keys = [\"ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29\"]\n\
        artifact_public_keys = [\"ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\"]\n";
    let answer = {
        let repository = Repository::new(&[
            ("tokenward.toml", ""),
            ("policies/ci.toml", &token("ci", "11", "", "[get]/rest/a")),
        ]);
        repository.proposes(&[("tokenward.toml", secure)])
    };
    // The token has no seal yet; no setting gives more.
    assert!(!answer.err.contains("TW0311"), "{}", answer.err);
}

#[test]
fn a_tightened_configuration_passes() {
    becomes("", "[auth]\nnever_act_as = [\"admin\"]\n", &[]);
    becomes("[relax]\nsemicolon = true\n", "", &[]);
}

/// Under the new `public_url` the line for the real host matches nothing. It is compared under the old one too.
#[test]
fn a_changed_public_url_makes_new_lines_look_dead() {
    let url = |host: &str| format!("[upstream]\npublic_url = \"https://{host}\"\n");
    let repository = Repository::new(&[
        ("tokenward.toml", &url("jira.example.com")),
        ("policies/ci.toml", &token("ci", "11", "", "[get]/rest/a")),
    ]);
    let lines = "[get]/rest/a\nhttps://jira\\.example\\.com/rest/.*";
    repository
        .proposes(&[
            ("tokenward.toml", &url("elsewhere.example.com")),
            ("policies/ci.toml", &token("ci", "11", "", lines)),
        ])
        .finds(&["TW0311", "TW0330"]);
}

/// Under the old `public_url` the line was dead.
#[test]
fn a_changed_public_url_wakes_a_line() {
    let url = |host: &str| format!("[upstream]\npublic_url = \"https://{host}\"\n");
    let lines = "[get]/rest/a\nhttps://later\\.example\\.com/rest/.*";
    let repository = Repository::new(&[
        ("tokenward.toml", &url("jira.example.com")),
        ("policies/ci.toml", &token("ci", "11", "", lines)),
    ]);
    repository
        .proposes(&[("tokenward.toml", &url("later.example.com"))])
        .finds(&["TW0301", "TW0311"]);
}

/// Only under the new product are queries and bodies mixed, so that the line allows less there.
#[test]
fn a_changed_product_hides_what_a_line_gains() {
    let product = |name: &str| format!("[upstream]\nproduct = \"{name}\"\n");
    let repository = Repository::new(&[
        ("tokenward.toml", &product("jira")),
        (
            "policies/ci.toml",
            &token("ci", "11", "", "[post]/rest/a[QueryParam::p==x]"),
        ),
    ]);
    let answer = repository.proposes(&[
        ("tokenward.toml", &product("generic")),
        (
            "policies/ci.toml",
            &token("ci", "11", "", "[post]/rest/a[QueryParam::p==x.*]"),
        ),
    ]);
    assert!(
        answer.err.contains("error[TW0301]") && answer.err.contains("error[TW0311]"),
        "{}",
        answer.err
    );
}

/// Settings and invariants that are gone are in no file of the new policy; the findings say where to look all the same.
#[test]
fn findings_outside_the_policy_have_a_place() {
    let never = "# Rules.\n[[never]]\nname = \"no\"\nlines = '[delete].*'\n";
    let repository = Repository::new(&[
        ("tokenward.toml", "[auth]\nnever_act_as = [\"admin\"]\n"),
        ("policies/ci.toml", &token("ci", "11", "", "[get]/rest/a")),
        ("policies/deep/invariants.toml", never),
    ]);
    repository.remove("policies/deep/invariants.toml");
    repository
        .proposes(&[("tokenward.toml", "\n[auth]\nnever_act_as = []\n")])
        .finds(&["TW0311", "TW0312"])
        .says("--> tokenward.toml:3")
        .says("--> main:policies/deep/invariants.toml:3");
    let answer = repository.gate(&["--format", "json"]);
    let places: Vec<(String, u64)> = answer
        .out
        .lines()
        .map(|row| {
            let row: serde_json::Value = serde_json::from_str(row).unwrap();
            (
                row["file"].as_str().unwrap().to_owned(),
                row["line"].as_u64().unwrap(),
            )
        })
        .collect();
    assert!(places.contains(&("tokenward.toml".to_owned(), 3)), "{places:?}");
    assert!(
        places.contains(&("main:policies/deep/invariants.toml".to_owned(), 3)),
        "{places:?}"
    );
}

#[test]
fn a_setting_is_reviewed_by_its_name_and_value() {
    let repository = Repository::new(&[
        ("tokenward.toml", "[auth]\nnever_act_as = [\"admin\"]\n"),
        ("policies/ci.toml", &token("ci", "11", "", "[get]/rest/a")),
        (
            "policies/reviewed.toml",
            "[[reviewed]]\nconfiguration = \"auth.never_act_as\"\nvalue = \"(none)\"\nwhy = \"…\"\n",
        ),
    ]);
    repository.proposes(&[("tokenward.toml", "")]).finds(&[]);
    // Another value is another change.
    repository
        .proposes(&[("tokenward.toml", "[auth]\nnever_act_as = [\"other\"]\n")])
        .finds(&["TW0311"]);
}

#[test]
fn the_first_sealing_key_is_named_and_what_was_before_it_too() {
    Repository::plain()
        .proposes(&[("tokenward.toml", "[keys]\nsealing_keys = [\"k\"]\n")])
        .finds(&["TW0311"])
        .says("the setting `keys.sealing_keys` may give more: it was (none) and is now k\n");
}
