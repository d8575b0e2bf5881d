use std::collections::BTreeSet;

use super::*;

fn parse(text: &str) -> Config {
    Config::parse(text, Path::new("tokenward.toml"), |_| true).unwrap()
}

/// Every key of the configuration has a rule, and each reason is a sentence of its own.
#[test]
fn every_key_is_classified() {
    let settings = settings(&Config::default());
    let known: BTreeSet<&str> = settings.iter().map(|setting| setting.key).collect();
    let asked = Config::keys();
    let asked: BTreeSet<&str> = asked.iter().map(String::as_str).collect();
    assert_eq!(known, asked);
    for setting in settings {
        if let Rule::Nothing(reason) = setting.rule {
            assert!(reason.len() > 10, "{}", setting.key);
        }
    }
}

/// For each key that can give more: a configuration, and one in which only that key is looser.
const LOOSENED: &[(&str, &str, &str)] = &[
    ("warnings", "warnings = \"deny\"", ""),
    ("policies", "", "policies = \"elsewhere\""),
    ("lint.set", "lint.set = \"pedantic\"", ""),
    ("lint.set", "", "lint.set = \"none\""),
    ("lint.expires_within", "", "lint.expires_within = \"1d\""),
    (
        "lint.allow",
        "lint.allow = [\"TW0504 in a: x\"]",
        "lint.allow = [\"TW0504 in a: x\", \"TW0504 in b: x\"]",
    ),
    ("mode", SECURE, ""),
    (
        "keys.public_keys",
        SECURE,
        "mode = \"secure\"\nkeys.public_keys = [\"ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29\", \"ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\"]",
    ),
    (
        "keys.artifact_public_keys",
        "keys.artifact_public_keys = [\"ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29\"]",
        "",
    ),
    (
        "fleet.name",
        FLEET,
        "fleet.name = \"other\"\nfleet.source = \"s\"\nfleet.public_keys = [\"ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29\"]",
    ),
    (
        "fleet.public_keys",
        FLEET,
        "fleet.name = \"main\"\nfleet.source = \"s\"\nfleet.public_keys = [\"ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29\", \"ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\"]",
    ),
    (
        "fleet.on_expired",
        FLEET,
        "fleet.name = \"main\"\nfleet.source = \"s\"\nfleet.public_keys = [\"ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29\"]\nfleet.on_expired = \"serve\"",
    ),
    (
        "fleet.revoking_keys",
        "fleet.name = \"main\"\nfleet.source = \"nats\"\nfleet.servers = [\"tls://a:4222\"]\nfleet.public_keys = [\"ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29\"]\nfleet.revoking_keys = [\"ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29\"]",
        "fleet.name = \"main\"\nfleet.source = \"nats\"\nfleet.servers = [\"tls://a:4222\"]\nfleet.public_keys = [\"ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29\"]\n",
    ),
    (
        "fleet.max_staleness",
        "fleet.name = \"main\"\nfleet.source = \"nats\"\nfleet.servers = [\"tls://a:4222\"]\nfleet.public_keys = [\"ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29\"]\n",
        "fleet.name = \"main\"\nfleet.source = \"nats\"\nfleet.servers = [\"tls://a:4222\"]\nfleet.public_keys = [\"ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29\"]\nfleet.max_staleness = \"1m\"",
    ),
    (
        "fleet.on_stale",
        "fleet.name = \"main\"\nfleet.source = \"nats\"\nfleet.servers = [\"tls://a:4222\"]\nfleet.public_keys = [\"ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29\"]\n",
        "fleet.name = \"main\"\nfleet.source = \"nats\"\nfleet.servers = [\"tls://a:4222\"]\nfleet.public_keys = [\"ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29\"]\nfleet.on_stale = \"serve\"",
    ),
    (
        "tokens.rate",
        "tokens.rate = \"60/1m\"\ntokens.burst = 60",
        "tokens.rate = \"2/1s\"\ntokens.burst = 60",
    ),
    (
        "tokens.burst",
        "tokens.rate = \"60/1m\"",
        "tokens.rate = \"60/1m\"\ntokens.burst = 61",
    ),
    ("tokens.concurrent", "tokens.concurrent = 5", ""),
    (
        "tokens.max_body",
        "tokens.max_body = \"1MiB\"",
        "tokens.max_body = \"2MiB\"",
    ),
    ("tokens.max_lifetime", "tokens.max_lifetime = \"90d\"", ""),
    (
        "tokens.together.rate",
        "tokens.together.rate = \"60/1m\"\ntokens.together.burst = 60",
        "tokens.together.rate = \"61/1m\"\ntokens.together.burst = 60",
    ),
    (
        "tokens.together.burst",
        "tokens.together.rate = \"60/1m\"\ntokens.together.burst = 1",
        "tokens.together.rate = \"60/1m\"",
    ),
    (
        "tokens.together.concurrent",
        "tokens.together.concurrent = 5",
        "tokens.together.concurrent = 6",
    ),
    ("keys.sealing_keys", "", "keys.sealing_keys = [\"mine\"]"),
    (
        "server.listen",
        "upstream.public_url = \"https://a.example\"",
        "upstream.public_url = \"https://a.example\"\nserver.listen = \"0.0.0.0:8080\"",
    ),
    ("health.listen", "", "health.listen = \"0.0.0.0:8082\""),
    (
        "server.trusted_proxies",
        PROXIED,
        "server.trusted_proxies = [\"10.0.0.5\", \"10.0.0.6\"]\nserver.client_address = \"forwarded\"",
    ),
    (
        "server.client_address",
        PROXIED,
        "server.trusted_proxies = [\"10.0.0.5\"]\nserver.client_address = \"x-forwarded-for\"",
    ),
    (
        "server.tls.certificate",
        "upstream.public_url = \"https://a.example\"\nserver.tls.certificate = \"a\"\nserver.tls.key = \"k\"",
        "upstream.public_url = \"https://a.example\"\nserver.tls.certificate = \"b\"\nserver.tls.key = \"k\"",
    ),
    (
        "server.tls.key",
        "upstream.public_url = \"https://a.example\"\nserver.tls.certificate = \"a\"\nserver.tls.key = \"k\"",
        "upstream.public_url = \"https://a.example\"",
    ),
    ("server.hardening", "", "server.hardening = \"off\""),
    ("admin.listen", "", "admin.listen = \"127.0.0.1:9999\""),
    ("admin.secret_file", "", "admin.secret_file = \"known\""),
    ("admin.names", "", "admin.names = [\"tokenward.example.com\"]"),
    ("admin.review", "", "admin.review = [\"next\"]"),
    (
        "admin.tls.certificate",
        "admin.tls.certificate = \"a\"\nadmin.tls.key = \"k\"",
        "admin.tls.certificate = \"b\"\nadmin.tls.key = \"k\"",
    ),
    (
        "admin.tls.key",
        "admin.tls.certificate = \"a\"\nadmin.tls.key = \"k\"",
        "admin.tls.certificate = \"a\"\nadmin.tls.key = \"l\"",
    ),
    (
        "admin.client_certificates.ca_file",
        "admin.tls.certificate = \"a\"\nadmin.tls.key = \"k\"\nadmin.client_certificates.ca_file = \"c\"",
        "admin.tls.certificate = \"a\"\nadmin.tls.key = \"k\"\nadmin.client_certificates.ca_file = \"d\"",
    ),
    (
        "admin.identity.header",
        "admin.identity.header = \"x-user\"\nadmin.identity.proxies = [\"10.0.0.5\"]",
        "admin.identity.header = \"x-name\"\nadmin.identity.proxies = [\"10.0.0.5\"]",
    ),
    (
        "admin.identity.proxies",
        "admin.identity.header = \"x-user\"\nadmin.identity.proxies = [\"10.0.0.5\"]",
        "admin.identity.header = \"x-user\"\nadmin.identity.proxies = [\"10.0.0.6\"]",
    ),
    (
        "admin.client_certificates.viewers",
        "admin.tls.certificate = \"a\"\nadmin.tls.key = \"k\"\nadmin.client_certificates.ca_file = \"c\"",
        "admin.tls.certificate = \"a\"\nadmin.tls.key = \"k\"\nadmin.client_certificates.ca_file = \"c\"\nadmin.client_certificates.viewers = [\"abababababababababababababababababababababababababababababababab\"]",
    ),
    (
        "admin.identity.viewers",
        "admin.identity.header = \"x-user\"\nadmin.identity.proxies = [\"10.0.0.5\"]",
        "admin.identity.header = \"x-user\"\nadmin.identity.proxies = [\"10.0.0.5\"]\nadmin.identity.viewers = [\"ann\"]",
    ),
    (
        "admin.client_certificates.revokers",
        "admin.tls.certificate = \"a\"\nadmin.tls.key = \"k\"\nadmin.client_certificates.ca_file = \"c\"",
        "admin.tls.certificate = \"a\"\nadmin.tls.key = \"k\"\nadmin.client_certificates.ca_file = \"c\"\nadmin.client_certificates.revokers = [\"abababababababababababababababababababababababababababababababab\"]",
    ),
    (
        "admin.identity.revokers",
        "admin.identity.header = \"x-user\"\nadmin.identity.proxies = [\"10.0.0.5\"]",
        "admin.identity.header = \"x-user\"\nadmin.identity.proxies = [\"10.0.0.5\"]\nadmin.identity.revokers = [\"ann\"]",
    ),
    (
        "admin.client_certificates.operators",
        "admin.tls.certificate = \"a\"\nadmin.tls.key = \"k\"\nadmin.client_certificates.ca_file = \"c\"",
        "admin.tls.certificate = \"a\"\nadmin.tls.key = \"k\"\nadmin.client_certificates.ca_file = \"c\"\nadmin.client_certificates.operators = [\"abababababababababababababababababababababababababababababababab\"]",
    ),
    (
        "admin.identity.operators",
        "admin.identity.header = \"x-user\"\nadmin.identity.proxies = [\"10.0.0.5\"]",
        "admin.identity.header = \"x-user\"\nadmin.identity.proxies = [\"10.0.0.5\"]\nadmin.identity.operators = [\"ann\"]",
    ),
    ("upstream.url", "", "upstream.url = \"http://127.0.0.1:1\""),
    (
        "upstream.health_path",
        "",
        "upstream.health_path = \"/x?delete=1\"",
    ),
    (
        "upstream.health_interval",
        "",
        "upstream.health_interval = \"1s\"",
    ),
    (
        "upstream.public_url",
        "",
        "upstream.public_url = \"https://b.example\"",
    ),
    (
        "upstream.endpoints",
        "upstream.endpoints = [\"/rest/*\"]",
        "upstream.endpoints = [\"/rest/*\", \"/*\"]",
    ),
    ("upstream.product", "", "upstream.product = \"confluence\""),
    ("upstream.host", "", "upstream.host = \"other\""),
    (
        "upstream.ca_file",
        TLS,
        "upstream.url = \"https://u\"\nupstream.ca_file = \"mine\"\nupstream.client_certificate = \"c\"\nupstream.client_key = \"k\"",
    ),
    (
        "upstream.client_certificate",
        TLS,
        "upstream.url = \"https://u\"\nupstream.client_certificate = \"d\"\nupstream.client_key = \"k\"",
    ),
    (
        "upstream.client_key",
        TLS,
        "upstream.url = \"https://u\"\nupstream.client_certificate = \"c\"\nupstream.client_key = \"l\"",
    ),
    (
        "upstream.refused_parameters",
        "upstream.refused_parameters = [\"su\"]",
        "",
    ),
    (
        "upstream.refused_headers",
        "upstream.refused_headers = [\"X-Su\"]",
        "",
    ),
    (
        "upstream.refused_members",
        "upstream.refused_members = [\"su\"]",
        "",
    ),
    (
        "upstream.accepted_names",
        "",
        "upstream.accepted_names = [\"jwt\"]",
    ),
    (
        "upstream.identity.mode",
        "",
        "upstream.identity.mode = \"per-user\"\nupstream.identity.credentials = \"c\"",
    ),
    (
        "upstream.identity.header",
        "",
        "upstream.identity.header = \"X-Admin\"",
    ),
    (
        "upstream.identity.credentials",
        "upstream.identity.mode = \"per-user\"\nupstream.identity.credentials = \"c\"",
        "upstream.identity.mode = \"per-user\"\nupstream.identity.credentials = \"d\"",
    ),
    (
        "upstream.identity.user",
        SERVICE,
        "upstream.identity.mode = \"service-account\"\nupstream.identity.user = \"admin\"\nupstream.identity.secret_file = \"f\"",
    ),
    (
        "upstream.identity.secret_file",
        SERVICE,
        "upstream.identity.mode = \"service-account\"\nupstream.identity.user = \"svc\"\nupstream.identity.secret_file = \"g\"",
    ),
    (
        "upstream.identity.secret_env",
        SERVICE,
        "upstream.identity.mode = \"service-account\"\nupstream.identity.user = \"svc\"\nupstream.identity.secret_env = \"G\"",
    ),
    ("auth.methods", "", "auth.methods = \"both\""),
    ("auth.query_parameter", "", "auth.query_parameter = \"token\""),
    (
        "auth.product_header",
        "upstream.product = \"gitlab\"",
        "upstream.product = \"gitlab\"\nauth.product_header = true",
    ),
    ("auth.schemes", "", "auth.schemes = [\"token\"]"),
    (
        "auth.never_act_as",
        "auth.never_act_as = [\"admin\", \"root\"]",
        "auth.never_act_as = [\"root\"]",
    ),
    ("auth.failed_attempts", "", "auth.failed_attempts = 0"),
    ("auth.failed_window", "", "auth.failed_window = \"1s\""),
    ("auth.failed_delay", "", "auth.failed_delay = \"1ms\""),
    ("audit.path", "", "audit.path = \"/dev/shm/a\""),
    ("audit.durability", "", "audit.durability = \"buffered\""),
    ("audit.on_failure", "", "audit.on_failure = \"allow\""),
    ("audit.queue_size", "", "audit.queue_size = \"1MiB\""),
    ("audit.wait", "", "audit.wait = \"1ms\""),
    ("audit.reserve_size", "", "audit.reserve_size = \"64GiB\""),
    ("audit.outsiders_per_minute", "", "audit.outsiders_per_minute = 1"),
    ("audit.retention_days", "", "audit.retention_days = 1"),
    ("audit.signing_key", "audit.signing_key = \"k\"", ""),
    ("audit.signing_interval", "", "audit.signing_interval = \"90d\""),
    ("audit.values.query", "", "audit.values.query = \"drop\""),
    ("audit.values.body", "", "audit.values.body = \"keep\""),
    ("audit.values.keep", "", "audit.values.keep = [\"password\"]"),
    (
        "audit.values.hash",
        HASHED,
        "audit.values.hash = [\"a\"]\naudit.values.key_file = \"f\"",
    ),
    ("audit.values.drop", "", "audit.values.drop = [\"jql\"]"),
    (
        "audit.values.key_file",
        HASHED,
        "audit.values.hash = [\"a\", \"b\"]\naudit.values.key_file = \"g\"",
    ),
    (
        "audit.values.key_env",
        HASHED,
        "audit.values.hash = [\"a\", \"b\"]\naudit.values.key_env = \"G\"",
    ),
    ("limits.inspect_size", "", "limits.inspect_size = \"1GiB\""),
    ("limits.body_size", "limits.body_size = \"1MiB\"", ""),
    ("limits.query_pairs", "", "limits.query_pairs = 10000"),
    ("limits.head_size", "", "limits.head_size = \"1MiB\""),
    ("limits.header_count", "limits.header_count = 10", ""),
    ("limits.head_timeout", "", "limits.head_timeout = \"1000s\""),
    ("limits.body_timeout", "", "limits.body_timeout = \"1000s\""),
    ("limits.stream_timeout", "", "limits.stream_timeout = \"100h\""),
    ("limits.body_rate", "", "limits.body_rate = 0"),
    ("limits.answer_rate", "", "limits.answer_rate = 0"),
    ("limits.inspected_total", "", "limits.inspected_total = \"8GiB\""),
    ("limits.idle_timeout", "", "limits.idle_timeout = \"1000s\""),
    ("limits.max_connections", "", "limits.max_connections = 8192"),
    (
        "limits.max_connections_per_client",
        "limits.max_connections_per_client = 5",
        "",
    ),
    (
        "limits.max_connections_per_56",
        "",
        "limits.max_connections_per_56 = 2000",
    ),
    (
        "limits.max_connections_per_48",
        "",
        "limits.max_connections_per_48 = 4000",
    ),
    ("limits.max_calls", "limits.max_calls = 100", ""),
    ("limits.http2_streams", "", "limits.http2_streams = 1000"),
    ("limits.http2_resets", "", "limits.http2_resets = 10000"),
    ("log.level", "", "log.level = \"off\""),
    ("log.calls", "log.calls = \"info\"", ""),
    ("relax.control_character", "", "relax.control_character = true"),
    ("relax.nul", "", "relax.nul = true"),
    ("relax.backslash", "", "relax.backslash = true"),
    ("relax.encoded_slash", "", "relax.encoded_slash = true"),
    ("relax.double_encoding", "", "relax.double_encoding = true"),
    ("relax.semicolon", "", "relax.semicolon = true"),
    ("relax.dot_segment", "", "relax.dot_segment = true"),
    ("relax.empty_segment", "", "relax.empty_segment = true"),
    ("relax.number_sign", "", "relax.number_sign = true"),
    (
        "relax.ambiguous_parameter",
        "",
        "relax.ambiguous_parameter = true",
    ),
    ("relax.get_body", "", "relax.get_body = true"),
    ("relax.cookies", "", "relax.cookies = true"),
    ("relax.merged_multipart", "", "relax.merged_multipart = true"),
    ("relax.xml_body", "", "relax.xml_body = true"),
    ("answers.show_policy", "answers.show_policy = false", ""),
    (
        "answers.cors_origins",
        "",
        "answers.cors_origins = [\"https://e.example\"]",
    ),
    ("answers.rewrite_links", "answers.rewrite_links = true", ""),
    (
        "telemetry.otlp_endpoint",
        "",
        "telemetry.otlp_endpoint = \"http://127.0.0.1:4318/v1/traces\"",
    ),
];
const FLEET: &str = "fleet.name = \"main\"\nfleet.source = \"s\"\nfleet.public_keys = [\"ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29\"]";
const SECURE: &str = "mode = \"secure\"\nkeys.public_keys = [\"ed25519:3b6a27bcceb6a42d62a3a8d02a6f0d73653215771de243a63ac048a18b59da29\"]";
const PROXIED: &str = "server.trusted_proxies = [\"10.0.0.5\"]\nserver.client_address = \"forwarded\"";
const TLS: &str =
    "upstream.url = \"https://u\"\nupstream.client_certificate = \"c\"\nupstream.client_key = \"k\"";
