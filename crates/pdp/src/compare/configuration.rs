//! Compares configurations. Each key of `tokenward.toml` has a rule for the direction in which it allows more, hides
//! more or loses records.

mod rule;

use std::num::NonZeroU32;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use tokenward_compiler::call_limits::{CallLimits, Rate};
use tokenward_compiler::diagnostic::Code;
use tokenward_compiler::lint::LintSet;

use super::change::Change;
use crate::config::{
    Admin, Answers, AuditConfig, Auth, Config, Durability, Fleet, FleetEngine, Hardening, Health, Identity,
    Keys, Limits, Lint, Log, Mode, OnExpired, OnFailure, OnStale, PasswordSource, Relax, Role, Server,
    Telemetry, TlsFiles, Tokens, Upstream, Values,
};
use crate::request::Keep;
use rule::{Rule, Setting, Value};

/// Stands for the endpoints of a configuration that names none.
const PRODUCTS: &str = "(the product's)";

/// All differences, those that are findings among them. Paths are to be as the files have them.
pub(super) fn changes(old: &Config, new: &Config) -> Vec<Change> {
    let pairs = settings(old).into_iter().zip(settings(new));
    pairs
        .filter(|(old, new)| old.value != new.value)
        .map(|(old, new)| {
            let widens = new.rule.widens(&old.value, &new.value);
            let code = widens.then_some(Code::LooserConfiguration);
            let change = Change::new(new.key, old.value.to_string(), new.value.to_string(), code);
            if new.rule == Rule::Any {
                change.uncertain()
            } else {
                change
            }
        })
        .collect()
}

/// Lists every key with its value and its rule. A new field does not compile, and a new key fails a test, until it is
/// classified here.
fn settings(config: &Config) -> Vec<Setting> {
    let Config {
        file: _,
        policies,
        deny_warnings,
        lint,
        mode,
        keys,
        fleet,
        tokens,
        server,
        admin,
        health,
        upstream,
        api,
        identity,
        auth,
        audit,
        audit_values,
        limits,
        relax,
        answers,
        log,
        telemetry,
    } = config;
    // `./policies` is `policies`.
    let policies: PathBuf = policies
        .components()
        .filter(|part| *part != Component::CurDir)
        .collect();
    // Without it, a change can add what the compiler warns of.
    let warnings = if *deny_warnings {
        Value::ranked("deny", 0)
    } else {
        Value::ranked("allow", 1)
    };
    let mut settings = vec![
        Setting::new("policies", path(&policies), Rule::Any),
        Setting::new("warnings", warnings, Rule::Grows),
        Setting::new(
            "api.descriptions",
            Value::List(
                api.descriptions
                    .iter()
                    .map(|file| file.display().to_string())
                    .collect(),
            ),
            Rule::Nothing("a description of the API decides no call"),
        ),
    ];
    settings.extend(of_lint(lint));
    settings.extend(of_keys(mode, keys));
    settings.extend(of_fleet(fleet.as_ref()));
    settings.extend(of_tokens(*tokens));
    settings.extend(of_server(server));
    settings.extend(of_admin(admin));
    settings.push(of_health(health));
    settings.extend(of_upstream(upstream));
    settings.extend(of_identity(identity));
    settings.extend(of_auth(auth));
    settings.extend(of_audit(audit));
    settings.extend(of_values(audit_values));
    settings.extend(of_limits(limits));
    settings.extend(of_relax(*relax));
    settings.extend(of_answers(answers));
    settings.extend(of_log(log, telemetry));
    settings
}

/// A change can add what lints warn of if fewer of them run, or if it adds exceptions.
fn of_lint(lint: &Lint) -> Vec<Setting> {
    let Lint {
        set,
        expires_within,
        allow,
    } = lint;
    let rank = match set {
        LintSet::Auditor => 0,
        LintSet::Pedantic => 1,
        LintSet::Regular => 2,
        LintSet::None => 3,
    };
    let exceptions = allow.iter().map(|exception| exception.text.clone());
    vec![
        Setting::new("lint.set", Value::ranked(set.as_str(), rank), Rule::Grows),
        Setting::new("lint.expires_within", time(*expires_within), Rule::Shrinks),
        Setting::new("lint.allow", Value::set(exceptions.collect()), Rule::Gains),
    ]
}

