//! Signed compiled policies as builds and operators meet them.

use std::fs;
use std::os::unix::fs::PermissionsExt;

use tempfile::TempDir;

use crate::policy::token;
use crate::tokenward::run;

/// A policy of one token, an artifact key, and a configuration that names both halves.
fn configured() -> (TempDir, String) {
    let directory = TempDir::new().unwrap();
    let path = directory.path();
    fs::create_dir(path.join("policies")).unwrap();
    fs::write(path.join("policies/ci.toml"), token("a", "ab", "", "/rest/aaa")).unwrap();
    let made = run(path, &["keys", "new", "artifact"]);
    assert_eq!(made.code, 0, "{}", made.err);
    fs::write(path.join("tokenward.toml"), &made.out).unwrap();
    (directory, made.out)
}

#[test]
fn what_a_build_signs_is_what_the_configuration_accepts() {
    let (directory, keys) = configured();
    let path = directory.path();
    assert!(
        keys.starts_with(
            "[keys]\nartifact_key = \".tokenward/artifact.key\"\nartifact_public_keys = [\"ed25519:"
        ),
        "{keys}"
    );
    let file = path.join(".tokenward/artifact.key");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let shown = run(path, &["keys", "show", ".tokenward/artifact.key"]);
    assert!(shown.out.starts_with("artifact key "), "{}", shown.out);
    let id = shown
        .out
        .split(' ')
        .nth(2)
        .unwrap()
        .trim_end_matches(',')
        .to_owned();

    let compiled = run(path, &["compile", "-o", "policy.twp"]);
    assert_eq!(compiled.code, 0, "{}", compiled.err);
    assert!(
        compiled
            .out
            .ends_with(&format!("; written to policy.twp, signed with the key {id}\n")),
        "{}",
        compiled.out
    );
    let inspected = run(path, &["inspect", "policy.twp"]);
    assert_eq!(inspected.code, 0, "{}", inspected.err);
    assert!(
        inspected.out.contains(&format!(
            "format 6, language 2, signed with the key {id}, which is in [keys] artifact_public_keys\n"
        )),
        "{}",
        inspected.out
    );
    for arguments in [
        &["diff", "policy.twp", "policies"][..],
        &["compile", "--check", "--no-new-access", "policy.twp"],
    ] {
        let arguments = &[arguments, &["--old-config", "tokenward.toml"]].concat();
        let ended = run(path, arguments);
        assert_eq!(ended.code, 0, "{arguments:?}: {}", ended.err);
    }

    // Where no key is configured the signature says nothing, and stands in nobody's way.
    fs::write(path.join("none.toml"), "").unwrap();
    let unchecked = run(path, &["inspect", "--config", "none.toml", "policy.twp"]);
    assert_eq!(unchecked.code, 0, "{}", unchecked.err);
    assert!(unchecked.out.contains("not checked"), "{}", unchecked.out);
}

#[test]
fn no_command_takes_an_artifact_that_the_configured_keys_did_not_sign() {
    let (directory, _) = configured();
    let path = directory.path();
    fs::write(path.join("none.toml"), "").unwrap();
    let unsigned = run(path, &["compile", "--config", "none.toml", "-o", "unsigned.twp"]);
    assert!(
        unsigned.out.ends_with("; written to unsigned.twp, not signed\n"),
        "{}",
        unsigned.out
    );
    let _ = run(path, &["keys", "new", "artifact", "other.key"]);
    let other = [
        "compile",
        "--config",
        "none.toml",
        "--sign",
        "other.key",
        "-o",
        "other.twp",
    ];
    assert_eq!(run(path, &other).code, 0);
    for (file, why) in [
        ("unsigned.twp", "it is not signed; compile it again"),
        ("other.twp", "which is not in [keys] artifact_public_keys"),
    ] {
        for arguments in [
            &["diff", file, "policies", "--old-config", "tokenward.toml"][..],
            &["diff", "policies", file, "--old-config", "tokenward.toml"],
            &[
                "compile",
                "--check",
                "--no-new-access",
                file,
                "--old-config",
                "tokenward.toml",
            ],
            &["inspect", file],
        ] {
            let ended = run(path, arguments);
            assert_eq!(ended.code, 1, "{arguments:?}: {}", ended.err);
            assert!(ended.err.contains(why), "{arguments:?}: {}", ended.err);
        }
        // Whoever looks at it sees it all the same.
        let inspected = run(path, &["inspect", file]);
        assert!(inspected.out.contains("/rest/aaa"), "{}", inspected.out);
        let config = fs::read_to_string(path.join("tokenward.toml")).unwrap();
        fs::write(
            path.join("serve.toml"),
            format!("policies = \"{file}\"\n{config}"),
        )
        .unwrap();
        for arguments in [
            &["serve", "--config", "serve.toml"][..],
            &["token", "list", "--config", "serve.toml"],
        ] {
            let ended = run(path, arguments);
            assert_eq!(ended.code, 1, "{arguments:?}: {}", ended.err);
            assert!(ended.err.contains(why), "{arguments:?}: {}", ended.err);
        }
    }
}

#[test]
fn what_a_proxy_would_refuse_is_not_written() {
    let (directory, keys) = configured();
    let path = directory.path();
    let refused = |arguments: &[&str], why: &str| {
        let ended = run(path, arguments);
        assert_eq!(ended.code, 2, "{arguments:?}: {}", ended.err);
        assert!(ended.err.contains(why), "{}", ended.err);
        assert!(!path.join("policy.twp").exists());
    };
    let _ = run(path, &["keys", "new", "artifact", "other.key"]);
    refused(
        &["compile", "-o", "policy.twp", "--sign", "other.key"],
        "[keys] artifact_public_keys does not list the public key of `other.key`",
    );
    let _ = run(path, &["keys", "new", "signing", "people.key"]);
    refused(
        &["compile", "-o", "policy.twp", "--sign", "people.key"],
        "`people.key` is not an artifact key",
    );
    let key = path.join("other.key");
    fs::set_permissions(&key, fs::Permissions::from_mode(0o644)).unwrap();
    refused(
        &["compile", "-o", "policy.twp", "--sign", "other.key"],
        "(mode 644)",
    );
    let public = keys.lines().filter(|line| !line.starts_with("artifact_key"));
    let public: Vec<&str> = public.collect();
    fs::write(path.join("tokenward.toml"), public.join("\n")).unwrap();
    refused(
        &["compile", "-o", "policy.twp"],
        "refuses a compiled policy that is not signed",
    );
    refused(&["compile", "--sign", "other.key"], "--output");
}
