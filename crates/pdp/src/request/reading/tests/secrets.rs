//! Tests that a presented secret occurs nowhere else: neither in reported text nor in the forwarded request.

use super::*;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

const IMPORTED: &str = "k3v9x2m7q1z8b4n6c5l0j2h3g7f1d9s8";

fn basic() -> String {
    STANDARD.encode(format!("old-ci:{IMPORTED}"))
}

/// Checks a target with the same credentials in each way that a request may present them.
fn presented(target: &str, check: impl Fn(&Reading)) {
    let whole = format!("Basic {}", basic());
    let unpadded = format!("Basic {}", basic().trim_end_matches('='));
    let bearer = format!("Bearer {IMPORTED}");
    let other = format!("Token token=\"{IMPORTED}\"");
    for value in [&whole, &unpadded, &bearer, &other] {
        check(&get(target).with("Authorization", value).read());
    }
    let twice = get(target).with("Authorization", "Bearer x");
    check(&twice.with("Authorization", &bearer).read());
    check(&get(target).with("Proxy-Authorization", &bearer).read());
    check(
        &get(target)
            .with("X-Api-Key", IMPORTED)
            .under(Product::Generic)
            .read(),
    );
    let header = get(target).under(Product::Gitlab).with("PRIVATE-TOKEN", IMPORTED);
    check(&header.read());
    check(&header.set(|settings| settings.product_header = true).read());
}

#[test]
fn a_url_with_the_presented_secret_is_refused_and_shown_masked() {
    let (begin, end) = IMPORTED.split_at(16);
    let basic = basic();
    let encoded = basic.trim_end_matches('=');
    for (target, shown) in [
        (format!("any/a?note={IMPORTED}"), "any/a?note=***"),
        (format!("any/{IMPORTED}?a=1"), "any/***?a=1"),
        (format!("a?{}=1", IMPORTED.to_uppercase()), "a?***=1"),
        (format!("a?p={basic}"), "a?p=***"),
        (format!("a?p={encoded}&q=1"), "a?p=***&q=1"),
        (format!("a?p={begin}%25{end}"), "a?p=***"),
        (format!("a?p={begin}%{end}"), "a?p=***"),
        (format!("a?p={begin}+{end}"), "a?p=***"),
        (
            format!("a?p=%256b{}", IMPORTED.trim_start_matches('k')),
            "a?p=***",
        ),
        (format!("a/{begin}/{end}"), ""),
        (format!("../{IMPORTED}"), "../***"),
        (format!("a;{IMPORTED}"), "a;***"),
        (format!("a#{IMPORTED}"), "a#***"),
    ] {
        let shown = match shown {
            "" => "https://a.example/***".to_owned(),
            shown => format!("https://a.example/ctx/{shown}"),
        };
        presented(&format!("/ctx/{target}"), |reading| {
            assert!(reading.head.is_err(), "{target}");
            assert_eq!(&*reading.shown_url, shown, "{target}");
        });
    }
}

#[test]
fn neither_method_nor_user_nor_request_id_tell_the_secret() {
    let bearer = format!("Bearer {IMPORTED}");
    let reading = |method| get("/ctx/x").method(method).with("Authorization", &bearer).read();
    assert_eq!(reading(IMPORTED).shown_method, "***");
    assert_eq!(reading("twd_x").shown_method, "***");
    assert_eq!(reading("PURGE").shown_method, "PURGE");
    for id in [IMPORTED, "twd_0", &basic()] {
        let given = get("/ctx/x")
            .with("Authorization", &bearer)
            .with("X-Request-ID", id);
        assert_eq!(given.read().client_request_id, None, "{id}");
    }
    let twice = STANDARD.encode(format!("{IMPORTED}:{IMPORTED}"));
    let ours = STANDARD.encode(format!("twd_0123456789abcdefghijklmnopqrstuv:{IMPORTED}"));
    for user in [twice, ours] {
        let given = get("/ctx/x")
            .with("Authorization", &format!("Basic {user}"))
            .read()
            .credentials;
        assert_eq!(given, Credentials::Malformed);
    }
}

