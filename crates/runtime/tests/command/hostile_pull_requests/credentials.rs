use super::repository::Repository;
use crate::policy::{hash, review, token};

const LINE: &str = "[get]/rest/a";

/// Two tokens of different power.
fn weak_and_strong() -> Repository {
    Repository::new(&[(
        "policies/t.toml",
        &[
            token("weak", "11", "", LINE),
            token("strong", "22", "", "/rest/.*"),
        ]
        .concat(),
    )])
}

#[test]
fn a_previous_secret_is_added() {
    let keys = format!(
        "previous_secret_hash = \"{}\"\nprevious_until = 2089-01-01",
        hash("99")
    );
    Repository::plain()
        .proposes(&[("policies/ci.toml", &token("ci", "11", &keys, LINE))])
        .finds(&["TW0303", "TW0305"])
        .says("`previous_secret_hash` was (none) and is now sha256:9999");
}

#[test]
fn the_secret_is_replaced() {
    Repository::plain()
        .proposes(&[("policies/ci.toml", &token("ci", "99", "", LINE))])
        .finds(&["TW0303"])
        .says(&format!(
            "`secret_hash` was {} and is now {}",
            hash("11"),
            hash("99")
        ));
}

/// A rotation as the command makes it: the old secret goes on for a while, the new one is to be reviewed.
#[test]
fn a_rotation_is_a_replaced_secret_alone() {
    let keys = format!(
        "previous_secret_hash = \"{}\"\nprevious_until = 2089-01-01",
        hash("11")
    );
    Repository::plain()
        .proposes(&[("policies/ci.toml", &token("ci", "99", &keys, LINE))])
        .finds(&["TW0303"]);
}

#[test]
fn the_overlap_of_a_rotation_is_prolonged() {
    let keys = |until: &str| {
        let hash = hash("22");
        format!("previous_secret_hash = \"{hash}\"\nprevious_until = {until}")
    };
    let file = |until: &str| token("ci", "11", &keys(until), LINE);
    let repository = Repository::new(&[("policies/ci.toml", &file("2027-01-01"))]);
    repository
        .proposes(&[("policies/ci.toml", &file("2089-01-01"))])
        .finds(&["TW0305"])
        .says("`previous_until` was 2027-01-01");
}

/// The secret that was rotated out comes back as the token's own.
#[test]
fn a_rotated_out_secret_comes_back() {
    let keys = format!(
        "previous_secret_hash = \"{}\"\nprevious_until = 2020-01-01",
        hash("22")
    );
    let repository = Repository::new(&[("policies/ci.toml", &token("ci", "11", &keys, LINE))]);
    repository
        .proposes(&[("policies/ci.toml", &token("ci", "22", "", LINE))])
        .finds(&["TW0303"]);
}

#[test]
fn two_tokens_trade_secrets() {
    let answer = weak_and_strong().proposes(&[(
        "policies/t.toml",
        &[
            token("weak", "22", "", LINE),
            token("strong", "11", "", "/rest/.*"),
        ]
        .concat(),
    )]);
    answer.finds(&["TW0301", "TW0303", "TW0303"]);
}

#[test]
fn two_tokens_trade_names() {
    // The secrets open what they opened, but reviews and invariants of a name are now of another secret.
    let answer = weak_and_strong().proposes(&[(
        "policies/t.toml",
        &[
            token("strong", "11", "", LINE),
            token("weak", "22", "", "/rest/.*"),
        ]
        .concat(),
    )]);
    answer.finds(&["TW0303", "TW0303"]);
}

#[test]
fn a_strong_tokens_secret_moves_to_a_token_of_more_users() {
    let users = "users = [\"svc\", \"admin\"]";
    let answer = weak_and_strong().proposes(&[(
        "policies/t.toml",
        &[
            token("weak", "11", "", LINE),
            token("strong", "33", "", "/rest/.*"),
            token("new", "22", users, "/rest/.*"),
        ]
        .concat(),
    )]);
    // `strong` has another secret, `new` has a user more than the one whose secret it has.
    answer.finds(&["TW0303", "TW0304"]);
}

#[test]
fn a_weak_secret_becomes_a_strong_tokens_previous_one() {
    let keys = format!(
        "previous_secret_hash = \"{}\"\nprevious_until = 2089-01-01",
        hash("11")
    );
    let answer =
        weak_and_strong().proposes(&[("policies/t.toml", &token("strong", "22", &keys, "/rest/.*"))]);
    answer
        .finds(&["TW0301", "TW0303", "TW0305"])
        .says("`strong` newly allows requests that this line matches");
}

