use std::path::Path;
use std::time::Duration;

use tokenward_compiler::artifact::Signers;

use super::value::parse_duration;
use super::{Config, ConfigError, Identity, PasswordSource, Role};
use crate::request::Keep;

const DOCUMENTED: &str = include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/../../tokenward.toml"));

fn parse(text: &str) -> Result<Config, ConfigError> {
    parse_at(text, Path::new("tokenward.toml"))
}

fn parse_at(text: &str, path: &Path) -> Result<Config, ConfigError> {
    Config::parse(text, path, |filter| !filter.contains("=extra="))
}

fn problems(text: &str) -> String {
    parse(text).expect_err("a problem").to_string()
}

#[test]
fn documented_file_says_what_the_defaults_are() {
    assert_eq!(parse(DOCUMENTED).unwrap(), Config::default());
    assert_eq!(parse("").unwrap(), Config::default());
}

#[test]
fn every_key_is_documented_in_its_section() {
    let (_, sink) = Config::read("", |_| true);
    let mut documented = Vec::new();
    let mut section = String::new();
    for line in DOCUMENTED.lines() {
        if let Some(name) = line.strip_prefix('[') {
            section = format!("{}.", name.trim_end_matches(']'));
        }
        if let Some((key, _)) = line.trim_start_matches("# ").split_once(" = ") {
            documented.push(format!("{section}{key}"));
        }
    }
    for key in sink.asked() {
        assert!(
            documented.contains(&key),
            "tokenward.toml says nothing of `{key}`"
        );
    }
}

#[test]
fn examples_in_comments_hold_too() {
    let is_example = |line: &str| {
        let key = line.split(" = ").next().unwrap_or_default();
        line.contains(" = ") && key.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
    };
    let uncommented: Vec<&str> = DOCUMENTED
        .lines()
        .map(|line| {
            line.strip_prefix("# ")
                .filter(|rest| is_example(rest))
                .unwrap_or(line)
        })
        .collect();
    let text = uncommented.join("\n");
    assert!(
        text.contains("\nhost = ") && text.contains("\nquery_parameter = "),
        "{text}"
    );
    let problems = problems(&text);
    let unexpected: Vec<&str> = problems
        .lines()
        .filter(|line| {
            !line.contains("cannot be used with mode")
                && !line.contains("cannot be used with a `url` of http://")
                && !line.contains("cannot be used with `key_file`")
        })
        .collect();
    assert_eq!(unexpected, Vec::<&str>::new());
}

#[test]
fn paths_are_relative_to_the_file() {
    let text = "[audit]\npath = 'a'\n[admin]\nsecret_file = '/abs/s'\n[upstream.identity]\nmode = 'per-user'\ncredentials = 'c'";
    let config = parse_at(text, Path::new("/etc/tw/tokenward.toml")).unwrap();
    assert_eq!(config.policies, Path::new("/etc/tw/policies"));
    assert_eq!(config.audit.path, Path::new("/etc/tw/a"));
    assert_eq!(config.admin.secret_file, Path::new("/abs/s"));
    let credentials = "/etc/tw/c".into();
    assert_eq!(config.identity, Identity::PerUser { credentials });
}

#[test]
fn identity_modes() {
    let text = "[upstream.identity]\nmode = 'service-account'\nuser = 'svc'\nsecret_env = 'PW'";
    let expected = Identity::ServiceAccount {
        user: "svc".to_owned(),
        password: PasswordSource::Environment("PW".to_owned()),
        header: "contextUser".to_owned(),
    };
    assert_eq!(parse(text).unwrap().identity, expected);
}

#[test]
fn a_key_of_a_section_at_the_top_is_told_its_section() {
    insta::assert_snapshot!(problems("public_url = 'http://x'\n"), @"tokenward.toml:1:1: unknown key `public_url` at the top level; it belongs in [upstream]");
}

#[test]
fn public_url_follows_the_listener() {
    let config = parse("[server]\nlisten = '127.0.0.1:9000'").unwrap();
    assert_eq!(config.upstream.public_url.as_str(), "http://127.0.0.1:9000");
}