fn of_keys(mode: &Mode, keys: &Keys) -> Vec<Setting> {
    let (named, public) = match mode {
        Mode::Secure(public) => (
            Value::ranked("secure", 0),
            Value::set(public.iter().map(ToString::to_string).collect()),
        ),
        Mode::Standard => (Value::ranked("standard", 1), Value::Unlimited("(none)")),
    };
    let Keys {
        sealing,
        signing,
        artifact,
        artifact_public,
    } = keys;
    // Without a key, standard mode accepts a compiled policy of anyone.
    let signers = match artifact_public.as_slice() {
        [] => Value::Unlimited("(anyone)"),
        keys => Value::set(keys.iter().map(ToString::to_string).collect()),
    };
    let sealing = sealing.iter().map(|file| file.display().to_string());
    vec![
        Setting::new("mode", named, Rule::Grows),
        // New secrets are encrypted for whoever has the key of this file.
        Setting::new("keys.sealing_keys", Value::List(sealing.collect()), Rule::Any),
        Setting::new(
            "keys.signing_key",
            maybe_path(signing.as_deref()),
            Rule::Nothing("a seal counts only if one of public_keys admits it"),
        ),
        // That no list binds any more is the change of `mode`.
        Setting::new("keys.public_keys", public, Rule::GainsWhereBound),
        Setting::new(
            "keys.artifact_key",
            maybe_path(artifact.as_deref()),
            Rule::Nothing("a compiled policy is accepted only if one of artifact_public_keys admits it"),
        ),
        Setting::new("keys.artifact_public_keys", signers, Rule::Gains),
    ]
}