const SERVICE: &str = "upstream.identity.mode = \"service-account\"\nupstream.identity.user = \"svc\"\nupstream.identity.secret_file = \"f\"";
const HASHED: &str = "audit.values.hash = [\"a\", \"b\"]\naudit.values.key_file = \"f\"";

#[test]
fn each_key_that_can_give_more_is_a_finding_when_it_does() {
    let mut shown = BTreeSet::new();
    for (key, old, new) in LOOSENED {
        let found = changes(&parse(old), &parse(new));
        let change = found.iter().find(|change| change.key == *key);
        assert!(
            change.is_some_and(|change| change.widens.is_some()),
            "{key}: {found:?}"
        );
        shown.insert(*key);
    }
    for setting in settings(&Config::default()) {
        let gives = !matches!(setting.rule, Rule::Nothing(_));
        assert_eq!(gives, shown.contains(setting.key), "{}", setting.key);
    }
}

#[test]
fn a_tightened_key_is_told_and_no_finding() {
    for (key, looser, tighter) in [
        ("auth.never_act_as", "", "auth.never_act_as = [\"admin\"]"),
        ("relax.semicolon", "relax.semicolon = true", ""),
        ("audit.durability", "audit.durability = \"buffered\"", ""),
        ("audit.retention_days", "audit.retention_days = 1", ""),
        ("auth.failed_attempts", "auth.failed_attempts = 0", ""),
        ("limits.body_size", "", "limits.body_size = \"1MiB\""),
        ("mode", "", SECURE),
    ] {
        let found = changes(&parse(looser), &parse(tighter));
        let change = found.iter().find(|change| change.key == key);
        assert!(
            change.is_some_and(|change| change.widens.is_none()),
            "{key}: {found:?}"
        );
    }
    assert_eq!(changes(&parse(""), &parse("")), []);
    let ordered = |list: &str| parse(&format!("upstream.refused_members = [{list}]"));
    assert_eq!(changes(&ordered("'a', 'b'"), &ordered("'b', 'a'")), []);
}

