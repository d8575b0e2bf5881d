//! Tests of the identity of a request, and of the places where it may not be given.

use super::*;
use base64::Engine as _;

const SECRET: &str = "twd_0123456789abcdefghijklmnopqrstuv";

#[test]
fn credentials_are_read_where_they_may_stand() {
    let bearer = |secret: &str| Credentials::Bearer {
        secret: secret.to_owned(),
    };
    assert_eq!(get("/ctx/x").read().credentials, Credentials::None);
    assert_eq!(
        get("/ctx/x")
            .with("authorization", "Bearer abc")
            .read()
            .credentials,
        bearer("abc")
    );
    assert_eq!(
        get("/ctx/x")
            .with("Proxy-Authorization", "Bearer abc")
            .read()
            .credentials,
        Credentials::None
    );
    // Credentials are also read if the head is refused, since 401 comes first.
    assert_eq!(
        get("/ctx/../x")
            .with("Authorization", "Bearer abc")
            .read()
            .credentials,
        bearer("abc")
    );
    let twice = get("/ctx/x")
        .with("Authorization", "Bearer abc")
        .with("Authorization", "Bearer abc")
        .read();
    assert_eq!(twice.credentials, bearer("abc"));
    assert_eq!(twice.head.unwrap_err().reason, Reason::RepeatedHeader);
}

#[test]
fn the_switched_parameter_is_taken_out_of_the_query() {
    let on = |settings: &mut Settings| settings.query_token = Some("tw".to_owned());
    let target = format!("/ctx/x?a=1&tw={SECRET}&b=2");
    let reading = get(&target).set(on).read();
    assert_eq!(
        reading.credentials,
        Credentials::Switched {
            secret: SECRET.to_owned()
        }
    );
    assert_eq!(reading.shown_url, "https://a.example/ctx/x?a=1&b=2");
    assert_eq!(reading.head.unwrap().upstream_target(), "/ctx/x?a=1&b=2");
    assert_eq!(
        get(&target)
            .set(on)
            .with("Authorization", "Bearer abc")
            .read()
            .credentials,
        Credentials::Malformed
    );
    assert_eq!(
        get("/ctx/x?tw=abc&tw=abc").set(on).read().credentials,
        Credentials::Malformed
    );
    assert_eq!(
        get("/ctx/x?tw=abc&tw").set(on).read().credentials,
        Credentials::Malformed
    );
    assert_eq!(
        get("/ctx/x?TW=abc").set(on).refused(),
        Some(Reason::CredentialParameter)
    );
    assert_eq!(
        get("/ctx/x?tw[]=abc").set(on).refused(),
        Some(Reason::CredentialParameter)
    );
    // If disabled, it is an ordinary parameter, and a secret in it is a secret in the URL.
    let off = get(&target).read();
    assert_eq!(off.credentials, Credentials::None);
    assert_eq!(off.head.unwrap_err().reason, Reason::SecretInUrl);
    assert!(!off.shown_url.contains("0123456789"), "{}", off.shown_url);
}

#[test]
fn the_products_header_is_read_or_refused() {
    for (product, header) in [
        (Product::Gitlab, "PRIVATE-TOKEN"),
        (Product::Redmine, "X-Redmine-API-Key"),
    ] {
        let given = || get("/ctx/x").under(product).with(header, "abc");
        assert_eq!(given().refused(), Some(Reason::CredentialHeader));
        let on = |settings: &mut Settings| settings.product_header = true;
        let reading = given().set(on).read();
        assert_eq!(
            reading.credentials,
            Credentials::Switched {
                secret: "abc".to_owned()
            }
        );
        assert!(reading.head.unwrap().headers.is_empty());
        assert_eq!(
            given().set(on).with(header, "abc").read().credentials,
            Credentials::Malformed
        );
        assert_eq!(
            given()
                .set(on)
                .with("Authorization", "Basic YTpi")
                .read()
                .credentials,
            Credentials::Malformed
        );
    }
}