#[test]
fn a_token_is_deleted_and_comes_again_under_another_name_with_more() {
    Repository::plain()
        .proposes(&[(
            "policies/ci.toml",
            &token("other", "11", "any_user = true", "[get]/rest/.*"),
        )])
        .finds(&["TW0301", "TW0304"]);
}

/// A token that was reviewed under its name, and renamed since: the name is free, its reviews are not.
#[test]
fn a_reviewed_name_is_taken_by_another_secret() {
    let reviews = [
        review("token = \"gone\"\nline = '/rest/.*'"),
        review("token = \"gone\"\nkey = \"user\"\nvalue = \"svc\""),
    ]
    .concat();
    let repository = Repository::new(&[
        ("policies/ci.toml", &token("ci", "11", "", LINE)),
        ("policies/reviewed.toml", &reviews),
    ]);
    let answer = repository.proposes(&[("policies/gone.toml", &token("gone", "99", "", "/rest/.*"))]);
    answer.finds(&["TW0303", "TW0305", "TW0306"]);
}

/// The base reviewed a token `boss` of the secret `22`, and has `ci` of the secret `11`.
fn boss_is_reviewed(more: &str) -> Repository {
    let key =
        |key: &str, value: &str| review(&format!("token = \"boss\"\nkey = \"{key}\"\nvalue = \"{value}\""));
    let reviews = [
        review("token = \"boss\"\nline = '/rest/.*'"),
        key("secret_hash", &hash("22")),
        key("user", "vip"),
        key("mint", "true"),
        key("expires", "2090-01-01T00:00:00Z"),
        key("allowed_ips", "(anywhere)"),
        more.to_owned(),
    ]
    .concat();
    Repository::new(&[
        ("policies/ci.toml", &token("ci", "11", "", LINE)),
        ("policies/reviewed.toml", &reviews),
    ])
}

const BOSS: &str = "user = \"vip\"\nmint = true";

#[test]
fn a_reviewed_name_is_taken_by_a_renamed_token() {
    let renamed = token("boss", "11", BOSS, "/rest/.*");
    boss_is_reviewed("")
        .proposes(&[("policies/ci.toml", &renamed)])
        .finds(&["TW0301", "TW0303", "TW0304", "TW0308"])
        .says("`boss` would inherit the reviews of its new name");
    // The token that the reviews are of.
    boss_is_reviewed("")
        .proposes(&[("policies/boss.toml", &token("boss", "22", BOSS, "/rest/.*"))])
        .finds(&[]);
}

/// It gives nothing yet: the next pull request would.
#[test]
fn a_reviewed_name_is_taken_by_a_rename_alone() {
    boss_is_reviewed("")
        .proposes(&[("policies/ci.toml", &token("boss", "11", "", LINE))])
        .finds(&["TW0303"]);
    // A name without reviews is free.
    boss_is_reviewed("")
        .proposes(&[("policies/ci.toml", &token("clerk", "11", "", LINE))])
        .finds(&[]);
}

/// The reviewed secret is there, and the one that the author has works beside it.
#[test]
fn a_reviewed_name_is_taken_by_a_previous_secret() {
    let previous = format!(
        "{BOSS}\nprevious_secret_hash = \"{}\"\nprevious_until = 2089-01-01",
        hash("11")
    );
    boss_is_reviewed("")
        .proposes(&[("policies/ci.toml", &token("boss", "22", &previous, "/rest/.*"))])
        .finds(&["TW0301", "TW0303", "TW0303", "TW0304", "TW0308"]);
}

/// The owner of the name has moved on, by a rename that gives nobody more; its reviews have stayed.
#[test]
fn a_reviewed_name_that_was_renamed_away_is_taken() {
    let repository = boss_is_reviewed("");
    repository.commit(&[("policies/boss2.toml", &token("boss2", "22", BOSS, "/rest/.*"))]);
    repository.git(&["branch", "-f", "main"]);
    repository
        .proposes(&[("policies/ci.toml", &token("boss", "11", BOSS, "/rest/.*"))])
        .finds(&["TW0301", "TW0303", "TW0304", "TW0308"]);
}

#[test]
fn a_renamed_token_has_the_name_if_its_secret_was_reviewed_for_it() {
    let own = review(&format!(
        "token = \"boss\"\nkey = \"secret_hash\"\nvalue = \"{}\"",
        hash("11")
    ));
    boss_is_reviewed(&own)
        .proposes(&[("policies/ci.toml", &token("boss", "11", BOSS, "/rest/.*"))])
        .finds(&[]);
}

#[test]
fn two_tokens_get_one_secret() {
    let two = [
        token("ci", "11", "", LINE),
        token("twin", "11", "any_user = true", "/rest/.*"),
    ]
    .concat();
    Repository::plain()
        .proposes(&[("policies/ci.toml", &two)])
        .finds(&["TW0006"]);
}