/// The source of the policy, if it is a fleet's. Without it the proxy loads `policies`.
fn of_fleet(fleet: Option<&Fleet>) -> Vec<Setting> {
    let text = |of: &dyn Fn(&Fleet) -> String| Value::Text(fleet.map(of));
    let file = |of: &dyn Fn(&Fleet) -> Option<&PathBuf>| {
        Value::Text(fleet.and_then(of).map(|path| path.display().to_string()))
    };
    // Without a fleet, whoever can write the directory of the policies makes the policy.
    let keys = match fleet {
        None => Value::Unlimited("(no fleet)"),
        Some(fleet) => Value::set(fleet.public_keys.iter().map(ToString::to_string).collect()),
    };
    let on_expired = match fleet.map(|fleet| fleet.on_expired) {
        None | Some(OnExpired::Serve) => Value::ranked("serve", 1),
        Some(OnExpired::Refuse) => Value::ranked("refuse", 0),
    };
    let engine = fleet.and_then(|fleet| fleet.engine.as_ref());
    let engine_text = |of: &dyn Fn(&FleetEngine) -> String| Value::Text(engine.map(of));
    let revoking = match engine {
        None => Value::List(Vec::new()),
        Some(engine) => Value::set(engine.revoking_keys.iter().map(ToString::to_string).collect()),
    };
    // Without the engine, each proxy knows its own revocations only.
    let staleness = match engine {
        None => Value::ranked("(no servers)", u128::MAX),
        Some(engine) => Value::ranked(
            &format!("{:?}", engine.max_staleness),
            engine.max_staleness.as_nanos(),
        ),
    };
    let on_stale = match engine.map(|engine| engine.on_stale) {
        None | Some(OnStale::Serve) => Value::ranked("serve", 1),
        Some(OnStale::Refuse) => Value::ranked("refuse", 0),
    };
    let path = |path: Option<&Path>| path.map(|path| path.display().to_string());
    vec![
        Setting::new(
            "fleet.servers",
            Value::Text(engine.map(|engine| engine.servers.join(", "))),
            Rule::Nothing(
                "manifests and revocations are signed; max_staleness and on_stale bound what servers can withhold",
            ),
        ),
        Setting::new(
            "fleet.node",
            Value::Text(engine.and_then(|engine| engine.node.clone())),
            Rule::Nothing("it names the proxy to others"),
        ),
        Setting::new(
            "fleet.client_certificate",
            Value::Text(engine.and_then(|engine| {
                path(
                    engine
                        .client_certificate
                        .as_ref()
                        .map(|it| it.certificate.as_path()),
                )
            })),
            Rule::Nothing("the servers decide what it admits"),
        ),
        Setting::new(
            "fleet.client_key",
            Value::Text(
                engine.and_then(|engine| path(engine.client_certificate.as_ref().map(|it| it.key.as_path()))),
            ),
            Rule::Nothing("the servers decide what it admits"),
        ),
        Setting::new("fleet.revoking_keys", revoking, Rule::Loses),
        Setting::new(
            "fleet.revoking_key",
            engine_text(&|engine| {
                engine
                    .revoking_key
                    .as_ref()
                    .map(|key| key.display().to_string())
                    .unwrap_or_default()
            }),
            Rule::Nothing("it signs revocations, which only take away"),
        ),
        Setting::new("fleet.max_staleness", staleness, Rule::Grows),
        Setting::new("fleet.on_stale", on_stale, Rule::Grows),
        Setting::new("fleet.name", text(&|fleet| fleet.name.clone()), Rule::Any),
        Setting::new(
            "fleet.source",
            text(&|fleet| fleet.source.to_string()),
            Rule::Nothing("a manifest counts only if one of public_keys signed it"),
        ),
        Setting::new(
            "fleet.ca_file",
            file(&|fleet| fleet.ca_file.as_ref()),
            Rule::Nothing(
                "the server is not trusted: a manifest counts only if one of public_keys signed it",
            ),
        ),
        Setting::new(
            "fleet.token_file",
            file(&|fleet| fleet.token_file.as_ref()),
            Rule::Nothing("the token reads what is signed; the server decides about it"),
        ),
        Setting::new("fleet.public_keys", keys, Rule::Gains),
        Setting::new(
            "fleet.poll",
            text(&|fleet| format!("{:?}", fleet.poll)),
            Rule::Nothing("it delays a new policy, which expiry bounds"),
        ),
        Setting::new("fleet.on_expired", on_expired, Rule::Grows),
    ]
}

/// Lists what tokens are allowed at most. Without a limit they are allowed anything.
fn of_tokens(tokens: Tokens) -> Vec<Setting> {
    let Tokens {
        limits,
        together,
        max_lifetime,
    } = tokens;
    let CallLimits {
        rate,
        burst: _,
        concurrent,
        max_body,
    } = limits;
    let any = || Value::ranked("(any)", u128::MAX);
    let number = |number: Option<NonZeroU32>| number.map_or_else(any, |number| count(number.get().into()));
    // A scale on which each rate has its own rank.
    let rank =
        |rate: Rate| u128::from(rate.calls().get()) * 1_000_000_000_000 / rate.per().as_millis().max(1);
    let rated =
        |rate: Option<Rate>| rate.map_or_else(any, |rate| Value::ranked(&rate.to_string(), rank(rate)));
    let settings = [
        ("tokens.rate", rated(rate)),
        ("tokens.burst", number(limits.whole_burst())),
        ("tokens.concurrent", number(concurrent)),
        ("tokens.max_body", max_body.map_or_else(any, count)),
        ("tokens.max_lifetime", max_lifetime.map_or_else(any, time)),
        ("tokens.together.rate", rated(together.rate)),
        ("tokens.together.burst", number(together.whole_burst())),
        ("tokens.together.concurrent", number(together.concurrent)),
    ];
    let grows = |(key, value)| Setting::new(key, value, Rule::Grows);
    settings.into_iter().map(grows).collect()
}

