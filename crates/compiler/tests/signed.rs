//! Signed artifacts: what was signed, and nothing else. And the digest, which no two programs share that decide differently.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

use std::collections::HashMap;

use ring::signature::{Ed25519KeyPair, KeyPair};
use sha2::{Digest, Sha256};
use tokenward_compiler::{
    BaseUrl,
    artifact::{
        DecodeError, HEADER, ReadError, SignatureError, Signers, decode, encode, encode_signed, read,
    },
    compile,
    decide::{Body, Decision, Request, decide},
    ir::Program,
    method::Method,
    seal::PublicKey,
    source::SourceSet,
};

/// Where the header's fields begin: the format, the language, the digest, the flag, the key's id, the signature.
const FORMAT_AT: usize = 8;
const LANGUAGE_AT: usize = 10;
const DIGEST_AT: usize = 12;
const SIGNED_AT: usize = 44;
const KEY_AT: usize = 45;
const SIGNATURE_AT: usize = 49;

const TOKEN: &str = r#"
[[token]]
name = "one"
user = "svc"
secret_hash = "sha256:HASH"
expires = 2031-01-01T12:00:00+02:00
limit_to = '''
[get]/rest/api/2/issue/AAA
![delete]/rest/x[JsonData::a==(x|y)+z]
'''
"#;

/// A short one, with a seal.
const SEALED: &str = r#"
[[token]]
name = "one"
user = "svc"
secret_hash = "sha256:HASH"
expires = 2031-01-01
seal = "v1:01020304:SEAL"
limit_to = "/rest/a"
"#;

fn policy(text: &str) -> Program {
    let text = text
        .replace("HASH", &"11".repeat(32))
        .replace("SEAL", &"44".repeat(64));
    let set = ("read.limits".to_owned(), "/rest/set\n".to_owned());
    let sources = SourceSet::from_files([("t.toml".to_owned(), text), set]);
    let compilation = compile(&sources);
    assert!(compilation.program.is_some(), "{:?}", compilation.diagnostics);
    compilation.program.unwrap()
}

fn program() -> Program {
    policy(TOKEN)
}

struct Signer(Ed25519KeyPair);

impl Signer {
    fn new(seed: u8) -> Self {
        Self(Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap())
    }

    fn public(&self) -> PublicKey {
        PublicKey::from_bytes(self.0.public_key().as_ref().try_into().unwrap())
    }

    fn sign(&self, program: &Program) -> Vec<u8> {
        encode_signed(program, self.public().id(), |message| {
            self.0.sign(message).as_ref().try_into().unwrap()
        })
    }

    fn accepted(&self) -> Signers {
        Signers::Keys(vec![self.public()])
    }
}

/// As an attacker would: makes the digest, which needs no key, fit the content.
fn refitted(mut bytes: Vec<u8>) -> Vec<u8> {
    if bytes.len() >= HEADER {
        let digest = Sha256::new()
            .chain_update(&bytes[..DIGEST_AT])
            .chain_update(&bytes[HEADER..])
            .finalize();
        bytes[DIGEST_AT..SIGNED_AT].copy_from_slice(&digest);
    }
    bytes
}

#[track_caller]
fn refused(bytes: &[u8], signers: &Signers) -> ReadError {
    read(bytes, signers)
        .map(|read| read.program.to_string())
        .unwrap_err()
}

fn allows(program: &Program, path: &str) -> bool {
    let base = BaseUrl::parse("https://jira.example.com").unwrap();
    let bound = program.bind(&base).unwrap();
    let (token, _) = bound.tokens().next().unwrap();
    let request = Request {
        token,
        method: Method::Get,
        path,
        query: &[],
        body: Body::Absent,
    };
    matches!(decide(&bound, &request), Decision::Allow(_))
}

#[test]
fn what_was_signed_is_read() {
    let signer = Signer::new(1);
    let (plain, signed) = (encode(&program()), signer.sign(&program()));
    let of_signed = read(&signed, &signer.accepted()).unwrap();
    assert_eq!(of_signed.signer, Some(signer.public().id()));
    assert_eq!(of_signed.program.digest(), program().digest());
    assert_eq!(
        signed[HEADER..],
        plain[HEADER..],
        "signing changes the header alone"
    );
    assert_eq!(signed, signer.sign(&program()), "equal sources give equal bytes");
    // While keys are changed there are several.
    let several = Signers::Keys(vec![Signer::new(2).public(), signer.public()]);
    assert!(read(&signed, &several).is_ok());
    assert!(read(&signed, &Signers::Anyone).is_ok());
    assert_eq!(read(&plain, &Signers::Anyone).unwrap().signer, None);
    // A newer policy does not make an older one wrong: which of them counts is not for the artifact to say.
    let older = signer.sign(&policy(&TOKEN.replace("AAA", "OLD")));
    assert!(read(&older, &signer.accepted()).is_ok());
}

