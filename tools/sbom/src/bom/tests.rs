use std::collections::BTreeSet;
use std::path::Path;

use serde_json::Value;

use super::*;
use crate::cargo::host;

fn named(name: &str, version: &str) -> Crate {
    Crate {
        name: name.to_owned(),
        version: version.to_owned(),
    }
}

fn sample() -> Build {
    let metadata = r#"{
        "packages": [
            {"id": "r", "name": "tokenward-runtime", "version": "0.1.0", "license": "Apache-2.0", "description": "The\n proxy", "repository": null},
            {"id": "a", "name": "a", "version": "1.0.0+zstd.1", "license": "MIT/Apache-2.0", "description": null, "repository": "https://a.example"},
            {"id": "m", "name": "m", "version": "2.0.0", "license": "MIT", "description": null, "repository": null},
            {"id": "t", "name": "only-tests", "version": "3.0.0", "license": "MIT", "description": null, "repository": null}
        ],
        "resolve": {"nodes": [
            {"id": "r", "dependencies": ["a", "m", "t"]}, {"id": "a", "dependencies": []},
            {"id": "m", "dependencies": ["a"]}, {"id": "t", "dependencies": []}
        ]}
    }"#;
    let lock = "[[package]]\nname = 'a'\nversion = '1.0.0+zstd.1'\nchecksum = 'aa'\n[[package]]\nname = 'm'\nversion = '2.0.0'\nchecksum = 'bb'\n";
    let linked = BTreeSet::from([named(ROOT, "0.1.0"), named("a", "1.0.0+zstd.1")]);
    let mut all = linked.clone();
    all.insert(named("m", "2.0.0"));
    Build::of(metadata, lock, &linked, &all).unwrap()
}

fn json(build: &Build) -> Value {
    serde_json::from_str(&Bom::of(build, None).unwrap().to_json().unwrap()).unwrap()
}

#[test]
fn each_crate_has_its_hash_licence_and_scope() {
    let bom = json(&sample());
    assert_eq!(bom["metadata"]["component"]["name"], "tokenward");
    assert_eq!(bom["metadata"]["component"]["description"], "The proxy");
    let components = bom["components"].as_array().unwrap();
    assert_eq!(components.len(), 2, "what only tests use is left out");
    let (a, m) = (&components[0], &components[1]);
    assert_eq!(a["purl"], "pkg:cargo/a@1.0.0%2Bzstd.1");
    assert_eq!(a["licenses"][0]["expression"], "MIT OR Apache-2.0");
    assert_eq!(a["hashes"][0]["content"], "aa");
    assert_eq!(
        (&a["scope"], &m["scope"]),
        (&"required".into(), &"excluded".into())
    );
    let root = &bom["dependencies"].as_array().unwrap()[2];
    assert_eq!(root["ref"], "tokenward-runtime@0.1.0");
    assert_eq!(root["dependsOn"].as_array().unwrap().len(), 2);
}

#[test]
fn the_number_follows_the_contents() {
    let build = sample();
    let without = Bom::of(&build, None).unwrap();
    let time = Time::from_epoch("0").unwrap();
    let with = Bom::of(&build, Some(&time)).unwrap();
    assert_eq!(
        without.serial_number,
        Bom::of(&build, None).unwrap().serial_number
    );
    assert_ne!(without.serial_number, with.serial_number);
    assert!(
        with.to_json()
            .unwrap()
            .contains("\"timestamp\": \"1970-01-01T00:00:00Z\"")
    );
    assert!(Time::from_epoch("yesterday").is_err());
}

/// The bill of this workspace: the same twice, and complete.
#[test]
fn this_build_is_listed_twice_the_same() {
    let top = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    std::env::set_current_dir(top).unwrap();
    let target = host().unwrap();
    let build = Build::read(&target).unwrap();
    let text = Bom::of(&build, None).unwrap().to_json().unwrap();
    let again = Build::read(&target).unwrap();
    assert_eq!(text, Bom::of(&again, None).unwrap().to_json().unwrap());
    for name in ["tokenward-compiler", "tokenward-audit", "rustls", "sled"] {
        let found = build.packages.iter().find(|(named, _)| named.name == name);
        assert!(found.is_some_and(|(_, package)| package.is_linked), "{name}");
    }
    for (named, package) in &build.packages {
        assert!(package.license.is_some(), "{named:?}");
        assert_eq!(
            package.checksum.is_none(),
            named.name.starts_with("tokenward-"),
            "{named:?}"
        );
    }
    assert!(
        build.packages.keys().all(|named| named.name != "proptest"),
        "only tests use it"
    );
}