fn of_server(server: &Server) -> Vec<Setting> {
    let Server {
        listen,
        workers,
        shutdown_grace,
        trusted_proxies,
        client_address,
        tls,
        hardening,
    } = server;
    let proxies = trusted_proxies.iter().map(ToString::to_string).collect();
    let [certificate, key] = files(tls.as_ref());
    let hardening = match hardening {
        Hardening::Required => Value::ranked("required", 0),
        Hardening::BestEffort => Value::ranked("best-effort", 1),
        Hardening::Off => Value::ranked("off", 2),
    };
    vec![
        // The address determines who can reach the proxy.
        Setting::new("server.listen", text(listen), Rule::Any),
        Setting::new(
            "server.workers",
            count(*workers as u64),
            Rule::Nothing("the number of threads decides no call"),
        ),
        Setting::new(
            "server.shutdown_grace",
            time(*shutdown_grace),
            Rule::Nothing("calls that were allowed may end; revocation ends them still"),
        ),
        // Both settings determine the address with which a token's `allowed_ips` are compared.
        Setting::new("server.trusted_proxies", Value::set(proxies), Rule::Any),
        Setting::new(
            "server.client_address",
            text(format!("{client_address:?}")),
            Rule::Any,
        ),
        // Without TLS, or with another key, others may read secrets in transit.
        Setting::new("server.tls.certificate", certificate, Rule::Any),
        Setting::new("server.tls.key", key, Rule::Any),
        // A fault in the proxy then reaches more of the machine.
        Setting::new("server.hardening", hardening, Rule::Grows),
    ]
}

fn of_admin(admin: &Admin) -> Vec<Setting> {
    let Admin {
        listen,
        secret_file,
        names,
        review,
        tls,
        client_certificates,
        identity,
    } = admin;
    let review = review.iter().map(|place| place.display().to_string()).collect();
    let [certificate, key] = files(tls.as_ref());
    let ca_file = client_certificates
        .as_ref()
        .map(|people| people.ca_file.as_path());
    let prints = client_certificates.iter().flat_map(|people| &people.roles);
    let prints: Vec<(String, Role)> = prints.map(|(print, role)| (hex::encode(print), *role)).collect();
    let people = identity.iter().flat_map(|people| &people.roles);
    let people: Vec<(String, Role)> = people.map(|(name, role)| (name.clone(), *role)).collect();
    let proxies = identity.iter().flat_map(|people| &people.proxies);
    let proxies = proxies.map(ToString::to_string).collect();
    let mut settings = vec![
        Setting::new("admin.listen", text(listen), Rule::Any),
        Setting::new("admin.secret_file", path(secret_file), Rule::Any),
        // A page of another site can use a name that resolves to the listener, but only with a session.
        Setting::new("admin.names", Value::set(names.to_vec()), Rule::Any),
        Setting::new("admin.review", Value::set(review), Rule::Any),
        Setting::new("admin.tls.certificate", certificate, Rule::Any),
        Setting::new("admin.tls.key", key, Rule::Any),
        // People who are admitted may revoke tokens.
        Setting::new(
            "admin.client_certificates.ca_file",
            maybe_path(ca_file),
            Rule::Any,
        ),
        Setting::new(
            "admin.identity.header",
            maybe(identity.as_ref().map(|people| &people.header)),
            Rule::Any,
        ),
        Setting::new("admin.identity.proxies", Value::set(proxies), Rule::Any),
    ];
    const LISTS: [(Role, &str, &str); 3] = [
        (
            Role::Viewer,
            "admin.client_certificates.viewers",
            "admin.identity.viewers",
        ),
        (
            Role::Revoker,
            "admin.client_certificates.revokers",
            "admin.identity.revokers",
        ),
        (
            Role::Operator,
            "admin.client_certificates.operators",
            "admin.identity.operators",
        ),
    ];
    for (role, of_prints, of_people) in LISTS {
        let with_role = |all: &[(String, Role)]| {
            let with_role = all.iter().filter(|(_, has)| *has == role);
            Value::set(with_role.map(|(person, _)| person.clone()).collect())
        };
        settings.push(Setting::new(of_prints, with_role(&prints), Rule::Any));
        settings.push(Setting::new(of_people, with_role(&people), Rule::Any));
    }
    settings
}