#[test]
fn an_artifact_that_nobody_trusted_signed_is_refused() {
    let (signer, other) = (Signer::new(1), Signer::new(2));
    let trusted = signer.accepted();
    let signature = |error| ReadError::Signature(error);
    assert_eq!(
        refused(&encode(&program()), &trusted),
        signature(SignatureError::Missing)
    );
    assert_eq!(
        refused(&other.sign(&program()), &trusted),
        signature(SignatureError::Stranger(other.public().id()))
    );
    assert_eq!(
        refused(&signer.sign(&program()), &Signers::Keys(Vec::new())),
        signature(SignatureError::NoKeys)
    );
    let wrong = signature(SignatureError::Wrong(signer.public().id()));
    // The other key's signature in the trusted one's name: over the header with that name, too.
    let mut renamed = other.sign(&program());
    renamed[KEY_AT..SIGNATURE_AT].copy_from_slice(&signer.public().id());
    assert_eq!(refused(&renamed, &trusted), wrong);
    let forged = encode_signed(&program(), signer.public().id(), |message| {
        other.0.sign(message).as_ref().try_into().unwrap()
    });
    assert_eq!(refused(&forged, &trusted), wrong);
    // The key's signature of the same bytes, as another kind of statement.
    let bare = encode_signed(&program(), signer.public().id(), |message| {
        let (_, header) = message.split_at("tokenward artifact 1\n".len());
        signer.0.sign(header).as_ref().try_into().unwrap()
    });
    assert_eq!(refused(&bare, &trusted), wrong);
    // A signature that was taken off.
    let mut stripped = signer.sign(&program());
    stripped[SIGNED_AT..HEADER].fill(0);
    assert_eq!(refused(&stripped, &trusted), signature(SignatureError::Missing));
    assert!(decode(&stripped).is_ok(), "it is what `encode` writes");
    let mut blank = signer.sign(&program());
    blank[SIGNATURE_AT..HEADER].fill(0);
    assert_eq!(refused(&blank, &trusted), wrong);
}

#[test]
fn parts_of_two_signed_artifacts_make_no_third() {
    let signer = Signer::new(1);
    let trusted = signer.accepted();
    let (one, two) = (
        signer.sign(&program()),
        signer.sign(&policy(&TOKEN.replace("AAA", "BBB"))),
    );
    assert!(read(&one, &trusted).is_ok() && read(&two, &trusted).is_ok());
    assert_eq!(
        one.len(),
        two.len(),
        "so that each part fits in place of the other"
    );
    let parts = [
        FORMAT_AT..DIGEST_AT,
        DIGEST_AT..SIGNED_AT,
        SIGNED_AT..HEADER,
        HEADER..one.len(),
    ]
    .into_iter()
    .chain(sections(&one));
    for part in parts {
        let mut mixed = one.clone();
        mixed[part.clone()].copy_from_slice(&two[part.clone()]);
        if mixed == one {
            continue;
        }
        assert!(read(&mixed, &trusted).is_err(), "{part:?}");
        let refitted = refitted(mixed);
        let is_whole = refitted == one || refitted == two;
        assert!(is_whole || read(&refitted, &trusted).is_err(), "{part:?}");
    }
}

/// A release of another language reads the same header, and signs it alike.
#[test]
fn an_artifact_of_another_language_is_refused_by_name() {
    let signer = Signer::new(1);
    let mut other = signer.sign(&program());
    other[LANGUAGE_AT] = 3;
    let mut other = refitted(other);
    assert_eq!(
        refused(&other, &signer.accepted()),
        ReadError::Signature(SignatureError::Wrong(signer.public().id())),
        "who is not trusted is told nothing of what is in it"
    );
    let message = [b"tokenward artifact 1\n", &other[..SIGNATURE_AT]].concat();
    other[SIGNATURE_AT..HEADER].copy_from_slice(signer.0.sign(&message).as_ref());
    let error = refused(&other, &signer.accepted());
    assert_eq!(error, ReadError::Decode(DecodeError::Language { found: 3 }));
    assert_eq!(
        error.to_string(),
        "the compiled policy uses version 3 of the policy language, but this version of tokenward uses 2; compile the sources again with this version"
    );
}