#[test]
fn several_problems_are_told_at_once() {
    insta::assert_snapshot!(problems(
        r#"
polices = "p"
[server]
lisen = "127.0.0.1:1"
workers = "two"
[serverr]
[upstream]
url = "ftp://jira.internal"
public_url = "jira.example.com"
product = "jirra"
endpoints = ["/rest/*", "rest"]
host = "http://x"
[upstream.identity]
mode = "service-account"
credentials = "c"
header = "Authorization"
[admin]
listen = "0.0.0.0:8081"
[auth]
methods = "digest"
never_act_as = "admin"
[audit]
wait = 5
queue_size = "1 MB"
retention_days = -1
[relax]
get_body = "yes"
zzz = true
[answers]
cors_origins = ["*"]
[log]
level = "loud=extra=much"
"#
    ));
}

#[test]
fn schemes_are_names_that_carry_a_bare_token() {
    let config = parse("[auth]\nschemes = ['Token', 'x-key']").unwrap();
    assert_eq!(config.auth.schemes, ["token", "x-key"]);
    for (name, expected) in [
        ("basic", "`methods` says"),
        ("Bearer", "`methods` says"),
        ("Digest", "does not carry a bare token"),
        ("token:", "write the name of the scheme alone"),
        ("token x", "write the name of the scheme alone"),
        ("", "is empty"),
    ] {
        let found = problems(&format!("[auth]\nschemes = ['{name}']"));
        assert!(found.contains("`schemes`") && found.contains(expected), "{found}");
    }
}

#[test]
fn an_endpoint_with_a_doubled_slash_needs_its_relaxation() {
    let endpoints = "[upstream]\nendpoints = ['/rest/*', '//rest/*']\n";
    assert!(problems(endpoints).contains("`//rest/*`, which needs `empty_segment = true` in [relax]"));
    let config = parse(&format!("{endpoints}[relax]\nempty_segment = true")).unwrap();
    assert_eq!(config.upstream.endpoints, ["/rest/*", "//rest/*"]);
    assert!(problems("[upstream]\nstreams = ['rest']").contains("`streams` has `rest`"));
}

#[test]
fn users_whom_nobody_can_name_are_errors() {
    for (name, expected) in [
        ("adm\\u200Bin", "control or invisible"),
        ("\\uFEFFadmin", "control or invisible"),
        ("ad\\u202Emin", "control or invisible"),
        ("admin\\u0007", "control or invisible"),
        (" ", "is empty"),
        ("adm*", "neither wildcards nor regexps"),
        ("admin.*", "neither wildcards nor regexps"),
        ("admin,root2", "not a list"),
        ("@admins", "no groups"),
        ("admin ", "ends with a space"),
        ("\\u0430dmin", "several scripts"),
    ] {
        let found = problems(&format!("[auth]\nnever_act_as = [\"root\", \"{name}\"]"));
        assert!(found.contains("`never_act_as`"), "{found}");
        assert!(found.contains(expected), "{found}");
    }
    let config = parse("[auth]\nnever_act_as = [\"Jörg\", \"site admin\"]").unwrap();
    assert_eq!(config.auth.never_act_as, ["Jörg", "site admin"]);
}

