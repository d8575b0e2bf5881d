use super::*;

const ONE: [u8; 32] = [1; 32];
const TWO: [u8; 32] = [2; 32];

fn entry(name: &str, hash: [u8; 32], more: &str) -> String {
    format!(
        "[[token]]\nname = \"{name}\"\nuser = \"u\"\nsecret_hash = \"sha256:{}\"\n{more}limit_to = '''\n[get]/rest/a\n'''\n",
        hex::encode(hash)
    )
}

fn suspect(name: &str, hash: [u8; 32]) -> Suspect {
    Suspect {
        names: vec![name.to_owned()],
        hashes: vec![hash],
    }
}

#[test]
fn a_file_that_parses_revokes_and_suspects_nobody() {
    let text = entry("a", ONE, "revoked = true\nunknown = 1\n") + &entry("b", TWO, "");
    let found = RevokedIn {
        hashes: vec![ONE],
        suspects: Vec::new(),
    };
    assert_eq!(revoked_in(&text), found);
    assert_eq!(revoked_in(&entry("a", ONE, "\"revo\\u006bed\" = true\n")), found);
    assert_eq!(revoked_in(&entry("a", ONE, "revoked = \"true\"\n")), found);
    assert_eq!(
        revoked_in(&entry("a", ONE, "revoked = false\n")),
        RevokedIn::default()
    );
}

#[test]
fn other_spellings_suspend_in_broken_text() {
    for line in ["revoked = \"true\"\n", "\"re\\u0076oked\" = true\n"] {
        let text = entry("a", ONE, line) + "[[token\n";
        assert_eq!(revoked_in(&text).suspects, [suspect("a", ONE)], "{line}");
    }
}

#[test]
fn each_side_of_a_conflict_revokes() {
    for revoking_first in [true, false] {
        for base in [
            "",
            "||||||| base\n",
            "||||||| base\nrevoked = maybe\n<<<<<<<<< inner\n=========\n>>>>>>>>> inner\n",
        ] {
            for end in ["\n", "\r\n"] {
                let (first, second) = match revoking_first {
                    true => ("revoked = true\n", "owner = \"x\"\n"),
                    false => ("owner = \"x\"\n", "revoked = true\n"),
                };
                let conflict = format!("<<<<<<< HEAD\n{first}{base}=======\n{second}>>>>>>> topic\n");
                let text = (entry("a", ONE, &conflict) + &entry("b", TWO, "")).replace('\n', end);
                let found = revoked_in(&text);
                assert_eq!(found.hashes, [ONE], "{text}");
                assert!(found.suspects.is_empty());
            }
        }
    }
}

#[test]
fn a_side_that_does_not_parse_suspends_and_the_other_revokes() {
    let conflict = "<<<<<<< HEAD\nowner = \n=======\nowner = \"x\"\n>>>>>>> topic\n";
    let text = entry("a", ONE, &format!("revoked = true\n{conflict}"));
    let found = revoked_in(&text);
    assert_eq!(found.hashes, [ONE]);
    assert_eq!(found.suspects, [suspect("a", ONE)]);
    // A conflict without an end has no sides.
    let text = entry("a", ONE, "<<<<<<< HEAD\nrevoked = true\n=======\n");
    let found = revoked_in(&text);
    assert!(found.hashes.is_empty());
    assert_eq!(found.suspects, [suspect("a", ONE)]);
}

#[test]
fn broken_text_suspects_what_says_so_outside_of_comments_and_strings() {
    for broken in [
        "[[token]\n",
        "x = = 1\n",
        "<<<<<<< HEAD\n",
        "name = \"no end\n",
        "\u{0}",
    ] {
        let text = |more: &str| entry("b", TWO, "") + broken + &entry("a", ONE, more);
        for revoking in [
            "revoked = true\n",
            "revoked=true # now\n",
            "\"revoked\" = true\n",
            "  'revoked' =\ttrue\n",
        ] {
            assert_eq!(
                revoked_in(&text(revoking)).suspects,
                [suspect("a", ONE)],
                "{broken}{revoking}"
            );
        }
        for harmless in [
            "# revoked = true\n",
            "description = \"revoked = true\"\n",
            "description = 'a \\' # revoked = true\n",
            "description = \"\"\"\nrevoked = true\n\"\"\"\n",
            "description = '''\n[x]\nrevoked = true\n'''\n",
            "description = \"a \\\" revoked = true\"\n",
            "revoked = false\n",
            "revoked = \"no\"\n",
            "not_revoked = true\n",
        ] {
            let found = revoked_in(&text(harmless));
            assert_eq!(found, RevokedIn::default(), "{broken}{harmless}");
        }
    }
}

#[test]
fn a_string_without_an_end_hides_no_later_entry() {
    let open = entry("b", TWO, "").replace("[get]/rest/a\n'''\n", "[get]/rest/a\n");
    for at in 0..3 {
        let others = entry("c", [3; 32], "");
        let text = open.clone() + &others.repeat(at) + &entry("a", ONE, "revoked = true\n") + &others;
        assert_eq!(revoked_in(&text).suspects, [suspect("a", ONE)], "{text}");
    }
}

#[test]
fn entries_in_line_are_told_apart() {
    let inline = |name: &str, hash: [u8; 32], more: &str| {
        format!(
            "{{ name = \"{name}\", secret_hash = \"sha256:{}\"{more} }}",
            hex::encode(hash)
        )
    };
    let text = format!(
        "token = [{}, {}]\nbroken = \n",
        inline("a", ONE, ", revoked = true"),
        inline("b", TWO, "")
    );
    assert_eq!(revoked_in(&text).suspects, [suspect("a", ONE)]);
}

#[test]
fn megabytes_of_broken_text_are_read_once() {
    for part in [
        "'''",
        "\"\"\"\n[[token]]\n",
        "'",
        "revoked = true\n[[token]]\n",
        "<<<<<<< \n",
        "[",
        "{",
        "# revoked\n",
    ] {
        let text = part.repeat((2 << 20) / part.len()) + "revoked = = true";
        let _ = revoked_in(&text);
    }
}
