use proptest::prelude::*;

use super::*;
use crate::config::Methods;

fn rules(never: &[&str]) -> AuthRules {
    let never: Vec<String> = never.iter().map(|name| (*name).to_owned()).collect();
    let help = Help {
        methods: Methods::Both,
        schemes: Vec::new(),
        own_page: String::new(),
    };
    AuthRules::new(help, &never)
}

#[test]
fn nobody_acts_as_one_whom_some_server_takes_for_an_administrator() {
    for (never, user) in [
        ("admin", "admin"),
        ("admin", "Admin"),
        ("admin", "ADM\u{130}N"),
        ("admin", "adm\u{131}n"),
        ("ADMIN", "adm\u{131}n"),
        ("ADM\u{130}N", "admin"),
        ("admin", "ａｄｍｉｎ"),
        ("admin", "ⒶⒹⓂⒾⓃ"),
        ("admin", "ádmin"),
        ("admin", "a\u{301}dmin"),
        ("ádmin", "admin"),
        ("admin", "ad\u{200b}min"),
        ("admin", "ad\u{ad}min"),
        ("admin", "admin\u{feff}"),
        ("admin", "admin\u{3000}"),
        ("admin", " admin"),
        (" admin ", "admin"),
        ("site admin", "site\u{a0} Admin"),
        ("sys", "\u{17f}y\u{17f}"),
        ("strauss", "Strauß"),
        ("søren", "SOREN"),
        ("ᾳ", "α"),
        ("ᾳ", "ΑΙ"),
        ("admin@example.com", "ADMIN@EXAMPLE.COM"),
        ("admin@example.com", "admin＠example．com"),
        ("admin", "a\u{a77a}min"),
        ("admin", "admi\u{a7a5}"),
        ("admin", "\u{1f150}dmin"),
        ("admin", "\u{1f170}dmin"),
        ("admin", "\u{363}dmin"),
        ("admin", "adm\u{365}n"),
        ("root", "roo\u{a787}"),
        ("root", "\u{a7a7}oot"),
        ("admin1", "admin\u{661}"),
        ("admin1", "admin\u{2776}"),
        ("admin", "a\u{363}dmin"),
    ] {
        assert!(rules(&["root", never]).never(user), "{never:?} {user:?}");
    }
}

#[test]
fn others_are_left_alone() {
    for user in [
        "adm",
        "admin2",
        "administrator",
        "ad-min",
        "site admin",
        "svc",
        "аdmin",
        "",
    ] {
        assert!(!rules(&["admin", "root"]).never(user), "{user:?}");
    }
    assert!(!rules(&[]).never("admin"));
}

proptest! {
    /// Whatever casing, width, accents and invisible characters are put upon a name, it stays the same person's.
    #[test]
    fn dressing_a_name_up_changes_nobody(name in "[a-z]{1,12}", dress in prop::collection::vec(0_usize..9, 12)) {
        let dressed: String = name.chars().zip(dress.iter().cycle()).flat_map(|(letter, how)| {
            let full_width = char::from_u32(u32::from(letter) - 0x61 + 0xff41).unwrap_or(letter);
            let circled = char::from_u32(u32::from(letter) - 0x61 + 0x24d0).unwrap_or(letter);
            match how {
                0 => vec![letter],
                1 => letter.to_uppercase().collect(),
                2 => vec![full_width],
                3 => vec![circled],
                4 => vec![letter, '\u{301}'],
                5 => vec!['\u{200b}', letter],
                6 => vec![letter, '\u{327}', '\u{fe0f}'],
                7 if letter == 'i' => vec!['\u{131}'],
                8 if letter == 'i' => vec!['\u{130}'],
                7 if letter == 's' => vec!['\u{17f}'],
                8 if letter == 'k' => vec!['\u{212a}'],
                _ => vec![letter],
            }
        }).collect();
        prop_assert!(rules(&[&name]).never(&dressed), "{:?}", dressed);
        prop_assert!(rules(&[&dressed]).never(&name), "{:?}", dressed);
    }

    /// Nothing is allowed under a name that equals a forbidden one by any comparison of the standard library.
    #[test]
    fn plain_comparisons_are_all_covered(one in "\\PC{1,8}", other in "\\PC{1,8}") {
        let same = one == other
            || one.to_lowercase() == other.to_lowercase()
            || one.to_uppercase() == other.to_uppercase()
            || one.trim() == other.trim();
        prop_assert!(!same || rules(&[&one]).never(&other));
        prop_assert!(rules(&[&one]).never(&one.to_uppercase()));
        prop_assert!(rules(&[&one]).never(&one.to_lowercase()));
    }
}