#[test]
fn limits_of_tokens_that_mean_nothing_are_errors() {
    for (section, line, expected) in [
        (
            "tokens",
            "rate = \"600/m\"",
            "3:8: `rate` is \"600/m\"; it must be a number of calls from 1 to 1000000, `/`, and a duration of at most 31d, such as \"600/1m\"; did you mean \"600/1m\"?",
        ),
        ("tokens", "rate = 600", "`rate` must be a string in quotes"),
        ("tokens", "rate = \"0/1m\"", "`rate` is \"0/1m\""),
        ("tokens.together", "rate = \"-1/1m\"", "`rate` is \"-1/1m\""),
        ("tokens", "burst = 5", "3:9: `burst` without `rate`"),
        ("tokens.together", "burst = 5", "`burst` without `rate`"),
        (
            "tokens",
            "rate = \"1/1d\"\nburst = 1000",
            "takes more than 366 days to refill",
        ),
        (
            "tokens",
            "rate = \"1/1d\"\nburst = 0",
            "`burst` must be a whole number from 1 to 1000000",
        ),
        (
            "tokens",
            "concurrent = 0",
            "`concurrent` must be a whole number from 1 to 1000000",
        ),
        (
            "tokens",
            "concurrent = 99999999999999999999",
            "`concurrent` must be a whole number",
        ),
        ("tokens", "max_body = \"0B\"", "`max_body` must be a size"),
        (
            "tokens.together",
            "max_body = \"1MiB\"",
            "unknown key `max_body` in [tokens.together]",
        ),
        (
            "tokens",
            "max_lifetime = \"0d\"",
            "`max_lifetime` must be a duration",
        ),
        ("tokens", "max_lifetime = 90", "`max_lifetime` must be a duration"),
        ("tokens", "max_life = \"90d\"", "did you mean `max_lifetime`?"),
        ("tokens", "rate = \"5/m\"\nburst = 7", "did you mean \"5/1m\"?"),
    ] {
        let found = problems(&format!("# \n[{section}]\n{line}"));
        assert!(found.contains(expected), "{line}: {found}");
        assert_eq!(found.lines().count(), 1, "{found}");
    }
    let text = "[tokens]\nrate = \"600/60s\"\nmax_lifetime = \"90d\"\n[tokens.together]\nconcurrent = 3";
    let tokens = parse(text).unwrap().tokens;
    assert_eq!(tokens.limits.to_string(), ", rate 600/1m, burst 600");
    assert_eq!(tokens.together.to_string(), ", concurrent 3");
    assert_eq!(tokens.max_lifetime, Some(Duration::from_secs(90 * 86_400)));
}

