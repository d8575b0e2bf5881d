//! What the configuration says that policies depend on, then and now.

use std::collections::BTreeSet;

use super::attributes::Change;
use crate::config::{Config, Identity, Methods, Relax};

/// All differences, those that let more in among them.
pub(super) fn changes(old: &Config, new: &Config) -> Vec<Change> {
    let mut changes = Vec::new();
    let mut note = |key, old: String, new: String, widens| {
        if old != new {
            changes.push(Change {
                key,
                old,
                new,
                widens,
            });
        }
    };
    let (before, after) = (&old.upstream, &new.upstream);
    note(
        "upstream.public_url",
        before.public_url.to_string(),
        after.public_url.to_string(),
        false,
    );
    // Another product has other names that are refused, and other calls that give credentials or rights.
    note(
        "upstream.product",
        format!("{:?}", before.product).to_lowercase(),
        format!("{:?}", after.product).to_lowercase(),
        true,
    );
    note(
        "upstream.endpoints",
        list(&before.endpoints, "the product's"),
        list(&after.endpoints, "the product's"),
        before.endpoints.is_empty() != after.endpoints.is_empty()
            || adds(&before.endpoints, &after.endpoints),
    );
    for (key, before, after) in [
        (
            "upstream.refused_parameters",
            &before.refused_parameters,
            &after.refused_parameters,
        ),
        (
            "upstream.refused_headers",
            &before.refused_headers,
            &after.refused_headers,
        ),
        (
            "upstream.refused_members",
            &before.refused_members,
            &after.refused_members,
        ),
        (
            "auth.never_act_as",
            &old.auth.never_act_as,
            &new.auth.never_act_as,
        ),
    ] {
        // What is refused no more is let in.
        note(
            key,
            list(before, "none"),
            list(after, "none"),
            adds(after, before),
        );
    }
    note(
        "upstream.accepted_names",
        list(&before.accepted_names, "none"),
        list(&after.accepted_names, "none"),
        adds(&before.accepted_names, &after.accepted_names),
    );
    note(
        "upstream.identity",
        identity(&old.identity),
        identity(&new.identity),
        false,
    );
    note(
        "auth.methods",
        methods(old.auth.methods),
        methods(new.auth.methods),
        new.auth.methods.basic() && !old.auth.methods.basic()
            || new.auth.methods.bearer() && !old.auth.methods.bearer(),
    );
    let parameter = |config: &Config| {
        config
            .auth
            .query_parameter
            .clone()
            .unwrap_or_else(|| "none".to_owned())
    };
    note(
        "auth.query_parameter",
        parameter(old),
        parameter(new),
        new.auth.query_parameter.is_some(),
    );
    note(
        "auth.product_header",
        old.auth.product_header.to_string(),
        new.auth.product_header.to_string(),
        new.auth.product_header,
    );
    for ((key, before), (_, after)) in relaxed(&old.relax).into_iter().zip(relaxed(&new.relax)) {
        note(key, before.to_string(), after.to_string(), after);
    }
    changes
}

fn relaxed(relax: &Relax) -> [(&'static str, bool); 14] {
    let Relax {
        control_character,
        nul,
        backslash,
        encoded_slash,
        double_encoding,
        semicolon,
        dot_segment,
        empty_segment,
        number_sign,
        ambiguous_parameter,
        get_body,
        cookies,
        merged_multipart,
        xml_body,
    } = *relax;
    [
        ("relax.control_character", control_character),
        ("relax.nul", nul),
        ("relax.backslash", backslash),
        ("relax.encoded_slash", encoded_slash),
        ("relax.double_encoding", double_encoding),
        ("relax.semicolon", semicolon),
        ("relax.dot_segment", dot_segment),
        ("relax.empty_segment", empty_segment),
        ("relax.number_sign", number_sign),
        ("relax.ambiguous_parameter", ambiguous_parameter),
        ("relax.get_body", get_body),
        ("relax.cookies", cookies),
        ("relax.merged_multipart", merged_multipart),
        ("relax.xml_body", xml_body),
    ]
}

fn adds(old: &[String], new: &[String]) -> bool {
    new.iter().any(|entry| !old.contains(entry))
}

fn list(entries: &[String], none: &str) -> String {
    if entries.is_empty() {
        return none.to_owned();
    }
    let sorted: BTreeSet<&str> = entries.iter().map(String::as_str).collect();
    sorted.into_iter().collect::<Vec<_>>().join(", ")
}

fn identity(identity: &Identity) -> String {
    match identity {
        Identity::TrustedHeader { header } => format!("trusted-header {header}"),
        Identity::PerUser { .. } => "per-user".to_owned(),
        Identity::ServiceAccount { user, header, .. } => format!("service-account {user}, {header}"),
    }
}

fn methods(methods: Methods) -> String {
    match methods {
        Methods::Basic => "basic",
        Methods::Bearer => "bearer",
        Methods::Both => "both",
    }
    .to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lets_in_more_is_told_apart() {
        let old = Config::default();
        let mut new = old.clone();
        new.auth.methods = Methods::Both;
        new.relax.semicolon = true;
        new.upstream.refused_members = vec!["sudo".to_owned()];
        new.upstream.endpoints = vec!["/rest/*".to_owned(), "/api/*".to_owned()];
        let keys = |changes: Vec<Change>| -> Vec<(&str, bool)> {
            changes
                .into_iter()
                .map(|change| (change.key, change.widens))
                .collect()
        };
        assert_eq!(
            keys(changes(&old, &new)),
            [
                ("upstream.endpoints", true),
                ("upstream.refused_members", false),
                ("auth.methods", true),
                ("relax.semicolon", true)
            ]
        );
        assert_eq!(
            keys(changes(&new, &old)),
            [
                ("upstream.endpoints", true),
                ("upstream.refused_members", true),
                ("auth.methods", false),
                ("relax.semicolon", false)
            ]
        );
        assert_eq!(changes(&new, &new), []);
    }
}
