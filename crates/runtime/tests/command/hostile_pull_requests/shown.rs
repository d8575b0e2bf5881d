use super::repository::Repository;
use crate::policy::token;

/// One pull request of many widenings, as each form of `diff` shows it.
fn hostile() -> Repository {
    let repository = Repository::new(&[
        ("tokenward.toml", "[auth]\nnever_act_as = [\"admin\"]\n"),
        (
            "policies/ci.toml",
            &token(
                "ci",
                "11",
                "owner = \"k\"",
                "[get]/rest/k\n[delete]/rest/k\n![delete].*",
            ),
        ),
        (
            "policies/invariants.toml",
            "[[never]]\nname = \"nobody-deletes\"\nowners = [\"k\"]\nlines = '[delete].*'\n",
        ),
    ]);
    repository.remove("policies/invariants.toml");
    repository.commit(&[
        ("tokenward.toml", ""),
        (
            "policies/ci.toml",
            &token("ci", "99", "mint = true", "[get]/rest/k\n[delete]/rest/k"),
        ),
        ("policies/unused.limits", "/rest/.*\n"),
    ]);
    repository
}

#[test]
fn as_text() {
    let answer = hostile().tokenward(&["diff", "main", "HEAD"]);
    assert_eq!((answer.code, answer.err.as_str()), (1, ""));
    for text in [
        "configuration: changed\n  auth.never_act_as: admin -> (none)  (wider)\n",
        "invariants: removed or changed\n  nobody-deletes: never ",
        "-> (removed)  (wider)\n",
        "unused sets: grew\n  unused: 0 lines -> 1 line, 1 of them new  (wider)\n",
        "  secret_hash: sha256:1111",
        "  mint: false -> true  (wider)\n",
        "  owner: k -> (none)\n",
        "  breaks the old invariant nobody-deletes: DELETE /rest/k  (wider)\n",
        "  newly allowed: DELETE /rest/k\n",
    ] {
        assert!(answer.out.contains(text), "{text:?} is not in {}", answer.out);
    }
}

#[test]
fn as_json() {
    let answer = hostile().tokenward(&["diff", "--format", "json", "main", "HEAD"]);
    let json: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    assert_eq!((answer.code, &json["widens"]), (1, &true.into()));
    for (place, code) in [
        ("/configuration/0/code", "TW0311"),
        ("/invariants/0/code", "TW0312"),
        ("/sets/0/code", "TW0315"),
        ("/tokens/0/changes/0/code", "TW0303"),
        ("/tokens/0/changes/1/code", "TW0308"),
        ("/tokens/0/breaks/0/invariant", "nobody-deletes"),
    ] {
        assert_eq!(json.pointer(place), Some(&code.into()), "{place} {json:#}");
    }
}

#[test]
fn as_markdown() {
    let answer = hostile().tokenward(&["diff", "--format", "markdown", "main", "HEAD"]);
    for text in [
        "### Policy: This change allows more",
        "#### Configuration: changed",
        "#### Invariants: removed or changed",
        "#### Unused sets: grew",
        "**Breaks the old invariant** `nobody-deletes`**:** `DELETE /rest/k`",
    ] {
        assert!(answer.out.contains(text), "{text:?} is not in {}", answer.out);
    }
}

#[test]
fn as_sarif() {
    let answer = hostile().tokenward(&["diff", "--format", "sarif", "main", "HEAD"]);
    let sarif: serde_json::Value = serde_json::from_str(&answer.out).unwrap();
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let errors: Vec<&str> = results
        .iter()
        .filter(|result| result["level"] == "error")
        .filter_map(|result| result["ruleId"].as_str())
        .collect();
    for rule in ["wider", "breaks-invariant", "newly-allowed"] {
        assert!(errors.contains(&rule), "{rule} is not in {errors:?}");
    }
    // What is in no file of the new policy has a place too.
    for (text, uri) in [
        ("the configuration: auth.never_act_as", "tokenward.toml"),
        ("the invariants: nobody-deletes", "policies/invariants.toml"),
    ] {
        let of = |result: &&serde_json::Value| {
            let said = result["message"]["text"].as_str().unwrap_or_default();
            said.starts_with(text)
        };
        let result = results.iter().find(of).unwrap();
        let place = &result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"];
        assert_eq!(place, uri, "{result}");
    }
}
