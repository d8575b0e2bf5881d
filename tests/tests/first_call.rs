//! From nothing to an enforced call: `tokenward init`, and then what the written README says, for each product.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a failed expectation is a test's way to fail"
)]

use std::fs;
use std::net::{Ipv4Addr, TcpStream};
use std::path::Path;
use std::time::Instant;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use tokenward_tests::{Call, Client, Invocation, Upstream, binary, eventually, free_ports};

/// Each product, with the credentials of `svc-ci` that its README asks for, and what the product must then get.
fn products() -> [(&'static str, &'static str, String); 5] {
    let bearer = || "Bearer pat-of-svc-ci".to_owned();
    let token = r#"svc-ci = { token = "pat-of-svc-ci" }"#;
    let key = r#"svc-ci = { basic = "key-of-svc-ci:x" }"#;
    [
        ("jira", token, bearer()),
        ("confluence", token, bearer()),
        ("gitlab", token, bearer()),
        (
            "redmine",
            key,
            format!("Basic {}", STANDARD.encode("key-of-svc-ci:x")),
        ),
        ("generic", token, bearer()),
    ]
}

/// The blocks of code in a language of a page, without their indentation.
fn blocks(page: &str, language: &str) -> Vec<String> {
    let mut blocks = Vec::new();
    let mut lines = page.lines().map(str::trim);
    while lines.any(|line| line == format!("```{language}")) {
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        blocks.push(block.join("\n"));
    }
    blocks
}

/// Runs a block of the README in a shell that finds `tokenward`, and returns the value of `$TOKEN` after it.
fn shell(directory: &Path, block: &str) -> String {
    let path = format!(
        "{}:{}",
        binary().parent().unwrap().display(),
        std::env::var("PATH").unwrap()
    );
    let script = format!("set -eu\nTOKEN=\n{block}\nprintf 'TOKEN=%s' \"$TOKEN\"\n");
    let ran = Invocation::new("sh", directory)
        .arguments(&["-c", script.as_str()])
        .environment(&[("PATH", path.as_str())])
        .run();
    let out = ran.ok();
    out.rsplit_once("TOKEN=").unwrap().1.to_owned()
}

/// Makes the call of a `curl` line of the README; gives the status of the answer.
fn curl(line: &str, base: &str, port: u16, token: &str) -> u16 {
    let words: Vec<&str> = line.split(' ').collect();
    let target = words.last().unwrap().strip_prefix(base).unwrap();
    let method = words
        .iter()
        .position(|word| *word == "-X")
        .map_or("GET", |at| words[at + 1]);
    assert!(line.contains("-u \"svc-ci:$TOKEN\""), "{line}");
    let credentials = STANDARD.encode(format!("svc-ci:{token}"));
    let call = Call::new(method, target).header("Authorization", &format!("Basic {credentials}"));
    Client::connect(port).send(&call).status
}

fn first_call(product: &str, credentials: &str, accepted: &str) {
    let began = Instant::now();
    let upstream = Upstream::accepting(accepted);
    let directory = tempfile::tempdir().unwrap();
    let tokens = directory.path().join("tokens");
    let (port, admin) = free_ports();
    let base = format!("http://127.0.0.1:{port}");
    let listen = format!("127.0.0.1:{port}");
    let url = format!("http://127.0.0.1:{}", upstream.port());
    let _ = Invocation::new(binary(), directory.path())
        .arguments(&[
            "init",
            "--product",
            product,
            "--upstream",
            &url,
            "--listen",
            &listen,
            "tokens",
        ])
        .run()
        .ok();
    // The admin listener's port is free on a machine of its own; here tests share the ports.
    let mut configuration = fs::read_to_string(tokens.join("tokenward.toml")).unwrap();
    configuration.push_str(&format!("\n[admin]\nlisten = \"127.0.0.1:{admin}\"\n"));
    fs::write(tokens.join("tokenward.toml"), configuration).unwrap();

    // What the README says.
    let readme = fs::read_to_string(tokens.join("README.md")).unwrap();
    let asked = blocks(&readme, "toml");
    let form = |text: &str| text.split('"').step_by(2).collect::<String>();
    assert_eq!(form(&asked[0]), form(credentials), "{product}");
    let file = tokens.join(".tokenward/upstream-credentials.toml");
    fs::write(
        &file,
        format!("{}{credentials}\n", fs::read_to_string(&file).unwrap()),
    )
    .unwrap();
    let commands = blocks(&readme, "sh");
    assert_eq!(commands.len(), 6, "{readme}");
    let token = shell(&tokens, &commands[0]);
    shell(&tokens, &commands[1]);
    shell(&tokens, &commands[2]);
    assert_eq!(commands[3], "tokenward serve");
    let mut serving = Invocation::new(binary(), &tokens).arguments(&["serve"]).start();
    eventually("the proxy listens", || {
        assert_eq!(serving.ended(), None, "{product}: the proxy runs");
        TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()
    });
    let calls: Vec<&str> = commands[4].lines().collect();
    let statuses: Vec<u16> = calls.iter().map(|line| curl(line, &base, port, &token)).collect();
    assert_eq!(statuses, [200, 403], "{product}: {calls:?}");
    shell(&tokens, &commands[5]);

    // The product got the call once, with its own credentials and without the token.
    let seen = upstream.seen();
    assert_eq!(seen.len(), 1, "{product}: {seen:?}");
    assert_eq!(seen[0].values("authorization"), [accepted]);
    assert!(!format!("{seen:?}").contains(&token));
    serving.stop();
    println!(
        "{product}: {:.1} s from nothing to an enforced call",
        began.elapsed().as_secs_f64()
    );
}

#[test]
fn the_written_readme_leads_to_an_enforced_call_for_each_product() {
    for (product, credentials, accepted) in products() {
        first_call(product, credentials, &accepted);
    }
}

/// The block of this repository's README that begins with `tokenward init` works as it is printed.
#[test]
fn the_readme_of_this_repository_leads_to_a_checked_policy() {
    let page = include_str!("../../README.md");
    let blocks = blocks(page, "sh");
    let begin = blocks
        .iter()
        .find(|block| block.starts_with("tokenward init "))
        .unwrap();
    let directory = tempfile::tempdir().unwrap();
    let token = shell(directory.path(), begin);
    assert!(token.starts_with("twd_"));
}