#[test]
fn other_places_of_credentials_are_refused_by_product() {
    use Product::{Confluence, Generic, Gitlab, Jira, Redmine};
    for (product, query, reason) in [
        (Jira, "os_username=a", Some(Reason::CredentialParameter)),
        (Jira, "a=1&OS_PASSWORD=b", Some(Reason::CredentialParameter)),
        (Jira, "jwt=x", Some(Reason::CredentialParameter)),
        (Jira, "token=abc", None),
        (Jira, "key=JRA&sudo=x&username=b", None),
        (Confluence, "os_username=a", Some(Reason::CredentialParameter)),
        (Gitlab, "private_token=x", Some(Reason::CredentialParameter)),
        (Gitlab, "sudo[]=x", Some(Reason::CredentialParameter)),
        (Redmine, "%6bey=x", Some(Reason::CredentialParameter)),
        (Generic, "api_key", Some(Reason::CredentialParameter)),
        (Generic, "!sudo=root", Some(Reason::CredentialParameter)),
        (Redmine, "key(1i)=x", Some(Reason::CredentialParameter)),
        (Generic, "x.sudo=root", None),
        (Jira, "_method=DELETE", Some(Reason::MethodParameter)),
        (Generic, "%5Fmethod=DELETE", Some(Reason::MethodParameter)),
        (Generic, "a=_method", None),
    ] {
        assert_eq!(
            get(&format!("/ctx/x?{query}")).under(product).refused(),
            reason,
            "{product:?} {query}"
        );
    }
    assert_eq!(
        get("/ctx/x").under(Gitlab).with("Sudo", "root").refused(),
        Some(Reason::CredentialHeader)
    );
    assert_eq!(get("/ctx/x").under(Jira).with("Sudo", "root").refused(), None);
}

#[test]
fn the_presented_secret_stays_out_of_the_url() {
    let basic = base64::engine::general_purpose::STANDARD.encode("svc:a-secret-of-some-other-kind");
    let header = format!("Basic {basic}");
    let name = format!("/ctx/x?{SECRET}");
    let encoded = format!("/ctx/x?a={}", basic.replace('=', "%3D"));
    for target in [
        "/ctx/x?a=a-secret-of-some-other-kind",
        "/ctx/a-secret-of-some-other-kind",
        encoded.as_str(),
        name.as_str(),
    ] {
        assert_eq!(
            get(target).with("Authorization", &header).refused(),
            Some(Reason::SecretInUrl),
            "{target}"
        );
    }
    assert!(get("/ctx/x?q=what+is+twd_").head().is_ok());
}

#[test]
fn contexts_and_request_ids() {
    assert_eq!(
        get("/ctx/x")
            .with("contextUser", " alice ")
            .read()
            .context_user
            .as_deref(),
        Some("alice")
    );
    let bad = get("/ctx/x").with("contextuser", "").read();
    assert_eq!(
        (bad.context_user, bad.head.unwrap_err().reason),
        (None, Reason::MalformedContextUser)
    );
    let two = get("/ctx/x")
        .with("contextUser", "a")
        .with("ContextUser", "b")
        .read();
    assert_eq!(
        (two.context_user, two.head.unwrap_err().reason),
        (None, Reason::RepeatedHeader)
    );

    let id = |value: &str| get("/ctx/x").with("X-Request-ID", value).read().client_request_id;
    assert_eq!(id("8f0c-1.2_x").as_deref(), Some("8f0c-1.2_x"));
    for bad in ["", "a b", "é", "a\"b", &"a".repeat(129), SECRET] {
        assert_eq!(id(bad), None, "{bad}");
    }
    let two = get("/ctx/x")
        .with("X-Request-ID", "a")
        .with("x-request-id", "b")
        .read();
    assert!(two.client_request_id.is_none() && two.head.is_ok());
}
