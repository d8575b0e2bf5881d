use proptest::prelude::*;

use super::*;

fn node(steps: &[&str]) -> Vec<json::Step> {
    let step = |text: &&str| match *text {
        "*" => json::Step::Each,
        name => json::Step::Name(name.to_owned()),
    };
    steps.iter().map(step).collect()
}

fn filed<'n>(names: &[&'n str]) -> Filed<'n> {
    Filed::new(names.iter().copied())
}

#[test]
fn other_spellings_of_a_parameter_are_told() {
    for (given, name, expected) in [
        ("n[]", "n", true),
        ("n[0]", "n", true),
        ("n[x][y]", "n", true),
        ("[n]", "n", true),
        ("n]", "n", true),
        ("n[", "n", true),
        ("n", "n[]", true),
        ("a[b][]", "a[b]", true),
        ("[a][b]", "a[b]", true),
        ("a][b]", "a[b]", true),
        ("]a[b]", "a[b]", true),
        ("[[a[b]", "a[b]", true),
        ("a.b", "a[b]", true),
        ("_a[b]", "a[b]", true),
        ("a[B]", "a[b]", true),
        ("a", "a[b]", true),
        ("a[7]", "a[0]", true),
        ("N", "n", true),
        ("\u{212a}", "k", true),
        ("n.m", "n_m", true),
        ("n m", "n_m", true),
        (" n", "n", true),
        ("n[m", "n_m", true),
        ("N.M[]", "n_m", true),
        ("_n", "n", true),
        ("!n", "n", true),
        ("n(1i)", "n", true),
        ("a%2Eb", "a.b", true),
        ("a[c]", "a[b]", false),
        ("nn", "n", false),
        ("n-m", "n_m", false),
        ("m[n]", "n", false),
        ("n_x", "n", false),
    ] {
        assert_eq!(
            filed(&[given]).has_parameter(name, |own| own == name),
            expected,
            "{given} {name}"
        );
    }
}

#[test]
fn what_the_line_names_itself_is_no_other_spelling() {
    let query = filed(&["n[]", "n"]);
    let own = |name: &str| name == "n" || name == "n[]";
    assert!(!query.has_parameter("n", own));
    assert!(!query.has_parameter("n[]", own));
    assert!(filed(&["n[]", "n", "n[0]"]).has_parameter("n", own));
    assert!(!filed(&[]).has_parameter("n", |_| false));
}

#[test]
fn members_of_the_body_are_found_by_their_paths() {
    let issue = node(&["issue", "project_id"]);
    for (given, expected) in [
        ("issue", false),
        ("issue.project_id", true),
        ("[issue][project_id]", true),
        ("Issue", true),
        ("issue.subject", false),
        ("project_id", false),
    ] {
        assert_eq!(
            filed(&[given]).has_node(&issue, |own| own == "issue"),
            expected,
            "{given}"
        );
    }
    assert!(filed(&["items[3].kind"]).has_node(&node(&["items", "*", "kind"]), |own| own == "items"));
}

#[test]
fn what_is_merged_at_the_root_is_one_object() {
    for (given, path, expected) in [
        ("issue[subject]", node(&["issue", "project_id"]), true),
        ("[issue", node(&["issue", "project_id"]), true),
        ("issues", node(&["issue", "project_id"]), false),
        ("_json[][name]", node(&["*", "name"]), true),
        ("0[name]", node(&["*", "name"]), true),
        ("[]", node(&["*", "name"]), true),
        ("name", node(&["*", "name"]), false),
        ("_json", node(&[]), true),
        ("x", node(&[]), false),
        ("a.b", node(&["a.b"]), true),
    ] {
        assert_eq!(filed(&[given]).shares_root_of_node(&path), expected, "{given}");
    }
    assert!(filed(&["issue"]).shares_root("issue[project_id]"));
    assert!(!filed(&["project_id"]).shares_root("issue[project_id]"));
}

#[test]
fn members_that_rails_would_wrap_are_found() {
    let issue = node(&["issue", "project_id"]);
    assert!(filed(&["project_id"]).has_wrapped_node(&issue));
    assert!(!filed(&["subject"]).has_wrapped_node(&issue));
    assert!(!filed(&["issue"]).has_wrapped_node(&node(&["issue"])));
    assert!(filed(&["project_id"]).has_wrapped("issue[project_id]"));
    assert!(!filed(&["project_id"]).has_wrapped("project_id"));
    assert!(filed(&["notes"]).has_wrapped_in("issue"));
    assert!(!filed(&["issue", "_method", "utf8"]).has_wrapped_in("issue"));
}

#[test]
fn members_of_any_object_of_the_root_are_found() {
    let project = node(&["project_id"]);
    for (given, expected) in [
        ("issue[project_id]", true),
        ("issue[Project_id][]", true),
        ("issue.project_id", true),
        ("[issue][project_id]", true),
        ("issue", false),
        ("project_id", false),
        ("issue[subject]", false),
        ("a[issue][project_id]", false),
    ] {
        assert_eq!(
            filed(&[given]).below_root().has_any_node(&project),
            expected,
            "{given}"
        );
    }
    let deep = node(&["range", "end"]);
    assert!(filed(&["issue[range][end]"]).below_root().has_any_node(&deep));
    assert!(filed(&["issue[range]"]).below_root().has_any_node(&deep));
    assert!(filed(&["issue[range][end]"]).below_root().leads_to_node(&deep));
    assert!(!filed(&["issue[range]"]).below_root().leads_to_node(&deep));
    assert!(filed(&["issue[project_id]"]).below_root().leads_to_node(&project));
    assert!(!filed(&["issue[range][start]"]).below_root().has_any_node(&deep));
}

proptest! {
    /// The index by first steps finds every name that a comparison of each with each would find.
    #[test]
    fn looked_up_is_compared(given in "[ab_.!\\[\\]0 A]{1,8}", name in "[ab_\\[\\]0]{1,6}") {
        let compared = parameter_paths(&name)
            .iter()
            .any(|path| parameter_paths(&given).iter().any(|own| are_near(own, path)));
        let found = filed(&[&given]).has_parameter(&name, |_| false);
        // A first step that is an element is looked up among elements only, so such names are left out.
        let (named, filed) = (parameter_paths(&name), parameter_paths(&given));
        let mut paths = named.iter().chain(&filed);
        let elements = paths.any(|path| path.first() == Some(&Step::Each));
        prop_assert!(found == compared || elements);
    }
}

/// As many parameters as a query may have, on as many lines as a token has, take a millisecond in release.
#[test]
fn names_cost_their_sum() {
    for (given, constrained) in [("p", "q"), ("filter[p", "filter[q"), ("filter[p", "filter[p")] {
        let closed = if given.contains('[') { "x]" } else { "x" };
        let given: Vec<String> = (0..250)
            .map(|number| format!("{given}{number}{closed}"))
            .collect();
        let names: Vec<String> = (0..2000)
            .map(|number| format!("{constrained}{number}{closed}"))
            .collect();
        let query = Filed::new(given.iter().map(String::as_str));
        let found = names
            .iter()
            .filter(|name| query.has_parameter(name, |own| own == name.as_str()));
        assert_eq!(found.count(), 0);
    }
}
