use ring::signature::{Ed25519KeyPair, KeyPair};

use super::*;
use crate::{
    compile_for, resolve_policy,
    seal::{PublicKey, Seal, Version, lines, statement},
};

/// A file with one token, sealed as it is, and the key that admits the seal.
fn sealed() -> (String, Mode) {
    let text = format!(
        "[[token]]\nname = \"a\"\nuser = \"u\"\nsecret_hash = \"sha256:{}\"\nexpires = 2030-01-01\n\
         limit_to = \"/rest/a\"\n",
        "11".repeat(32)
    );
    let sources = SourceSet::from_files([("a.toml".to_owned(), text.clone())]);
    let policy = resolve_policy(&sources);
    let token = policy.tokens.first().unwrap();
    let signed = statement(Version::CURRENT, &token.attributes, lines(token, &sources));
    let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let public = PublicKey::from_bytes(key.public_key().as_ref().try_into().unwrap());
    let seal = Seal {
        version: Version::CURRENT,
        key: public.id(),
        signature: key.sign(&signed.unwrap()).as_ref().try_into().unwrap(),
    };
    (format!("{text}seal = \"{seal}\"\n"), Mode::Secure(vec![public]))
}

fn findings(text: &str, mode: &Mode) -> (bool, Vec<Code>) {
    let sources = SourceSet::from_files([("a.toml".to_owned(), text.to_owned())]);
    let compilation = compile_for(&sources, mode);
    let codes = compilation.diagnostics.iter().map(|found| found.code);
    (compilation.program.is_some(), codes.collect())
}

#[test]
fn a_sealed_token_may_have_no_key_that_this_release_does_not_know() {
    let (text, mode) = sealed();
    assert_eq!(findings(&text, &mode), (true, Vec::new()));
    for later in ["hours = \"9-17\"", "Rate = \"600/1m\"", "Mint = true"] {
        let added = format!("{text}{later}\n");
        assert_eq!(
            findings(&added, &mode),
            (false, vec![Code::UnknownKey]),
            "{later}"
        );
    }
    for known in [
        "mint = true",
        "escalate = true",
        "rate = \"600/1m\"",
        "concurrent = 4",
        "max_body = \"1MiB\"",
        "owner = \"o\"",
        "allowed_ips = [\"::1\"]",
        "lint_allow = [\"TW0102\"]",
    ] {
        let added = format!("{text}{known}\n");
        assert_eq!(findings(&added, &mode), (false, vec![Code::Seal]), "{known}");
    }
}