#[test]
fn what_belongs_together_is_checked_together() {
    insta::assert_snapshot!(problems("server = 1\n[admin]\nlisten = '127.0.0.1:8080'"), @r"
    tokenward.toml:1:10: `server` is a section; write [server] on a separate line
    tokenward.toml:3:10: `listen` of [admin] is the same as that of [server]; use two different ports
    ");
    insta::assert_snapshot!(problems("[server]\nlisten = '0.0.0.0:80'\n"), @"tokenward.toml:1:1: `public_url` of [upstream] is required when the proxy listens on all addresses; set it to the URL that clients call");
    insta::assert_snapshot!(problems("[upstream.identity]\nmode = 'per-user'\n"), @r#"tokenward.toml:2:8: `credentials` is required when mode = "per-user": the file with each user's credentials at the upstream"#);
}

#[test]
fn what_is_out_of_range_is_told_with_the_range() {
    let duration = r#"must be a duration from "1ms" to "3660d""#;
    for (setting, expected) in [
        ("queue_size = '1B'", r#"must be a size from "1MiB" to "64GiB""#),
        (
            "queue_size = '1023KiB'",
            r#"must be a size from "1MiB" to "64GiB""#,
        ),
        ("reserve_size = '0B'", r#"must be a size from "1B" to "64GiB""#),
        ("wait = '99999d'", duration),
        ("wait = '0s'", duration),
        ("signing_interval = '0s'", duration),
    ] {
        let told = problems(&format!("[audit]\n{setting}\n"));
        assert!(told.contains(expected), "{setting}: {told}");
    }
    let config = parse("[audit]\nqueue_size = '1MiB'").unwrap();
    assert_eq!(config.audit.queue_bytes, 1 << 20);
}

#[test]
fn what_is_kept_of_values_is_checked() {
    let config =
        parse("[audit.values]\nquery = 'hash'\ndrop = ['jql', 'fields.summary']\nkey_env = 'KEY'").unwrap();
    assert_eq!(config.audit_values.query, Keep::Hash);
    assert_eq!(config.audit_values.names.len(), 2);
    let at = parse("[audit.values]\nkey_file = 'k'").unwrap().audit_values.key;
    assert!(matches!(at, Some(PasswordSource::File(path)) if path == Path::new("k")));
    insta::assert_snapshot!(problems("[audit.values]\nhash = ['a', 'b']\ndrop = ['A']\nbody = 'mask'\n"), @r#"
    tokenward.toml:2:8: `key_file` or `key_env` is required when `hash` is set; a hash without a key can be reversed by trying values
    tokenward.toml:3:8: `A` is listed twice in [audit.values]; list it once, to keep, hash or drop it
    tokenward.toml:4:8: `body` is "mask"; it must be "keep", "hash" or "drop"
    "#);
    insta::assert_snapshot!(problems("[audit.values]\nquery = 'hash'\n"), @"tokenward.toml:2:9: `key_file` or `key_env` is required when `hash` is set; a hash without a key can be reversed by trying values");
}

#[test]
fn who_may_say_whose_request_it_is() {
    let config = parse(
        "[server]\ntrusted_proxies = ['10.0.0.0/8', '::1']\nclient_address = 'forwarded'\n[server.tls]\ncertificate = 'c'\nkey = 'k'",
    )
    .unwrap();
    let networks: Vec<String> = config
        .server
        .trusted_proxies
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(networks, ["10.0.0.0/8", "::1/128"]);
    assert!(config.upstream.public_url.as_str().starts_with("https://"));
    insta::assert_snapshot!(problems("[server]\nclient_address = 'forwarded'\n[server.tls]\nkey = 'k'\n[upstream]\nca_file = 'c'\nclient_key = 'k'"), @r"
    tokenward.toml:2:18: `trusted_proxies` is required when `client_address` is set: the proxies that may report a client's address
    tokenward.toml:4:7: `certificate` is required when `key` is set
    tokenward.toml:6:11: `ca_file` cannot be used with a `url` of http://
    tokenward.toml:7:14: `client_certificate` is required when `client_key` is set
    tokenward.toml:7:14: `client_key` cannot be used with a `url` of http://
    ");
    insta::assert_snapshot!(problems("[server]\ntrusted_proxies = ['10.0.0.1/8', 'lb.test']"), @"tokenward.toml:2:20: `trusted_proxies` has `10.0.0.1/8`, which has bits after its prefix; did you mean `10.0.0.0/8`?");
    insta::assert_snapshot!(problems("[server]\nclient_address = 'forwarded'\ntrusted_proxies = []"), @r#"tokenward.toml:3:19: `trusted_proxies` must list the proxies that may report a client's address, such as ["10.0.0.5"]"#);
    insta::assert_snapshot!(problems("[server]\ntrusted_proxies = ['10.0.0.1']"), @r#"tokenward.toml:2:19: `trusted_proxies` cannot be used with client_address = "peer""#);
}

#[test]
fn product_decides_what_is_lifted_and_whether_it_has_a_header() {
    let gitlab = parse("[upstream]\nproduct = 'gitlab'\n[auth]\nproduct_header = true").unwrap();
    assert!(gitlab.relax.encoded_slash && gitlab.auth.product_header);
    let strict = parse("[upstream]\nproduct = 'gitlab'\n[relax]\nencoded_slash = false").unwrap();
    assert!(!strict.relax.encoded_slash);
    insta::assert_snapshot!(problems("[auth]\nproduct_header = true\n"), @"tokenward.toml:2:18: `product_header` cannot be used with this product, which has no token header of its own");
}

#[test]
fn broken_toml_is_told_with_its_place() {
    insta::assert_snapshot!(problems("policies = \"p\"\n\n[server\nlisten = 1\n"), @"tokenward.toml:3:8: the file is not valid TOML: unclosed table, expected `]`");
    insta::assert_snapshot!(problems("é = 1\npolicies = [\n"), @r"
    tokenward.toml:1:1: the file is not valid TOML: invalid unquoted key, expected letters, numbers, `-`, `_`
    tokenward.toml:2:13: the file is not valid TOML: unclosed array, expected `]`
    ");
}

#[test]
fn durations() {
    assert_eq!(parse_duration("500ms"), Some(Duration::from_millis(500)));
    assert_eq!(parse_duration("90d"), Some(Duration::from_secs(90 * 86_400)));
    for wrong in [
        "",
        "s",
        "30",
        "0s",
        "1.5s",
        "-1s",
        "30 s",
        "30sec",
        "99999999999999999999s",
        "18446744073709551615d",
        "3661d",
    ] {
        assert_eq!(parse_duration(wrong), None, "{wrong}");
    }
}

#[test]
fn an_upstream_may_have_several_addresses() {
    let urls = |text: &str| {
        parse(&format!("[upstream]\nurl = {text}\npublic_url = 'http://x'"))
            .map(|config| config.upstream.urls)
    };
    assert_eq!(
        urls("['http://a:1/c', 'http://b:2/c/']").unwrap(),
        ["http://a:1/c", "http://b:2/c"]
    );
    for (wrong, why) in [
        ("[]", "at least one"),
        ("['http://a:1', 'https://b:1']", "more than host and port"),
        ("['http://a:1/x', 'http://b:1/y']", "more than host and port"),
        ("['http://a:1', 'http://b:1', 'http://a:1']", "the same URL twice"),
    ] {
        let error = urls(wrong).unwrap_err().to_string();
        assert!(error.contains(why), "{wrong}: {error}");
    }
    assert!(parse("[upstream]\nhealth_path = 'status'").is_err());
}

#[test]
fn a_mode_has_its_own_keys() {
    let key = "ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29";
    let text = format!("mode = 'secure'\n[keys]\nsigning_key = 'k'\npublic_keys = ['{key}']\n");
    let config = parse_at(&text, Path::new("/etc/tw/tokenward.toml")).unwrap();
    assert_eq!(config.mode, super::Mode::Secure(vec![key.parse().unwrap()]));
    assert_eq!(config.keys.signing.as_deref(), Some(Path::new("/etc/tw/k")));
    let standard = parse("[keys]\nsealing_keys = ['a', 'b']\n").unwrap();
    assert_eq!(standard.keys.sealing, [Path::new("a"), Path::new("b")]);
    insta::assert_snapshot!(problems("mode = 'secure'\n[keys]\nsealing_keys = ['a']\n"), @r#"
    tokenward.toml:1:8: `public_keys` in [keys] is required when mode = "secure"; `tokenward keys new signing` prints it
    tokenward.toml:3:16: `sealing_keys` cannot be used with mode = "secure"; remove it, and destroy those files, because they can decrypt the secrets in the git history
    "#);
    insta::assert_snapshot!(problems(&format!("[keys]\npublic_keys = ['{key}', 'x']\n")), @r#"
    tokenward.toml:2:15: `public_keys` cannot be used with mode = "standard"
    tokenward.toml:2:92: `public_keys` has an invalid item: a public key must be `ed25519:` and 64 hexadecimal digits, as `tokenward keys new` prints it
    "#);
    insta::assert_snapshot!(problems(&format!("[keys]\npublic_keys = ['{key}']\n")), @r#"tokenward.toml:2:15: `public_keys` cannot be used with mode = "standard""#);
}

#[test]
fn compiled_policies_have_keys_of_their_own() {
    let (one, two) = (
        "ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29",
        "ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
    );
    assert_eq!(parse("").unwrap().artifact_signers(), Signers::Anyone);
    let secure = format!("mode = 'secure'\n[keys]\npublic_keys = ['{one}']\n");
    assert_eq!(
        parse(&secure).unwrap().artifact_signers(),
        Signers::Keys(Vec::new()),
        "in secure mode none is accepted unsigned"
    );
    let both = Signers::Keys(vec![two.parse().unwrap(), one.parse().unwrap()]);
    let standard = format!("[keys]\nartifact_key = 'k'\nartifact_public_keys = ['{two}', '{one}']\n");
    let config = parse_at(&standard, Path::new("/etc/tw/tokenward.toml")).unwrap();
    assert_eq!(config.artifact_signers(), both, "in standard mode they bind, too");
    assert_eq!(config.keys.artifact.as_deref(), Some(Path::new("/etc/tw/k")));
    let shared = format!("{secure}artifact_public_keys = ['{two}', '{one}']\n");
    insta::assert_snapshot!(problems(&shared), @"tokenward.toml:4:24: `artifact_public_keys` has a key of `public_keys`; create a separate key for compiled policies with `tokenward keys new artifact`");
}

#[test]
fn the_schema_has_exactly_the_keys_that_are_read() {
    fn collect(value: &serde_json::Value, section: &str, found: &mut Vec<String>) {
        let properties = value["properties"].as_object().unwrap();
        for (key, property) in properties {
            let path = if section.is_empty() {
                key.clone()
            } else {
                format!("{section}.{key}")
            };
            if property["properties"].is_object() {
                collect(property, &path, found);
            } else {
                found.push(path);
            }
        }
    }
    let (_, sink) = Config::read("", |_| true);
    let mut read = sink.asked();
    read.sort_unstable();
    read.dedup();
    let schemas = tokenward_lsp::schema::all();
    let schema = schemas.iter().find(|schema| schema.name == "tokenward").unwrap();
    let mut found = Vec::new();
    collect(&schema.value, "", &mut found);
    found.sort_unstable();
    assert_eq!(found, read);
}

#[test]
fn the_admin_listener_is_opened_only_with_tls() {
    let tls = "[admin.tls]\ncertificate = 'c'\nkey = 'k'\n";
    for listen in ["0.0.0.0:8081", "10.0.0.5:8081", "[::]:8081"] {
        let text = format!("[admin]\nlisten = '{listen}'\n");
        assert!(problems(&text).contains("must be a loopback address"), "{listen}");
        let config = parse(&format!("{text}{tls}")).unwrap();
        assert_eq!(config.admin.tls.unwrap().certificate, Path::new("c"));
    }
    assert!(parse("[admin]\nlisten = '[::1]:8081'\n").is_ok());
}

#[test]
fn people_of_the_admin_listener() {
    let identity =
        |more: &str| format!("[admin.identity]\nheader = 'X-Person'\nproxies = ['10.0.0.5']\n{more}");
    let config = parse(&identity("viewers = ['ann']\noperators = ['carol']\n")).unwrap();
    let people = config.admin.identity.unwrap();
    assert_eq!(people.header, "x-person");
    assert_eq!(
        (people.roles["ann"], people.roles["carol"]),
        (Role::Viewer, Role::Operator)
    );
    let print = "ab:".repeat(31) + "ab";
    let certificates = format!(
        "[admin.tls]\ncertificate = 'c'\nkey = 'k'\n[admin.client_certificates]\nca_file = 'ca'\nrevokers = ['{print}']\n"
    );
    let people = parse(&certificates).unwrap().admin.client_certificates.unwrap();
    assert_eq!(people.roles[&[0xab; 32]], Role::Revoker);
    for (text, expected) in [
        (
            identity("viewers = ['ann']\noperators = ['ann']\n"),
            "listed before",
        ),
        (identity("viewers = ['']\n"), "is empty"),
        (identity("").replace("10.0.0.5", "127.0.0.1"), "loopback"),
        (identity("").replace("10.0.0.5", "0.0.0.0/0"), "loopback"),
        (identity("").replace("'10.0.0.5'", ""), "must list the proxies"),
        (
            identity("").replace("X-Person", "Authorization"),
            "another meaning",
        ),
        (
            "[admin.identity]\nheader = 'X-Person'\n".to_owned(),
            "`proxies` is required",
        ),
        (
            "[admin.identity]\nviewers = ['ann']\n".to_owned(),
            "`header` is required",
        ),
        (certificates.replace(&print, "ab"), "SHA-256 fingerprint"),
        (
            certificates.replace("ca_file = 'ca'\n", ""),
            "`ca_file` is required",
        ),
        (
            certificates.replace("[admin.tls]\ncertificate = 'c'\nkey = 'k'\n", ""),
            "needs [admin.tls]",
        ),
        (
            "[admin]\nnames = ['a:8081']\n".to_owned(),
            "host name without a port",
        ),
        (
            "[admin]\nnames = ['10.0.0.5']\n".to_owned(),
            "host name without a port",
        ),
    ] {
        assert!(problems(&text).contains(expected), "{text}\n{}", problems(&text));
    }
}
