//! The recipes of docs/identity.md, before an upstream that behaves as the product does.

#![expect(clippy::unwrap_used, reason = "a failed expectation is a test's way to fail")]

use std::path::{Path, PathBuf};

use tokenward_runtime::config_file;
use tokenward_tests::{Answer, Call, Client, Proxy, Setup, TestToken, Upstream};

const ISSUE: &str = "/rest/api/2/issue/DEMO-1";

fn send(port: u16, call: &Call) -> Answer {
    Client::connect(port).send(call)
}

/// The text of a credentials file beside the configuration, and the section that names it.
fn per_user(directory: &Path, users: &str) -> String {
    let file = directory.join("upstream-credentials.toml");
    std::fs::write(&file, users).unwrap();
    std::fs::set_permissions(&file, std::os::unix::fs::PermissionsExt::from_mode(0o600)).unwrap();
    format!(
        "[upstream.identity]\nmode = \"per-user\"\ncredentials = '{}'\n",
        file.display()
    )
}

/// Old scripts send Basic, the product takes only its own tokens. The scripts change their password, and nothing else.
#[test]
fn basic_scripts_work_before_a_product_that_takes_only_its_own_tokens() {
    let upstream = Upstream::accepting("Bearer pat-of-svc");
    let token = TestToken::new("old-script", &[r"[get,put]/rest/api/2/issue/DEMO-\d+"]);
    let other = TestToken::new("no-credentials", &["[get]/rest/.*"]).of_user("carol");
    // The script of before, straight to the product.
    let old = Call::get(ISSUE).basic(&token);
    assert_eq!(send(upstream.port(), &old).status, 401);

    let beside = tempfile::tempdir().unwrap();
    let section = per_user(beside.path(), "svc = { token = \"pat-of-svc\" }\n");
    let setup = Setup::new(upstream.port())
        .token(&token)
        .token(&other)
        .section(&section);
    let proxy = Proxy::start(&setup);
    let before = upstream.count();
    assert_eq!(send(proxy.port(), &old).status, 200);
    let put = Call::new("PUT", ISSUE)
        .header("Content-Type", "application/json")
        .body(b"{\"fields\":{}}")
        .basic(&token);
    assert_eq!(send(proxy.port(), &put).status, 200);
    let seen = upstream.seen().split_off(before);
    assert_eq!(seen.len(), 2);
    for request in &seen {
        assert_eq!(request.values("authorization"), ["Bearer pat-of-svc"]);
        assert!(!format!("{request:?}").contains(token.secret()));
    }

    // What a line does not allow, and a user without credentials there, do not reach the product.
    assert_eq!(
        send(proxy.port(), &Call::new("DELETE", ISSUE).basic(&token)).status,
        403
    );
    let refused = send(proxy.port(), &Call::get(ISSUE).basic(&other));
    assert_eq!(refused.status, 403, "{}", refused.text());
    // The product's own token is not a token of the proxy.
    let direct = Call::get(ISSUE).header("Authorization", "Bearer pat-of-svc");
    assert_eq!(send(proxy.port(), &direct).status, 401);
    assert_eq!(upstream.count(), before + 2);
}

/// Each page's command that shows whether a client can name another user: the client's header is dropped or refused.
#[test]
fn a_client_cannot_forge_its_identity() {
    for (product, target, forged, refused) in [
        ("jira", ISSUE, ("X-Forwarded-User", "admin"), false),
        (
            "jira",
            "/rest/api/2/issue/DEMO-1?os_username=admin",
            ("Accept", "*/*"),
            true,
        ),
        (
            "confluence",
            "/rest/api/content/42",
            ("X-Forwarded-User", "admin"),
            false,
        ),
        ("gitlab", "/api/v4/projects/42", ("Sudo", "root"), true),
        ("gitlab", "/api/v4/projects/42", ("PRIVATE-TOKEN", "pat"), true),
        (
            "redmine",
            "/issues/1.json",
            ("X-Redmine-Switch-User", "admin"),
            true,
        ),
        ("generic", "/api/items/1", ("X-Forwarded-User", "admin"), false),
    ] {
        let upstream = Upstream::start();
        let token = TestToken::new("reader", &["[get]/.*"]);
        let setup = Setup::new(upstream.port())
            .product(product)
            .endpoints("/*")
            .token(&token)
            .section("[upstream.identity]\nmode = \"trusted-header\"\nheader = \"X-Forwarded-User\"\n");
        let proxy = Proxy::start(&setup);
        let answer = send(
            proxy.port(),
            &Call::get(target).header(forged.0, forged.1).basic(&token),
        );
        let named: Vec<String> = upstream
            .seen()
            .iter()
            .map(|request| request.values("x-forwarded-user").join(","))
            .collect();
        let expected = if refused {
            (400, String::new())
        } else {
            (200, "svc".to_owned())
        };
        assert_eq!(
            (answer.status, named.concat()),
            expected,
            "{product} {forged:?}: {}",
            answer.text()
        );
    }
}

/// Every block of TOML in the documentation is a configuration without errors, credentials, or a policy file.
#[test]
fn blocks_of_toml_in_the_documentation_are_read() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
    let mut pages: Vec<PathBuf> = std::fs::read_dir(root.join("docs"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|ending| ending == "md"))
        .collect();
    pages.push(root.join("README.md"));
    let mut configurations = 0;
    for page in pages {
        let text = std::fs::read_to_string(&page).unwrap();
        for block in text.split("```toml\n").skip(1) {
            let block = block.split("```").next().unwrap();
            let shown = format!("{}:\n{block}", page.display());
            let table: toml::Table = block.parse().unwrap_or_else(|error| panic!("{shown}{error}"));
            let is_credentials = |value: &toml::Value| {
                let table = value.as_table();
                table.is_some_and(|table| {
                    table.len() == 1 && (table.contains_key("basic") || table.contains_key("token"))
                })
            };
            let is_policy = [
                "token", "never", "only", "always", "reviewed", "accepted", "test", "language",
            ]
            .iter()
            .any(|name| table.get(*name).is_some_and(toml::Value::is_array));
            if is_policy || table.values().all(is_credentials) {
                continue;
            }
            configurations += 1;
            let read = config_file::parse(block, &page);
            assert!(
                read.is_ok(),
                "{shown}{}",
                read.err().map(|error| error.to_string()).unwrap_or_default()
            );
        }
    }
    assert!(configurations >= 6, "{configurations}");
}
