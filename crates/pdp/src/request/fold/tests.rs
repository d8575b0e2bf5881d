use super::*;

#[test]
fn what_some_server_takes_for_one_is_one() {
    for (one, other) in [
        ("admin", "ADMIN"),
        ("admin", "ADM\u{130}N"),
        ("admin", "adm\u{131}n"),
        ("admin", "ADMi\u{307}N"),
        ("admin", "ａｄｍｉｎ"),
        ("admin", "ＡＤＭＩＮ"),
        ("admin", "ⓐⓓⓜⓘⓝ"),
        ("admin", "𝐚𝐝𝐦𝐢𝐧"),
        ("admin", "\u{e1}dmin"),
        ("admin", "a\u{301}dmin"),
        ("admin", "a\u{301}\u{327}dm\u{ec}\u{f1}"),
        ("admin", "ad\u{200b}min"),
        ("admin", "ad\u{ad}min"),
        ("admin", "ad\u{2060}min\u{feff}"),
        ("admin", "ad\u{fe0f}min"),
        ("admin", "ad\u{34f}min"),
        ("admin", "ad\u{202e}min"),
        ("admin", "ad\u{e0061}min"),
        ("admin", "ad\u{1}min"),
        ("sysop", "\u{17f}y\u{17f}op"),
        ("kim", "\u{212a}im"),
        ("strasse", "straße"),
        ("strasse", "STRA\u{1e9e}E"),
        ("fischer", "ﬁscher"),
        ("σοφος", "ΣΟΦΟΣ"),
        ("σοφος", "σοφός"),
        ("soren", "Søren"),
        ("lukasz", "Łukasz"),
        ("aesop", "Æsop"),
        ("한국", "\u{1112}\u{1161}\u{11ab}\u{1100}\u{116e}\u{11a8}"),
        ("カ", "ｶ"),
        ("a b", "a\u{a0}b"),
        ("ǆ", "ǅ"),
        ("ᾳ", "ΑΙ"),
    ] {
        assert_eq!(folded(one), folded(other), "{one:?} {other:?}");
    }
}

#[test]
fn what_no_server_takes_for_one_is_not() {
    for (one, other) in [
        ("admin", "admin1"),
        ("admin", "adm1n"),
        ("admin", "ad min"),
        ("admin", "ad.min"),
        ("", "a"),
        ("é", "o"),
        // Letters of another script look alike, but no server treats them as equal.
        ("admin", "\u{430}dmin"),
    ] {
        assert_ne!(folded(one), folded(other), "{one:?} {other:?}");
    }
}

#[test]
fn an_iota_below_a_letter_may_be_a_mark() {
    assert_eq!(folded_without_iota("ᾳ"), folded("α"));
    assert_eq!(folded_without_iota("ADM\u{130}N"), "admin");
}

#[test]
fn digits_of_all_scripts_are_one() {
    for zero in ["\u{660}", "\u{966}", "\u{ff10}", "\u{1d7f6}", "\u{1fbf0}"] {
        let zero = u32::from(zero.chars().next().unwrap());
        for value in 0..10 {
            let digit = char::from_u32(zero + value).unwrap().to_string();
            assert_eq!(folded(&digit), value.to_string(), "{digit:?}");
        }
    }
}

#[test]
fn a_letter_above_another_may_be_a_letter() {
    assert_eq!(folded_with_letters_above("\u{363}dm\u{365}n"), "admin");
    assert_eq!(folded("a\u{363}dmin"), "admin");
    assert_eq!(folded_with_letters_above("\u{e1}dmin"), "admin");
}

#[test]
fn folding_twice_changes_nothing() {
    let wrong: Vec<char> = ('\0'..=char::MAX)
        .filter(|character| {
            let text = character.to_string();
            let one = folded(&text).into_owned();
            folded(&one) != one || folded_without_iota(&one) != one || folded_with_letters_above(&one) != one
        })
        .collect();
    assert_eq!(wrong, Vec::<char>::new());
}

#[test]
fn every_casing_and_width_of_a_character_is_one() {
    let nfkc = icu_normalizer::ComposingNormalizerBorrowed::new_nfkc();
    for character in '\0'..=char::MAX {
        let text = character.to_string();
        let one = folded(&text).into_owned();
        assert_eq!(folded(&text.to_lowercase()), one, "{character:?}");
        assert_eq!(folded(&text.to_uppercase()), one, "{character:?}");
        assert_eq!(folded(&nfkc.normalize(&text)), one, "{character:?}");
    }
}

#[test]
fn a_copy_is_folded_alike() {
    for text in [
        "",
        "/rest/api",
        "/REST/Api",
        "/a\0B\u{7f}",
        "/ＡＰＩ/É",
        "ADMİN",
        "a\u{363}",
    ] {
        assert_eq!(folded_copy(text), &*folded(text), "{text:?}");
    }
}
