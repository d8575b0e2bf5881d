use ring::signature::{Ed25519KeyPair, KeyPair};

use super::*;
use crate::{
    call_limits::CallLimits,
    seal::{Fault, PublicKey, Seal, fault},
    tokens::TOKEN_KEYS,
};

const LINES: [&str; 2] = ["!/rest/b", "/rest/a"];

/// A token that has every attribute.
fn full() -> Attributes {
    Attributes {
        name: "a".to_owned(),
        users: Users::Named(vec!["u".to_owned(), "v".to_owned()]),
        secret_hash: [1; 32],
        previous: Some(([2; 32], 3)),
        expires: Some(5),
        allowed_ips: vec!["10.0.0.0/8".parse().unwrap()],
        on_behalf_of: vec!["x".to_owned()],
        revoked: false,
        owner: Some("o".to_owned()),
        description: Some("d".to_owned()),
        mint: true,
        escalate: true,
        limits: CallLimits {
            rate: Some("600/60s".parse().unwrap()),
            burst: CallLimits::count(100),
            concurrent: CallLimits::count(5),
            max_body: Some(1 << 20),
        },
        unrestricted: true,
        lint_allow: vec!["TW0101".parse().unwrap()],
        secret_sealed: false,
        seal: None,
    }
}

fn signer() -> (Ed25519KeyPair, PublicKey) {
    let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
    let public = PublicKey::from_bytes(key.public_key().as_ref().try_into().unwrap());
    (key, public)
}

fn sealed(version: &'static Version, statement: &[u8]) -> Attributes {
    let (key, public) = signer();
    let signature = key.sign(statement).as_ref().try_into().unwrap();
    let seal = Seal {
        version,
        key: public.id(),
        signature,
    };
    Attributes {
        seal: Some(seal),
        ..full()
    }
}

#[test]
fn the_first_version_stays_what_it_was() {
    let text = format!(
        "tokenward token seal 1\nname 1:a\nuser 1:u\nuser 1:v\nsecret_hash 64:{}\nprevious_secret_hash 64:{}\n\
         previous_until 1:3\nexpires 1:5\nallowed_ips 10:10.0.0.0/8\non_behalf_of 1:x\nmint 4:true\n\
         unrestricted 4:true\nowner 1:o\ndescription 1:d\nlint_allow 6:TW0101\nlimit 8:!/rest/b\nlimit 7:/rest/a\n",
        "01".repeat(32),
        "02".repeat(32),
    );
    let without = Attributes {
        escalate: false,
        limits: CallLimits::NONE,
        ..full()
    };
    let signed = statement(&Version::V1, &without, LINES).unwrap();
    assert_eq!(String::from_utf8(signed).unwrap(), text);
    let any = Attributes {
        users: Users::Any,
        ..without
    };
    let signed = String::from_utf8(statement(&Version::V1, &any, LINES).unwrap()).unwrap();
    assert_eq!(signed, text.replace("user 1:u\nuser 1:v\n", "any_user 4:true\n"));
}

#[test]
fn the_second_version_signs_escalate_and_limits_too() {
    let without = Attributes {
        escalate: false,
        limits: CallLimits::NONE,
        ..full()
    };
    let of = |version, token| String::from_utf8(statement(version, token, LINES).unwrap()).unwrap();
    let first = of(&Version::V1, &without).replace("seal 1", "seal 2");
    assert_eq!(of(&Version::V2, &without), first);
    let added = "escalate 4:true\nrate 6:600/1m\nburst 3:100\nconcurrent 1:5\nmax_body 7:1048576\n";
    let with = first.replace("mint 4:true\n", &format!("mint 4:true\n{added}"));
    assert_eq!(of(&Version::V2, &full()), with);
    // A token sealed before there was the key does not get it without a new seal.
    let refused = statement(&Version::V1, &full(), LINES).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "a seal of version v1 does not sign `escalate`"
    );
}