#[test]
fn all_the_products_paths_are_compared_with_named_ones() {
    let named = parse("upstream.endpoints = [\"/rest/*\", \"/api/*\"]");
    let product = parse("");
    for (old, new) in [(&named, &product), (&product, &named)] {
        assert!(changes(old, new).iter().any(|change| change.widens.is_some()));
    }
}

/// As the documents lead from standard mode to secure mode: every step binds more.
#[test]
fn keys_that_begin_to_bind_are_no_finding() {
    let widened = |old: &str, new: &str| -> Vec<String> {
        let changes = changes(&parse(old), &parse(new)).into_iter();
        let widened = changes.filter(|change| change.widens.is_some());
        widened.map(|change| change.key).collect()
    };
    let signed = format!(
        "{SECURE}\nkeys.artifact_public_keys = [\"ed25519:d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a\"]"
    );
    assert_eq!(widened("", SECURE), [""; 0]);
    assert_eq!(widened("", &signed), [""; 0]);
    assert_eq!(widened(SECURE, &signed), [""; 0]);
    assert_eq!(widened(&signed, SECURE), ["keys.artifact_public_keys"]);
    assert_eq!(widened(SECURE, ""), ["mode"]);
    assert_eq!(widened(&signed, ""), ["mode", "keys.artifact_public_keys"]);
}