/// Where each section is: its tag, length and content.
fn sections(bytes: &[u8]) -> Vec<std::ops::Range<usize>> {
    let mut sections = Vec::new();
    let mut at = HEADER;
    while at < bytes.len() {
        let length = u64::from_le_bytes(bytes[at + 4..at + 12].try_into().unwrap());
        let end = at + 12 + usize::try_from(length).unwrap();
        sections.push(at..end);
        at = end;
    }
    sections
}

/// The attack that this is against: another path in the code, the line's text and its seal as they were.
#[test]
fn patched_code_is_refused_and_has_another_digest() {
    let signer = Signer::new(1);
    let honest = signer.sign(&program());
    let mut patched = honest.clone();
    let [_, urls] = [1, 2].map(|at| sections(&honest)[at].clone());
    let at = urls.start + find(&honest[urls], b"issue/AAA");
    patched[at..at + 9].copy_from_slice(b"issue/BBB");
    assert!(matches!(
        refused(&patched, &Signers::Anyone),
        ReadError::Decode(DecodeError::Damaged(_))
    ));
    let refitted = refitted(patched);
    let program = read(&refitted, &Signers::Anyone).unwrap().program;
    assert!(allows(&program, "/rest/api/2/issue/BBB") && !allows(&program, "/rest/api/2/issue/AAA"));
    assert_ne!(program.digest(), self::program().digest());
    assert_eq!(
        refused(&refitted, &signer.accepted()),
        ReadError::Signature(SignatureError::Wrong(signer.public().id()))
    );
}

fn find(bytes: &[u8], part: &[u8]) -> usize {
    bytes
        .windows(part.len())
        .position(|window| window == part)
        .unwrap()
}

#[test]
fn every_changed_bit_of_a_signed_artifact_is_refused() {
    let signer = Signer::new(1);
    let small = signer.sign(&policy(SEALED));
    assert!(read(&small, &signer.accepted()).is_ok());
    for at in 0..small.len() {
        for bit in 0..8 {
            is_refused(&signer, &small, (at, bit));
        }
    }
    // One with an automaton's tables is ten times as long: a bit of each byte.
    let large = signer.sign(&program());
    assert!(read(&large, &signer.accepted()).is_ok());
    for at in 0..large.len() {
        is_refused(&signer, &large, (at, at % 8));
    }
}

/// With a bit changed the signed bytes are refused, as they are and with a digest that fits again.
#[track_caller]
fn is_refused(signer: &Signer, signed: &[u8], (at, bit): (usize, usize)) {
    let trusted = signer.accepted();
    let wrong = ReadError::Signature(SignatureError::Wrong(signer.public().id()));
    let mut changed = signed.to_vec();
    changed[at] ^= 1 << bit;
    let error = refused(&changed, &trusted);
    let expected = match at {
        0..FORMAT_AT => error == ReadError::Decode(DecodeError::NotAnArtifact),
        FORMAT_AT..LANGUAGE_AT => matches!(error, ReadError::Decode(DecodeError::Format { .. })),
        // The signature is checked first, so no other reason is given for bytes that nobody vouches for.
        LANGUAGE_AT..SIGNED_AT | SIGNATURE_AT..HEADER => error == wrong,
        SIGNED_AT => matches!(error, ReadError::Decode(DecodeError::Damaged(_))),
        KEY_AT..SIGNATURE_AT => matches!(error, ReadError::Signature(SignatureError::Stranger(_))),
        _ => matches!(error, ReadError::Decode(DecodeError::Damaged(_))),
    };
    assert!(expected, "bit {bit} of byte {at}: {error}");
    if !(DIGEST_AT..HEADER).contains(&at) {
        let error = refused(&refitted(changed), &trusted);
        assert!(
            at < LANGUAGE_AT || error == wrong,
            "bit {bit} of byte {at}, with its digest: {error}"
        );
    }
}