fn of_health(health: &Health) -> Setting {
    let Health { listen } = health;
    // Others may then reach a listener of the process, although it has no secret.
    Setting::new("health.listen", maybe(listen.as_ref()), Rule::Any)
}

fn of_upstream(upstream: &Upstream) -> Vec<Setting> {
    let Upstream {
        urls,
        health_path,
        health_interval,
        public_url,
        endpoints,
        streams,
        product,
        host,
        ca_file,
        client_certificate,
        refused_parameters,
        refused_headers,
        refused_members,
        accepted_names,
    } = upstream;
    let endpoints = if endpoints.is_empty() {
        vec![PRODUCTS.to_owned()]
    } else {
        endpoints.clone()
    };
    let [certificate, key] = files(client_certificate.as_ref());
    let names = |names: &[String]| Value::set(names.to_vec());
    vec![
        Setting::new("upstream.url", names(urls), Rule::Any),
        // The proxy calls it by itself, past every token and without a record.
        Setting::new("upstream.health_path", maybe(health_path.as_ref()), Rule::Any),
        Setting::new("upstream.health_interval", time(*health_interval), Rule::Shrinks),
        // Lines, and `{BASE_URL}` in them, match below it.
        Setting::new("upstream.public_url", text(public_url), Rule::Any),
        Setting::new("upstream.endpoints", Value::set(endpoints), Rule::GainsPaths),
        Setting::new(
            "upstream.streams",
            names(streams),
            Rule::Nothing("a response that pauses longer gives nobody more"),
        ),
        // Another product has other names that are refused, and other calls that give credentials or rights.
        Setting::new("upstream.product", text(product.name()), Rule::Any),
        Setting::new("upstream.host", maybe(host.as_ref()), Rule::Any),
        Setting::new("upstream.ca_file", maybe_path(ca_file.as_deref()), Rule::Any),
        Setting::new("upstream.client_certificate", certificate, Rule::Any),
        Setting::new("upstream.client_key", key, Rule::Any),
        Setting::new(
            "upstream.refused_parameters",
            names(refused_parameters),
            Rule::Loses,
        ),
        Setting::new("upstream.refused_headers", names(refused_headers), Rule::Loses),
        Setting::new("upstream.refused_members", names(refused_members), Rule::Loses),
        Setting::new("upstream.accepted_names", names(accepted_names), Rule::Gains),
    ]
}

/// Lists the settings of identities. They select the user for whom the upstream executes a call, so any change gives
/// other rights.
fn of_identity(identity: &Identity) -> Vec<Setting> {
    let none = || maybe(None::<&String>);
    let (mode, header, credentials, user, password) = match identity {
        Identity::TrustedHeader { header } => ("trusted-header", text(header), none(), none(), None),
        Identity::PerUser { credentials } => ("per-user", none(), path(credentials), none(), None),
        Identity::ServiceAccount {
            user,
            password,
            header,
        } => (
            "service-account",
            text(header),
            none(),
            text(user),
            Some(password),
        ),
    };
    let [file, variable] = source(password);
    vec![
        Setting::new("upstream.identity.mode", text(mode), Rule::Any),
        Setting::new("upstream.identity.header", header, Rule::Any),
        Setting::new("upstream.identity.credentials", credentials, Rule::Any),
        Setting::new("upstream.identity.user", user, Rule::Any),
        Setting::new("upstream.identity.secret_file", file, Rule::Any),
        Setting::new("upstream.identity.secret_env", variable, Rule::Any),
    ]
}