#[test]
fn endpoints_below_served_ones_are_no_finding() {
    let widens = |old: &str, new: &str| {
        let of = |list: &str| parse(&format!("upstream.endpoints = [{list}]"));
        let changes = changes(&of(old), &of(new));
        changes.iter().any(|change| change.widens.is_some())
    };
    assert!(!widens("'/rest/*'", "'/rest/api/*', '/rest/x'"));
    assert!(!widens("'/rest/*', '/api'", "'/api'"));
    for (old, new) in [
        ("'/rest/*'", "'/rest'"),
        ("'/rest/*'", "'/restful/*'"),
        ("'/rest/api/*'", "'/rest/*'"),
        ("'/rest'", "'/rest/*'"),
        ("'/rest'", "'/rest/x'"),
    ] {
        assert!(widens(old, new), "{old} {new}");
    }
}

#[test]
fn another_spelling_of_the_policy_directory_is_no_change() {
    let policies = |path: &str| parse(&format!("policies = '{path}'"));
    assert_eq!(changes(&policies("policies"), &policies("./policies/.")), []);
    assert_ne!(changes(&policies("policies"), &policies("../policies")), []);
}

#[test]
fn a_change_of_no_known_direction_may_give_more() {
    let of = |old: &str, new: &str| -> Vec<bool> {
        let changes = changes(&parse(old), &parse(new)).into_iter();
        changes.map(|change| change.is_certain).collect()
    };
    assert_eq!(of("", "upstream.host = 'other'"), [false]);
    assert_eq!(of("", "relax.semicolon = true"), [true]);
}