#[test]
fn no_header_takes_the_secret_upstream() {
    let bearer = format!("Bearer {IMPORTED}");
    let basic = basic();
    let state = format!("a={IMPORTED}");
    let cookies = |settings: &mut Settings| settings.relax.cookies = true;
    let given = || get("/ctx/x").with("Authorization", &bearer);
    let sent = |name, value| given().set(cookies).with(name, value).head().unwrap().headers;
    assert_eq!(sent("X-Note", "x").iter().count(), 1);
    for (name, value) in [
        ("X-Note", IMPORTED),
        ("Referer", &format!("https://a.example/x?{IMPORTED}")),
        ("X-Note", &basic),
        (IMPORTED, "x"),
        ("Cookie", &format!("s={IMPORTED}")),
    ] {
        assert!(sent(name, value).is_empty(), "{name}: {value}");
    }
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let traced = given().with("traceparent", parent);
    assert!(traced.read().traceable);
    assert!(!traced.with("TraceState", &state).read().traceable);
    let typed = post("/ctx/x", "application/json").with("Authorization", &bearer);
    assert!(typed.head().is_ok());
    let media = format!("application/json; x={IMPORTED}");
    let typed = post("/ctx/x", &media).with("Authorization", &bearer);
    assert_eq!(typed.refused(), Some(Reason::MalformedContentType));
}

#[test]
fn a_secret_as_basic_user_or_in_a_cookie_is_shown_nowhere() {
    const OURS: &str = "twd_0123456789abcdefghijklmnopqrstuvwxyz01";
    let basic =
        |user: &str, password: &str| format!("Basic {}", STANDARD.encode(format!("{user}:{password}")));
    for secret in [OURS, IMPORTED] {
        let (begin, end) = secret.split_at(20);
        let escaped: String = secret.bytes().map(|byte| format!("%{byte:02x}")).collect();
        let presented = [
            ("Authorization", basic(secret, "")),
            ("Authorization", basic(secret, "x-oauth-basic")),
            ("Authorization", basic(secret, "").replace('=', "")),
            ("Cookie", format!("session={secret}")),
            ("Cookie", format!("a=1; t=\"{secret}\" ; b=2")),
            ("Cookie", format!("theme=dark, t={escaped}")),
            (
                "Cookie",
                format!("auth={}", STANDARD.encode(format!("old-ci:{secret}"))),
            ),
        ];
        for (name, value) in &presented {
            for target in [
                format!("/ctx/x?note={secret}"),
                format!("/ctx/{secret}/b"),
                format!("/ctx/x?p={begin}+{end}"),
                format!("/ctx/x?p={}", STANDARD.encode(format!("me:{secret}"))),
            ] {
                let request = get(&target).with(name, value).with("X-Request-ID", secret);
                let reading = request.read_knowing(IMPORTED);
                let shown = reading.shown_url.to_lowercase().replace("%20", "");
                assert!(
                    !shown.contains(end) && shown.contains("***"),
                    "{name}: {value}: {target}: {shown}"
                );
                assert_eq!(reading.client_request_id, None, "{name}: {value}");
            }
        }
    }
    // A cookie that repeats the URL must not hide it from the audit.
    let repeated = get("/ctx/x?note=restapi2issuekanban100").with("Cookie", "a=restapi2issuekanban100");
    assert_eq!(
        repeated.read_knowing(IMPORTED).shown_url,
        "https://a.example/ctx/x?note=restapi2issuekanban100"
    );
    // Whoever fills the cookies with other texts gains nothing but that these are not compared.
    let many = (0..200)
        .map(|n| format!("a={n:020}"))
        .collect::<Vec<_>>()
        .join("; ");
    let asked = std::cell::Cell::new(0);
    get("/ctx/x").with("Cookie", &many).read_asking(|_| {
        asked.set(asked.get() + 1);
        false
    });
    assert!((1..=128).contains(&asked.get()), "{}", asked.get());
    // Ordinary users and cookies may stand in a URL.
    let own_name = basic("alice.longname", IMPORTED);
    let ordinary = get("/ctx/x?user=alice.longname&theme=dark")
        .with("Authorization", &own_name)
        .with(
            "Cookie",
            "theme=dark; lang=en-GB; page=issues-of-the-project-kanban",
        );
    assert_eq!(
        ordinary.read().shown_url,
        "https://a.example/ctx/x?user=alice.longname&theme=dark"
    );
}