fn of_auth(auth: &Auth) -> Vec<Setting> {
    let Auth {
        methods,
        query_parameter,
        product_header,
        schemes: further,
        never_act_as,
        throttling,
    } = auth;
    let schemes = [(methods.basic(), "basic"), (methods.bearer(), "bearer")];
    let schemes = schemes.iter().filter(|(is, _)| *is);
    let parameter = query_parameter.iter().cloned().collect();
    let attempts = match throttling.attempts {
        0 => Value::ranked("0 (not slowed)", u128::MAX),
        attempts => count(attempts.into()),
    };
    vec![
        Setting::new(
            "auth.methods",
            Value::set(schemes.map(|(_, name)| (*name).to_owned()).collect()),
            Rule::Gains,
        ),
        Setting::new("auth.query_parameter", Value::set(parameter), Rule::Gains),
        Setting::new("auth.product_header", Value::flag(*product_header), Rule::Grows),
        Setting::new("auth.schemes", Value::set(further.clone()), Rule::Gains),
        Setting::new("auth.never_act_as", Value::set(never_act_as.clone()), Rule::Loses),
        Setting::new("auth.failed_attempts", attempts, Rule::Grows),
        Setting::new("auth.failed_window", time(throttling.window), Rule::Shrinks),
        Setting::new("auth.failed_delay", time(throttling.delay), Rule::Shrinks),
    ]
}

/// Lists the settings of the audit. Calls that are not recorded cannot be found later, so settings that lose records
/// are findings too.
fn of_audit(audit: &AuditConfig) -> Vec<Setting> {
    let AuditConfig {
        path: store,
        durability,
        on_failure,
        queue_bytes,
        wait,
        outsider_quota_per_minute,
        retention_days,
        reserve_bytes,
        cache_bytes,
        signing_key,
        signing_interval,
    } = audit;
    let durability = match durability {
        Durability::Durable => Value::ranked("durable", 0),
        Durability::Buffered => Value::ranked("buffered", 1),
    };
    let on_failure = match on_failure {
        OnFailure::Refuse => Value::ranked("refuse", 0),
        OnFailure::AllowSafe => Value::ranked("allow", 1),
    };
    let retention = match retention_days {
        None => Value::ranked("0 (all)", u128::MAX),
        Some(days) => count((*days).into()),
    };
    vec![
        Setting::new("audit.path", path(store), Rule::Any),
        Setting::new("audit.durability", durability, Rule::Grows),
        Setting::new("audit.on_failure", on_failure, Rule::Grows),
        // A call that finds no place for its record in time is treated by `on_failure`, and may go unrecorded.
        Setting::new("audit.queue_size", count(*queue_bytes as u64), Rule::Shrinks),
        Setting::new("audit.wait", time(*wait), Rule::Shrinks),
        Setting::new(
            "audit.outsiders_per_minute",
            count((*outsider_quota_per_minute).into()),
            Rule::Shrinks,
        ),
        Setting::new("audit.retention_days", retention, Rule::Shrinks),
        // Records end before so much space is left.
        Setting::new("audit.reserve_size", count(*reserve_bytes), Rule::Grows),
        Setting::new(
            "audit.cache_size",
            count(*cache_bytes),
            Rule::Nothing("the memory of a cache decides no call"),
        ),
        Setting::new("audit.signing_key", maybe_path(signing_key.as_deref()), Rule::Any),
        Setting::new("audit.signing_interval", time(*signing_interval), Rule::Grows),
    ]
}