#[test]
fn new_seals_sign_every_key_that_a_token_may_have() {
    for key in TOKEN_KEYS {
        let signed_as = match *key {
            "users" => "user",
            "include" | "limit_to" => "limit",
            key => key,
        };
        let is_signed = Version::CURRENT.keys().contains(&signed_as);
        assert_ne!(
            is_signed,
            UNSIGNED.contains(key),
            "`{key}` is signed, or says why not"
        );
    }
    // Nothing is listed as signed that no token can have.
    let any = Attributes {
        users: Users::Any,
        ..full()
    };
    let full = full();
    let put: Vec<&str> = entries(&full)
        .into_iter()
        .chain(entries(&any))
        .map(|(key, _)| key)
        .chain(["limit"])
        .collect();
    for key in Version::CURRENT.keys() {
        assert!(put.contains(key), "`{key}` is in no statement");
    }
}

#[test]
fn each_attribute_but_the_unsigned_ones_changes_the_statement() {
    type Change = fn(&mut Attributes);
    let of = |token: &Attributes| statement(Version::CURRENT, token, LINES).unwrap();
    let signed: [Change; 20] = [
        |it| it.name.push('b'),
        |it| it.users = Users::Any,
        |it| it.users = Users::Named(vec!["v".to_owned(), "u".to_owned()]),
        |it| it.secret_hash = [9; 32],
        |it| it.previous = Some(([9; 32], 3)),
        |it| it.previous = Some(([2; 32], 9)),
        |it| it.expires = None,
        |it| it.allowed_ips.clear(),
        |it| it.on_behalf_of.clear(),
        |it| it.mint = false,
        |it| it.escalate = false,
        |it| it.limits.rate = None,
        |it| it.limits.rate = Some("600/1h".parse().unwrap()),
        |it| it.limits.burst = CallLimits::count(101),
        |it| it.limits.concurrent = None,
        |it| it.limits.max_body = Some(1),
        |it| it.unrestricted = false,
        |it| it.owner = None,
        |it| it.description = Some("e".to_owned()),
        |it| it.lint_allow.clear(),
    ];
    for (number, change) in signed.iter().enumerate() {
        let mut changed = full();
        change(&mut changed);
        assert_ne!(of(&changed), of(&full()), "change {number}");
    }
    let unsigned: [Change; 3] = [
        |it| it.revoked = true,
        |it| it.secret_sealed = true,
        |it| it.seal = sealed(Version::CURRENT, b"").seal,
    ];
    assert_eq!(unsigned.len(), UNSIGNED.len());
    for change in unsigned {
        let mut changed = full();
        change(&mut changed);
        assert_eq!(of(&changed), of(&full()));
    }
}

/// As a later release meets a seal of this one: the token got a key that was not known when it was sealed.
#[test]
fn a_key_that_the_version_does_not_sign_makes_the_seal_wrong() {
    static WITHOUT_MINT: Version = Version {
        number: 1,
        keys: &[
            "name",
            "user",
            "secret_hash",
            "previous_secret_hash",
            "previous_until",
            "expires",
            "allowed_ips",
            "on_behalf_of",
            "escalate",
            "rate",
            "burst",
            "concurrent",
            "max_body",
            "unrestricted",
            "owner",
            "description",
            "lint_allow",
            "limit",
        ],
    };
    let (_, public) = signer();
    // All that this version could sign.
    let before = Attributes {
        mint: false,
        ..full()
    };
    let mut token = sealed(&WITHOUT_MINT, &statement(&WITHOUT_MINT, &before, LINES).unwrap());
    token.mint = false;
    assert_eq!(fault(&token, LINES, &[public]), None);
    token.mint = true;
    assert_eq!(
        statement(&WITHOUT_MINT, &token, LINES).unwrap_err().to_string(),
        "a seal of version v1 does not sign `mint`"
    );
    assert_eq!(fault(&token, LINES, &[public]), Some(Fault::Wrong));
}

#[test]
fn each_key_of_the_table_is_needed() {
    let full = full();
    for missing in Version::CURRENT.keys().iter().filter(|key| **key != "any_user") {
        let rest: Vec<&'static str> = Version::CURRENT
            .keys()
            .iter()
            .copied()
            .filter(|key| key != missing)
            .collect();
        let version: &'static Version = Box::leak(Box::new(Version {
            number: 1,
            keys: Vec::leak(rest),
        }));
        let refused = statement(version, &full, LINES).unwrap_err();
        assert_eq!(refused.key, *missing);
    }
}