#[test]
fn shorter_and_longer_artifacts_are_refused() {
    let signer = Signer::new(1);
    let trusted = signer.accepted();
    let signed = signer.sign(&policy(SEALED));
    for length in 0..signed.len() {
        let cut = signed[..length].to_vec();
        assert!(read(&cut, &trusted).is_err(), "cut at {length}");
        assert!(
            read(&refitted(cut), &trusted).is_err(),
            "cut at {length}, with its digest"
        );
        let rest = signed[length..].to_vec();
        assert!(length == 0 || read(&rest, &trusted).is_err(), "from {length} on");
    }
    for more in [vec![0], vec![0; 64], vec![0xff; 12], signed.clone()] {
        let longer = [signed.clone(), more].concat();
        assert!(read(&longer, &trusted).is_err());
        let refitted = refitted(longer);
        assert!(read(&refitted, &trusted).is_err());
        assert!(
            read(&refitted, &Signers::Anyone).is_err(),
            "no content is longer than its sections"
        );
    }
}

/// Each of these changes what some request gets, or what the audit says of it.
#[test]
fn programs_that_decide_differently_have_different_digests() {
    let changes: &[(&str, &str)] = &[
        ("", ""),
        ("\"one\"", "\"two\""),
        ("user = \"svc\"", "user = \"svd\""),
        ("user = \"svc\"", "users = [\"svc\", \"x\"]"),
        ("user = \"svc\"", "users = [\"x\", \"svc\"]"),
        ("user = \"svc\"", "any_user = true"),
        ("HASH", "HASH'"),
        ("2031", "2032"),
        ("expires = 2031-01-01T12:00:00+02:00\n", ""),
        ("expires", "revoked = true\nexpires"),
        ("expires", "mint = true\nexpires"),
        ("expires", "escalate = true\nexpires"),
        (
            "limit_to = '''\n[get]/rest/api/2/issue/AAA\n",
            "unrestricted = true\nlimit_to = '''\n",
        ),
        ("expires", "owner = \"o\"\nexpires"),
        ("expires", "description = \"o\"\nexpires"),
        ("expires", "lint_allow = [\"TW0101\"]\nexpires"),
        ("expires", "allowed_ips = [\"::1\"]\nexpires"),
        ("expires", "on_behalf_of = [\"x\"]\nexpires"),
        ("expires", "secret_sealed = \"v1:01020304:00\"\nexpires"),
        ("expires", "seal = \"v1:01020304:SEAL\"\nexpires"),
        ("expires", "include = [\"read\"]\nexpires"),
        (
            "expires",
            "previous_secret_hash = \"sha256:HASH2\"\nprevious_until = 2030-01-01\nexpires",
        ),
        (
            "expires",
            "previous_secret_hash = \"sha256:HASH2\"\nprevious_until = 2030-01-02\nexpires",
        ),
        ("[get]", "[post]"),
        ("[get]", "[get,post]"),
        ("[get]", "![get]"),
        ("![delete]", "[delete]"),
        ("AAA", "AAB"),
        ("AAA", "(AAA|a+b+)"),
        ("/rest/api", ".*/rest/api"),
        ("AAA", "AAA[QueryParam::n==x]"),
        ("AAA", "AAA[QueryParam::n?=x]"),
        ("AAA", "AAA[QueryParam::n!=x]"),
        ("AAA", "AAA[QueryParam::m==x]"),
        ("AAA", "AAA[QueryParam::only]"),
        ("AAA", "AAA[JsonData::only]"),
        ("::a==", "::b=="),
        ("::a==", "::a.b=="),
        ("::a==", "::a[*]=="),
        ("::a==", "::a:string=="),
        ("::a==", "::a!="),
        ("(x|y)+z", "(x|y)+y"),
    ];
    let mut seen: HashMap<String, (&str, &str)> = HashMap::new();
    for (from, to) in changes {
        let text = TOKEN
            .replacen(from, to, 1)
            .replace("HASH'", &"22".repeat(32))
            .replace("HASH2", &"33".repeat(32));
        assert!(from == to || text != TOKEN, "{from}");
        let program = policy(&text);
        assert_eq!(decode(&encode(&program)).unwrap().digest(), program.digest());
        let before = seen.insert(program.digest().to_owned(), (from, to));
        assert_eq!(before, None, "{from} to {to}");
    }
    // What only speaks of the policy makes no other version of it.
    let commented = policy(&format!("{TOKEN}# The end.\n"));
    assert_eq!(commented.digest(), program().digest());
}