fn of_values(values: &Values) -> Vec<Setting> {
    let Values {
        query,
        body,
        names,
        key,
    } = values;
    let named = |keep: Keep| {
        let names = names.iter().filter(|(_, kept)| *kept == keep);
        Value::set(names.map(|(name, _)| name.clone()).collect())
    };
    let kept = |keep: Keep| {
        text(match keep {
            Keep::Text => "keep",
            Keep::Hash => "hash",
            Keep::Nothing => "drop",
        })
    };
    let [file, variable] = source(key.as_ref());
    // Storing less loses a record; storing more exposes a value.
    vec![
        Setting::new("audit.values.query", kept(*query), Rule::Any),
        Setting::new("audit.values.body", kept(*body), Rule::Any),
        Setting::new("audit.values.keep", named(Keep::Text), Rule::Any),
        Setting::new("audit.values.hash", named(Keep::Hash), Rule::Any),
        Setting::new("audit.values.drop", named(Keep::Nothing), Rule::Any),
        Setting::new("audit.values.key_file", file, Rule::Any),
        Setting::new("audit.values.key_env", variable, Rule::Any),
    ]
}

fn of_limits(limits: &Limits) -> Vec<Setting> {
    let Limits {
        inspect_bytes,
        inspected_total,
        body_bytes,
        query_pairs,
        head_bytes,
        header_count,
        head_timeout,
        body_timeout,
        stream_timeout,
        body_rate,
        answer_rate,
        connect_timeout,
        upstream_timeout,
        idle_timeout,
        max_connections,
        max_connections_per_client,
        max_connections_per_56,
        max_connections_per_48,
        max_calls,
        http2_streams,
        http2_resets,
    } = limits;
    let body = match body_bytes {
        None => Value::ranked("(any)", u128::MAX),
        Some(bytes) => count(*bytes),
    };
    let calls = match max_calls {
        None => Value::ranked("(by memory and descriptors)", u128::MAX),
        Some(calls) => count(*calls as u64),
    };
    // Beyond a size, a call is refused. The other limits keep the proxy up for everybody: a looser one lets a client hold more of it.
    let upstream = Rule::Nothing("waits for the upstream, which clients do not control");
    let size = |key, value: usize| Setting::new(key, count(value as u64), Rule::Grows);
    let mut settings = vec![
        size("limits.inspect_size", *inspect_bytes),
        Setting::new("limits.body_size", body, Rule::Grows),
        size("limits.query_pairs", *query_pairs),
        size("limits.head_size", *head_bytes),
        size("limits.header_count", *header_count),
    ];
    let per_client = *max_connections_per_client as u64;
    let [per_56, per_48] = [max_connections_per_56, max_connections_per_48].map(|limit| *limit as u64);
    for (key, value, rule) in [
        ("limits.head_timeout", time(*head_timeout), Rule::Grows),
        ("limits.body_timeout", time(*body_timeout), Rule::Grows),
        ("limits.stream_timeout", time(*stream_timeout), Rule::Grows),
        ("limits.body_rate", count((*body_rate).into()), Rule::Shrinks),
        ("limits.answer_rate", count((*answer_rate).into()), Rule::Shrinks),
        (
            "limits.inspected_total",
            count(*inspected_total as u64),
            Rule::Grows,
        ),
        ("limits.connect_timeout", time(*connect_timeout), upstream),
        ("limits.upstream_timeout", time(*upstream_timeout), upstream),
        ("limits.idle_timeout", time(*idle_timeout), Rule::Grows),
        (
            "limits.max_connections",
            count(*max_connections as u64),
            Rule::Grows,
        ),
        (
            "limits.max_connections_per_client",
            count(per_client),
            Rule::Grows,
        ),
        ("limits.max_connections_per_56", count(per_56), Rule::Grows),
        ("limits.max_connections_per_48", count(per_48), Rule::Grows),
        (
            "limits.http2_streams",
            count((*http2_streams).into()),
            Rule::Grows,
        ),
        ("limits.max_calls", calls, Rule::Grows),
        ("limits.http2_resets", count((*http2_resets).into()), Rule::Grows),
    ] {
        settings.push(Setting::new(key, value, rule));
    }
    settings
}

