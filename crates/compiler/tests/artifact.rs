//! Artifacts: stable, whole or refused, and never a panic.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

use proptest::prelude::*;
use tokenward_compiler::{
    BaseUrl,
    artifact::{DecodeError, FORMAT, HEADER, LANGUAGE, decode, decode_sections, encode},
    compile,
    ir::Program,
    source::SourceSet,
};

fn program() -> Program {
    let tokens = r#"
        [[token]]
        name = "one"
        user = "svc"
        secret_hash = "sha256:HASH1"
        previous_secret_hash = "sha256:HASH2"
        previous_until = 2030-01-01
        expires = 2031-01-01T12:00:00+02:00
        allowed_ips = ["10.0.0.0/8", "::1"]
        on_behalf_of = ["a", "b"]
        owner = "team"
        description = "all there is"
        include = ["read"]
        limit_to = '''
        [get].*/rest/api/2/issue/K-\d+/comment.*
        /rest/(a|bc)*x[QueryParam::n?=(x|y)+][QueryParam::only]
        ![delete].*
        [post]/rest/f[JsonData::a.l[*]:number!=[^5]*][JsonData::a.only][JsonData::"q.r"==(?i)x]
        https?://[^/]+/rest/z
        [post]/rest/r[JsonData::$[*].n:number|null<=500][QueryParam::d?>=2018-01-01][QueryParam::u=={BASE_URL}/x]
        '''
        [[token]]
        name = "two"
        lint_allow = ["TW0101", "TW0104"]
        secret_sealed = "v1:01020304:00"
        seal = "v1:01020304:SEAL"
        any_user = true
        mint = true
        escalate = true
        rate = "600/1m"
        burst = 100
        concurrent = 5
        max_body = "1MiB"
        unrestricted = true
        revoked = true
        secret_hash = "sha256:HASH3"
        include = ["read"]
        "#
    .replace("HASH1", &"11".repeat(32))
    .replace("HASH2", &"22".repeat(32))
    .replace("HASH3", &"33".repeat(32))
    .replace("SEAL", &"44".repeat(64));
    let set = "/rest/é/[^/]+\n!/rest/secret\n".to_owned();
    let files = [("t.toml".to_owned(), tokens), ("read.limits".to_owned(), set)];
    compile(&SourceSet::from_files(files)).program.unwrap()
}

fn bound(program: &Program) -> Program {
    program
        .bind(&BaseUrl::parse("https://jira.example.com/rest").unwrap())
        .unwrap()
}

#[test]
fn what_is_decoded_is_what_was_encoded() {
    let program = program();
    let bytes = encode(&program);
    assert_eq!(bytes, encode(&program), "equal sources give equal bytes");
    let decoded = decode(&bytes).unwrap();
    assert_eq!(bytes, encode(&decoded));
    assert_eq!(
        bytes,
        encode(&bound(&decoded)),
        "a bound program is stored unbound"
    );
    assert_eq!(decoded.digest(), program.digest());
    assert_eq!(bound(&decoded).to_string(), bound(&program).to_string());
    for ((_, one), (_, other)) in program.tokens().zip(decoded.tokens()) {
        assert_eq!(one.attributes, other.attributes);
    }
    insta::assert_snapshot!(bound(&program).to_string());
}

#[test]
fn what_is_no_artifact_is_told_apart() {
    let bytes = encode(&program());
    assert_eq!(decode(b"").unwrap_err(), DecodeError::NotAnArtifact);
    assert_eq!(decode(b"[[token]]").unwrap_err(), DecodeError::NotAnArtifact);
    let with = |at: usize, value: u8| {
        let mut other = bytes.clone();
        other[at] = value;
        decode(&other).unwrap_err()
    };
    assert_eq!(with(8, 9), DecodeError::Format { found: 9 });
    let language = with(10, 9);
    assert_eq!(language, DecodeError::Language { found: 9 });
    assert!(
        language
            .to_string()
            .contains("compile the sources again with this version"),
        "{language}"
    );
    for cut in [10, 12, 40, HEADER, bytes.len() / 2, bytes.len() - 1] {
        assert!(
            matches!(decode(&bytes[..cut]).unwrap_err(), DecodeError::Damaged(_)),
            "cut at {cut}"
        );
    }
    for at in (12..HEADER).chain((HEADER..bytes.len()).step_by(bytes.len() / 200)) {
        let mut flipped = bytes.clone();
        flipped[at] ^= 1;
        assert!(
            matches!(decode(&flipped).unwrap_err(), DecodeError::Damaged(_)),
            "flipped at {at}"
        );
    }
}

/// Holds what the fixture's lines are compiled to. Where this fails after a change of the compiler: raise `LANGUAGE` if any
/// line can decide otherwise than before, `FORMAT` if the same program is written otherwise.
#[test]
fn a_policy_keeps_its_digest_until_format_or_language_change() {
    let name = format!("format {FORMAT}, language {LANGUAGE}");
    insta::assert_snapshot!(format!("{name}: {}", program().digest()), @"format 6, language 2: 2339f6ed33ff0622b16515d03553581bcdf5da5f2b7feb509e28cb3aa659a1e6");
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, failure_persistence: None, ..ProptestConfig::default() })]

    /// Without a digest that does not fit, so that everything after it is reached.
    #[test]
    fn hostile_bytes_end_in_a_program_or_an_error(changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..6)) {
        let mut sections = encode(&program()).split_off(HEADER);
        for (index, byte) in changes {
            let at = index.index(sections.len());
            sections[at] = byte;
        }
        if let Ok(program) = decode_sections(&sections) {
            let _ = program.bind(&BaseUrl::parse("https://jira.example.com").unwrap()).map(|bound| bound.to_string());
        }
    }
}
