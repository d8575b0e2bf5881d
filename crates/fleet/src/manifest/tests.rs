use proptest::prelude::*;

use super::*;
use crate::testing::{NOW, Signer, manifest};

fn any_manifest() -> impl Strategy<Value = Manifest> {
    (
        "[a-z0-9][a-z0-9_-]{0,63}",
        1..=LARGEST,
        any::<[u8; 32]>(),
        1..=MOST_ARTIFACT_BYTES,
        any::<[u32; 3]>(),
        0..=LARGEST - LONGEST_LIFE,
        1..=LONGEST_LIFE,
        any::<[u8; 32]>(),
    )
        .prop_map(
            |(fleet, version, digest, length, least, issued, life, revocations)| Manifest {
                fleet: fleet.parse().unwrap(),
                version,
                digest,
                length,
                least: Release(least),
                issued,
                expires: issued + life,
                revocations,
            },
        )
}

proptest! {
    /// A manifest is read as it was written, and two different ones have different bytes.
    #[test]
    fn bytes_and_values_are_one_to_one(one in any_manifest(), two in any_manifest()) {
        let signer = Signer::new(1);
        let bytes = signer.manifest(&one);
        prop_assert!(bytes.len() <= MOST_BYTES);
        let read = Verified::read(&bytes, &[signer.public()]).unwrap();
        prop_assert_eq!(read.manifest(), &one);
        prop_assert_eq!(one == two, one.body() == two.body());
    }

    /// No byte can be changed, removed, added or repeated.
    #[test]
    fn every_byte_counts(at in 0_usize..1_000, byte in any::<u8>(), kind in 0..3) {
        let signer = Signer::new(1);
        let bytes = signer.manifest(&manifest(42));
        let at = at % bytes.len();
        let mut changed = bytes.clone();
        match kind {
            0 => changed[at] = byte,
            1 => { changed.remove(at); }
            _ => changed.insert(at, byte),
        }
        prop_assume!(changed != bytes);
        prop_assert!(Verified::read(&changed, &[signer.public()]).is_err());
    }

    #[test]
    fn any_bytes_are_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..2_000)) {
        prop_assert!(Unverified::read(&bytes).is_err());
    }

    /// Whatever is accepted has the one form of bytes.
    #[test]
    fn what_is_read_is_written_alike(line in 0_usize..10, value in "[ -~]{0,80}") {
        let signer = Signer::new(1);
        let text = String::from_utf8(signer.manifest(&manifest(42))).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        let field = lines[line].split(' ').next().unwrap().to_owned();
        lines[line] = format!("{field} {value}");
        let bytes = (lines.join("\n") + "\n").into_bytes();
        if let Ok(read) = Unverified::read(&bytes) {
            let again = [read.manifest.body(), read.signature.line().into_bytes()].concat();
            prop_assert_eq!(again, bytes);
        }
    }
}

#[test]
fn the_form_is_fixed() {
    let signer = Signer::new(1);
    let expected = format!(
        "tokenward-manifest 1\nfleet main\nversion 42\ndigest sha256:{}\nlength 18344\nleast-tokenward 0.1.0\nissued 1796083200\nexpires 1796688000\nrevocations sha256:{}\nsignature {} ",
        "07".repeat(32),
        hex::encode(manifest(42).revocations),
        hex::encode(signer.public().id()),
    );
    let bytes = signer.manifest(&manifest(42));
    assert!(String::from_utf8(bytes.clone()).unwrap().starts_with(&expected));
    assert_eq!(bytes, signer.manifest(&manifest(42)), "same inputs, same bytes");
}