/// Lists the relaxations; each of them lifts a refusal.
fn of_relax(relax: Relax) -> Vec<Setting> {
    let Relax {
        control_character,
        nul,
        backslash,
        encoded_slash,
        double_encoding,
        semicolon,
        dot_segment,
        empty_segment,
        number_sign,
        ambiguous_parameter,
        get_body,
        cookies,
        merged_multipart,
        xml_body,
    } = relax;
    [
        ("relax.control_character", control_character),
        ("relax.nul", nul),
        ("relax.backslash", backslash),
        ("relax.encoded_slash", encoded_slash),
        ("relax.double_encoding", double_encoding),
        ("relax.semicolon", semicolon),
        ("relax.dot_segment", dot_segment),
        ("relax.empty_segment", empty_segment),
        ("relax.number_sign", number_sign),
        ("relax.ambiguous_parameter", ambiguous_parameter),
        ("relax.get_body", get_body),
        ("relax.cookies", cookies),
        ("relax.merged_multipart", merged_multipart),
        ("relax.xml_body", xml_body),
    ]
    .into_iter()
    .map(|(key, lifted)| Setting::new(key, Value::flag(lifted), Rule::Grows))
    .collect()
}

fn of_answers(answers: &Answers) -> Vec<Setting> {
    let Answers {
        show_policy,
        cors_origins,
        rewrite_links,
    } = answers;
    vec![
        Setting::new("answers.show_policy", Value::flag(*show_policy), Rule::Grows),
        Setting::new(
            "answers.cors_origins",
            Value::set(cors_origins.clone()),
            Rule::Gains,
        ),
        // Links that are not rewritten lead clients directly to the upstream, with their tokens.
        Setting::new(
            "answers.rewrite_links",
            Value::flag(*rewrite_links),
            Rule::Shrinks,
        ),
    ]
}

fn of_log(log: &Log, telemetry: &Telemetry) -> Vec<Setting> {
    let Log { format, level, calls } = log;
    let Telemetry {
        otlp_endpoint,
        service_name,
    } = telemetry;
    vec![
        Setting::new(
            "log.format",
            text(format!("{format:?}")),
            Rule::Nothing("the same events in another form"),
        ),
        // Events such as a failed reload, a slowed client or a full disk are in no other place.
        Setting::new("log.level", text(level), Rule::Any),
        Setting::new("log.calls", text(format!("{calls:?}")), Rule::Any),
        // Users, paths and parameters are sent to this address.
        Setting::new(
            "telemetry.otlp_endpoint",
            Value::set(otlp_endpoint.iter().cloned().collect()),
            Rule::Gains,
        ),
        Setting::new(
            "telemetry.service_name",
            text(service_name),
            Rule::Nothing("a name for spans"),
        ),
    ]
}

fn text(value: impl ToString) -> Value {
    Value::Text(Some(value.to_string()))
}

fn maybe(value: Option<&impl ToString>) -> Value {
    Value::Text(value.map(ToString::to_string))
}

fn path(path: &Path) -> Value {
    text(path.display())
}

fn maybe_path(path: Option<&Path>) -> Value {
    Value::Text(path.map(|path| path.display().to_string()))
}

fn files(files: Option<&TlsFiles>) -> [Value; 2] {
    [
        maybe_path(files.map(|files| files.certificate.as_path())),
        maybe_path(files.map(|files| files.key.as_path())),
    ]
}

/// Splits the source of a secret into its file and its environment variable; at most one of them is set.
fn source(source: Option<&PasswordSource>) -> [Value; 2] {
    match source {
        Some(PasswordSource::File(file)) => [path(file), Value::Text(None)],
        Some(PasswordSource::Environment(name)) => [Value::Text(None), text(name)],
        None => [Value::Text(None), Value::Text(None)],
    }
}

fn count(value: u64) -> Value {
    Value::ranked(&value.to_string(), value.into())
}

fn time(value: Duration) -> Value {
    Value::ranked(&format!("{value:?}"), value.as_nanos())
}

#[cfg(test)]
mod tests;