/// Each refusal is a sentence that names the place.
#[test]
fn hostile_texts_are_refused_by_name() {
    let signer = Signer::new(1);
    let text = String::from_utf8(signer.manifest(&manifest(42))).unwrap();
    let changed = |from: &str, to: &str| text.replacen(from, to, 1);
    let cases = [
        (String::new(), "its first line is not `tokenward-manifest 1`"),
        (
            text.replacen("-manifest 1", "-manifest 2", 1),
            "its first line is not",
        ),
        (text.replace('\n', "\r\n"), "its first line is not"),
        (format!("\u{feff}{text}"), "its first line is not"),
        (changed("version 42\n", ""), "line 3 is not `version ...`"),
        (
            changed("version 42\n", "version 42\nversion 43\n"),
            "line 4 is not `digest ...`",
        ),
        (
            changed("version 42\n", "note x\nversion 42\n"),
            "line 3 is not `version ...`",
        ),
        (
            changed("version 42", "version  42"),
            "`version` is not a whole number",
        ),
        (
            changed("version 42", "version 042"),
            "`version` is not a whole number",
        ),
        (
            changed("version 42", "version +42"),
            "`version` is not a whole number",
        ),
        (
            changed("version 42", "version 0"),
            "`version` is not a number from 1",
        ),
        (
            changed("version 42", "version 9007199254740992"),
            "`version` is not a whole number",
        ),
        (
            changed("version 42", &format!("version {}", "9".repeat(600))),
            "`version` is not a whole number",
        ),
        (
            changed("length 18344", "length 1073741825"),
            "`length` is not a number of bytes",
        ),
        (
            changed("length 18344", "length 0"),
            "`length` is not a number of bytes",
        ),
        (changed("sha256:07", "sha256:0G"), "`digest` is not `sha256:`"),
        (changed("sha256:07", "SHA256:07"), "`digest` is not `sha256:`"),
        (changed("fleet main", "fleet Main"), "`fleet` is not a name"),
        (changed("fleet main", "fleet "), "`fleet` is not a name"),
        (changed("0.1.0", "0.1"), "`least-tokenward` is not a release"),
        (
            changed("expires 1796688000", "expires 1796083200"),
            "it expires before it is issued",
        ),
        (
            changed("expires 1796688000", "expires 9796688000"),
            "more than 366 days",
        ),
        (
            changed("signature ", "signatur "),
            "line 10 is not `signature ...`",
        ),
        (format!("{text}\n"), "bytes follow line 10"),
        (format!("{text}{text}"), "bytes follow line 10"),
        (text.trim_end().to_owned(), "line 10 is not `signature ...`"),
        (
            "x".repeat(MOST_BYTES + 1),
            "it has 1025 bytes, more than the 1024",
        ),
    ];
    for (text, expected) in cases {
        let told = Unverified::read(text.as_bytes()).unwrap_err().to_string();
        assert!(told.contains(expected), "{told} is not {expected}: {text:?}");
    }
}

#[test]
fn only_an_accepted_key_counts() {
    let (one, two) = (Signer::new(1), Signer::new(2));
    let bytes = one.manifest(&manifest(1));
    assert!(Verified::read(&bytes, &[two.public(), one.public()]).is_ok());
    let stranger = SignatureError::Stranger(one.public().id());
    for keys in [&[][..], &[two.public()]] {
        assert_eq!(Verified::read(&bytes, keys), Err(stranger.into()));
    }
    // The id of one key with the signature of another.
    let forged = manifest(1).signed(one.public().id(), |body| two.sign(body));
    let wrong = SignatureError::Wrong(one.public().id());
    assert_eq!(
        Verified::read(&forged, &[one.public(), two.public()]),
        Err(wrong.into())
    );
    let unsigned = manifest(1).signed(one.public().id(), |_| [0; 64]);
    assert_eq!(Verified::read(&unsigned, &[one.public()]), Err(wrong.into()));
}

#[test]
fn the_digest_of_a_manifest_is_that_of_its_content() {
    let (one, two) = (Signer::new(1), Signer::new(2));
    let keys = [one.public(), two.public()];
    let read = |signer: &Signer, life: u64| {
        let manifest = Manifest {
            expires: NOW + life,
            ..manifest(1)
        };
        Verified::read(&signer.manifest(&manifest), &keys)
            .unwrap()
            .manifest()
            .own_digest()
    };
    assert_eq!(read(&one, 60), read(&two, 60));
    assert_ne!(read(&one, 60), read(&one, 61));
}
